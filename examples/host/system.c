// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A whole memory system from one config: a heap for at most 1000 blocks, pools for messages, an arena for what
// one request needs, and numbers about all of it.

#include "mete/system/system.h"
#include "mete/wrap/stats.h"

#include <stdio.h>

static uint64_t ram[10000];

static const mete_system_pool_t pools[] = {
    {.block_size = 24, .block_count = 8},
    {.block_size = 128, .block_count = 4},
};

static const mete_system_config_t config = {
    .storage = {ram, sizeof ram},
    .heap_size = 65536,
    .search = 2,
    .pools = pools,
    .pool_count = 2,
    .scratch_size = 1024,
    .stats = &mete_system_with_stats,
    .quota = &mete_system_with_quota,
    .live_max = 1000,
};

int main(void)
{
    mete_system_t *const memory = mete_system_init(&config, NULL);
    const mete_alloc_t any = mete_system_as_alloc(memory, METE_SYSTEM_VARIABLE);
    const mete_alloc_t messages = mete_system_as_alloc(memory, METE_SYSTEM_FIXED);

    size_t count = 0U;
    while (mete_acquire(any, 20U, 8U) != NULL) {
        count++;
    }
    printf("blocks of the heap: %zu\n", count);

    size_t messages_count = 0U;
    while (mete_acquire(messages, 100U, 8U) != NULL) {
        messages_count++;
    }
    printf("messages of 100 bytes: %zu\n", messages_count);

    METE_ARENA_SCOPE(mete_system_scratch(memory))
    {
        const mete_alloc_t scratch = mete_system_as_alloc(memory, METE_SYSTEM_TEMPORARY);
        printf("a request: %s\n",
               (mete_acquire(scratch, 1000U, 8U) != NULL) ? "served" : "refused");
    }
    const mete_stats_t *const stats =
        mete_system_state_of(memory, METE_SYSTEM_VARIABLE, &mete_system_with_stats);
    printf("in use: %zu bytes, refused: %zu\n", mete_stats_usage(stats).in_use_size,
           mete_stats_usage(stats).refusals);
    return mete_system_check(memory) ? 0 : 1;
}
