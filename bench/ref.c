// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Objects from a pool: references are taken and dropped, but for the last one of each.

#include "mete/object/ref.h"
#include "bench/probe.h"
#include "mete/alloc/pool.h"
#include "tests/support/random.h"

enum { OBJECT_COUNT = 16, OPERATIONS = 20000 };

typedef struct object {
    uint32_t words[6];
} object_t;

typedef METE_REF_BLOCK(object_t) object_block_t;
METE_POOL_DEFINE(blocks, object_block_t, OBJECT_COUNT);

static const mete_ref_config_t config = {.object_size = sizeof(object_t), .align = 4};
static mete_ref_t objects;

PROBE(mete_ref_retain);
void probe_mete_ref_retain(mete_ref_t *kind, void *object);
PROBE(mete_ref_drop);
void probe_mete_ref_drop(mete_ref_t *kind, void *object);

int main(void)
{
    static void *held[OBJECT_COUNT];
    static uint32_t more[OBJECT_COUNT];  // References beyond the first.
    start_phase("ref");
    (void)mete_pool_init(&blocks, &blocks_config);
    (void)mete_ref_init(&objects, mete_pool_as_alloc(&blocks), &config);
    for (uint32_t i = 0U; i < OBJECT_COUNT; i++) {
        held[i] = mete_ref_alloc(&objects);
    }
    uint32_t random = 1U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const uint32_t which = random_below(&random, OBJECT_COUNT);
        if ((more[which] == 0U) || (random_below(&random, 2U) == 0U)) {
            probe_mete_ref_retain(&objects, held[which]);
            more[which]++;
        } else {
            probe_mete_ref_drop(&objects, held[which]);
            more[which]--;
        }
    }
    return 0;
}
