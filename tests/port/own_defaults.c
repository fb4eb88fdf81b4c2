// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A firmware that brings its own vectors, console and exit, and says PASS if all three were used.

#include "mete/core/platform.h"
#include "port/board/board.h"
#include "port/cpu/cortex_m.h"
#include "port/io/semihosting.h"
#include "port/os/bare_metal.h"

static size_t console_size;
static volatile uint32_t ticks;
uint32_t beside[4] __attribute__((section(".ccm")));  // Its test looks where it lies in silicon.

static size_t count_bytes(void *self, const void *bytes, size_t size)
{
    (void)self, (void)bytes;
    console_size += size;
    return size;
}

const mete_sink_t mete_port_console = {count_bytes, NULL};

static void on_systick(void)
{
    ticks++;
    mete_bare_metal_tick();
}

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = METE_VECTORS_CORE(on_systick);

void mete_port_exit(int code)
{
    const bool passed = (code == METE_PORT_EXIT_REPORT) && (console_size > 40U) && (ticks >= 2U) &&
                        (mete_clock_ms() == ticks);
    (void)mete_semihosting_write_text(NULL, passed ? "PASS\n" : "FAIL\n", 5U);
    mete_semihosting_exit(passed ? 0 : 1);
}

int main(void)
{
    beside[0]++;
    mete_bare_metal_clock_start(mete_board.clock_hz);
    for (uint32_t i = 0U; (i < 100000000U) && (ticks < 2U); i++) {
    }
    mete_fault_report(METE_FAULT_CORRUPT, beside, NULL, NULL);
}
