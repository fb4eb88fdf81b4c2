// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The registers are those of DDI 0553B, D1.2. RBAR: BASE 31-5, SH 4-3, AP 2-1, XN 0. RLAR: LIMIT 31-5, PXN 4 (ARMv8.1-M; 0
// here), AttrIndx 3-1, EN 0. Normal memory is not shareable, as with one core; device memory always is.

#include "mete/protect/plan_armv8m.h"

#include "mete/protect/plan_cortex.h"
#include "mete/protect/plan_scene.h"

enum { AP_AND_XN_COUNT = 8 };

#define ADDRESS_REST 0x1FU
#define RBAR_XN      1U
#define RLAR_ENABLE  1U

// AP: bit 2 of RBAR takes the right to write, bit 1 gives to unprivileged code what privileged code has.
static uint32_t rights_of(uint32_t rbar, mete_privilege_t privilege)
{
    const uint32_t data =
        ((rbar & 4U) != 0U) ? METE_ACCESS_READ : (uint32_t)METE_ACCESS_READ | METE_ACCESS_WRITE;
    const uint32_t rights = data | (((rbar & RBAR_XN) != 0U) ? 0U : METE_ACCESS_EXECUTE);
    return ((privilege == METE_PRIVILEGED) || ((rbar & 2U) != 0U)) ? rights : 0U;
}

// The bits of RBAR that grant what is wished. AP_AND_XN_COUNT: there are none.
static uint32_t bits_for(uint32_t unprivileged, uint32_t privileged)
{
    uint32_t bits = 0U;
    while ((bits < (uint32_t)AP_AND_XN_COUNT) &&
           ((rights_of(bits, METE_UNPRIVILEGED) != unprivileged) ||
            (rights_of(bits, METE_PRIVILEGED) != privileged))) {
        bits++;
    }
    return bits;
}

// No region is needed where nobody may do anything.
static bool is_void(const mete_plan_config_t *config, const mete_plan_wish_t *wish)
{
    const uint32_t rights = (uint32_t)wish->rights.unprivileged | wish->rights.privileged;
    return !config->has_background && (rights == 0U);
}

static bool encodes(const mete_plan_config_t *config, const mete_plan_wish_t *wish)
{
    return is_void(config, wish) ||
           (mete_plan_cortex_is_sane(wish) &&
            (bits_for(wish->rights.unprivileged, wish->rights.privileged) !=
             (uint32_t)AP_AND_XN_COUNT));
}

static bool cover_run(const mete_plan_scene_t *scene, size_t first, size_t last,
                      mete_plan_cover_t *cover)
{
    const mete_plan_wish_t *const wish = mete_plan_wish_of(scene, first);
    if (!mete_plan_is_uniform(scene, first, last)) {
        return false;
    }
    if (is_void(scene->config, wish)) {
        return true;  // The cover is empty already.
    }
    mete_mpu_image_t span;
    if (!mete_plan_cover_granules(scene, first, last, &span, cover)) {
        return false;
    }
    if (scene->images != NULL) {
        scene->images[0].words[0] =
            span.words[0] | bits_for(wish->rights.unprivileged, wish->rights.privileged);
        scene->images[0].words[1] = (span.words[1] & ~(uintptr_t)ADDRESS_REST) |
                                    ((uintptr_t)wish->memory << 1) | RLAR_ENABLE;
    }
    return true;
}

// ---- What images mean

static bool decode(const mete_mpu_image_t *images, size_t n, mete_plan_range_t *range)
{
    const uint32_t rbar = (uint32_t)images[n].words[0];
    range->start = images[n].words[0] & ~(uintptr_t)ADDRESS_REST;
    range->rest = (images[n].words[1] | ADDRESS_REST) - range->start;
    range->rights = mete_plan_cortex_rights(rights_of(rbar, METE_UNPRIVILEGED),
                                            rights_of(rbar, METE_PRIVILEGED));
    return (images[n].words[1] & RLAR_ENABLE) != 0U;
}

const mete_plan_backend_t mete_plan_armv8m = {
    {METE_MPU_ARMV8M, 16U, 0U, 32U, METE_PLAN_CORTEX_LAST, true},
    encodes,
    cover_run,
    decode,
    mete_plan_cortex_background};
