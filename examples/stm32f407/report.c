// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the memory looks like, however it was put together.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/memory.h"
#include "mete/core/platform.h"

static void report_heap(const memory_t *memory)
{
    const mete_stats_usage_t stats = mete_stats_usage(memory->stats);
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
    memory_settle(memory);
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
