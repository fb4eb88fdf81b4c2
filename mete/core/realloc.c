// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/alloc.h"

void mete_realloc_move(mete_alloc_t alloc, void *to, size_t new_size, void *from, size_t old_size,
                       size_t align)
{
    mete_words_copy(to, from, (old_size < new_size) ? old_size : new_size);
    mete_release(alloc, from, old_size, align);
}
