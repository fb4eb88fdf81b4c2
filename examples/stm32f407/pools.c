// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Equal blocks: one, then all of them, then one more than there are.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/core/words.h"

enum { BLOCK_COUNT = 16 };

static bool show_one(mete_pool_t *pool)
{
    packet_t *const packet = mete_pool_alloc(pool);
    if (packet == NULL) {
        return false;
    }
    mete_words_fill(packet, 0xABU, sizeof *packet);
    log_text("Pool block allocated and filled\n");
    mete_pool_free(pool, packet);
    log_text("Pool block freed\n");
    return true;
}

static size_t take_all(mete_pool_t *pool, void *blocks[BLOCK_COUNT])
{
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        blocks[i] = mete_pool_alloc(pool);
        if (blocks[i] == NULL) {
            return i;
        }
        LOG("Allocated pool block #\n", i);
    }
    return BLOCK_COUNT;
}

bool pools_topic(memory_t *memory)
{
    mete_pool_t *const pool = memory->pool;
    log_text("Testing memory pools...\n");
    const bool one_was_served = show_one(pool);

    void *blocks[BLOCK_COUNT];
    const size_t count = take_all(pool, blocks);
    const bool is_exhausted = (mete_pool_alloc(pool) == NULL);
    if (is_exhausted) {
        LOG("Pool exhausted: # blocks in use\n", mete_pool_usage(pool).in_use);
    }
    mete_pool_free_many(pool, blocks, count);
    log_text("All pool blocks freed\n");
    return one_was_served && (count == BLOCK_COUNT) && is_exhausted &&
           (mete_pool_usage(pool).in_use == 0U);
}
