// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap against a model of it: at random, with each search, with regions added on the way, with an
// out-of-memory hook; then in storage of every size and place.
//
// test_model_heap_wide.c includes this file for the wide heap.

#include "tests/model/heap_model.h"

// Where regions lie in the memory: the first at an odd place, the others behind it at odd distances.
static mete_span_t region(size_t number, unsigned offset)
{
    const size_t part = MEMORY_SIZE / REGION_MAX;
    const size_t size = (number == 0U) ? part + 5U : part - 64U - (number * 3U);
    return (mete_span_t){memory + offset + (number * part) + ((number != 0U) ? 21U + number : 0U),
                         size};
}

static bool start(uint32_t search, mete_span_t storage)
{
    config.storage = storage;
    config.search = search;
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        slots[i].block = NULL;
    }
    refusals = 0U;
    in_use_peak = 0U;
    region_count = 1U;
    mete_words_fill(memory, 0xA5U, sizeof memory);
    heap = HEAP(init)(&config);
    return heap != NULL;
}

static void configure_hook(bool is_set, bool frees_something, bool says_try_again)
{
    config.on_refusal = is_set ? on_refusal : NULL;
    config.on_refusal_self = &hook;
    hook.frees_something = frees_something;
    hook.says_try_again = says_try_again;
}

static void free_all(void)
{
    expect_contents();
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        if (slots[i].block != NULL) {
            do_free(&slots[i]);
            settle();
        }
    }
    EXPECT(seen.count == region_count);  // One free block each.
    EXPECT(HEAP(usage)(heap).in_use_size == 0U);
}

// Attempts to add a region that must be refused without effect. The heap has regions 0 and 2.
static void add_wrongly(unsigned offset)
{
    const mete_span_t first = region(0U, offset);
    const mete_span_t between = region(1U, offset);
    EXPECT(!HEAP(add)(heap, (mete_span_t){between.start, MEMORY_SIZE / REGION_MAX + 40U}));
    EXPECT(!HEAP(add)(heap, first));
    EXPECT(!HEAP(add)(heap, (mete_span_t){(unsigned char *)first.start + 100, 300U}));
    EXPECT(!HEAP(add)(heap, (mete_span_t){NULL, 1000U}));
    EXPECT(!HEAP(add)(heap, (mete_span_t){memory + sizeof memory - 8, 8U}));
    settle();
}

// Adds one region more. They come out of order: one must find its place between two others.
static void add_next(unsigned offset)
{
    static const size_t order[REGION_MAX] = {0U, 2U, 1U, 3U};
    if (region_count == 2U) {
        add_wrongly(offset);
    }
    EXPECT(HEAP(add)(heap, region(order[region_count], offset)));
    region_count++;
    settle();
}

static void run(uint32_t search, uint32_t seed)
{
    const unsigned offset = seed % 16U;
    random_state = seed;
    misuse_every = 16U;
    if (!EXPECT(start(search, region(0U, offset)))) {
        return;
    }
    settle();
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        if ((i % (STEP_COUNT / REGION_MAX) == STEP_COUNT / 8) && (region_count < REGION_MAX)) {
            add_next(offset);
        }
        step();
        if (i % 64U == 0U) {
            expect_contents();
        }
    }
    EXPECT(region_count == REGION_MAX);
    free_all();
}

static void test_without_search_it_agrees_with_the_model(void)
{
    configure_hook(false, false, false);
    run(0U, 0x1234567U);
}

static void test_with_search_1_it_agrees_with_the_model(void)
{
    configure_hook(false, false, false);
    run(1U, 0x2345678U);
}

static void test_with_search_2_it_agrees_with_the_model(void)
{
    configure_hook(false, false, false);
    run(2U, 0x3456789U);
}

static void test_with_search_8_it_agrees_with_the_model(void)
{
    configure_hook(false, false, false);
    run(8U, 0x456789AU);
}

static void test_a_hook_that_frees_something_gets_one_retry(void)
{
    configure_hook(true, true, true);
    run(0U, 0x789ABCDU);
    run(2U, 0x89ABCDEU);
}

static void test_a_hook_that_only_claims_so_gets_one_retry(void)
{
    configure_hook(true, false, true);
    run(0U, 0x9ABCDEFU);
}

static void test_a_hook_that_says_no_gets_none(void)
{
    configure_hook(true, true, false);
    run(2U, 0xABCDEF1U);
}

static void test_every_nth_request_may_fail(void)
{
    // Requests that cannot be met come in between at every distance; nothing else may change.
    configure_hook(false, false, false);
    misuse_every = 0U;
    for (unsigned distance = 1U; distance <= 8U; distance++) {
        random_state = distance;
        EXPECT(start(2U * (distance % 2U), region(0U, distance)));
        for (unsigned i = 0U; i < STEP_COUNT / 16; i++) {
            if (i % distance == 0U) {
                EXPECT(HEAP(alloc)(heap, MEMORY_SIZE) == NULL);
                refusals++;
                settle();
            }
            step();
        }
        free_all();
    }
}

static void test_storage_may_start_and_end_anywhere(void)
{
    configure_hook(false, false, false);
    misuse_every = 0U;
    size_t made_count = 0U;
    for (unsigned offset = 0U; offset < 16U; offset++) {
        for (size_t size = SIZE_MIN - 40U; size < SIZE_MIN + 40U; size++) {
            const bool is_made = start(0U, (mete_span_t){memory + offset, size});
            EXPECT(is_made || (size < SIZE_MIN));
            if (is_made) {
                made_count++;
                settle();
                do_alloc(&slots[0]);
                do_alloc(&slots[1]);
                settle();
                free_all();
            }
            const size_t end = offset + size;
            EXPECT(mete_words_scan(memory, 0xA5U, offset) == offset);
            EXPECT(mete_words_scan(memory + end, 0xA5U, 32U) == 32U);
        }
    }
    EXPECT(made_count >= 16U * 40U);
}

static void test_every_alignment_is_served_from_a_fresh_heap(void)
{
    configure_hook(false, false, false);
    for (unsigned offset = 0U; offset < 16U; offset += 3U) {
        for (size_t align = 1U; align <= (size_t)ALIGN_MAX; align *= 2U) {
            for (size_t size = 1U; size < 40U; size += 6U) {
                EXPECT(start(0U, (mete_span_t){memory + offset, MEMORY_SIZE}));
                unsigned char *const block = HEAP(alloc_aligned)(heap, size, align);
                EXPECT(block != NULL);
                note_peak(HEAP(usage)(heap).in_use_peak);
                keep_new(&slots[0], block, size, align);
                settle();
                free_all();
            }
        }
    }
}

static void test_a_fresh_heap_holds_what_its_size_says(void)
{
    // Filled with blocks of one size it must not refuse before the last whole block is out.
    configure_hook(false, false, false);
    for (size_t size = MEMORY_SIZE / SLOT_COUNT; size < MEMORY_SIZE / 2U;
         size += 1U + (size / 3U)) {
        EXPECT(start((uint32_t)(size % 3U), (mete_span_t){memory + 1, MEMORY_SIZE}));
        const size_t total = HEAP(usage)(heap).total_size / GRANULE;
        size_t count = 0U;
        while ((count < SLOT_COUNT) && (HEAP(alloc)(heap, size) != NULL)) {
            count++;
        }
        EXPECT(count == total / granules_for(size));
        EXPECT(HEAP(check)(heap) && (tap_take_fault() == 0));
    }
}

static void test_the_largest_block_is_all_there_is(void)
{
    configure_hook(false, false, false);
    for (uint32_t search = 0U; search <= 2U; search++) {
        EXPECT(start(search, (mete_span_t){memory + 3, MEMORY_SIZE}));
        const size_t size = HEAP(usage)(heap).total_size - HEADER_SIZE;
        EXPECT(HEAP(alloc)(heap, size + 1U) == NULL);
        keep_new(&slots[0], HEAP(alloc)(heap, size), size, GRANULE);
        EXPECT(slots[0].block != NULL);
        EXPECT(HEAP(alloc)(heap, 1U) == NULL);
        refusals = 2U;
        settle();
        free_all();
    }
}

#ifndef ON_BOARD
// Storage of 256 KiB, the most a narrow heap can use, and blocks of every size up to the largest.
static void test_large_blocks_succeed_when_they_must(void)
{
    static _Alignas(16) unsigned char window[262144];
    configure_hook(false, false, false);
    for (uint32_t search = 0U; search <= 2U; search++) {
        for (size_t size = 150000U; size <= METE_HEAP_BLOCK_SIZE_MAX; size += 97U) {
            EXPECT(start(search, (mete_span_t){window, sizeof window}));
            const chance_t chance = begin(granules_for(size), NULL);
            EXPECT(chance != MAY_SUCCEED);  // There is one free block.
            unsigned char *const block = HEAP(alloc)(heap, size);
            EXPECT((block != NULL) == (chance == MUST_SUCCEED));
            EXPECT(HEAP(check)(heap));
        }
    }
}
#endif

int main(void)
{
    RUN(test_without_search_it_agrees_with_the_model);
    RUN(test_with_search_1_it_agrees_with_the_model);
    RUN(test_with_search_2_it_agrees_with_the_model);
    RUN(test_with_search_8_it_agrees_with_the_model);
    RUN(test_a_hook_that_frees_something_gets_one_retry);
    RUN(test_a_hook_that_only_claims_so_gets_one_retry);
    RUN(test_a_hook_that_says_no_gets_none);
    RUN(test_every_nth_request_may_fail);
    RUN(test_storage_may_start_and_end_anywhere);
    RUN(test_every_alignment_is_served_from_a_fresh_heap);
    RUN(test_a_fresh_heap_holds_what_its_size_says);
    RUN(test_the_largest_block_is_all_there_is);
#ifndef ON_BOARD
    RUN(test_large_blocks_succeed_when_they_must);
#endif
    return tap_finish();
}
