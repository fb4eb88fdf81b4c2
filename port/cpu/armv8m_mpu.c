// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The unit is off while its regions change, and interrupts are held off: nobody meets a mixture.

#include "port/cpu/armv8m_mpu.h"

// DDI 0553B, D1.2.
typedef struct registers {
    uint32_t type;
    uint32_t ctrl;
    uint32_t rnr;
    uint32_t rbar;  // With the Main Extension, this and the next stand four times in a row.
    uint32_t rlar;
    uint32_t others[7];
    uint32_t mair0;
} registers_t;

#define MPU ((volatile registers_t *)0xE000ED90U)

// Where they are, as a value that the compiler does not take apart: it would load two addresses where one is enough.
static inline volatile registers_t *registers(void)
{
    volatile registers_t *mpu = MPU;
    __asm("" : "+r"(mpu));
    return mpu;
}

#define CTRL_ENABLE     (1U << 0)
#define CTRL_PRIVDEFENA (1U << 2)

#ifdef __ARM_ARCH_8M_MAIN__
// To the region in RNR, a multiple of four, and the three behind it.
static inline void write_four(volatile registers_t *mpu, const mete_mpu_image_t *images)
{
    __asm volatile("ldrd r4, r5, [%0]\n\tstrd r4, r5, [%1, #12]\n\t"
                   "ldrd r4, r5, [%0, #8]\n\tstrd r4, r5, [%1, #20]\n\t"
                   "ldrd r4, r5, [%0, #16]\n\tstrd r4, r5, [%1, #28]\n\t"
                   "ldrd r4, r5, [%0, #24]\n\tstrd r4, r5, [%1, #36]" ::"r"(images),
                   "r"(mpu)
                   : "r4", "r5", "memory");
}
#endif

static inline void write_regions(volatile registers_t *mpu, const mete_mpu_image_t *images,
                                 size_t image_count)
{
    size_t next = 0U;
#ifdef __ARM_ARCH_8M_MAIN__
    for (; next != image_count / 4U * 4U; next += 4U) {
        mpu->rnr = (uint32_t)next;
        write_four(mpu, &images[next]);
    }
#endif
    for (; next != image_count; next++) {
        mpu->rnr = (uint32_t)next;
        mpu->rbar = images[next].words[0];
        mpu->rlar = images[next].words[1];
    }
}

static inline void switch_off(volatile registers_t *mpu, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        mpu->rnr = (uint32_t)i;
        mpu->rlar = 0U;
    }
}

// Everybody waits for a switch of tasks, so that this is short: no calls, and only regions that are or were in use. What
// is written while the unit is off needs no barrier but the last: device writes arrive in their order.
static void commit(void *self, const mete_mpu_image_t *images, size_t image_count,
                   bool has_background)
{
    mete_armv8m_mpu_t *const unit = self;
    volatile registers_t *const mpu = registers();
    uint32_t mask;
    __asm volatile("mrs %0, primask\n\tcpsid i\n\tdmb" : "=r"(mask)::"memory");
    const uint32_t is_on = mpu->ctrl & CTRL_ENABLE;
    mpu->ctrl = 0U;
    write_regions(mpu, images, image_count);
    switch_off(mpu, image_count, unit->used_count);
    unit->used_count = image_count;
    mpu->ctrl = is_on | ((uint32_t)has_background * CTRL_PRIVDEFENA);
    __asm volatile("dsb\n\tisb\n\tmsr primask, %0" ::"r"(mask) : "memory");
}

// What was stored before is done before, and what is fetched next is checked by what is written. Off, the unit still
// keeps whether there is a background.
static void write_control(uint32_t control)
{
    __asm volatile("dmb" ::: "memory");
    MPU->ctrl = control;
    __asm volatile("dsb\n\tisb" ::: "memory");
}

static void enable(void *self)
{
    (void)self;
    write_control(MPU->ctrl | CTRL_ENABLE);
}

static void disable(void *self)
{
    (void)self;
    write_control(MPU->ctrl & ~CTRL_ENABLE);
}

mete_mpu_t mete_armv8m_mpu_init(mete_armv8m_mpu_t *unit)
{
    static const mete_mpu_ops_t ops = {METE_MPU_ARMV8M, commit, enable, disable};
    unit->unit.region_count = (MPU->type >> 8) & 0xFFU;
    unit->used_count = unit->unit.region_count;
    disable(unit);
    MPU->mair0 = METE_MPU_MAIR0;
    commit(unit, NULL, 0U, true);
    return (mete_mpu_t){&ops, &unit->unit};
}
