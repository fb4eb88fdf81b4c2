// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_INJECT_WORLD_H
#define METE_INJECT_WORLD_H

/// A heap behind a set of watchers, worked at random: a place to make mistakes in.

#include "mete/alloc/heap.h"
#include "mete/system/health_sources.h"
#include "mete/wrap/guard.h"
#include "mete/wrap/lock.h"
#include "mete/wrap/quota.h"
#include "mete/wrap/timing.h"
#include "mete/wrap/track.h"

enum {
    WORLD_LIVE_MAX = 32,
    WORLD_LIVE_MIN = 12,  ///< After working there are at least so many.
    WORLD_SIZE_MAX = 160,
    WORLD_ALIGN = 8,
    WORLD_OWNER_COUNT = 3,
    WORLD_MARGIN =
        256,  ///< Bytes of ours behind the heap: an overrun of the last block ends up there.
    WORLD_QUARANTINE = 1024
};

/// What stands in front of the heap, outermost first.
typedef enum set {
    SET_NONE,
    SET_GUARD,
    SET_TRACK,
    SET_BOTH,  ///< guard, track
    SET_ALL    ///< lock, health, timing, stats, guard, quota, track
} set_t;
enum { SET_COUNT = 5 };

typedef struct live {
    unsigned char *block;
    size_t size;
    uint32_t owner;
} live_t;

typedef struct world {
    set_t set;
    mete_alloc_t view;
    mete_heap_t *heap;
    uint32_t random;
    live_t live[WORLD_LIVE_MAX];
    size_t live_count;
    const void *usual_site;  ///< What the tracker calls the place that world_take() acquires from.
    size_t unexpected;       ///< Faults that nobody asked for.
} world_t;

extern mete_guard_t world_guard;
extern mete_track_t world_track;

/// What the trackers take for time and for the task that runs.
extern uint32_t world_now;
extern uint32_t world_owner;

static inline bool has_guard(const world_t *world)
{
    return (world->set == SET_GUARD) || (world->set == SET_BOTH) || (world->set == SET_ALL);
}

static inline bool has_track(const world_t *world)
{
    return (world->set == SET_TRACK) || (world->set == SET_BOTH) || (world->set == SET_ALL);
}

/// Bytes of what watchers put between the tracker's block and the program's.
static inline size_t world_front(const world_t *world)
{
    return (has_guard(world) ? METE_GUARD_PREFIX_SIZE(WORLD_ALIGN) : 0U) +
           ((world->set == SET_ALL) ? METE_QUOTA_PREFIX_SIZE(WORLD_ALIGN) : 0U);
}

/// Builds a world and works in it; what a seed leads to is always the same.
void world_build(world_t *world, set_t set, uint32_t seed);

/// Acquires a block of a random size for the owner `of` and fills it. NULL: there is no room.
live_t *world_take(world_t *world, uint32_t of);

/// Releases the live block of this index.
void world_give(world_t *world, size_t index);

/// Index of a live block by chance, of at least so many bytes; there is one.
size_t world_pick(world_t *world, size_t size_min);

/// Counts a fault that is there and that nobody asked for.
void world_listen(world_t *world);

#endif
