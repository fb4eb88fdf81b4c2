// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEALTH_SOURCES_H
#define METE_HEALTH_SOURCES_H

/// What mete/system/health.h can look at: sources for the allocators and wrappers of Mete. Each is linked only
/// if it is named. What can be done is in mete/system/health_actions.h.
///
///     static const mete_health_source_t sources[] = {{mete_health_read_heap, heap},
///                                                    {mete_health_read_stats, &stats}};
///
/// The allocators say how much there is, how much is in use, and how it is fragmented. Only the statistics
/// know how many requests there were, which rules about failures need: name them last.
///
///   Time     heap, heap_wide, movable: O(1), two roots and divisions. buddy, pool, slab, stats: O(1).
///            list: O(free blocks). evacuation: O(banks) questions to its store, for movable of O(blocks) each.
///   Threads  None of these may change meanwhile, but for the statistics.

#include "mete/alloc/buddy.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/heap_wide.h"
#include "mete/alloc/list.h"
#include "mete/alloc/movable.h"
#include "mete/alloc/pool.h"
#include "mete/alloc/slab.h"
#include "mete/power/evacuation.h"
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

/// `self` is the mete_evacuation_t: its store, in the banks that are awake and are not being emptied. Fragmentation says
/// the store itself: name that first.
static inline void mete_health_read_evacuation(const void *self, mete_health_usage_t *usage)
{
    const mete_evacuation_t *const evacuation = (const mete_evacuation_t *)self;
    const mete_bank_t *const bank = evacuation->config->bank;
    const mete_mover_t *const mover = &evacuation->config->mover;
    const uint32_t open_set = mete_bank_awake_set(bank) & ~mete_evacuation_target_set(evacuation);
    usage->total_size = 0U;
    usage->in_use_size = 0U;
    for (size_t i = 0U; i < mete_bank_count(bank); i++) {
        if (((open_set >> i) & 1U) != 0U) {
            const mete_span_t span = mete_bank_span(bank, i);
            usage->total_size += span.size;
            usage->in_use_size += mover->ops->live_size(mover->self, span);
        }
    }
}

#endif
