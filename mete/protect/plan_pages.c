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

// Of one byte.
static bool decide(const mete_plan_t *plan, uintptr_t address, uint32_t request)
{
    const bool is_privileged = (request & METE_PLAN_PRIVILEGED) != 0U;
    const unsigned shift = is_privileged ? PRIVILEGED_SHIFT : UNPRIVILEGED_SHIFT;
    for (size_t i = 0U; i < plan->image_count; i++) {
        const mete_mpu_image_t *const image = &plan->images[i];
        if ((address >= (image->words[0] & ~(uintptr_t)METE_MPU_PAGES_RIGHTS)) &&
            (address <= image->words[1])) {
            return (request & METE_ACCESS_ALL & ~(uint32_t)(image->words[0] >> shift)) == 0U;
        }
    }
    return is_privileged && plan->config->has_background && ((request & METE_ACCESS_EXECUTE) == 0U);
}

static bool allows(const mete_plan_t *plan, uintptr_t address, size_t size, uint32_t request)
{
    const uintptr_t last = address + size - 1U;
    return (last >= address) && decide(plan, address, request) && decide(plan, last, request);
}

const mete_plan_backend_t mete_plan_pages = {
    {METE_MPU_PAGES, REGION_MAX, 0U, PAGE_SIZE, UINTPTR_MAX, true}, encodes, cover_run, allows};
