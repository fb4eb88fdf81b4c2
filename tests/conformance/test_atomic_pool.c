// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic pool, held to the interface: as everybody sees it, and as interrupts do, who may have the
// reserved blocks too.

#include "mete/alloc/atomic_pool.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum { BLOCK_COUNT = 40, BLOCK_SIZE = 64, ODD_SIZE = 7 };

static mete_atomic_pool_config_t config;
static mete_atomic_pool_t pool;
static size_t links[BLOCK_COUNT];

static void make(mete_span_t arena, size_t block_size, size_t reserved_count)
{
    config =
        (mete_atomic_pool_config_t){arena.start, links, block_size, BLOCK_COUNT, reserved_count};
    (void)mete_atomic_pool_init(&pool, &config);
}

static mete_alloc_t make_usual(mete_span_t arena)
{
    make(arena, BLOCK_SIZE, 0U);
    return mete_atomic_pool_as_alloc(&pool);
}

static mete_alloc_t make_odd(mete_span_t arena)
{
    make(arena, ODD_SIZE, 3U);
    return mete_atomic_pool_as_alloc(&pool);
}

static mete_alloc_t make_reserved(mete_span_t arena)
{
    make(arena, BLOCK_SIZE, 7U);
    return mete_atomic_pool_as_alloc_reserved(&pool);
}

static bool check(void)
{
    return mete_atomic_pool_check(&pool);
}

// What it cannot tell: a size smaller than the block's, for it keeps none.
#define TRAITS (SUITE_ALL & ~(unsigned)(SUITE_MIXED | SUITE_SIZE_BELOW))

static const suite_subject_t subjects[] = {
    {"atomic pool, blocks of 64", make_usual, check, BLOCK_SIZE, BLOCK_SIZE, TRAITS, NULL},
    {"atomic pool, blocks of 7", make_odd, check, ODD_SIZE, 1U, TRAITS, NULL},
    {"atomic pool, for interrupts", make_reserved, check, BLOCK_SIZE, BLOCK_SIZE, TRAITS, NULL},
};

int main(void)
{
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        suite_test(&subjects[i]);
    }
    return tap_finish();
}
