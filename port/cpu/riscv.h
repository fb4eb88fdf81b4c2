// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_RISCV_H
#define METE_PORT_RISCV_H

/// Traps of a RISC-V core in machine mode. Interrupts stay off, so every trap is a fault: it is
/// reported to mete_port_console and the program ends with METE_PORT_EXIT_FAULT.

#include "port/cpu/start.h"

#include <stdint.h>

/// Called by riscv_start.S, on a fresh stack, with the stack pointer of the code that trapped.
__attribute__((noreturn)) void mete_port_on_trap(uintptr_t stack_pointer);

#endif
