// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_BARE_METAL_H
#define METE_PORT_BARE_METAL_H

/// mete/core/platform.h without an operating system: one core, and interrupts.
///
/// A critical section masks interrupts: PRIMASK on Cortex-M, MIE on RISC-V; port/os/bare_metal_inline.h
/// has it without the calls. The clock counts calls of
/// mete_bare_metal_tick(), which the port's vector table binds to SysTick; on RISC-V it reads mtime.
/// A fault report goes to mete_port_console and ends the program with METE_PORT_EXIT_REPORT.
///
///   Time     Everything: O(1).
///   Space    One word for the clock, where ticks are counted.
///   Threads  Everything may be called from interrupts.

#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The exit code after mete_fault_report().
#define METE_PORT_EXIT_REPORT 2

/// Starts the clock. `hz` is what SysTick counts with, usually the core clock, 1000 ... 16777216000;
/// on RISC-V what mtime counts with. Until then mete_clock_ms() stands still.
void mete_bare_metal_clock_start(uint32_t hz);

/// One millisecond has passed. Whoever serves SysTick, or another timer in its place, calls this.
/// Interrupts masked for two periods lose one.
void mete_bare_metal_tick(void);

/// What a critical section used as a lock must remember.
typedef struct {
    uintptr_t state;
    size_t depth;
} mete_bare_metal_lock_t;

/// A lock that keeps everything else out. The holder may enter it again. Starts zeroed.
mete_lock_t mete_bare_metal_lock(mete_bare_metal_lock_t *lock);

/// Sleeps until an interrupt is pending, masked or not: WFI on Cortex-M. On RISC-V, where no interrupt
/// need come when a time has passed, it returns at once. May return early.
void mete_bare_metal_idle(void);

/// What a signal consists of.
typedef struct {
    bool is_set;
} mete_bare_metal_signal_t;

/// A signal with which the one task there is, main(), waits for an interrupt; for mete/wrap/wait.h. It
/// sleeps in mete_bare_metal_idle(). For timeouts the clock must run. Starts zeroed. Interrupts
/// must not be masked where it waits.
mete_signal_t mete_bare_metal_signal(mete_bare_metal_signal_t *signal);

#ifdef __cplusplus
}
#endif
#endif
