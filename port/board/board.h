// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_BOARD_H
#define METE_PORT_BOARD_H

/// What differs between the machines: board/<machine>.c says it, board/<machine>.ld says its memory.

#include "port/io/uart.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mete_board {
    uint32_t clock_hz;        ///< For mete_bare_metal_clock_start().
    mete_uart_config_t uart;  ///< The first serial port.
} mete_board_t;

extern const mete_board_t mete_board;

/// Switches on what the serial port needs: its clock and its pin. Never waits.
void mete_board_init(void);

#ifdef __cplusplus
}
#endif
#endif
