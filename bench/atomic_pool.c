// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic pool, with nobody else calling: worked at random until it is full and empty in turn.

#include "mete/alloc/atomic_pool.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { BLOCK_SIZE = 72, BLOCK_COUNT = 64, OPERATIONS = 20000 };

static uint64_t blocks[BLOCK_COUNT][BLOCK_SIZE / 8];
static size_t links[BLOCK_COUNT];
static const mete_atomic_pool_config_t config = {blocks, links, BLOCK_SIZE, BLOCK_COUNT, 0};
static mete_atomic_pool_t pool;

static void *held[BLOCK_COUNT];

PROBE(mete_atomic_pool_alloc);
void *probe_mete_atomic_pool_alloc(mete_atomic_pool_t *pool);
PROBE(mete_atomic_pool_free);
void probe_mete_atomic_pool_free(mete_atomic_pool_t *pool, void *block);

int main(void)
{
    start_phase("atomic_pool");
    (void)mete_atomic_pool_init(&pool, &config);
    uint32_t random = 1U;
    uint32_t count = 0U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const bool wants_more = random_below(&random, 16U) < 9U;
        if (wants_more || (count == 0U)) {
            void *const block = probe_mete_atomic_pool_alloc(&pool);
            if (block != NULL) {
                held[count++] = block;
            }
        } else {
            const uint32_t which = random_below(&random, count);
            probe_mete_atomic_pool_free(&pool, held[which]);
            held[which] = held[--count];
        }
    }
    return 0;
}
