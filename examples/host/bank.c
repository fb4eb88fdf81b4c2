// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Three hours of a sensor. The second bank is needed for a minute of each and sleeps in between: what did it save?

#include "mete/power/bank_report.h"

#include <stdio.h>

static const mete_bank_kind_t kind = {
    .modes = {[METE_RAM_ACTIVE] = {900U, true},
              [METE_RAM_SLEEP] = {40U, true},
              [METE_RAM_DEEP_SLEEP] = {1U, false}},
    .changes = {[METE_RAM_ACTIVE] =
                    {[METE_RAM_SLEEP] = {5U, 300U, true}, [METE_RAM_DEEP_SLEEP] = {9U, 400U, true}},
                [METE_RAM_SLEEP] = {[METE_RAM_ACTIVE] = {12U, 500U, true}},
                [METE_RAM_DEEP_SLEEP] = {[METE_RAM_ACTIVE] = {80U, 2000U, true}}}};

static unsigned char ram[2][4096];
static const mete_bank_place_t places[] = {{{ram[0], 4096U}, &kind}, {{ram[1], 4096U}, &kind}};
static mete_bank_record_t records[2];
static uint32_t now_ms;

static uint32_t read_clock(void)
{
    return now_ms;
}

static bool drive(void *self, const mete_ram_change_t *change)
{
    printf("%s %d to %d\n", (char *)self, (int)change->from, (int)change->to);
    return true;
}

static size_t print(void *self, const void *bytes, size_t size)
{
    return fwrite(bytes, 1U, size, (FILE *)self);
}

int main(void)
{
    static const mete_ram_ops_t ops = {drive};
    static char name[] = "state";
    static const mete_bank_config_t config = {.places = places,
                                              .records = records,
                                              .bank_count = 2U,
                                              .ram = {&ops, name},
                                              .clock = read_clock,
                                              .tick_us = 1000U};
    mete_bank_t bank;
    (void)mete_bank_init(&bank, &config);
    for (unsigned hour = 0U; hour < 3U; hour++) {
        now_ms += 60U * 1000U;
        (void)mete_bank_sleep(&bank, 1U, (hour < 2U) ? METE_RAM_SLEEP : METE_RAM_DEEP_SLEEP);
        now_ms += 59U * 60U * 1000U;
        (void)mete_bank_wake(&bank, 1U);
    }
    mete_bank_usage_t usage;
    (void)mete_bank_read(&bank, 1U, &usage);
    mete_bank_report_write_usage("readings", &usage, (mete_sink_t){print, stdout});
}
