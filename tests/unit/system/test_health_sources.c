// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What each source says of a real allocator.

#include "mete/system/health_actions.h"
#include "mete/system/health_sources.h"

#include "tests/support/tap.h"

static _Alignas(16) unsigned char storage[4096];
static mete_health_usage_t usage;
static mete_health_t health;
static const mete_health_config_t config;

// A health that looks at one source; not one of its calls goes anywhere.
static uint16_t look(const mete_health_source_t *source, mete_health_measure_t measure)
{
    static const mete_alloc_ops_t nowhere = {NULL, NULL, NULL, NULL, NULL};
    const mete_alloc_t none = {&nowhere, NULL};
    EXPECT(mete_health_init(&health, none, source, 1U, &config));
    usage = mete_health_usage(&health);
    return mete_health_permille(&health, measure);
}

static void test_a_heap_of_one_free_block_is_not_fragmented(void)
{
    const mete_heap_config_t heap_config = {.storage = {storage, sizeof storage}};
    mete_heap_t *const heap = mete_heap_init(&heap_config);
    const mete_health_source_t source = {mete_health_read_heap, heap};
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) == 0U);
    EXPECT(usage.total_size == mete_heap_usage(heap).total_size);
    void *const block = mete_heap_alloc(heap, 1000U);
    EXPECT((block != NULL) && (look(&source, METE_HEALTH_FRAGMENTATION) == 0U));
    EXPECT(look(&source, METE_HEALTH_USAGE) > 200U);
    EXPECT((mete_heap_alloc(heap, 5000U) == NULL) && (look(&source, METE_HEALTH_USAGE) > 200U));
    EXPECT((usage.refusals == 1U) && (usage.requests == 0U));
    EXPECT(mete_heap_alloc(heap, 1000U) != NULL);
    mete_heap_free(heap, block);
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) > 200U);
}

static void test_a_wide_heap_says_the_same(void)
{
    const mete_heap_config_t heap_config = {.storage = {storage, sizeof storage}};
    mete_heap_wide_t *const heap = mete_heap_wide_init(&heap_config);
    const mete_health_source_t source = {mete_health_read_heap_wide, heap};
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) == 0U);
    void *const block = mete_heap_wide_alloc(heap, 1000U);
    EXPECT((mete_heap_wide_alloc(heap, 1000U) != NULL) &&
           (look(&source, METE_HEALTH_USAGE) > 400U));
    mete_heap_wide_free(heap, block);
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) > 200U);
    EXPECT((mete_heap_wide_alloc(heap, 5000U) == NULL) &&
           (look(&source, METE_HEALTH_USAGE) > 200U));
    EXPECT(usage.refusals == 1U);
}

static void test_a_list_knows_its_largest_block(void)
{
    const mete_list_config_t list_config = {.storage = {storage, 2048U}};
    mete_list_t *const list = mete_list_init(&list_config);
    const mete_health_source_t source = {mete_health_read_list, list};
    void *const block = mete_list_alloc(list, 600U);
    EXPECT((mete_list_alloc(list, 600U) != NULL) && (look(&source, METE_HEALTH_USAGE) > 500U));
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) <=
           20U);  // The header of a free block is free, too.
    mete_list_free(list, block);
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) > 300U);
    EXPECT(usage.largest_free_size == mete_list_usage(list).largest_free_size);
}

static void test_a_buddy_knows_its_largest_block(void)
{
    static uint8_t table[METE_BUDDY_TABLE_SIZE(16U)];
    static mete_buddy_t buddy;
    const mete_buddy_config_t buddy_config = {
        .blocks = storage, .table = table, .block_size = 64U, .block_count = 16U};
    EXPECT(mete_buddy_init(&buddy, &buddy_config));
    const mete_health_source_t source = {mete_health_read_buddy, &buddy};
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) == 0U);
    EXPECT(mete_buddy_alloc(&buddy, 64U) != NULL);  // 64 in use; free 64, 128, 256, 512.
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) == 466U);
    EXPECT((usage.total_size == 1024U) && (usage.largest_free_size == 512U));
    EXPECT((mete_buddy_alloc(&buddy, 1024U) == NULL) && (look(&source, METE_HEALTH_USAGE) == 63U));
    EXPECT(usage.refusals == 1U);
}

METE_POOL_DEFINE(pool, uint64_t, 4);

static void test_a_pool_has_no_fragmentation(void)
{
    EXPECT(mete_pool_init(&pool, &pool_config) && (mete_pool_alloc(&pool) != NULL));
    const mete_health_source_t source = {mete_health_read_pool, &pool};
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) == 0U);
    EXPECT((look(&source, METE_HEALTH_USAGE) == 250U) && (usage.total_size == 32U));
}

static mete_movable_t store;
static mete_movable_slot_t slots[METE_MOVABLE_SLOT_COUNT(8U)];
static const mete_movable_config_t store_config = {
    .storage = {storage, 1024U}, .slots = slots, .slot_count = METE_MOVABLE_SLOT_COUNT(8U)};

static void test_a_store_is_compacted_in_steps(void)
{
    mete_movable_handle_t blocks[7];
    EXPECT(mete_movable_init(&store, &store_config));
    for (size_t i = 0U; i < 7U; i++) {
        blocks[i] = mete_movable_alloc(&store, 120U);
    }
    for (size_t i = 0U; i < 7U; i += 2U) {
        mete_movable_free(&store, blocks[i]);
    }
    const mete_health_source_t source = {mete_health_read_movable, &store};
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) > 300U);
    while (mete_health_compact_movable(&store, NULL)) {
    }
    EXPECT(look(&source, METE_HEALTH_FRAGMENTATION) == 0U);
    EXPECT(!mete_health_compact_movable(&store, NULL));
}

static void test_empty_slabs_are_given_back(void)
{
    static mete_slab_t slab;
    static mete_slab_entry_t entries[2];
    const mete_heap_config_t heap_config = {.storage = {storage, sizeof storage}};
    const mete_slab_config_t slab_config = {
        .block_size = 32U, .align = 8U, .block_count = 8U, .slab_count = 2U, .table = entries};
    EXPECT(mete_slab_init(&slab, mete_heap_as_alloc(mete_heap_init(&heap_config)), &slab_config));
    void *const block = mete_slab_alloc(&slab);
    const mete_health_source_t source = {mete_health_read_slab, &slab};
    EXPECT((block != NULL) && (look(&source, METE_HEALTH_USAGE) == 125U));
    EXPECT(!mete_health_purge_slab(&slab, NULL));
    mete_slab_free(&slab, block);
    EXPECT(mete_health_purge_slab(&slab, NULL) && (look(&source, METE_HEALTH_USAGE) == 0U));
}

static void test_statistics_know_the_requests(void)
{
    static mete_stats_t stats;
    EXPECT(mete_pool_init(&pool, &pool_config));
    EXPECT(mete_stats_init(&stats, mete_pool_as_alloc(&pool), NULL));
    const mete_alloc_t view = mete_stats_as_alloc(&stats);
    EXPECT((mete_acquire(view, 8U, 1U) != NULL) && (mete_acquire(view, 9U, 1U) == NULL));
    const mete_health_source_t source = {mete_health_read_stats, &stats};
    EXPECT((look(&source, METE_HEALTH_USAGE) == 0U) && (usage.total_size == 0U));
    EXPECT((usage.requests == 2U) && (usage.refusals == 1U));
}

int main(void)
{
    RUN(test_a_heap_of_one_free_block_is_not_fragmented);
    RUN(test_a_wide_heap_says_the_same);
    RUN(test_a_list_knows_its_largest_block);
    RUN(test_a_buddy_knows_its_largest_block);
    RUN(test_a_pool_has_no_fragmentation);
    RUN(test_a_store_is_compacted_in_steps);
    RUN(test_empty_slabs_are_given_back);
    RUN(test_statistics_know_the_requests);
    return tap_finish();
}
