// SPDX-License-Identifier: MIT OR Apache-2.0
//
// It looks at the heap, and at the statistics if there are any.

#include "mete/system/health_sources.h"
#include "mete/system/system.h"

typedef struct state {
    mete_health_t health;
    mete_health_config_t config;
    mete_health_source_t sources[2];
} state_t;

static size_t find_sources(state_t *state, const mete_system_place_t *place)
{
    const mete_system_part_t *const stats = place->config->stats;
    state->sources[0].read = mete_health_read_heap;
    state->sources[0].self = mete_system_heap(place->system);
    if ((stats == NULL) || (stats->read == NULL)) {
        return 1U;
    }
    state->sources[1].read = stats->read;
    state->sources[1].self = mete_system_state_of(place->system, METE_SYSTEM_VARIABLE, stats);
    return 2U;
}

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    const mete_system_config_t *const wanted = place->config;
    mete_words_fill(state, 0U, sizeof *state);
    if (wanted->health_config != NULL) {
        mete_words_copy(&state->config, wanted->health_config, sizeof state->config);
    } else {
        state->config.observer.on_event = wanted->observer.on_event;
        state->config.observer.self = wanted->observer.self;
    }
    const size_t source_count = find_sources(state, place);
    if (!mete_health_init(&state->health, place->inner, state->sources, source_count,
                          &state->config)) {
        return false;
    }
    *view = mete_health_as_alloc(&state->health);
    return true;
}

const mete_system_part_t mete_system_with_health = {sizeof(state_t), 0U,   METE_SYSTEM_HEAP,
                                                    false,           init, NULL};
