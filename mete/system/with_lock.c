// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"
#include "mete/wrap/lock.h"

static bool init(void *state, const mete_system_place_t *place, mete_alloc_t *view)
{
    mete_locked_t *const locked = state;
    if (!mete_locked_init(locked, place->inner, place->config->mutex, place->told_site)) {
        return false;
    }
    *view = mete_locked_as_alloc(locked);
    return true;
}

const mete_system_part_t mete_system_with_lock = {
    sizeof(mete_locked_t), 0U, METE_SYSTEM_SHARED, true, init, NULL};
