// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The pool, held to the interface: with blocks of a usual size, and with seven bytes, which are a
// multiple of nothing.

#include "mete/alloc/pool.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum { BLOCK_COUNT = 40, BLOCK_SIZE = 64, ODD_SIZE = 7 };

static mete_pool_config_t config;
static mete_pool_t pool;
static uint16_t links[BLOCK_COUNT];

static mete_alloc_t make(mete_span_t arena, size_t block_size)
{
    config = (mete_pool_config_t){arena.start, links, block_size, BLOCK_COUNT};
    (void)mete_pool_init(&pool, &config);
    return mete_pool_as_alloc(&pool);
}

static mete_alloc_t make_usual(mete_span_t arena)
{
    return make(arena, BLOCK_SIZE);
}

static mete_alloc_t make_odd(mete_span_t arena)
{
    return make(arena, ODD_SIZE);
}

static bool check(void)
{
    return mete_pool_check(&pool);
}

// What it cannot tell: a size smaller than the block's, for it keeps none.
#define TRAITS (SUITE_ALL & ~(unsigned)(SUITE_MIXED | SUITE_SIZE_BELOW))

static const suite_subject_t usual = {
    .name = "pool, blocks of 64",
    .make = make_usual,
    .check = check,
    .size_max = BLOCK_SIZE,
    .align_max = BLOCK_SIZE,
    .traits = TRAITS,
};

static const suite_subject_t odd = {
    .name = "pool, blocks of 7",
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
