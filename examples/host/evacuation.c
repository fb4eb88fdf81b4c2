// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Notes in four banks of RAM. Most of them are deleted; the rest moves to where it needs one bank, and three sleep.

#include "mete/power/evacuation.h"
#include "mete/alloc/movable.h"

#include <stdio.h>

enum { BANKS = 4, BANK = 256, NOTES = 14 };

static uint64_t storage[BANKS * BANK / 8];
static mete_movable_slot_t slots[METE_MOVABLE_SLOT_COUNT(NOTES)];
static const mete_movable_config_t store = {.storage = {storage, sizeof storage},
                                            .slots = slots,
                                            .slot_count = METE_MOVABLE_SLOT_COUNT(NOTES)};
static mete_movable_t notes;
static const mete_bank_kind_t kind = {
    .modes = {{900U, true}, {0U, false}, {0U, false}, {1U, false}},
    .changes = {{[3] = {9U, 400U, true}}, [3] = {{80U, 2000U, true}}}};
static mete_bank_t bank;
static mete_evacuation_t evacuation;

static bool drive(void *self, const mete_ram_change_t *change)
{
    (void)self;
    printf("bank %zu sleeps\n", change->index);
    return true;
}

static uint32_t read_clock(void)
{
    return 0U;
}

int main(void)
{
    static const mete_ram_ops_t ops = {drive};
    static mete_bank_record_t records[BANKS];
    static mete_bank_place_t places[BANKS];
    for (size_t i = 0U; i < BANKS; i++) {
        places[i] = (mete_bank_place_t){{&storage[i * BANK / 8U], BANK}, &kind};
    }
    const mete_bank_config_t banks = {places,     records, BANKS,       {&ops, NULL},
                                      read_clock, 1U,      {NULL, NULL}};
    static mete_evacuation_load_t loads[BANKS];
    static mete_span_t order[METE_EVACUATION_ORDER_COUNT(BANKS)];
    const mete_evacuation_config_t config = {&bank, mete_movable_as_mover(&notes), loads, order,
                                             64U,   METE_RAM_DEEP_SLEEP,           500U,  5U};
    (void)(mete_bank_init(&bank, &banks) && mete_movable_init(&notes, &store));
    (void)mete_evacuation_init(&evacuation, &config);
    mete_movable_handle_t handles[NOTES];
    for (unsigned i = 0U; i < NOTES; i++) {
        handles[i] = mete_movable_alloc(&notes, 72U);
        (void)snprintf(mete_movable_pin(&notes, handles[i]), 72U, "note %u", i);
        mete_movable_unpin(&notes, handles[i]);
    }
    for (size_t i = 0U; i < NOTES; i++) {
        mete_movable_free(&notes, (i % 5U != 4U) ? handles[i] : METE_MOVABLE_NONE);
    }
    mete_evacuation_plan_t plan;
    mete_evacuation_plan_fewest(&evacuation, &plan);
    printf("%zu bytes to move, %zu of room, %u us at most\n", plan.move_size, plan.room_size,
           (unsigned)plan.time_us);
    mete_evacuation_commit(&evacuation, &plan);
    while (mete_evacuation_move_next(&evacuation)) {
    }
    (void)mete_evacuation_sleep(&evacuation);
    printf("%s, %s\n", (char *)mete_movable_pin(&notes, handles[4]),
           (char *)mete_movable_pin(&notes, handles[9]));
    return 0;
}
