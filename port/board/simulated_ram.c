// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The images are made here and not by a plan, for each is one region without rights. Registers: ARMv7-M, DDI 0403E, B3.5;
// ARMv8-M, DDI 0553B, D1.2; RISC-V, Volume II, 3.7.

#include "port/board/simulated_ram.h"

#define RBAR_VALID  0x10U
#define RASR_XN     (1U << 28)
#define RASR_ENABLE 1U
#define V8M_READ_ONLY_XN \
    5U  // Privileged code alone, and it may not write or execute: less cannot be said.
#define RLAR_ENABLE  1U
#define PMP_NAPOT    0x18U
#define V7M_SIZE_MIN 32U
#define PMP_SIZE_MIN 8U

enum { GARBAGE_SEED = 0x5EED };

// A power of two on a multiple of itself.
static bool is_natural(mete_span_t span, size_t size_min)
{
    return (span.size >= size_min) && ((span.size & (span.size - 1U)) == 0U) &&
           (((uintptr_t)span.start & (span.size - 1U)) == 0U);
}

static bool is_on_grid(mete_span_t span, uintptr_t granule)
{
    return (((uintptr_t)span.start | span.size) & (granule - 1U)) == 0U;
}

static bool can_be_region(mete_mpu_kind_t kind, mete_span_t span)
{
    switch (kind) {
    case METE_MPU_ARMV7M:
        return is_natural(span, V7M_SIZE_MIN);
    case METE_MPU_ARMV8M:
        return is_on_grid(span, 32U);
    case METE_MPU_PMP:
        return is_natural(span, PMP_SIZE_MIN);
    default:
        return is_on_grid(span,
                          METE_MPU_PAGES_RIGHTS + 1U);  // The driver demands the system's pages.
    }
}

static void write_image(mete_mpu_image_t *image, mete_mpu_kind_t kind, size_t number,
                        mete_span_t span)
{
    const uintptr_t start = (uintptr_t)span.start;
    const uintptr_t rest = span.size - 1U;
    switch (kind) {
    case METE_MPU_ARMV7M:
        image->words[0] = start | RBAR_VALID | number;
        image->words[1] = RASR_XN | (((uint32_t)__builtin_ctzl(span.size) - 1U) << 1) | RASR_ENABLE;
        break;
    case METE_MPU_ARMV8M:
        image->words[0] = start | V8M_READ_ONLY_XN;
        image->words[1] = ((start + rest) & ~(uintptr_t)31U) | RLAR_ENABLE;
        break;
    case METE_MPU_PMP:
        image->words[0] = (start >> 2) | (rest >> 3);
        image->words[1] = PMP_NAPOT;
        break;
    default:
        image->words[0] = start;
        image->words[1] = start + rest;
        break;
    }
}

static void enforce(mete_simulated_ram_t *simulated)
{
    const mete_mpu_t mpu = simulated->mpu;
    if (mpu.ops != NULL) {
        for (size_t i = 0U; i < simulated->sleeping_count; i++) {
            write_image(&simulated->images[i], mpu.ops->kind, i, simulated->sleeping[i]);
        }
        mpu.ops->commit(mpu.self, simulated->images, simulated->sleeping_count, true);
        mete_mpu_enable(mpu);
    }
}

// Where a bank stands among those that sleep, or their count.
static size_t find(const mete_simulated_ram_t *simulated, mete_span_t span)
{
    size_t i = 0U;
    while ((i < simulated->sleeping_count) && (simulated->sleeping[i].start != span.start)) {
        i++;
    }
    return i;
}

static bool has_room(const mete_simulated_ram_t *simulated, mete_span_t span)
{
    const mete_mpu_t mpu = simulated->mpu;
    const size_t unit_max = (mpu.ops != NULL) ? mete_mpu_region_count(mpu) : SIZE_MAX;
    return (simulated->sleeping_count < METE_SIMULATED_RAM_BANK_MAX) &&
           (simulated->sleeping_count < unit_max) &&
           ((mpu.ops == NULL) || can_be_region(mpu.ops->kind, span));
}

static void wake(mete_simulated_ram_t *simulated, mete_span_t span)
{
    const size_t place = find(simulated, span);
    if (place < simulated->sleeping_count) {
        simulated->sleeping_count--;
        simulated->sleeping[place] = simulated->sleeping[simulated->sleeping_count];
        enforce(simulated);
    }
}

// Byte by byte, from a generator (Marsaglia, Xorshift RNGs, 2003) that is never started anew.
static void spoil(mete_simulated_ram_t *simulated, mete_span_t span)
{
    volatile unsigned char *const bytes = span.start;
    for (size_t i = 0U; i < span.size; i++) {
        simulated->garbage ^= simulated->garbage << 13;
        simulated->garbage ^= simulated->garbage >> 17;
        simulated->garbage ^= simulated->garbage << 5;
        bytes[i] = (unsigned char)simulated->garbage;
    }
}

static bool change(void *self, const mete_ram_change_t *wanted)
{
    mete_simulated_ram_t *const simulated = self;
    const bool is_asleep = find(simulated, wanted->span) < simulated->sleeping_count;
    if ((wanted->to != METE_RAM_ACTIVE) && !is_asleep && !has_room(simulated, wanted->span)) {
        return false;
    }
    if (!wanted->retains || (wanted->to == METE_RAM_ACTIVE)) {
        wake(simulated, wanted->span);
    }
    if (!wanted->retains) {
        spoil(simulated, wanted->span);
    }
    if ((wanted->to != METE_RAM_ACTIVE) &&
        (find(simulated, wanted->span) == simulated->sleeping_count)) {
        simulated->sleeping[simulated->sleeping_count] = wanted->span;
        simulated->sleeping_count++;
        enforce(simulated);
    }
    return true;
}

mete_ram_t mete_simulated_ram_init(mete_simulated_ram_t *simulated, mete_mpu_t mpu)
{
    static const mete_ram_ops_t ops = {change};
    simulated->mpu = mpu;
    simulated->garbage = GARBAGE_SEED;
    simulated->sleeping_count = 0U;
    enforce(simulated);
    return (mete_ram_t){&ops, simulated};
}
