// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The memory of an STM32F407: 64 KiB that only the core reaches, 128 KiB that DMA controllers reach too,
// each a heap of its own. Two routes over them: one that does not care, one for DMA.

#include "mete/alloc/route.h"
#include "mete/alloc/heap.h"

#include <stdio.h>

METE_HEAP_DEFINE(ccm, 65536);    // On the device at 0x10000000,
METE_HEAP_DEFINE(sram, 131072);  // and at 0x20000000: too far apart for one heap.
METE_ROUTE_DEFINE(anywhere, 2, 0);
METE_ROUTE_DEFINE(dma, 2, METE_REGION_DMA);

static const char *place_of(const void *block)
{
    const char *const place = mete_span_has(ccm_config.storage, block) ? "CCM" : "SRAM";
    return (block != NULL) ? place : "nowhere";
}

// Takes blocks until none is left. Returns how many, and how many of them lay in CCM.
static size_t count_all(mete_alloc_t alloc, size_t size, size_t *ccm_count)
{
    size_t count = 0U;
    *ccm_count = 0U;
    for (const void *block = NULL; (block = mete_acquire(alloc, size, 8U)) != NULL; count++) {
        *ccm_count += mete_span_has(ccm_config.storage, block) ? 1U : 0U;
    }
    return count;
}

int main(void)
{
    mete_heap_t *const heaps[] = {mete_heap_init(&ccm_config), mete_heap_init(&sram_config)};
    const mete_route_member_t members[] = {
        {mete_heap_as_alloc(heaps[0]), {ccm_config.storage, METE_REGION_FAST}},
        {mete_heap_as_alloc(heaps[1]), {sram_config.storage, METE_REGION_DMA}},
    };
    if (!mete_route_init(&anywhere, members, 2U, &anywhere_config) ||
        !mete_route_init(&dma, members, 2U, &dma_config)) {
        return 1;
    }
    const mete_alloc_t any = mete_route_as_alloc(&anywhere);
    void *const stack = mete_acquire(any, 4096U, 8U);
    void *const packet = mete_acquire(mete_route_as_alloc(&dma), 1514U, 4U);
    printf("a stack lies in %s, a packet in %s\n", place_of(stack), place_of(packet));
    mete_release(any, stack, 4096U, 8U);
    mete_release(mete_route_as_alloc(&dma), packet, 1514U, 4U);

    size_t ccm_count = 0U;
    size_t count = count_all(mete_route_as_alloc(&dma), 1400U, &ccm_count);
    printf("for DMA: %zu packets, %zu of them in CCM\n", count, ccm_count);
    count = count_all(any, 1400U, &ccm_count);
    printf("then anywhere: %zu more, %zu of them in CCM\n", count, ccm_count);
    return 0;
}
