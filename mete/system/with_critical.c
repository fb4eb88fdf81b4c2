// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"
#include "mete/wrap/critical.h"

static bool init(void *state, const mete_system_place_t *place, mete_alloc_t *view)
{
    mete_critical_t *const critical = state;
    if (!mete_critical_init(critical, place->inner, place->told_site)) {
        return false;
    }
    *view = mete_critical_as_alloc(critical);
    return true;
}

const mete_system_part_t mete_system_with_critical = {
    sizeof(mete_critical_t), 0U, METE_SYSTEM_SHARED, true, init, NULL};
