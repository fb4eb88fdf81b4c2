// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One owner's view, held to the interface: a heap at home and one in common, either alone, and a pool in common.

#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/protect/partition.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum { HALF = SUITE_ARENA_SIZE / 2, GRANULE = 16, BLOCK_SIZE = 96, BLOCK_COUNT = 24 };

static mete_heap_config_t heap_configs[2];
static mete_heap_t *heaps[2];
static mete_pool_config_t pool_config;
static uint16_t pool_links[BLOCK_COUNT];
static mete_pool_t pool;
static uint16_t table[SUITE_ARENA_SIZE / GRANULE];
static mete_partition_terms_t terms;
static mete_partition_owner_t owner;
static mete_partition_config_t config;
static mete_partition_t partition;

static uint32_t who(void *self)
{
    (void)self;
    return 0U;
}

static mete_alloc_t make(mete_span_t home, mete_alloc_t at_home, mete_span_t shared,
                         mete_alloc_t in_common)
{
    static const uint8_t rights = METE_PARTITION_ALL;
    terms = (mete_partition_terms_t){.span = home, .common_max = SIZE_MAX};
    config = (mete_partition_config_t){.terms = &terms,
                                       .owners = &owner,
                                       .rights = &rights,
                                       .owner_count = 1U,
                                       .common = shared,
                                       .common_granule = GRANULE,
                                       .common_table = table,
                                       .owner = who};
    (void)mete_partition_init(&partition, &at_home, in_common, &config);
    return mete_partition_as_alloc(&partition, 0U);
}

static mete_alloc_t make_heap(size_t index, mete_span_t storage)
{
    heap_configs[index] = (mete_heap_config_t){.storage = storage, .search = 2U};
    heaps[index] = mete_heap_init(&heap_configs[index]);
    return mete_heap_as_alloc(heaps[index]);
}

static const mete_span_t nowhere = {NULL, 0U};
static const mete_alloc_t none = {NULL, NULL};

static mete_alloc_t make_both(mete_span_t arena)
{
    const mete_span_t home = {arena.start, HALF};
    const mete_span_t shared = {(unsigned char *)arena.start + HALF, HALF};
    return make(home, make_heap(0U, home), shared, make_heap(1U, shared));
}

static mete_alloc_t make_home(mete_span_t arena)
{
    return make(arena, make_heap(0U, arena), nowhere, none);
}

static mete_alloc_t make_common(mete_span_t arena)
{
    return make(nowhere, none, arena, make_heap(1U, arena));
}

static mete_alloc_t make_pool(mete_span_t arena)
{
    const mete_span_t blocks = {arena.start, (size_t)BLOCK_SIZE * BLOCK_COUNT};
    pool_config = (mete_pool_config_t){arena.start, pool_links, BLOCK_SIZE, BLOCK_COUNT};
    (void)mete_pool_init(&pool, &pool_config);
    return make(nowhere, none, blocks, mete_pool_as_alloc(&pool));
}

static bool check_both(void)
{
    return mete_partition_check(&partition) && mete_heap_check(heaps[0]) &&
           mete_heap_check(heaps[1]);
}

static bool check_home(void)
{
    return mete_partition_check(&partition) && mete_heap_check(heaps[0]);
}

static bool check_common(void)
{
    return mete_partition_check(&partition) && mete_heap_check(heaps[1]);
}

static bool check_pool(void)
{
    return mete_partition_check(&partition) && mete_pool_check(&pool);
}

// The heap's granule is 8: a request aligned to 16 may cost 8 bytes more.
#define HEAP_SIZE   (SUITE_ARENA_SIZE - sizeof(mete_heap_t) - 48U)
#define HEAP_TRAITS (SUITE_ALL & ~(unsigned)SUITE_EXACT_STARTS)

static const suite_subject_t subjects[] = {
    {"partition: heap at home", make_home, check_home, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS,
     NULL},
    {"partition: heap in common", make_common, check_common, HEAP_SIZE, SUITE_ALIGN_MAX,
     SUITE_ALL & ~(unsigned)SUITE_SEAMLESS, NULL},
    {"partition: both", make_both, check_both, HEAP_SIZE - HALF, SUITE_ALIGN_MAX / 2U,
     HEAP_TRAITS & ~(unsigned)SUITE_SEAMLESS, NULL},
    {"partition: pool in common", make_pool, check_pool, BLOCK_SIZE, 32U,
     SUITE_ALL & ~(unsigned)(SUITE_MIXED), NULL},
};

int main(void)
{
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        suite_test(&subjects[i]);
    }
    return tap_finish();
}
