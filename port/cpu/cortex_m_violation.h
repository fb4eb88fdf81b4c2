// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_CORTEX_M_VIOLATION_H
#define METE_PORT_CORTEX_M_VIOLATION_H

/// What a Cortex-M3, M4, M7, M33 or M55 says of an access that protection did not let happen.
///
///     void on_fault(const uint32_t *frame, uint32_t exc_return)  // MemManage, BusFault, UsageFault; see below.
///     {
///         const mete_violation_t violation = mete_cortex_m_violation(frame, exc_return);
///         ...
///
/// A handler must not push before it knows which stack was in use and what LR says:
///
///     tst lr, #4; ite eq; mrseq r0, msp; mrsne r0, psp; mov r1, lr; b on_fault
///
/// What is told apart (ARMv7-M Architecture Reference Manual, DDI 0403E, B3.2.15 and B3.2.16; ARMv8-M, DDI 0553B, CFSR):
///
///   MMFSR.IACCVIOL            FETCH; the address is the pc.
///   MMFSR.DACCVIOL            DATA; the address is in MMFAR. The instruction at the pc says whether it loads or stores.
///   MMFSR.MSTKERR, MUNSTKERR, MLSPERR; UFSR.STKOF
///                             STACK; there is no frame, so that the pc is lost. The address is known if MMFAR is valid.
///   BFSR.PRECISERR, by unprivileged code, in 0xE0000000 ... 0xE00FFFFF
///                             DATA; the core keeps its own registers from unprivileged code, whatever regions say.
///   else                      NONE.
///
/// A Cortex-M0 or M0+ has none of these registers.

#include "mete/core/violation.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Reads the fault registers and clears what they say. `frame` is what the core has stacked, `exc_return` the LR that the
/// handler was entered with. Call it in the handler, before anything else can fault; at most 70 instructions. Where
/// the core has stacked no frame, `frame` is not read.
mete_violation_t mete_cortex_m_violation(const uint32_t *frame, uint32_t exc_return);

#ifdef __cplusplus
}
#endif
#endif
