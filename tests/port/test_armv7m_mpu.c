// SPDX-License-Identifier: MIT OR Apache-2.0
//
// ARMv7-M: see mpu_verdicts.c.

#include "mete/protect/plan_armv7m.h"
#include "port/cpu/armv7m_mpu.h"
#include "port/cpu/start.h"
#include "tests/port/mpu_verdicts.h"

static const mete_rights_t rights[] = {{0, 0}, {0, 1}, {0, 3}, {1, 1}, {1, 3}, {3, 3},
                                       {5, 5}, {5, 7}, {7, 7}, {0, 5}, {0, 7}};

static mete_mpu_t init(void)
{
    static mete_armv7m_mpu_t unit;
    return mete_armv7m_mpu_init(&unit);
}

const mpu_target_t mpu_target = {.backend = &mete_plan_armv7m,
                                 .init = init,
                                 .region_count = 8U,
                                 .code_start = 0U,
                                 .code_last = 0x3FFFFFU,
                                 .stack_start = (uintptr_t)mete_port_stack_start,
                                 .stack_last = (uintptr_t)mete_port_stack_end - 1U,
                                 .rights = rights,
                                 .rights_count = sizeof rights / sizeof rights[0],
                                 .enable = 1U};
