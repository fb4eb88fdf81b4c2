// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_ARMV7M_MPU_H
#define METE_PORT_ARMV7M_MPU_H

/// Driver of the ARMv7-M protection unit (Cortex-M3, M4, M7): writes what mete/protect/plan.h has planned for
/// mete_plan_armv7m.
///
///     static mete_armv7m_mpu_t unit;
///     const mete_mpu_t mpu = mete_armv7m_mpu_init(&unit);
///     mete_plan_commit(&plan, mpu);
///     mete_mpu_enable(mpu);
///
/// Hard faults and NMI run without protection (HFNMIENA is 0): whoever reports a fault must not take another one. A
/// violation is the exception MemManage, which mete_port_start() enables. (ARMv7-M Architecture Reference Manual,
/// DDI 0403E, B3.5.)
///
///   Time     commit: 2 stores for each image, 2 for each region that was in use and no longer is, with interrupts off. A
///            switch between two plans of 4 regions, mete_plan_commit() with its checks: 59 instructions. All others: O(1).
///   Space    Two words.
///   Threads  Privileged code only. Calls exclude each other.

#include "mete/core/mpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The unit. The fields are here so that it can be static; there is one for each core.
typedef struct mete_armv7m_mpu {
    mete_mpu_unit_t unit;
    size_t used_count;  // Regions that may be on.
} mete_armv7m_mpu_t;

/// Switches protection and all regions off, and makes the driver ready. A core without the unit has 0 regions.
mete_mpu_t mete_armv7m_mpu_init(mete_armv7m_mpu_t *unit);

#ifdef __cplusplus
}
#endif
#endif
