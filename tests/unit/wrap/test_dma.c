// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/dma.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

enum { LINE = 32 };

static inner_t inner;
static mete_dma_t dma;
static mete_dma_config_t config;
static mete_alloc_t view;

typedef struct cache {
    size_t cleaned, invalidated;
    const void *start;
    size_t size;
} cache_t;

static cache_t cache;

static void clean(void *self, void *start, size_t size)
{
    cache_t *const c = self;
    c->cleaned++;
    c->start = start;
    c->size = size;
}

static void invalidate(void *self, void *start, size_t size)
{
    cache_t *const c = self;
    c->invalidated++;
    c->start = start;
    c->size = size;
}

static void setup(void)
{
    cache = (cache_t){0U, 0U, NULL, 0U};
    config = (mete_dma_config_t){LINE, clean, invalidate, &cache};
    EXPECT(mete_dma_init(&dma, inner_setup(&inner, INNER_ALL), &config));
    view = mete_dma_as_alloc(&dma);
}

static void test_init_refuses_what_it_cannot_work_with(void)
{
    setup();
    EXPECT(!mete_dma_init(&dma, (mete_alloc_t){NULL, NULL}, &config));
    EXPECT(!mete_dma_init(&dma, view, NULL) && (dma.config == &config));
    mete_dma_config_t wrong = config;
    wrong.line_size = 48U;
    EXPECT(!mete_dma_init(&dma, view, &wrong));
    wrong.line_size = 0U;
    EXPECT(!mete_dma_init(&dma, view, &wrong) && (dma.config == &config));
}

static void test_blocks_start_at_lines_and_fill_them(void)
{
    setup();
    (void)mete_acquire((mete_alloc_t){&inner.ops, &inner}, 3U, 1U);
    uintptr_t before = 0U;
    for (size_t size = 1U; size < 100U; size += 9U) {
        const uintptr_t start = (uintptr_t)mete_acquire(view, size, 1U);
        EXPECT((start != 0U) && mete_align_fits(start, LINE) && (start != before));
        const size_t outer = mete_dma_size_of(&dma, size);
        EXPECT((outer >= size) && (outer < size + LINE) && (outer % LINE == 0U));
        const inner_block_t *const block = inner_find(&inner, (void *)start);
        EXPECT((block != NULL) && (block->size == outer) && (block->align == LINE));
        before = start;
    }
}

static void test_a_larger_alignment_is_kept(void)
{
    setup();
    void *const block = mete_acquire(view, 10U, 128U);
    EXPECT(mete_align_fits((uintptr_t)block, 128U) && (inner_find(&inner, block)->align == 128U));
    mete_release(view, block, 10U, 128U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_release_and_resize_name_what_was_acquired(void)
{
    setup();
    void *const block = mete_acquire(view, 33U, 4U);
    EXPECT(mete_resize(view, block, 33U, 64U, 4U) && (inner_find(&inner, block)->size == 64U));
    EXPECT(mete_resize(view, block, 64U, 65U, 4U) && (inner_find(&inner, block)->size == 96U));
    EXPECT(mete_resize(view, block, 65U, 1U, 4U) && (inner_find(&inner, block)->size == 32U));
    mete_release(view, block, 1U, 4U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_a_size_that_cannot_be_rounded_is_refused(void)
{
    setup();
    EXPECT(mete_dma_size_of(&dma, SIZE_MAX) == 0U);
    EXPECT(mete_dma_size_of(&dma, SIZE_MAX - LINE + 1U) == SIZE_MAX - LINE + 1U);
    for (size_t below = 0U; below < LINE - 1U; below++) {
        EXPECT(mete_acquire(view, SIZE_MAX - below, 1U) == NULL);
    }
    EXPECT(inner.calls == 0U);
    void *const block = mete_acquire(view, 40U, 4U);
    EXPECT(!mete_resize(view, block, 40U, SIZE_MAX, 4U) && (tap_take_fault() == 0));
    EXPECT(!mete_resize(view, block, SIZE_MAX, 40U, 4U));
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && (tap_fault_address == block));
    mete_release(view, block, SIZE_MAX, 4U);
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && (inner.calls == 1U));
}

static void test_clean_and_invalidate_reach_the_hooks(void)
{
    setup();
    unsigned char *const block = mete_acquire(view, 100U, 4U);
    mete_dma_clean(&dma, block, mete_dma_size_of(&dma, 100U));
    EXPECT((cache.cleaned == 1U) && (cache.start == block) && (cache.size == 128U));
    mete_dma_invalidate(&dma, block + LINE, LINE);
    EXPECT((cache.invalidated == 1U) && (cache.start == block + LINE) && (cache.size == LINE));
    EXPECT(tap_take_fault() == 0);
}

static void test_ranges_that_are_not_whole_lines_are_refused(void)
{
    setup();
    unsigned char *const block = mete_acquire(view, 100U, 4U);
    for (size_t offset = 1U; offset < LINE; offset++) {
        mete_dma_clean(&dma, block + offset, LINE);
        EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (tap_fault_address == block + offset));
        mete_dma_invalidate(&dma, block + offset, LINE);
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
        mete_dma_clean(&dma, block, LINE + offset);
        EXPECT((tap_take_fault() == METE_FAULT_SIZE) && (tap_fault_object == &dma));
        mete_dma_invalidate(&dma, block, LINE + offset);
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    }
    mete_dma_clean(&dma, NULL, LINE);
    EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
    mete_dma_invalidate(&dma, block, 0U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT((cache.cleaned == 0U) && (cache.invalidated == 0U));
}

static void test_without_hooks_there_is_nothing_to_do(void)
{
    setup();
    config.clean = NULL;
    config.invalidate = NULL;
    void *const block = mete_acquire(view, LINE, 4U);
    mete_dma_clean(&dma, block, LINE);
    mete_dma_invalidate(&dma, block, LINE);
    EXPECT((tap_take_fault() == 0) && (cache.cleaned + cache.invalidated == 0U));
}

METE_DMA_DEFINE(descriptors, 33, 64);

static void test_a_defined_array_has_its_lines_to_itself(void)
{
    EXPECT((sizeof descriptors == 64U) && mete_align_fits((uintptr_t)descriptors, 64U));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_dma_init(&dma, inner_setup(&inner, abilities), &config));
        inner_expect_same_abilities(mete_dma_as_alloc(&dma), abilities);
    }
}

int main(void)
{
    RUN(test_init_refuses_what_it_cannot_work_with);
    RUN(test_blocks_start_at_lines_and_fill_them);
    RUN(test_a_larger_alignment_is_kept);
    RUN(test_release_and_resize_name_what_was_acquired);
    RUN(test_a_size_that_cannot_be_rounded_is_refused);
    RUN(test_clean_and_invalidate_reach_the_hooks);
    RUN(test_ranges_that_are_not_whole_lines_are_refused);
    RUN(test_without_hooks_there_is_nothing_to_do);
    RUN(test_a_defined_array_has_its_lines_to_itself);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    return tap_finish();
}
