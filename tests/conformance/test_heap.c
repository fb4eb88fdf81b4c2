// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap, held to the interface: without search, and with it.

#include "mete/alloc/heap.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

static mete_heap_config_t config;
static mete_heap_t *heap;

static mete_alloc_t make(mete_span_t arena, uint32_t search)
{
    config = (mete_heap_config_t){.storage = arena, .search = search};
    heap = mete_heap_init(&config);
    return mete_heap_as_alloc(heap);
}

static mete_alloc_t make_quick(mete_span_t arena)
{
    return make(arena, 0U);
}

static mete_alloc_t make_searching(mete_span_t arena)
{
    return make(arena, 2U);
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
};

int main(void)
{
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        suite_test(&subjects[i]);
    }
    return tap_finish();
}
