// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Equal blocks: one, then all of them, then one more than there are.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/core/words.h"

enum { BLOCK_COUNT = 16 };

static packet_t *acquire_packet(mete_alloc_t packets)
{
    return mete_acquire(packets, sizeof(packet_t), _Alignof(packet_t));
}

static void release_packet(mete_alloc_t packets, packet_t *packet)
{
    mete_release(packets, packet, sizeof *packet, _Alignof(packet_t));
}

static bool show_one(mete_alloc_t packets)
{
    packet_t *const packet = acquire_packet(packets);
    if (packet == NULL) {
        return false;
    }
    mete_words_fill(packet, 0xABU, sizeof *packet);
    log_text("Pool block allocated and filled\n");
    release_packet(packets, packet);
    log_text("Pool block freed\n");
    return true;
}

static size_t take_all(mete_alloc_t packets, packet_t *blocks[BLOCK_COUNT])
{
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        blocks[i] = acquire_packet(packets);
        if (blocks[i] == NULL) {
            return i;
        }
        LOG("Allocated pool block #\n", i);
    }
    return BLOCK_COUNT;
}

bool pools_topic(memory_t *memory)
{
    const mete_alloc_t packets = memory->packets;
    log_text("Testing memory pools...\n");
    const bool one_was_served = show_one(packets);

    packet_t *blocks[BLOCK_COUNT];
    const size_t count = take_all(packets, blocks);
    const bool is_exhausted = (acquire_packet(packets) == NULL);
    if (is_exhausted) {
        LOG("Pool exhausted: # blocks in use\n", mete_pool_usage(memory->pool).in_use);
    }
    for (size_t i = 0U; i < count; i++) {
        release_packet(packets, blocks[i]);
    }
    log_text("All pool blocks freed\n");
    memory_settle(memory);
    return one_was_served && (count == BLOCK_COUNT) && is_exhausted &&
           (mete_pool_usage(memory->pool).in_use == 0U);
}
