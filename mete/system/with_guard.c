// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"

typedef struct state {
    mete_guard_t guard;
    mete_guard_config_t config;
} state_t;

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    mete_words_fill(state, 0U, sizeof *state);
    if (place->config->guard_config != NULL) {
        mete_words_copy(&state->config, place->config->guard_config, sizeof state->config);
    }
    state->config.site = place->told_site;
    if (!mete_guard_init(&state->guard, place->inner, &state->config)) {
        return false;
    }
    *view = mete_guard_as_alloc(&state->guard);
    return true;
}

const mete_system_part_t mete_system_with_guard = {sizeof(state_t),
                                                   METE_GUARD_PREFIX_SIZE(8U) +
                                                       METE_GUARD_TAIL_SIZE,
                                                   METE_SYSTEM_WATCHED,
                                                   true,
                                                   init,
                                                   NULL};
