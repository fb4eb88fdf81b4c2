// SPDX-License-Identifier: MIT OR Apache-2.0
//
// QEMU's virt machine. clock_hz is that of mtime.

#include "port/board/board.h"

const mete_board_t mete_board = {
    .clock_hz = 10000000U,
    .uart = {.driver = &mete_uart_16550,
             .base = 0x10000000U,
             .divisor = 2U,
             .poll_count_max = 1000000U},
};

void mete_board_init(void)
{
    // Nothing to switch on.
}
