// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A firmware that says PASS on the machine's serial port and nothing anywhere else: if its test sees
// it, the port works.

#include "mete/core/text.h"
#include "port/board/board.h"

int main(void)
{
    static const char text[] = "by serial port\nPASS\n";
    static mete_uart_t uart;
    const bool silent = mete_uart_write(&uart, text, 1U) == 0U;  // Not yet initialised.
    const size_t dropped = uart.dropped_count;
    mete_board_init();
    mete_uart_init(&uart, &mete_board.uart);
    const size_t sent = mete_uart_write(&uart, text, sizeof text - 1U);
    return (silent && (dropped == 1U) && (sent == sizeof text - 1U) && (uart.dropped_count == 0U))
               ? 0
               : 1;
}
