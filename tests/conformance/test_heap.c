// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap, held to the interface: without search, with it, and with a start map.

#include "mete/alloc/heap.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

static mete_heap_config_t config;
static mete_heap_t *heap;
static uint32_t starts[METE_HEAP_STARTS_COUNT(SUITE_ARENA_SIZE)];

static mete_alloc_t make(mete_span_t arena, uint32_t search, bool has_starts)
{
    config = (mete_heap_config_t){.storage = arena, .search = search};
    config.starts = has_starts ? starts : NULL;
    config.starts_count = has_starts ? METE_HEAP_STARTS_COUNT(SUITE_ARENA_SIZE) : 0U;
    heap = mete_heap_init(&config);
    return mete_heap_as_alloc(heap);
}

static mete_alloc_t make_quick(mete_span_t arena)
{
    return make(arena, 0U, false);
}

static mete_alloc_t make_searching(mete_span_t arena)
{
    return make(arena, 2U, false);
}

static mete_alloc_t make_with_starts(mete_span_t arena)
{
    return make(arena, 2U, true);
}

static bool check(void)
{
    return mete_heap_check(heap);
}

// The control block and the first and the last header are taken from the arena.
#define SIZE_MAX_OF_BLOCK (SUITE_ARENA_SIZE - sizeof(mete_heap_t) - 32U)

static const suite_subject_t subjects[] = {
    {
        .name = "heap, search 0",
        .make = make_quick,
        .check = check,
        .size_max = SIZE_MAX_OF_BLOCK,
        .align_max = SUITE_ALIGN_MAX,
        .traits = SUITE_ALL & ~(unsigned)SUITE_EXACT_STARTS,
    },
    {
        .name = "heap, search 2",
        .make = make_searching,
        .check = check,
        .size_max = SIZE_MAX_OF_BLOCK,
        .align_max = SUITE_ALIGN_MAX,
        .traits = SUITE_ALL & ~(unsigned)SUITE_EXACT_STARTS,
    },
    {
        .name = "heap, start map",
        .make = make_with_starts,
        .check = check,
        .size_max = SIZE_MAX_OF_BLOCK,
        .align_max = SUITE_ALIGN_MAX,
        .traits = SUITE_ALL,
    },
};

int main(void)
{
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        suite_test(&subjects[i]);
    }
    return tap_finish();
}
