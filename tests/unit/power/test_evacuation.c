// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Evacuation of banks that a store of movable blocks lies in. The driver destroys what a bank loses, so whatever a test finds
// whole afterwards was nowhere else.

#include "mete/power/evacuation.c"

#include "mete/alloc/movable.h"
#include "mete/core/words.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { BANKS = 8, BANK = 512, BLOCKS = 62, SLOTS = 64, STEP = 64, WAKE_US = 30 };

static const mete_bank_kind_t kind = {
    .modes = {{1000U, true}, {0U, false}, {100U, true}, {1U, false}},
    .changes = {{{0U, 0U, false}, {0U, 0U, false}, {3U, 5U, true}, {4U, 6U, true}},
                {{0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{WAKE_US, 7U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{WAKE_US + 20, 8U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};

static uint64_t memory[BANKS * BANK / 8];
static mete_movable_slot_t slots[SLOTS];
static mete_bank_record_t records[BANKS];
static mete_bank_place_t places[BANKS];
static mete_evacuation_load_t loads[BANKS];
static mete_span_t order[METE_EVACUATION_ORDER_COUNT(BANKS)];
static mete_bank_config_t bank_config;
static mete_evacuation_config_t config;
static mete_movable_config_t store_config;
static mete_bank_t bank;
static mete_evacuation_t evacuation;
static mete_movable_t store;
static uint32_t refused_set;  // Banks whose driver refuses.

typedef mete_movable_handle_t handle_t;

static uint32_t read_clock(void)
{
    return 0U;
}

static bool drive(void *self, const mete_ram_change_t *change)
{
    (void)self;
    if (!change->retains) {
        mete_words_fill(change->span.start, 0xDEU, change->span.size);
    }
    return !has(refused_set, change->index);
}

static const mete_ram_ops_t ram_ops = {drive};

static void setup_with(size_t step_size, mete_ram_state_t state)
{
    for (size_t i = 0U; i < BANKS; i++) {
        places[i].span.start = &memory[i * BANK / 8U];
        places[i].span.size = BANK;
        places[i].kind = &kind;
    }
    bank_config = (mete_bank_config_t){.places = places,
                                       .records = records,
                                       .bank_count = BANKS,
                                       .ram = {&ram_ops, NULL},
                                       .clock = read_clock,
                                       .tick_us = 1U};
    store_config = (mete_movable_config_t){.storage = {memory, sizeof memory},
                                           .slots = slots,
                                           .slot_count = SLOTS,
                                           .failure_size = SIZE_MAX};
    config = (mete_evacuation_config_t){.bank = &bank,
                                        .mover = mete_movable_as_mover(&store),
                                        .loads = loads,
                                        .order = order,
                                        .step_size = step_size,
                                        .state = state,
                                        .move_us_per_kib = 1000U,
                                        .step_us = 10U};
    refused_set = 0U;
    EXPECT(mete_bank_init(&bank, &bank_config) && mete_movable_init(&store, &store_config));
    EXPECT(mete_evacuation_init(&evacuation, &config));
}

static void setup(void)
{
    setup_with(STEP, METE_RAM_DEEP_SLEEP);
}

// ---- Blocks, each painted with its number

static handle_t held[BLOCKS];
static size_t sizes[BLOCKS];

static void forget_all(void)
{
    for (size_t i = 0U; i < BLOCKS; i++) {
        held[i] = METE_MOVABLE_NONE;
    }
}

static bool put(size_t number, size_t size)
{
    held[number] = mete_movable_alloc(&store, size);
    sizes[number] = size;
    if (held[number].value == 0U) {
        return false;
    }
    mete_words_fill(mete_movable_pin(&store, held[number]), (uint8_t)(number + 1U), size);
    mete_movable_unpin(&store, held[number]);
    return true;
}

static void drop(size_t number)
{
    mete_movable_free(&store, held[number]);
    held[number] = METE_MOVABLE_NONE;
}

static size_t bank_of(size_t number)
{
    const void *const address = mete_movable_pin(&store, held[number]);
    mete_movable_unpin(&store, held[number]);
    return mete_bank_find(&bank, address);
}

// Fills `count` banks with blocks of an eighth, numbered from 0 on, whichever order is preferred.
static void fill_banks(size_t count)
{
    forget_all();
    mete_movable_prefer(&store, NULL, 0U);
    for (size_t i = 0U; i < count * 8U; i++) {
        EXPECT(put(i, BANK / 8U));
    }
    mete_evacuation_prefer(&evacuation);
}

static bool all_whole(void)
{
    bool is_whole =
        mete_movable_check(&store) && mete_evacuation_check(&evacuation) && mete_bank_check(&bank);
    for (size_t i = 0U; i < BLOCKS; i++) {
        if (held[i].value != 0U) {
            const void *const block = mete_movable_pin(&store, held[i]);
            is_whole =
                is_whole && (mete_words_scan(block, (uint8_t)(i + 1U), sizes[i]) == sizes[i]);
            mete_movable_unpin(&store, held[i]);
        }
    }
    return is_whole;
}

// A step, that moves no more than it may.
static bool move_next(void)
{
    const size_t moved = store.moved_total;
    const bool goes_on = mete_evacuation_move_next(&evacuation);
    EXPECT(store.moved_total - moved <= config.step_size);
    return goes_on;
}

static void run_out(void)
{
    for (size_t i = 0U; move_next(); i++) {
        if (!EXPECT(i < 2000U)) {
            return;
        }
    }
}

static mete_evacuation_plan_t plan_for(uint32_t targets)
{
    mete_evacuation_plan_t plan;
    EXPECT(mete_evacuation_plan(&evacuation, targets, &plan));
    return plan;
}

static mete_evacuation_plan_t plan_fewest(void)
{
    mete_evacuation_plan_t plan;
    mete_evacuation_plan_fewest(&evacuation, &plan);
    return plan;
}

static size_t count_bits(uint32_t set)
{
    return (size_t)__builtin_popcount(set);
}

// ---- init

static void test_init_refuses_a_config_that_lacks_something(void)
{
    setup();
    mete_evacuation_t other = {.order_count = 77U};
    mete_evacuation_config_t broken[7];
    for (size_t i = 0U; i < 7U; i++) {
        broken[i] = config;
    }
    broken[0].bank = NULL;
    broken[1].mover.ops = NULL;
    broken[2].loads = NULL;
    broken[3].order = NULL;
    broken[4].step_size = 7U;
    broken[5].state = METE_RAM_ACTIVE;
    broken[6].state = (mete_ram_state_t)4;
    for (size_t i = 0U; i < 7U; i++) {
        EXPECT(!mete_evacuation_init(&other, &broken[i]) && (other.order_count == 77U));
    }
    config.step_size = 8U;
    EXPECT(mete_evacuation_init(&evacuation, &config) && mete_evacuation_check(&evacuation));
}

// ---- Placement

static void test_new_blocks_go_to_the_fullest_bank(void)
{
    setup();
    fill_banks(4U);
    drop(1U), drop(2U);             // Of bank 0: two of eight;
    drop(8U), drop(9U), drop(10U);  // of bank 1: three;
    drop(25U);                      // of bank 3: one.
    mete_evacuation_prefer(&evacuation);
    EXPECT(put(40U, 64U) && (bank_of(40U) == 3U));
    EXPECT(put(41U, 64U) && (bank_of(41U) == 0U));
    EXPECT(put(42U, 128U) && (bank_of(42U) == 1U));
    EXPECT(put(43U, 64U) && (bank_of(43U) == 0U));
    EXPECT(put(44U, 64U) && (bank_of(44U) == 1U));
    EXPECT(put(45U, 64U) && (bank_of(45U) == 4U) && all_whole());
}

static void test_no_block_goes_to_a_bank_that_sleeps_or_is_to_be_emptied(void)
{
    setup();
    fill_banks(1U);
    const mete_evacuation_plan_t plan = plan_for(bit(1U) | bit(3U));
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_sleep(&evacuation) == (bit(1U) | bit(3U)));
    EXPECT(mete_bank_sleep(&bank, 2U, METE_RAM_SLEEP));
    mete_evacuation_prefer(&evacuation);
    for (size_t i = 8U; i < 40U; i++) {
        EXPECT(put(i, 64U) && (bank_of(i) >= 4U));
    }
    EXPECT(!put(40U, 64U) && all_whole());
}

static void test_a_block_larger_than_a_bank_lies_across_neighbours(void)
{
    setup();
    forget_all();
    EXPECT(put(0U, BANK + 64U) && put(1U, 3U * BANK) && all_whole());
    const mete_evacuation_plan_t plan = plan_for(bit(3U) | bit(5U) | bit(7U));
    mete_evacuation_stop(&evacuation);
    drop(0U), drop(1U);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(put(2U, 3U * BANK) && (bank_of(2U) == 0U));
    EXPECT(!put(3U, BANK + 8U) && put(4U, BANK) && put(5U, BANK));
    drop(4U), drop(5U);
    const mete_evacuation_plan_t low = plan_for(0x3FU);
    mete_evacuation_commit(&evacuation, &low);
    EXPECT(put(6U, 2U * BANK) && (bank_of(6U) == 6U));
    EXPECT(all_whole() && (tap_take_fault() == 0));
}

static void test_with_all_banks_shut_there_is_no_room(void)
{
    setup();
    forget_all();
    const mete_evacuation_plan_t plan = plan_for(0xFFU);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(!put(0U, 8U) && mete_evacuation_check(&evacuation));
    EXPECT(mete_evacuation_sleep(&evacuation) == 0xFFU);
    mete_evacuation_stop(&evacuation);
    EXPECT(!put(0U, 8U) && mete_evacuation_wake(&evacuation, 8U) && put(0U, 8U));
    EXPECT((mete_bank_awake_set(&bank) == 1U) && all_whole());
}

// ---- Plans

static void test_a_plan_says_what_would_move_and_what_is_in_the_way(void)
{
    setup();
    fill_banks(3U);
    (void)mete_movable_pin(&store, held[9]);
    (void)mete_movable_pin(&store, held[17]);
    drop(18U);
    const mete_evacuation_plan_t plan = plan_for(bit(1U) | bit(2U) | bit(6U));
    EXPECT((plan.target_set == (bit(1U) | bit(2U) | bit(6U))) && plan.fits);
    EXPECT((plan.pinned_set == (bit(1U) | bit(2U))) && (plan.pinned_size == 128U));
    EXPECT((plan.move_size == 2U * BANK - 192U) && (plan.wake_set == 0U));
    EXPECT(plan.room_size == 4U * BANK);
    EXPECT((loads[1].live_size == BANK) && (loads[1].pinned_size == 64U));
    EXPECT((loads[2].live_size == BANK - 64U) && (loads[5].live_size == 0U));
    EXPECT((store.moved_total == 0U) && (mete_evacuation_target_set(&evacuation) == 0U));
    EXPECT(plan.step_max >= plan.move_size / STEP);
    EXPECT(plan.time_us >= plan.move_size * 1000U / 1024U + plan.move_size / STEP * 10U);
    EXPECT(!plan_for(0xFEU).fits && all_whole() == true);
    const mete_evacuation_plan_t nothing = plan_for(bit(5U));
    EXPECT((nothing.move_size == 0U) && nothing.fits && (nothing.wake_set == 0U));
    EXPECT(nothing.time_us == nothing.step_max * 10U);
}

static void test_a_plan_names_what_must_be_woken_and_counts_its_latency(void)
{
    setup();
    fill_banks(3U);
    const mete_evacuation_plan_t awake = plan_for(bit(1U) | bit(5U));
    EXPECT(mete_bank_sleep(&bank, 1U, METE_RAM_SLEEP) &&
           mete_bank_sleep(&bank, 5U, METE_RAM_SLEEP));
    mete_evacuation_prefer(&evacuation);
    const mete_evacuation_plan_t plan = plan_for(bit(1U) | bit(5U));
    EXPECT((plan.wake_set == bit(1U)) && (plan.move_size == BANK));
    EXPECT(plan.time_us - plan.step_max * 10U == awake.time_us - awake.step_max * 10U + WAKE_US);
    EXPECT(plan_for(bit(0U)).room_size == 4U * BANK);  // What sleeps takes nothing.
    EXPECT(mete_bank_state_of(&bank, 1U) == METE_RAM_SLEEP);
}

static void test_the_fewest_are_a_run_that_has_room_for_the_rest(void)
{
    setup();
    fill_banks(7U);
    for (size_t i = 0U; i < 56U; i++) {
        if ((i / 8U != 3U) && (i % 8U >= 3U)) {
            drop(i);  // Three eighths in each but in the fourth, which is full: 26 eighths in all.
        }
    }
    const mete_evacuation_plan_t plan = plan_fewest();
    const uint32_t kept = 0xFFU & ~plan.target_set;
    EXPECT((kept == 0x0FU) && (plan.move_size == 9U * 64U) && plan.fits);
    drop(26U), drop(27U);
    EXPECT((0xFFU & ~plan_fewest().target_set) == 0x0EU);
    EXPECT((plan_fewest().move_size == 12U * 64U) && (plan_fewest().room_size == 12U * 64U));
}

static void test_of_banks_that_hold_pinned_blocks_all_stay(void)
{
    setup();
    fill_banks(7U);
    for (size_t i = 0U; i < 56U; i++) {
        if (i % 8U >= 2U) {
            drop(i);  // 14 eighths.
        }
    }
    (void)mete_movable_pin(&store, held[40]);  // In bank 5.
    EXPECT((0xFFU & ~plan_fewest().target_set) == (bit(0U) | bit(5U)));
    (void)mete_movable_pin(&store, held[9]);  // In bank 1.
    EXPECT((0xFFU & ~plan_fewest().target_set) == (bit(1U) | bit(5U)));
    (void)mete_movable_pin(&store, held[0]);
    EXPECT((0xFFU & ~plan_fewest().target_set) == (bit(0U) | bit(1U) | bit(5U)));
}

// To empty it would leave one bank more awake.
static void test_a_bank_that_cannot_be_put_into_the_state_stays(void)
{
    static const mete_bank_kind_t fixed = {.modes = {{1000U, true}}};
    setup();
    places[4].kind = &fixed;
    fill_banks(2U);
    EXPECT((0xFFU & ~plan_fewest().target_set) == (bit(0U) | bit(4U)));
    drop(0U);
    EXPECT((0xFFU & ~plan_fewest().target_set) == (bit(1U) | bit(4U)));
    const mete_evacuation_plan_t plan = plan_fewest();
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == plan.target_set) && all_whole());
}

static void test_where_there_is_no_run_the_fullest_stay(void)
{
    setup();
    fill_banks(8U - 1U);
    for (size_t i = 1U; i < 7U; i += 2U) {
        for (size_t n = 0U; n < 8U; n++) {
            drop(8U * i + n);
        }
        EXPECT(mete_bank_sleep(&bank, i, METE_RAM_DEEP_SLEEP));
    }
    EXPECT(mete_bank_sleep(&bank, 7U, METE_RAM_DEEP_SLEEP));
    mete_evacuation_prefer(&evacuation);
    drop(0U), drop(1U), drop(2U), drop(3U), drop(4U);
    drop(32U);
    drop(48U), drop(49U);
    // 3, 8, 7 and 6 eighths in banks 0, 2, 4 and 6: three banks are enough.
    EXPECT(plan_fewest().target_set == bit(0U));
    mete_evacuation_plan_t plan = plan_fewest();
    EXPECT(plan.fits && (plan.move_size == 192U) && (plan.room_size == 192U));
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == bit(0U)) && all_whole());
}

static void test_nothing_live_needs_no_bank(void)
{
    setup();
    forget_all();
    EXPECT(plan_fewest().target_set == 0xFFU);
}

// ---- Steps

static void test_a_step_moves_no_more_than_asked_for(void)
{
    static const size_t steps[] = {8U, 24U, 64U, 100U, 1000U};
    for (size_t i = 0U; i < sizeof steps / sizeof steps[0]; i++) {
        setup_with(steps[i], METE_RAM_DEEP_SLEEP);
        fill_banks(4U);
        for (size_t n = 0U; n < 32U; n += 2U) {
            drop(n);
        }
        const mete_evacuation_plan_t plan = plan_fewest();
        EXPECT((count_bits(plan.target_set) == 6U) && (plan.move_size == 512U));
        mete_evacuation_commit(&evacuation, &plan);
        size_t count = 0U;
        bool goes_on = true;
        while (goes_on && EXPECT(count < 2000U)) {
            goes_on = move_next();
            count++;
        }
        EXPECT((count <= plan.step_max) && (store.moved_total == plan.move_size));
        EXPECT(mete_evacuation_sleep(&evacuation) == plan.target_set);
        EXPECT((count_bits(mete_bank_awake_set(&bank)) == 2U) && all_whole());
        EXPECT(!mete_evacuation_move_next(&evacuation) && (tap_take_fault() == 0));
    }
}

// What is half moved ends in a bank that is a target by then, and has to go back.
static void test_a_step_ends_where_a_move_of_the_last_plan_does(void)
{
    setup_with(8U, METE_RAM_DEEP_SLEEP);
    forget_all();
    EXPECT(put(0U, 24U));
    mete_evacuation_plan_t plan = plan_for(bit(0U));
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(move_next());
    plan = plan_for(bit(1U));
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(move_next() && move_next() && (store.moved_total == 24U) && (bank_of(0U) == 1U));
    run_out();
    EXPECT((bank_of(0U) == 0U) && all_whole());
}

// Nothing slides up: what reaches into a run from in front of it needs room there twice.
static void test_the_fewest_have_room_for_what_lies_across_their_edge(void)
{
    setup();
    forget_all();
    mete_movable_prefer(&store, NULL, 0U);
    EXPECT(put(0U, BANK * 3U / 4U) && put(1U, BANK) && put(2U, BANK / 4U) && put(3U, BANK / 2U));
    drop(0U);
    drop(2U);
    mete_evacuation_prefer(&evacuation);
    const mete_evacuation_plan_t plan = plan_fewest();
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == plan.target_set) &&
           (count_bits(mete_bank_awake_set(&bank)) == 2U) && all_whole());
}

static void test_what_reaches_into_a_run_from_a_bank_that_sleeps_stays(void)
{
    setup();
    forget_all();
    mete_movable_prefer(&store, NULL, 0U);
    EXPECT(put(0U, BANK * 3U / 2U) && put(1U, BANK / 2U) && put(2U, BANK / 2U));
    EXPECT(put(3U, BANK * 3U / 2U) && put(4U, BANK * 3U / 4U));
    drop(1U);
    drop(3U);
    EXPECT(mete_evacuation_sleep_bank(&evacuation, 0U, METE_RAM_SLEEP));
    EXPECT(plan_fewest().target_set == 0xF8U);
}

// In front of banks that are packed first.
static void test_what_does_not_fit_beside_what_lies_about_fits_when_that_is_packed(void)
{
    setup();
    forget_all();
    mete_movable_prefer(&store, NULL, 0U);
    EXPECT(put(0U, BANK));
    for (size_t i = 1U; i < 17U; i++) {
        EXPECT(put(i, BANK / 8U));
    }
    for (size_t i = 1U; i < 17U; i += 2U) {
        drop(i);
    }
    const mete_evacuation_plan_t plan = plan_for(0xF9U);
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == 0xF9U) && all_whole());
}

// Room that is cut up: what comes out of the target fits only when it is made one piece.
static void test_what_does_not_fit_at_once_fits_after_compaction(void)
{
    setup();
    fill_banks(2U);
    for (size_t n = 0U; n < 16U; n += 2U) {
        drop(n);  // Gaps of an eighth in two banks.
    }
    EXPECT(put(40U, 448U));
    const size_t from = bank_of(40U);
    EXPECT(from >= 2U);
    mete_evacuation_plan_t plan = plan_for(0xFCU);
    EXPECT(plan.fits && (plan.room_size == BANK) && (plan.move_size == 448U));
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == 0xFCU) && all_whole());
    EXPECT(store.moved_total <= 2U * plan.move_size + BANK);
}

static void test_pinned_blocks_stay_and_their_banks_stay_awake(void)
{
    setup();
    fill_banks(3U);
    void *const address = mete_movable_pin(&store, held[20]);
    const mete_evacuation_plan_t plan = plan_for(bit(1U) | bit(2U));
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT(mete_evacuation_sleep(&evacuation) == bit(1U));
    EXPECT(mete_movable_live_size(&store, places[2].span) == 64U);
    EXPECT((mete_movable_address(&store, held[20]) == address) && all_whole());
    mete_movable_unpin(&store, held[20]);
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == (bit(1U) | bit(2U))) && all_whole());
}

static void test_what_has_no_room_stays_and_the_plan_ends(void)
{
    setup();
    fill_banks(7U);
    const mete_evacuation_plan_t plan = plan_for(0x0FU);
    EXPECT(!plan.fits && (plan.room_size == BANK));
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == 1U) && (store.moved_total == BANK));
    EXPECT(all_whole() && (tap_take_fault() == 0));
}

static void test_a_plan_that_is_stopped_leaves_banks_open(void)
{
    setup();
    fill_banks(3U);
    const mete_evacuation_plan_t plan = plan_for(bit(0U) | bit(1U));
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_move_next(&evacuation));
    EXPECT(mete_evacuation_sleep(&evacuation) == 0U);
    mete_evacuation_stop(&evacuation);
    EXPECT((mete_evacuation_target_set(&evacuation) == 0U) && all_whole());
    EXPECT(!mete_evacuation_move_next(&evacuation));
    EXPECT((mete_evacuation_sleep(&evacuation) == 0U) && (mete_bank_awake_set(&bank) == 0xFFU));
}

// A plan of one bank after the other; at every step all stops, and the banks that are empty by then lose power.
static void test_nothing_is_lost_if_all_stops_after_any_step(void)
{
    size_t steps_in_all = 0U;
    bool is_over = false;
    for (size_t steps = 0U; !is_over && EXPECT(steps < 500U); steps++) {
        setup_with(40U, METE_RAM_DEEP_SLEEP);
        fill_banks(5U);
        for (size_t n = 0U; n < 40U; n++) {
            if (n % 3U != 0U) {
                drop(n);
            }
        }
        EXPECT(put(50U, 3U * BANK / 2U));
        const mete_evacuation_plan_t plan = plan_fewest();
        EXPECT(plan.move_size != 0U);
        mete_evacuation_commit(&evacuation, &plan);
        for (size_t i = 0U; !is_over && (i < steps); i++) {
            is_over = !mete_evacuation_move_next(&evacuation);
        }
        const uint32_t asleep = mete_evacuation_sleep(&evacuation);
        EXPECT(!is_over || (asleep == plan.target_set));
        for (size_t i = 0U; i < BANKS; i++) {
            EXPECT(!has(asleep, i) || (mete_words_scan(places[i].span.start, 0xDEU, BANK) == BANK));
        }
        if (steps % 2U == 0U) {
            mete_evacuation_stop(&evacuation);
        }
        EXPECT(
            all_whole());  // It pins, so moves under way are finished, and none may reach into those banks.
        for (size_t i = 0U; i < BANKS; i++) {
            EXPECT(!has(asleep, i) || (mete_words_scan(places[i].span.start, 0xDEU, BANK) == BANK));
        }
        steps_in_all = steps;
    }
    EXPECT((steps_in_all > 10U) && (tap_take_fault() == 0));
}

// ---- Asleep with blocks

static bool is_resting(void *self, const mete_movable_block_t *block)
{
    (void)self;
    return !block->is_moving;
}

// The bank that the block leaves, and the one that it goes to.
static void test_what_is_half_moved_is_moved_whole_before_its_bank_sleeps(void)
{
    for (size_t asleep = 0U; asleep < 2U; asleep++) {
        setup_with(8U, METE_RAM_DEEP_SLEEP);
        fill_banks(2U);
        drop(0U);
        const mete_evacuation_plan_t plan = plan_for(0xFEU);
        mete_evacuation_commit(&evacuation, &plan);
        EXPECT(mete_evacuation_move_next(&evacuation));
        EXPECT(!mete_movable_walk(&store, is_resting, NULL));
        EXPECT(mete_evacuation_sleep_bank(&evacuation, asleep, METE_RAM_SLEEP));
        EXPECT(mete_movable_walk(&store, is_resting, NULL));
        EXPECT((mete_bank_awake_set(&bank) == (0xFFU & ~bit(asleep))) && (bank_of(8U) == 0U));
        EXPECT(mete_evacuation_check(&evacuation) && !put(50U, 8U));
        EXPECT(mete_evacuation_wake_span(&evacuation, places[asleep].span) && all_whole());
    }
}

#if METE_CHECK_LEVEL >= 1
static void test_a_bank_with_blocks_sleeps_only_if_they_are_kept(void)
{
    setup();
    fill_banks(1U);
    EXPECT(!mete_evacuation_sleep_bank(&evacuation, 0U, METE_RAM_DEEP_SLEEP));
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (mete_bank_awake_set(&bank) == 0xFFU));
    EXPECT(mete_evacuation_sleep_bank(&evacuation, 0U, METE_RAM_SLEEP));
    EXPECT(!mete_evacuation_sleep_bank(&evacuation, 0U, METE_RAM_DEEP_SLEEP));
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) &&
           (mete_bank_state_of(&bank, 0U) == METE_RAM_SLEEP));
    EXPECT(mete_evacuation_sleep_bank(&evacuation, 1U, METE_RAM_DEEP_SLEEP));
    EXPECT((mete_bank_awake_set(&bank) == 0xFCU) && (tap_take_fault() == 0));
    EXPECT(!mete_evacuation_sleep_bank(&evacuation, 2U, METE_RAM_STANDBY));
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
    EXPECT(!mete_evacuation_sleep_bank(&evacuation, BANKS, METE_RAM_SLEEP));
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    refused_set = bit(2U);
    EXPECT(!mete_evacuation_sleep_bank(&evacuation, 2U, METE_RAM_SLEEP));
    EXPECT((tap_take_fault() == 0) && (mete_bank_awake_set(&bank) == 0xFCU));
    EXPECT(mete_evacuation_wake_span(&evacuation, places[0].span) && all_whole());
}
#endif

// ---- Waking

static bool wakes_on_refusal(void *self, size_t size)
{
    return mete_evacuation_wake(self, size);
}

static void test_the_store_wakes_a_bank_when_it_runs_out(void)
{
    setup();
    store_config.on_refusal = wakes_on_refusal;
    store_config.on_refusal_self = &evacuation;
    fill_banks(2U);
    mete_evacuation_plan_t plan = plan_for(0xFCU);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_sleep(&evacuation) == 0xFCU);
    EXPECT(put(40U, 64U) && (bank_of(40U) == 2U) && (mete_bank_awake_set(&bank) == 0x07U));
    EXPECT(mete_evacuation_target_set(&evacuation) == 0xF8U);
    for (size_t i = 41U; i < 48U; i++) {
        EXPECT(put(i, 64U) && (bank_of(i) == 2U));
    }
    EXPECT(put(48U, 2U * BANK + 8U) && (mete_bank_awake_set(&bank) == 0x3FU));
    EXPECT(!put(49U, 4U * BANK) && (mete_bank_awake_set(&bank) == 0xFFU) && all_whole());
    EXPECT(!mete_evacuation_wake(&evacuation, 8U) && (store.refusals == 1U));
}

// Bytes enough are free, but a caller who was refused knows better.
static void test_every_call_wakes_one_more_even_if_bytes_are_free(void)
{
    setup();
    fill_banks(1U);
    drop(0U);
    drop(2U);
    const mete_evacuation_plan_t plan = plan_for(0xFEU);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_sleep(&evacuation) == 0xFEU);
    for (unsigned awake = 0x03U; awake <= 0xFFU; awake = 2U * awake + 1U) {
        EXPECT(mete_evacuation_wake(&evacuation, 128U) && (mete_bank_awake_set(&bank) == awake));
    }
    EXPECT(!mete_evacuation_wake(&evacuation, 128U) && all_whole());
}

static void test_targets_that_are_awake_are_taken_back_before_any_bank_is_woken(void)
{
    setup();
    fill_banks(2U);
    mete_evacuation_plan_t plan = plan_for(0xF8U);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_sleep(&evacuation) == 0xF8U);
    plan = plan_for(0xFCU);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_wake(&evacuation, 8U) && (mete_bank_awake_set(&bank) == 0x07U));
    EXPECT((mete_evacuation_target_set(&evacuation) == 0xF8U) &&
           mete_evacuation_check(&evacuation));
}

static void test_neighbours_and_fast_ones_are_woken_first(void)
{
    setup();
    forget_all();
    EXPECT(put(0U, BANK) && (bank_of(0U) == 0U));
    for (size_t i = 1U; i < BANKS; i++) {
        EXPECT((i == 4U) ||
               mete_bank_sleep(&bank, i, (i == 5U) ? METE_RAM_SLEEP : METE_RAM_DEEP_SLEEP));
    }
    mete_evacuation_prefer(&evacuation);
    EXPECT(put(1U, BANK) && (bank_of(1U) == 4U));
    EXPECT(mete_evacuation_wake(&evacuation, 8U) && (mete_bank_awake_set(&bank) == 0x31U));
    EXPECT(put(2U, BANK) && mete_evacuation_wake(&evacuation, BANK));
    EXPECT((mete_bank_awake_set(&bank) == 0x33U) && put(3U, BANK) && (bank_of(3U) == 1U));
    EXPECT(all_whole());
}

static void test_a_bank_that_refuses_to_wake_is_passed_over(void)
{
    setup();
    fill_banks(1U);
    mete_evacuation_plan_t plan = plan_for(0xFEU);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_sleep(&evacuation) == 0xFEU);
    refused_set = bit(1U);
    EXPECT(mete_evacuation_wake(&evacuation, 64U) && (mete_bank_awake_set(&bank) == 0x05U));
    refused_set = 0xFFU;
    EXPECT(!mete_evacuation_wake(&evacuation, BANK + 8U) &&
           !mete_evacuation_wake_span(&evacuation, places[4].span));
    EXPECT((mete_bank_awake_set(&bank) == 0x05U) && (tap_take_fault() == 0));
}

static void test_a_bank_that_refuses_to_sleep_stays_awake(void)
{
    setup();
    fill_banks(1U);
    refused_set = bit(4U);
    const mete_evacuation_plan_t plan = plan_for(0xFEU);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT((mete_evacuation_sleep(&evacuation) == 0xEEU) && (mete_bank_awake_set(&bank) == 0x11U));
}

static void test_a_state_that_a_bank_has_not_is_not_tried(void)
{
    setup_with(STEP, METE_RAM_STANDBY);
    fill_banks(1U);
    const mete_evacuation_plan_t plan = plan_for(0xFEU);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT((mete_evacuation_sleep(&evacuation) == 0U) && (tap_take_fault() == 0));
}

static void test_a_span_is_woken_with_all_its_banks(void)
{
    setup();
    fill_banks(4U);
    for (size_t i = 0U; i < 4U; i++) {
        EXPECT(mete_bank_sleep(&bank, i, METE_RAM_SLEEP));
    }
    const mete_span_t span = {(char *)places[1].span.start + BANK - 1, 2U};
    EXPECT(mete_evacuation_wake_span(&evacuation, span) && (mete_bank_awake_set(&bank) == 0xF6U));
    EXPECT(mete_evacuation_wake_span(&evacuation, (mete_span_t){memory, 0U}));
    EXPECT((mete_bank_awake_set(&bank) == 0xF6U) && mete_evacuation_check(&evacuation));
    EXPECT(mete_evacuation_wake_span(&evacuation, (mete_span_t){memory, sizeof memory}));
    EXPECT((mete_bank_awake_set(&bank) == 0xFFU) && all_whole());
}

// A target that sleeps with blocks, one of which lies across the edges of those beside it.
static void test_what_sleeps_with_blocks_is_woken_to_be_emptied(void)
{
    setup();
    forget_all();
    mete_movable_prefer(&store, NULL, 0U);
    EXPECT(put(0U, BANK - 64U) && put(1U, 3U * BANK) && put(2U, 64U));
    for (size_t i = 0U; i < 4U; i++) {
        EXPECT(mete_bank_sleep(&bank, i, METE_RAM_SLEEP));
    }
    mete_evacuation_prefer(&evacuation);
    const mete_evacuation_plan_t plan = plan_for(bit(2U));
    EXPECT((plan.wake_set == 0x0FU) && (plan.move_size == BANK));
    EXPECT(plan.time_us >= 4U * WAKE_US + plan.step_max * 10U + 3U * BANK * 1000U / 1024U);
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_evacuation_move_next(&evacuation) && (mete_bank_awake_set(&bank) == 0xFFU));
    run_out();
    EXPECT((mete_evacuation_sleep(&evacuation) == bit(2U)) && all_whole());
}

// Between the target and a bank that sleeps, in which its block lies, too, is one that is awake.
static void test_what_sleeps_behind_a_bank_that_is_awake_is_woken(void)
{
    for (size_t asleep = 0U; asleep <= 2U; asleep += 2U) {
        setup();
        forget_all();
        EXPECT(put(0U, 3U * BANK) && (bank_of(0U) == 0U));
        EXPECT(mete_bank_sleep(&bank, asleep, METE_RAM_SLEEP));
        mete_evacuation_prefer(&evacuation);
        const mete_evacuation_plan_t plan = plan_for(bit(2U - asleep));
        mete_evacuation_commit(&evacuation, &plan);
        EXPECT(mete_evacuation_move_next(&evacuation) && (mete_bank_awake_set(&bank) == 0xFFU));
        run_out();
        EXPECT((mete_evacuation_sleep(&evacuation) == bit(2U - asleep)) && all_whole());
    }
}

static void test_a_target_that_cannot_be_woken_is_passed_over(void)
{
    setup();
    fill_banks(3U);
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    mete_evacuation_prefer(&evacuation);
    refused_set = bit(0U);
    const mete_evacuation_plan_t plan = plan_for(bit(0U) | bit(2U));
    mete_evacuation_commit(&evacuation, &plan);
    run_out();
    refused_set = 0U;
    EXPECT(mete_evacuation_sleep(&evacuation) == (bit(0U) | bit(2U)));
    EXPECT(mete_movable_live_size(&store, places[0].span) == BANK);
    EXPECT(mete_evacuation_wake_span(&evacuation, places[0].span) && all_whole());
}

// ---- Misuse and damage

static void test_a_set_with_a_bank_that_there_is_not_is_foreign(void)
{
    if (METE_CHECK_LEVEL >= 1) {
        setup();
        mete_evacuation_plan_t plan = {.move_size = 7U};
        EXPECT(!mete_evacuation_plan(&evacuation, 0x100U, &plan) && (plan.move_size == 7U));
        EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_object == &evacuation));
        plan.target_set = 0x80000001U;
        mete_evacuation_commit(&evacuation, &plan);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        EXPECT(mete_evacuation_target_set(&evacuation) == 0U);
    }
}

static void test_check_notices_what_cannot_be(void)
{
    setup();
    fill_banks(2U);
    const mete_evacuation_t good = evacuation;
    evacuation.order_count = METE_EVACUATION_ORDER_COUNT(BANKS) + 1U;
    EXPECT(!mete_evacuation_check(&evacuation));
    evacuation.order_count = 0U;
    EXPECT(!mete_evacuation_check(&evacuation));
    evacuation = good;
    evacuation.target_set = 0x100U;
    EXPECT(!mete_evacuation_check(&evacuation));
    evacuation = good;
    evacuation.pending_set = 1U;
    EXPECT(!mete_evacuation_check(&evacuation));
    evacuation = good;
    evacuation.target_set = 1U;  // But it takes blocks.
    EXPECT(!mete_evacuation_check(&evacuation));
    evacuation = good;
    order[3].size -= 8U;
    EXPECT(!mete_evacuation_check(&evacuation));
    order[3].size += 8U;
    order[8].size += 8U;
    EXPECT(!mete_evacuation_check(&evacuation));
    order[8].size -= 8U;
    EXPECT(mete_evacuation_check(&evacuation));
    EXPECT(mete_bank_sleep(&bank, 3U, METE_RAM_SLEEP) && !mete_evacuation_check(&evacuation));
    mete_evacuation_prefer(&evacuation);
    EXPECT(mete_evacuation_check(&evacuation));
}

// ---- Random work: without pins as few banks are awake afterwards as their bytes need

static void work_a_little(uint32_t *random, size_t pinned)
{
    for (size_t n = 0U; n < 20U; n++) {
        const size_t which = random_below(random, BLOCKS);
        if (which == pinned) {
            continue;
        }
        if (held[which].value != 0U) {
            drop(which);
        } else {
            (void)put(which,
                      1U + random_below(random, (random_below(random, 8U) == 0U) ? 700U : 90U));
        }
    }
}

static void test_random_work_ends_in_the_fewest_banks(void)
{
    setup();
    store_config.on_refusal = wakes_on_refusal;
    store_config.on_refusal_self = &evacuation;
    forget_all();
    uint32_t random = 9U;
    for (size_t i = 0U; i < 400U; i++) {
        work_a_little(&random, BLOCKS);
        const size_t pinned = random_below(&random, BLOCKS);
        const bool has_pin = (i % 4U == 0U) && (held[pinned].value != 0U);
        if (has_pin) {
            (void)mete_movable_pin(&store, held[pinned]);
        }
        const mete_evacuation_plan_t plan = plan_fewest();
        mete_evacuation_commit(&evacuation, &plan);
        const size_t moved = store.moved_total;
        size_t steps = 1U;
        bool is_alone = true;
        while (move_next() && EXPECT(!is_alone || (steps <= plan.step_max))) {
            steps++;
            if (random_below(&random, 50U) == 0U) {
                work_a_little(&random, pinned);
                is_alone = false;
            }
        }
        EXPECT(!is_alone || (store.moved_total - moved <= 2U * sizeof memory));
        (void)mete_evacuation_sleep(&evacuation);
        EXPECT(all_whole() && (tap_take_fault() == 0));
        if (has_pin && (held[pinned].value != 0U)) {
            mete_movable_unpin(&store, held[pinned]);
        }
    }
}

// Banks that sleep with blocks, plans that end others, blocks across edges: what a plan takes at most is not exceeded.
static void test_random_plans_take_no_more_than_they_say(void)
{
    setup();
    forget_all();
    uint32_t random = 5U;
    for (size_t i = 0U; i < 400U; i++) {
        work_a_little(&random, BLOCKS);
        for (size_t n = 0U; n < BANKS; n++) {
            if ((random_below(&random, 3U) == 0U) && mete_bank_is_awake(&bank, n)) {
                EXPECT(mete_bank_sleep(&bank, n, METE_RAM_SLEEP));
            }
        }
        mete_evacuation_prefer(&evacuation);
        const mete_evacuation_plan_t plan = plan_for(random_below(&random, 256U));
        mete_evacuation_commit(&evacuation, &plan);
        const size_t moved = store.moved_total;
        const uint32_t asleep = ~mete_bank_awake_set(&bank);
        size_t steps = 1U;
        while (move_next() && EXPECT(steps < 2000U)) {
            steps++;
        }
        const uint32_t woken = asleep & mete_bank_awake_set(&bank);
        EXPECT((steps <= plan.step_max) && ((woken & ~plan.wake_set) == 0U));
        EXPECT((store.moved_total - moved) * 1000U / 1024U + 10U * steps +
                   WAKE_US * count_bits(woken) <=
               plan.time_us);
        EXPECT(all_whole() && mete_evacuation_wake_span(&evacuation, store_config.storage));
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_without_pins_as_few_banks_are_awake_as_bytes_need(void)
{
    setup();
    store_config.on_refusal = wakes_on_refusal;
    store_config.on_refusal_self = &evacuation;
    forget_all();
    uint32_t random = 3U;
    size_t best_count = 0U;
    for (size_t i = 0U; i < 400U; i++) {
        work_a_little(&random, BLOCKS);
        const mete_evacuation_plan_t plan = plan_fewest();
        mete_evacuation_commit(&evacuation, &plan);
        run_out();
        (void)mete_evacuation_sleep(&evacuation);
        const size_t live = mete_movable_usage(&store).in_use_size;
        best_count +=
            (count_bits(mete_bank_awake_set(&bank)) == (live + BANK - 1U) / BANK) ? 1U : 0U;
        EXPECT(all_whole());
    }
    tap_note("of 400 minimal", best_count);
    EXPECT((best_count >= 380U) && (tap_take_fault() == 0));
}

int main(void)
{
    RUN(test_init_refuses_a_config_that_lacks_something);
    RUN(test_new_blocks_go_to_the_fullest_bank);
    RUN(test_no_block_goes_to_a_bank_that_sleeps_or_is_to_be_emptied);
    RUN(test_a_block_larger_than_a_bank_lies_across_neighbours);
    RUN(test_with_all_banks_shut_there_is_no_room);
    RUN(test_a_plan_says_what_would_move_and_what_is_in_the_way);
    RUN(test_a_plan_names_what_must_be_woken_and_counts_its_latency);
    RUN(test_the_fewest_are_a_run_that_has_room_for_the_rest);
    RUN(test_of_banks_that_hold_pinned_blocks_all_stay);
    RUN(test_a_bank_that_cannot_be_put_into_the_state_stays);
    RUN(test_where_there_is_no_run_the_fullest_stay);
    RUN(test_nothing_live_needs_no_bank);
    RUN(test_a_step_moves_no_more_than_asked_for);
    RUN(test_a_step_ends_where_a_move_of_the_last_plan_does);
    RUN(test_the_fewest_have_room_for_what_lies_across_their_edge);
    RUN(test_what_reaches_into_a_run_from_a_bank_that_sleeps_stays);
    RUN(test_what_does_not_fit_beside_what_lies_about_fits_when_that_is_packed);
    RUN(test_what_does_not_fit_at_once_fits_after_compaction);
    RUN(test_pinned_blocks_stay_and_their_banks_stay_awake);
    RUN(test_what_has_no_room_stays_and_the_plan_ends);
    RUN(test_a_plan_that_is_stopped_leaves_banks_open);
    RUN(test_nothing_is_lost_if_all_stops_after_any_step);
    RUN(test_what_is_half_moved_is_moved_whole_before_its_bank_sleeps);
#if METE_CHECK_LEVEL >= 1
    RUN(test_a_bank_with_blocks_sleeps_only_if_they_are_kept);
#else
    tap_skip("test_a_bank_with_blocks_sleeps_only_if_they_are_kept",
             "nothing is checked at level 0");
#endif
    RUN(test_the_store_wakes_a_bank_when_it_runs_out);
    RUN(test_every_call_wakes_one_more_even_if_bytes_are_free);
    RUN(test_targets_that_are_awake_are_taken_back_before_any_bank_is_woken);
    RUN(test_neighbours_and_fast_ones_are_woken_first);
    RUN(test_a_bank_that_refuses_to_wake_is_passed_over);
    RUN(test_a_bank_that_refuses_to_sleep_stays_awake);
    RUN(test_a_state_that_a_bank_has_not_is_not_tried);
    RUN(test_a_span_is_woken_with_all_its_banks);
    RUN(test_what_sleeps_with_blocks_is_woken_to_be_emptied);
    RUN(test_what_sleeps_behind_a_bank_that_is_awake_is_woken);
    RUN(test_a_target_that_cannot_be_woken_is_passed_over);
    RUN(test_a_set_with_a_bank_that_there_is_not_is_foreign);
    RUN(test_check_notices_what_cannot_be);
    RUN(test_random_work_ends_in_the_fewest_banks);
    RUN(test_random_plans_take_no_more_than_they_say);
    RUN(test_without_pins_as_few_banks_are_awake_as_bytes_need);
    return tap_finish();
}
