// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"
#include "mete/wrap/stats.h"

static bool init(void *state, const mete_system_place_t *place, mete_alloc_t *view)
{
    mete_stats_t *const stats = state;
    if (!mete_stats_init(stats, place->inner, place->told_site)) {
        return false;
    }
    *view = mete_stats_as_alloc(stats);
    return true;
}

const mete_system_part_t mete_system_with_stats = {sizeof(mete_stats_t), 0U, METE_SYSTEM_WATCHED,
                                                   true, init};
