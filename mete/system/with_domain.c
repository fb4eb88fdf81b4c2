// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/protect/domain.h"
#include "mete/system/system.h"

typedef struct state {
    mete_domain_t domains;  // First: mete_system_beside() gives it.
    mete_domain_config_t config;
} state_t;

// The one in the program's config, or else the system's.
static void choose_observer(mete_domain_config_t *config, const mete_system_config_t *wanted)
{
    if (config->observer.on_event == NULL) {
        config->observer.on_event = wanted->observer.on_event;
        config->observer.self = wanted->observer.self;
    }
}

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    const mete_system_domain_t *const wanted = place->own;
    (void)view;
    if ((wanted == NULL) || (wanted->domain == NULL)) {
        return false;
    }
    mete_words_copy(&state->config, wanted->domain, sizeof state->config);
    choose_observer(&state->config, place->config);
    const mete_domain_result_t result = mete_domain_init(&state->domains, &state->config);
    if (wanted->result != NULL) {
        mete_words_copy(wanted->result, &result, sizeof result);
    }
    return result.verdict == METE_DOMAIN_READY;
}

const mete_system_part_t mete_system_with_domain = {sizeof(state_t), 0U, 0U, false, init, NULL};
