// SPDX-License-Identifier: MIT OR Apache-2.0
//
// RISC-V physical memory protection: see mpu_verdicts.c.

#include "mete/protect/plan_pmp.h"
#include "port/cpu/riscv_pmp.h"
#include "port/cpu/start.h"
#include "tests/port/mpu_verdicts.h"

// M-mode may do everything, whatever is wished for it.
static const mete_rights_t rights[] = {{0, 7}, {1, 7}, {3, 7}, {4, 7}, {5, 7}, {7, 7}};

static mete_mpu_t init(void)
{
    static mete_riscv_pmp_t unit;
    return mete_riscv_pmp_init(&unit);
}

const mpu_target_t mpu_target = {.backend = &mete_plan_pmp,
                                 .init = init,
                                 .region_count = 15U,
                                 .code_start = 0x80000000U,
                                 .code_last = 0x803FFFFFU,
                                 .stack_start = (uintptr_t)mete_port_stack_start,
                                 .stack_last = (uintptr_t)mete_port_stack_end - 1U,
                                 .rights = rights,
                                 .rights_count = sizeof rights / sizeof rights[0],
                                 .enable = 0x18U,
                                 .address_shift = 2U};
