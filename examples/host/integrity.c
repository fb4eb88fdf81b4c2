// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Constants and settings are watched. Settings change through a gate; what a stray pointer does is found in
// the next round, with the time in between.

#include "mete/protect/integrity.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLICE_SIZE = 32 };
static unsigned char sine[100];  // Would be in flash.
static int settings[2] = {5, 100};
static mete_integrity_slice_t sine_slices[METE_INTEGRITY_SLICE_COUNT(sizeof sine, SLICE_SIZE)];
static mete_integrity_slice_t settings_slices[1];
static mete_integrity_gate_t settings_gate;
static uint32_t seconds;
static mete_integrity_t integrity;

static uint32_t read_seconds(void)
{
    return seconds;
}

// METE_FAULT traps here; a program in the field would report, and go to a safe state.
static void on_trap(int signal_number)
{
    (void)signal_number;
    mete_integrity_break_t found;
    (void)mete_integrity_read_break(&integrity, &found);  // NOLINT: not within another call.
    // NOLINTNEXTLINE: likewise.
    printf("region %zu slice %zu: right at %u s, wrong at %u s\n", found.region_index,
           found.slice_index, (unsigned)found.right_ticks, (unsigned)found.wrong_ticks);
    _Exit(0);
}

int main(void)
{
    static const mete_integrity_region_t regions[] = {
        {sine, sizeof sine, sine_slices, NULL},
        {settings, sizeof settings, settings_slices, &settings_gate},
    };
    static const mete_integrity_config_t config = {regions, 2U, SLICE_SIZE, read_seconds, 10U, 1U};
    (void)setvbuf(stdout, NULL, _IONBF, 0U);  // What was said is out before the program ends.
    (void)signal(SIGILL, on_trap);
    (void)signal(SIGTRAP, on_trap);
    (void)mete_integrity_init(&integrity, &config);
    for (seconds = 1U; seconds < 60U; seconds++) {
        if ((seconds == 5U) && mete_integrity_open(&integrity, 1U)) {
            settings[0] = 6;
            mete_integrity_close(&integrity, 1U);
        }
        if (seconds == 27U) {
            sine[70] ^= 4U;  // A stray pointer, or a flipped bit.
        }
        (void)mete_integrity_check_next(&integrity);
    }
    return 1;
}
