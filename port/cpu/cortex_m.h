// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_CORTEX_M_H
#define METE_PORT_CORTEX_M_H

/// Vector table and fault handlers of the Cortex-M cores.
///
/// The library's table serves faults and SysTick. A firmware that has interrupts of its own writes
/// the whole table, so that one place shows what can run:
///
///     const struct { mete_vectors_t core; void (*interrupts[82])(void); } mete_port_vectors
///         METE_VECTORS_PLACE = {
///             .core = METE_VECTORS_CORE(mete_bare_metal_tick),
///             .interrupts = {[37] = on_usart1},
///         };
///
/// A fault is reported to mete_port_console, with the addresses that the core knows; then the program
/// ends with METE_PORT_EXIT_FAULT.

#include "port/cpu/start.h"

#ifdef __cplusplus
extern "C" {
#endif

/// As the core reads it. A NULL handler: the exception does not exist, or is never enabled.
typedef struct mete_vectors {
    void *stack_end;
    void (*reset)(void);
    void (*nmi)(void);
    void (*hard_fault)(void);
    void (*memory_fault)(void);
    void (*bus_fault)(void);
    void (*usage_fault)(void);
    void (*secure_fault)(void);
    void (*reserved_1[3])(void);
    void (*svcall)(void);
    void (*debug_monitor)(void);
    void (*reserved_2)(void);
    void (*pendsv)(void);
    void (*systick)(void);
} mete_vectors_t;

/// Attribute of a table: puts it where the core looks for it.
#define METE_VECTORS_PLACE __attribute__((section(".isr_vector"), used))

/// Reset and faults as the port serves them; `on_systick` serves SysTick.
#define METE_VECTORS_CORE(on_systick) \
    { \
        .stack_end = mete_port_stack_end, .reset = mete_port_start, .nmi = mete_port_on_fault, \
        .hard_fault = mete_port_on_fault, .memory_fault = mete_port_on_fault, \
        .bus_fault = mete_port_on_fault, .usage_fault = mete_port_on_fault, \
        .secure_fault = mete_port_on_fault, .svcall = mete_port_on_fault, \
        .debug_monitor = mete_port_on_fault, .pendsv = mete_port_on_fault, \
        .systick = (on_systick), \
    }

/// The reset handler.
__attribute__((noreturn)) void mete_port_start(void);

/// Serves every exception that must not happen.
void mete_port_on_fault(void);

/// The `trace` of mete/wrap/track.h: copies the stack as it stands, for `mete leaks` to unwind with the
/// ELF file. `self` is the mete_span_t of the stack that is in use. A word each: a mark, sp, r7, lr, pc,
/// then the stack; 24 words reach three or four callers.
void mete_cortex_m_trace(void *self, const void **frames, size_t count);

/// No address of code: it tells a copied stack from a list of frames.
#define METE_CORTEX_M_TRACE_MARK 1U

#ifdef __cplusplus
}
#endif
#endif
