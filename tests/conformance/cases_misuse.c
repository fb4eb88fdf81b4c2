// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cases about bugs in the program: they are reported, as promised, and have no effect.

#include "tests/conformance/cases.h"

// After misuse: what is held is intact and can be released. All memory is still there, if it is not
// lost by releasing in another order than the reverse one. `count` is how many blocks of size_fill a
// fresh subject holds.
static void expect_no_effect(suite_t *s, size_t count)
{
    CHECK(suite_all_intact(s));
    (void)suite_fill(s, s->size);
    CHECK(!suite_any_overlap(s) && suite_all_intact(s));
    suite_drain_last_first(s);
    CHECK(tap_take_fault() == 0);
    if (suite_has(s, SUITE_REUSES)) {
        CHECK(suite_fill(s, s->size_fill) == count);
    }
}

// A fresh subject with six small blocks; returns how many large ones it would hold.
static size_t take_six(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_fresh(s, 0xA5U);
    for (size_t i = 0U; i < 6U; i++) {
        (void)suite_take(s, s->size, s->align);
    }
    return count;
}

static void releasing_a_free_block_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t freed = s->slots[2];
    suite_give(s, 2U);
    suite_release(s, freed.block, freed.size, freed.align);
    CHECK(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    expect_no_effect(s, count);
}

static void releasing_a_block_that_joined_others_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t freed[] = {s->slots[1], s->slots[2], s->slots[3]};
    suite_give(s, 1U);
    suite_give(s, 2U);
    suite_give(s, 1U);
    for (size_t i = 0U; i < 3U; i++) {
        suite_release(s, freed[i].block, freed[i].size, freed[i].align);
        CHECK(tap_take_fault() != 0);
    }
    expect_no_effect(s, count);
}

static void releasing_after_everything_was_released_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t freed = s->slots[0];
    suite_drain_random(s);
    suite_release(s, freed.block, freed.size, freed.align);
    CHECK(tap_take_fault() != 0);
    expect_no_effect(s, count);
}

static void resizing_a_free_block_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t freed = s->slots[2];
    suite_give(s, 2U);
    CHECK(!s->calls->resize(s->alloc, freed.block, freed.size, 1U, freed.align));
    CHECK(tap_take_fault() != 0);
    expect_no_effect(s, count);
}

static void releasing_what_now_lies_inside_a_block_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t freed = s->slots[3];
    suite_give(s, 2U);
    suite_give(s, 2U);
    const suite_slot_t *const over = suite_take(s, 2U * s->size, s->align);
    CHECK((over != NULL) && (over->block < freed.block) &&
          (freed.block < over->block + over->size));
    suite_release(s, freed.block, freed.size, freed.align);
    CHECK(tap_take_fault() != 0);
    expect_no_effect(s, count);
}

static void releasing_a_foreign_address_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    for (size_t i = 0U; suite_foreign(s, i) != NULL; i++) {
        suite_release(s, suite_foreign(s, i), s->size, s->align);
        CHECK(tap_take_fault() == METE_FAULT_FOREIGN);
    }
    CHECK(suite_margins_intact(s));
    expect_no_effect(s, count);
}

static void releasing_an_address_inside_a_block_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    for (size_t offset = 1U; offset < s->size; offset++) {
        suite_release(s, s->slots[2].block + offset, s->size, s->align);
        CHECK(tap_take_fault() != 0);
    }
    expect_no_effect(s, count);
}

static bool is_block(const suite_t *s, const unsigned char *address)
{
    bool is_found = false;
    for (size_t i = 0U; i < s->count; i++) {
        is_found = is_found || (s->slots[i].block == address);
    }
    return is_found;
}

static void releasing_memory_never_handed_out_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const uintptr_t end = (uintptr_t)s->arena.start + s->arena.size;
    const suite_slot_t *const last = &s->slots[5];
    for (size_t offset = 64U; (uintptr_t)last->block + offset < end; offset += 40U) {
        if (!is_block(s, last->block + offset)) {
            suite_release(s, last->block + offset, s->size, s->align);
            CHECK(tap_take_fault() != 0);
        }
    }
    expect_no_effect(s, count);
}

static void releasing_with_too_large_a_size_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t *const slot = &s->slots[2];
    suite_release(s, slot->block, s->subject->size_max + 1U, slot->align);
    CHECK(tap_take_fault() == METE_FAULT_SIZE);
    suite_release(s, slot->block, SIZE_MAX, slot->align);
    CHECK(tap_take_fault() == METE_FAULT_SIZE);
    expect_no_effect(s, count);
}

static void releasing_with_too_small_a_size_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t *const large = suite_take(s, 200U, s->align);
    if (CHECK(large != NULL)) {
        suite_release(s, large->block, 100U, large->align);
        CHECK(tap_take_fault() == METE_FAULT_SIZE);
        suite_release(s, large->block, 1U, large->align);
        CHECK(tap_take_fault() == METE_FAULT_SIZE);
    }
    expect_no_effect(s, count);
}

static void releasing_with_a_wrong_alignment_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    for (size_t i = 0U; i < s->count; i++) {
        const suite_slot_t *const slot = &s->slots[i];
        const size_t align = (size_t)1U << (sizeof(size_t) * 8U - 1U);
        suite_release(s, slot->block, slot->size, align);
        CHECK(tap_take_fault() == METE_FAULT_SIZE);
    }
    expect_no_effect(s, count);
}

static void resizing_with_a_wrong_size_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    const suite_slot_t *const slot = &s->slots[2];
    CHECK(!s->calls->resize(s->alloc, slot->block, s->subject->size_max + 1U, 1U, slot->align));
    CHECK(tap_take_fault() == METE_FAULT_SIZE);
    expect_no_effect(s, count);
}

static void resizing_a_foreign_address_is_refused(suite_t *s)
{
    const size_t count = take_six(s);
    for (size_t i = 0U; suite_foreign(s, i) != NULL; i++) {
        CHECK(!s->calls->resize(s->alloc, suite_foreign(s, i), s->size, 1U, s->align));
        CHECK(tap_take_fault() == METE_FAULT_FOREIGN);
    }
    expect_no_effect(s, count);
}

static void random_double_frees_change_nothing(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_drain_random(s);
    for (size_t i = 0U; i < 300U; i++) {
        suite_step(s);
        if ((s->count != 0U) && (i % 8U == 0U)) {
            const size_t pick = random_below(&s->random, (uint32_t)s->count);
            const suite_slot_t freed = s->slots[pick];
            suite_give(s, pick);
            CHECK(tap_take_fault() == 0);
            suite_release(s, freed.block, freed.size, freed.align);
            CHECK(tap_take_fault() != 0);
        }
    }
    expect_no_effect(s, count);
}

static const suite_case_t cases[] = {
    {"releasing a free block is refused", releasing_a_free_block_is_refused, SUITE_DOUBLE_FREE},
    {"releasing a block that joined others is refused",
     releasing_a_block_that_joined_others_is_refused, SUITE_DOUBLE_FREE},
    {"releasing after everything was released is refused",
     releasing_after_everything_was_released_is_refused, SUITE_DOUBLE_FREE},
    {"resizing a free block is refused", resizing_a_free_block_is_refused,
     SUITE_DOUBLE_FREE | SUITE_RESIZES},
    {"releasing what now lies inside a block is refused",
     releasing_what_now_lies_inside_a_block_is_refused,
     SUITE_EXACT_STARTS | SUITE_MIXED | SUITE_COALESCES},
    {"releasing a foreign address is refused", releasing_a_foreign_address_is_refused,
     SUITE_FOREIGN},
    {"releasing an address inside a block is refused",
     releasing_an_address_inside_a_block_is_refused, SUITE_INTERIOR},
    {"releasing memory never handed out is refused", releasing_memory_never_handed_out_is_refused,
     SUITE_DOUBLE_FREE | SUITE_INTERIOR},
    {"releasing with too large a size is refused", releasing_with_too_large_a_size_is_refused,
     SUITE_SIZE_ABOVE},
    {"releasing with too small a size is refused", releasing_with_too_small_a_size_is_refused,
     SUITE_SIZE_BELOW | SUITE_MIXED},
    {"releasing with a wrong alignment is refused", releasing_with_a_wrong_alignment_is_refused,
     SUITE_ALIGN},
    {"resizing with a wrong size is refused", resizing_with_a_wrong_size_is_refused,
     SUITE_SIZE_ABOVE | SUITE_RESIZES},
    {"resizing a foreign address is refused", resizing_a_foreign_address_is_refused,
     SUITE_FOREIGN | SUITE_RESIZES},
    {"random double frees change nothing", random_double_frees_change_nothing,
     SUITE_DOUBLE_FREE | SUITE_REUSES},
};

const suite_group_t suite_group_misuse = SUITE_GROUP(cases);
