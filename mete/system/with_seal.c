// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.h"
#include "mete/wrap/seal.h"

typedef struct state {
    mete_seal_t seal;
    mete_seal_config_t config;
} state_t;

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    state->config.allows_release = place->config->allows_release;
    state->config.site = place->known_site;
    state->config.observer.on_event = place->config->observer.on_event;
    state->config.observer.self = place->config->observer.self;
    if (!mete_seal_init(&state->seal, place->inner, &state->config)) {
        return false;
    }
    *view = mete_seal_as_alloc(&state->seal);
    return true;
}

const mete_system_part_t mete_system_with_seal = {sizeof(state_t), 0U,   METE_SYSTEM_SHARED,
                                                  false,           init, NULL};
