// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A growing pool as a connected device uses one: a thousand packets of a KiB, in chunks of a hundred.

#include "mete/alloc/heap_wide.h"
#include "mete/alloc/slab.h"
#include "tests/support/tap.h"

enum { BLOCK_SIZE = 1024, BLOCK_COUNT = 1000, CHUNK = 100, CHUNK_MAX = BLOCK_COUNT / CHUNK };

typedef struct packet {
    unsigned char bytes[BLOCK_SIZE];
} packet_t;

METE_HEAP_WIDE_DEFINE(memory, (BLOCK_COUNT * (BLOCK_SIZE + 2)) + 4096);
METE_SLAB_DEFINE(packets, packet_t, CHUNK, CHUNK_MAX, NULL);

static packet_t *held[BLOCK_COUNT];

static void test_a_thousand_blocks_of_1024_leave_nothing_active(void)
{
    mete_heap_wide_t *const heap = mete_heap_wide_init(&memory_config);
    EXPECT(mete_slab_init(&packets, mete_heap_wide_as_alloc(heap), &packets_config));
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        held[i] = (packet_t *)mete_slab_alloc(&packets);
        if (EXPECT(held[i] != NULL)) {
            mete_words_fill(held[i], (uint8_t)i, BLOCK_SIZE);
        }
    }
    EXPECT(mete_slab_usage(&packets).in_use == BLOCK_COUNT);
    EXPECT(mete_slab_usage(&packets).slab_count == CHUNK_MAX);
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        EXPECT(mete_words_scan(held[i], (uint8_t)i, BLOCK_SIZE) == BLOCK_SIZE);
        mete_slab_free(&packets, held[i]);
    }
    const mete_slab_usage_t usage = mete_slab_usage(&packets);
    EXPECT((usage.in_use == 0U) && (usage.in_use_peak == BLOCK_COUNT) && (usage.refusals == 0U));
    EXPECT(mete_slab_check(&packets) && (tap_take_fault() == 0));
    EXPECT(mete_slab_purge(&packets) == CHUNK_MAX);
    EXPECT((mete_heap_wide_usage(heap).in_use_size == 0U) && mete_heap_wide_check(heap));
}

int main(void)
{
    RUN(test_a_thousand_blocks_of_1024_leave_nothing_active);
    return tap_finish();
}
