// SPDX-License-Identifier: MIT OR Apache-2.0
//
// MPS2 with a Cortex-M33: peripherals at their secure addresses.

#include "port/board/board.h"

const mete_board_t mete_board = {
    .clock_hz = 20000000U,
    .uart = {.driver = &mete_uart_cmsdk,
             .base = 0x50200000U,
             .divisor = 174U,
             .poll_count_max = 1000000U},
};

void mete_board_init(void)
{
    // Nothing to switch on.
}
