// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap, held to the interface: without search, and with it. test_heap_wide.c includes this file for
// the wide heap.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.h"
#define HEAP(name) mete_heap_##name
#define HEAP_NAME  "heap"
#endif

#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

static mete_heap_config_t config;
static HEAP(t) * heap;

static mete_alloc_t make(mete_span_t arena, uint32_t search)
{
    config = (mete_heap_config_t){.storage = arena, .search = search};
    heap = HEAP(init)(&config);
    return HEAP(as_alloc)(heap);
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
    return HEAP(check)(heap);
}

// The control block and the first and the last header are taken from the arena.
#define SIZE_MAX_OF_BLOCK (SUITE_ARENA_SIZE - sizeof(HEAP(t)) - 32U)

static const suite_subject_t subjects[] = {
    {
        .name = HEAP_NAME ", search 0",
        .make = make_quick,
        .check = check,
        .size_max = SIZE_MAX_OF_BLOCK,
        .align_max = SUITE_ALIGN_MAX,
        .traits = SUITE_ALL & ~(unsigned)SUITE_EXACT_STARTS,
    },
    {
        .name = HEAP_NAME ", search 2",
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
