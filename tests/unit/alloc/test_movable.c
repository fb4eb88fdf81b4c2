// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The store of movable blocks, tested from inside: this file includes movable.c itself, so that it can
// spoil the bookkeeping on purpose. Each test makes its own store and states one behaviour.

#include "mete/alloc/movable.c"

#include "tests/support/tap.h"

enum { SLOTS = 16, BYTES = 1024 };

typedef struct fixture {
    uint64_t memory[BYTES / 8] __attribute__((aligned(8)));
    slot_t slots[SLOTS];
    mete_movable_config_t config;
    store_t store;
} fixture_t;

static const mete_movable_config_t defaults = {.slot_count = SLOTS, .failure_size = SIZE_MAX};

static store_t *setup_with(fixture_t *f, const mete_movable_config_t *config)
{
    f->config = *config;
    f->config.storage = (mete_span_t){f->memory, sizeof f->memory};
    f->config.slots = f->slots;
    EXPECT(mete_movable_init(&f->store, &f->config));
    EXPECT(mete_movable_check(&f->store));
    return &f->store;
}

static store_t *setup(fixture_t *f)
{
    return setup_with(f, &defaults);
}

static mete_movable_usage_t usage_of(const store_t *store)
{
    return mete_movable_usage(store);
}

// Where a block is, as an offset into the storage, without touching its pins.
static size_t place_of(const fixture_t *f, handle_t handle)
{
    return (size_t)(at(&f->store, index_in(&f->store, handle))->address - (uintptr_t)f->memory);
}

static void paint(store_t *store, handle_t handle, uint8_t byte)
{
    mete_words_fill(mete_movable_pin(store, handle), byte, mete_movable_size_of(store, handle));
    mete_movable_unpin(store, handle);
}

static bool is_painted(store_t *store, handle_t handle, uint8_t byte, size_t size)
{
    const void *const block = mete_movable_pin(store, handle);
    mete_movable_unpin(store, handle);
    return mete_words_scan(block, byte, size) == size;
}

static handle_t handle_from(uint32_t value)
{
    return (handle_t){value};
}

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

// ---- Handles

// All calls that take a handle refuse it with that fault, and nothing changes.
static void expect_refused(store_t *store, uint32_t value, int fault)
{
    const handle_t handle = {value};
    const uint32_t index = (uint32_t)index_in(store, handle);
    const uint32_t tag = at(store, index)->tag;
    const size_t count = usage_of(store).block_count;
    EXPECT(!mete_movable_has(store, handle));
    EXPECT((mete_movable_pin(store, handle) == NULL) && (tap_take_fault() == fault));
    mete_movable_unpin(store, handle);
    EXPECT(tap_take_fault() == fault);
    EXPECT((mete_movable_address(store, handle) == NULL) && (tap_take_fault() == fault));
    EXPECT((mete_movable_size_of(store, handle) == 0U) && (tap_take_fault() == fault));
    EXPECT(!mete_movable_resize(store, handle, 8U) && (tap_take_fault() == fault));
    mete_movable_free(store, handle);
    EXPECT(tap_take_fault() == ((value == 0U) ? 0 : fault));
    EXPECT((at(store, index)->tag == tag) && (usage_of(store).block_count == count));
}

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

// Of all values that differ from a good handle, its negative or complement in up to two bits none is
// accepted, whatever state the block is in.
static void expect_forgeries_are_refused(store_t *store, handle_t handle)
{
    const uint32_t near[] = {handle.value, 0U - handle.value, ~handle.value, 0U};
    for (size_t n = 0U; n < 4U; n++) {
        for (size_t first = 0U; first < 32U; first++) {
            for (size_t second = first; second < 32U; second++) {
                const uint32_t bits = ((uint32_t)1U << first) | ((uint32_t)1U << second);
                const uint32_t value = near[n] ^ ((n == 3U) && (first == second) ? 0U : bits);
                const uint32_t tag = at(store, index_in(store, handle_from(value)))->tag;
                if (value != handle.value) {
                    EXPECT(!mete_movable_has(store, handle_from(value)));
                    EXPECT(mete_movable_pin(store, handle_from(value)) == NULL);
                    EXPECT(tap_take_fault() != 0);
                    mete_movable_unpin(store, handle_from(value));
                    EXPECT(tap_take_fault() != 0);
                    EXPECT(at(store, index_in(store, handle_from(value)))->tag == tag);
                }
            }
        }
    }
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

// ---- compact

// The compactor of 1024 bytes at threshold 0.3: allocate 100, 200 and 150, free the 200.
static void test_compactor_of_1024_bytes_at_threshold_30_percent(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t first = mete_movable_alloc(store, 100U);
    const handle_t second = mete_movable_alloc(store, 200U);
    const handle_t third = mete_movable_alloc(store, 150U);
    paint(store, first, 1U);
    paint(store, third, 3U);
    mete_movable_free(store, second);
    const mete_movable_usage_t before = usage_of(store);
    EXPECT((before.frag.low_permille > 0U) && (before.gap_count == 2U));
    EXPECT((before.frag.low_permille <= 258U) && (before.frag.high_permille >= 258U));
    EXPECT(mete_movable_compact(store, SIZE_MAX) == 0U);
    const mete_movable_usage_t after = usage_of(store);
    EXPECT((after.frag.high_permille == 0U) && (after.gap_count == 1U));
    EXPECT((after.moved_total == 152U) && (after.free_size == before.free_size));
    EXPECT(is_painted(store, first, 1U, 100U) && is_painted(store, third, 3U, 150U));
    EXPECT((place_of(&f, third) == 104U) && mete_movable_check(store));
}

static void test_a_step_moves_no_more_than_asked_for_and_tells_what_is_left(void)
{
    for (size_t step_size = 8U; step_size <= 400U; step_size += 23U) {
        fixture_t f;
        store_t *const store = setup(&f);
        const handle_t hole = mete_movable_alloc(store, 56U);
        const handle_t large = mete_movable_alloc(store, 304U);
        const handle_t small = mete_movable_alloc(store, 24U);
        paint(store, large, 5U);
        paint(store, small, 6U);
        mete_movable_free(store, hole);
        size_t left = 328U;
        for (size_t steps = 0U; (left != 0U) && EXPECT(steps < 100U); steps++) {
            const size_t moved = usage_of(store).moved_total;
            const size_t left_now = mete_movable_compact(store, step_size);
            EXPECT(usage_of(store).moved_total - moved <= step_size);
            EXPECT((left_now == 0U) || (left_now <= left - (step_size / 8U * 8U)));
            EXPECT(mete_movable_check(store) && (usage_of(store).block_count == 2U));
            left = left_now;
        }
        EXPECT(usage_of(store).moved_total == 328U);
        EXPECT(is_painted(store, large, 5U, 304U) && is_painted(store, small, 6U, 24U));
        EXPECT((usage_of(store).gap_count == 1U) && (tap_take_fault() == 0));
    }
}

static void test_steps_below_a_granule_move_nothing(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t hole = mete_movable_alloc(store, 8U);
    (void)mete_movable_alloc(store, 8U);
    mete_movable_free(store, hole);
    EXPECT((mete_movable_compact(store, 7U) == 8U) && (usage_of(store).moved_total == 0U));
    EXPECT((mete_movable_compact(store, 0U) == 8U) && (store->moving == 0U));
    EXPECT((mete_movable_compact(store, 8U) == 0U) && (usage_of(store).moved_total == 8U));
}

// A store whose second block of 304 bytes has been moved by 80 bytes of 304, downwards by 56.
static handle_t setup_moving(fixture_t *f)
{
    store_t *const store = setup(f);
    const handle_t hole = mete_movable_alloc(store, 56U);
    const handle_t block = mete_movable_alloc(store, 304U);
    unsigned char *const bytes = mete_movable_pin(store, block);
    for (size_t i = 0U; i < 304U; i++) {
        bytes[i] = (unsigned char)(i * 7U);
    }
    mete_movable_unpin(store, block);
    mete_movable_free(store, hole);
    EXPECT(mete_movable_compact(store, 80U) == 224U);
    EXPECT((store->moving != 0U) && mete_movable_check(store));
    return block;
}

static bool has_all(const unsigned char *bytes)
{
    size_t i = 0U;
    while ((i < 304U) && (bytes[i] == (unsigned char)(i * 7U))) {
        i++;
    }
    return i == 304U;
}

static void test_pin_of_a_block_being_moved_finishes_the_move(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    EXPECT(mete_movable_has(&f.store, block) && (mete_movable_size_of(&f.store, block) == 304U));
    const unsigned char *const bytes = mete_movable_pin(&f.store, block);
    EXPECT((bytes == (unsigned char *)f.memory) && has_all(bytes));
    EXPECT((f.store.moving == 0U) && mete_movable_check(&f.store) && (tap_take_fault() == 0));
    EXPECT(mete_movable_compact(&f.store, SIZE_MAX) == 0U);
    mete_movable_unpin(&f.store, block);
    EXPECT(tap_take_fault() == 0);
}

static void test_unpin_of_a_block_being_moved_is_refused(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    mete_movable_unpin(&f.store, block);
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && mete_movable_check(&f.store));
    expect_forgeries_are_refused(&f.store, block);
    EXPECT(f.store.moving != 0U);
}

static void test_free_of_a_block_being_moved_gives_the_move_up(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    mete_movable_free(&f.store, block);
    EXPECT((tap_take_fault() == 0) && mete_movable_check(&f.store) && (f.store.moving == 0U));
    EXPECT((usage_of(&f.store).free_size == BYTES) && (usage_of(&f.store).gap_count == 1U));
    expect_refused(&f.store, block.value, METE_FAULT_DOUBLE_FREE);
}

static void test_resize_of_a_block_being_moved_finishes_the_move(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    EXPECT(mete_movable_resize(&f.store, block, BYTES) && (f.store.moving == 0U));
    const unsigned char *const bytes = mete_movable_pin(&f.store, block);
    EXPECT(has_all(bytes) && (bytes == (unsigned char *)f.memory) && mete_movable_check(&f.store));
}

static void test_others_may_come_and_go_while_a_block_is_being_moved(void)
{
    fixture_t f;
    const handle_t block = setup_moving(&f);
    EXPECT(usage_of(&f.store).in_use_size == 304U);
    EXPECT(usage_of(&f.store).free_size == BYTES - 304U - 56U);
    const handle_t other = mete_movable_alloc(&f.store, 104U);
    EXPECT((place_of(&f, other) == 360U) && mete_movable_check(&f.store));
    mete_movable_free(&f.store, other);
    const handle_t all = mete_movable_alloc(&f.store, BYTES - 304U);  // Needs the rest of the move.
    EXPECT((all.value != 0U) && (f.store.moving == 0U) && mete_movable_check(&f.store));
    EXPECT(has_all(mete_movable_pin(&f.store, block)) && (tap_take_fault() == 0));
}

// ---- Pins and compaction

static void test_blocks_move_around_a_pinned_one(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t hole = mete_movable_alloc(store, 200U);
    const handle_t pinned = mete_movable_alloc(store, 40U);
    const handle_t too_large = mete_movable_alloc(store, 208U);
    const handle_t fits = mete_movable_alloc(store, 128U);
    const handle_t fits_too = mete_movable_alloc(store, 72U);
    paint(store, pinned, 1U);
    paint(store, too_large, 2U);
    paint(store, fits, 3U);
    paint(store, fits_too, 4U);
    (void)mete_movable_pin(store, pinned);
    mete_movable_free(store, hole);
    EXPECT(mete_movable_compact(store, SIZE_MAX) == 0U);
    EXPECT((place_of(&f, fits) == 0U) && (place_of(&f, fits_too) == 128U));
    EXPECT((place_of(&f, pinned) == 200U) && (place_of(&f, too_large) == 240U));
    EXPECT((usage_of(store).gap_count == 1U) && (usage_of(store).moved_total == 200U));
    mete_movable_unpin(store, pinned);
    EXPECT(is_painted(store, pinned, 1U, 40U) && is_painted(store, too_large, 2U, 208U));
    EXPECT(is_painted(store, fits, 3U, 128U) && is_painted(store, fits_too, 4U, 72U));
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_free_memory_on_both_sides_of_a_pin_is_used(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t front = mete_movable_alloc(store, 400U);
    const handle_t pinned = mete_movable_alloc(store, 24U);
    (void)mete_movable_pin(store, pinned);
    mete_movable_free(store, front);
    const handle_t behind = mete_movable_alloc(store, 600U);
    EXPECT(place_of(&f, behind) == 424U);
    const handle_t again = mete_movable_alloc(store, 400U);
    EXPECT((place_of(&f, again) == 0U) && (usage_of(store).free_size == 0U));
    EXPECT(mete_movable_alloc(store, 8U).value == 0U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

// ---- Compaction by itself

static void test_a_request_is_met_by_compaction_before_it_is_refused(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[8];
    for (size_t i = 0U; i < 8U; i++) {
        handles[i] = mete_movable_alloc(store, 128U);
        paint(store, handles[i], (uint8_t)i);
    }
    for (size_t i = 0U; i < 8U; i += 2U) {
        mete_movable_free(store, handles[i]);
    }
    EXPECT((mete_movable_alloc(store, 513U).value == 0U) && (usage_of(store).moved_total == 0U));
    EXPECT((mete_movable_alloc(store, 200U).value != 0U) && (usage_of(store).moved_total == 128U));
    EXPECT(mete_movable_alloc(store, 256U).value != 0U);
    for (size_t i = 1U; i < 8U; i += 2U) {
        EXPECT(is_painted(store, handles[i], (uint8_t)i, 128U));
    }
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_failure_size_bounds_what_a_request_moves(void)
{
    fixture_t f;
    mete_movable_config_t config = defaults;
    config.failure_size = 100U;
    store_t *const store = setup_with(&f, &config);
    const handle_t hole = mete_movable_alloc(store, 200U);
    (void)mete_movable_alloc(store, 600U);
    mete_movable_free(store, hole);
    size_t tries = 1U;
    for (; (mete_movable_alloc(store, 400U).value == 0U) && (tries < 20U); tries++) {
        EXPECT(usage_of(store).moved_total == 96U * tries);
    }
    EXPECT((tries == 7U) && (usage_of(store).refusals == 6U) && (tap_take_fault() == 0));
    config.failure_size = 0U;
    setup_with(&f, &config);
    const handle_t again = mete_movable_alloc(store, 200U);
    (void)mete_movable_alloc(store, 600U);
    mete_movable_free(store, again);
    EXPECT((mete_movable_alloc(store, 400U).value == 0U) && (usage_of(store).moved_total == 0U));
    EXPECT(!mete_movable_resize(store, handle_from(handle_of(store, 3U)), 1000U));
    EXPECT(usage_of(store).moved_total == 0U);
}

static void test_above_the_threshold_every_call_compacts_a_step(void)
{
    for (uint16_t threshold = 1U; threshold <= 1000U; threshold += 37U) {
        fixture_t f;
        mete_movable_config_t config = defaults;
        config.threshold_permille = threshold;
        config.step_size = 16U;
        store_t *const store = setup_with(&f, &config);
        handle_t handles[8];
        for (size_t i = 0U; i < 8U; i++) {
            handles[i] = mete_movable_alloc(store, 64U + (16U * i));
        }
        for (size_t i = 0U; i < 8U; i += 2U) {
            const size_t moved = store->moved_total;
            f.config.step_size = 0U;
            mete_movable_free(store, handles[i]);
            const uint16_t low = usage_of(store).frag.low_permille;
            EXPECT((store->moved_total == moved) && (is_fragmented(store) == (low >= threshold)));
            f.config.step_size = 16U;
            EXPECT(mete_movable_resize(store, handles[7], 170U + i));
            EXPECT(store->moved_total == moved + ((low >= threshold) ? 16U : 0U));
            f.config.step_size = 0U;
            EXPECT(mete_movable_compact(store, 0U) != 1U);
        }
        EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
    }
}

static void test_the_threshold_itself_counts(void)
{
    const mete_movable_config_t config = {.threshold_permille = 300U};
    const store_t store = {.config = &config, .free_granules = 10U, .free_squares = 49U};
    const store_t below = {.config = &config, .free_granules = 10U, .free_squares = 50U};
    EXPECT((mete_frag_of(10U, 49U).low_permille == 300U) && is_fragmented(&store));
    EXPECT((mete_frag_of(10U, 50U).low_permille < 300U) && !is_fragmented(&below));
}

static void test_every_so_many_calls_compact_a_step(void)
{
    fixture_t f;
    mete_movable_config_t config = defaults;
    config.call_interval = 4U;
    config.step_size = 8U;
    store_t *const store = setup_with(&f, &config);
    const handle_t hole = mete_movable_alloc(store, 8U);
    const handle_t block = mete_movable_alloc(store, 800U);
    mete_movable_free(store, hole);
    for (size_t calls = 4U; calls < 40U; calls++) {
        EXPECT(mete_movable_resize(store, hole, 8U) == false);  // Refused: that is no call.
        EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
        const handle_t other = mete_movable_alloc(store, 8U);
        calls++;
        mete_movable_free(store, other);
        EXPECT(usage_of(store).moved_total == calls / 4U * 8U);
    }
    EXPECT(mete_movable_has(store, block) && mete_movable_check(store));
}

static uint32_t now;

static uint32_t read_clock(void)
{
    return now;
}

static void test_every_so_many_ticks_compact_a_step(void)
{
    fixture_t f;
    mete_movable_config_t config = defaults;
    config.tick_interval = 100U;
    config.clock = read_clock;
    config.step_size = 8U;
    now = UINT32_MAX - 50U;  // It may wrap.
    store_t *const store = setup_with(&f, &config);
    const handle_t hole = mete_movable_alloc(store, 8U);
    (void)mete_movable_alloc(store, 800U);
    mete_movable_free(store, hole);
    now += 99U;
    (void)mete_movable_alloc(store, 8U);
    EXPECT(usage_of(store).moved_total == 0U);
    now += 1U;
    (void)mete_movable_alloc(store, 8U);
    (void)mete_movable_alloc(store, 8U);
    EXPECT(usage_of(store).moved_total == 8U);
    now += 100U;
    (void)mete_movable_alloc(store, 8U);
    EXPECT((usage_of(store).moved_total == 16U) && mete_movable_check(store));
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

// ---- The mover

static void test_evacuate_empties_a_span_in_steps(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[6];
    for (size_t i = 0U; i < 6U; i++) {
        handles[i] = mete_movable_alloc(store, 80U);
        paint(store, handles[i], (uint8_t)(i + 1U));
    }
    const mete_mover_t mover = mete_movable_as_mover(store);
    const mete_span_t asleep = {f.memory, 256U};
    const mete_span_t awake = {&f.memory[32], BYTES - 256U};
    EXPECT(mover.ops->live_size(mover.self, asleep) == 256U);
    EXPECT(mover.ops->live_size(mover.self, awake) == 480U - 256U);
    EXPECT(mover.ops->confine(mover.self, awake));
    size_t left = 256U;
    for (size_t steps = 0U; (left != 0U) && EXPECT(steps < 30U); steps++) {
        const size_t moved = usage_of(store).moved_total;
        const size_t now_left = mover.ops->evacuate(mover.self, asleep, awake, 24U);
        EXPECT((usage_of(store).moved_total - moved <= 24U) && mete_movable_check(store));
        EXPECT((now_left < left) || (store->moving != 0U));
        left = now_left;
    }
    EXPECT((mover.ops->live_size(mover.self, asleep) == 0U) && (left == 0U));
    mete_words_fill(f.memory, 0xEEU, 256U);  // Nothing is lost when it loses its contents.
    for (size_t i = 0U; i < 6U; i++) {
        EXPECT(is_painted(store, handles[i], (uint8_t)(i + 1U), 80U));
    }
    (void)mete_movable_compact(store, SIZE_MAX);
    EXPECT(mete_movable_alloc(store, 288U).value != 0U);  // All that is free awake,
    EXPECT(mete_movable_alloc(store, 8U).value == 0U);    // and none of what is asleep.
    EXPECT(mete_words_scan(f.memory, 0xEEU, 256U) == 256U);
    EXPECT(mover.ops->live_size(mover.self, asleep) == 0U);
    EXPECT(mover.ops->confine(mover.self, f.config.storage));
    EXPECT(place_of(&f, mete_movable_alloc(store, 8U)) == 0U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_evacuate_leaves_what_is_pinned_and_what_does_not_fit(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t pinned = mete_movable_alloc(store, 64U);
    const handle_t large = mete_movable_alloc(store, 192U);
    (void)mete_movable_alloc(store, 600U);
    (void)mete_movable_pin(store, pinned);
    const mete_span_t from = {f.memory, 256U};
    const mete_span_t to = {&f.memory[32], BYTES - 256U};
    EXPECT(mete_movable_pinned_size(store, from) == 64U);
    EXPECT(mete_movable_evacuate(store, from, to, SIZE_MAX) == 192U);
    EXPECT(mete_movable_resize(store, large, 160U));
    EXPECT(mete_movable_evacuate(store, from, to, SIZE_MAX) == 0U);
    EXPECT((mete_movable_live_size(store, from) == 64U) && mete_movable_check(store));
    EXPECT(place_of(&f, pinned) == 0U);
    mete_movable_unpin(store, pinned);
    EXPECT(mete_movable_evacuate(store, from, f.config.storage, SIZE_MAX) == 64U);  // They overlap.
    EXPECT(place_of(&f, pinned) == 0U);
    EXPECT(tap_take_fault() == 0);
}

static void test_confine_refuses_what_is_not_storage(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    EXPECT(!mete_movable_confine(store, (mete_span_t){NULL, 0U}));
    EXPECT(!mete_movable_confine(store, (mete_span_t){f.slots, sizeof f.slots}));
    EXPECT(!mete_movable_confine(store, (mete_span_t){(unsigned char *)f.memory + 1, 14U}));
    EXPECT((store->low == store->start) && (store->high == store->end));
    EXPECT(mete_movable_confine(store, (mete_span_t){(unsigned char *)f.memory + 1, 15U}));
    EXPECT(place_of(&f, mete_movable_alloc(store, 8U)) == 8U);
    EXPECT(mete_movable_alloc(store, 8U).value == 0U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_compaction_keeps_within_what_it_is_confined_to(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t hole = mete_movable_alloc(store, 160U);
    const handle_t block = mete_movable_alloc(store, 80U);
    const handle_t behind = mete_movable_alloc(store, 80U);
    mete_movable_free(store, hole);
    EXPECT(mete_movable_confine(store, (mete_span_t){&f.memory[8], 64U}));
    EXPECT(mete_movable_compact(store, SIZE_MAX) == 0U);
    EXPECT((place_of(&f, block) == 160U) && (place_of(&f, behind) == 240U));
    EXPECT(mete_movable_confine(store, (mete_span_t){&f.memory[8], 104U}));
    EXPECT(mete_movable_compact(store, SIZE_MAX) == 0U);
    EXPECT((place_of(&f, block) == 64U) && (place_of(&f, behind) == 240U));
    EXPECT(!mete_movable_resize(store, block, 200U) && (place_of(&f, behind) == 240U));
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

// ---- walk, check, damage

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
    at(store, m)->previous = (uint16_t)index_in(store, first);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
    mete_movable_free(store, middle);
    EXPECT((tap_take_fault() == 0) && (usage_of(store).gap_count == 2U));
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
        if (i < 2U) {
            EXPECT((mete_movable_pin(store, block) == NULL) &&
                   (tap_take_fault() == METE_FAULT_CORRUPT));
            mete_movable_free(store, block);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        }
        *store = good;
        EXPECT(mete_movable_check(store));
    }
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
    RUN(test_init_again_resets);
    RUN(test_slot_count_macro_gives_a_power_of_two_with_room_for_two_more);
    RUN(test_alloc_gives_memory_in_order_then_none);
    RUN(test_alloc_of_nothing_and_of_too_much_gives_none);
    RUN(test_alloc_gives_none_without_a_slot);
    RUN(test_a_gap_is_used_when_the_end_is_reached_the_first_that_fits);
    RUN(test_free_refuses_a_pinned_block);
    RUN(test_a_stale_handle_is_refused_also_when_its_slot_is_in_use_again);
    RUN(test_a_forged_handle_is_refused_whatever_the_state);
    RUN(test_a_slot_is_retired_when_its_generations_are_used_up);
    RUN(test_every_generation_of_a_slot_is_different);
    RUN(test_a_slot_that_recycles_starts_over);
    RUN(test_pins_are_counted);
    RUN(test_resize_in_place_keeps_the_address);
    RUN(test_resize_of_a_pinned_block_never_moves_it);
    RUN(test_resize_uses_whatever_is_free_in_front_and_behind);
    RUN(test_compactor_of_1024_bytes_at_threshold_30_percent);
    RUN(test_a_step_moves_no_more_than_asked_for_and_tells_what_is_left);
    RUN(test_steps_below_a_granule_move_nothing);
    RUN(test_pin_of_a_block_being_moved_finishes_the_move);
    RUN(test_unpin_of_a_block_being_moved_is_refused);
    RUN(test_free_of_a_block_being_moved_gives_the_move_up);
    RUN(test_resize_of_a_block_being_moved_finishes_the_move);
    RUN(test_others_may_come_and_go_while_a_block_is_being_moved);
    RUN(test_blocks_move_around_a_pinned_one);
    RUN(test_free_memory_on_both_sides_of_a_pin_is_used);
    RUN(test_a_request_is_met_by_compaction_before_it_is_refused);
    RUN(test_failure_size_bounds_what_a_request_moves);
    RUN(test_above_the_threshold_every_call_compacts_a_step);
    RUN(test_the_threshold_itself_counts);
    RUN(test_every_so_many_calls_compact_a_step);
    RUN(test_every_so_many_ticks_compact_a_step);
    RUN(test_the_hook_may_free_something_and_gets_one_retry);
    RUN(test_evacuate_empties_a_span_in_steps);
    RUN(test_evacuate_leaves_what_is_pinned_and_what_does_not_fit);
    RUN(test_confine_refuses_what_is_not_storage);
    RUN(test_compaction_keeps_within_what_it_is_confined_to);
    RUN(test_walk_shows_blocks_and_gaps_in_order);
    RUN(test_check_sees_every_bit_of_every_slot);
    RUN(test_check_sees_every_field_spoiled);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_damage_is_reported_and_nothing_changes);
        RUN(test_a_damaged_slot_is_not_moved);
        RUN(test_damaged_spare_slots_are_reported);
        RUN(test_a_damaged_move_is_reported);
    }
    RUN(test_level_3_reports_damage_anywhere_after_every_operation);
    RUN(test_a_defined_store_is_ready_for_init);
    return tap_finish();
}
