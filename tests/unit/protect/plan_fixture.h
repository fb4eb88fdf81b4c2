// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_PLAN_FIXTURE_H
#define METE_TEST_PLAN_FIXTURE_H

/// What the tests of plans share: a plan with its storage, and what the hardware would do with images, read bit by bit
/// from the manuals and not from the code under test.

#include "mete/protect/plan.h"
#include "mete/protect/plan_armv7m.h"
#include "mete/protect/plan_armv8m.h"
#include "mete/protect/plan_pages.h"
#include "mete/protect/plan_pmp.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { WISH_MAX = 32, IMAGE_MAX = 64 };
enum {
    R = METE_ACCESS_READ,
    W = METE_ACCESS_WRITE,
    X = METE_ACCESS_EXECUTE,
    RW = R | W,
    RX = R | X,
    RWX = R | W | X
};

static mete_plan_wish_t wishes[WISH_MAX];
static mete_plan_share_t shares[WISH_MAX];
static mete_mpu_image_t images[IMAGE_MAX];
static mete_plan_range_t ranges[IMAGE_MAX];
static mete_plan_config_t config;
static mete_plan_t plan;

static inline void setup(const mete_plan_backend_t *backend, size_t image_max, bool has_background)
{
    config = (mete_plan_config_t){.backend = backend,
                                  .wishes = wishes,
                                  .wish_count = 0U,
                                  .shares = shares,
                                  .images = images,
                                  .ranges = ranges,
                                  .image_max = image_max,
                                  .has_background = has_background};
    plan = (mete_plan_t){NULL, NULL, 0U, NULL, 0U, NULL};
}

// What the images mean now, whatever became of them.
static inline void decode_images(void)
{
    plan.range_count = 0U;
    for (size_t i = 0U; i < plan.image_count; i++) {
        const size_t n =
            (config.backend->rules.kind == METE_MPU_PMP) ? i : plan.image_count - 1U - i;
        plan.range_count += config.backend->decode(images, n, &ranges[plan.range_count]) ? 1U : 0U;
    }
}

static inline void wish(uintptr_t start, uintptr_t last, uint32_t unprivileged, uint32_t privileged)
{
    wishes[config.wish_count] = (mete_plan_wish_t){
        "wish", start, last, {(uint8_t)unprivileged, (uint8_t)privileged}, METE_MPU_CACHED, 0U};
    config.wish_count++;
}

/// An access, one kind at a time.
typedef struct access {
    uint64_t address;
    uint32_t size;
    uint32_t kind;
    bool is_privileged;
} access_t;

static inline uint32_t bits_of(uint64_t word, unsigned high, unsigned low)
{
    return (uint32_t)((word >> low) & ((2ULL << (high - low)) - 1U));
}

// ---- ARMv7-M, by DDI 0403E, B3.5

// {unprivileged, privileged}: "r", "w" as bits.
static const unsigned char ref_ap[8][2] = {{0U, 0U}, {0U, 3U}, {1U, 3U}, {3U, 3U},
                                           {0U, 0U}, {0U, 1U}, {1U, 1U}, {1U, 1U}};

static inline bool ref_data_or_fetch(uint32_t read_write, bool is_never, uint32_t kind)
{
    if (kind == X) {
        return ((read_write & 1U) != 0U) && !is_never;
    }
    return (read_write & ((kind == R) ? 1U : 2U)) != 0U;
}

static inline bool ref_default_map(uint64_t address, uint32_t kind)
{
    const bool is_executable =
        (address < 0x40000000U) || ((address >= 0x60000000U) && (address < 0xA0000000U));
    return (kind != X) || is_executable;
}

static inline bool ref_armv7m_byte(const mete_plan_t *p, const access_t *a)
{
    if ((a->address >= 0xE0000000U) && (a->address <= 0xE00FFFFFU)) {
        return a->is_privileged && (a->kind != X);
    }
    size_t hit = p->image_count;
    for (size_t n = 0U; n < p->image_count; n++) {
        const uint64_t rbar = p->images[n].words[0];
        const uint64_t rasr = p->images[n].words[1];
        const uint64_t size = 2ULL << bits_of(rasr, 5U, 1U);
        const uint64_t base = (rbar & 0xFFFFFFE0U) / size * size;
        if ((bits_of(rasr, 0U, 0U) == 0U) || (a->address < base) || (a->address - base >= size)) {
            continue;
        }
        const unsigned part = (unsigned)((a->address - base) * 8U / size);
        if ((size >= 256U) && (bits_of(rasr, 8U + part, 8U + part) != 0U)) {
            continue;
        }
        hit = n;
    }
    if ((a->address >= 0xE0000000U) && (a->kind == X)) {
        return false;
    }
    if (hit == p->image_count) {
        return a->is_privileged && p->config->has_background &&
               ref_default_map(a->address, a->kind);
    }
    const uint64_t rasr = p->images[hit].words[1];
    return ref_data_or_fetch(ref_ap[bits_of(rasr, 26U, 24U)][a->is_privileged ? 1 : 0],
                             bits_of(rasr, 28U, 28U) != 0U, a->kind);
}

// ---- ARMv8-M, by DDI 0553B, D1.2

static inline bool ref_armv8m_byte(const mete_plan_t *p, const access_t *a)
{
    if ((a->address >= 0xE0000000U) && (a->address <= 0xE00FFFFFU)) {
        return a->is_privileged && (a->kind != X);
    }
    size_t hit = p->image_count;
    size_t hits = 0U;
    for (size_t n = 0U; n < p->image_count; n++) {
        const uint64_t base = (uint64_t)bits_of(p->images[n].words[0], 31U, 5U) * 32U;
        const uint64_t limit = (uint64_t)bits_of(p->images[n].words[1], 31U, 5U) * 32U + 31U;
        if ((bits_of(p->images[n].words[1], 0U, 0U) != 0U) && (a->address >= base) &&
            (a->address <= limit)) {
            hit = n;
            hits++;
        }
    }
    if ((hits > 1U) || ((a->address >= 0xE0000000U) && (a->kind == X))) {
        return false;
    }
    if (hits == 0U) {
        return a->is_privileged && p->config->has_background &&
               ref_default_map(a->address, a->kind);
    }
    const uint64_t rbar = p->images[hit].words[0];
    const uint32_t ap = bits_of(rbar, 2U, 1U);
    const uint32_t data = (ap >= 2U) ? 1U : 3U;
    const bool is_for_all = (ap & 1U) != 0U;
    return ref_data_or_fetch((a->is_privileged || is_for_all) ? data : 0U,
                             bits_of(rbar, 0U, 0U) != 0U, a->kind);
}

// ---- Pages

static inline bool ref_pages_byte(const mete_plan_t *p, const access_t *a)
{
    for (size_t n = 0U; n < p->image_count; n++) {
        const uintptr_t start = p->images[n].words[0] - p->images[n].words[0] % 4096U;
        if ((a->address >= start) && (a->address <= p->images[n].words[1])) {
            const uint32_t rights = (uint32_t)(p->images[n].words[0] % 4096U);
            return (((a->is_privileged ? rights / 8U : rights) & a->kind) != 0U);
        }
    }
    return a->is_privileged && p->config->has_background && (a->kind != X);
}

// ---- RISC-V, by Volume II, 3.7.1. What an entry has is given in bytes.

static inline bool ref_pmp_has(const mete_plan_t *p, size_t n, uint64_t byte)
{
    const uint64_t address = p->images[n].words[0];
    uint64_t size = 8U;
    switch (bits_of(p->images[n].words[1], 4U, 3U)) {
    case 1U:
        return (byte >= ((n > 0U) ? (uint64_t)p->images[n - 1U].words[0] << 2 : 0U)) &&
               (byte < address << 2);
    case 2U:
        return byte / 4U == address;
    case 3U:
        for (uint64_t rest = address; (rest & 1U) != 0U; rest >>= 1) {
            size *= 2U;
        }
        // 0: all that a host has addresses for.
        return (size == 0U) || (byte / size == (address << 2) / size);
    default:
        return false;
    }
}

static inline bool ref_pmp(const mete_plan_t *p, const access_t *a)
{
    for (size_t n = 0U; n < p->image_count; n++) {
        uint32_t count = 0U;
        for (uint32_t i = 0U; i < a->size; i++) {
            count += ref_pmp_has(p, n, a->address + i) ? 1U : 0U;
        }
        if (count == 0U) {
            continue;
        }
        const uint64_t cfg = p->images[n].words[1];
        const bool is_held = !a->is_privileged || (bits_of(cfg, 7U, 7U) != 0U);
        const unsigned bit = (a->kind == R) ? 0U : (a->kind == W) ? 1U : 2U;
        return (count == a->size) && (!is_held || (bits_of(cfg, bit, bit) != 0U));
    }
    return a->is_privileged;
}

/// The verdict of the hardware that the plan is for.
static inline bool ref_allows(const mete_plan_t *p, const access_t *a)
{
    const bool is_cortex = p->config->backend->rules.kind <= METE_MPU_ARMV8M;
    const uint64_t last = is_cortex ? 0xFFFFFFFFU : UINTPTR_MAX;
    if ((a->address > last) || (a->size - 1U > last - a->address)) {
        return false;
    }
    if (p->config->backend->rules.kind == METE_MPU_PMP) {
        return ref_pmp(p, a);
    }
    bool is_allowed = true;
    for (uint32_t i = 0U; i < a->size; i++) {
        const access_t byte = {a->address + i, 1U, a->kind, a->is_privileged};
        switch (p->config->backend->rules.kind) {
        case METE_MPU_ARMV7M:
            is_allowed = is_allowed && ref_armv7m_byte(p, &byte);
            break;
        case METE_MPU_ARMV8M:
            is_allowed = is_allowed && ref_armv8m_byte(p, &byte);
            break;
        default:
            is_allowed = is_allowed && ref_pages_byte(p, &byte);
            break;
        }
    }
    return is_allowed;
}

#endif
