// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_POOL_H
#define METE_POOL_H

/// Fixed-size block pool: equal blocks, handed out and taken back in constant time.
///
/// Reach for a pool when every object has the same size: messages, timers, connection records.
/// A pool cannot fragment. It keeps its bookkeeping beside the blocks and never reads or writes a
/// block, so a stray write into freed memory cannot break it, and the blocks may live in memory
/// the allocator itself may not touch: behind an MPU, or in a bank that is powered down.
///
///     METE_POOL_DEFINE(inbox, message_t, 32);
///     mete_pool_init(&inbox, &inbox_config);
///     message_t *const message = mete_pool_alloc(&inbox);
///     mete_pool_free(&inbox, message);
///
///   Time     Everything O(1), init included; no loops, no recursion, no division. Exceptions:
///            alloc_many, free_many: O(count). check, walk: O(block_count).
///   Space    Two bytes per block, plus one mete_pool_t. No padding between blocks.
///   Align    Blocks form a plain array: aligned as `blocks` is, block_size bytes apart.
///   Threads  Not synchronised. Calls on one pool must exclude each other; interrupts included.
///   Errors   Running out is ordinary: NULL, counted. Misuse and damage: METE_FAULT, and nothing
///            changes. Double, foreign and interior free are recognised exactly.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_POOL_BLOCK_COUNT_MAX 65024U

/// Where the pool lives. The pool keeps a pointer to this, so it must outlive the pool; const
/// is best, for then it costs flash and no RAM.
typedef struct mete_pool_config {
    void *blocks;        ///< block_size * block_count bytes. Of a region, size / block_size fit.
    uint16_t *links;     ///< block_count entries, owned by the pool from init onwards.
    size_t block_size;   ///< Bytes in a block, at least 1.
    size_t block_count;  ///< 1 ... METE_POOL_BLOCK_COUNT_MAX.
} mete_pool_config_t;

/// A pool. The fields are here so that a pool can be static; use the functions to read them.
/// What alloc and free need is copied from the config; fields read one after the other are
/// neighbours, for cores that load two words at once.
typedef struct mete_pool {
    size_t block_count;
    size_t alloc_total;
    size_t free_total;
    size_t first_free;  // Head of the list of blocks that came back.
    size_t opened;      // Blocks handed out at least once: all below this index. Also the peak.
    size_t rotation;    // Trailing zeros of block_size.
    uint16_t *links;
    uintptr_t inverse;  // Of the odd part of block_size; see mete/core/stride.h.
    uintptr_t blocks;
    size_t block_size;
    size_t refusals;
    const mete_pool_config_t *config;
} mete_pool_t;

/// How full a pool is. Totals count from init and wrap at SIZE_MAX.
typedef struct {
    size_t block_count;        ///< Blocks in all.
    size_t in_use;             ///< Blocks now handed out.
    size_t in_use_peak;        ///< The most ever handed out at once.
    size_t alloc_total;        ///< Blocks ever handed out.
    size_t free_total;         ///< Blocks ever taken back.
    size_t refusals;           ///< Calls that could not be served.
    uint16_t in_use_permille;  ///< in_use of block_count, 0 ... 1000, rounded down.
} mete_pool_usage_t;

/// A block as mete_pool_walk() shows it.
typedef struct mete_pool_block {
    void *block;   ///< What alloc returned, or would.
    size_t size;   ///< Bytes usable: block_size.
    bool is_live;  ///< Handed out, not free.
} mete_pool_block_t;

/// Makes every block free. May be called again to reset the pool; all blocks held become invalid.
/// Returns false, leaving the pool alone, if the configuration is missing or breaks a limit
/// stated above.
bool mete_pool_init(mete_pool_t *pool, const mete_pool_config_t *config);

#ifndef METE_NO_DIRECT_CALLS
/// Returns a block, its contents unspecified, or NULL if all are in use.
/// The block freed last is handed out first: it is the one most likely still in the cache.
/// Faults with CORRUPT, and returns NULL, if the list leads out of the pool or onto a live block,
/// or ends while blocks should be free.
void *mete_pool_alloc(mete_pool_t *pool);

/// Takes a block back. NULL is allowed and does nothing.
/// Faults without effect: FOREIGN if `block` is not the start of a block of this pool, DOUBLE_FREE
/// if it is not held, CORRUPT if its link is neither that of a live nor of a free block.
void mete_pool_free(mete_pool_t *pool, void *block);

/// Fills `blocks` with `count` blocks, all or none. False, `blocks` untouched and one refusal
/// counted, if fewer are free. Faults as mete_pool_alloc(), without effect but on `blocks`.
bool mete_pool_alloc_many(mete_pool_t *pool, void *blocks[], size_t count);

/// Takes `count` blocks back, all or none; NULL among them is passed over. Faults as
/// mete_pool_free() for the first that is not held or that occurs twice, and then frees none.
void mete_pool_free_many(mete_pool_t *pool, void *const blocks[], size_t count);
#endif

/// True if `address` lies in the blocks of this pool, at the start of one or inside, free or not.
bool mete_pool_owns(const mete_pool_t *pool, const void *address);

/// How full the pool is now.
mete_pool_usage_t mete_pool_usage(const mete_pool_t *pool);

/// Shows every block in address order, free and live, to `visit`, until it returns false. The pool
/// must not change meanwhile. Returns true if all were shown. O(block_count).
bool mete_pool_walk(const mete_pool_t *pool,
                    bool (*visit)(void *self, const mete_pool_block_t *block), void *self);

/// True if links, list and counters agree; false before the first init. Changes nothing.
/// O(block_count), also on any damage.
bool mete_pool_check(const mete_pool_t *pool);

/// The pool as an allocator: serves any size up to block_size, at any alignment that every block
/// has. Release and resize hold the caller to a size and alignment that a block can have.
mete_alloc_t mete_pool_as_alloc(mete_pool_t *pool);

/// A pool `name` of `count` objects of `type`, with its storage, and `name_config` to initialise
/// it with: mete_pool_init(&name, &name_config). At file scope, or static in a function.
#define METE_POOL_DEFINE(name, type, count) \
    METE_SECTION static type name##_blocks[(count)]; \
    static uint16_t name##_links[(count)]; \
    static const mete_pool_config_t name##_config = {name##_blocks, name##_links, \
                                                     sizeof name##_blocks[0], (count)}; \
    static mete_pool_t name

#ifdef __cplusplus
}
#endif
#endif
