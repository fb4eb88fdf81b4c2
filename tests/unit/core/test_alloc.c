// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the inline functions of the interface filter, before an allocator sees it: a stand-in records
// every call that comes through.

#include "mete/core/alloc.h"

#include "tests/support/tap.h"

typedef struct stand_in {
    unsigned char blocks[2][64] __attribute__((aligned(16)));
    size_t acquire_count, release_count, resize_count;
    size_t size, align, old_size;
    void *released;
    bool is_full, can_resize;
} stand_in_t;

static void *acquire(void *self, size_t size, size_t align)
{
    stand_in_t *const it = (stand_in_t *)self;
    it->size = size;
    it->align = align;
    if (it->is_full || (size > sizeof it->blocks[0])) {
        return NULL;
    }
    it->acquire_count++;
    return it->blocks[(it->acquire_count - 1U) % 2U];
}

static void release(void *self, void *block, size_t size, size_t align)
{
    stand_in_t *const it = (stand_in_t *)self;
    it->release_count++;
    it->released = block;
    it->size = size;
    it->align = align;
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    stand_in_t *const it = (stand_in_t *)self;
    (void)block;
    it->resize_count++;
    it->old_size = old_size;
    it->size = new_size;
    it->align = align;
    return it->can_resize;
}

static const mete_alloc_ops_t ops = {acquire, release, resize, NULL, NULL};
static const mete_alloc_ops_t fixed_ops = {acquire, release, NULL, NULL, NULL};

static stand_in_t it;

static mete_alloc_t fresh(const mete_alloc_ops_t *which)
{
    const stand_in_t *const end = &it + 1;
    mete_words_fill(&it, 0U, (size_t)((const unsigned char *)end - (const unsigned char *)&it));
    mete_words_fill(it.blocks, 0xEEU, sizeof it.blocks);
    const mete_alloc_t alloc = {which, &it};
    return alloc;
}

static size_t call_count(void)
{
    return it.acquire_count + it.release_count + it.resize_count;
}

static void test_size_zero_acquires_nothing(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    EXPECT(mete_acquire(alloc, 0U, 8U) == NULL);
    EXPECT(mete_acquire_zeroed(alloc, 0U, 8U) == NULL);
    EXPECT(mete_acquire_array(alloc, 0U, 8U, 8U) == NULL);
    EXPECT(mete_acquire_array(alloc, 8U, 0U, 8U) == NULL);
    EXPECT((call_count() == 0U) && (tap_take_fault() == 0));
}

static void test_a_bad_alignment_is_misuse_everywhere(void)
{
    const size_t bad[] = {0U, 3U, 24U, SIZE_MAX};
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        const mete_alloc_t alloc = fresh(&ops);
        it.can_resize = true;
        EXPECT(mete_acquire(alloc, 8U, bad[i]) == NULL);
        EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (tap_fault_object == &it));
        mete_release(alloc, it.blocks[0], 8U, bad[i]);
        EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (tap_fault_address == it.blocks[0]));
        EXPECT(!mete_resize(alloc, it.blocks[0], 8U, 9U, bad[i]));
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
        EXPECT(mete_realloc(alloc, it.blocks[0], 8U, 9U, bad[i]) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
        EXPECT(mete_acquire_zeroed(alloc, 8U, bad[i]) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
        EXPECT(mete_acquire_array(alloc, 2U, 8U, bad[i]) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
        EXPECT(call_count() == 0U);
    }
}

static void test_acquire_and_release_pass_on_what_is_legal(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    void *const block = mete_acquire(alloc, 5U, 16U);
    EXPECT((block == it.blocks[0]) && (it.size == 5U) && (it.align == 16U));
    mete_release(alloc, block, 7U, 4U);
    EXPECT((it.released == block) && (it.size == 7U) && (it.align == 4U));
}

static void test_null_is_not_released_nor_resized(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    it.can_resize = true;
    mete_release(alloc, NULL, 8U, 8U);
    EXPECT(!mete_resize(alloc, NULL, 8U, 16U, 8U));
    EXPECT((call_count() == 0U) && (tap_take_fault() == 0));
}

static void test_resize_needs_an_operation_and_a_size(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    it.can_resize = true;
    EXPECT(!mete_resize(alloc, it.blocks[0], 8U, 0U, 8U) && (it.resize_count == 0U));
    EXPECT(mete_resize(alloc, it.blocks[0], 8U, 12U, 4U));
    EXPECT((it.old_size == 8U) && (it.size == 12U) && (it.align == 4U));
    it.can_resize = false;
    EXPECT(!mete_resize(alloc, it.blocks[0], 8U, 12U, 4U));
    const mete_alloc_t fixed = fresh(&fixed_ops);
    EXPECT(!mete_resize(fixed, it.blocks[0], 8U, 12U, 4U) && (call_count() == 0U));
}

static void test_realloc_in_place_keeps_the_block(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    it.can_resize = true;
    EXPECT(mete_realloc(alloc, it.blocks[0], 8U, 40U, 8U) == it.blocks[0]);
    EXPECT((it.acquire_count == 0U) && (it.release_count == 0U));
}

static void test_realloc_moves_what_fits_and_keeps_the_alignment(void)
{
    const mete_alloc_t alloc = fresh(&fixed_ops);
    unsigned char *const block = (unsigned char *)mete_acquire(alloc, 10U, 16U);
    mete_words_fill(block, 0x11U, 10U);
    unsigned char *const grown = (unsigned char *)mete_realloc(alloc, block, 10U, 20U, 16U);
    EXPECT((grown == it.blocks[1]) && (mete_words_scan(grown, 0x11U, 20U) == 10U));
    EXPECT((it.released == block) && (it.size == 10U) && (it.align == 16U));
    mete_words_fill(block, 0xEEU, 10U);
    unsigned char *const shrunk = (unsigned char *)mete_realloc(alloc, grown, 20U, 4U, 16U);
    EXPECT((shrunk == block) && (mete_words_scan(shrunk, 0x11U, 20U) == 4U));
    EXPECT((it.released == grown) && (it.size == 20U) && (it.align == 16U));
}

static void test_realloc_that_fails_leaves_the_block(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    void *const block = mete_acquire(alloc, 10U, 8U);
    it.is_full = true;
    EXPECT(mete_realloc(alloc, block, 10U, 20U, 8U) == NULL);
    EXPECT(it.release_count == 0U);
}

static void test_realloc_to_zero_releases_and_of_null_acquires(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    void *const block = mete_realloc(alloc, NULL, 0U, 12U, 4U);
    EXPECT((block == it.blocks[0]) && (it.size == 12U) && (it.release_count == 0U));
    EXPECT(mete_realloc(alloc, block, 12U, 0U, 4U) == NULL);
    EXPECT((it.released == block) && (it.size == 12U) && (it.acquire_count == 1U));
    EXPECT((mete_realloc(alloc, NULL, 0U, 0U, 4U) == NULL) && (it.release_count == 1U));
}

static void test_zeroed_clears_the_size_and_no_more(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    const unsigned char *const block = (const unsigned char *)mete_acquire_zeroed(alloc, 13U, 1U);
    EXPECT((block == it.blocks[0]) && (mete_words_scan(block, 0U, 64U) == 13U));
    it.is_full = true;
    EXPECT(mete_acquire_zeroed(alloc, 13U, 1U) == NULL);
}

static void test_array_refuses_what_overflows(void)
{
    const mete_alloc_t alloc = fresh(&ops);
    EXPECT((mete_acquire_array(alloc, 5U, 6U, 2U) == it.blocks[0]) && (it.size == 30U));
    EXPECT(mete_acquire_array(alloc, SIZE_MAX, 2U, 8U) == NULL);
    EXPECT(mete_acquire_array(alloc, (SIZE_MAX / 4U) + 1U, 4U, 8U) == NULL);  // Wraps to 0.
    EXPECT(mete_acquire_array(alloc, (SIZE_MAX / 4U) + 2U, 4U, 8U) == NULL);  // Wraps to 4.
    EXPECT((it.acquire_count == 1U) && (it.size == 30U));
    EXPECT(mete_acquire_array(alloc, SIZE_MAX / 2U, 2U, 8U) == NULL);
    EXPECT(it.size == SIZE_MAX - 1U);  // No overflow: it is for the allocator to refuse.
    EXPECT(tap_take_fault() == 0);
}

int main(void)
{
    RUN(test_size_zero_acquires_nothing);
    RUN(test_a_bad_alignment_is_misuse_everywhere);
    RUN(test_acquire_and_release_pass_on_what_is_legal);
    RUN(test_null_is_not_released_nor_resized);
    RUN(test_resize_needs_an_operation_and_a_size);
    RUN(test_realloc_in_place_keeps_the_block);
    RUN(test_realloc_moves_what_fits_and_keeps_the_alignment);
    RUN(test_realloc_that_fails_leaves_the_block);
    RUN(test_realloc_to_zero_releases_and_of_null_acquires);
    RUN(test_zeroed_clears_the_size_and_no_more);
    RUN(test_array_refuses_what_overflows);
    return tap_finish();
}
