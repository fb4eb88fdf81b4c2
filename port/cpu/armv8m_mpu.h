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
///   Time     commit: 3 stores for each image, 2 for each region that was in use and no longer is, with interrupts off. A
///            switch between two plans of 4 regions, mete_plan_commit() with its checks: 60 instructions. All others: O(1).
///   Space    Two words.
///   Threads  Privileged code only. Calls exclude each other.

#include "mete/core/mpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The unit. The fields are here so that it can be static; there is one for each core.
typedef struct mete_armv8m_mpu {
    mete_mpu_unit_t unit;
    size_t used_count;  // Regions that may be on.
} mete_armv8m_mpu_t;

/// Switches protection and all regions off, sets the memory types, and makes the driver ready. A core without
/// the unit has 0 regions.
mete_mpu_t mete_armv8m_mpu_init(mete_armv8m_mpu_t *unit);

/// How far down the process stack (PSP) may reach from now on: a push or a frame of an exception that would lie below
/// `limit` is not written and ends in the exception UsageFault, STKOF, before anything is overwritten. A kernel sets it at
/// each switch of tasks, to mete_stacks_limit() say. `limit` is a multiple of 8; 0: no limit. One instruction. Privileged
/// code only; cores with the Main Extension. (DDI 0553B, B3.8 stack limit checks, D1.2 PSPLIM.)
METE_INLINE void mete_armv8m_stack_limit_set(uintptr_t limit)
{
    __asm volatile("msr psplim, %0" ::"r"(limit) : "memory");
}

#ifdef __cplusplus
}
#endif
#endif
