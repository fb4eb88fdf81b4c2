// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_UART_H
#define METE_PORT_UART_H

/// Bytes out of a serial port, by polling: for logs and last words, not for traffic.
///
///     static mete_uart_t uart;
///     mete_board_init();
///     mete_uart_init(&uart, &mete_board.uart);
///     const mete_sink_t log = {mete_uart_write, &uart};
///
///   Time     O(size) at the speed of the line; no byte waits for more than poll_count_max polls.
///   Space    One mete_uart_t.
///   Threads  Not synchronised.
///   Errors   A port that never gets ready is ordinary: its bytes are dropped and counted. The first
///            byte that is not sent in time ends the write.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How a kind of serial port is operated; `base` is where its registers lie.
typedef struct mete_uart_driver {
    void (*start)(uintptr_t base, uint32_t divisor);  ///< Makes it ready to send.
    void (*put)(uintptr_t base, uint8_t byte);        ///< Begins to send a byte.
    bool (*is_ready)(uintptr_t base);                 ///< True if it can take the next.
} mete_uart_driver_t;

extern const mete_uart_driver_t mete_uart_cmsdk;  ///< Arm's CMSDK APB UART, of the MPS2 boards.
extern const mete_uart_driver_t mete_uart_stm32;  ///< USART of STM32F2 and F4.
extern const mete_uart_driver_t mete_uart_nrf51;  ///< UART of nRF51.
extern const mete_uart_driver_t mete_uart_16550;  ///< The PC's, its registers one byte apart.

typedef struct mete_uart_config {
    const mete_uart_driver_t *driver;
    uintptr_t base;
    uint32_t divisor;         ///< What the port's baud rate register takes.
    uint32_t poll_count_max;  ///< How often to look whether a byte has been sent.
} mete_uart_config_t;

/// A serial port. Zeroed, it drops everything.
typedef struct mete_uart {
    const mete_uart_config_t *config;
    size_t dropped_count;  // Bytes that could not be sent.
} mete_uart_t;

/// Makes the port ready. Its clock and its pins are the board's affair: see port/board/board.h.
void mete_uart_init(mete_uart_t *uart, const mete_uart_config_t *config);

/// Sends; returns how many bytes were sent. The write function of a sink whose self is the uart.
size_t mete_uart_write(void *self, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
