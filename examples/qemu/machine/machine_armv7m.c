// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/qemu/machine/machine_core.h"
#include "mete/protect/plan_armv7m.h"
#include "port/cpu/armv7m_mpu.h"

// Code begins at 0, with the vectors of the core, which no task needs: they are what NULL leads to.
const machine_t machine = {.backend = &mete_plan_armv7m,
                           .code_start = 0U,
                           .code_last = 0x3FFFFFU,
                           .null_size = 64U,
                           .stack_size = 1024U,
                           .guard_size = 128U,
                           .overflow_cause = 1U << 4,  // MSTKERR.
                           .region_size = 1024U,
                           .rounds = 20000000U,
                           .return_instruction = 0x4770U,
                           .code_offset = 1U,
                           .switch_off_protection = core_switch_off_protection};

mete_mpu_t core_mpu_init(void)
{
    static mete_armv7m_mpu_t unit;
    return mete_armv7m_mpu_init(&unit);
}

void core_set_stack_limit(const void *limit)
{
    (void)limit;
}
