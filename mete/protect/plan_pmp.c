// SPDX-License-Identifier: MIT OR Apache-2.0
//
// pmpcfg (Volume II, 3.7.1): L bit 7, A 4-3 (off, TOR, NA4, NAPOT), X 2, W 1, R 0, which are the bits of mete_access_t.
// pmpaddr holds an address without its lowest two bits; in NAPOT the ones at its end say how large the entry is.
//
// A run is one power of two, or it is cut where the rights change: an entry that is off holds where it starts, and each
// part is an entry that goes up to its end. Both are exact but for what is rounded to words, so nothing else can be
// better than the first in entries and than the second in waste.

#include "mete/protect/plan_pmp.h"

#include "mete/protect/plan_scene.h"

enum { REGION_MAX = 64, GRANULE = 4 };

// Physical addresses of RV64 have 56 bits.
#define LAST ((UINTPTR_MAX > 0xFFFFFFFFU) ? UINTPTR_MAX >> 8 : UINTPTR_MAX)

#define CFG_LOCK  0x80U
#define CFG_TOR   0x08U
#define CFG_NA4   0x10U
#define CFG_NAPOT 0x18U
#define CFG_A     0x18U

static bool is_granted(uint32_t rights)
{
    return (rights & ((uint32_t)METE_ACCESS_READ | METE_ACCESS_WRITE)) != METE_ACCESS_WRITE;
}

static bool encodes(const mete_plan_config_t *config, const mete_plan_wish_t *wish)
{
    return is_granted(wish->rights.unprivileged) &&
           (!config->backend->rules.holds_privilege ||
            (wish->rights.privileged == METE_ACCESS_ALL) ||
            (wish->rights.privileged == wish->rights.unprivileged));
}

static uint32_t cfg_for(const mete_plan_scene_t *scene, const mete_plan_wish_t *wish)
{
    const bool is_locked = scene->config->backend->rules.holds_privilege &&
                           (wish->rights.privileged != METE_ACCESS_ALL);
    return wish->rights.unprivileged | (is_locked ? CFG_LOCK : 0U);
}

static void write_image(const mete_plan_scene_t *scene, size_t number, uintptr_t address,
                        uint32_t cfg)
{
    if (scene->images != NULL) {
        scene->images[number].words[0] = address;
        scene->images[number].words[1] = cfg;
    }
}

// True if the run may take from `start` to `last`.
static bool take(const mete_plan_scene_t *scene, size_t first, size_t last,
                 const mete_mpu_image_t *span, mete_plan_cover_t *cover)
{
    if ((span->words[0] < mete_plan_lowest(scene, first)) ||
        (span->words[1] > mete_plan_highest(scene, last))) {
        return false;
    }
    const mete_plan_wish_t *const wish = mete_plan_wish_of(scene, first);
    cover->waste_before = mete_plan_waste(scene, span->words[0], wish->start);
    cover->waste_behind =
        mete_plan_waste(scene, mete_plan_wish_of(scene, last)->last + 1U, span->words[1] + 1U);
    return (cover->waste_before <= wish->waste_max) &&
           (cover->waste_behind <= mete_plan_waste_left(scene, first, last, cover->waste_before));
}

// The smallest power of two around the run.
static bool cover_block(const mete_plan_scene_t *scene, size_t first, size_t last,
                        mete_plan_cover_t *cover)
{
    const mete_plan_wish_t *const wish = mete_plan_wish_of(scene, first);
    const uintptr_t differs = wish->start ^ mete_plan_wish_of(scene, last)->last;
    uintptr_t rest = (uintptr_t)GRANULE - 1U;
    while (rest < differs) {
        rest = (rest << 1) | 1U;
    }
    const mete_mpu_image_t span = {{wish->start & ~rest, wish->start | rest}};
    cover->region_count = 1U;
    if (!mete_plan_is_uniform(scene, first, last) || !take(scene, first, last, &span, cover)) {
        return false;
    }
    const uint32_t mode = (rest < (uintptr_t)GRANULE) ? CFG_NA4 : CFG_NAPOT;
    write_image(scene, 0U, (span.words[0] >> 2) | (rest >> 3), cfg_for(scene, wish) | mode);
    return true;
}

// An entry for each part that has other rights than the one before it. False if one does not start with a word.
static bool cover_parts(const mete_plan_scene_t *scene, size_t first, size_t last, uintptr_t end,
                        mete_plan_cover_t *cover)
{
    const mete_plan_wish_t *part = mete_plan_wish_of(scene, first);
    for (size_t k = first + 1U; k <= last; k++) {
        const mete_plan_wish_t *const wish = mete_plan_wish_of(scene, k);
        if (mete_plan_is_on_top(scene, k) || mete_plan_agree(part, wish)) {
            continue;
        }
        if ((wish->start % (uintptr_t)GRANULE) != 0U) {
            return false;
        }
        write_image(scene, cover->region_count, wish->start >> 2, cfg_for(scene, part) | CFG_TOR);
        cover->region_count++;
        part = wish;
    }
    write_image(scene, cover->region_count, end, cfg_for(scene, part) | CFG_TOR);
    cover->region_count++;
    return true;
}

static bool cover_row(const mete_plan_scene_t *scene, size_t first, size_t last,
                      mete_plan_cover_t *cover)
{
    const uintptr_t rest = (uintptr_t)GRANULE - 1U;
    const mete_mpu_image_t span = {{mete_plan_wish_of(scene, first)->start & ~rest,
                                    mete_plan_wish_of(scene, last)->last | rest}};
    cover->region_count = 1U;
    if (!take(scene, first, last, &span, cover)) {
        return false;
    }
    write_image(scene, 0U, span.words[0] >> 2, 0U);
    return cover_parts(scene, first, last, (span.words[1] >> 2) + 1U, cover);
}

static bool cover_run(const mete_plan_scene_t *scene, size_t first, size_t last,
                      mete_plan_cover_t *cover)
{
    return cover_block(scene, first, last, cover) || cover_row(scene, first, last, cover);
}

// ---- What images mean

// The first and the last word of an entry. One that is off, or a TOR that ends where it starts, has none.
static bool words_of(const mete_mpu_image_t *image, uintptr_t before, mete_mpu_image_t *span)
{
    const uintptr_t address = image->words[0];
    const uintptr_t ones = address ^ (address + 1U);
    switch (image->words[1] & CFG_A) {
    case CFG_TOR:
        span->words[0] = before;
        span->words[1] = address - 1U;
        return address > before;
    case CFG_NA4:
        span->words[0] = address;
        span->words[1] = address;
        return true;
    case CFG_NAPOT:
        span->words[0] = address & ~ones;
        span->words[1] = address | ones;
        return true;
    default:
        return false;
    }
}

static bool decode(const mete_mpu_image_t *images, size_t n, mete_plan_range_t *range)
{
    mete_mpu_image_t span;
    span.words[0] = 0U;  // One by one: an initializer may become a call to memset(), which is libc.
    span.words[1] = 0U;
    const bool is_there = words_of(&images[n], (n > 0U) ? images[n - 1U].words[0] : 0U, &span);
    const uint32_t rights = (uint32_t)images[n].words[1] & METE_ACCESS_ALL;
    const uint32_t privileged = ((images[n].words[1] & CFG_LOCK) != 0U) ? rights : METE_ACCESS_ALL;
    range->start = span.words[0] << 2;
    range->rest = ((span.words[1] - span.words[0]) << 2) | 3U;
    range->rights = rights | (privileged << METE_PLAN_PRIVILEGED_SHIFT);
    return is_there && (span.words[1] <= UINTPTR_MAX >> 2);  // On RV32 entries can lie beyond.
}

static uint32_t background(const mete_plan_config_t *config, uintptr_t address)
{
    (void)config;
    (void)address;
    return METE_ACCESS_ALL;
}

const mete_plan_backend_t mete_plan_pmp = {
    {METE_MPU_PMP, REGION_MAX, 1U, GRANULE, LAST, false}, encodes, cover_run, decode, background};

const mete_plan_backend_t mete_plan_pmp_locked = {
    {METE_MPU_PMP, REGION_MAX, 1U, GRANULE, LAST, true}, encodes, cover_run, decode, background};
