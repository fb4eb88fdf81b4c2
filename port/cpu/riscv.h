// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_RISCV_H
#define METE_PORT_RISCV_H

/// Traps of a RISC-V core in machine mode. Interrupts stay off, so every trap is a fault: it is
/// reported to mete_port_console and the program ends with METE_PORT_EXIT_FAULT.

#include "port/cpu/start.h"

#include <stdint.h>

/// Called by riscv_start.S, on a fresh stack, with the stack pointer of the code that trapped.
__attribute__((noreturn)) void mete_port_on_trap(uintptr_t stack_pointer);

/// The `trace` of mete/wrap/track.h: follows the chain of frames, for which the program is compiled with
/// -fno-omit-frame-pointer. `self` is the mete_span_t of the stack that is in use; nothing outside is read.
void mete_riscv_trace(void *self, const void **frames, size_t count);

#endif
