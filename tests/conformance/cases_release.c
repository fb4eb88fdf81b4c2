// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cases about giving back: that memory returns in whatever order, and that nothing else moves.

#include "tests/conformance/cases.h"

static void releasing_null_does_nothing(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_release(s, NULL, s->size, s->align);
    suite_release(s, NULL, 0U, 1U);
    CHECK(tap_take_fault() == 0);
    CHECK((s->count == count) && suite_all_intact(s));
}

static void releasing_leaves_other_blocks_alone(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    (void)suite_fill(s, 1U);
    while (s->count != 0U) {
        suite_give(s, random_below(&s->random, (uint32_t)s->count));
        CHECK(suite_all_intact(s));
    }
}

static void a_released_block_can_be_had_again(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < count; i++) {
        suite_give(s, 0U);
        CHECK(suite_take(s, s->size_fill, s->align) != NULL);
        CHECK(suite_take(s, s->size_fill, s->align) == NULL);
    }
    CHECK(suite_all_intact(s));
}

static void releasing_last_first_restores_everything(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_drain_last_first(s);
    CHECK(suite_fill(s, s->size_fill) == count);
}

static void releasing_first_first_restores_everything(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_drain_first_first(s);
    CHECK(suite_fill(s, s->size_fill) == count);
}

static void releasing_in_random_order_restores_everything(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < 5U; i++) {
        suite_drain_random(s);
        CHECK(suite_fill(s, s->size_fill) == count);
    }
}

static void any_size_can_be_released(suite_t *s)
{
    for (size_t size = 1U; size <= s->subject->size_max; size += 1U + (size >> 6)) {
        suite_fresh(s, 0xA5U);
        (void)suite_take(s, size, 1U);
        suite_drain_last_first(s);
        CHECK(tap_take_fault() == 0);
    }
}

static void any_alignment_can_be_released(suite_t *s)
{
    for (size_t align = 1U; align <= s->subject->align_max; align *= 2U) {
        suite_fresh(s, 0xA5U);
        const size_t count = suite_fill(s, s->size_fill);
        suite_drain_last_first(s);
        (void)suite_take(s, 1U, 1U);
        CHECK(suite_take(s, s->size, align) != NULL);
        suite_drain_last_first(s);
        CHECK(suite_fill(s, s->size_fill) == count);
        CHECK(tap_take_fault() == 0);
    }
}

static void one_block_again_and_again_wears_nothing_out(suite_t *s)
{
    for (size_t i = 0U; i < 2000U; i++) {
        CHECK(suite_take(s, s->size, s->align) != NULL);
        suite_give(s, 0U);
    }
}

static void every_second_block_leaves_holes_of_its_size(suite_t *s)
{
    const size_t pair_count = suite_fill(s, s->size_fill) / 2U;
    for (size_t i = 0U; i < pair_count; i++) {
        suite_give(s, i);
    }
    for (size_t i = 0U; i < pair_count; i++) {
        CHECK(suite_take(s, s->size_fill, s->align) != NULL);
    }
    CHECK(suite_all_intact(s));
}

static void free_neighbours_join(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < s->count; i++) {
        suite_give(s, i);
    }
    suite_drain_first_first(s);
    CHECK(suite_take(s, s->subject->size_max, 1U) != NULL);
}

static void a_block_joins_the_free_blocks_on_both_sides(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    suite_give(s, 4U);
    suite_give(s, 2U);
    CHECK(suite_take(s, 3U * s->size_fill, s->align) == NULL);
    suite_give(s, 2U);  // The block between the two.
    CHECK(suite_take(s, 3U * s->size_fill, s->align) != NULL);
    CHECK(suite_all_intact(s));
}

static void random_work_keeps_contents(suite_t *s)
{
    for (size_t i = 0U; i < 600U; i++) {
        suite_step(s);
        CHECK(suite_all_intact(s));
    }
    CHECK(!suite_any_overlap(s));
}

static void random_work_never_faults(suite_t *s)
{
    for (size_t i = 0U; i < 600U; i++) {
        suite_step(s);
        CHECK(tap_take_fault() == 0);
    }
}

static void random_work_loses_nothing(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_drain_random(s);
    for (size_t i = 0U; i < 600U; i++) {
        suite_step(s);
    }
    suite_drain_random(s);
    CHECK(suite_fill(s, s->size_fill) == count);
}

static const suite_case_t cases[] = {
    {"releasing NULL does nothing", releasing_null_does_nothing, 0U},
    {"releasing leaves other blocks alone", releasing_leaves_other_blocks_alone, 0U},
    {"a released block can be had again", a_released_block_can_be_had_again, SUITE_REUSES},
    {"releasing last first restores everything", releasing_last_first_restores_everything,
     SUITE_REUSES_LAST},
    {"releasing first first restores everything", releasing_first_first_restores_everything,
     SUITE_REUSES},
    {"releasing in random order restores everything", releasing_in_random_order_restores_everything,
     SUITE_REUSES},
    {"any size can be released", any_size_can_be_released, 0U},
    {"any alignment can be released", any_alignment_can_be_released, SUITE_REUSES},
    {"one block again and again wears nothing out", one_block_again_and_again_wears_nothing_out,
     SUITE_REUSES_LAST},
    {"every second block leaves holes of its size", every_second_block_leaves_holes_of_its_size,
     SUITE_REUSES},
    {"free neighbours join", free_neighbours_join, SUITE_REUSES | SUITE_MIXED | SUITE_COALESCES},
    {"a block joins the free blocks on both sides", a_block_joins_the_free_blocks_on_both_sides,
     SUITE_REUSES | SUITE_MIXED | SUITE_COALESCES | SUITE_SEAMLESS},
    {"random work keeps contents", random_work_keeps_contents, 0U},
    {"random work never faults", random_work_never_faults, 0U},
    {"random work loses nothing", random_work_loses_nothing, SUITE_REUSES},
};

const suite_group_t suite_group_release = SUITE_GROUP(cases);
