// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ALLOC_H
#define METE_ALLOC_H

/// The allocator interface: how modules that do not care which allocator they use ask for memory.
///
/// A mete_alloc_t is two words, passed by value: what to do, and on whom. Whoever releases memory
/// names its size and alignment. So no allocator needs a header only to remember them, a wrapper
/// finds its prefix again, and a guard can hold the caller to his word.
///
///     void *const block = mete_acquire(alloc, 100, 8);
///     if (block != NULL) {
///         mete_release(alloc, block, 100, 8);
///     }
///
///   Time     A few instructions and one indirect call; then what the allocator behind it states.
///   Threads  As the allocator behind it. To share one, put mete/wrap/lock.h in front.
///   Errors   Out of memory is NULL. A bad alignment is misuse: METE_FAULT_ALIGN, no effect.

#include "mete/core/align.h"
#include "mete/core/base.h"
#include "mete/core/words.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What an allocator can do. An operation that may be absent is NULL then.
typedef struct mete_alloc_ops {
    /// `size` is at least 1, `align` a power of two. NULL if it cannot be done.
    void *(*acquire)(void *self, size_t size, size_t align);
    /// `block` is not NULL; `size` as acquired or last resized, `align` as acquired.
    void (*release)(void *self, void *block, size_t size, size_t align);
    /// In place or not at all: true if the block now has `new_size`, at least 1. To the size that it
    /// has already: always. NULL: never.
    bool (*resize)(void *self, void *block, size_t old_size, size_t new_size, size_t align);
    /// True if `address` lies in memory that this allocator manages. NULL: unknown.
    bool (*owns)(const void *self, const void *address);
    /// Usable bytes of a block that is held, for reports and shims. Who asks vouches for it: of anything else
    /// what stands in front may be read, wherever that is. NULL: unknown.
    size_t (*size_of)(const void *self, const void *block);
} mete_alloc_ops_t;

/// An allocator. {NULL, NULL} is none: inits refuse it, calls through it are not to be made.
typedef struct mete_alloc {
    const mete_alloc_ops_t *ops;
    void *self;
} mete_alloc_t;

/// Returns `size` bytes aligned to `align`, contents unspecified, or NULL. Size 0 gives NULL.
METE_INLINE void *mete_acquire(mete_alloc_t alloc, size_t size, size_t align)
{
    if (!mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, alloc.self, NULL);
        return NULL;
    }
    return (size != 0U) ? alloc.ops->acquire(alloc.self, size, align) : NULL;
}

/// Gives a block back. `size` and `align` are those it was acquired with, `size` the last one it was
/// resized to. NULL does nothing.
METE_INLINE void mete_release(mete_alloc_t alloc, void *block, size_t size, size_t align)
{
    if (!mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, alloc.self, block);
        return;
    }
    if (block != NULL) {
        alloc.ops->release(alloc.self, block, size, align);
    }
}

/// Changes a block's size where it stands. True if it now has `new_size`; false leaves it as it was.
/// False for NULL and for size 0.
METE_INLINE bool mete_resize(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                             size_t align)
{
    if (!mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, alloc.self, block);
        return false;
    }
    return (block != NULL) && (new_size != 0U) && (alloc.ops->resize != NULL) &&
           alloc.ops->resize(alloc.self, block, old_size, new_size, align);
}

/// Moves what fits of `from` to `to` and gives `from` back. The second half of mete_realloc().
void mete_realloc_move(mete_alloc_t alloc, void *to, size_t new_size, void *from, size_t old_size,
                       size_t align);

/// Resizes in place if that can be done, else moves: the alignment is kept. NULL leaves the block
/// as it was, unless `new_size` is 0, which releases it. A NULL block acquires. O(size) if it moves.
METE_INLINE void *mete_realloc(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                               size_t align)
{
    if (new_size == 0U) {
        mete_release(alloc, block, old_size, align);
        return NULL;
    }
    if (mete_resize(alloc, block, old_size, new_size, align)) {
        return block;
    }
    void *const moved = mete_acquire(alloc, new_size, align);
    if ((moved != NULL) && (block != NULL)) {
        mete_realloc_move(alloc, moved, new_size, block, old_size, align);
    }
    return moved;
}

/// As mete_acquire(), every byte 0. O(size).
METE_INLINE void *mete_acquire_zeroed(mete_alloc_t alloc, size_t size, size_t align)
{
    void *const block = mete_acquire(alloc, size, align);
    if (block != NULL) {
        mete_words_fill(block, 0U, size);
    }
    return block;
}

/// As mete_acquire() for `count` elements of `size` bytes. NULL if count * size overflows or is 0.
METE_INLINE void *mete_acquire_array(mete_alloc_t alloc, size_t count, size_t size, size_t align)
{
    size_t total = 0U;
    const bool overflows = __builtin_mul_overflow(count, size, &total);
    return mete_acquire(alloc, overflows ? 0U : total, align);
}

#ifdef __cplusplus
}
#endif
#endif
