// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two pools for the sizes that are frequent, a heap for the rest: who served what?

#include "mete/alloc/tier.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"

#include <stdio.h>

typedef struct small {
    unsigned char bytes[32];
} small_t;

typedef struct medium {
    unsigned char bytes[128];
} medium_t;

METE_POOL_DEFINE(smalls, small_t, 4);
METE_POOL_DEFINE(mediums, medium_t, 4);
METE_HEAP_DEFINE(rest, 8192);
METE_TIER_DEFINE(sizes, 0, 1, sizeof(small_t), sizeof(medium_t));  // The next size may help out.

int main(void)
{
    mete_heap_t *const heap = mete_heap_init(&rest_config);
    if ((heap == NULL) || !mete_pool_init(&smalls, &smalls_config) ||
        !mete_pool_init(&mediums, &mediums_config)) {
        return 1;
    }
    const mete_alloc_t members[] = {mete_pool_as_alloc(&smalls), mete_pool_as_alloc(&mediums)};
    if (!mete_tier_init(&sizes, members, mete_heap_as_alloc(heap), &sizes_config)) {
        return 1;
    }
    const mete_alloc_t alloc = mete_tier_as_alloc(&sizes);

    static const size_t asked[] = {10, 32, 100, 20, 30, 12, 17, 500, 128, 40};
    enum { COUNT = sizeof asked / sizeof asked[0] };
    void *blocks[COUNT];
    for (size_t i = 0U; i < COUNT; i++) {
        blocks[i] = mete_acquire(alloc, asked[i], 8U);
    }
    for (size_t i = 0U; i < COUNT; i++) {
        mete_release(alloc, blocks[i], asked[i], 8U);  // Finds out where each of them lies.
    }

    static const char *const names[] = {"up to 32", "up to 128", "heap"};
    printf("%-10s %5s %7s %7s %10s %7s %5s\n", "", "hits", "misses", "spills", "fallbacks",
           "guests", "peak");
    for (size_t i = 0U; i < 3U; i++) {
        const mete_tier_usage_t usage = mete_tier_usage(&sizes, i);
        printf("%-10s %5zu %7zu %7zu %10zu %7zu %5zu\n", names[i], usage.hits, usage.misses,
               usage.spills, usage.fallbacks, usage.guests, usage.in_use_peak);
    }
    return 0;
}
