// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The unit is off while its regions change, and interrupts are held off: nobody meets a mixture.

#include "port/cpu/armv7m_mpu.h"

#include "mete/core/platform.h"

// DDI 0403E, B3.5.5 to B3.5.9.
#define MPU_TYPE (*(volatile uint32_t *)0xE000ED90U)
#define MPU_CTRL (*(volatile uint32_t *)0xE000ED94U)
#define MPU_RNR  (*(volatile uint32_t *)0xE000ED98U)
#define MPU_RBAR (*(volatile uint32_t *)0xE000ED9CU)
#define MPU_RASR (*(volatile uint32_t *)0xE000EDA0U)

#define CTRL_ENABLE     (1U << 0)
#define CTRL_PRIVDEFENA (1U << 2)

// What was stored before is done before, and what is fetched next is checked by what is written (DDI 0403E, B3.5.4).
static void write_control(uint32_t control)
{
    __asm volatile("dmb" ::: "memory");
    MPU_CTRL = control;
    __asm volatile("dsb\n\tisb" ::: "memory");
}

static size_t region_count(const void *self)
{
    (void)self;
    return (MPU_TYPE >> 8) & 0xFFU;
}

static void write_regions(const mete_mpu_image_t *images, size_t image_count)
{
    for (size_t i = 0U; i < image_count; i++) {
        MPU_RBAR = images[i].words[0];  // It says which region it is.
        MPU_RASR = images[i].words[1];
    }
    const size_t count = region_count(NULL);
    for (size_t i = image_count; i < count; i++) {
        MPU_RNR = (uint32_t)i;
        MPU_RASR = 0U;
    }
}

static void commit(void *self, const mete_mpu_image_t *images, size_t image_count,
                   bool has_background)
{
    mete_armv7m_mpu_t *const unit = self;
    const uintptr_t state = mete_critical_enter();
    const bool is_on = (MPU_CTRL & CTRL_ENABLE) != 0U;
    unit->control = CTRL_ENABLE | (has_background ? CTRL_PRIVDEFENA : 0U);
    write_control(0U);
    write_regions(images, image_count);
    write_control(is_on ? unit->control : 0U);
    mete_critical_leave(state);
}

static void enable(void *self)
{
    const mete_armv7m_mpu_t *const unit = self;
    write_control(unit->control);
}

static void disable(void *self)
{
    (void)self;
    write_control(0U);
}

mete_mpu_t mete_armv7m_mpu_init(mete_armv7m_mpu_t *unit)
{
    static const mete_mpu_ops_t ops = {METE_MPU_ARMV7M, commit, enable, disable, region_count};
    disable(unit);
    commit(unit, NULL, 0U, true);
    return (mete_mpu_t){&ops, unit};
}
