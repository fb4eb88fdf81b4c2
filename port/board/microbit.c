// SPDX-License-Identifier: MIT OR Apache-2.0
//
// BBC micro:bit as QEMU models it, with a SysTick; the silicon, nRF51, has none, and needs a timer that
// calls mete_bare_metal_tick(). The code of 115200 baud is 0x01D7E000.

#include "port/board/board.h"

const mete_board_t mete_board = {
    .clock_hz = 16000000U,
    .uart = {.driver = &mete_uart_nrf51,
             .base = 0x40002000U,
             .divisor = 0x01D7E000U,
             .poll_count_max = 1000000U},
};

void mete_board_init(void)
{
    // Nothing to switch on.
}
