// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A cache that keeps objects alive gives them up when health says that memory is scarce, those of the lowest
// priority first; and the memory is there again.

#include "mete/alloc/heap.h"
#include "mete/object/cache.h"
#include "mete/object/ref.h"
#include "mete/system/health.h"
#include "mete/system/health_actions.h"
#include "mete/system/health_sources.h"

#include "tests/support/tap.h"

enum { OBJECT_COUNT = 12 };

typedef struct object {
    uint32_t key;
    unsigned char bytes[120];
} object_t;

static uint32_t hash(void *self, const void *key)
{
    (void)self;
    return *(const uint32_t *)key;
}

static bool equals(void *self, const void *key, const void *object)
{
    (void)self;
    return ((const object_t *)object)->key == *(const uint32_t *)key;
}

METE_HEAP_DEFINE(memory, 2048);
METE_CACHE_DEFINE(cache, 16, 4, 16, hash, equals);
static mete_ref_t objects;
static mete_health_t health;

static void fill(mete_alloc_t alloc)
{
    static const mete_ref_config_t config = {.object_size = sizeof(object_t), .align = 8U};
    EXPECT(mete_ref_init(&objects, alloc, &config));
    EXPECT(mete_cache_init(&cache, mete_ref_as_shared(&objects), &cache_config));
    for (uint32_t i = 0U; i < OBJECT_COUNT; i++) {
        object_t *const object = (object_t *)mete_ref_alloc(&objects);
        EXPECT(object != NULL);
        object->key = i;
        mete_cache_insert(&cache, &i, object, (i < 4U) ? 1U : 7U);
        mete_ref_drop(&objects, object);
    }
}

static void test_health_purges_the_lowest_priority_first(void)
{
    static const mete_health_rule_t rules[] = {
        {METE_HEALTH_USAGE, 700U, 700U, METE_HEALTH_PURGE, 0U}};
    static const mete_health_config_t config = {.rules = rules,
                                                .rule_count = 1U,
                                                .purge = {mete_health_purge_cache, &cache},
                                                .interval = 1000U};
    mete_heap_t *const heap = mete_heap_init(&memory_config);
    const mete_health_source_t source = {mete_health_read_heap, heap};
    EXPECT(mete_health_init(&health, mete_heap_as_alloc(heap), &source, 1U, &config));
    fill(mete_health_as_alloc(&health));
    EXPECT(mete_ref_usage(&objects).in_use == OBJECT_COUNT);
    mete_health_judge(&health);
    EXPECT((mete_ref_usage(&objects).in_use == 8U) && (mete_cache_usage(&cache).pinned == 8U));
    EXPECT(mete_cache_usage(&cache).priority_min == 7U);
    mete_health_judge(&health);
    EXPECT(!mete_health_is_raised(&health, 0U) && (mete_cache_usage(&cache).pinned == 8U));
    EXPECT(tap_take_fault() == 0);
}

static void test_a_cache_without_anything_to_give_says_so(void)
{
    fill(mete_heap_as_alloc(mete_heap_init(&memory_config)));
    static const mete_health_rule_t rule = {METE_HEALTH_USAGE, 1U, 1U, METE_HEALTH_PURGE, 0U};
    EXPECT(mete_health_purge_cache(&cache, &rule) && mete_health_purge_cache(&cache, &rule));
    EXPECT(!mete_health_purge_cache(&cache, &rule) && (mete_ref_usage(&objects).in_use == 0U));
}

static void test_dead_objects_that_nobody_came_across_are_purged_too(void)
{
    static const mete_health_rule_t rule = {METE_HEALTH_USAGE, 1U, 1U, METE_HEALTH_PURGE, 0U};
    fill(mete_heap_as_alloc(mete_heap_init(&memory_config)));
    const uint32_t key = 2U;
    object_t *const object = (object_t *)mete_cache_find(&cache, &key);
    (void)mete_cache_purge(&cache, UINT8_MAX, SIZE_MAX);
    mete_ref_drop(&objects, object);
    EXPECT(mete_ref_usage(&objects).in_use == 1U);
    EXPECT(mete_health_purge_cache(&cache, &rule) && (mete_ref_usage(&objects).in_use == 0U));
}

int main(void)
{
    RUN(test_health_purges_the_lowest_priority_first);
    RUN(test_a_cache_without_anything_to_give_says_so);
    RUN(test_dead_objects_that_nobody_came_across_are_purged_too);
    return tap_finish();
}
