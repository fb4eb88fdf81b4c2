// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_CPP_COMMON_H
#define METE_TEST_CPP_COMMON_H

/// What the tests from C++ share: a heap, a type of block, and what any allocator can be asked.

#include "mete/alloc/heap.h"
#include "mete/core/words.h"
#include "tests/support/tap.h"

struct message {
    uint32_t number;
    uint16_t kind;
    unsigned char text[7];
};

METE_HEAP_DEFINE(app, 2048);

inline size_t count_bytes(void *self, const void *, size_t size)
{
    *static_cast<size_t *>(self) += size;
    return size;
}

// What any allocator can be asked through its view.
inline void use(mete_alloc_t alloc, size_t size)
{
    auto *const bytes = static_cast<unsigned char *>(mete_acquire_zeroed(alloc, size, 1U));
    if (EXPECT(bytes != nullptr)) {
        EXPECT(mete_words_scan(bytes, 0U, size) == size);
        void *const smaller = mete_realloc(alloc, bytes, size, 1U, 1U);
        EXPECT(smaller != nullptr);
        mete_release(alloc, smaller, 1U, 1U);
    }
    EXPECT(mete_acquire_array(alloc, SIZE_MAX, 2U, 1U) == nullptr);
    EXPECT(tap_take_fault() == 0);
}

#endif
