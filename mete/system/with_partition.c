// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Common memory is VARIABLE as all others have it. So blocks of owners and of everybody else lie side by side in the heap:
// whose one is says the table, which covers all of it.

#include "mete/protect/partition.h"
#include "mete/system/system.h"

typedef struct state {
    mete_partition_t partition;  // First: mete_system_beside() gives it.
    mete_partition_config_t config;
} state_t;

// The one in the program's config, or else the system's.
static void choose_observer(mete_partition_config_t *config, const mete_system_config_t *wanted)
{
    if (config->observer.on_event == NULL) {
        config->observer.on_event = wanted->observer.on_event;
        config->observer.self = wanted->observer.self;
    }
}

// The heap from its first whole granule on: in front of that no block of an owner starts. At the end a part of a granule counts:
// one may start there. What cannot be, a granule or no table, the partition refuses.
static void share_heap(mete_partition_config_t *config, mete_system_t *system)
{
    const size_t granule = config->common_granule;
    const mete_span_t *const heap = &mete_system_heap(system)->config->storage;
    const uintptr_t start = mete_align_up((uintptr_t)heap->start, granule);
    const uintptr_t end = mete_align_up((uintptr_t)heap->start + heap->size, granule);
    config->common.start = (void *)start;
    config->common.size = end - start;
    const size_t table_size = config->common.size / granule * sizeof *config->common_table;
    config->common_table = mete_acquire(mete_system_as_alloc(system, METE_SYSTEM_KEPT), table_size,
                                        _Alignof(uint16_t));
}

static bool init(void *memory, const mete_system_place_t *place, mete_alloc_t *view)
{
    state_t *const state = memory;
    const mete_system_partition_t *const wanted = place->own;
    (void)view;
    if ((wanted == NULL) || (wanted->partition == NULL) || (wanted->partition->common.size != 0U) ||
        (wanted->partition->common_table != NULL)) {
        return false;
    }
    mete_words_copy(&state->config, wanted->partition, sizeof state->config);
    choose_observer(&state->config, place->config);
    const mete_alloc_t any = mete_system_as_alloc(place->system, METE_SYSTEM_VARIABLE);
    const bool is_common = state->config.common_granule != 0U;
    // Field by field: as a whole memset() or memcpy() may set it, which are libc.
    mete_alloc_t common;
    common.ops = is_common ? any.ops : NULL;
    common.self = is_common ? any.self : NULL;
    if (is_common) {
        share_heap(&state->config, place->system);
    }
    return mete_partition_init(&state->partition, wanted->homes, common, &state->config);
}

const mete_system_part_t mete_system_with_partition = {sizeof(state_t), 0U, 0U, false, init, NULL};
