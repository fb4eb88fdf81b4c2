// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What can be wrong with realloc, which is built on the operations and kept right by them.

#include "tests/conformance/wrong/wrong.h"

static void *null_refused(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                          size_t align)
{
    return (block != NULL) ? mete_realloc(alloc, block, old_size, new_size, align) : NULL;
}

static void *zero_keeps_the_block(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                                  size_t align)
{
    return (new_size != 0U) ? mete_realloc(alloc, block, old_size, new_size, align) : NULL;
}

// Moves a block: copies `size` bytes from `from`, then gives the old block back.
static void *move(mete_alloc_t alloc, void *block, const void *from, size_t size, size_t old_size,
                  size_t new_size, size_t align)
{
    void *const moved = mete_acquire(alloc, new_size, align);
    if (moved != NULL) {
        mete_words_copy(moved, from, size);
        mete_release(alloc, block, old_size, align);
    }
    return moved;
}

static void *half_is_copied(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                            size_t align)
{
    const bool grows = (block != NULL) && (new_size > old_size);
    return grows ? move(alloc, block, block, old_size / 2U, old_size, new_size, align)
                 : mete_realloc(alloc, block, old_size, new_size, align);
}

static void *the_tail_is_kept(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                              size_t align)
{
    const bool shrinks = (block != NULL) && (new_size < old_size) && (new_size != 0U);
    const unsigned char *const tail =
        (const unsigned char *)block + (shrinks ? old_size - new_size : 0U);
    return shrinks ? move(alloc, block, tail, new_size, old_size, new_size, align)
                   : mete_realloc(alloc, block, old_size, new_size, align);
}

static void *the_alignment_is_lost(mete_alloc_t alloc, void *block, size_t old_size,
                                   size_t new_size, size_t align)
{
    if ((block == NULL) || mete_resize(alloc, block, old_size, new_size, align)) {
        return block;
    }
    return move(alloc, block, block, old_size, old_size, new_size, 1U);
}

static void *released_before_it_is_sure(mete_alloc_t alloc, void *block, size_t old_size,
                                        size_t new_size, size_t align)
{
    if (mete_resize(alloc, block, old_size, new_size, align)) {
        return block;
    }
    mete_release(alloc, block, old_size, align);
    return mete_acquire(alloc, new_size, align);
}

static void *the_old_block_is_kept(mete_alloc_t alloc, void *block, size_t old_size,
                                   size_t new_size, size_t align)
{
    if ((new_size == 0U) || mete_resize(alloc, block, old_size, new_size, align)) {
        return (new_size != 0U) ? block : NULL;
    }
    void *const moved = mete_acquire(alloc, new_size, align);
    if (moved != NULL) {
        mete_words_copy(moved, block, (old_size < new_size) ? old_size : new_size);
    }
    return moved;
}

static void *slack_that_is_not_there(mete_alloc_t alloc, void *block, size_t old_size,
                                     size_t new_size, size_t align)
{
    const bool is_near = (block != NULL) && (new_size > old_size) && (new_size - old_size <= 16U);
    return is_near ? block : mete_realloc(alloc, block, old_size, new_size, align);
}

static const wrong_t wrongs[] = {
    {"realloc of NULL acquires", .calls.realloc = null_refused},
    {"realloc to zero releases", .calls.realloc = zero_keeps_the_block},
    {"realloc to more keeps contents", .calls.realloc = half_is_copied},
    {"realloc to less keeps contents", .calls.realloc = the_tail_is_kept},
    {"realloc keeps the alignment", .calls.realloc = the_alignment_is_lost},
    {"a refused realloc leaves the block as it was", .calls.realloc = released_before_it_is_sure},
    {"realloc that moves gives the old block back", .calls.realloc = the_old_block_is_kept},
    {"random reallocs keep contents", .calls.realloc = slack_that_is_not_there},
};

const wrong_group_t wrong_group_realloc = WRONG_GROUP(wrongs);
