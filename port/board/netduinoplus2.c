// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Netduino Plus 2 as QEMU models it: the core runs at 168 MHz from the start, RCC and GPIO read 0 and
// ignore what is written. USART1 needs nothing.

#include "port/board/board.h"

const mete_board_t mete_board = {
    .clock_hz = 168000000U,
    .uart = {.driver = &mete_uart_stm32,
             .base = 0x40011000U,
             .divisor = 729U,
             .poll_count_max = 1000000U},
};

void mete_board_init(void)
{
    // Nothing to switch on.
}
