// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Movable blocks, tested from inside. What every allocator has: init, alloc and free, pins, resize, the hook, walk.

#include "tests/unit/alloc/movable_fixture.h"

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const mete_movable_config_t good = f.config;
    mete_movable_config_t bad[11];
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        bad[i] = good;
    }
    bad[0].storage.start = NULL;
    bad[1].storage.size = 15U;
    bad[2].storage.size = (size_t)METE_MOVABLE_SIZE_MAX + 1U;
    bad[3].slots = NULL;
    bad[4].slots = (slot_t *)(void *)((unsigned char *)f.slots + 2);
    bad[5].slot_count = 2U;
    bad[6].slot_count = 24U;
    bad[7].slot_count = (size_t)SLOT_COUNT_MAX * 2U;
    bad[8].slot_count = 0U;
    bad[9].threshold_permille = 1001U;
    bad[10].tick_interval = 1U;
    EXPECT(mete_movable_alloc(store, 8U).value != 0U);
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_movable_init(store, &bad[i]));
        EXPECT((usage_of(store).block_count == 1U) && mete_movable_check(store));
    }
}

static void test_storage_may_start_and_end_anywhere(void)
{
    fixture_t f;
    for (size_t offset = 0U; offset < 8U; offset++) {
        for (size_t size = 16U; size < 40U; size++) {
            f.config = defaults;
            f.config.storage = (mete_span_t){(unsigned char *)f.memory + offset, size};
            f.config.slots = f.slots;
            EXPECT(mete_movable_init(&f.store, &f.config));
            const size_t start = (offset + 7U) / 8U * 8U;
            EXPECT(usage_of(&f.store).total_size == (offset + size) / 8U * 8U - start);
            EXPECT(place_of(&f, mete_movable_alloc(&f.store, 1U)) == start);
        }
    }
}

static void test_the_smallest_table_holds_two_blocks(void)
{
    fixture_t f;
    mete_movable_config_t config = defaults;
    config.slot_count = 4U;
    store_t *const store = setup_with(&f, &config);
    EXPECT(usage_of(store).spare_count == 2U);
    EXPECT((mete_movable_alloc(store, 8U).value != 0U) &&
           (mete_movable_alloc(store, 8U).value != 0U));
    EXPECT((mete_movable_alloc(store, 8U).value == 0U) && mete_movable_check(store));
}

static void test_init_again_resets(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    (void)mete_movable_alloc(store, 100U);
    EXPECT(mete_movable_alloc(store, SIZE_MAX).value == 0U);
    setup(&f);
    const mete_movable_usage_t usage = usage_of(store);
    EXPECT((usage.block_count == 0U) && (usage.in_use_size == 0U) && (usage.in_use_peak == 0U));
    EXPECT((usage.gap_count == 1U) && (usage.free_size == BYTES) && (usage.refusals == 0U));
    EXPECT(usage.spare_count == SLOTS - 2U);
}

static void test_slot_count_macro_gives_a_power_of_two_with_room_for_two_more(void)
{
    for (size_t blocks = 1U; blocks <= METE_MOVABLE_BLOCK_COUNT_MAX; blocks++) {
        const size_t count = METE_MOVABLE_SLOT_COUNT(blocks);
        EXPECT(mete_align_is_legal(count) && (count >= blocks + 2U));
        EXPECT((count == 4U) || (count / 2U < blocks + 2U));
    }
}

// ---- alloc and free

static void test_alloc_gives_memory_in_order_then_none(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    for (size_t i = 0U; i < 8U; i++) {
        const handle_t handle = mete_movable_alloc(store, 121U);
        EXPECT((place_of(&f, handle) == 128U * i) && mete_movable_has(store, handle));
        EXPECT(mete_movable_size_of(store, handle) == 128U);
    }
    EXPECT(mete_movable_alloc(store, 1U).value == METE_MOVABLE_NONE.value);
    const mete_movable_usage_t usage = usage_of(store);
    EXPECT((usage.refusals == 1U) && (usage.in_use_size == BYTES) && (usage.free_size == 0U));
    EXPECT((usage.gap_count == 0U) && (usage.frag.high_permille == 0U));
    EXPECT((tap_take_fault() == 0) && mete_movable_check(store));
}

static void test_alloc_of_nothing_and_of_too_much_gives_none(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    EXPECT(mete_movable_alloc(store, 0U).value == 0U);
    EXPECT(usage_of(store).refusals == 0U);
    EXPECT(mete_movable_alloc(store, BYTES + 1U).value == 0U);
    EXPECT(mete_movable_alloc(store, METE_MOVABLE_SIZE_MAX + 1U).value == 0U);
    EXPECT(mete_movable_alloc(store, SIZE_MAX).value == 0U);
    EXPECT((usage_of(store).refusals == 3U) && (tap_take_fault() == 0));
    EXPECT(mete_movable_alloc(store, BYTES).value != 0U);
}

static void test_alloc_gives_none_without_a_slot(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handle = METE_MOVABLE_NONE;
    for (size_t i = 0U; i < SLOTS - 2U; i++) {
        handle = mete_movable_alloc(store, 8U);
        EXPECT(handle.value != 0U);
    }
    EXPECT(mete_movable_alloc(store, 8U).value == 0U);
    EXPECT((usage_of(store).spare_count == 0U) && (usage_of(store).refusals == 1U));
    mete_movable_free(store, handle);
    EXPECT(mete_movable_alloc(store, 8U).value != 0U);
    EXPECT((tap_take_fault() == 0) && mete_movable_check(store));
}

static void test_a_gap_is_used_when_the_end_is_reached_the_first_that_fits(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t large = mete_movable_alloc(store, 200U);
    (void)mete_movable_alloc(store, 8U);
    const handle_t small = mete_movable_alloc(store, 104U);
    (void)mete_movable_alloc(store, 700U);
    mete_movable_free(store, large);
    mete_movable_free(store, small);
    EXPECT(place_of(&f, mete_movable_alloc(store, 160U)) == 0U);
    EXPECT(place_of(&f, mete_movable_alloc(store, 100U)) == 208U);
    EXPECT(usage_of(store).moved_total == 0U);
}

static void test_free_refuses_a_pinned_block(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t handle = mete_movable_alloc(store, 8U);
    (void)mete_movable_pin(store, handle);
    for (size_t pins = 1U; pins <= 3U; pins++) {
        mete_movable_free(store, handle);
        EXPECT((tap_take_fault() == METE_FAULT_ORDER) && mete_movable_has(store, handle));
        EXPECT(tap_fault_address == (const void *)(uintptr_t)handle.value);
        (void)mete_movable_pin(store, handle);
    }
    for (size_t pins = 4U; pins != 0U; pins--) {
        mete_movable_unpin(store, handle);
    }
    mete_movable_free(store, handle);
    EXPECT((tap_take_fault() == 0) && !mete_movable_has(store, handle));
    mete_movable_free(store, METE_MOVABLE_NONE);
    EXPECT(tap_take_fault() == 0);
}

// ---- Pins

static void test_pins_are_counted(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t handle = mete_movable_alloc(store, 8U);
    for (size_t pins = 1U; pins <= METE_MOVABLE_PIN_MAX; pins++) {
        EXPECT(mete_movable_pin(store, handle) == f.memory);
        EXPECT(mete_movable_address(store, handle) == f.memory);
        EXPECT(pins_of(store, index_in(store, handle)) == pins);
    }
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
    EXPECT(mete_movable_pin(store, handle) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
    for (size_t pins = METE_MOVABLE_PIN_MAX; pins != 0U; pins--) {
        EXPECT(mete_movable_check(store) && (pins_of(store, index_in(store, handle)) == pins));
        EXPECT(mete_movable_size_of(store, handle) == 8U);
        mete_movable_unpin(store, handle);
    }
    EXPECT(tap_take_fault() == 0);
    mete_movable_unpin(store, handle);
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
    EXPECT(mete_movable_address(store, handle) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && mete_movable_check(store));
}

// ---- resize

static void test_resize_in_place_keeps_the_address(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t handle = mete_movable_alloc(store, 100U);
    unsigned char *const block = mete_movable_pin(store, handle);
    mete_words_fill(block, 7U, 100U);
    EXPECT(mete_movable_resize(store, handle, BYTES) && mete_movable_resize(store, handle, 50U));
    EXPECT((mete_movable_address(store, handle) == block) &&
           (mete_movable_size_of(store, handle) == 56U));
    EXPECT(mete_words_scan(block, 7U, 50U) == 50U);
    EXPECT(!mete_movable_resize(store, handle, BYTES + 1U) && (usage_of(store).refusals == 1U));
    EXPECT(!mete_movable_resize(store, handle, 0U) && (usage_of(store).refusals == 1U));
    EXPECT((usage_of(store).in_use_peak == BYTES) && (tap_take_fault() == 0));
    EXPECT((pins_of(store, index_in(store, handle)) == 1U) && mete_movable_check(store));
}

static void test_resize_of_a_pinned_block_never_moves_it(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t handle = mete_movable_alloc(store, 100U);
    (void)mete_movable_alloc(store, 8U);
    (void)mete_movable_pin(store, handle);
    EXPECT(!mete_movable_resize(store, handle, 105U) && (usage_of(store).refusals == 1U));
    EXPECT(mete_movable_resize(store, handle, 104U));
    mete_movable_unpin(store, handle);
    EXPECT(mete_movable_resize(store, handle, 105U) && (place_of(&f, handle) == 112U));
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_resize_moves_no_more_than_it_needs(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t hole = mete_movable_alloc(store, 104U);
    const handle_t block = mete_movable_alloc(store, 48U);
    const handle_t behind = mete_movable_alloc(store, 800U);
    mete_movable_free(store, hole);
    EXPECT(mete_movable_resize(store, block, 152U));  // It moves down, and then it fits.
    EXPECT((usage_of(store).moved_total == 48U) && (place_of(&f, block) == 0U));
    EXPECT(place_of(&f, behind) == 152U);
    EXPECT(mete_movable_resize(store, block, 40U) && mete_movable_resize(store, block, 48U));
    const handle_t last = mete_movable_alloc(store, 16U);
    EXPECT((usage_of(store).moved_total == 48U) && (place_of(&f, last) == 952U));
    EXPECT(mete_movable_resize(store, last, 80U) || EXPECT(false));  // To the gap, as a copy.
    EXPECT((usage_of(store).moved_total == 64U) && (place_of(&f, last) == 48U));
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_resize_uses_whatever_is_free_in_front_and_behind(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[8];
    for (size_t i = 0U; i < 8U; i++) {
        handles[i] = mete_movable_alloc(store, 128U);
        paint(store, handles[i], (uint8_t)(i + 1U));
    }
    mete_movable_free(store, handles[0]);
    mete_movable_free(store, handles[4]);
    mete_movable_free(store, handles[7]);
    EXPECT(mete_movable_resize(store, handles[2], 512U));
    EXPECT(is_painted(store, handles[2], 3U, 128U) && (usage_of(store).free_size == 0U));
    static const size_t others[] = {1U, 3U, 5U, 6U};
    for (size_t i = 0U; i < 4U; i++) {
        EXPECT(is_painted(store, handles[others[i]], (uint8_t)(others[i] + 1U), 128U));
    }
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

// ---- The out-of-memory hook

typedef struct helper {
    store_t *store;
    handle_t handle;
    size_t calls, size;
    bool says_try_again;
} helper_t;

static bool on_refusal(void *self, size_t size)
{
    helper_t *const helper = self;
    helper->calls++;
    helper->size = size;
    mete_movable_free(helper->store, helper->handle);
    helper->handle = METE_MOVABLE_NONE;
    return helper->says_try_again;
}

static void test_the_hook_may_free_something_and_gets_one_retry(void)
{
    fixture_t f;
    helper_t helper = {&f.store, METE_MOVABLE_NONE, 0U, 0U, true};
    mete_movable_config_t config = defaults;
    config.on_refusal = on_refusal;
    config.on_refusal_self = &helper;
    store_t *const store = setup_with(&f, &config);
    helper.handle = mete_movable_alloc(store, 600U);
    const handle_t block = mete_movable_alloc(store, 401U);
    EXPECT((block.value != 0U) || EXPECT(false));
    EXPECT(helper.calls == 0U);
    EXPECT(mete_movable_alloc(store, 500U).value != 0U);
    EXPECT((helper.calls == 1U) && (helper.size == 500U) && (usage_of(store).refusals == 0U));
    EXPECT(mete_movable_alloc(store, 500U).value == 0U);
    EXPECT((helper.calls == 2U) && (usage_of(store).refusals == 1U));
    helper.handle = block;  // Also the very block that is to be resized.
    EXPECT(!mete_movable_resize(store, block, 1000U) && (usage_of(store).refusals == 2U));
    EXPECT((tap_take_fault() == 0) && mete_movable_check(store));
    helper.says_try_again = false;
    EXPECT((mete_movable_alloc(store, 1000U).value == 0U) && (helper.calls == 4U));
}

// ---- walk

typedef struct walk {
    mete_movable_block_t seen[8];
    size_t count, stop_at;
} walk_t;

static bool visit(void *self, const mete_movable_block_t *block)
{
    walk_t *const walk = self;
    walk->seen[walk->count] = *block;
    walk->count++;
    return walk->count != walk->stop_at;
}

static void test_walk_shows_blocks_and_gaps_in_order(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    const handle_t pinned = mete_movable_alloc(&f.store, 8U);
    (void)mete_movable_pin(&f.store, pinned);
    walk_t walk = {0};
    EXPECT(mete_movable_walk(&f.store, visit, &walk) && (walk.count == 4U));
    EXPECT(!walk.seen[0].is_live && walk.seen[0].is_moving && (walk.seen[0].size == 56U));
    EXPECT(walk.seen[1].is_live && walk.seen[1].is_moving && !walk.seen[1].is_pinned);
    EXPECT((walk.seen[1].handle.value == block.value) && (walk.seen[1].size == 304U));
    EXPECT(walk.seen[2].is_live && walk.seen[2].is_pinned && !walk.seen[2].is_moving);
    EXPECT((walk.seen[2].handle.value == pinned.value) && (walk.seen[2].block == &f.memory[45]));
    EXPECT(!walk.seen[3].is_live && !walk.seen[3].is_moving && (walk.seen[3].handle.value == 0U));
    EXPECT(walk.seen[3].size == BYTES - 368U);
    walk_t short_walk = {.stop_at = 2U};
    EXPECT(!mete_movable_walk(&f.store, visit, &short_walk) && (short_walk.count == 2U));
}

METE_MOVABLE_DEFINE(defined, 300, 10);

static void test_a_defined_store_is_ready_for_init(void)
{
    EXPECT(mete_movable_init(&defined, &defined_config));
    EXPECT(usage_of(&defined).total_size == 304U);
    EXPECT(usage_of(&defined).spare_count == 14U);
    const handle_t first = mete_movable_alloc(&defined, 72U);
    const handle_t second = mete_movable_alloc(&defined, 40U);
    const handle_t third = mete_movable_alloc(&defined, 72U);
    const handle_t last = mete_movable_alloc(&defined, 48U);
    mete_movable_free(&defined, first);
    EXPECT(usage_of(&defined).moved_total == 0U);
    mete_movable_free(&defined, third);  // Three gaps of 72 bytes: 42 %.
    EXPECT((usage_of(&defined).gap_count == 1U) && (usage_of(&defined).moved_total == 88U));
    EXPECT(mete_movable_has(&defined, second) && mete_movable_has(&defined, last));
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_storage_may_start_and_end_anywhere);
    RUN(test_the_smallest_table_holds_two_blocks);
    RUN(test_init_again_resets);
    RUN(test_slot_count_macro_gives_a_power_of_two_with_room_for_two_more);
    RUN(test_alloc_gives_memory_in_order_then_none);
    RUN(test_alloc_of_nothing_and_of_too_much_gives_none);
    RUN(test_alloc_gives_none_without_a_slot);
    RUN(test_a_gap_is_used_when_the_end_is_reached_the_first_that_fits);
    RUN(test_free_refuses_a_pinned_block);
    RUN(test_pins_are_counted);
    RUN(test_resize_in_place_keeps_the_address);
    RUN(test_resize_of_a_pinned_block_never_moves_it);
    RUN(test_resize_moves_no_more_than_it_needs);
    RUN(test_resize_uses_whatever_is_free_in_front_and_behind);
    RUN(test_the_hook_may_free_something_and_gets_one_retry);
    RUN(test_walk_shows_blocks_and_gaps_in_order);
    RUN(test_a_defined_store_is_ready_for_init);
    return tap_finish();
}
