// SPDX-License-Identifier: MIT OR Apache-2.0
//
// MPS2 with a Cortex-M3, M4 or M7.

#include "port/board/board.h"

const mete_board_t mete_board = {
    .clock_hz = 25000000U,
    .uart = {.driver = &mete_uart_cmsdk,
             .base = 0x40004000U,
             .divisor = 217U,
             .poll_count_max = 1000000U},
};

void mete_board_init(void)
{
    // Nothing to switch on.
}
