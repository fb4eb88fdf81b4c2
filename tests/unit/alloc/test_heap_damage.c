// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap, damaged: this file includes heap.c itself, so that it can spoil headers and links on purpose,
// and expects to be told. test_heap_wide_damage.c includes this file for the wide heap.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.c"
#endif

#include "tests/support/tap.h"
#include "tests/unit/alloc/heap_alone.h"

// ---- What calls see

#if METE_CHECK_LEVEL >= 1
// Spoils one half and expects `call` to refuse with CORRUPT and to change nothing.
static void expect_refusal(half_t *spoiled, half_t value, void (*call)(heap_t *heap, void *block),
                           heap_t *heap, void *block)
{
    const half_t right = *spoiled;
    *spoiled = value;
    keep_copy();
    call(heap, block);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && is_unchanged());
    *spoiled = right;
}

static void call_free(heap_t *heap, void *block)
{
    HEAP(free)(heap, block);
}

static void call_resize(heap_t *heap, void *block)
{
    EXPECT(!HEAP(resize)(heap, block, 8U));
}

static void call_alloc(heap_t *heap, void *block)
{
    (void)block;
    EXPECT(HEAP(alloc)(heap, payload_size(6U)) == NULL);
}

// A block in use between two free ones, and more in use around these.
static block_t *setup_between_free(heap_t *heap, block_t **front, block_t **back)
{
    (void)alloc_granules(heap, 5U);
    *front = alloc_granules(heap, 6U);
    block_t *const block = alloc_granules(heap, 7U);
    *back = alloc_granules(heap, 9U);
    (void)alloc_granules(heap, 5U);
    HEAP(free)(heap, *front);
    HEAP(free)(heap, *back);
    return block;
}

static void test_free_and_resize_see_damaged_neighbours(void)
{
    heap_t *const heap = setup(0U);
    block_t *front = NULL;
    block_t *back = NULL;
    block_t *const block = setup_between_free(heap, &front, &back);
    half_t *const halves[] = {&header(back)->size, &header(back)->before, &back->next, &back->back};
    for (size_t i = 0U; i < 4U; i++) {
        expect_refusal(halves[i], (half_t)(*halves[i] ^ 4U), call_free, heap, block);
        expect_refusal(halves[i], (half_t)(*halves[i] ^ 4U), call_resize, heap, block);
    }
    expect_refusal(&front->next, (half_t)(front->next ^ 4U), call_free, heap, block);
    expect_refusal(&front->back, (half_t)(front->back ^ 4U), call_free, heap, block);
    expect_refusal(&header(front)->size, 5U, call_free, heap, block);
    // Links that would lead out of the heap are not followed.
    expect_refusal(&front->next, heap->last, call_free, heap, block);
    expect_refusal(&back->back, (half_t)-1, call_free, heap, block);
    EXPECT(HEAP(check)(heap));
    HEAP(free)(heap, block);
    EXPECT((tap_take_fault() == 0) && HEAP(check)(heap));
}

// A size of 0 leads a block to itself: nothing in its own header may then confirm it.
static void test_the_first_block_does_not_vouch_for_itself(void)
{
    heap_t *const heap = setup(0U);
    block_t *const first = alloc_granules(heap, 5U);
    expect_refusal(&header(first)->size, (half_t)USED, call_free, heap, first);
    expect_refusal(&header(first)->size, (half_t)USED, call_resize, heap, first);
    EXPECT(HEAP(check)(heap));
}

// Not even a refusal goes unexplained if damage may have caused it.
static void test_a_refusal_sees_a_bin_that_is_not_marked(void)
{
    heap_t *const heap = setup(0U);
    (void)alloc_granules(heap, 5U);
    const map_t right = heap->map;
    heap->map = right & ~bit_of(bin_of(header(at(heap, FIRST + (5U * STEP)))->size));
    EXPECT(HEAP(alloc)(heap, 40U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    heap->map = right;
    EXPECT((HEAP(alloc)(heap, 40U) != NULL) && HEAP(check)(heap));
}

static void test_free_sees_damaged_neighbours_in_use(void)
{
    heap_t *const heap = setup(0U);
    block_t *const front = alloc_granules(heap, 5U);
    block_t *const block = alloc_granules(heap, 6U);
    block_t *const back = alloc_granules(heap, 7U);
    (void)alloc_granules(heap, 5U);
    expect_refusal(&header(front)->size, (half_t)(4U | USED), call_free, heap, block);
    expect_refusal(&header(back)->size, (half_t)(6U | USED), call_free, heap, block);
    HEAP(free)(heap, block);
    EXPECT((tap_take_fault() == 0) && HEAP(check)(heap));
}

static void test_alloc_sees_a_damaged_free_block(void)
{
    for (uint32_t search = 0U; search < 3U; search += 2U) {
        heap_t *const heap = setup(search);
        block_t *front = NULL;
        block_t *back = NULL;
        (void)setup_between_free(heap, &front, &back);
        block_t *const sentinel = at(heap, bin_of(6U));
        expect_refusal(&front->back, (half_t)(front->back ^ 4U), call_alloc, heap, NULL);
        expect_refusal(&front->next, (half_t)(front->next ^ 4U), call_alloc, heap, NULL);
        expect_refusal(&header(front)->size, (half_t)-1, call_alloc, heap, NULL);
        expect_refusal(&sentinel->next, heap->last, call_alloc, heap, NULL);
        half_t *const behind_before = &header(behind(front, 6U))->before;
        expect_refusal(behind_before, 7U, call_alloc, heap, NULL);
        EXPECT(HEAP(check)(heap));
    }
}

static void test_alloc_sees_a_damaged_head(void)
{
    heap_t *const heap = setup(0U);
    block_t *front = NULL;
    block_t *back = NULL;
    (void)setup_between_free(heap, &front, &back);
    block_t *const sentinel = at(heap, bin_of(6U));
    expect_refusal(&sentinel->next, (half_t)(sentinel->next ^ 4U), call_alloc, heap, NULL);
    expect_refusal(&sentinel->next, (half_t)bin_of(6U), call_alloc, heap, NULL);
    // The bin says that it has a block and has none: its sentinel looks like one.
    heap->map |= bit_of(bin_of(7U));
    keep_copy();
    EXPECT(alloc_granules(heap, 7U) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && is_unchanged());
}
#endif

// ---- What check and walk see

static bool go_on(void *self, const mete_heap_block_t *block)
{
    (void)self, (void)block;
    return true;
}

static void test_check_and_walk_see_a_header_that_leads_astray(void)
{
    heap_t *const heap = setup(0U);
    block_t *const block = HEAP(alloc)(heap, 40U);
    const half_t right = header(block)->size;
    header(block)->size = (half_t)USED;  // No size: would not lead on.
    EXPECT(!HEAP(check)(heap) && !HEAP(walk)(heap, go_on, NULL));
    header(block)->size = (half_t)-1;  // Leads out of the region.
    EXPECT(!HEAP(check)(heap) && !HEAP(walk)(heap, go_on, NULL));
    header(block)->size = (half_t)(right + 1U);  // Leads into the next payload.
    EXPECT(!HEAP(check)(heap));
}

static void test_check_sees_every_kind_of_damage(void)
{
    heap_t *const heap = setup(0U);
    block_t *const block = HEAP(alloc)(heap, 40U);
    (void)HEAP(alloc)(heap, 40U);
    HEAP(free)(heap, block);
    half_t *const halves[] = {&header(block)->size,
                              &header(block)->before,
                              &block->next,
                              &block->back,
                              &at(heap, bin_of(header(block)->size))->next,
                              &at(heap, bin_of(header(block)->size))->back,
                              &at(heap, 3U)->next};
    for (size_t i = 0U; i < sizeof halves / sizeof halves[0]; i++) {
        const half_t right = *halves[i];
        *halves[i] = (half_t)(right ^ 2U);
        EXPECT(!HEAP(check)(heap));
        *halves[i] = right;
    }
    heap->map ^= bit_of(3U);
    EXPECT(!HEAP(check)(heap));
    heap->map ^= bit_of(3U);
    heap->slack++;
    EXPECT(!HEAP(check)(heap));
    heap->slack--;
    heap->free_squares++;
    EXPECT(!HEAP(check)(heap));
    heap->free_squares--;
    EXPECT(HEAP(check)(heap));
}

static void test_check_sees_two_free_neighbours(void)
{
    heap_t *const heap = setup(0U);
    block_t *const a = alloc_granules(heap, 5U);
    block_t *const b = alloc_granules(heap, 6U);
    (void)alloc_granules(heap, 5U);
    HEAP(free)(heap, a);
    // As if b had been freed without being joined to a.
    OPEN_BOOKS(heap);
    attach(books, b, (uint32_t)index_of(heap, b), 6U, 6U);
    books->slack += SLACK(6U, 1U);
    CLOSE_BOOKS(books);
    EXPECT(!HEAP(check)(heap));
}

int main(void)
{
#if METE_CHECK_LEVEL >= 1
    RUN(test_free_and_resize_see_damaged_neighbours);
    RUN(test_the_first_block_does_not_vouch_for_itself);
    RUN(test_a_refusal_sees_a_bin_that_is_not_marked);
    RUN(test_free_sees_damaged_neighbours_in_use);
    RUN(test_alloc_sees_a_damaged_free_block);
    RUN(test_alloc_sees_a_damaged_head);
#else
    tap_skip("test_free_and_resize_see...", "level 0 checks nothing");
#endif
    RUN(test_check_and_walk_see_a_header_that_leads_astray);
    RUN(test_check_sees_every_kind_of_damage);
    RUN(test_check_sees_two_free_neighbours);
    return tap_finish();
}
