// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/health_sources.h"
#include "mete/system/system.h"
#include "mete/wrap/stats.h"

typedef struct state {
    mete_stats_t stats;
    mete_stats_config_t config;
} state_t;

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    state->config.site = (place->told_site == NULL) ? place->known_site : NULL;
    state->config.told = place->told_site;
    state->config.classes = NULL;
    if (!mete_stats_init(&state->stats, place->inner, &state->config)) {
        return false;
    }
    *view = mete_stats_as_alloc(&state->stats);
    return true;
}

const mete_system_part_t mete_system_with_stats = {
    sizeof(state_t), 0U, METE_SYSTEM_WATCHED, true, init, mete_health_read_stats};
