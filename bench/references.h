// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef BENCH_REFERENCES_H
#define BENCH_REFERENCES_H

// What both forms of references are measured by: objects from a pool, of which references are taken and dropped in random
// order, but for the first one of each.

#include "bench/probe.h"
#include "mete/alloc/pool.h"
#include "mete/object/ref.h"
#include "tests/support/random.h"

enum { OBJECT_COUNT = 16, OPERATIONS = 20000 };

typedef struct object {
    uint32_t words[6];
} object_t;

typedef METE_REF_BLOCK(object_t) object_block_t;
METE_POOL_DEFINE(blocks, object_block_t, OBJECT_COUNT);

static const mete_ref_config_t config = {.object_size = sizeof(object_t), .align = 4};

static mete_alloc_t open_pool(void)
{
    (void)mete_pool_init(&blocks, &blocks_config);
    return mete_pool_as_alloc(&blocks);
}

static void share(void *const *objects, void (*retain)(void *object), void (*drop)(void *object))
{
    static uint32_t more[OBJECT_COUNT];  // References beyond the first.
    uint32_t random = 1U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const uint32_t which = random_below(&random, OBJECT_COUNT);
        if ((more[which] == 0U) || (random_below(&random, 2U) == 0U)) {
            retain(objects[which]);
            more[which]++;
        } else {
            drop(objects[which]);
            more[which]--;
        }
    }
}

#endif
