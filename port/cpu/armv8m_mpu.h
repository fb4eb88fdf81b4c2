// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_ARMV8M_MPU_H
#define METE_PORT_ARMV8M_MPU_H

/// Driver of the ARMv8-M protection unit (Cortex-M23, M33, M55): writes what mete/protect/plan.h has planned for
/// mete_plan_armv8m. It is the unit of the security state that the program runs in.
///
///     static mete_armv8m_mpu_t unit;
///     const mete_mpu_t mpu = mete_armv8m_mpu_init(&unit);
///     mete_plan_commit(&plan, mpu);
///     mete_mpu_enable(mpu);
///
/// Hard faults and NMI run without protection (HFNMIENA is 0): whoever reports a fault must not take another one. A
/// violation is the exception MemManage, which mete_port_start() enables. (ARMv8-M Architecture Reference Manual,
/// DDI 0553B, the MPU registers in chapter D1.2.)
///
///   Time     commit: 3 stores for each region that the unit has, with interrupts off. All others: O(1).
///   Space    One word.
///   Threads  Privileged code only. Calls exclude each other.

#include "mete/core/mpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The unit. The field is here so that it can be static; there is one for each core.
typedef struct mete_armv8m_mpu {
    uint32_t control;  // What MPU_CTRL is when protection is on.
} mete_armv8m_mpu_t;

/// Switches protection and all regions off, sets the memory types, and makes the driver ready. A core without
/// the unit has 0 regions.
mete_mpu_t mete_armv8m_mpu_init(mete_armv8m_mpu_t *unit);

#ifdef __cplusplus
}
#endif
#endif
