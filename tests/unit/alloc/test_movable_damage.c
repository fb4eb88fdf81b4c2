// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Movable blocks, tested from inside. Bookkeeping that is spoiled: check() tells, and no call acts on it.

#include "tests/unit/alloc/movable_fixture.h"

static void test_check_sees_every_bit_of_every_slot(void)
{
    fixture_t f;
    (void)setup_moving(&f);
    store_t *const store = &f.store;
    const handle_t pinned = mete_movable_alloc(store, 8U);
    (void)mete_movable_pin(store, pinned);
    const handle_t twice = mete_movable_alloc(store, 8U);
    (void)mete_movable_pin(store, twice);
    (void)mete_movable_pin(store, twice);
    // A gap of 24: no block can move into it by a power of two and leave gaps of the same sizes.
    const handle_t freed = mete_movable_alloc(store, 24U);
    (void)mete_movable_alloc(store, 8U);
    mete_movable_free(store, freed);
    size_t silent = 0U;
    for (size_t i = 0U; i < SLOTS; i++) {
        for (size_t bit = 0U; bit < 8U * sizeof(slot_t); bit++) {
            unsigned char *const byte = (unsigned char *)at(store, i) + (bit / 8U);
            const size_t offset = bit / 8U;
            *byte ^= (unsigned char)(1U << (bit % 8U));
            // A generation cannot be checked, nor pins beyond the first: nothing repeats them. A free
            // slot's way back means nothing.
            const bool is_generation = (i >= FIRST) && (offset < 4U) && (bit >= 5U);
            const bool is_pins = (offset >= offsetof(slot_t, extent)) &&
                                 (offset < offsetof(slot_t, extent) + 4U) &&
                                 (bit >= (8U * offsetof(slot_t, extent)) + 22U);
            const bool is_back = is_spare(store, i) && (offset >= offsetof(slot_t, previous));
            const bool is_padding = (offset >= offsetof(slot_t, previous) + 2U) ||
                                    ((offset >= 4U) && (offset < offsetof(slot_t, address)));
            const bool is_seen = !mete_movable_check(store);
            silent += is_seen ? 0U : 1U;
            EXPECT(is_seen || is_generation || is_pins || is_back || is_padding);
            *byte ^= (unsigned char)(1U << (bit % 8U));
        }
    }
    tap_note("bits of slots that check cannot know", silent);
    EXPECT(mete_movable_check(store));
}

static void test_check_sees_every_field_spoiled(void)
{
    fixture_t f;
    setup(&f)->packed = FIRST;  // There is no such block.
    EXPECT(!mete_movable_check(&f.store));
    (void)setup_moving(&f);
    store_t *const store = &f.store;
    (void)mete_movable_alloc(store, 8U);
    uint16_t *const halves[] = {&store->moving, &store->spare_first, &store->spare_last};
    store->packed = FIRST;  // The hole was there: a gap is in front of it.
    EXPECT(!mete_movable_check(store));
    store->packed = SENTINEL;
    size_t *const sizes[] = {&store->slot_mask, &store->block_count, &store->gap_count,
                             &store->retired_count, &store->move_done};
    for (size_t i = 0U; i < 3U; i++) {
        for (size_t bit = 0U; bit < 16U; bit++) {
            *halves[i] ^= (uint16_t)(1U << bit);
            EXPECT(!mete_movable_check(store));
            *halves[i] ^= (uint16_t)(1U << bit);
        }
    }
    for (size_t i = 0U; i < 5U; i++) {
        *sizes[i] += 1024U;
        EXPECT(!mete_movable_check(store));
        *sizes[i] -= 1024U;
    }
    store->free_granules++;
    EXPECT(!mete_movable_check(store));
    store->free_granules--;
    store->free_squares++;
    EXPECT(!mete_movable_check(store));
    store->free_squares--;
    uintptr_t *const ends[] = {&store->start, &store->end, &store->low, &store->high,
                               &store->move_to};
    for (size_t i = 0U; i < 5U; i++) {
        *ends[i] += 4U;
        EXPECT(!mete_movable_check(store));
        *ends[i] -= 4U;
    }
    EXPECT(mete_movable_check(store));
}

static void test_damage_is_reported_and_nothing_changes(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t first = mete_movable_alloc(store, 104U);
    const handle_t middle = mete_movable_alloc(store, 104U);
    const handle_t last = mete_movable_alloc(store, 104U);
    const size_t m = index_in(store, middle);
    const size_t l = index_in(store, last);
    at(store, m)->next = SLOTS;  // Out of the table.
    mete_movable_free(store, middle);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && mete_movable_has(store, middle));
    EXPECT(!mete_movable_resize(store, middle, 8U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    at(store, m)->next = (uint16_t)l;
    at(store, m)->extent += 1U;  // Into the next one.
    mete_movable_free(store, last);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && mete_movable_has(store, last));
    at(store, m)->extent -= 1U;
    at(store, l)->address += 4U;
    EXPECT(mete_movable_alloc(store, 8U).value == 0U);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (usage_of(store).refusals == 0U));
    at(store, l)->address -= 4U;
    at(store, SENTINEL)->previous = (uint16_t)m;
    EXPECT((mete_movable_alloc(store, 8U).value == 0U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    at(store, SENTINEL)->previous = (uint16_t)l;
    at(store, m)->previous = (uint16_t)l;
    EXPECT((mete_movable_compact(store, SIZE_MAX) == 0U) &&
           (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(mete_movable_live_size(store, f.config.storage) == BYTES);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    const mete_span_t reach = mete_movable_reach(store, f.config.storage);
    EXPECT((reach.start == f.memory) && (reach.size == BYTES));
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    at(store, m)->previous = (uint16_t)index_in(store, first);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
    mete_movable_free(store, middle);
    EXPECT((tap_take_fault() == 0) && (usage_of(store).gap_count == 2U));
}

// Every bit of where a block is and how long, wherever it is; free memory lies on both sides of it.
static void test_any_bit_of_an_address_or_size_that_flips_is_found(void)
{
    for (size_t size = 8U; size < 600U; size += 56U) {
        fixture_t f;
        store_t *const store = setup(&f);
        const handle_t hole = mete_movable_alloc(store, size);
        const handle_t block = mete_movable_alloc(store, 40U);
        const handle_t gap = mete_movable_alloc(store, 72U);
        (void)mete_movable_alloc(store, 8U);
        mete_movable_free(store, hole);
        mete_movable_free(store, gap);
        slot_t *const slot = at(store, index_in(store, block));
        const slot_t good = *slot;
        const size_t address_bits = 8U * sizeof slot->address;
        for (size_t bit = 0U; bit < address_bits + 24U; bit++) {
            slot->address ^= (bit < address_bits) ? (uintptr_t)1U << bit : 0U;
            slot->extent ^= (bit < address_bits) ? 0U : (uint32_t)1U << (bit - address_bits);
            const slot_t bad = *slot;
            EXPECT(!mete_movable_check(store));
            mete_movable_free(store, block);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            EXPECT(!mete_movable_resize(store, block, 8U));
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            EXPECT(mete_movable_compact(store, SIZE_MAX) == 0U);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            (void)mete_movable_evacuate(store, (mete_span_t){f.memory, 640U},
                                        (mete_span_t){&f.memory[80], 384U}, SIZE_MAX);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            EXPECT(mete_movable_live_size(store, f.config.storage) == BYTES);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            EXPECT((slot->address == bad.address) && (slot->extent == bad.extent));
            EXPECT((slot->tag == bad.tag) && (store->moved_total == 0U));
            *slot = good;
        }
        EXPECT(mete_movable_check(store));
    }
}

static void test_alloc_trusts_no_damaged_last_block(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t last = mete_movable_alloc(store, 104U);
    slot_t *const slot = at(store, index_in(store, last));
    for (size_t bit = 0U; bit < 24U; bit++) {
        slot->extent ^= (uint32_t)1U << bit;
        EXPECT(mete_movable_alloc(store, 8U).value == 0U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        slot->extent ^= (uint32_t)1U << bit;
        slot->address ^= (uintptr_t)1U << bit;
        EXPECT(mete_movable_alloc(store, 8U).value == 0U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        slot->address ^= (uintptr_t)1U << bit;
    }
    EXPECT((usage_of(store).refusals == 0U) && mete_movable_check(store));
}

static void test_a_damaged_slot_is_not_moved(void)
{
    for (size_t turn = 0U; turn < 3U; turn++) {
        fixture_t f;
        store_t *const store = setup(&f);
        const handle_t hole = mete_movable_alloc(store, 104U);
        const handle_t block = mete_movable_alloc(store, 104U);
        (void)mete_movable_alloc(store, 104U);
        mete_movable_free(store, hole);
        slot_t *const slot = at(store, index_in(store, block));
        const mete_span_t from = {f.memory, 256U};
        const mete_span_t to = {&f.memory[64], BYTES - 512U};
        slot->next = (uint16_t)((turn == 0U) ? SLOTS : (turn == 1U) ? UINT16_MAX : FIRST);
        EXPECT(mete_movable_compact(store, SIZE_MAX) == 0U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        (void)mete_movable_evacuate(store, from, to, SIZE_MAX);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        EXPECT(mete_movable_alloc(store, 900U).value == 0U);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) || (usage_of(store).refusals == 1U));
        EXPECT((usage_of(store).moved_total == 0U) && (place_of(&f, block) == 104U));
    }
}

static void test_resize_pushes_no_damaged_block_up(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t block = mete_movable_alloc(store, 400U);
    (void)mete_movable_alloc(store, 104U);
    (void)mete_movable_alloc(store, 104U);
    const handle_t last = mete_movable_alloc(store, 104U);
    at(store, index_in(store, last))->extent ^= 4U;
    EXPECT(!mete_movable_resize(store, block, 600U));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (usage_of(store).moved_total == 0U));
    at(store, index_in(store, last))->extent ^= 4U;
    EXPECT(mete_movable_resize(store, block, 600U) && (usage_of(store).moved_total == 312U));
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_damage_that_automatic_compaction_meets_is_reported(void)
{
    fixture_t f;
    mete_movable_config_t config = defaults;
    config.step_size = 64U;
    store_t *const store = setup_with(&f, &config);
    const handle_t hole = mete_movable_alloc(store, 104U);
    const handle_t block = mete_movable_alloc(store, 104U);
    (void)mete_movable_alloc(store, 104U);
    const handle_t last = mete_movable_alloc(store, 104U);
    mete_movable_free(store, hole);
    f.config.call_interval = 1U;
    at(store, index_in(store, block))->extent ^= 1U;
    EXPECT(mete_movable_alloc(store, 8U).value != 0U);  // It is done nevertheless.
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == NULL));
    EXPECT(mete_movable_resize(store, last, 96U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    mete_movable_free(store, last);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && !mete_movable_has(store, last));
    EXPECT(usage_of(store).moved_total == 0U);
}

static void test_damaged_spare_slots_are_reported(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t block = mete_movable_alloc(store, 8U);
    const uint16_t right = store->spare_first;
    static const uint16_t wrong[] = {SENTINEL + 1, FIRST, SLOTS, UINT16_MAX};
    for (size_t i = 0U; i < 4U; i++) {
        store->spare_first = wrong[i];
        EXPECT((mete_movable_alloc(store, 8U).value == 0U) &&
               (tap_take_fault() == METE_FAULT_CORRUPT));
    }
    store->spare_first = 0U;  // As if there were no slots.
    EXPECT((mete_movable_alloc(store, 8U).value == 0U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    mete_movable_free(store, block);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && mete_movable_has(store, block));
    EXPECT(usage_of(store).refusals == 0U);
    store->spare_first = right;
    store->spare_last = FIRST;
    mete_movable_free(store, block);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && mete_movable_has(store, block));
    store->spare_last = SLOTS - 1;
    at(store, SLOTS - 1)->next = 4U;
    mete_movable_free(store, block);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && mete_movable_has(store, block));
    at(store, SLOTS - 1)->next = 0U;
    at(store, index_in(store, block))->tag = 4U;
    EXPECT((mete_movable_pin(store, block) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
}

static void test_a_damaged_move_is_reported(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    store_t *const store = &f.store;
    const store_t good = *store;
    for (size_t i = 0U; i < 4U; i++) {
        store->move_to += (i == 0U) ? 8U : 0U;
        store->move_done += (i == 1U) ? 304U : 0U;
        store->moving = (uint16_t)((i == 2U) ? SLOTS : (i == 3U) ? GHOST : store->moving);
        EXPECT((mete_movable_compact(store, 8U) == 0U) && (tap_take_fault() == METE_FAULT_CORRUPT));
        mete_movable_settle(store);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        if (i < 2U) {
            EXPECT((mete_movable_pin(store, block) == NULL) &&
                   (tap_take_fault() == METE_FAULT_CORRUPT));
            mete_movable_free(store, block);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        }
        *store = good;
        EXPECT(mete_movable_check(store));
    }
}

static void test_damaged_slots_of_a_move_are_reported(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    store_t *const store = &f.store;
    slot_t *const slots[] = {at(store, store->moving), at(store, GHOST)};
    for (size_t i = 0U; i < 2U; i++) {
        const slot_t whole = *slots[i];
        for (size_t field = 0U; field < 4U; field++) {
            slots[i]->next ^= (field == 0U) ? 8U : 0U;
            slots[i]->previous ^= (field == 1U) ? 8U : 0U;
            slots[i]->address ^= (field == 2U) ? 16U : 0U;
            slots[i]->extent ^= (field == 3U) ? 2U : 0U;
            EXPECT(mete_movable_compact(store, 8U) == 0U);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            mete_movable_free(store, block);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            *slots[i] = whole;
        }
    }
    EXPECT(mete_movable_check(store) && (store->moved_total == 80U));
    at(store, GHOST)->extent -= 1U;
    EXPECT((mete_movable_pin(store, block) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
}

static void test_level_3_reports_damage_anywhere_after_every_operation(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t block = mete_movable_alloc(store, 8U);
    const handle_t other = mete_movable_alloc(store, 8U);
    store->gap_count++;
    const int expected = (METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0;
    (void)mete_movable_alloc(store, 8U);
    EXPECT(tap_take_fault() == expected);
    (void)mete_movable_compact(store, 8U);
    EXPECT(tap_take_fault() == expected);
    (void)mete_movable_resize(store, other, 4U);
    EXPECT(tap_take_fault() == expected);
    (void)mete_movable_evacuate(store, f.config.storage, f.config.storage, 8U);
    EXPECT(tap_take_fault() == expected);
    mete_movable_free(store, block);
    EXPECT(tap_take_fault() == expected);
}

int main(void)
{
    RUN(test_check_sees_every_bit_of_every_slot);
    RUN(test_check_sees_every_field_spoiled);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_damage_is_reported_and_nothing_changes);
        RUN(test_any_bit_of_an_address_or_size_that_flips_is_found);
        RUN(test_alloc_trusts_no_damaged_last_block);
        RUN(test_a_damaged_slot_is_not_moved);
        RUN(test_resize_pushes_no_damaged_block_up);
        RUN(test_damage_that_automatic_compaction_meets_is_reported);
        RUN(test_damaged_spare_slots_are_reported);
        RUN(test_a_damaged_move_is_reported);
        RUN(test_damaged_slots_of_a_move_are_reported);
    }
    RUN(test_level_3_reports_damage_anywhere_after_every_operation);
    return tap_finish();
}
