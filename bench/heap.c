// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap, with search 0 and 2.

#include "mete/alloc/heap.h"
#include "bench/churn.h"

PROBE(mete_heap_alloc);
void *probe_mete_heap_alloc(mete_heap_t *heap, size_t size);
PROBE(mete_heap_free);
void probe_mete_heap_free(mete_heap_t *heap, void *block);

static mete_heap_config_t config;
static mete_heap_t *heap;

static void start(mete_span_t span, uint32_t search)
{
    config = (mete_heap_config_t){.storage = span, .search = search};
    heap = mete_heap_init(&config);
}

static void *alloc(uint32_t size)
{
    return probe_mete_heap_alloc(heap, size);
}

static void give(void *block, uint32_t size)
{
    (void)size;
    probe_mete_heap_free(heap, block);
}

static void describe(void)
{
    const mete_heap_usage_t usage = mete_heap_usage(heap);
    say_both(", ", (uint32_t)usage.in_use_size);
    say_both(" bytes in use, ", (uint32_t)(usage.total_size - usage.in_use_size));
    say_both(" free in ", usage.free_count);
    say(" blocks");
}

int main(void)
{
    static const churn_subject_t subjects[] = {{"k0 ", start, alloc, give, describe, 0U},
                                               {"k2 ", start, alloc, give, describe, 2U}};
    churn_run(subjects, 2U);
    return 0;
}
