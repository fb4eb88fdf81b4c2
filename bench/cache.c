// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Hits: pinned objects in the first slot that is looked at, used in random order; hash and equality are trivial.

#include "mete/object/cache.h"
#include "bench/probe.h"
#include "mete/alloc/pool.h"
#include "mete/object/ref.h"
#include "tests/support/random.h"

enum { OBJECT_COUNT = 16, OPERATIONS = 20000 };

typedef struct object {
    uint32_t number;
    uint32_t words[5];
} object_t;

typedef METE_REF_BLOCK(object_t) object_block_t;
METE_POOL_DEFINE(blocks, object_block_t, OBJECT_COUNT);

// Keys are numbers, each with a slot of its own.
static uint32_t hash(void *self, const void *key)
{
    (void)self;
    return (uint32_t)(uintptr_t)key;
}

static bool equals(void *self, const void *key, const void *object)
{
    (void)self;
    return ((const object_t *)object)->number == (uint32_t)(uintptr_t)key;
}

METE_CACHE_DEFINE(cache, 32, 8, OBJECT_COUNT, hash, equals);

PROBE(mete_cache_find);
void *probe_mete_cache_find(mete_cache_t *cache, const void *key);

int main(void)
{
    static const mete_ref_config_t config = {.object_size = sizeof(object_t), .align = 4};
    static mete_ref_t objects;
    start_phase("cache");
    (void)mete_pool_init(&blocks, &blocks_config);
    (void)mete_ref_init(&objects, mete_pool_as_alloc(&blocks), &config);
    (void)mete_cache_init(&cache, mete_ref_as_shared(&objects), &cache_config);
    for (uint32_t i = 0U; i < OBJECT_COUNT; i++) {
        object_t *const object = mete_ref_alloc(&objects);
        object->number = i;
        mete_cache_insert(&cache, (const void *)(uintptr_t)i, object, 0U);
        mete_ref_drop(&objects, object);
    }
    uint32_t random = 1U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const uint32_t number = random_below(&random, OBJECT_COUNT);
        mete_ref_drop(&objects, probe_mete_cache_find(&cache, (const void *)(uintptr_t)number));
    }
    return 0;
}
