// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The slab cache, damaged: this file includes slab.c itself, so that it can spoil the table, the links
// and every field on purpose, and expects to be told.

#include "mete/alloc/slab.c"

#include "tests/support/tap.h"
#include "tests/unit/alloc/shelf.h"

// ---- The table

static void test_the_slab_of_an_address_is_the_last_that_starts_below(void)
{
    // All numbers of slabs to 70, against a search from front to back.
    static mete_slab_entry_t table[70];
    mete_slab_t cache = {.table = table};
    for (size_t count = 1U; count <= 70U; count++) {
        for (size_t i = 0U; i < count; i++) {
            table[i] = (mete_slab_entry_t){100U + (10U * i), 0U, 0U};
        }
        cache.slab_count = count;
        relink(&cache);
        for (uintptr_t address = 95U; address < 110U + (10U * count); address++) {
            size_t expected = 0U;
            while ((expected + 1U < count) && (table[expected + 1U].start <= address)) {
                expected++;
            }
            EXPECT(slab_of(&cache, (void *)address) == &table[expected]);
        }
    }
}

static void test_alloc_reports_a_slab_that_overlaps_another(void)
{
    mete_slab_t *const cache = setup_with(PER_SLAB);
    const size_t first = fixture.shelf.order[0];
    fixture.shelf.is_taken[first] = false;  // The same board once more.
    EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((slab_count(cache) == 1U) && (in_use(cache) == PER_SLAB));
    EXPECT((mete_slab_usage(cache).refusals == 0U) && mete_slab_check(cache));
    fixture.shelf.is_taken[first] = false;
    EXPECT(!mete_slab_reserve(cache, 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(fixture.constructed == PER_SLAB);
}

static void test_alloc_reports_a_slab_that_overlaps_by_a_byte(void)
{
    const mete_slab_t *const cache = setup_with(PER_SLAB);
    const uintptr_t start = cache->table[0].start;
    EXPECT(is_apart(cache, 1U, start + SLAB_SIZE) && !is_apart(cache, 1U, start + SLAB_SIZE - 1U));
    EXPECT(is_apart(cache, 0U, start - SLAB_SIZE) && !is_apart(cache, 0U, start - SLAB_SIZE + 1U));
}

// ---- Links

static void test_free_reports_a_link_that_is_neither_live_nor_free(void)
{
    static const uint16_t wrong[] = {PER_SLAB, LINK_END - 1, LINK_END + 1, LINK_LIVE + 1,
                                     UINT16_MAX};
    mete_slab_t *const cache = setup_with(2U);
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        *link_of(cache->current, 1U) = wrong[i];
        mete_slab_free(cache, held[1]);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        EXPECT(in_use(cache) == 2U);
    }
}

static void test_purge_gives_nothing_back_if_a_link_is_spoiled(void)
{
    mete_slab_t *const cache = setup();
    EXPECT(mete_slab_reserve(cache, 3U * PER_SLAB));
    *link_of(&cache->table[1], 2U) = LINK_LIVE;
    EXPECT((mete_slab_purge(cache) == 0U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((fixture.shelf.taken_count == 3U) && (fixture.destructed == 0U));
}

static void test_alloc_never_hands_out_a_live_block(void)
{
    mete_slab_t *const cache = setup_with(2U);
    *link_of(cache->current, 2U) = 0U;  // From the next free one onto a live one.
    EXPECT(mete_slab_alloc(cache) != NULL);
    (void)tap_take_fault();  // Level 3 sees it at once.
    EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(in_use(cache) == 3U);
}

static void test_alloc_never_follows_a_link_out_of_the_slab(void)
{
    static const uint16_t wrong[] = {PER_SLAB,     PER_SLAB + 1, LINK_END - 1,
                                     LINK_END + 1, LINK_LIVE,    UINT16_MAX};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        mete_slab_t *const cache = setup_with(2U);
        *link_of(cache->current, 2U) = wrong[i];
        const void *const block = mete_slab_alloc(cache);
        EXPECT((block != NULL) || (wrong[i] == LINK_LIVE));
        (void)tap_take_fault();
        EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT(fixture.shelf.acquire_count == 1U);
    }
}

static void test_a_full_slab_whose_list_does_not_end_is_reported(void)
{
    static const uint16_t wrong[] = {PER_SLAB, LINK_END - 1, LINK_END + 1, LINK_LIVE, UINT16_MAX};
    mete_slab_t *const cache = setup_with(PER_SLAB);
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        cache->current->first_free = wrong[i];
        EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT((fixture.shelf.acquire_count == 1U) && (mete_slab_usage(cache).refusals == 0U));
    }
}

static void test_a_list_that_ends_too_early_adds_no_slab(void)
{
    mete_slab_t *const cache = setup_with(2U);
    *link_of(cache->current, 2U) = LINK_END;
    EXPECT(mete_slab_alloc(cache) != NULL);
    (void)tap_take_fault();
    EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((fixture.shelf.acquire_count == 1U) && (mete_slab_usage(cache).refusals == 0U));
}

static void test_alloc_never_follows_a_table_out_of_the_table(void)
{
    mete_slab_t *const cache = setup_with(2U * PER_SLAB);
    mete_slab_free(cache, held[0]);  // Of the slab that is not the head.
    mete_slab_entry_t *const head = cache->current;
    EXPECT(head->next != NO_SLAB);
    const uint16_t right = head->next;
    static const uint16_t wrong[] = {2U, SLAB_MAX, NO_SLAB - 1};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        head->next = wrong[i];
        EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    }
    head->next = (uint16_t)(head - cache->table);  // A slab that is full.
    EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    head->next = NO_SLAB;
    EXPECT((mete_slab_alloc(cache) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    head->next = right;
    EXPECT((mete_slab_alloc(cache) == held[0]) && mete_slab_check(cache));
}

static void test_check_sees_every_single_link_spoiled(void)
{
    mete_slab_t *const cache = setup_with(8U);
    mete_slab_free(cache, held[1]);
    mete_slab_free(cache, held[3]);
    for (size_t i = 0U; i < 2U * PER_SLAB; i++) {
        uint16_t *const link = link_of(&cache->table[i / PER_SLAB], i % PER_SLAB);
        const uint16_t right = *link;
        for (uint32_t value = 0U; value <= UINT16_MAX; value += (value == 600U) ? 64000U : 1U) {
            *link = (uint16_t)value;
            EXPECT(mete_slab_check(cache) == (value == right));
        }
        *link = right;
    }
}

static void test_check_sees_every_field_spoiled(void)
{
    mete_slab_t *const cache = setup_with(8U);
    mete_slab_free(cache, held[1]);
    (void)mete_slab_alloc(cache);
    cache->in_use_peak = in_use(cache);
    cache->slab_count_peak = slab_count(cache);
    size_t *const sizes[] = {&cache->block_count, &cache->block_size, &cache->in_use,
                             &cache->step,        &cache->rotation,   &cache->slab_count};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t right = *sizes[i];
        for (size_t bit = 0U; bit < 8U * sizeof(size_t); bit++) {
            *sizes[i] = right ^ ((size_t)1U << bit);
            EXPECT(!mete_slab_check(cache));
        }
        *sizes[i] = right;
        EXPECT(mete_slab_check(cache));
    }
    size_t *const peaks[] = {&cache->in_use_peak, &cache->slab_count_peak, &cache->inverse};
    for (size_t i = 0U; i < sizeof peaks / sizeof peaks[0]; i++) {
        (*peaks[i])--;
        EXPECT(!mete_slab_check(cache));
        (*peaks[i])++;
    }
    mete_slab_entry_t **const entries[] = {&cache->current, &cache->upper, &cache->table};
    for (size_t i = 0U; i < sizeof entries / sizeof entries[0]; i++) {
        *entries[i] += SLAB_MAX - 2;
        EXPECT(!mete_slab_check(cache));
        *entries[i] -= SLAB_MAX - 2;
    }
    EXPECT(mete_slab_check(cache));
}

static void test_check_sees_every_entry_spoiled(void)
{
    // Three slabs, each with a free block, so that the order of the list is known.
    mete_slab_t *const cache = setup_with(3U * PER_SLAB);
    for (size_t i = 0U; i < 3U; i++) {
        mete_slab_free(cache, held[i * PER_SLAB]);
    }
    for (size_t i = 0U; i < 3U; i++) {
        mete_slab_entry_t *const entry = &cache->table[i];
        const mete_slab_entry_t right = *entry;
        for (size_t bit = 0U; bit < 16U; bit++) {
            entry->first_free = (uint16_t)(right.first_free ^ (1U << bit));
            EXPECT(!mete_slab_check(cache));
            entry->first_free = right.first_free;
            entry->next = (uint16_t)(right.next ^ (1U << bit));
            EXPECT(!mete_slab_check(cache));
            entry->next = right.next;
        }
    }
    swap(&cache->table[0], &cache->table[1]);
    EXPECT(!mete_slab_check(cache));
    swap(&cache->table[0], &cache->table[1]);
    EXPECT(mete_slab_check(cache));
}

// Of two slabs without a free block, as if they lay at these addresses.
static bool is_sound_at(uintptr_t first, uintptr_t second)
{
    mete_slab_t *const cache = setup_with(2U * PER_SLAB);
    cache->table[0].start = first;
    cache->table[1].start = second;
    for (size_t i = 0U; i < 2U * PER_SLAB; i++) {
        *link_of(&cache->table[i / PER_SLAB], i % PER_SLAB) = LINK_LIVE;
    }
    return mete_slab_check(cache);
}

static void test_check_sees_slabs_that_overlap_or_are_out_of_order(void)
{
    const uintptr_t start = (uintptr_t)fixture.shelf.boards[2] + LINKS_SIZE;
    EXPECT(is_sound_at(start, start + SLAB_SIZE) && is_sound_at(start, start + SLAB_SIZE + 8U));
    EXPECT(!is_sound_at(start, start + SLAB_SIZE - 2U) && !is_sound_at(start, start + 24U));
    EXPECT(!is_sound_at(start, start) && !is_sound_at(start + SLAB_SIZE, start));
}

static void test_check_follows_the_list_in_the_table_only(void)
{
    mete_slab_t *const cache = setup();
    cache->table[1] = (mete_slab_entry_t){0U, LINK_END, NO_SLAB};
    cache->current = &cache->table[1];  // Without slabs the first entry stands for one.
    EXPECT(!mete_slab_check(cache));
    EXPECT(setup_with(2U * PER_SLAB) == cache);
    mete_slab_free(cache, held[0]);
    mete_slab_free(cache, held[PER_SLAB]);
    cache->table[2] = cache->table[cache->current->next];
    EXPECT(mete_slab_check(cache));
    cache->current->next = 2U;  // Where a slab was that is gone.
    EXPECT(!mete_slab_check(cache));
}

static void test_level_3_reports_damage_anywhere_after_every_operation(void)
{
    mete_slab_t *const cache = setup_with(4U);
    *link_of(cache->current, 0U) = LINK_LIVE - 1;  // A live block that nobody frees.
    const int expected = (METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0;
    mete_slab_free(cache, held[2]);
    EXPECT(tap_take_fault() == expected);
    EXPECT((mete_slab_alloc(cache) == held[2]) && (tap_take_fault() == expected));
    EXPECT((mete_slab_reserve(cache, 1U) == (expected == 0)) && (tap_take_fault() == expected));
}

int main(void)
{
    RUN(test_the_slab_of_an_address_is_the_last_that_starts_below);
    RUN(test_alloc_reports_a_slab_that_overlaps_by_a_byte);
    RUN(test_check_sees_every_single_link_spoiled);
    RUN(test_check_sees_every_field_spoiled);
    RUN(test_check_sees_every_entry_spoiled);
    RUN(test_check_sees_slabs_that_overlap_or_are_out_of_order);
    RUN(test_check_follows_the_list_in_the_table_only);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_alloc_reports_a_slab_that_overlaps_another);
        RUN(test_free_reports_a_link_that_is_neither_live_nor_free);
        RUN(test_purge_gives_nothing_back_if_a_link_is_spoiled);
        RUN(test_alloc_never_hands_out_a_live_block);
        RUN(test_alloc_never_follows_a_link_out_of_the_slab);
        RUN(test_a_full_slab_whose_list_does_not_end_is_reported);
        RUN(test_a_list_that_ends_too_early_adds_no_slab);
        RUN(test_alloc_never_follows_a_table_out_of_the_table);
        RUN(test_level_3_reports_damage_anywhere_after_every_operation);
    }
    return tap_finish();
}
