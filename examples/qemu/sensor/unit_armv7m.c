// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/qemu/sensor/unit.h"

#include "port/cpu/armv7m_mpu.h"

mete_mpu_t unit_init(mete_span_t arena)
{
    static mete_armv7m_mpu_t unit;
    (void)arena;
    return mete_armv7m_mpu_init(&unit);
}
