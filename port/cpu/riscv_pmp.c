// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Entries are off while their addresses change. Control registers have their numbers in the instructions, so that
// each needs one of its own.

#include "port/cpu/riscv_pmp.h"

#define WRITE_CSR(name, value) __asm volatile("csrw " #name ", %0" ::"r"(value) : "memory")

enum { ENTRY_COUNT = 16, OURS = ENTRY_COUNT - 1 };

#define MISA_S        (1U << 18)
#define CFG_ALL_OURS  0x1F000000U  // NAPOT, all rights: the fourth byte of pmpcfg3.
#define ADDRESS_WHOLE 0xFFFFFFFFU

static void write_address(size_t entry, uintptr_t address)
{
    switch (entry) {
#define CASE(number) \
    case number: \
        WRITE_CSR(pmpaddr##number, address); \
        break
        CASE(0);
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
        CASE(7);
        CASE(8);
        CASE(9);
        CASE(10);
        CASE(11);
        CASE(12);
        CASE(13);
        CASE(14);
        CASE(15);
#undef CASE
    default:
        break;
    }
}

// A core that translates addresses may hold old verdicts; one without supervisor mode lacks the fence (Volume II,
// 3.7.2).
static void write_configs(const uint32_t *configs)
{
    uintptr_t misa;
    WRITE_CSR(pmpcfg0, configs[0]);
    WRITE_CSR(pmpcfg1, configs[1]);
    WRITE_CSR(pmpcfg2, configs[2]);
    WRITE_CSR(pmpcfg3, configs[3]);
    __asm volatile("csrr %0, misa" : "=r"(misa));
    if ((misa & MISA_S) != 0U) {
        __asm volatile("sfence.vma" ::: "memory");
    }
}

static void disable(void *self)
{
    static const uint32_t all[4] = {0U, 0U, 0U, CFG_ALL_OURS};
    mete_riscv_pmp_t *const unit = self;
    unit->is_on = false;
    write_configs(all);
}

static void enable(void *self)
{
    mete_riscv_pmp_t *const unit = self;
    unit->is_on = true;
    write_configs(unit->configs);
}

// M-mode may do what no entry denies it, whether there is a background or not.
static void commit(void *self, const mete_mpu_image_t *images, size_t image_count,
                   bool has_background)
{
    static const uint32_t none[4] = {0U, 0U, 0U, 0U};
    mete_riscv_pmp_t *const unit = self;
    (void)has_background;
    write_configs(none);
    for (size_t i = 0U; i < 4U; i++) {
        unit->configs[i] = 0U;
    }
    for (size_t i = 0U; i < image_count; i++) {
        write_address(i, images[i].words[0]);
        unit->configs[i / 4U] |= (uint32_t)images[i].words[1] << (8U * (i % 4U));
    }
    if (unit->is_on) {
        enable(unit);
    } else {
        disable(unit);
    }
}

mete_mpu_t mete_riscv_pmp_init(mete_riscv_pmp_t *unit)
{
    static const mete_mpu_ops_t ops = {METE_MPU_PMP, commit, enable, disable};
    unit->unit.region_count = OURS;
    unit->is_on = false;
    write_address(OURS, ADDRESS_WHOLE);
    commit(unit, NULL, 0U, true);
    return (mete_mpu_t){&ops, &unit->unit};
}
