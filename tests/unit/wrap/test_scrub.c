// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/scrub.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

enum { SECRET = 0x5A, AROUND = 0x33 };

static inner_t inner;
static mete_scrub_t scrub;
static mete_alloc_t view;

static void setup(uint8_t pattern)
{
    mete_words_fill(inner_arena, AROUND, INNER_SIZE);
    EXPECT(mete_scrub_init(&scrub, inner_setup(&inner, INNER_ALL), pattern));
    view = mete_scrub_as_alloc(&scrub);
}

static unsigned char *take(size_t size, size_t align)
{
    unsigned char *const block = mete_acquire(view, size, align);
    EXPECT(block != NULL);
    mete_words_fill(block, SECRET, size);
    return block;
}

static bool is_filled(const unsigned char *start, uint8_t byte, size_t size)
{
    return mete_words_scan(start, byte, size) == size;
}

static void test_init_refuses_a_missing_allocator(void)
{
    setup(7U);
    EXPECT(!mete_scrub_init(&scrub, (mete_alloc_t){NULL, NULL}, 1U) && (scrub.pattern == 7U));
}

static void test_a_released_block_is_wiped_and_nothing_beside_it(void)
{
    for (size_t size = 1U; size < 40U; size++) {
        setup((size % 2U == 0U) ? 0U : 0xEEU);
        (void)take(3U, 1U);
        unsigned char *const block = take(size, 1U);
        const unsigned char *const behind = take(5U, 1U);
        mete_release(view, block, size, 1U);
        EXPECT(is_filled(block, scrub.pattern, size) && is_filled(block - 3, SECRET, 3U));
        EXPECT(is_filled(behind, SECRET, 5U) && (inner.complaints == 0U));
        EXPECT(inner_live_count(&inner) == 2U);
    }
}

static bool was_wiped;

static void watching_release(void *self, void *block, size_t size, size_t align)
{
    was_wiped = is_filled(block, 0U, size);
    inner_release(self, block, size, align);
}

static void test_it_is_wiped_before_the_allocator_has_it_back(void)
{
    setup(0U);
    inner.ops.release = watching_release;
    mete_release(view, take(33U, 8U), 33U, 8U);
    EXPECT(was_wiped);
}

static void test_a_block_does_not_shrink_in_place(void)
{
    setup(0U);
    unsigned char *const block = take(60U, 8U);
    EXPECT(!mete_resize(view, block, 60U, 59U, 8U) && !mete_resize(view, block, 60U, 1U, 8U));
    EXPECT(is_filled(block, SECRET, 60U) && (inner.complaints == 0U));
    mete_release(view, block, 60U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_realloc_to_less_moves_and_wipes_all_of_the_old_block(void)
{
    setup(0U);
    unsigned char *const block = take(60U, 8U);
    unsigned char *const less = mete_realloc(view, block, 60U, 20U, 8U);
    EXPECT((less != NULL) && (less != block) && is_filled(less, SECRET, 20U));
    EXPECT(is_filled(block, 0U, 60U) && (inner.complaints == 0U));
}

static void test_a_block_grows_in_place(void)
{
    setup(0U);
    unsigned char *const block = take(60U, 8U);
    EXPECT(mete_resize(view, block, 60U, 60U, 8U) && mete_resize(view, block, 60U, 90U, 8U));
    EXPECT(is_filled(block, SECRET, 60U));
    EXPECT(!mete_resize(view, block, 90U, SIZE_MAX, 8U));
    mete_release(view, block, 90U, 8U);
    EXPECT(is_filled(block, 0U, 90U) && (inner.complaints == 0U));
}

static void test_what_the_allocator_behind_does_not_hold_is_not_wiped(void)
{
    setup(0U);
    unsigned char *const block = take(60U, 8U);
    const unsigned char *const other = take(60U, 8U);
    mete_release(view, block, 61U, 8U);
    mete_release(view, block, 60U, 4U);
    mete_release(view, block + 8, 40U, 8U);
    EXPECT((inner.complaints == 3U) && is_filled(block, SECRET, 60U));
    mete_release(view, block, 60U, 8U);
    unsigned char *const again = take(60U, 1U);
    EXPECT(again == block);
    mete_release(view, block, 60U, 8U);
    EXPECT((inner.complaints == 4U) && is_filled(block, SECRET, 60U));
    EXPECT(is_filled(other, SECRET, 60U));
    static unsigned char elsewhere[60];  // Nothing of it is ours to write to.
    mete_words_fill(elsewhere, SECRET, sizeof elsewhere);
    mete_release(view, elsewhere, sizeof elsewhere, 8U);
    EXPECT((inner.complaints == 5U) && is_filled(elsewhere, SECRET, sizeof elsewhere));
}

static void test_a_shrink_of_what_is_not_held_is_reported(void)
{
    setup(0U);
    unsigned char *const block = take(60U, 8U);
    EXPECT(!mete_resize(view, block + 1, 60U, 20U, 8U) && (inner.complaints == 1U));
    EXPECT(is_filled(block, SECRET, 60U));
}

static void test_an_allocator_without_resize_is_not_asked(void)
{
    EXPECT(mete_scrub_init(&scrub, inner_setup(&inner, 0U), 0U));
    view = mete_scrub_as_alloc(&scrub);
    unsigned char *const block = take(60U, 8U);
    mete_release(view, block, 60U, 8U);
    EXPECT(is_filled(block, 0U, 60U) && (inner_live_count(&inner) == 0U));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_scrub_init(&scrub, inner_setup(&inner, abilities), 0U));
        view = mete_scrub_as_alloc(&scrub);
        const unsigned char *const block = take(40U, 8U);
        EXPECT((view.ops->resize != NULL) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->owns != NULL) == ((abilities & INNER_OWNS) != 0U));
        EXPECT((view.ops->owns == NULL) || view.ops->owns(view.self, block));
        EXPECT((view.ops->size_of != NULL) == ((abilities & INNER_SIZE_OF) != 0U));
        EXPECT((view.ops->size_of == NULL) || (view.ops->size_of(view.self, block) == 40U));
    }
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator);
    RUN(test_a_released_block_is_wiped_and_nothing_beside_it);
    RUN(test_it_is_wiped_before_the_allocator_has_it_back);
    RUN(test_a_block_does_not_shrink_in_place);
    RUN(test_realloc_to_less_moves_and_wipes_all_of_the_old_block);
    RUN(test_a_block_grows_in_place);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_what_the_allocator_behind_does_not_hold_is_not_wiped);
    }
    RUN(test_a_shrink_of_what_is_not_held_is_reported);
    RUN(test_an_allocator_without_resize_is_not_asked);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    return tap_finish();
}
