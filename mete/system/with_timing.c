// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"

typedef struct state {
    mete_timing_t timing;
    mete_timing_config_t config;
} state_t;

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    if (place->config->timing_config == NULL) {
        return false;
    }
    mete_words_copy(&state->config, place->config->timing_config, sizeof state->config);
    state->config.site = place->known_site;
    if (!mete_timing_init(&state->timing, place->inner, &state->config)) {
        return false;
    }
    *view = mete_timing_as_alloc(&state->timing);
    return true;
}

const mete_system_part_t mete_system_with_timing = {sizeof(state_t), 0U,   METE_SYSTEM_HEAP,
                                                    false,           init, NULL};
