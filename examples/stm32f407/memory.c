// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap is counted and tracked, the stack painted. A bug that Mete finds ends the program.

#include "examples/stm32f407/memory.h"

#include "examples/stm32f407/log.h"
#include "mete/core/platform.h"
#include "port/cpu/start.h"

// Written out, where METE_HEAP_DEFINE would do, because this memory is in a section of its own.
static uint64_t heap_storage[32768 / sizeof(uint64_t)] __attribute__((section(".ccm")));
static const mete_heap_config_t heap_config = {
    .storage = {heap_storage, sizeof heap_storage},
    .search = 2U,
};

METE_POOL_DEFINE(pool, packet_t, 16);

static events_t events;
static mete_site_t site;  // Who called: stats, which is outermost, writes it, and track reads it.
static const mete_track_config_t track_config = {
    .site = &site,
    .clock = mete_clock_ms,
    .observer = {events_note, &events},
};
static mete_track_t track;
static const mete_stats_config_t stats_config = {.told = &site};
static mete_stats_t stats;

void tour_fault(int fault, const void *object, const void *address, const void *caller)
{
    mete_fault_report((mete_fault_t)fault, object, address, caller);
}

static bool watch_heap(memory_t *memory, mete_heap_t *heap)
{
    if (!mete_track_init(&track, mete_heap_as_alloc(heap), &track_config) ||
        !mete_stats_init(&stats, mete_track_as_alloc(&track), &stats_config)) {
        return false;
    }
    memory->alloc = mete_stats_as_alloc(&stats);
    memory->heap = heap;
    memory->track = &track;
    memory->stats = &stats;
    memory->events = &events;
    return true;
}

bool memory_init(memory_t *memory)
{
    if (!mete_stack_init(&memory->stack, mete_port_stack()) || !mete_stack_paint(&memory->stack)) {
        return false;
    }
    mete_heap_t *const heap = mete_heap_init(&heap_config);
    if ((heap == NULL) || !watch_heap(memory, heap)) {
        return false;
    }
    LOG("Heap initialized: # bytes\n", heap_config.storage.size);
    if (!mete_pool_init(&pool, &pool_config)) {
        return false;
    }
    memory->packets = mete_pool_as_alloc(&pool);
    memory->pool = &pool;
    LOG("Memory pool initialized: # blocks\n", mete_pool_usage(&pool).block_count);
    log_text("Leak detector initialized\n");
    return true;
}

void memory_settle(memory_t *memory)
{
    (void)memory;  // Nobody holds anything back.
}

bool memory_check(const memory_t *memory)
{
    return mete_heap_check(memory->heap) && mete_track_check(memory->track) &&
           mete_pool_check(memory->pool) && mete_stack_check(&memory->stack);
}
