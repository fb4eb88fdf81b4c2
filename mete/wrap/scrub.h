// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_SCRUB_H
#define METE_SCRUB_H

/// Wipes memory before it is given back: keys, passwords and other people's data do not stay behind.
///
///     static mete_scrub_t scrub;
///     (void)mete_scrub_init(&scrub, mete_heap_as_alloc(heap), 0);
///     const mete_alloc_t secret = mete_scrub_as_alloc(&scrub);
///     void *const key = mete_acquire(secret, 32, 4);
///     mete_release(secret, key, 32, 4);  // 32 bytes of 0 now, whoever gets them next.
///
/// A pattern other than 0 shows, in a dump or by a crash, who uses what he gave back. Put it in front of
/// wrappers that keep a record in the block, track and quota: behind them it would wipe the record too,
/// and a double free would no longer be known as one.
///
/// A block does not shrink in place: what a shrink gives up could be wiped neither before, for it may
/// yet be refused, nor after, for then it is the allocator's. mete_realloc() moves it, and the old block
/// is wiped as a whole. It may grow in place if the allocator behind can.
///
///   Time     Release: O(size), a word at a time. Others: as the allocator behind.
///   Space    One mete_scrub_t. Nothing a block.
///   Align    As the allocator behind.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front.
///   Errors   As the allocator behind. It is asked first, by a resize to the same size, whether the block is
///            held and has that size: what it refuses is not wiped. An allocator without a resize
///            cannot be asked; there a wrong release wipes what it names.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The fields are here so that it can be static.
typedef struct mete_scrub {
    mete_alloc_t inner;
    uint8_t pattern;
} mete_scrub_t;

/// Puts the wrapper in front of `inner`; `pattern` is what each byte is set to. Returns false, changing
/// nothing, if the allocator is missing.
bool mete_scrub_init(mete_scrub_t *scrub, mete_alloc_t inner, uint8_t pattern);

/// The allocator that wipes. It can grow blocks in place, and knows owns and size_of, if the one
/// behind does.
mete_alloc_t mete_scrub_as_alloc(mete_scrub_t *scrub);

#ifdef __cplusplus
}
#endif
#endif
