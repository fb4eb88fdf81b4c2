// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_RISCV_PMP_H
#define METE_PORT_RISCV_PMP_H

/// Driver of RISC-V physical memory protection, 32 bits, up to 16 entries: writes what mete/protect/plan.h has planned
/// for mete_plan_pmp.
///
///     static mete_riscv_pmp_t unit;
///     const mete_mpu_t mpu = mete_riscv_pmp_init(&unit);
///     mete_plan_commit(&plan, mpu);
///     mete_mpu_enable(mpu);
///
/// The last entry is the driver's: where no entry matches, unprivileged code may do nothing, so that switching
/// protection off takes one that allows all. It does not undo locks. (The RISC-V Instruction Set Manual, Volume II, 3.7.)
///
///   Time     commit: at most 23 writes, one for each image's address and two for each of the four configurations. All
///            others: O(1).
///   Space    Six words.
///   Threads  Machine mode, interrupts off. Calls exclude each other.

#include "mete/core/mpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The unit. The fields are here so that it can be static; there is one for each core.
typedef struct mete_riscv_pmp {
    mete_mpu_unit_t unit;
    uint32_t configs[4];  // What pmpcfg0 ... 3 are when protection is on.
    bool is_on;
} mete_riscv_pmp_t;

/// Switches protection and all entries off, and makes the driver ready.
mete_mpu_t mete_riscv_pmp_init(mete_riscv_pmp_t *unit);

#ifdef __cplusplus
}
#endif
#endif
