// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cases about requests that cannot be met: they give NULL, are no fault, and change nothing.

#include "tests/conformance/cases.h"

static void size_zero_gives_null(suite_t *s)
{
    CHECK(suite_acquire(s, 0U, s->align) == NULL);
    CHECK(suite_acquire(s, 0U, 1U) == NULL);
    CHECK(tap_take_fault() == 0);
}

static void a_bad_alignment_is_a_fault(suite_t *s)
{
    static const size_t bad[] = {0U, 3U, 6U, 12U, 24U, SIZE_MAX};
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(suite_acquire(s, s->size, bad[i]) == NULL);
        CHECK(tap_take_fault() == METE_FAULT_ALIGN);
    }
}

static void releasing_with_a_bad_alignment_has_no_effect(suite_t *s)
{
    (void)suite_take(s, s->size, s->align);
    suite_release(s, s->slots[0].block, s->size, 3U);
    CHECK(tap_take_fault() == METE_FAULT_ALIGN);
    (void)suite_fill(s, s->size);
    CHECK(!suite_any_overlap(s) && suite_all_intact(s));
}

static void an_array_that_overflows_is_refused(suite_t *s)
{
    const size_t half = (SIZE_MAX / 2U) + 1U;
    CHECK(s->calls->acquire_array(s->alloc, half, 2U, 1U) == NULL);
    CHECK(s->calls->acquire_array(s->alloc, 2U, half + 1U, 1U) == NULL);
    CHECK(s->calls->acquire_array(s->alloc, SIZE_MAX, SIZE_MAX, 1U) == NULL);
    CHECK(s->calls->acquire_array(s->alloc, SIZE_MAX, 0U, 1U) == NULL);
    CHECK(tap_take_fault() == 0);
}

static void sizes_near_the_top_are_refused(suite_t *s)
{
    // Adding a header, rounding up or aligning must not wrap around to something small.
    const size_t aligns[] = {1U, s->align, s->subject->align_max, (SIZE_MAX / 2U) + 1U};
    (void)suite_take(s, 1U, 1U);
    for (size_t i = 0U; i < sizeof aligns / sizeof aligns[0]; i++) {
        for (size_t below = 0U; below < 5000U; below += 1U + (below >> 4)) {
            CHECK(suite_acquire(s, SIZE_MAX - below, aligns[i]) == NULL);
            CHECK(suite_acquire(s, (SIZE_MAX / 2U) + 100U - below, aligns[i]) == NULL);
        }
    }
    CHECK(tap_take_fault() == 0);
}

static void sizes_above_the_memory_are_refused(suite_t *s)
{
    // A size cut off to 16 or 32 bits, of bytes or of granules, would look small.
    CHECK(suite_acquire(s, s->arena.size + 1U, 1U) == NULL);
    for (size_t size = 2U * s->arena.size; size != 0U; size *= 2U) {
        CHECK(suite_acquire(s, size, 1U) == NULL);
        CHECK(suite_acquire(s, size + s->size, s->align) == NULL);
    }
    CHECK(tap_take_fault() == 0);
}

static void a_refused_request_costs_nothing(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_fresh(s, 0xA5U);
    for (size_t i = 0U; i < 100U; i++) {
        CHECK(suite_acquire(s, s->arena.size + 1U + i, s->align) == NULL);
    }
    CHECK(suite_fill(s, s->size_fill) == count);
}

static void exhaustion_is_null_and_no_fault(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    (void)suite_fill(s, s->size);
    CHECK(tap_take_fault() == 0);
}

static void exhaustion_leaves_blocks_alone(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    for (size_t size = 1U; size <= s->arena.size; size *= 2U) {
        (void)suite_take(s, size, s->align);
        (void)suite_take(s, size, s->subject->align_max);
    }
    CHECK(suite_all_intact(s));
}

static void exhaustion_is_not_for_ever(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    suite_give(s, s->count - 1U);
    CHECK(suite_take(s, s->size_fill, s->align) != NULL);
    CHECK(suite_all_intact(s));
}

static void repeated_exhaustion_loses_nothing(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < 5U; i++) {
        suite_drain_last_first(s);
        CHECK(suite_fill(s, s->size_fill) == count);
    }
}

static void work_goes_on_between_refusals(suite_t *s)
{
    for (size_t i = 0U; i < 300U; i++) {
        if (i % 3U == 0U) {
            CHECK(suite_acquire(s, s->arena.size + 1U, s->align) == NULL);
        }
        suite_step(s);
        CHECK(suite_all_intact(s));
    }
    CHECK(!suite_any_overlap(s));
}

static const suite_case_t cases[] = {
    {"size zero gives NULL and no fault", size_zero_gives_null, 0U},
    {"a bad alignment is a fault", a_bad_alignment_is_a_fault, 0U},
    {"releasing with a bad alignment has no effect", releasing_with_a_bad_alignment_has_no_effect,
     0U},
    {"an array that overflows is refused", an_array_that_overflows_is_refused, 0U},
    {"sizes near the top are refused", sizes_near_the_top_are_refused, 0U},
    {"sizes above the memory are refused", sizes_above_the_memory_are_refused, 0U},
    {"a refused request costs nothing", a_refused_request_costs_nothing, 0U},
    {"exhaustion is NULL and no fault", exhaustion_is_null_and_no_fault, 0U},
    {"exhaustion leaves blocks alone", exhaustion_leaves_blocks_alone, 0U},
    {"exhaustion is not for ever", exhaustion_is_not_for_ever, SUITE_REUSES_LAST},
    {"repeated exhaustion loses nothing", repeated_exhaustion_loses_nothing, SUITE_REUSES_LAST},
    {"work goes on between refusals", work_goes_on_between_refusals, 0U},
};

const suite_group_t suite_group_refuse = SUITE_GROUP(cases);
