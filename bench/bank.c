// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Eight banks that sleep and wake at random: what the account costs, besides the driver.

#include "mete/power/bank.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { BANKS = 8, ROUNDS = 500 };

static const mete_bank_kind_t kind = {
    .modes = {{100U, true}, {0U, false}, {10U, true}, {1U, false}},
    .changes = {{{0U, 0U, false}, {0U, 0U, false}, {1U, 2U, true}, {3U, 4U, true}},
                {{0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{5U, 6U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{7U, 8U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};
static mete_bank_place_t places[BANKS];
static mete_bank_record_t records[BANKS];
static uint32_t ticks;

static uint32_t read_clock(void)
{
    return ticks++;
}

static bool change(void *self, const mete_ram_change_t *wanted)
{
    (void)self;
    (void)wanted;
    return true;
}

static const mete_ram_ops_t ops = {change};
static const mete_bank_config_t config = {.places = places,
                                          .records = records,
                                          .bank_count = BANKS,
                                          .ram = {&ops, NULL},
                                          .clock = read_clock,
                                          .tick_us = 1000U};
static mete_bank_t bank;

PROBE(mete_bank_sleep);
bool probe_mete_bank_sleep(mete_bank_t *banks, size_t index, mete_ram_state_t state);
PROBE(mete_bank_wake);
bool probe_mete_bank_wake(mete_bank_t *banks, size_t index);

int main(void)
{
    for (size_t i = 0U; i < BANKS; i++) {
        places[i].span.start = (void *)(uintptr_t)(1024U * (i + 1U));
        places[i].span.size = 1024U;
        places[i].kind = &kind;
    }
    (void)mete_bank_init(&bank, &config);
    start_phase("bank");
    uint32_t random = 1U;
    for (size_t i = 0U; i < ROUNDS; i++) {
        const size_t index = random_below(&random, BANKS);
        const bool is_deep = random_below(&random, 2U) == 0U;
        (void)probe_mete_bank_sleep(&bank, index, is_deep ? METE_RAM_DEEP_SLEEP : METE_RAM_SLEEP);
        (void)probe_mete_bank_wake(&bank, index);
    }
    return 0;
}
