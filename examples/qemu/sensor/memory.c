// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The store's banks are those of one bank module, for all of a store's memory is evacuated; the radio's is that of another. Both have
// the same driver, which simulates them: what sleeps without being retained is overwritten, and nobody may touch what sleeps.

#include "examples/qemu/sensor/memory.h"

#include "examples/qemu/sensor/mistake.h"
#include "examples/qemu/sensor/unit.h"
#include "mete/core/text.h"
#include "mete/power/bank_report.h"
#include "mete/power/evacuation.h"
#include "mete/power/optimiser.h"
#include "port/board/simulated_ram.h"
#include "port/cpu/start.h"

enum {
    SLOT_COUNT = METE_MOVABLE_SLOT_COUNT(126),
    STEP_SIZE = 256,
    US_PER_MS = 1000,
    LATENCY_US = 1000,  // Of a bank that is woken.
    AGE = 20000,        // Idle times: what was more than so many ago counts less.
    NJ_PER_MJ = 1000000
};

// As data sheets have them for banks of 4 KiB.
static const mete_bank_kind_t kind = {
    .modes = {[METE_RAM_ACTIVE] = {40U, true},
              [METE_RAM_SLEEP] = {2U, true},
              [METE_RAM_DEEP_SLEEP] = {0U, false}},
    .changes = {
        [METE_RAM_ACTIVE] =
            {[METE_RAM_SLEEP] = {2U, 20U, true}, [METE_RAM_DEEP_SLEEP] = {2U, 20U, true}},
        [METE_RAM_SLEEP] = {[METE_RAM_ACTIVE] = {5U, 100U, true}},
        [METE_RAM_DEEP_SLEEP] = {[METE_RAM_ACTIVE] = {20U, 300U, true}},
    }};

static unsigned char ram[STORE_BANK_COUNT + 1][BANK_SIZE] __attribute__((aligned(BANK_SIZE)));
static uint32_t now_ms;

static uint32_t read_clock(void)
{
    return now_ms;
}

// ---- Banks

static const mete_bank_place_t places[] = {{{ram[0], BANK_SIZE}, &kind},
                                           {{ram[1], BANK_SIZE}, &kind},
                                           {{ram[2], BANK_SIZE}, &kind},
                                           {{ram[3], BANK_SIZE}, &kind}};
static const mete_bank_place_t radio_place = {{ram[STORE_BANK_COUNT], BANK_SIZE}, &kind};
static mete_bank_record_t records[STORE_BANK_COUNT], radio_record;
static mete_simulated_ram_t simulated;
static mete_bank_t banks, radio_bank;

static bool open_banks(void)
{
    static mete_bank_config_t config, radio_config;
    const mete_mpu_t mpu = unit_init((mete_span_t){ram, sizeof ram});
    config = (mete_bank_config_t){.places = places,
                                  .records = records,
                                  .bank_count = STORE_BANK_COUNT,
                                  .ram = mete_simulated_ram_init(&simulated, mpu),
                                  .clock = read_clock,
                                  .tick_us = US_PER_MS};
    radio_config = config;
    radio_config.places = &radio_place;
    radio_config.records = &radio_record;
    radio_config.bank_count = 1U;
    return mete_bank_init(&banks, &config) && mete_bank_init(&radio_bank, &radio_config);
}

// ---- The store in them

mete_movable_t store;
static mete_movable_slot_t slots[SLOT_COUNT];
static mete_evacuation_load_t loads[STORE_BANK_COUNT];
static mete_span_t order[METE_EVACUATION_ORDER_COUNT(STORE_BANK_COUNT)];
static mete_evacuation_t evacuation;

static bool open_store(void)
{
    static const mete_movable_config_t config = {
        .storage = {ram, (size_t)STORE_BANK_COUNT * BANK_SIZE},
        .slots = slots,
        .slot_count = SLOT_COUNT,
        .failure_size = SIZE_MAX,
        .on_refusal = mete_evacuation_wake,
        .on_refusal_self = &evacuation};
    static mete_evacuation_config_t emptying;
    emptying = (mete_evacuation_config_t){.bank = &banks,
                                          .mover = mete_movable_as_mover(&store),
                                          .loads = loads,
                                          .order = order,
                                          .step_size = STEP_SIZE,
                                          .state = METE_RAM_DEEP_SLEEP,
                                          .move_us_per_kib = 20U,
                                          .step_us = 5U};
    return mete_movable_init(&store, &config) && mete_evacuation_init(&evacuation, &emptying);
}

void *memory_pin(mete_movable_handle_t handle)
{
    void *const block = mete_movable_pin(&store, handle);
    if (block == NULL) {
        return NULL;
    }
    const mete_span_t span = {block, mete_movable_size_of(&store, handle)};
    if (mete_evacuation_wake_span(&evacuation, span)) {
        return block;
    }
    mete_movable_unpin(&store, handle);
    return NULL;
}

// Banks that sleep with live blocks are woken first, so that all of them count.
void memory_tidy(void)
{
    for (size_t i = 0U; i < STORE_BANK_COUNT; i++) {
        if (mete_movable_live_size(&store, places[i].span) != 0U) {
            (void)mete_bank_wake(&banks, i);
        }
    }
    mete_evacuation_prefer(&evacuation);
    mete_evacuation_plan_t plan;
    mete_evacuation_plan_fewest(&evacuation, &plan);
    mete_evacuation_commit(&evacuation, &plan);
    while (mete_evacuation_move_next(&evacuation)) {
        // A step at a time; here there is nothing else to do in between.
    }
    (void)mete_evacuation_sleep(&evacuation);
}

// Evacuation may leave what is live in the middle of the store: one piece is what is free only then.
void memory_compact(void)
{
    (void)mete_evacuation_wake_span(&evacuation,
                                    (mete_span_t){ram, (size_t)STORE_BANK_COUNT * BANK_SIZE});
    while (mete_movable_compact(&store, STEP_SIZE) != 0U) {
        // As above.
    }
}

// ---- Time and sleep

static mete_optimiser_idle_t idle_times;
static mete_ram_state_t live_state, empty_state;  // What a bank sleeps in.
static bool radio_is_left, radio_is_live;

static mete_ram_state_t best_state(bool must_retain)
{
    const mete_optimiser_demand_t demand = {LATENCY_US, must_retain};
    mete_optimiser_schedule_t schedule;
    mete_optimiser_choose_state(&idle_times, &kind, &demand, &schedule);
    return (mete_ram_state_t)schedule.states[0];
}

void memory_choose(void)
{
    live_state = best_state(true);
    empty_state = best_state(false);
}

// The bank module does not know what lies in a bank: so the mistake can be made.
static void let_store_sleep(size_t index)
{
    if (mistake == MISTAKE_DEEP_STORE) {
        (void)mete_bank_sleep(&banks, index, empty_state);
        mete_evacuation_prefer(&evacuation);
        return;
    }
    const bool is_live = mete_movable_live_size(&store, places[index].span) != 0U;
    (void)mete_evacuation_sleep_bank(&evacuation, index, is_live ? live_state : empty_state);
}

static void let_radio_sleep(void)
{
    const bool is_kept = radio_is_live && (mistake != MISTAKE_DEEP_RADIO);
    (void)mete_bank_sleep(&radio_bank, 0U, is_kept ? live_state : empty_state);
}

uint32_t memory_now_ms(void)
{
    return now_ms;
}

void memory_work(uint32_t ms)
{
    now_ms += ms;
}

void memory_idle(uint32_t ms)
{
    for (size_t i = 0U; i < STORE_BANK_COUNT; i++) {
        if (mete_bank_is_awake(&banks, i)) {
            let_store_sleep(i);
        }
    }
    if (radio_is_left && mete_bank_is_awake(&radio_bank, 0U)) {
        let_radio_sleep();
    }
    mete_optimiser_note(&idle_times, ms * US_PER_MS, 1U);
    now_ms += ms;
    mete_bank_note(&banks);
    mete_bank_note(&radio_bank);
}

mete_span_t memory_wake_radio(void)
{
    (void)mete_bank_wake(&radio_bank, 0U);
    radio_is_left = false;
    return radio_place.span;
}

void memory_leave_radio(bool is_live)
{
    radio_is_left = true;
    radio_is_live = is_live;
}

// To stay awake is the choice as long as nothing is known.
bool memory_init(void)
{
    now_ms = 0U;
    live_state = METE_RAM_ACTIVE;
    empty_state = METE_RAM_ACTIVE;
    memory_leave_radio(false);
    return open_banks() && open_store() &&
           mete_optimiser_init(&idle_times, US_PER_MS, METE_OPTIMISER_BUCKET_MAX, AGE);
}

void memory_close(void)
{
    if (simulated.mpu.ops != NULL) {
        mete_mpu_disable(simulated.mpu);
    }
}

// ---- What became of it

static bool find_largest(void *self, const mete_movable_block_t *block)
{
    size_t *const largest = self;
    if (!block->is_live && (block->size > *largest)) {
        *largest = block->size;
    }
    return true;
}

memory_state_t memory_state(void)
{
    const mete_movable_usage_t usage = mete_movable_usage(&store);
    memory_state_t state = {usage.block_count, usage.in_use_size, 0U};
    (void)mete_movable_walk(&store, find_largest, &state.largest_free);
    return state;
}

bool memory_check(void)
{
    return mete_movable_check(&store) && mete_evacuation_check(&evacuation) &&
           mete_bank_check(&banks) && mete_bank_check(&radio_bank) &&
           mete_optimiser_check(&idle_times) && (mete_bank_refusals(&banks) == 0U) &&
           (mete_bank_refusals(&radio_bank) == 0U);
}

static void write_number(const char *before, uint64_t value, const char *behind)
{
    mete_text_string(mete_port_console, before);
    mete_text_decimal(mete_port_console, (size_t)value);
    mete_text_string(mete_port_console, behind);
}

bool memory_report(void)
{
    static const char *const names[STORE_BANK_COUNT] = {"store 0", "store 1", "store 2", "store 3"};
    mete_bank_usage_t usage, total;
    for (size_t i = 0U; i < STORE_BANK_COUNT; i++) {
        (void)mete_bank_read(&banks, i, &usage);
        mete_bank_report_write_usage(names[i], &usage, mete_port_console);
    }
    (void)mete_bank_read_total(&radio_bank, &usage);
    mete_bank_report_write_usage("radio", &usage, mete_port_console);
    (void)mete_bank_read_total(&banks, &total);
    const uint64_t used = usage.energy_nj + total.energy_nj;
    const uint64_t all_on = usage.all_on_nj + total.all_on_nj;
    write_number("energy: ", used / NJ_PER_MJ, " mJ used");
    write_number(", ", all_on / NJ_PER_MJ, " with all banks awake");
    write_number(": ", (all_on - used) * 1000U / all_on, " permille saved\n");
    return used < all_on / 2U;
}
