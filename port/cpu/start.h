// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_START_H
#define METE_PORT_START_H

/// From reset to main() and out again, for every processor.
///
/// The port is a library that a firmware links. Of three things it holds a default that a firmware
/// replaces by defining the same name itself; the linker then leaves the library's file out. There
/// are no weak symbols: if nobody defines a name, linking fails.
///
///     mete_port_console  where faults are reported
///     mete_port_exit     what happens after main()
///     mete_port_vectors  the vector table (Cortex-M, see port/cpu/cortex_m.h)

#include "mete/core/sink.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The exit code after a processor fault.
#define METE_PORT_EXIT_FAULT 3

/// Where faults are reported. Default on emulated machines: semihosting. In silicon there is none:
/// the firmware defines its own.
extern const mete_sink_t mete_port_console;

/// Ends the program. Default on emulated machines: ends the emulator, with this exit code, of which
/// 8 bits count. In silicon: stops the core.
__attribute__((noreturn)) void mete_port_exit(int code);

/// Where a reset leads: memory is made ready, main() is called and its result handed to
/// mete_port_exit(). Needs a stack and, on RISC-V, a trap vector.
__attribute__((noreturn)) void mete_port_run(void);

// Drawn by the linker script, port/board/sections.ld.
extern char mete_port_stack_start[];
extern char mete_port_stack_end[];
extern char mete_port_ram_start[];
extern char mete_port_ram_end[];
extern char mete_port_ram_free_start[];

/// The stack that main() runs on.
static inline mete_span_t mete_port_stack(void)
{
    const mete_span_t span = {mete_port_stack_start,
                              (size_t)(mete_port_stack_end - mete_port_stack_start)};
    return span;
}

/// RAM that nothing was linked into.
static inline mete_span_t mete_port_ram_free(void)
{
    const mete_span_t span = {mete_port_ram_free_start,
                              (size_t)(mete_port_ram_end - mete_port_ram_free_start)};
    return span;
}

#ifdef __cplusplus
}
#endif
#endif
