// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap, tested from inside: this file includes heap.c itself. test_heap_wide.c includes this file for
// the wide heap. What random work does to a heap is tests/model's to say; here each test states one
// behaviour. What becomes of damage is in test_heap_damage.c.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.c"
#endif

#include "tests/support/tap.h"
#include "tests/unit/alloc/heap_alone.h"

// ---- sizes and bins

static void test_every_size_gets_the_fewest_granules_that_hold_it(void)
{
    for (size_t size = 1U; size < 5000U; size++) {
        const uint32_t granules = granules_for(size);
        EXPECT(payload_size(granules) >= size);
        EXPECT((granules == MIN) || (payload_size(granules - 1U) < size));
    }
}

static void test_no_size_wraps_around(void)
{
    EXPECT(!is_size(0U));
    EXPECT(is_size(1U) && is_size(SIZE_LIMIT));
    EXPECT(!is_size((size_t)SIZE_LIMIT + 1U));
    EXPECT(!is_size(SIZE_MAX) && !is_size(SIZE_MAX - 7U));
    EXPECT(granules_for(SIZE_LIMIT) <= GRANULE_MAX);
}

static void test_bins_are_exact_below_eight_and_two_an_octave_above(void)
{
    for (uint32_t granules = 1U; granules < 8U; granules++) {
        EXPECT(bin_of(granules) == granules);
    }
    uint32_t bin = 8U;
    for (uint32_t low = 8U; low < 16384U; low *= 2U, bin += 2U) {
        EXPECT((bin_of(low) == bin) && (bin_of(low + (low / 2U) - 1U) == bin));
        EXPECT((bin_of(low + (low / 2U)) == bin + 1U) && (bin_of((2U * low) - 1U) == bin + 1U));
    }
    EXPECT(bin_of(GRANULE_MAX) == BIN_COUNT - 1U);
}

// ---- init

static void test_init_refuses_a_broken_config_and_writes_nothing(void)
{
    (void)setup(0U);
    const mete_heap_config_t good = config;
    keep_copy();
    config.storage.start = NULL;
    EXPECT(HEAP(init)(&config) == NULL);
    config = good;
    config.storage.size = sizeof(heap_t);
    EXPECT(HEAP(init)(&config) == NULL);
    config.storage.size = SIZE_MAX;
    EXPECT(HEAP(init)(&config) == NULL);
    config.storage.size = SIZE_MAX - (uintptr_t)config.storage.start;
    if ((WORD == 4) || (sizeof(size_t) > 4U)) {
        EXPECT(HEAP(init)(&config) == NULL);
    }
    config = good;
    EXPECT(is_unchanged());
}

static void test_a_heap_lives_in_storage_of_any_alignment(void)
{
    unsigned char *const bytes = (unsigned char *)storage;
    for (size_t offset = 0U; offset < 17U; offset++) {
        for (size_t size = 900U; size < 917U; size++) {
            mete_words_fill(storage, 0xA5U, sizeof storage);
            config.storage.start = bytes + offset;
            config.storage.size = size;
            heap_t *const heap = HEAP(init)(&config);
            EXPECT((uintptr_t)heap >= (uintptr_t)(bytes + offset));
            void *const block = HEAP(alloc)(heap, HEAP(usage)(heap).total_size - WORD);
            EXPECT((block != NULL) && ((uintptr_t)block % GRANULE == 0U));
            EXPECT(HEAP(check)(heap) && (free_count(heap) == 0U));
            EXPECT(mete_words_scan(bytes, 0xA5U, offset) == offset);
            const size_t behind_size = sizeof storage - offset - size;
            EXPECT(mete_words_scan(bytes + offset + size, 0xA5U, behind_size) == behind_size);
        }
    }
}

static void test_the_smallest_storage_holds_a_block(void)
{
    const size_t least = (WORD == 4) ? METE_HEAP_SIZE_MIN : sizeof(heap_t) + 48U;
    for (size_t offset = 0U; offset < 8U; offset++) {
        config.storage.start = (unsigned char *)storage + offset;
        config.storage.size = least;
        heap_t *const heap = HEAP(init)(&config);
        EXPECT((heap != NULL) && (HEAP(alloc)(heap, 4U) != NULL));
    }
}

// ---- alloc

static void test_size_zero_and_sizes_beyond_every_heap_give_null(void)
{
    heap_t *const heap = setup(0U);
    const size_t sizes[] = {0U,          SIZE_MAX, SIZE_MAX - 3U, SIZE_MAX - 8U, SIZE_MAX / 2U,
                            STORAGE_SIZE};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        EXPECT(HEAP(alloc)(heap, sizes[i]) == NULL);
        EXPECT(HEAP(alloc_aligned)(heap, sizes[i], 64U) == NULL);
    }
    EXPECT((in_use(heap) == 0U) && HEAP(check)(heap) && (tap_take_fault() == 0));
    EXPECT(HEAP(usage)(heap).refusals == 2U * (sizeof sizes / sizeof sizes[0]));
}

// Free blocks of 9, 8, 10 and 11 granules, freed in this order, which all lie in bin 8, and a large one
// behind. Blocks in use keep them apart; they are not so small that they come from an end.
static void *make_bin_8(heap_t *heap)
{
    static const uint32_t sizes[] = {9U, 8U, 10U, 11U};
    void *blocks[4];
    for (size_t i = 0U; i < 4U; i++) {
        blocks[i] = alloc_granules(heap, sizes[i]);
        (void)alloc_granules(heap, SMALL);
    }
    for (size_t i = 0U; i < 4U; i++) {
        HEAP(free)(heap, blocks[i]);
    }
    return blocks[0];
}

static void test_without_a_search_a_bin_is_taken_where_all_fit(void)
{
    heap_t *const heap = setup(0U);
    void *const nine = make_bin_8(heap);
    EXPECT((uintptr_t)alloc_granules(heap, 9U) > (uintptr_t)nine + (40U * GRANULE));
}

static void test_without_a_search_the_matching_bin_is_the_last_resort(void)
{
    // Storage in which blocks of 12 granules leave nothing over.
    heap_t *heap = setup(0U);
    const uint32_t over = ((uint32_t)(heap->end - FIRST) / STEP - (38U + (4U * SMALL))) % 12U;
    heap = setup_short(0U, (size_t)over * GRANULE);
    (void)make_bin_8(heap);
    while (alloc_granules(heap, 12U) != NULL) {
    }
    const size_t refusals = HEAP(usage)(heap).refusals;
    void *const block = alloc_granules(heap, 9U);
    EXPECT((block != NULL) && (HEAP(size_of)(heap, block) >= payload_size(9U)));
    EXPECT(HEAP(usage)(heap).refusals == refusals);
    EXPECT(HEAP(check)(heap));
}

static void test_a_search_finds_a_close_fit_in_the_matching_bin(void)
{
    heap_t *const heap = setup(4U);
    void *const nine = make_bin_8(heap);
    const size_t before = free_count(heap);
    void *const block = alloc_granules(heap, 11U);
    EXPECT((block != NULL) && (HEAP(size_of)(heap, block) == payload_size(11U)));
    EXPECT(((uintptr_t)block > (uintptr_t)nine) && (free_count(heap) == before - 1U));
}

static void test_a_search_looks_at_no_more_blocks_than_configured(void)
{
    heap_t *const heap = setup(1U);
    void *const nine = make_bin_8(heap);
    // 11 was freed last and is the only one looked at; 10 and 9 behind it would fit too.
    EXPECT(HEAP(size_of)(heap, alloc_granules(heap, 11U)) == payload_size(11U));
    EXPECT(HEAP(size_of)(heap, alloc_granules(heap, 10U)) == payload_size(10U));
    EXPECT(alloc_granules(heap, 9U) != nine);  // 8 is in front of it now, and too small.
}

static void test_a_search_takes_the_lowest_of_the_next_bin(void)
{
    heap_t *const heap = setup(4U);
    block_t *const nine = make_bin_8(heap);
    // No block of 7 is free: bin 8 is next. What the 9 has too much stays in front of a small block.
    EXPECT(alloc_granules(heap, 7U) == behind(nine, 2U));
    EXPECT(HEAP(check)(heap) && (tap_take_fault() == 0));
}

static void test_with_a_search_small_blocks_come_from_the_end_and_others_from_the_front(void)
{
    heap_t *const heap = setup(2U);
    block_t *const first = at(heap, FIRST);
    block_t *const end = at(heap, heap->end);
    EXPECT(alloc_granules(heap, SMALL - 1U) == in_front(end, SMALL - 1U));
    EXPECT(alloc_granules(heap, SMALL) == first);
    EXPECT(alloc_granules(heap, MIN) == in_front(end, SMALL - 1U + MIN));
    EXPECT(alloc_granules(heap, 20U) == behind(first, SMALL));
    EXPECT((free_count(heap) == 1U) && HEAP(check)(heap));
}

static void test_without_a_search_all_blocks_come_from_the_front(void)
{
    heap_t *const heap = setup(0U);
    EXPECT(alloc_granules(heap, MIN) == at(heap, FIRST));
    EXPECT(alloc_granules(heap, 20U) == behind(at(heap, FIRST), MIN));
}

// ---- free

static void test_freed_neighbours_join_in_every_order(void)
{
    static const unsigned char orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                               {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0U; i < 6U; i++) {
        heap_t *const heap = setup(0U);
        void *blocks[3];
        for (size_t j = 0U; j < 3U; j++) {
            blocks[j] = HEAP(alloc)(heap, 40U);
        }
        void *const guard = HEAP(alloc)(heap, 40U);
        for (size_t j = 0U; j < 3U; j++) {
            HEAP(free)(heap, blocks[orders[i][j]]);
            EXPECT(HEAP(check)(heap));
        }
        EXPECT(free_count(heap) == 2U);
        HEAP(free)(heap, guard);
        EXPECT((free_count(heap) == 1U) && (in_use(heap) == 0U) && HEAP(check)(heap));
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_free_of_null_does_nothing(void)
{
    heap_t *const heap = setup(0U);
    keep_copy();
    HEAP(free)(heap, NULL);
    EXPECT(is_unchanged() && (tap_take_fault() == 0));
}

static void test_counters_follow_what_is_in_use(void)
{
    heap_t *const heap = setup(0U);
    const size_t total = HEAP(usage)(heap).total_size;
    void *const a = HEAP(alloc)(heap, payload_size(5U));
    void *const b = HEAP(alloc)(heap, payload_size(7U));
    EXPECT(in_use(heap) == 12U * GRANULE);
    HEAP(free)(heap, a);
    mete_heap_usage_t usage = HEAP(usage)(heap);
    EXPECT((usage.in_use_size == 7U * GRANULE) && (usage.in_use_peak == 12U * GRANULE));
    EXPECT((usage.total_size == total) && (usage.free_count == 2U) &&
           (usage.frag.high_permille > 0U));
    HEAP(free)(heap, b);
    usage = HEAP(usage)(heap);
    EXPECT((usage.in_use_size == 0U) && (usage.in_use_peak == 12U * GRANULE));
    EXPECT((usage.free_count == 1U) && (usage.frag.high_permille == 0U));
}

#if METE_CHECK_LEVEL >= 1
static void test_free_refuses_a_free_block(void)
{
    heap_t *const heap = setup(0U);
    void *const a = HEAP(alloc)(heap, 40U);
    (void)HEAP(alloc)(heap, 40U);
    HEAP(free)(heap, a);
    keep_copy();
    HEAP(free)(heap, a);
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && is_unchanged());
    EXPECT((tap_fault_object == heap) && (tap_fault_address == a));
}

static void test_free_refuses_what_was_joined_to_its_neighbour(void)
{
    heap_t *const heap = setup(0U);
    void *blocks[4];
    for (size_t i = 0U; i < 4U; i++) {
        blocks[i] = HEAP(alloc)(heap, 40U);
    }
    HEAP(free)(heap, blocks[2]);  // Its stale header says that block 1 in front is in use.
    HEAP(free)(heap, blocks[0]);
    HEAP(free)(heap, blocks[1]);  // Joined on both sides: its own header is now inside block 0.
    keep_copy();
    HEAP(free)(heap, blocks[1]);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    HEAP(free)(heap, blocks[2]);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(is_unchanged());
}

static void test_free_refuses_every_address_that_is_no_block(void)
{
    heap_t *const heap = setup(0U);
    unsigned char *const block = HEAP(alloc)(heap, 100U);
    mete_words_fill(block, 0U, 100U);
    keep_copy();
    for (size_t i = 1U; i < 100U; i++) {
        HEAP(free)(heap, block + i);
        EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && is_unchanged());
    }
    unsigned char *const bytes = (unsigned char *)storage;
    for (size_t i = 0U; i < sizeof(heap_t); i++) {
        HEAP(free)(heap, bytes + i);
        EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && is_unchanged());
    }
    HEAP(free)(heap, bytes + sizeof storage);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    HEAP(free)(heap, &config);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && is_unchanged());
}

#endif

// ---- resize, realloc, alignment

static void test_resize_shrinks_and_grows_where_the_block_stands(void)
{
    heap_t *const heap = setup(0U);
    void *const a = alloc_granules(heap, 10U);
    void *const b = alloc_granules(heap, 10U);
    EXPECT(HEAP(resize)(heap, a, payload_size(4U)) && (in_use(heap) == 14U * GRANULE));
    EXPECT(HEAP(resize)(heap, a, payload_size(10U)) && (in_use(heap) == 20U * GRANULE));
    EXPECT(!HEAP(resize)(heap, a, payload_size(11U)));
    EXPECT(!HEAP(resize)(heap, a, 0U) && !HEAP(resize)(heap, a, SIZE_MAX));
    HEAP(free)(heap, b);
    EXPECT(HEAP(resize)(heap, a, payload_size(25U)) && (free_count(heap) == 1U));
    EXPECT(HEAP(check)(heap) && (tap_take_fault() == 0));
}

static void test_resize_takes_a_whole_neighbour(void)
{
    heap_t *const heap = setup(0U);
    void *const a = alloc_granules(heap, 4U);
    void *const b = alloc_granules(heap, 6U);
    (void)alloc_granules(heap, 4U);
    HEAP(free)(heap, b);
    EXPECT(HEAP(resize)(heap, a, payload_size(10U)) && (free_count(heap) == 1U));
    EXPECT((HEAP(size_of)(heap, a) == payload_size(10U)) && HEAP(check)(heap));
}

static void test_realloc_moves_what_cannot_grow(void)
{
    heap_t *const heap = setup(0U);
    unsigned char *const a = HEAP(alloc)(heap, 50U);
    mete_words_fill(a, 0x5AU, 50U);
    (void)HEAP(alloc)(heap, 50U);
    unsigned char *const moved = HEAP(realloc)(heap, a, 200U);
    EXPECT((moved != NULL) && (moved != a) && (mete_words_scan(moved, 0x5AU, 50U) == 50U));
    EXPECT(HEAP(realloc)(heap, moved, STORAGE_SIZE) == NULL);
    EXPECT(mete_words_scan(moved, 0x5AU, 50U) == 50U);
    EXPECT(HEAP(realloc)(heap, moved, 0U) == NULL);
    EXPECT((HEAP(realloc)(heap, NULL, 8U) != NULL) && HEAP(check)(heap));
}

static void test_every_alignment_is_kept(void)
{
    for (size_t align = 1U; align <= STORAGE_SIZE / 4U; align *= 2U) {
        heap_t *const heap = setup(0U);
        for (size_t size = 1U; size < 40U; size += 13U) {
            void *const block = HEAP(alloc_aligned)(heap, size, align);
            EXPECT((block != NULL) && ((uintptr_t)block % align == 0U) && HEAP(check)(heap));
            EXPECT(HEAP(size_of)(heap, block) <= size + ((size_t)(MIN + 1) * GRANULE));
            HEAP(free)(heap, block);
        }
        EXPECT((in_use(heap) == 0U) && (free_count(heap) == 1U));
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_an_aligned_request_is_no_peak_beyond_its_block(void)
{
    heap_t *const heap = setup(0U);
    (void)HEAP(alloc_aligned)(heap, 20U, 256U);
    const mete_heap_usage_t usage = HEAP(usage)(heap);
    EXPECT(usage.in_use_peak == usage.in_use_size);
}

static void test_a_bad_alignment_is_misuse(void)
{
    heap_t *const heap = setup(0U);
    EXPECT(HEAP(alloc_aligned)(heap, 20U, 0U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
    EXPECT(HEAP(alloc_aligned)(heap, 20U, 24U) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (in_use(heap) == 0U));
}

// ---- regions

static void test_regions_are_used_and_kept_apart(void)
{
    heap_t *const heap = setup_short(4U, 1000U);
    unsigned char *const rest = (unsigned char *)storage + sizeof storage - 1000U;
    const size_t first_size = HEAP(usage)(heap).total_size;
    EXPECT(HEAP(add)(heap, (mete_span_t){rest + 601U, 399U}));
    EXPECT(HEAP(add)(heap, (mete_span_t){rest + 100U, 301U}));
    EXPECT(HEAP(check)(heap) && (free_count(heap) == 3U));
    EXPECT(HEAP(usage)(heap).total_size > first_size + 600U);
    EXPECT(HEAP(usage)(heap).in_use_size == 0U);
    EXPECT(HEAP(owns)(heap, rest + 200U) && HEAP(owns)(heap, rest + 700U));
    EXPECT(!HEAP(owns)(heap, rest + 500U) && !HEAP(owns)(heap, heap));
    void *blocks[3];
    blocks[0] = HEAP(alloc)(heap, first_size - WORD);
    blocks[1] = HEAP(alloc)(heap, 340U);
    blocks[2] = HEAP(alloc)(heap, 260U);
    EXPECT(((unsigned char *)blocks[1] > rest + 600U) &&
           ((unsigned char *)blocks[2] < rest + 500U));
    for (size_t i = 0U; i < 3U; i++) {
        HEAP(free)(heap, blocks[i]);
    }
    EXPECT((free_count(heap) == 3U) && HEAP(check)(heap) && (tap_take_fault() == 0));
}

static void test_add_refuses_what_does_not_fit_and_changes_nothing(void)
{
    heap_t *const heap = setup_short(0U, 1000U);
    unsigned char *const rest = (unsigned char *)storage + sizeof storage - 1000U;
    EXPECT(HEAP(add)(heap, (mete_span_t){rest + 300U, 300U}));
    keep_copy();
    EXPECT(!HEAP(add)(heap, (mete_span_t){rest + 100U, 300U}));  // Reaches into the one added.
    EXPECT(!HEAP(add)(heap, (mete_span_t){rest + 400U, 300U}));  // Begins in it.
    EXPECT(!HEAP(add)(heap, (mete_span_t){rest + 350U, 100U}));
    EXPECT(!HEAP(add)(heap, (mete_span_t){rest - 100U, 150U}));  // Begins in the first.
    EXPECT(!HEAP(add)(heap, (mete_span_t){rest + 700U, 15U}));   // No room for a block.
    EXPECT(!HEAP(add)(heap, (mete_span_t){rest + 700U, SIZE_MAX - 100U}));
    EXPECT(!HEAP(add)(heap, (mete_span_t){NULL, 1000U}));
    EXPECT(is_unchanged() && (tap_take_fault() == 0));
}

static void test_added_regions_may_adjoin(void)
{
    unsigned char *const rest = (unsigned char *)storage + sizeof storage - 1000U;
    for (size_t gap = 0U; gap <= 24U; gap++) {
        heap_t *const heap = setup_short(0U, 1000U + (gap % 8U));
        unsigned char *const first = rest - (gap % 8U) + (gap - (gap % 8U));
        unsigned char *const last = first + 600U;
        EXPECT(HEAP(add)(heap, (mete_span_t){last, 200U}) && HEAP(check)(heap));
        EXPECT(HEAP(add)(heap, (mete_span_t){first, 300U}) && HEAP(check)(heap));
        EXPECT(HEAP(add)(heap, (mete_span_t){first + 300U, 300U}) && HEAP(check)(heap));
        EXPECT(HEAP(owns)(heap, first + 100U) && HEAP(owns)(heap, first + 400U));
        EXPECT(HEAP(owns)(heap, last + 100U));
        EXPECT(HEAP(usage)(heap).free_count == 4U);
    }
}

static void test_no_region_runs_past_the_last_address(void)
{
    heap_t *const heap = setup_short(0U, 1000U);
    unsigned char *const rest = (unsigned char *)storage + sizeof storage - 1000U;
    const size_t too_much = SIZE_MAX - (uintptr_t)rest + 1U;
    keep_copy();
    for (size_t more = 0U; more < 3000U; more += 500U) {
        EXPECT(!HEAP(add)(heap, (mete_span_t){rest, too_much + more}));
    }
    const mete_heap_config_t wrapped = {{(void *)(UINTPTR_MAX - 4000U), 8000U}, 0U, NULL, NULL};
    EXPECT(HEAP(init)(&wrapped) == NULL);
    EXPECT(is_unchanged());
}

// ---- the hook

static unsigned asked_count;
static size_t asked_size;

typedef struct reserve {
    heap_t *heap;
    void *block;
} reserve_t;

static bool release_reserve(void *self, size_t size)
{
    reserve_t *const reserve = self;
    asked_count++;
    asked_size = size;
    HEAP(free)(reserve->heap, reserve->block);
    reserve->block = NULL;
    return true;
}

static void test_the_hook_is_asked_once_and_the_request_tried_again(void)
{
    for (uint32_t search = 0U; search < 3U; search += 2U) {
        heap_t *const heap = setup(search);
        reserve_t reserve = {heap, HEAP(alloc)(heap, 300U)};
        config.on_refusal = release_reserve;
        config.on_refusal_self = &reserve;
        void *const rest = HEAP(alloc)(heap, HEAP(usage)(heap).total_size - in_use(heap) - WORD);
        EXPECT((rest != NULL) && (free_count(heap) == 0U));
        asked_count = 0U;
        EXPECT(HEAP(alloc)(heap, 200U) != NULL);
        EXPECT((asked_count == 1U) && (asked_size == 200U) && (HEAP(usage)(heap).refusals == 0U));
        EXPECT(HEAP(alloc)(heap, 200U) == NULL);  // Nothing is left to give: asked, tried, refused.
        EXPECT((asked_count == 2U) && (HEAP(usage)(heap).refusals == 1U) && HEAP(check)(heap));
    }
}

static void test_the_hook_is_not_asked_for_what_no_heap_can_have(void)
{
    heap_t *const heap = setup(0U);
    reserve_t reserve = {heap, NULL};
    config.on_refusal = release_reserve;
    config.on_refusal_self = &reserve;
    asked_count = 0U;
    EXPECT((HEAP(alloc)(heap, 0U) == NULL) && (HEAP(alloc)(heap, SIZE_MAX) == NULL));
    EXPECT(asked_count == 0U);
}

// ---- walk

typedef struct shown {
    uintptr_t end;
    size_t count, live_count, count_max;
    bool is_ordered;
} shown_t;

static bool show(void *self, const mete_heap_block_t *block)
{
    shown_t *const shown = self;
    shown->is_ordered = shown->is_ordered && ((uintptr_t)block->block > shown->end);
    shown->end = (uintptr_t)block->block + block->size;
    shown->count++;
    shown->live_count += block->is_live ? 1U : 0U;
    return shown->count < shown->count_max;
}

static void test_walk_shows_every_block_in_address_order(void)
{
    heap_t *const heap = setup(0U);
    void *const a = HEAP(alloc)(heap, 30U);
    (void)HEAP(alloc)(heap, 60U);
    HEAP(free)(heap, a);
    shown_t shown = {0U, 0U, 0U, SIZE_MAX, true};
    EXPECT(HEAP(walk)(heap, show, &shown));
    EXPECT((shown.count == 3U) && (shown.live_count == 1U) && shown.is_ordered);
    shown_t stopped = {0U, 0U, 0U, 2U, true};
    EXPECT(!HEAP(walk)(heap, show, &stopped) && (stopped.count == 2U));
}

// ---- the view

static void test_the_view_holds_callers_to_size_and_alignment(void)
{
    heap_t *const heap = setup(0U);
    const mete_alloc_t view = HEAP(as_alloc)(heap);
    void *const block = mete_acquire(view, 100U, 64U);
    EXPECT((block != NULL) && ((uintptr_t)block % 64U == 0U));
    EXPECT(view.ops->owns(view.self, block) && (view.ops->size_of(view.self, block) >= 100U));
#if METE_CHECK_LEVEL >= 1
    mete_release(view, block, 100U + (2U * MIN * GRANULE), 64U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, block, 100U - (2U * MIN * GRANULE), 64U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, block, SIZE_MAX, 64U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    const uintptr_t more = 2U * ((uintptr_t)block & (0U - (uintptr_t)block));
    mete_release(view, block, 100U, more);  // An alignment that it does not have.
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT(!mete_resize(view, block, 300U, 50U, 64U));
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
#endif
    EXPECT(mete_resize(view, block, 100U, 50U, 64U));
    mete_release(view, block, 50U, 64U);
    EXPECT((tap_take_fault() == 0) && (in_use(heap) == 0U) && HEAP(check)(heap));
}

int main(void)
{
    RUN(test_every_size_gets_the_fewest_granules_that_hold_it);
    RUN(test_no_size_wraps_around);
    RUN(test_bins_are_exact_below_eight_and_two_an_octave_above);
    RUN(test_init_refuses_a_broken_config_and_writes_nothing);
    RUN(test_a_heap_lives_in_storage_of_any_alignment);
    RUN(test_the_smallest_storage_holds_a_block);
    RUN(test_size_zero_and_sizes_beyond_every_heap_give_null);
    RUN(test_without_a_search_a_bin_is_taken_where_all_fit);
    RUN(test_without_a_search_the_matching_bin_is_the_last_resort);
    RUN(test_a_search_finds_a_close_fit_in_the_matching_bin);
    RUN(test_a_search_looks_at_no_more_blocks_than_configured);
    RUN(test_a_search_takes_the_lowest_of_the_next_bin);
    RUN(test_with_a_search_small_blocks_come_from_the_end_and_others_from_the_front);
    RUN(test_without_a_search_all_blocks_come_from_the_front);
    RUN(test_freed_neighbours_join_in_every_order);
    RUN(test_free_of_null_does_nothing);
    RUN(test_counters_follow_what_is_in_use);
#if METE_CHECK_LEVEL >= 1
    RUN(test_free_refuses_a_free_block);
    RUN(test_free_refuses_what_was_joined_to_its_neighbour);
    RUN(test_free_refuses_every_address_that_is_no_block);
#else
    tap_skip("test_free_refuses...", "level 0 checks nothing");
#endif
    RUN(test_resize_shrinks_and_grows_where_the_block_stands);
    RUN(test_resize_takes_a_whole_neighbour);
    RUN(test_realloc_moves_what_cannot_grow);
    RUN(test_every_alignment_is_kept);
    RUN(test_an_aligned_request_is_no_peak_beyond_its_block);
    RUN(test_a_bad_alignment_is_misuse);
    RUN(test_regions_are_used_and_kept_apart);
    RUN(test_add_refuses_what_does_not_fit_and_changes_nothing);
    RUN(test_added_regions_may_adjoin);
    RUN(test_no_region_runs_past_the_last_address);
    RUN(test_the_hook_is_asked_once_and_the_request_tried_again);
    RUN(test_the_hook_is_not_asked_for_what_no_heap_can_have);
    RUN(test_walk_shows_every_block_in_address_order);
    RUN(test_the_view_holds_callers_to_size_and_alignment);
    return tap_finish();
}
