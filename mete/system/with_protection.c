// SPDX-License-Identifier: MIT OR Apache-2.0
//
// It stands beside, is made when all else is, and puts the system's storage on the map.

#include "mete/system/protection.h"
#include "mete/system/system.h"

typedef struct state {
    mete_protection_t protection;  // First: mete_system_protection() gives it.
    mete_protection_config_t config;
    mete_map_region_t storage;
} state_t;

static size_t in_use(const void *self)
{
    mete_system_usage_t usage;
    mete_system_read((const mete_system_t *)self, &usage);
    return usage.heap_in_use_size + usage.pools_in_use_size + usage.kept_in_use_size +
           usage.scratch_in_use_size;
}

static void describe_storage(mete_map_region_t *region, const mete_system_place_t *place)
{
    region->name = "memory";
    region->start = (uintptr_t)place->config->storage.start;
    region->size = place->config->storage.size;
    region->kind = METE_MAP_HEAP;
    region->rights.unprivileged = place->config->storage_rights.unprivileged;
    region->rights.privileged = place->config->storage_rights.privileged;
    region->attributes = 0U;
    region->in_use = in_use;
    region->in_use_self = place->system;
}

// The one in the program's config, or else the system's.
static void choose_observer(mete_protection_config_t *config, const mete_system_config_t *wanted)
{
    if (config->observer.on_event == NULL) {
        config->observer.on_event = wanted->observer.on_event;
        config->observer.self = wanted->observer.self;
    }
}

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    (void)view;
    if (place->own == NULL) {
        return false;
    }
    mete_words_copy(&state->config, place->own, sizeof state->config);
    choose_observer(&state->config, place->config);
    describe_storage(&state->storage, place);
    return mete_protection_init(&state->protection, &state->config, &state->storage);
}

const mete_system_part_t mete_system_with_protection = {sizeof(state_t), 0U, 0U, false, init, NULL};
