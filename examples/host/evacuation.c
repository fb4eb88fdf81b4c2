// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Notes in two banks of RAM. Half of them are deleted; the rest moves to where it needs one bank, and the other sleeps.

#include "mete/power/evacuation.h"
#include "mete/alloc/movable.h"

#include <stdio.h>

enum { BANK = 256, NOTES = 4, SLOTS = METE_MOVABLE_SLOT_COUNT(NOTES) };

static uint64_t ram[2][BANK / 8];
static mete_movable_slot_t slots[SLOTS];
static const mete_movable_config_t store = {{ram, sizeof ram}, slots, .slot_count = SLOTS};
static mete_movable_t notes;
static const mete_bank_kind_t kind = {
    .modes = {{900U, true}, {0U, false}, {0U, false}, {1U, false}},
    .changes = {{[3] = {9U, 400U, true}}, [3] = {{80U, 2000U, true}}}};
static const mete_bank_place_t places[] = {{{ram[0], BANK}, &kind}, {{ram[1], BANK}, &kind}};
static mete_bank_record_t records[2];
static mete_bank_t bank;

static bool drive(void *self, const mete_ram_change_t *change)
{
    return printf("%s %zu sleeps\n", (const char *)self, change->index) > 0;
}

static uint32_t read_clock(void)
{
    return 0U;
}

int main(void)
{
    static const mete_ram_ops_t ops = {drive};
    static char name[] = "bank";
    const mete_bank_config_t banks = {places, records, 2U, {&ops, name}, read_clock, .tick_us = 1U};
    static mete_evacuation_load_t loads[2];
    static mete_span_t order[METE_EVACUATION_ORDER_COUNT(2)];
    const mete_evacuation_config_t config = {&bank, mete_movable_as_mover(&notes), loads, order,
                                             64U,   METE_RAM_DEEP_SLEEP,           500U,  5U};
    mete_evacuation_t evacuation;
    (void)(mete_bank_init(&bank, &banks) && mete_movable_init(&notes, &store));
    (void)mete_evacuation_init(&evacuation, &config);
    mete_movable_handle_t handles[NOTES];
    for (size_t i = 0U; i < NOTES; i++) {
        handles[i] = mete_movable_alloc(&notes, 72U);
        (void)snprintf(mete_movable_pin(&notes, handles[i]), 72U, "note %zu", i);
        mete_movable_unpin(&notes, handles[i]);
    }
    mete_movable_free(&notes, handles[0]), mete_movable_free(&notes, handles[1]);
    mete_evacuation_plan_t plan;
    mete_evacuation_plan_fewest(&evacuation, &plan);
    printf("%zu bytes to move, room for %zu\n", plan.move_size, plan.room_size);
    mete_evacuation_commit(&evacuation, &plan);
    while (mete_evacuation_move_next(&evacuation)) {
    }
    (void)mete_evacuation_sleep(&evacuation);
    return printf("%s is whole\n", (char *)mete_movable_pin(&notes, handles[3])) <= 0;
}
