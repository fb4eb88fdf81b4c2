// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cases about acquiring: what is handed out, where it lies, and whose bytes it is.

#include "tests/conformance/cases.h"

static void one_byte_can_be_had(suite_t *s)
{
    CHECK(suite_take(s, 1U, 1U) != NULL);
    CHECK(suite_take(s, 1U, s->align) != NULL);
    CHECK(!suite_any_overlap(s));
}

static void the_largest_block_can_be_had(suite_t *s)
{
    CHECK(suite_take(s, s->subject->size_max, 1U) != NULL);
    CHECK(suite_all_intact(s));
}

static void every_size_up_to_the_largest_is_served(suite_t *s)
{
    // All small sizes, then ever larger steps; each size is asked of a fresh allocator.
    for (size_t size = 1U; size <= s->subject->size_max; size += 1U + (size >> 6)) {
        suite_fresh(s, 0x5AU);
        CHECK(suite_take(s, size, 1U) != NULL);
    }
}

static void the_promised_number_of_blocks_can_be_had(suite_t *s)
{
    for (size_t i = 0U; i < SUITE_BLOCK_COUNT_MIN; i++) {
        CHECK(suite_take(s, s->size, s->align) != NULL);
    }
    CHECK(suite_all_intact(s));
}

static void every_alignment_promised_is_honoured(suite_t *s)
{
    for (size_t align = 1U; align <= s->subject->align_max; align *= 2U) {
        suite_fresh(s, 0xA5U);
        (void)suite_take(s, 1U, 1U);  // So that the next free byte is not aligned by chance.
        const suite_slot_t *const slot = suite_take(s, s->size, align);
        CHECK((slot != NULL) && mete_align_fits((uintptr_t)slot->block, align));
    }
}

static void a_larger_alignment_is_honoured_or_refused(suite_t *s)
{
    for (size_t align = s->subject->align_max * 2U; align != 0U; align *= 2U) {
        suite_fresh(s, 0xA5U);
        (void)suite_take(s, 1U, 1U);
        const suite_slot_t *const slot = suite_take(s, s->size, align);
        CHECK((slot == NULL) || mete_align_fits((uintptr_t)slot->block, align));
        CHECK(tap_take_fault() == 0);
    }
}

static void alignments_may_be_mixed(suite_t *s)
{
    for (size_t i = 0U; i < 48U; i++) {
        size_t align = (size_t)1U << random_below(&s->random, 7U);
        align = (align <= s->subject->align_max) ? align : s->subject->align_max;
        const suite_slot_t *const slot = suite_take(s, 1U + (i % s->size), align);
        CHECK((slot == NULL) || mete_align_fits((uintptr_t)slot->block, align));
    }
    CHECK(!suite_any_overlap(s) && suite_all_intact(s));
}

static void blocks_do_not_overlap(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    CHECK(!suite_any_overlap(s));
}

static void small_blocks_of_odd_sizes_do_not_overlap(suite_t *s)
{
    for (size_t i = 0U; i < 64U; i++) {
        (void)suite_take(s, 1U + (i % ((s->size < 19U) ? s->size : 19U)), 1U);
    }
    CHECK(s->count >= SUITE_BLOCK_COUNT_MIN);
    CHECK(!suite_any_overlap(s) && suite_all_intact(s));
}

static void blocks_lie_in_the_memory_given(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    (void)suite_fill(s, 1U);
    for (size_t i = 0U; i < s->count; i++) {
        CHECK(suite_is_inside(s, s->slots[i].block, s->slots[i].size));
    }
}

static void nothing_is_written_around_the_memory_given(suite_t *s)
{
    for (size_t i = 0U; i < 200U; i++) {
        suite_step(s);
    }
    (void)suite_fill(s, s->size_fill);
    (void)suite_fill(s, 1U);
    suite_drain_random(s);
    CHECK(suite_margins_intact(s));
}

static void every_byte_of_a_block_is_the_callers(suite_t *s)
{
    static const uint8_t bytes[] = {0x00U, 0xFFU, 0x01U, 0x80U};
    for (size_t i = 0U; i < sizeof bytes; i++) {
        (void)suite_take(s, s->size, s->align);
        (void)suite_take(s, s->size, s->align);
        for (size_t j = 0U; j < s->count; j++) {
            mete_words_fill(s->slots[j].block, bytes[i], s->slots[j].size);
        }
        suite_drain_last_first(s);
        CHECK(tap_take_fault() == 0);
    }
}

static void acquiring_leaves_other_blocks_alone(suite_t *s)
{
    while (suite_take(s, s->size_fill, s->align) != NULL) {
        CHECK(suite_all_intact(s));
    }
}

static void memory_need_not_be_clean(suite_t *s)
{
    suite_fresh(s, 0x00U);
    const size_t count = suite_fill(s, s->size_fill);
    suite_fresh(s, 0xFFU);
    CHECK(suite_fill(s, s->size_fill) == count);
    suite_fresh(s, 0x01U);
    CHECK(suite_fill(s, s->size_fill) == count);
}

static void making_it_again_frees_everything(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    suite_fresh(s, 0xA5U);
    CHECK(suite_fill(s, s->size_fill) == count);
    CHECK(suite_all_intact(s));
}

static void zeroed_memory_is_zero(suite_t *s)
{
    for (size_t size = 1U; size <= s->size; size++) {
        suite_fresh(s, 0xFFU);
        void *const block = s->calls->acquire_zeroed(s->alloc, size, s->align);
        CHECK((block != NULL) && (mete_words_scan(block, 0U, size) == size));
    }
}

static void zeroed_memory_stays_zero(suite_t *s)
{
    suite_fresh(s, 0xFFU);
    void *const block = s->calls->acquire_zeroed(s->alloc, s->size, s->align);
    for (size_t i = 0U; i < 50U; i++) {
        suite_step(s);
    }
    CHECK((block != NULL) && (mete_words_scan(block, 0U, s->size) == s->size));
}

static void an_array_has_room_for_its_elements(suite_t *s)
{
    const size_t element = (s->size + 2U) / 3U - 1U;
    unsigned char *const array = s->calls->acquire_array(s->alloc, 3U, element, 1U);
    if (CHECK((array != NULL) && suite_is_inside(s, array, 3U * element))) {
        mete_words_fill(array, 0x77U, 3U * element);
        (void)suite_fill(s, s->size);
        CHECK(mete_words_scan(array, 0x77U, 3U * element) == 3U * element);
    }
}

static const suite_case_t cases[] = {
    {"one byte can be had", one_byte_can_be_had, 0U},
    {"the largest block promised can be had", the_largest_block_can_be_had, 0U},
    {"every size up to the largest is served", every_size_up_to_the_largest_is_served, 0U},
    {"the promised number of blocks can be had", the_promised_number_of_blocks_can_be_had, 0U},
    {"every alignment promised is honoured", every_alignment_promised_is_honoured, 0U},
    {"a larger alignment is honoured or refused", a_larger_alignment_is_honoured_or_refused, 0U},
    {"alignments may be mixed", alignments_may_be_mixed, 0U},
    {"blocks do not overlap", blocks_do_not_overlap, 0U},
    {"small blocks of odd sizes do not overlap", small_blocks_of_odd_sizes_do_not_overlap, 0U},
    {"blocks lie in the memory given", blocks_lie_in_the_memory_given, 0U},
    {"nothing is written around the memory given", nothing_is_written_around_the_memory_given, 0U},
    {"every byte of a block is the caller's", every_byte_of_a_block_is_the_callers, 0U},
    {"acquiring leaves other blocks alone", acquiring_leaves_other_blocks_alone, 0U},
    {"memory need not be clean", memory_need_not_be_clean, 0U},
    {"making it again frees everything", making_it_again_frees_everything, 0U},
    {"zeroed memory is zero", zeroed_memory_is_zero, 0U},
    {"zeroed memory stays zero", zeroed_memory_stays_zero, 0U},
    {"an array has room for its elements", an_array_has_room_for_its_elements, 0U},
};

const suite_group_t suite_group_acquire = SUITE_GROUP(cases);
