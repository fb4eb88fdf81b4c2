// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Movable blocks, tested from inside. Blocks that are moved: together, in parts, around pins, by themselves and out of a span.

#include "tests/unit/alloc/movable_fixture.h"

#include "tests/support/random.h"

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

static void test_evacuate_tells_what_is_left_of_a_block_moved_in_parts(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    (void)mete_movable_alloc(store, 200U);
    const handle_t next = mete_movable_alloc(store, 56U);
    const mete_span_t from = {f.memory, 256U};
    const mete_span_t to = {&f.memory[32], BYTES - 256U};
    EXPECT(mete_movable_evacuate(store, from, to, 0U) == 256U);
    EXPECT(mete_movable_evacuate(store, from, to, 80U) == 176U);
    EXPECT(mete_movable_evacuate(store, from, to, 80U) == 96U);
    EXPECT((mete_movable_live_size(store, from) == 256U) && (store->moving != 0U));
    EXPECT(mete_movable_live_size(store, to) == 200U);  // What is kept for it.
    EXPECT(mete_movable_evacuate(store, from, to, 40U) == 56U);
    EXPECT((store->moving == 0U) && (mete_movable_live_size(store, from) == 56U));
    EXPECT(mete_movable_evacuate(store, from, to, 56U) == 0U);
    EXPECT((place_of(&f, next) == 456U) && mete_movable_check(store));
}

static void test_evacuate_counts_all_of_a_block_across_an_edge(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    (void)mete_movable_alloc(store, 80U);
    const mete_span_t from = {f.memory, 64U};
    const mete_span_t small = {&f.memory[16], 72U};
    const mete_span_t large = {&f.memory[16], 80U};
    EXPECT(mete_movable_evacuate(store, from, small, SIZE_MAX) == 80U);
    EXPECT(mete_movable_evacuate(store, from, large, 0U) == 80U);
    EXPECT(mete_movable_evacuate(store, from, large, 16U) == 64U);
    EXPECT(mete_movable_evacuate(store, from, large, 64U) == 0U);
}

static bool reaches(store_t *store, mete_span_t span, const void *start, size_t size)
{
    const mete_mover_t mover = mete_movable_as_mover(store);
    const mete_span_t reach = mover.ops->reach(mover.self, span);
    return (reach.size == size) && ((size == 0U) || (reach.start == start));
}

static void test_reach_is_all_of_what_lies_in_a_span_and_can_be_moved(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t first = mete_movable_alloc(store, 80U);
    (void)mete_movable_alloc(store, 80U);
    const handle_t last = mete_movable_alloc(store, 80U);
    const mete_span_t middle = {&f.memory[11], 64U};
    EXPECT(reaches(store, middle, &f.memory[10], 80U));
    EXPECT(reaches(store, (mete_span_t){&f.memory[10], 88U}, &f.memory[10], 160U));
    EXPECT(reaches(store, (mete_span_t){&f.memory[9], 81U}, f.memory, 160U));
    EXPECT(reaches(store, (mete_span_t){&f.memory[30], 64U}, NULL, 0U));
    EXPECT(reaches(store, (mete_span_t){f.memory, SIZE_MAX}, f.memory, 240U));
    (void)mete_movable_pin(store, last);
    EXPECT(reaches(store, (mete_span_t){f.memory, SIZE_MAX}, f.memory, 160U));
    (void)mete_movable_pin(store, first);
    EXPECT(reaches(store, (mete_span_t){f.memory, SIZE_MAX}, &f.memory[10], 80U));
    // Room that is kept is touched, too.
    EXPECT(mete_movable_evacuate(store, middle, (mete_span_t){&f.memory[40], 160U}, 16U) != 0U);
    EXPECT((store->moving != 0U) && reaches(store, middle, &f.memory[10], 80U));
    EXPECT(reaches(store, (mete_span_t){&f.memory[40], 8U}, &f.memory[40], 80U));
    EXPECT(tap_take_fault() == 0);
}

static void test_evacuate_empties_a_span_at_once_if_it_may(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    for (size_t i = 0U; i < SLOTS - 2U; i++) {
        const handle_t handle = mete_movable_alloc(store, 16U);
        paint(store, handle, (uint8_t)i);
        if (i % 3U == 0U) {
            (void)mete_movable_pin(store, handle);
        }
    }
    const mete_span_t from = {f.memory, 256U};
    const mete_span_t to = {&f.memory[32], BYTES - 256U};
    EXPECT(mete_movable_evacuate(store, from, to, SIZE_MAX) == 0U);
    EXPECT(mete_movable_live_size(store, from) == mete_movable_pinned_size(store, from));
    EXPECT(mete_movable_pinned_size(store, from) == 80U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_evacuate_moves_nothing_between_spans_that_overlap(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    (void)mete_movable_alloc(store, 200U);
    const mete_span_t low = {f.memory, 256U};
    const mete_span_t high = {&f.memory[31], 400U};
    EXPECT(mete_movable_evacuate(store, low, high, SIZE_MAX) == 200U);
    EXPECT(mete_movable_evacuate(store, (mete_span_t){f.memory, SIZE_MAX},
                                 (mete_span_t){&f.memory[32], 400U}, SIZE_MAX) == 200U);
    EXPECT((usage_of(store).moved_total == 0U) && mete_movable_check(store));
    // Beyond the last address: what is there still counts.
    EXPECT(mete_movable_live_size(store, (mete_span_t){f.memory, SIZE_MAX}) == 200U);
    EXPECT(mete_movable_live_size(store, (mete_span_t){&f.memory[2], 24U}) == 24U);
    EXPECT(mete_movable_live_size(store, (mete_span_t){&f.memory[24], 64U}) == 8U);
    EXPECT(mete_movable_live_size(store, (mete_span_t){&f.memory[25], 64U}) == 0U);
    EXPECT(tap_take_fault() == 0);
}

// ---- Runs of blocks that move at once

// Puts blocks of 24 bytes at 24 * i, painted; frees those of which the bit is not set.
static void put_blocks(fixture_t *f, handle_t handles[], size_t count, uint32_t kept)
{
    store_t *const store = &f->store;
    for (size_t i = 0U; i < count; i++) {
        handles[i] = mete_movable_alloc(store, 24U);
        paint(store, handles[i], (uint8_t)(i + 1U));
    }
    for (size_t i = 0U; i < count; i++) {
        if (((kept >> i) & 1U) == 0U) {
            mete_movable_free(store, handles[i]);
            handles[i] = METE_MOVABLE_NONE;
        }
    }
}

static void expect_painted(store_t *store, const handle_t handles[], size_t count)
{
    for (size_t i = 0U; i < count; i++) {
        EXPECT((handles[i].value == 0U) || is_painted(store, handles[i], (uint8_t)(i + 1U), 24U));
    }
}

// Every set of nine blocks, with one of them pinned or none, out of every span of three, up and down.
static void test_runs_move_whatever_lies_between_them(void)
{
    enum { COUNT = 9 };
    for (uint32_t kept = 0U; kept < (1U << COUNT); kept++) {
        const size_t pinned = (kept * 7U) % (COUNT + 3U);
        const size_t from = (kept % 3U) * 3U;
        const size_t to = ((kept % 3U) + 1U + (kept / 3U % 2U)) % 3U * 3U;
        fixture_t f;
        store_t *const store = setup(&f);
        handle_t handles[COUNT];
        put_blocks(&f, handles, COUNT, kept);
        if ((pinned < COUNT) && (handles[pinned].value != 0U)) {
            (void)mete_movable_pin(store, handles[pinned]);
        }
        const mete_span_t source = {&f.memory[from * 3U], 72U};
        const mete_span_t target = {&f.memory[to * 3U], 72U};
        const size_t room = 72U - mete_movable_live_size(store, target);
        const size_t wanted =
            mete_movable_live_size(store, source) - mete_movable_pinned_size(store, source);
        const size_t moved = (wanted < room) ? wanted : room;
        EXPECT(mete_movable_evacuate(store, source, target, SIZE_MAX) == wanted - moved);
        EXPECT((usage_of(store).moved_total == moved) && mete_movable_check(store));
        EXPECT(mete_movable_live_size(store, target) == 72U - room + moved);
        expect_painted(store, handles, COUNT);
        EXPECT(tap_take_fault() == 0);
    }
}

static void test_a_run_ends_where_the_budget_does(void)
{
    for (size_t budget = 0U; budget <= 160U; budget += 8U) {
        fixture_t f;
        store_t *const store = setup(&f);
        handle_t handles[6];
        put_blocks(&f, handles, 6U, 0x3FU);
        const mete_span_t from = {f.memory, 144U};
        const mete_span_t to = {&f.memory[64], 256U};
        const size_t paid = (budget < 144U) ? budget : 144U;
        EXPECT(mete_movable_evacuate(store, from, to, budget) == 144U - paid);
        EXPECT((usage_of(store).moved_total == paid) && mete_movable_check(store));
        EXPECT((store->moving != 0U) == (paid % 24U != 0U));
        EXPECT(mete_movable_evacuate(store, from, to, SIZE_MAX) == 0U);
        EXPECT(mete_movable_live_size(store, from) == 0U);
        expect_painted(store, handles, 6U);
        EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
    }
}

// A block that lies across the edge has the room behind itself: it slides there.
static void test_a_block_across_the_edge_slides_out(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t first = mete_movable_alloc(store, 40U);
    const handle_t across = mete_movable_alloc(store, 48U);
    paint(store, across, 9U);
    (void)mete_movable_pin(store, first);
    const mete_span_t from = {f.memory, 64U};
    const mete_span_t to = {&f.memory[8], 64U};  // Not enough room behind it.
    EXPECT(mete_movable_evacuate(store, from, to, SIZE_MAX) == 48U);
    EXPECT(mete_movable_evacuate(store, from, (mete_span_t){&f.memory[8], 88U}, SIZE_MAX) == 0U);
    EXPECT((place_of(&f, across) == 88U) && (place_of(&f, first) == 0U));
    EXPECT(is_painted(store, across, 9U, 48U) && mete_movable_check(store));
}

// ---- Places that are preferred

static void test_blocks_are_put_into_the_first_place_that_has_room(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const mete_mover_t mover = mete_movable_as_mover(store);
    mete_span_t places[3] = {{&f.memory[64], 64U}, {&f.memory[16], 64U}, {&f.memory[64], 128U}};
    mover.ops->prefer(mover.self, places, 3U);
    EXPECT(place_of(&f, mete_movable_alloc(store, 40U)) == 512U);
    EXPECT(place_of(&f, mete_movable_alloc(store, 32U)) == 128U);
    EXPECT(place_of(&f, mete_movable_alloc(store, 24U)) == 552U);
    EXPECT(place_of(&f, mete_movable_alloc(store, 64U)) == 576U);  // In the run of two alone.
    EXPECT(place_of(&f, mete_movable_alloc(store, 32U)) == 160U);
    EXPECT((mete_movable_alloc(store, 8U).value == 0U) && (usage_of(store).refusals == 1U));
    places[0].start = &f.memory[0];  // Not copied.
    EXPECT(place_of(&f, mete_movable_alloc(store, 8U)) == 0U);
    mover.ops->prefer(mover.self, NULL, 0U);
    EXPECT(place_of(&f, mete_movable_alloc(store, 8U)) == 640U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

// Both say where blocks may be put.
static void test_what_is_confined_holds_for_places_too(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const mete_span_t place = {&f.memory[16], 64U};
    mete_movable_prefer(store, &place, 1U);
    EXPECT(mete_movable_confine(store, (mete_span_t){&f.memory[20], 64U}));
    EXPECT(place_of(&f, mete_movable_alloc(store, 8U)) == 160U);
    EXPECT(mete_movable_confine(store, (mete_span_t){&f.memory[0], 136U}));
    EXPECT(place_of(&f, mete_movable_alloc(store, 8U)) == 128U);
    EXPECT(mete_movable_alloc(store, 8U).value == 0U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_to_make_room_blocks_move_within_their_place_only(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[12];
    put_blocks(&f, handles, 12U, 0x955U);
    const mete_span_t places[2] = {{&f.memory[9], 72U},
                                   {&f.memory[18], 72U}};  // Blocks 3 to 5 and 6 to 8.
    mete_movable_prefer(store, places, 2U);
    EXPECT(place_of(&f, mete_movable_alloc(store, 48U)) == 96U);  // Block 4 moved down to 72.
    EXPECT((place_of(&f, handles[4]) == 72U) && (place_of(&f, handles[6]) == 144U) &&
           (place_of(&f, handles[8]) == 192U));
    EXPECT((place_of(&f, handles[2]) == 48U) && (place_of(&f, handles[11]) == 264U));
    EXPECT(mete_movable_alloc(store, 32U).value == 0U);
    EXPECT((place_of(&f, handles[8]) == 168U) && (place_of(&f, handles[11]) == 264U));
    EXPECT(place_of(&f, mete_movable_alloc(store, 24U)) == 192U);
    expect_painted(store, handles, 12U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_a_block_grows_in_the_last_place_that_it_lies_in(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const handle_t block = mete_movable_alloc(store, 24U);
    const mete_span_t places[3] = {{&f.memory[0], 64U}, {&f.memory[32], 64U}, {&f.memory[0], 96U}};
    mete_movable_prefer(store, places, 1U);
    EXPECT(mete_movable_resize(store, block, 64U) && !mete_movable_resize(store, block, 72U));
    mete_movable_prefer(store, places, 2U);
    (void)mete_movable_pin(store, block);
    EXPECT(!mete_movable_resize(store, block, 72U));
    mete_movable_prefer(store, places, 3U);
    EXPECT(mete_movable_resize(store, block, 96U) && (place_of(&f, block) == 0U));
    mete_movable_prefer(store, &places[1], 1U);
    EXPECT(!mete_movable_resize(store, block, 104U));  // It lies in none.
    EXPECT(mete_movable_resize(store, block, 16U));
    mete_movable_unpin(store, block);
    EXPECT(mete_movable_resize(store, block, 24U) && (place_of(&f, block) == 256U));
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_to_grow_a_block_others_move_within_its_place_only(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[6];
    put_blocks(&f, handles, 6U, 0x3AU);  // Blocks 0 and 2 are gone.
    const mete_span_t place = {&f.memory[3], 72U};
    mete_movable_prefer(store, &place, 1U);
    EXPECT(mete_movable_resize(store, handles[1], 48U) && (place_of(&f, handles[1]) == 24U));
    EXPECT(!mete_movable_resize(store, handles[1], 56U));
    EXPECT(mete_movable_resize(store, handles[1], 24U));
    EXPECT(mete_movable_resize(store, handles[3], 32U) && (place_of(&f, handles[3]) == 48U));
    EXPECT((place_of(&f, handles[4]) == 96U) && (place_of(&f, handles[5]) == 120U));
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

static void test_compaction_by_itself_keeps_within_places(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[9];
    put_blocks(&f, handles, 9U, 0x16AU);
    const mete_span_t places[2] = {{&f.memory[18], 72U}, {&f.memory[0], 72U}};
    mete_movable_prefer(store, places, 2U);
    EXPECT(mete_movable_compact(store, SIZE_MAX) == 0U);
    EXPECT((place_of(&f, handles[1]) == 0U) && (place_of(&f, handles[3]) == 72U) &&
           (place_of(&f, handles[5]) == 120U) && (place_of(&f, handles[6]) == 144U) &&
           (place_of(&f, handles[8]) == 168U));
    expect_painted(store, handles, 9U);
    EXPECT(mete_movable_check(store) && (tap_take_fault() == 0));
}

// ---- A move finished

static void test_settle_moves_the_rest_of_a_block_moved_in_parts(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[2];
    put_blocks(&f, handles, 2U, 0x3U);
    const mete_span_t from = {f.memory, 24U};
    const mete_span_t to = {&f.memory[32], BYTES - 256U};
    const mete_mover_t mover = mete_movable_as_mover(store);
    mover.ops->settle(mover.self);
    EXPECT((usage_of(store).moved_total == 0U) && (place_of(&f, handles[0]) == 0U));
    EXPECT(mete_movable_evacuate(store, from, to, 8U) != 0U);
    EXPECT((store->moving != 0U) && (mete_movable_live_size(store, from) == 24U));
    mover.ops->settle(mover.self);
    EXPECT((store->moving == 0U) && (mete_movable_live_size(store, from) == 0U));
    EXPECT((usage_of(store).moved_total == 24U) && mete_movable_check(store));
    expect_painted(store, handles, 2U);
    EXPECT((place_of(&f, handles[0]) == 256U) && (tap_take_fault() == 0));
}

// ---- A span compacted

static void test_a_span_is_compacted_from_around_it(void)
{
    fixture_t f;
    store_t *const store = setup(&f);
    const mete_mover_t mover = mete_movable_as_mover(store);
    handle_t handles[12];
    put_blocks(&f, handles, 12U, 0xA93U);           // 0, 1, 4, 7, 9, 11.
    const mete_span_t from = {&f.memory[3], 216U};  // Blocks 1 to 9.
    const mete_span_t to = {&f.memory[9], 144U};    // Blocks 3 to 8.
    size_t left = SIZE_MAX;
    for (size_t steps = 0U; (left != 0U) && EXPECT(steps < 20U); steps++) {
        const size_t moved = usage_of(store).moved_total;
        const size_t now_left = mover.ops->compact(mover.self, from, to, 16U);
        EXPECT((usage_of(store).moved_total - moved <= 16U) && (now_left < left));
        EXPECT(mete_movable_check(store));
        left = now_left;
    }
    EXPECT((place_of(&f, handles[1]) == 24U) && (place_of(&f, handles[0]) == 0U));
    EXPECT((place_of(&f, handles[4]) == 72U) && (place_of(&f, handles[7]) == 96U) &&
           (place_of(&f, handles[9]) == 120U) && (place_of(&f, handles[11]) == 264U));
    expect_painted(store, handles, 12U);
    EXPECT(tap_take_fault() == 0);
}

// Random work on the places of eight banks: everything is checked after every call.
static void test_random_evacuation_loses_nothing(void)
{
    enum { BLOCKS = SLOTS - 2, BANK = BYTES / 8 };
    fixture_t f;
    store_t *const store = setup(&f);
    handle_t handles[BLOCKS] = {{0U}};
    size_t sizes[BLOCKS] = {0U};
    mete_span_t places[4];
    uint32_t random = 5U;
    for (size_t i = 0U; i < 6000U; i++) {
        const size_t which = random_below(&random, BLOCKS);
        const mete_span_t from = {&f.memory[random_below(&random, 8U) * BANK / 8U], BANK};
        const mete_span_t to = {&f.memory[random_below(&random, 8U) * BANK / 8U], BANK};
        switch (random_below(&random, 8U)) {
        case 0U:
        case 1U:
            if (handles[which].value == 0U) {
                sizes[which] = 1U + random_below(&random, 60U);
                handles[which] = mete_movable_alloc(store, sizes[which]);
                if (handles[which].value != 0U) {
                    paint(store, handles[which], (uint8_t)which);
                }
            }
            break;
        case 2U:
            mete_movable_free(store, handles[which]);
            handles[which] = METE_MOVABLE_NONE;
            break;
        case 3U:
            (void)mete_movable_compact_span(store, from, from, random_below(&random, 200U));
            break;
        case 4U:
            places[random_below(&random, 4U)] = to;
            mete_movable_prefer(store, places, (i > 100U) ? random_below(&random, 5U) : 0U);
            break;
        default:
            (void)mete_movable_evacuate(store, from, to, random_below(&random, 200U));
            break;
        }
        EXPECT(mete_movable_check(store));
        EXPECT((handles[which].value == 0U) ||
               is_painted(store, handles[which], (uint8_t)which, sizes[which]));
    }
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

int main(void)
{
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
    RUN(test_evacuate_empties_a_span_in_steps);
    RUN(test_evacuate_leaves_what_is_pinned_and_what_does_not_fit);
    RUN(test_evacuate_tells_what_is_left_of_a_block_moved_in_parts);
    RUN(test_evacuate_counts_all_of_a_block_across_an_edge);
    RUN(test_settle_moves_the_rest_of_a_block_moved_in_parts);
    RUN(test_reach_is_all_of_what_lies_in_a_span_and_can_be_moved);
    RUN(test_evacuate_empties_a_span_at_once_if_it_may);
    RUN(test_evacuate_moves_nothing_between_spans_that_overlap);
    RUN(test_runs_move_whatever_lies_between_them);
    RUN(test_a_run_ends_where_the_budget_does);
    RUN(test_a_block_across_the_edge_slides_out);
    RUN(test_blocks_are_put_into_the_first_place_that_has_room);
    RUN(test_what_is_confined_holds_for_places_too);
    RUN(test_to_make_room_blocks_move_within_their_place_only);
    RUN(test_a_block_grows_in_the_last_place_that_it_lies_in);
    RUN(test_to_grow_a_block_others_move_within_its_place_only);
    RUN(test_compaction_by_itself_keeps_within_places);
    RUN(test_a_span_is_compacted_from_around_it);
    RUN(test_random_evacuation_loses_nothing);
    RUN(test_confine_refuses_what_is_not_storage);
    RUN(test_compaction_keeps_within_what_it_is_confined_to);
    return tap_finish();
}
