// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The buddy, held to the interface: over a number of smallest blocks that is a power of two, and over one
// that is not.

#include "mete/alloc/buddy.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum {
    BLOCK_SIZE = 16,
    BLOCK_COUNT = (int)SUITE_ARENA_SIZE / BLOCK_SIZE,
    ODD_COUNT = BLOCK_COUNT - 37
};

static uint8_t table[METE_BUDDY_TABLE_SIZE(BLOCK_COUNT)];
static mete_buddy_config_t config;
static mete_buddy_t buddy;

static mete_alloc_t make(mete_span_t arena, size_t block_count)
{
    config = (mete_buddy_config_t){arena.start, table, BLOCK_SIZE, block_count};
    (void)mete_buddy_init(&buddy, &config);
    return mete_buddy_as_alloc(&buddy);
}

static mete_alloc_t make_whole(mete_span_t arena)
{
    return make(arena, BLOCK_COUNT);
}

static mete_alloc_t make_odd(mete_span_t arena)
{
    return make(arena, ODD_COUNT);
}

static bool check(void)
{
    return mete_buddy_check(&buddy);
}

static const suite_subject_t whole = {
    .name = "buddy, power of two",
    .make = make_whole,
    .check = check,
    .size_max = SUITE_ARENA_SIZE,
    .align_max = SUITE_ARENA_ALIGN,
    .traits = SUITE_ALL & ~(unsigned)SUITE_SEAMLESS,
};

static const suite_subject_t odd = {
    .name = "buddy, odd count",
    .make = make_odd,
    .check = check,
    .size_max = SUITE_ARENA_SIZE / 2U,
    .align_max = SUITE_ARENA_ALIGN,
    .traits = SUITE_ALL & ~(unsigned)SUITE_SEAMLESS,
};

int main(void)
{
    suite_test(&whole);
    suite_test(&odd);
    return tap_finish();
}
