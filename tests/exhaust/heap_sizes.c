// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Sizes, granules and bins of the heap, from inside. heap_wide_sizes.c includes this file for the wide
// heap.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.c"
#define SUBJECT sizes_heap
#define NAME    "heap"
#endif

#include "tests/exhaust/sizes.h"
#include "tests/support/heap_rules.h"

static const heap_rules_t rules = {WORD, MIN, SIZE_LIMIT, BIN_COUNT};

static bool is_right(size_t bytes)
{
    const size_t granules = heap_granules_for(&rules, bytes);
    if (granules == SIZE_MAX) {
        return !is_size(bytes);
    }
    return is_size(bytes) && (granules_for(bytes) == granules) &&
           (bin_of((uint32_t)granules) == heap_bin_of(&rules, granules));
}

// Goes on to the bin that blocks of so many granules belong to.
static void step_to(heap_bin_t *bin, uint64_t granules)
{
    while ((bin->end <= granules) && (bin->bin + 1U < rules.bin_count)) {
        heap_next_bin(bin);
    }
}

static bool are_all_right(void)
{
    heap_bin_t bin = heap_first_bin();
    uint64_t granules = MIN;
    bool is_good = !is_size(0U);
    for (uint64_t bytes = 1U; bytes <= UINT32_MAX; bytes++) {
        granules += ((granules * GRANULE) - WORD < bytes) ? 1U : 0U;
        step_to(&bin, granules);
        const bool can_be = bytes <= SIZE_LIMIT;
        is_good = is_good && (is_size((size_t)bytes) == can_be) &&
                  (!can_be || ((granules_for((size_t)bytes) == granules) &&
                               (bin_of((uint32_t)granules) == bin.bin)));
    }
    for (; granules <= GRANULE_MAX; granules++) {  // As large as joined free blocks can become.
        step_to(&bin, granules);
        is_good = is_good && (bin_of((uint32_t)granules) == bin.bin);
    }
    return is_good;
}

static size_t edge(size_t number)
{
    heap_bin_t bin = heap_first_bin();
    for (size_t i = 0U; i < number; i++) {
        heap_next_bin(&bin);
    }
    return ((number + 2U < rules.bin_count) && (bin.end <= SIZE_LIMIT / GRANULE))
               ? ((bin.end - 1U) * GRANULE) - WORD
               : 0U;
}

const sizes_subject_t SUBJECT = {
    .name = NAME,
    .is_right = is_right,
    .are_all_right = are_all_right,
    .edge = edge,
};
