// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What lies outside the heap: memory that must not change, and stacks.

#include "mete/protect/integrity.h"
#include "mete/protect/stack.h"
#include "tests/inject/faults.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { SLICE = 64, CODE_SIZE = 1000, SETTINGS_SIZE = 200, STACK_COUNT = 4, STACK_WORDS = 128 };

// ---- Integrity

static unsigned char code[CODE_SIZE];
static unsigned char settings[SETTINGS_SIZE];
static mete_integrity_slice_t code_slices[METE_INTEGRITY_SLICE_COUNT(CODE_SIZE, SLICE)];
static mete_integrity_slice_t settings_slices[METE_INTEGRITY_SLICE_COUNT(SETTINGS_SIZE, SLICE)];
static mete_integrity_gate_t gate;
static const mete_integrity_region_t regions[] = {
    {code, sizeof code, code_slices, NULL},
    {settings, sizeof settings, settings_slices, &gate},
};
static const mete_integrity_config_t integrity_config = {
    .regions = regions, .region_count = 2U, .slice_size = SLICE};

enum { SLICE_COUNT = (CODE_SIZE + SLICE - 1) / SLICE + (SETTINGS_SIZE + SLICE - 1) / SLICE };

static bool holds(const mete_integrity_break_t *found, const unsigned char *byte)
{
    const uintptr_t offset = (uintptr_t)byte - (uintptr_t)found->start;
    return offset < found->size;
}

// A round of checks: each slice has its turn once.
static void look(mete_integrity_t *integrity, const unsigned char *hit, outcome_t *outcome)
{
    for (size_t i = 0U; i < SLICE_COUNT; i++) {
        mete_integrity_break_t found;
        if (mete_integrity_check_next(integrity) != METE_INTEGRITY_WRONG) {
            continue;
        }
        const bool is_it =
            mete_integrity_read_break(integrity, &found) && (hit != NULL) && holds(&found, hit);
        const bool is_told =
            (tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == found.start);
        outcome->is_detected = outcome->is_detected || is_it;
        outcome->is_placed = outcome->is_placed || (is_it && is_told);
        outcome->misreported += is_it ? 0U : 1U;
    }
}

static outcome_t inject_byte(world_t *world, unsigned char *region, size_t size)
{
    static mete_integrity_t integrity;
    outcome_t outcome = {0};
    for (size_t i = 0U; i < sizeof code; i++) {
        code[i] = (unsigned char)random_next(&world->random);
    }
    (void)mete_integrity_init(&integrity, &integrity_config);
    (void)mete_integrity_open(&integrity, 1U);
    settings[random_below(&world->random, SETTINGS_SIZE)] ^= 1U;  // As it should be.
    mete_integrity_close(&integrity, 1U);
    look(&integrity, NULL, &outcome);
    unsigned char *const byte = &region[random_below(&world->random, (uint32_t)size)];
    *byte ^= (unsigned char)(1U << random_below(&world->random, 8U));
    look(&integrity, byte, &outcome);
    return outcome;
}

outcome_t inject_constant(world_t *world)
{
    return inject_byte(world, code, sizeof code);
}

outcome_t inject_variable(world_t *world)
{
    return inject_byte(world, settings, sizeof settings);
}

// ---- Stacks

// A task that went down through all of its stack, and out of it.
outcome_t inject_stack(world_t *world)
{
    static uintptr_t
        memory[(STACK_COUNT + 1) * STACK_WORDS];  // Below the first lies something else.
    mete_stack_t stacks[STACK_COUNT];
    outcome_t outcome = {0};
    for (size_t i = 0U; i < STACK_COUNT; i++) {
        const mete_span_t span = {&memory[(i + 1U) * STACK_WORDS], STACK_WORDS * sizeof memory[0]};
        (void)mete_stack_init(&stacks[i], span);
        (void)mete_stack_paint(&stacks[i]);
    }
    const size_t which = random_below(&world->random, STACK_COUNT);
    const size_t bottom = (which + 1U) * STACK_WORDS;
    const size_t end = bottom - random_below(&world->random, STACK_WORDS / 4U);
    for (size_t i = bottom + STACK_WORDS / 2U; i > end; i--) {
        memory[i - 1U] = random_next(&world->random);
    }
    memory[bottom] = 0U;
    for (size_t i = 0U; i < STACK_COUNT; i++) {
        const bool is_told = !mete_stack_check(&stacks[i]) &&
                             (tap_take_fault() == METE_FAULT_OVERFLOW) &&
                             (tap_fault_address == stacks[i].span.start);
        outcome.is_detected = outcome.is_detected || (is_told && (i == which));
        outcome.misreported += (is_told && (i != which)) ? 1U : 0U;
    }
    outcome.is_placed = outcome.is_detected;
    return outcome;
}
