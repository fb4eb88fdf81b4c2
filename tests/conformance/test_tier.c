// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two pools and a heap behind a tier, held to the interface: with classes found one after the other and
// by formula.

#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/alloc/tier.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum { BLOCK_COUNT = 7, POOLS_SIZE = (16 + 32) * BLOCK_COUNT };

static mete_heap_config_t heap_config;
static mete_heap_t *heap;
static mete_pool_config_t pool_configs[2];
static uint16_t links[2][BLOCK_COUNT];
static mete_pool_t pools[2];
static const size_t sizes[2] = {16, 32};
static mete_tier_class_t classes[3];
static mete_tier_config_t config;
static mete_tier_t tier;

static mete_alloc_t make(mete_span_t arena, size_t linear_count)
{
    unsigned char *const start = arena.start;
    mete_alloc_t members[2];
    for (size_t i = 0U; i < 2U; i++) {
        pool_configs[i] =
            (mete_pool_config_t){start + (16U * BLOCK_COUNT * i), links[i], sizes[i], BLOCK_COUNT};
        (void)mete_pool_init(&pools[i], &pool_configs[i]);
        members[i] = mete_pool_as_alloc(&pools[i]);
    }
    heap_config = (mete_heap_config_t){
        .storage = {start + POOLS_SIZE, arena.size - POOLS_SIZE},
        .search = 2U,
    };
    heap = mete_heap_init(&heap_config);
    config = (mete_tier_config_t){sizes, NULL, 2U, linear_count, 1U, classes};
    (void)mete_tier_init(&tier, members, mete_heap_as_alloc(heap), &config);
    return mete_tier_as_alloc(&tier);
}

static mete_alloc_t make_by_table(mete_span_t arena)
{
    return make(arena, 0U);
}

static mete_alloc_t make_by_formula(mete_span_t arena)
{
    return make(arena, 2U);
}

static bool check(void)
{
    return mete_tier_check(&tier) && mete_heap_check(heap) && mete_pool_check(&pools[0]) &&
           mete_pool_check(&pools[1]);
}

// A wrong size is a wrong class, where the address is foreign; and what lies in a pool does not grow.
#define TRAITS \
    (SUITE_ALL & \
     ~(unsigned)(SUITE_EXACT_STARTS | SUITE_SIZE_ABOVE | SUITE_SIZE_BELOW | SUITE_RESIZES))
#define SIZE_MAX_OF_BLOCK (SUITE_ARENA_SIZE - POOLS_SIZE - sizeof(mete_heap_t) - 32U)

static const suite_subject_t by_table = {
    .name = "tier over pools and heap",
    .make = make_by_table,
    .check = check,
    .size_max = SIZE_MAX_OF_BLOCK,
    .align_max = SUITE_ALIGN_MAX / 2U,
    .traits = TRAITS,
};

static const suite_subject_t by_formula = {
    .name = "tier with a formula",
    .make = make_by_formula,
    .check = check,
    .size_max = SIZE_MAX_OF_BLOCK,
    .align_max = SUITE_ALIGN_MAX / 2U,
    .traits = TRAITS,
};

int main(void)
{
    suite_test(&by_table);
    suite_test(&by_formula);
    return tap_finish();
}
