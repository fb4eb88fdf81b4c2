// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_MEMORY_H
#define TOUR_MEMORY_H

/// All memory of the tour, and who watches it. There are two ways to put it together, of which a
/// program links one. memory.c has what a small device can spare:
///
///     alloc -> stats -> track -> heap, in CCM
///                        |
///                      events
///     packets -> pool, in SRAM
///     stack, of main()
///
/// watched.c has a mete_system_t with all watchers:
///
///     alloc -> critical -> health -> timing -> stats -> guard -> quota -> track -> heap
///     packets -> critical -> stats -> guard -> track -> pool
///
/// and events, audit, black box and integrity beside them: watchers.h.

#include "examples/stm32f407/events.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/protect/stack.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/track.h"

typedef struct memory {
    mete_alloc_t alloc;    ///< The heap, watched: what everybody acquires from.
    mete_alloc_t packets;  ///< The pool.
    const mete_stats_t *stats;
    mete_track_t *track;
    const mete_heap_t *heap;
    const mete_pool_t *pool;
    mete_stack_t stack;
    events_t *events;
    size_t front_size;  ///< Bytes between the block that the tracker knows and the program's,
    size_t added_size;  ///< and how much larger it is: what wrappers in front of the tracker add.
    struct watchers *watchers;  ///< NULL if there are no others.
} memory_t;

/// What the pool is made of.
typedef struct packet {
    uint32_t words[16];
} packet_t;

/// Makes all of it ready, and says so. False if a configuration is wrong.
bool memory_init(memory_t *memory);

/// What was released goes back now, if somebody holds it back: for a look at what is left.
void memory_settle(memory_t *memory);

/// Logs what the memory looks like now.
void memory_report(memory_t *memory);

/// True if all bookkeeping is sound.
bool memory_check(const memory_t *memory);

#endif
