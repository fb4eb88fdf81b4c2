// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_MEMORY_H
#define TOUR_MEMORY_H

/// All memory of the tour, and who watches it.
///
///     alloc -> stats -> track -> heap, in CCM
///                        |
///                      events
///     pool, in SRAM
///     stack, of main()

#include "examples/stm32f407/events.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/protect/stack.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/track.h"

typedef struct memory {
    mete_alloc_t alloc;  ///< The heap, watched: what everybody acquires from.
    mete_stats_t stats;
    mete_track_t track;
    mete_heap_t *heap;
    mete_pool_t *pool;
    mete_stack_t stack;
    events_t *events;
} memory_t;

/// What the pool is made of.
typedef struct packet {
    uint32_t words[16];
} packet_t;

/// Makes all of it ready, and says so. False if a configuration is wrong.
bool memory_init(memory_t *memory);

/// Logs what the memory looks like now.
void memory_report(memory_t *memory);

/// True if all bookkeeping is sound.
bool memory_check(const memory_t *memory);

#endif
