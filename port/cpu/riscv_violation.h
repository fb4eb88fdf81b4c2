// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_RISCV_VIOLATION_H
#define METE_PORT_RISCV_VIOLATION_H

/// What a RISC-V core says, in machine mode, of an access that protection did not let happen.
///
/// Access faults are those of PMP and those of memory that is not there: the core does not tell them apart; a plan does.
/// Everything is known. (The RISC-V Instruction Set Manual, Volume II, 3.1.15 mcause, 3.1.16 mtval, 3.7 PMP.)

#include "mete/core/violation.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Reads mcause, mtval, mepc and mstatus. Call it in the trap handler, before another trap can overwrite them. O(1),
/// no loop. NONE for interrupts and all other exceptions.
mete_violation_t mete_riscv_violation(void);

#ifdef __cplusplus
}
#endif
#endif
