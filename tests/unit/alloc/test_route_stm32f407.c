// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The system heap of an STM32F407: the core alone reaches CCM, and the two are too far apart for one
// narrow heap. Small boards have it at a sixteenth of its size.

#include "mete/alloc/heap.h"
#include "mete/alloc/route.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#ifdef __ARM_ARCH_6M__
enum { CCM_SIZE = 2048, SRAM_SIZE = 3072, PACKET_SIZE = 90 };
#else
enum { CCM_SIZE = 65536, SRAM_SIZE = 131072, PACKET_SIZE = 1514 };
#endif

METE_HEAP_DEFINE(ccm, CCM_SIZE);
METE_HEAP_DEFINE(sram, SRAM_SIZE);
METE_ROUTE_DEFINE(anywhere, 2, 0);
METE_ROUTE_DEFINE(dma, 2, METE_REGION_DMA);

static mete_heap_t *heaps[2];

static void setup_stm32f407(void)
{
    heaps[0] = mete_heap_init(&ccm_config);
    heaps[1] = mete_heap_init(&sram_config);
    EXPECT((heaps[0] != NULL) && (heaps[1] != NULL));
    const mete_route_member_t members[] = {
        {mete_heap_as_alloc(heaps[0]), {ccm_config.storage, METE_REGION_FAST}},
        {mete_heap_as_alloc(heaps[1]), {sram_config.storage, METE_REGION_DMA}},
    };
    EXPECT(mete_route_init(&anywhere, members, 2U, &anywhere_config));
    EXPECT(mete_route_init(&dma, members, 2U, &dma_config));
}

static void test_dma_memory_never_comes_from_ccm(void)
{
    setup_stm32f407();
    const mete_alloc_t view = mete_route_as_alloc(&dma);
    for (size_t size = PACKET_SIZE; size != 0U; size /= 3U) {
        for (const void *packet = NULL; (packet = mete_acquire(view, size, 4U)) != NULL;) {
            EXPECT(mete_span_has(sram_config.storage, packet));
            EXPECT(!mete_span_has(ccm_config.storage, packet));
        }
    }
    // SRAM is full; CCM is empty, and stays so.
    EXPECT((mete_heap_usage(heaps[0]).in_use_size == 0U) &&
           (mete_route_usage(&dma).refusals != 0U));
    void *const fast = mete_acquire(mete_route_as_alloc(&anywhere), PACKET_SIZE, 4U);
    EXPECT(mete_span_has(ccm_config.storage, fast));
    mete_release(mete_route_as_alloc(&anywhere), fast, PACKET_SIZE, 4U);
    EXPECT(tap_take_fault() == 0);
}

static void test_random_work_on_an_stm32f407_keeps_dma_out_of_ccm(void)
{
    enum { SLOT_COUNT = 60 };
    struct {
        void *block;
        size_t size;
        bool is_dma;
    } slots[SLOT_COUNT];
    mete_words_fill(slots, 0U, sizeof slots);
    setup_stm32f407();
    uint32_t random = 0x9E3779B9U;
    for (size_t step = 0U; step < 4000U; step++) {
        const size_t pick = random_below(&random, SLOT_COUNT);
        if (slots[pick].block != NULL) {
            mete_release(mete_route_as_alloc(slots[pick].is_dma ? &dma : &anywhere),
                         slots[pick].block, slots[pick].size, 4U);
            slots[pick].block = NULL;
        } else {
            slots[pick].is_dma = random_below(&random, 2U) == 0U;
            slots[pick].size = 1U + random_below(&random, 3U * PACKET_SIZE);
            slots[pick].block = mete_acquire(
                mete_route_as_alloc(slots[pick].is_dma ? &dma : &anywhere), slots[pick].size, 4U);
            EXPECT((slots[pick].block == NULL) || !slots[pick].is_dma ||
                   mete_span_has(sram_config.storage, slots[pick].block));
        }
        EXPECT(tap_take_fault() == 0);
    }
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        mete_release(mete_route_as_alloc(&anywhere), slots[i].block, slots[i].size, 4U);
    }
    EXPECT((tap_take_fault() == 0) && mete_heap_check(heaps[0]) && mete_heap_check(heaps[1]));
    EXPECT(mete_heap_usage(heaps[0]).in_use_size + mete_heap_usage(heaps[1]).in_use_size == 0U);
}

int main(void)
{
    RUN(test_dma_memory_never_comes_from_ccm);
    RUN(test_random_work_on_an_stm32f407_keeps_dma_out_of_ccm);
    return tap_finish();
}
