// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ATOMIC_POOL_H
#define METE_ATOMIC_POOL_H

/// Fixed-size block pool for any mix of tasks, interrupts and cores, without a lock.
///
/// Reach for it when an interrupt hands blocks to a task, or tasks share a pool and none may wait for
/// another: whoever is stopped inside a call, wherever, keeps nobody else from alloc and free. From one
/// place alone use a pool, which is smaller and twice as fast. Some blocks may be reserved for
/// interrupts: tasks cannot use them up. Like a pool it never reads or writes a block.
///
///     METE_ATOMIC_POOL_DEFINE(frames, frame_t, 32, 4);                       // Four are reserved.
///     mete_atomic_pool_init(&frames, &frames_config);
///     frame_t *const frame = mete_atomic_pool_alloc_reserved(&frames);       // In the interrupt;
///     mete_atomic_pool_free(&frames, frame);                                 // in a task.
///
///   Time     alloc, free: O(1), and as much again each time that another caller changed the list in
///            between; on x86 and AArch64 with a short wait before. init, walk, check: O(block_count).
///   Space    One word per block, plus one mete_atomic_pool_t. No padding between blocks.
///   Align    Blocks form a plain array: aligned as `blocks` is, block_size bytes apart.
///   Threads  Everything from anywhere at any time, but for init and check: these while nobody else
///            calls. A pointer to a block must be handed on with the care that data needs: from core
///            to core with release and acquire, as queues and mutexes do.
///   Errors   Running out is ordinary: NULL, counted. Misuse and damage: METE_FAULT, and nothing
///            changes. Double, foreign and interior free are recognised exactly: of two calls that free
///            a block at the same time, one succeeds and the other faults.
///
/// What is taken for granted: the first free block stands in one word together with a tag that every
/// free counts up. A call is deceived if, between reading that word and replacing it, it is stopped
/// while others make so many frees that the tag comes round to the very same number and the same block
/// lies on top, with another behind it. Words of w bits have w - b bits of tag, b being the bits of
/// block_count: 2^16 frees for 65535 blocks on a 32-bit core, 2^26 for 63 blocks, 2^48 and more on 64
/// bits. Interrupts on one core cannot make so many within one call; a task that is preempted for long
/// by others, on 32 bits, should have a small pool.
///
/// Where the core has no exclusive access (ARMv6-M) changes of a word are made with interrupts masked;
/// see mete/core/atomic.h. What was proved, how, and what was not: docs/guide/atomic.md.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Leaves 16 bits for the tag in a word of 32.
#define METE_ATOMIC_POOL_BLOCK_COUNT_MAX 65535U

/// Where the pool lives. It keeps a pointer to this, so it must outlive the pool; const is best, for
/// then it costs flash and no RAM.
typedef struct mete_atomic_pool_config {
    void *blocks;           ///< block_size * block_count bytes.
    size_t *links;          ///< block_count entries, owned by the pool from init onwards.
    size_t block_size;      ///< Bytes in a block, at least 1.
    size_t block_count;     ///< 1 ... METE_ATOMIC_POOL_BLOCK_COUNT_MAX, the reserved ones included.
    size_t reserved_count;  ///< 0 ... block_count: for alloc_reserved alone.
} mete_atomic_pool_config_t;

/// A pool. The fields are here so that a pool can be static; use the functions to read them.
typedef struct mete_atomic_pool {
    size_t common;    // First free block of those that everybody may have, and the tag above it.
    size_t reserved;  // Likewise, of the others.
    size_t in_use;
    size_t in_use_peak;
    size_t refusals;
    size_t mask;  // The bits of an index. All of them: the end of a list.
    size_t block_count;
    size_t rotation;  // Trailing zeros of block_size.
    size_t *links;
    size_t reserved_count;  // The blocks below this index are the reserved ones.
    uintptr_t blocks;
    size_t block_size;
    uintptr_t inverse;  // Of the odd part of block_size; see mete/core/stride.h.
    const mete_atomic_pool_config_t *config;
} mete_atomic_pool_t;

/// How full a pool is. Totals count from init and are kept in the tags: behind total_max they start
/// again at 0.
typedef struct {
    size_t block_count;        ///< Blocks in all.
    size_t in_use;             ///< Blocks now handed out, reserved ones included.
    size_t in_use_peak;        ///< The most ever handed out at once.
    size_t alloc_total;        ///< Blocks ever handed out.
    size_t free_total;         ///< Blocks ever taken back.
    size_t total_max;          ///< 2^(w - b) - 1, as said above of the tag.
    size_t refusals;           ///< Calls that could not be served.
    uint16_t in_use_permille;  ///< in_use of block_count, 0 ... 1000, rounded down.
} mete_atomic_pool_usage_t;

/// A block as mete_atomic_pool_walk() shows it.
typedef struct mete_atomic_pool_block {
    void *block;       ///< What alloc returned, or would.
    size_t size;       ///< Bytes usable: block_size.
    bool is_live;      ///< Handed out, not free.
    bool is_reserved;  ///< One that only alloc_reserved hands out.
} mete_atomic_pool_block_t;

/// Makes every block free. May be called again to reset the pool; all blocks held become invalid.
/// Returns false, leaving the pool alone, if the configuration is missing or breaks a limit
/// stated above. O(block_count).
bool mete_atomic_pool_init(mete_atomic_pool_t *pool, const mete_atomic_pool_config_t *config);

#ifndef METE_NO_DIRECT_CALLS
/// Returns a block, its contents unspecified, or NULL if all but the reserved ones are in use.
/// Faults with CORRUPT, and returns NULL, if the list leads out of the pool or onto a live block.
void *mete_atomic_pool_alloc(mete_atomic_pool_t *pool);

/// Likewise for interrupts, or whoever else is privileged: takes a reserved block if there is one, else
/// any. NULL means that at one moment all blocks were in use; on several cores with weakly ordered
/// memory, a block that comes back while another is taken may be missed.
void *mete_atomic_pool_alloc_reserved(mete_atomic_pool_t *pool);

/// Takes a block back, wherever it came from. NULL is allowed and does nothing.
/// Faults without effect: FOREIGN if `block` is not the start of a block of this pool, DOUBLE_FREE
/// if it is not held, CORRUPT if its link is neither that of a live nor of a free block.
void mete_atomic_pool_free(mete_atomic_pool_t *pool, void *block);
#endif

/// True if `address` lies in the blocks of this pool, at the start of one or inside, free or not.
bool mete_atomic_pool_owns(const mete_atomic_pool_t *pool, const void *address);

/// How full the pool is now. A block is counted as in use when alloc is about to return it, until free
/// is about to take it back; so in_use is never more than block_count, and the peak is exact. While
/// others call, numbers may differ by what happened between reading one and the next.
mete_atomic_pool_usage_t mete_atomic_pool_usage(const mete_atomic_pool_t *pool);

/// Shows every block in address order, free and live, to `visit`, until it returns false. What others
/// change meanwhile is seen or not, block by block. Returns true if all were shown. O(block_count).
bool mete_atomic_pool_walk(const mete_atomic_pool_t *pool,
                           bool (*visit)(void *self, const mete_atomic_pool_block_t *block),
                           void *self);

/// True if links, lists and counters agree; false before the first init. Only while nobody else
/// calls: what is half done looks like damage, so METE_CHECK_LEVEL 3 does here what 2 does. Changes
/// nothing. O(block_count), also on any damage.
bool mete_atomic_pool_check(const mete_atomic_pool_t *pool);

/// The pool as an allocator: serves any size up to block_size, at any alignment that every block
/// has. Release and resize hold the caller to a size and alignment that a block can have.
mete_alloc_t mete_atomic_pool_as_alloc(mete_atomic_pool_t *pool);

/// The same for interrupts: acquires as mete_atomic_pool_alloc_reserved() does. A block may be released
/// through either view.
mete_alloc_t mete_atomic_pool_as_alloc_reserved(mete_atomic_pool_t *pool);

/// A pool `name` of `count` objects of `type`, `reserved` of them for interrupts, with its storage, and
/// `name_config` to initialise it with: mete_atomic_pool_init(&name, &name_config). At file scope, or
/// static in a function.
#define METE_ATOMIC_POOL_DEFINE(name, type, count, reserved) \
    METE_SECTION static type name##_blocks[(count)]; \
    static size_t name##_links[(count)]; \
    static const mete_atomic_pool_config_t name##_config = { \
        name##_blocks, name##_links, sizeof name##_blocks[0], (count), (reserved)}; \
    static mete_atomic_pool_t name

#ifdef __cplusplus
}
#endif
#endif
