// SPDX-License-Identifier: MIT OR Apache-2.0

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
static const mete_stats_config_t stats_config = {.told = &site};

static bool watch_heap(memory_t *memory)
{
    if (!mete_track_init(&memory->track, mete_heap_as_alloc(memory->heap), &track_config) ||
        !mete_stats_init(&memory->stats, mete_track_as_alloc(&memory->track), &stats_config)) {
        return false;
    }
    memory->events = &events;
    memory->alloc = mete_stats_as_alloc(&memory->stats);
    return true;
}

bool memory_init(memory_t *memory)
{
    if (!mete_stack_init(&memory->stack, mete_port_stack()) || !mete_stack_paint(&memory->stack)) {
        return false;
    }
    memory->heap = mete_heap_init(&heap_config);
    if ((memory->heap == NULL) || !watch_heap(memory)) {
        return false;
    }
    LOG("Heap initialized: # bytes\n", heap_config.storage.size);
    memory->pool = &pool;
    if (!mete_pool_init(&pool, &pool_config)) {
        return false;
    }
    LOG("Memory pool initialized: # blocks\n", mete_pool_usage(&pool).block_count);
    log_text("Leak detector initialized\n");
    return true;
}

static void report_heap(const memory_t *memory)
{
    const mete_stats_usage_t stats = mete_stats_usage(&memory->stats);
    const mete_heap_usage_t heap = mete_heap_usage(memory->heap);
    LOG("Heap allocations: # total, # current\n", stats.acquires, stats.live_count);
    LOG("Heap bytes: # total, # current, # peak\n", (size_t)stats.acquired_size, stats.in_use_size,
        stats.in_use_peak);
    LOG("Heap refusals: #, # permille of requests\n", stats.refusals,
        mete_stats_refusal_permille(&stats));
    LOG("Heap storage: #/# bytes, # peak, # free blocks, # to # permille fragmented\n",
        heap.in_use_size, heap.total_size, heap.in_use_peak, heap.free_count,
        heap.frag.low_permille, heap.frag.high_permille);
}

static void report_pool(const memory_t *memory)
{
    const mete_pool_usage_t usage = mete_pool_usage(memory->pool);
    LOG("Pool blocks: #/#, # peak, # allocated, # freed, # refused\n", usage.in_use,
        usage.block_count, usage.in_use_peak, usage.alloc_total, usage.free_total, usage.refusals);
}

void memory_report(memory_t *memory)
{
    const size_t stack_peak = mete_stack_in_use_peak(&memory->stack);
    const size_t stack_size = memory->stack.span.size;
    log_text("=== Memory Statistics ===\n");
    LOG("Uptime: # ms\n", mete_clock_ms());
    report_heap(memory);
    events_flush(memory->events);
    report_pool(memory);
    LOG("Main stack usage: #% (#/# bytes)\n", 100U * stack_peak / stack_size, stack_peak,
        stack_size);
}

bool memory_check(const memory_t *memory)
{
    return mete_heap_check(memory->heap) && mete_track_check(&memory->track) &&
           mete_pool_check(memory->pool) && mete_stack_check(&memory->stack);
}
