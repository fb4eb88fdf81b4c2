// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BUDDY_H
#define METE_BUDDY_H

/// Buddy allocator: blocks of a power of two times the smallest, bookkeeping entirely beside them.
///
/// Reach for it where a block must be aligned to its size (descriptors, DMA buffers, MPU regions) or
/// where the allocator may not touch its memory: device memory, memory behind an MPU, a bank that
/// sleeps. A block just above a power of two has nearly twice the bytes it needs; where that matters
/// and none of this does, take mete/alloc/heap.h.
///
///     METE_BUDDY_DEFINE(frames, 64, 500);
///     mete_buddy_init(&frames, &frames_config);
///     void *const block = mete_buddy_alloc(&frames, 200);
///     mete_buddy_free(&frames, block);
///
///   Time     With L = METE_BUDDY_LEVEL_COUNT(block_count), which is 10 for 512 smallest blocks:
///            alloc, free, size_of, resize: O(L). alloc takes at most 30 + 14 L instructions on a
///            Cortex-M4, free less. owns, usage: O(1). init, check, walk: O(block_count).
///   Space    2 to 3 bytes for each smallest block (2 where their number is a power of two), plus one
///            mete_buddy_t. Nothing in the blocks, which are never read or written.
///   Align    A block lies at a multiple of its size, as it was rounded up, from `blocks`. So it has
///            every alignment up to its size that `blocks` has.
///   Threads  Not synchronised. Calls on one buddy must exclude each other; interrupts included.
///   Errors   Running out is ordinary: NULL, counted. Misuse and damage: METE_FAULT, and nothing
///            changes. Double, foreign and interior free are recognised exactly.
///
/// The buddy system is Knowlton's, "A Fast Storage Allocator" (1965); Knuth, The Art of Computer
/// Programming vol. 1, section 2.5, describes it. Here no free lists are kept: a tree says of every
/// block how large a piece of it is free, as a tournament says who is best (Knuth vol. 3, 5.2.3).

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_BUDDY_BLOCK_COUNT_MAX 16777216U

/// Sizes that blocks can have if there are so many smallest ones: 1, 2, 4 and so on. It bounds all
/// loops but those of init, check and walk.
#define METE_BUDDY_LEVEL_COUNT(block_count) \
    (32 - __builtin_clz((2U * (uint32_t)(block_count)) - 1U))

/// Bytes of the table for so many smallest blocks.
#define METE_BUDDY_TABLE_SIZE(block_count) \
    (((size_t)1 << (METE_BUDDY_LEVEL_COUNT(block_count) - 1)) + (block_count) + \
     (((block_count) > 1U) ? (block_count) % 2U : 0U))

/// Where the buddy lives. It keeps a pointer to this, so it must outlive the buddy; const is best, for
/// then it costs flash and no RAM.
typedef struct mete_buddy_config {
    void *blocks;    ///< block_size * block_count bytes. Of a region, size / block_size fit.
    uint8_t *table;  ///< METE_BUDDY_TABLE_SIZE(block_count) bytes, the buddy's from init onwards.
    size_t block_size;   ///< Bytes in the smallest block, a power of two, 8 or more.
    size_t block_count;  ///< Of smallest blocks, any number from 1 to METE_BUDDY_BLOCK_COUNT_MAX.
} mete_buddy_config_t;

/// A buddy. The fields are here so that it can be static; use the functions to read them. What alloc
/// and free need is copied from the config; fields read one after the other are neighbours.
typedef struct mete_buddy {
    uint8_t *table;
    uint32_t table_size;
    uint32_t leaves;  // The first leaf: what stands for the first smallest block.
    size_t block_count;
    uint32_t half_shift;   // block_size is 2 << half_shift.
    uintptr_t origin;      // Where leaf 0 would lie.
    uint32_t in_use;       // In smallest blocks.
    uint32_t in_use_peak;  // Until something was freed last.
    uint32_t refusals;
    const mete_buddy_config_t *config;
} mete_buddy_t;

/// How full a buddy is. Bytes are those of whole blocks.
typedef struct {
    size_t total_size;         ///< Bytes in all blocks.
    size_t in_use_size;        ///< Bytes in blocks handed out.
    size_t in_use_peak;        ///< The most ever handed out at once, in bytes.
    size_t largest_free_size;  ///< Bytes in the largest free block; more cannot be had.
    size_t refusals;           ///< Requests that could not be met.
} mete_buddy_usage_t;

/// A block as mete_buddy_walk() shows it.
typedef struct mete_buddy_block {
    void *block;   ///< What alloc returned, or would.
    size_t size;   ///< Bytes usable.
    bool is_live;  ///< Handed out, not free.
} mete_buddy_block_t;

/// Makes all blocks free. May be called again to reset the buddy; all blocks held become invalid.
/// Returns false, leaving the buddy alone, if the config is missing or breaks a limit stated above.
bool mete_buddy_init(mete_buddy_t *buddy, const mete_buddy_config_t *config);

#ifndef METE_NO_DIRECT_CALLS
/// Returns a block of at least `size` bytes, contents unspecified, or NULL: the first that is large
/// enough, its first part. Size 0 gives NULL. Faults with CORRUPT, and returns NULL, if the table
/// promises a block that is not there.
void *mete_buddy_alloc(mete_buddy_t *buddy, size_t size);

/// As mete_buddy_alloc(), aligned to `align`, a power of two; else METE_FAULT_ALIGN and NULL. NULL if
/// `blocks` is not so aligned. The block has at least `align` bytes.
void *mete_buddy_alloc_aligned(mete_buddy_t *buddy, size_t size, size_t align);

/// Takes a block back and joins it with its buddy, and so on. NULL is allowed and does nothing. Faults
/// without effect: FOREIGN if `block` is not the start of a block held, DOUBLE_FREE if it lies in free
/// memory.
void mete_buddy_free(mete_buddy_t *buddy, void *block);

/// Changes a block's size in place: gives halves back, or takes in its buddy, if that is free and lies
/// behind it, and so on. False leaves it as it was; so does size 0. Faults as mete_buddy_free().
bool mete_buddy_resize(mete_buddy_t *buddy, void *block, size_t size);
#endif

/// True if `address` lies in the blocks of this buddy, free or not.
bool mete_buddy_owns(const mete_buddy_t *buddy, const void *address);

/// Bytes usable in a block that is held; 0, if anything is checked, for what is not the start of one.
size_t mete_buddy_size_of(const mete_buddy_t *buddy, const void *block);

/// How full the buddy is now. O(1).
mete_buddy_usage_t mete_buddy_usage(const mete_buddy_t *buddy);

/// Shows every block in address order, free and live, to `visit`, until it returns false. The buddy
/// must not change meanwhile. Returns true if all were shown, false if `visit` stopped or the table is
/// damaged, in which case nothing is shown. O(block_count).
bool mete_buddy_walk(const mete_buddy_t *buddy,
                     bool (*visit)(void *self, const mete_buddy_block_t *block), void *self);

/// True if the table agrees with itself and with the counters; false before the first init. Changes
/// nothing. O(block_count), also on any damage.
bool mete_buddy_check(const mete_buddy_t *buddy);

/// The buddy as an allocator. Release and resize hold the caller to a size and alignment for which a
/// block of this very size would be taken.
mete_alloc_t mete_buddy_as_alloc(mete_buddy_t *buddy);

/// A buddy `name` of `count` smallest blocks of `size` bytes, aligned to `size`, and `name_config` to
/// initialise it with: mete_buddy_init(&name, &name_config). At file scope, or static in a function.
#define METE_BUDDY_DEFINE(name, size, count) \
    METE_SECTION static unsigned char name##_blocks[(count)][(size)] \
        __attribute__((aligned(size))); \
    static uint8_t name##_table[METE_BUDDY_TABLE_SIZE(count)]; \
    static const mete_buddy_config_t name##_config = {name##_blocks, name##_table, (size), \
                                                      (count)}; \
    static mete_buddy_t name

#ifdef __cplusplus
}
#endif
#endif
