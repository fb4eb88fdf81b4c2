// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The slab cache over a heap, held to the interface: with blocks of a usual size, and with seven bytes,
// which are a multiple of nothing.

#include "mete/alloc/heap.h"
#include "mete/alloc/slab.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum { PER_SLAB = 6, SLAB_MAX = 7, BLOCK_SIZE = 64, ODD_SIZE = 7 };

static mete_heap_config_t heap_config;
static mete_heap_t *heap;
static mete_slab_entry_t table[SLAB_MAX];
static mete_slab_config_t config;
static mete_slab_t cache;

static mete_alloc_t make(mete_span_t arena, size_t block_size, size_t align)
{
    heap_config = (mete_heap_config_t){.storage = arena, .search = 2U};
    heap = mete_heap_init(&heap_config);
    config = (mete_slab_config_t){block_size, align, PER_SLAB, SLAB_MAX, table, NULL, NULL, NULL};
    (void)mete_slab_init(&cache, mete_heap_as_alloc(heap), &config);
    return mete_slab_as_alloc(&cache);
}

static mete_alloc_t make_usual(mete_span_t arena)
{
    return make(arena, BLOCK_SIZE, BLOCK_SIZE);
}

static mete_alloc_t make_odd(mete_span_t arena)
{
    return make(arena, ODD_SIZE, 1U);
}

static bool check(void)
{
    return mete_slab_check(&cache) && mete_heap_check(heap);
}

// What it cannot tell: a size smaller than the block's, for it keeps none.
#define TRAITS (SUITE_ALL & ~(unsigned)(SUITE_MIXED | SUITE_SIZE_BELOW))

static const suite_subject_t usual = {
    .name = "slab over heap, blocks of 64",
    .make = make_usual,
    .check = check,
    .size_max = BLOCK_SIZE,
    .align_max = BLOCK_SIZE,
    .traits = TRAITS,
};

static const suite_subject_t odd = {
    .name = "slab over heap, blocks of 7",
    .make = make_odd,
    .check = check,
    .size_max = ODD_SIZE,
    .align_max = 1U,
    .traits = TRAITS,
};

int main(void)
{
    suite_test(&usual);
    suite_test(&odd);
    return tap_finish();
}
