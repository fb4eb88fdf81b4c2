// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Movable blocks, tested from inside. Handles: stale and forged ones are refused exactly.

#include "tests/unit/alloc/movable_fixture.h"

static void test_a_stale_handle_is_refused_also_when_its_slot_is_in_use_again(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t handle = mete_movable_alloc(store, 8U);
    const handle_t other = mete_movable_alloc(store, 8U);
    mete_movable_free(store, handle);
    expect_refused(store, handle.value, METE_FAULT_DOUBLE_FREE);
    handle_t again = handle;
    for (size_t i = 0U; i < 3U * SLOTS; i++) {
        again = mete_movable_alloc(store, 8U);
        expect_refused(store, handle.value, METE_FAULT_DOUBLE_FREE);
        if (index_in(store, again) == index_in(store, handle)) {
            break;
        }
        mete_movable_free(store, again);
    }
    EXPECT((index_in(store, again) == index_in(store, handle)) && (again.value != handle.value));
    (void)mete_movable_pin(store, again);
    expect_refused(store, handle.value, METE_FAULT_DOUBLE_FREE);
    EXPECT(mete_movable_has(store, other) && mete_movable_check(store));
}

static void test_a_forged_handle_is_refused_whatever_the_state(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    for (size_t i = 0U; i < SLOTS - 2U; i++) {  // So that every slot is once the one in question.
        const handle_t handle = mete_movable_alloc(store, 8U);
        expect_forgeries_are_refused(store, handle);
        (void)mete_movable_pin(store, handle);
        expect_forgeries_are_refused(store, handle);
        (void)mete_movable_pin(store, handle);
        expect_forgeries_are_refused(store, handle);
        mete_movable_unpin(store, handle);
        mete_movable_unpin(store, handle);
        mete_movable_free(store, handle);
        expect_refused(store, handle.value + generation_one(store), METE_FAULT_FOREIGN);
        expect_refused(store, ~handle.value, METE_FAULT_FOREIGN);
        EXPECT(mete_movable_check(store));
    }
    expect_refused(store, 0U, METE_FAULT_FOREIGN);
    expect_refused(store, 1U, METE_FAULT_FOREIGN);  // Slot 0, and slot 1.
    expect_refused(store, 3U | generation_one(store), METE_FAULT_FOREIGN);
    expect_refused(store, 5U, METE_FAULT_FOREIGN);  // Generation 0.
}

// Makes the next block of the slot that alloc takes next the last one but `left`.
static void age(store_t *store, uint32_t left)
{
    slot_t *const slot = at(store, store->spare_first);
    slot->tag = ~(((UINT32_MAX - (left * generation_one(store))) & ~(generation_one(store) - 1U)) |
                  (uint32_t)((2U * store->spare_first) + 1U));
}

static void test_a_slot_is_retired_when_its_generations_are_used_up(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t last[SLOTS - 2];
    for (size_t i = 0U; i < SLOTS - 2U; i++) {
        age(store, 0U);
        last[i] = mete_movable_alloc(store, 8U);
        EXPECT(last[i].value >= 0U - generation_one(store));
        EXPECT(mete_movable_check(store));
        mete_movable_free(store, last[i]);
        EXPECT(mete_movable_check(store) && (usage_of(store).retired_count == i + 1U));
    }
    EXPECT((mete_movable_alloc(store, 8U).value == 0U) && (usage_of(store).spare_count == 0U));
    for (size_t i = 0U; i < SLOTS - 2U; i++) {
        expect_refused(store, last[i].value, METE_FAULT_DOUBLE_FREE);
        expect_forgeries_are_refused(store, last[i]);
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_every_generation_of_a_slot_is_different(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    age(store, 3U);
    uint32_t before = 0U;
    const size_t slot = store->spare_first;
    for (size_t count = 0U; (count < 4U * SLOTS) && (usage_of(store).retired_count == 0U);
         count++) {
        const handle_t handle = mete_movable_alloc(store, 8U);
        if (index_in(store, handle) == slot) {
            EXPECT(handle.value > before);
            before = handle.value;
        }
        mete_movable_free(store, handle);
    }
    EXPECT((usage_of(store).retired_count == 1U) && (tap_take_fault() == 0));
}

static void test_a_slot_that_recycles_starts_over(void)
{
    fixture_t f;
    mete_movable_config_t config = defaults;
    config.recycles = true;
    store_t *const store = setup_with(&f, &config);
    age(store, 0U);
    const size_t slot = store->spare_first;
    const handle_t last = mete_movable_alloc(store, 8U);
    mete_movable_free(store, last);
    EXPECT((usage_of(store).retired_count == 0U) && mete_movable_check(store));
    EXPECT(~at(store, slot)->tag == (generation_one(store) | (2U * slot + 1U)));
    EXPECT(!mete_movable_has(store, last));
}

int main(void)
{
    RUN(test_a_stale_handle_is_refused_also_when_its_slot_is_in_use_again);
    RUN(test_a_forged_handle_is_refused_whatever_the_state);
    RUN(test_a_slot_is_retired_when_its_generations_are_used_up);
    RUN(test_every_generation_of_a_slot_is_different);
    RUN(test_a_slot_that_recycles_starts_over);
    return tap_finish();
}
