// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cases about resizing in place: all of it or none of it, and never at a neighbour's cost.

#include "tests/conformance/cases.h"

static bool resize(const suite_t *s, const suite_slot_t *slot, size_t size)
{
    return s->calls->resize(s->alloc, slot->block, slot->size, size, slot->align);
}

static void shrinking_works_in_place_and_keeps_contents(suite_t *s)
{
    suite_slot_t *const slot = suite_take(s, s->size_fill, s->align);
    if (CHECK(slot != NULL)) {
        for (size_t size = slot->size; size != 0U; size /= 2U) {
            CHECK(resize(s, slot, size));
            slot->size = size;
            CHECK(suite_all_intact(s));
        }
    }
}

static void what_is_shrunk_off_can_be_had(suite_t *s)
{
    suite_slot_t *const slot = suite_take(s, s->subject->size_max, 1U);
    if (CHECK(slot != NULL) && CHECK(resize(s, slot, s->subject->size_max / 4U))) {
        slot->size = s->subject->size_max / 4U;
        CHECK(suite_take(s, s->subject->size_max / 2U, 1U) != NULL);
        CHECK(suite_all_intact(s) && !suite_any_overlap(s));
    }
}

static void the_last_block_grows_in_place_and_keeps_contents(suite_t *s)
{
    (void)suite_take(s, s->size_fill, s->align);
    suite_slot_t *const slot = suite_take(s, s->size_fill, s->align);
    if (CHECK(slot != NULL) && CHECK(resize(s, slot, 4U * s->size_fill))) {
        CHECK(suite_all_intact(s));
        suite_refill(s, slot, 4U * s->size_fill);
        (void)suite_fill(s, s->size_fill);
        CHECK(suite_all_intact(s) && !suite_any_overlap(s));
    }
}

static void growing_takes_no_neighbours_memory(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    for (size_t i = 0U; i + 1U < s->count; i++) {
        suite_slot_t *const slot = &s->slots[i];
        if (resize(s, slot, slot->size + 64U)) {
            suite_refill(s, slot, slot->size + 64U);
        }
    }
    CHECK(suite_all_intact(s) && !suite_any_overlap(s));
}

static void resizing_to_the_same_size_is_done_and_changes_nothing(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < s->count; i++) {
        CHECK((s->alloc.ops->resize == NULL) || resize(s, &s->slots[i], s->slots[i].size));
    }
    CHECK(suite_all_intact(s) && (tap_take_fault() == 0));
}

static void a_huge_resize_is_refused(suite_t *s)
{
    const suite_slot_t *const slot = suite_take(s, s->size, s->align);
    if (CHECK(slot != NULL)) {
        for (size_t below = 0U; below < 300U; below++) {
            CHECK(!resize(s, slot, SIZE_MAX - below));
        }
        for (size_t size = 2U * s->arena.size; size != 0U; size *= 2U) {
            CHECK(!resize(s, slot, size) && !resize(s, slot, size + s->size));
        }
        CHECK(suite_all_intact(s) && (tap_take_fault() == 0));
    }
}

static void resizing_to_zero_is_refused(suite_t *s)
{
    const suite_slot_t *const slot = suite_take(s, s->size, s->align);
    CHECK((slot != NULL) && !resize(s, slot, 0U));
    (void)suite_fill(s, s->size);
    CHECK(suite_all_intact(s) && !suite_any_overlap(s));
}

static void resizing_null_is_refused(suite_t *s)
{
    CHECK(!s->calls->resize(s->alloc, NULL, s->size, s->size, s->align));
    CHECK(tap_take_fault() == 0);
}

static void a_refused_resize_leaves_the_block_as_it_was(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < s->count; i++) {
        CHECK(!resize(s, &s->slots[i], s->arena.size));
    }
    CHECK(suite_all_intact(s));
    suite_drain_last_first(s);  // With the old sizes.
    CHECK(tap_take_fault() == 0);
    CHECK(suite_fill(s, s->size_fill) == count);
}

static void a_resized_block_is_released_with_its_new_size(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_drain_last_first(s);
    for (size_t size = 1U; size <= 2U * s->size_fill; size += 7U) {
        suite_slot_t *const slot = suite_take(s, s->size_fill, s->align);
        if (CHECK(slot != NULL) && CHECK(resize(s, slot, size))) {
            suite_refill(s, slot, size);
        }
        suite_drain_last_first(s);
        CHECK(tap_take_fault() == 0);
    }
    CHECK(suite_fill(s, s->size_fill) == count);
}

static void resizing_leaves_other_blocks_alone(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    for (size_t i = 0U; CHECK(count != 0U) && (i < 100U); i++) {
        suite_slot_t *const slot = &s->slots[random_below(&s->random, (uint32_t)s->count)];
        const size_t size = 1U + random_below(&s->random, (uint32_t)s->size_fill);
        if (resize(s, slot, size)) {
            suite_refill(s, slot, size);
        }
        CHECK(suite_all_intact(s));
    }
}

static const suite_case_t cases[] = {
    {"shrinking works in place and keeps contents", shrinking_works_in_place_and_keeps_contents,
     SUITE_RESIZES | SUITE_MIXED},
    {"what is shrunk off can be had", what_is_shrunk_off_can_be_had, SUITE_RESIZES | SUITE_MIXED},
    {"the last block grows in place and keeps contents",
     the_last_block_grows_in_place_and_keeps_contents,
     SUITE_RESIZES | SUITE_MIXED | SUITE_SEAMLESS},
    {"growing takes no neighbour's memory", growing_takes_no_neighbours_memory, 0U},
    {"resizing to the same size is done and changes nothing",
     resizing_to_the_same_size_is_done_and_changes_nothing, 0U},
    {"a huge resize is refused", a_huge_resize_is_refused, 0U},
    {"resizing to zero is refused", resizing_to_zero_is_refused, 0U},
    {"resizing NULL is refused", resizing_null_is_refused, 0U},
    {"a refused resize leaves the block as it was", a_refused_resize_leaves_the_block_as_it_was,
     SUITE_REUSES_LAST},
    {"a resized block is released with its new size", a_resized_block_is_released_with_its_new_size,
     SUITE_RESIZES | SUITE_REUSES_LAST | SUITE_MIXED},
    {"resizing leaves other blocks alone", resizing_leaves_other_blocks_alone, 0U},
};

const suite_group_t suite_group_resize = SUITE_GROUP(cases);
