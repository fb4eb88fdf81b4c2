// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One owner: the whole program.

#include "mete/system/system.h"
#include "mete/wrap/quota.h"

typedef struct state {
    mete_quota_t quota;
    mete_quota_config_t config;
    mete_quota_limit_t limit;
    mete_quota_owner_t owner;
} state_t;

static void configure(state_t *state, const mete_system_place_t *place)
{
    const mete_system_config_t *const wanted = place->config;
    mete_words_fill(state, 0U, sizeof *state);
    state->limit.size_max = (wanted->size_max != 0U) ? wanted->size_max : wanted->storage.size;
    state->limit.count_max = (wanted->live_max != 0U) ? wanted->live_max : SIZE_MAX;
    state->limit.warn_permille = wanted->warn_permille;
    state->limit.calm_permille = (uint16_t)(wanted->warn_permille - wanted->warn_permille / 8U);
    state->config.limits = &state->limit;
    state->config.owners = &state->owner;
    state->config.owner_count = 1U;
    state->config.capacity_size = state->limit.size_max;
    state->config.observer.on_event = wanted->observer.on_event;
    state->config.observer.self = wanted->observer.self;
    state->config.site = place->known_site;
}

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    configure(state, place);
    const bool has_limit = (place->config->live_max != 0U) || (place->config->size_max != 0U);
    if (!has_limit || !mete_quota_init(&state->quota, place->inner, &state->config)) {
        return false;
    }
    *view = mete_quota_as_alloc(&state->quota);
    return true;
}

const mete_system_part_t mete_system_with_quota = {
    sizeof(state_t), METE_QUOTA_PREFIX_SIZE(8U), METE_SYSTEM_HEAP, false, init, NULL};
