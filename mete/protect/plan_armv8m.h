// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLAN_ARMV8M_H
#define METE_PLAN_ARMV8M_H

/// The rules of the ARMv8-M protection unit (Cortex-M23, M33, M55), for mete/protect/plan.h.
///
/// A region goes from any multiple of 32 bytes to any other. No two may overlap: what two have is denied to
/// everybody. Executing needs the right to read, and both modes may execute or none. Privileged code can always read;
/// unprivileged code has the same rights, or none. Device memory is never executed, nor is anything from 0xE0000000 on; the
/// private peripheral bus is not governed by regions. (ARMv8-M Architecture Reference Manual, DDI 0553B, D1.2, R_XWMG on.)
///
/// "Nobody may" cannot be said by a region. Without a background it need not be: such a wish takes none then, and is
/// refused with one.

#include "mete/protect/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The memory types are attribute indices: the driver writes METE_MPU_MAIR0.
extern const mete_plan_backend_t mete_plan_armv8m;

#ifdef __cplusplus
}
#endif
#endif
