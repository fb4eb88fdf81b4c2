// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/qemu/machine/machine_core.h"
#include "mete/protect/plan_armv8m.h"
#include "port/cpu/armv8m_mpu.h"

const machine_t machine = {.backend = &mete_plan_armv8m,
                           .code_start = 0x10000000U,
                           .code_last = 0x103FFFFFU,
                           .stack_size = 1024U,
                           .guard_size = 32U,
                           .overflow_cause = 1U << 20,  // STKOF: the limit, not a region.
                           .region_size = 1024U,
                           .rounds = 20000000U,
                           .return_instruction = 0x4770U,
                           .code_offset = 1U,
                           .switch_off_protection = core_switch_off_protection};

mete_mpu_t core_mpu_init(void)
{
    static mete_armv8m_mpu_t unit;
    return mete_armv8m_mpu_init(&unit);
}

void core_set_stack_limit(const void *limit)
{
    mete_armv8m_stack_limit_set((uintptr_t)limit);
}
