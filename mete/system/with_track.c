// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"
#include "mete/wrap/track.h"

typedef struct state {
    mete_track_t track;
    mete_track_config_t config;
} state_t;

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    mete_words_fill(state, 0U, sizeof *state);
    state->config.site = place->known_site;
    state->config.clock = place->config->clock;
    state->config.owner = place->config->owner;
    state->config.observer.on_event = place->config->observer.on_event;
    state->config.observer.self = place->config->observer.self;
    if (!mete_track_init(&state->track, place->inner, &state->config)) {
        return false;
    }
    *view = mete_track_as_alloc(&state->track);
    return true;
}

const mete_system_part_t mete_system_with_track = {
    sizeof(state_t), METE_TRACK_PREFIX_SIZE(8U), METE_SYSTEM_WATCHED, false, init, NULL};
