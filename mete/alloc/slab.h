// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_SLAB_H
#define METE_SLAB_H

/// Object cache: a pool that grows by whole slabs, from any allocator, and gives empty ones back.
///
/// Reach for it when all objects have one size but nobody knows how many there will be: sessions,
/// connections, nodes of a tree. A slab is one block of the allocator behind and holds many objects, so
/// that allocator is rarely asked. Objects have no header: the bookkeeping is one 16-bit link for each,
/// in front of all of a slab's objects, and a sorted table of slabs, which the caller gives. If the
/// number is known, mete/alloc/pool.h needs no allocator behind it and frees faster.
///
///     METE_SLAB_DEFINE(sessions, session_t, 16, 8, NULL);  // 16 a slab, at most 8 slabs.
///     mete_slab_init(&sessions, mete_heap_as_alloc(heap), &sessions_config);
///     session_t *const session = mete_slab_alloc(&sessions);
///     mete_slab_free(&sessions, session);
///
///   Time     alloc O(1); when it adds a slab O(blocks in a slab + slabs), and what the allocator
///            behind takes. free, owns: O(log slabs), one look into the table for every doubling of
///            the slabs. purge, check, walk: O(slabs * blocks in a slab). init O(1).
///   Space    Two bytes a block, in the slab; a table entry of two words for each slab that there
///            may be. Nothing lies between the blocks of a slab.
///   Align    Every block is aligned to config.align.
///   Threads  Not synchronised. Calls on one cache must exclude each other; interrupts included.
///   Errors   Running out is ordinary: NULL, counted. Misuse and damage: METE_FAULT, and nothing
///            changes. Double, foreign and interior free are recognised exactly, a foreign address
///            without reading what is there.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_SLAB_BLOCK_COUNT_MAX 65024U
#define METE_SLAB_COUNT_MAX       65534U

/// What the cache keeps about one slab. The caller provides a table of these and looks at none.
typedef struct mete_slab_entry {
    uintptr_t start;      // Where the slab's blocks start.
    uint16_t first_free;  // Head of its list of free blocks.
    uint16_t next;        // The next slab that has a free block.
} mete_slab_entry_t;

/// What the cache is of. It keeps a pointer to this, so it must outlive the cache; const is best.
typedef struct mete_slab_config {
    size_t block_size;         ///< Bytes in a block: a multiple of `align`, at least 1.
    size_t align;              ///< Alignment of every block, a power of two.
    size_t block_count;        ///< Blocks in a slab: 1 ... METE_SLAB_BLOCK_COUNT_MAX.
    size_t slab_count;         ///< The most slabs there may be: 1 ... METE_SLAB_COUNT_MAX.
    mete_slab_entry_t *table;  ///< slab_count entries, owned by the cache from init onwards.
    /// Called for every block of a new slab; NULL: nothing to do. What it writes stays: alloc and free
    /// do not touch a block, so an object can be freed in a state that saves the next user work.
    void (*construct)(void *self, void *block);
    /// Called for every block of a slab before it is given back, or NULL. Neither may call the cache.
    void (*destruct)(void *self, void *block);
    void *self;  ///< Handed to both.
} mete_slab_config_t;

/// A cache. The fields are here so that a cache can be static; use the functions to read them. What
/// is read together is neighbours, for cores that load two words at once.
typedef struct mete_slab {
    mete_slab_entry_t *current;  // The slab that serves now. Never NULL; may be full.
    size_t block_count;          // Blocks in a slab; 0 while there are no slabs.
    size_t alloc_total;
    size_t block_size;
    size_t in_use;
    size_t in_use_peak;
    mete_slab_entry_t *upper;  // With `step`: how to halve the table; see slab_of() in slab.c.
    size_t step;
    mete_slab_entry_t *table;  // By address, ascending.
    size_t rotation;           // See mete/core/stride.h.
    uintptr_t inverse;         // Likewise.
    size_t slab_count;
    size_t slab_count_peak;
    size_t purge_total;
    size_t refusals;
    mete_alloc_t backing;
    const mete_slab_config_t *config;
} mete_slab_t;

/// How full the cache is. Totals count from init and wrap at SIZE_MAX.
typedef struct {
    size_t slab_count;       ///< Slabs there are now.
    size_t slab_count_peak;  ///< The most there ever were.
    size_t purge_total;      ///< Slabs given back.
    size_t block_count;      ///< Blocks in all of them.
    size_t in_use;           ///< Blocks now handed out.
    size_t in_use_peak;      ///< The most ever handed out at once.
    size_t alloc_total;      ///< Blocks ever handed out.
    size_t free_total;       ///< Blocks ever taken back.
    size_t refusals;         ///< Calls that could not be served.
    uint16_t
        in_use_permille;  ///< in_use of block_count, 0 ... 1000, rounded down; 0 without slabs.
} mete_slab_usage_t;

/// How full one slab is.
typedef struct {
    void *start;               ///< Its first block.
    size_t block_count;        ///< Blocks in it.
    size_t in_use;             ///< Blocks now handed out.
    uint16_t in_use_permille;  ///< in_use of block_count, 0 ... 1000, rounded down.
} mete_slab_one_t;

/// A block as mete_slab_walk() shows it.
typedef struct mete_slab_block {
    void *block;   ///< What alloc returned, or would.
    size_t size;   ///< Bytes usable: block_size.
    bool is_live;  ///< Handed out, not free.
} mete_slab_block_t;

/// An empty cache, whose slabs come from `backing`. Returns false, changing nothing, if the allocator
/// or the configuration is missing or breaks a limit stated above. Slabs of an earlier life are
/// forgotten, not given back: free and purge first.
bool mete_slab_init(mete_slab_t *cache, mete_alloc_t backing, const mete_slab_config_t *config);

#ifndef METE_NO_DIRECT_CALLS
/// Returns a block, as the constructor or its last user left it. Adds a slab if all blocks are in use;
/// NULL if that cannot be done.
/// Faults with CORRUPT, and returns NULL, if a slab's list leads out of it or onto a live block, or
/// ends while blocks should be free; or if the new slab overlaps another.
void *mete_slab_alloc(mete_slab_t *cache);

/// Takes a block back. NULL is allowed and does nothing. No slab is given back: see mete_slab_purge().
/// Faults without effect: FOREIGN if `block` is not the start of a block of this cache, DOUBLE_FREE
/// if it is not held, CORRUPT if its link is neither that of a live nor of a free block.
void mete_slab_free(mete_slab_t *cache, void *block);
#endif

/// Adds slabs until `block_count` blocks are free, which alloc then hands out without asking the
/// allocator behind. False if that cannot be done, one refusal counted; slabs added so far remain.
/// Faults with CORRUPT if a new slab overlaps another. O(blocks added + slabs added * slabs).
bool mete_slab_reserve(mete_slab_t *cache, size_t block_count);

/// Gives every slab without a block in use back to the allocator behind; returns how many.
/// Faults with CORRUPT, and gives none back, if mete_slab_check() finds anything.
size_t mete_slab_purge(mete_slab_t *cache);

/// True if `address` lies in a block of this cache, at its start or inside, free or not.
bool mete_slab_owns(const mete_slab_t *cache, const void *address);

/// How full the cache is now.
mete_slab_usage_t mete_slab_usage(const mete_slab_t *cache);

/// How full one slab is: `index` is 0 ... slab_count - 1, in address order. Adding a slab or giving one
/// back renumbers them. All 0 if there is no such slab. O(blocks in a slab).
mete_slab_one_t mete_slab_usage_one(const mete_slab_t *cache, size_t index);

/// Shows every block in address order, free and live, to `visit`, until it returns false. The cache
/// must not change meanwhile. Returns true if all were shown.
bool mete_slab_walk(const mete_slab_t *cache,
                    bool (*visit)(void *self, const mete_slab_block_t *block), void *self);

/// True if table, links, lists and counters agree; false before the first init. Changes nothing;
/// bounded also on any damage of the links, which lie in the slabs.
bool mete_slab_check(const mete_slab_t *cache);

/// The cache as an allocator: serves any size up to block_size, at any alignment up to config.align.
/// Release and resize hold the caller to a size and alignment that a block can have.
mete_alloc_t mete_slab_as_alloc(mete_slab_t *cache);

/// A cache `name` of objects of `type`, `per_slab` in each of at most `count` slabs, with its table,
/// and `name_config` to initialise it with. `construct` as in the config, or NULL. At file scope, or
/// static in a function.
#define METE_SLAB_DEFINE(name, type, per_slab, count, construct) \
    static mete_slab_entry_t name##_table[(count)]; \
    static const mete_slab_config_t name##_config = { \
        sizeof(type), __alignof__(type), (per_slab), (count), \
        name##_table, (construct),       NULL,       NULL}; \
    static mete_slab_t name

#ifdef __cplusplus
}
#endif
#endif
