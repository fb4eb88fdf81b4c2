// SPDX-License-Identifier: MIT OR Apache-2.0
#include "mete/protect/plan_pages.h"

#include "mete/protect/plan_scene.h"

#define PRIVILEGED_SHIFT   METE_MPU_PAGES_PRIVILEGED_SHIFT
#define UNPRIVILEGED_SHIFT METE_MPU_PAGES_UNPRIVILEGED_SHIFT

enum { REGION_MAX = 32, PAGE_SIZE = 4096 };

static bool is_readable(uint32_t rights)
{
    return (rights == 0U) || ((rights & METE_ACCESS_READ) != 0U);
}

static bool encodes(const mete_plan_config_t *config, const mete_plan_wish_t *wish)
{
    (void)config;
    return is_readable(wish->rights.unprivileged) && is_readable(wish->rights.privileged);
}

static bool cover_run(const mete_plan_scene_t *scene, size_t first, size_t last,
                      mete_plan_cover_t *cover)
{
    mete_mpu_image_t span;
    if (!mete_plan_is_uniform(scene, first, last) ||
        !mete_plan_cover_granules(scene, first, last, &span, cover)) {
        return false;
    }
    if (scene->images != NULL) {
        const mete_rights_t *const rights = &mete_plan_wish_of(scene, first)->rights;
        scene->images[0].words[0] = span.words[0] |
                                    ((uintptr_t)rights->unprivileged << UNPRIVILEGED_SHIFT) |
                                    ((uintptr_t)rights->privileged << PRIVILEGED_SHIFT);
        scene->images[0].words[1] = span.words[1];
    }
    return true;
}

static bool decode(const mete_mpu_image_t *images, size_t n, mete_plan_range_t *range)
{
    const uintptr_t first = images[n].words[0];
    range->start = first & ~(uintptr_t)METE_MPU_PAGES_RIGHTS;
    range->rest = images[n].words[1] - range->start;
    range->rights = (uint32_t)first & METE_MPU_PAGES_RIGHTS;
    return true;
}

static uint32_t background(const mete_plan_config_t *config, uintptr_t address)
{
    (void)address;
    return config->has_background ? (uint32_t)METE_ACCESS_READ | METE_ACCESS_WRITE : 0U;
}

const mete_plan_backend_t mete_plan_pages = {
    {METE_MPU_PAGES, REGION_MAX, 0U, PAGE_SIZE, UINTPTR_MAX, true},
    encodes,
    cover_run,
    decode,
    background};
