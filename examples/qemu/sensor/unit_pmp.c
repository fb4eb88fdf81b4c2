// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/qemu/sensor/unit.h"

#include "port/cpu/riscv_pmp.h"

mete_mpu_t unit_init(mete_span_t arena)
{
    static mete_riscv_pmp_t unit;
    (void)arena;
    return mete_riscv_pmp_init(&unit);
}
