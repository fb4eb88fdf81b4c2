// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"
#include "mete/wrap/scrub.h"

static bool init(void *state, const mete_system_place_t *place, mete_alloc_t *view)
{
    mete_scrub_t *const scrub = state;
    if (!mete_scrub_init(scrub, place->inner, 0U)) {
        return false;
    }
    *view = mete_scrub_as_alloc(scrub);
    return true;
}

const mete_system_part_t mete_system_with_scrub = {
    sizeof(mete_scrub_t), 0U, METE_SYSTEM_WATCHED, false, init, NULL};
