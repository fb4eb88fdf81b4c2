// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The object pool over a heap, held to the interface: with objects of a usual size, and of seven bytes, which
// are a multiple of nothing; with some kept, and with none.

#include "mete/alloc/heap.h"
#include "mete/object/object.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum { OBJECT_MAX = 40, OBJECT_SIZE = 64, ODD_SIZE = 7 };

static mete_heap_config_t heap_config;
static mete_heap_t *heap;
static mete_object_slot_t table[OBJECT_MAX];
static mete_object_config_t config;
static mete_object_t pool;

static mete_alloc_t make(mete_span_t arena, size_t object_size, size_t align, size_t kept_max)
{
    heap_config = (mete_heap_config_t){.storage = arena, .search = 2U};
    heap = mete_heap_init(&heap_config);
    config = (mete_object_config_t){.object_size = object_size,
                                    .align = align,
                                    .object_max = OBJECT_MAX,
                                    .table = table,
                                    .kept_max = kept_max};
    (void)mete_object_init(&pool, mete_heap_as_alloc(heap), &config);
    return mete_object_as_alloc(&pool);
}

static mete_alloc_t make_usual(mete_span_t arena)
{
    return make(arena, OBJECT_SIZE, OBJECT_SIZE, OBJECT_MAX);
}

static mete_alloc_t make_odd(mete_span_t arena)
{
    return make(arena, ODD_SIZE, 2U, OBJECT_MAX);
}

static mete_alloc_t make_forgetful(mete_span_t arena)
{
    return make(arena, OBJECT_SIZE, 8U, 0U);
}

static bool check(void)
{
    return mete_object_check(&pool) && mete_heap_check(heap);
}

// What it cannot tell: a size smaller than the object's, for it keeps none.
#define TRAITS (SUITE_ALL & ~(unsigned)(SUITE_MIXED | SUITE_SIZE_BELOW))

static const suite_subject_t usual = {
    .name = "object over heap, objects of 64",
    .make = make_usual,
    .check = check,
    .size_max = OBJECT_SIZE,
    .align_max = OBJECT_SIZE,
    .traits = TRAITS,
};

static const suite_subject_t odd = {
    .name = "object over heap, objects of 7",
    .make = make_odd,
    .check = check,
    .size_max = ODD_SIZE,
    .align_max = 2U,
    .traits = TRAITS,
};

// What is put back is none of its own any more: put twice it is FOREIGN.
static const suite_subject_t forgetful = {
    .name = "object over heap, none kept",
    .make = make_forgetful,
    .check = check,
    .size_max = OBJECT_SIZE,
    .align_max = 8U,
    .traits = TRAITS & ~(unsigned)(SUITE_DOUBLE_FREE | SUITE_OWNS),
};

int main(void)
{
    suite_test(&usual);
    suite_test(&odd);
    suite_test(&forgetful);
    return tap_finish();
}
