// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cases about mete_realloc() over the subject: in place or moved, contents and alignment stay.

#include "tests/conformance/cases.h"

// Reallocates the block of a slot and verifies the contents that must have come along.
static bool reallocate(suite_t *s, suite_slot_t *slot, size_t size)
{
    unsigned char *const block =
        s->calls->realloc(s->alloc, slot->block, slot->size, size, slot->align);
    if ((block == NULL) || !CHECK(suite_is_inside(s, block, size))) {
        return false;
    }
    CHECK(suite_is_intact(slot, block, (size < slot->size) ? size : slot->size));
    slot->block = block;
    suite_refill(s, slot, size);
    return true;
}

static void realloc_of_null_acquires(suite_t *s)
{
    void *const block = s->calls->realloc(s->alloc, NULL, 0U, s->size, s->align);
    CHECK((block != NULL) && suite_is_inside(s, block, s->size));
}

static void realloc_to_zero_releases(suite_t *s)
{
    const size_t count = suite_fill(s, s->size_fill);
    if (!CHECK(count != 0U)) {
        return;
    }
    const suite_slot_t *const last = &s->slots[count - 1U];
    CHECK(s->calls->realloc(s->alloc, last->block, last->size, 0U, last->align) == NULL);
    s->count--;
    CHECK(suite_take(s, s->size_fill, s->align) != NULL);
}

static void realloc_to_more_keeps_contents(suite_t *s)
{
    suite_slot_t *const slot = suite_take(s, 1U, 1U);
    for (size_t size = 2U; (slot != NULL) && (size <= s->size_fill); size += 1U + (size >> 3)) {
        (void)suite_take(s, 1U, 1U);  // In the way, so that growing in place comes to an end.
        (void)reallocate(s, slot, size);
        CHECK(suite_all_intact(s));
    }
    CHECK(!suite_any_overlap(s));
}

static void realloc_to_less_keeps_contents(suite_t *s)
{
    suite_slot_t *const slot = suite_take(s, s->size_fill, s->align);
    for (size_t size = s->size_fill; (slot != NULL) && (size != 0U); size -= 1U + (size >> 3)) {
        CHECK(reallocate(s, slot, size));
        CHECK(suite_all_intact(s));
    }
}

static void realloc_keeps_the_alignment(suite_t *s)
{
    const size_t align = (s->subject->align_max < 64U) ? s->subject->align_max : 64U;
    suite_slot_t *const slot = suite_take(s, s->size, align);
    for (size_t i = 1U; (slot != NULL) && (i <= 6U); i++) {
        const size_t size = suite_has(s, SUITE_MIXED) ? s->size * (1U + i) : s->size;
        (void)suite_take(s, 1U, 1U);
        (void)reallocate(s, slot, size);
        CHECK(mete_align_fits((uintptr_t)slot->block, align));
    }
}

static void a_refused_realloc_leaves_the_block_as_it_was(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < s->count; i++) {
        CHECK(!reallocate(s, &s->slots[i], s->arena.size));
    }
    CHECK(suite_all_intact(s));
    (void)suite_fill(s, s->size_fill);
    CHECK(!suite_any_overlap(s) && suite_all_intact(s));
    suite_drain_last_first(s);  // With the old sizes.
    CHECK(tap_take_fault() == 0);
}

static void realloc_that_moves_gives_the_old_block_back(suite_t *s)
{
    for (size_t i = 0U; i < (2U * s->arena.size) / s->size; i++) {
        suite_slot_t *const slot = suite_take(s, s->size, s->align);
        (void)suite_take(s, s->size, s->align);
        CHECK((slot != NULL) && reallocate(s, slot, s->size_fill));
        suite_drain_random(s);
    }
}

static void random_reallocs_keep_contents(suite_t *s)
{
    for (size_t i = 0U; i < 400U; i++) {
        suite_step(s);
        if (s->count != 0U) {
            const size_t pick = random_below(&s->random, (uint32_t)s->count);
            const size_t size = 1U + random_below(&s->random, (uint32_t)s->size_fill);
            (void)reallocate(s, &s->slots[pick], size);
        }
        CHECK(suite_all_intact(s));
    }
    CHECK(!suite_any_overlap(s));
}

static const suite_case_t cases[] = {
    {"realloc of NULL acquires", realloc_of_null_acquires, 0U},
    {"realloc to zero releases", realloc_to_zero_releases, SUITE_REUSES_LAST},
    {"realloc to more keeps contents", realloc_to_more_keeps_contents, 0U},
    {"realloc to less keeps contents", realloc_to_less_keeps_contents, 0U},
    {"realloc keeps the alignment", realloc_keeps_the_alignment, 0U},
    {"a refused realloc leaves the block as it was", a_refused_realloc_leaves_the_block_as_it_was,
     0U},
    {"realloc that moves gives the old block back", realloc_that_moves_gives_the_old_block_back,
     SUITE_REUSES | SUITE_MIXED},
    {"random reallocs keep contents", random_reallocs_keep_contents, 0U},
};

const suite_group_t suite_group_realloc = SUITE_GROUP(cases);
