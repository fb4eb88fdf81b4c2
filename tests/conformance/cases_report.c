// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cases about what an allocator tells of its memory: owns() and size_of().

#include "tests/conformance/cases.h"

static bool owns(const suite_t *s, const void *address)
{
    return s->alloc.ops->owns(s->alloc.self, address);
}

static size_t size_of(const suite_t *s, const suite_slot_t *slot)
{
    return s->alloc.ops->size_of(s->alloc.self, slot->block);
}

static void it_owns_every_byte_of_its_blocks(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    for (size_t i = 0U; i < s->count; i++) {
        CHECK(owns(s, s->slots[i].block));
        CHECK(owns(s, s->slots[i].block + (s->slots[i].size / 2U)));
        CHECK(owns(s, s->slots[i].block + s->slots[i].size - 1U));
    }
}

static void it_owns_memory_that_is_free(suite_t *s)
{
    CHECK(suite_fill(s, s->size_fill) != 0U);
    const unsigned char *const first = s->slots[0].block;
    const unsigned char *const last = s->slots[s->count - 1U].block;
    suite_drain_last_first(s);
    CHECK(owns(s, first) && owns(s, last));
}

static void it_owns_nothing_outside(suite_t *s)
{
    const unsigned char *const start = s->arena.start;
    (void)suite_take(s, s->size, s->align);
    CHECK(!owns(s, NULL));
    CHECK(!owns(s, start - 1) && !owns(s, start + s->arena.size));
    for (size_t i = 0U; suite_foreign(s, i) != NULL; i++) {
        CHECK(!owns(s, suite_foreign(s, i)));
    }
    CHECK(tap_take_fault() == 0);
}

static void size_of_is_at_least_the_size(suite_t *s)
{
    for (size_t size = 1U; size <= s->size_fill; size++) {
        suite_fresh(s, 0xA5U);
        const suite_slot_t *const slot = suite_take(s, size, s->align);
        CHECK((slot != NULL) && (size_of(s, slot) >= size));
    }
}

static void every_byte_of_size_of_can_be_used(suite_t *s)
{
    (void)suite_fill(s, s->size_fill);
    (void)suite_fill(s, 1U);
    for (size_t i = 0U; i < s->count; i++) {
        const size_t usable = size_of(s, &s->slots[i]);
        if (CHECK(usable >= s->slots[i].size) &&
            CHECK(suite_is_inside(s, s->slots[i].block, usable))) {
            mete_words_fill(s->slots[i].block + s->slots[i].size, 0xEEU, usable - s->slots[i].size);
        }
        CHECK(suite_all_intact(s));
    }
    suite_drain_last_first(s);
    CHECK(tap_take_fault() == 0);
}

static void size_of_follows_a_resize(suite_t *s)
{
    suite_slot_t *const slot = suite_take(s, s->size_fill, s->align);
    if (CHECK(slot != NULL)) {
        const size_t larger = 2U * s->size_fill;
        CHECK(s->calls->resize(s->alloc, slot->block, slot->size, larger, slot->align));
        CHECK(size_of(s, slot) >= larger);
        CHECK(s->calls->resize(s->alloc, slot->block, larger, 1U, slot->align));
        CHECK((size_of(s, slot) >= 1U) && (size_of(s, slot) < s->size_fill));
    }
}

static const suite_case_t cases[] = {
    {"it owns every byte of its blocks", it_owns_every_byte_of_its_blocks, SUITE_OWNS},
    {"it owns memory that is free", it_owns_memory_that_is_free, SUITE_OWNS},
    {"it owns nothing outside", it_owns_nothing_outside, SUITE_OWNS},
    {"size_of is at least the size", size_of_is_at_least_the_size, SUITE_SIZE_OF},
    {"every byte of size_of can be used", every_byte_of_size_of_can_be_used, SUITE_SIZE_OF},
    {"size_of follows a resize", size_of_follows_a_resize,
     SUITE_SIZE_OF | SUITE_RESIZES | SUITE_MIXED},
};

const suite_group_t suite_group_report = SUITE_GROUP(cases);
