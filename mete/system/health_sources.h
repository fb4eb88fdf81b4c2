// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEALTH_SOURCES_H
#define METE_HEALTH_SOURCES_H

/// What mete/system/health.h can look at: sources for the allocators and wrappers of Mete. Each is linked only
/// if it is named.
///
///     static const mete_health_source_t sources[] = {{mete_health_read_heap, heap},
///                                                    {mete_health_read_stats, &stats}};
///
/// The allocators say how much there is, how much is in use, and how it is fragmented. Only the statistics
/// know how many requests there were, which rules about failures need: name them last.
///
///   Time     heap, heap_wide, movable: O(1), two roots and divisions. buddy, pool, slab, stats: O(1).
///            list: O(free blocks).
///   Threads  None of these may change meanwhile, but for the statistics.

#include "mete/alloc/buddy.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/heap_wide.h"
#include "mete/alloc/list.h"
#include "mete/alloc/movable.h"
#include "mete/alloc/pool.h"
#include "mete/alloc/slab.h"
#include "mete/object/cache.h"
#include "mete/system/health.h"
#include "mete/wrap/stats.h"

/// `self` is the mete_heap_t.
static inline void mete_health_read_heap(const void *self, mete_health_usage_t *usage)
{
    const mete_heap_usage_t heap = mete_heap_usage((const mete_heap_t *)self);
    usage->total_size = heap.total_size;
    usage->in_use_size = heap.in_use_size;
    usage->frag_permille = heap.frag.low_permille;
    usage->refusals = heap.refusals;
}

/// `self` is the mete_heap_wide_t.
static inline void mete_health_read_heap_wide(const void *self, mete_health_usage_t *usage)
{
    const mete_heap_usage_t heap = mete_heap_wide_usage((const mete_heap_wide_t *)self);
    usage->total_size = heap.total_size;
    usage->in_use_size = heap.in_use_size;
    usage->frag_permille = heap.frag.low_permille;
    usage->refusals = heap.refusals;
}

/// `self` is the mete_movable_t.
static inline void mete_health_read_movable(const void *self, mete_health_usage_t *usage)
{
    const mete_movable_usage_t movable = mete_movable_usage((const mete_movable_t *)self);
    usage->total_size = movable.total_size;
    usage->in_use_size = movable.in_use_size;
    usage->frag_permille = movable.frag.low_permille;
    usage->refusals = movable.refusals;
}

/// `self` is the mete_list_t.
static inline void mete_health_read_list(const void *self, mete_health_usage_t *usage)
{
    const mete_list_usage_t list = mete_list_usage((const mete_list_t *)self);
    usage->total_size = list.total_size;
    usage->in_use_size = list.in_use_size;
    usage->largest_free_size = list.largest_free_size;
}

/// `self` is the mete_buddy_t. Fragmentation is what buddies cannot join.
static inline void mete_health_read_buddy(const void *self, mete_health_usage_t *usage)
{
    const mete_buddy_usage_t buddy = mete_buddy_usage((const mete_buddy_t *)self);
    usage->total_size = buddy.total_size;
    usage->in_use_size = buddy.in_use_size;
    usage->largest_free_size = buddy.largest_free_size;
    usage->refusals = buddy.refusals;
}

/// `self` is the mete_pool_t. It does not fragment: one block is as good as another, so that is not said.
static inline void mete_health_read_pool(const void *self, mete_health_usage_t *usage)
{
    const mete_pool_t *const pool = (const mete_pool_t *)self;
    const mete_pool_usage_t blocks = mete_pool_usage(pool);
    usage->total_size = blocks.block_count * pool->block_size;
    usage->in_use_size = blocks.in_use * pool->block_size;
    usage->refusals = blocks.refusals;
}

/// `self` is the mete_slab_t. Usage is in blocks, of all that its slabs have now.
static inline void mete_health_read_slab(const void *self, mete_health_usage_t *usage)
{
    const mete_slab_usage_t slab = mete_slab_usage((const mete_slab_t *)self);
    usage->total_size = slab.block_count;
    usage->in_use_size = slab.in_use;
    usage->refusals = slab.refusals;
}

/// `self` is the mete_stats_t. How many requests there were, and how many were refused.
static inline void mete_health_read_stats(const void *self, mete_health_usage_t *usage)
{
    mete_stats_usage_t stats;  // Not by value: without optimisation that is a call to memcpy().
    mete_stats_read((const mete_stats_t *)self, &stats);
    usage->requests = stats.acquires + stats.refusals;
    usage->refusals = stats.refusals;
}

/// Actions: `self` is the mete_movable_t; moves up to METE_HEALTH_STEP_SIZE bytes at a judgement.
#define METE_HEALTH_STEP_SIZE 512U
static inline bool mete_health_compact_movable(void *self, const mete_health_rule_t *rule)
{
    mete_movable_t *const movable = (mete_movable_t *)self;
    const size_t moved_total = mete_movable_usage(movable).moved_total;
    (void)rule;
    (void)mete_movable_compact(movable, METE_HEALTH_STEP_SIZE);
    return mete_movable_usage(movable).moved_total != moved_total;
}

/// `self` is the mete_slab_t; gives back its empty slabs.
static inline bool mete_health_purge_slab(void *self, const mete_health_rule_t *rule)
{
    (void)rule;
    return mete_slab_purge((mete_slab_t *)self) != 0U;
}

/// `self` is the mete_cache_t; gives up the pins of the lowest priority that there is, and drops what is dead.
static inline bool mete_health_purge_cache(void *self, const mete_health_rule_t *rule)
{
    mete_cache_t *const cache = (mete_cache_t *)self;
    (void)rule;
    const size_t purged_count =
        mete_cache_purge(cache, mete_cache_usage(cache).priority_min, SIZE_MAX);
    return mete_cache_purge_dead(cache, SIZE_MAX) + purged_count != 0U;
}

#endif
