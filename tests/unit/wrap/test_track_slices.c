// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A walk in slices, while blocks come and go between them.

#include "mete/wrap/track.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static inner_t inner;
static mete_track_t track;
static mete_track_cursor_t cursor;
static mete_track_block_t block;
static void *held[INNER_BLOCK_COUNT];

static void trace_one(void *self, const void **frames, size_t count)
{
    (void)self;
    frames[0] = (const void *)(uintptr_t)(0x1001U + (16U * track.sequence));
    frames[count - 1U] = NULL;
}

static const mete_track_config_t plain = {.site = NULL};
static const mete_track_config_t traced = {.trace = trace_one, .frame_count = 2U};

static mete_alloc_t setup(const mete_track_config_t *config, size_t count)
{
    EXPECT(mete_track_init(&track, inner_setup(&inner, INNER_ALL), config));
    const mete_alloc_t view = mete_track_as_alloc(&track);
    for (size_t i = 0U; i < count; i++) {
        held[i] = mete_acquire(view, 10U + i, 8U);
        EXPECT(held[i] != NULL);
    }
    return view;
}

static bool next_is(size_t index)
{
    return (mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_FOUND) &&
           (block.block == held[index]) && (block.size == 10U + index);
}

static void test_a_slice_shows_one_block_after_the_other(void)
{
    (void)setup(&plain, 3U);
    EXPECT(mete_track_init_cursor(&cursor, &track, NULL, NULL));
    EXPECT(next_is(2U) && next_is(1U) && !cursor.total.is_sound && next_is(0U));
    EXPECT(mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_END);
    EXPECT((cursor.total.count == 3U) && (cursor.total.size == 33U) && cursor.total.is_sound);
    EXPECT(mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_END);
    EXPECT((track.cursor == NULL) && (track.mode == 0U));
}

static void test_a_slice_passes_over_no_more_than_it_is_told_to(void)
{
    (void)setup(&plain, 9U);
    const mete_track_filter_t none = {.age_min = 1U};
    EXPECT(mete_track_init_cursor(&cursor, &track, &none, NULL));
    EXPECT(mete_track_read_next(&cursor, 0U, &block) == METE_TRACK_PASSED);
    EXPECT(mete_track_read_next(&cursor, 4U, &block) == METE_TRACK_PASSED);
    EXPECT(cursor.next == &record_of(held[4])->link);
    EXPECT(mete_track_read_next(&cursor, 5U, &block) == METE_TRACK_PASSED);
    EXPECT(mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_END);
    EXPECT((cursor.total.count == 0U) && cursor.total.is_sound);
}

static void test_there_is_one_cursor_at_a_time(void)
{
    static mete_track_cursor_t other;
    (void)setup(&plain, 1U);
    EXPECT(mete_track_init_cursor(&cursor, &track, NULL, NULL));
    other.track = &track;
    EXPECT(!mete_track_init_cursor(&other, &track, NULL, NULL) && (track.cursor == &cursor));
    mete_track_remove_cursor(&other);  // Not that of another.
    EXPECT(track.cursor == &cursor);
    mete_track_remove_cursor(&cursor);
    mete_track_remove_cursor(&cursor);
    EXPECT((track.cursor == NULL) && mete_track_init_cursor(&other, &track, NULL, NULL));
    EXPECT(mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_DAMAGED);  // It did not see all.
    mete_track_remove_cursor(&other);
}

static void test_a_release_moves_the_cursor_on(void)
{
    const mete_alloc_t view = setup(&plain, 6U);
    EXPECT(mete_track_init_cursor(&cursor, &track, NULL, NULL) && next_is(5U));
    mete_release(view, held[4], 14U, 8U);  // The next.
    mete_release(view, held[3], 13U, 8U);  // And the one after.
    mete_release(view, held[5], 15U, 8U);  // The one before.
    EXPECT(next_is(2U));
    void *const late = mete_acquire(view, 30U, 8U);
    EXPECT((late != NULL) && next_is(1U));
    (void)mete_track_suspect(&track, NULL);
    mete_release(view, held[0], 10U, 8U);  // The last, which is a suspect by now.
    EXPECT(mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_END);
    EXPECT((cursor.total.count == 3U) && mete_track_check(&track) && (tap_take_fault() == 0));
}

static void test_frames_that_are_copied_outlast_their_block(void)
{
    const void *frames[2];
    const mete_alloc_t view = setup(&traced, 2U);
    EXPECT(mete_track_init_cursor(&cursor, &track, NULL, frames) && next_is(1U));
    mete_release(view, held[1], 11U, 8U);
    mete_words_fill(inner_arena, 0U, sizeof(void *));
    EXPECT((block.frames == frames) && (block.frame_count == 1U));
    EXPECT((uintptr_t)block.frames[0] == 0x1021U);
    mete_track_remove_cursor(&cursor);
}

static void test_a_slice_sees_every_bit_that_is_verified(void)
{
    (void)setup(&plain, 3U);
    record_t *const record = record_of(held[1]);
    for (size_t bit = 0U; bit < 8U * sizeof(record_t); bit++) {
        const size_t at = bit / 8U;
        if ((at >= sizeof(link_t)) && (at < offsetof(record_t, size))) {
            continue;
        }
        unsigned char *const byte = (unsigned char *)record + at;
        *byte ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(mete_track_init_cursor(&cursor, &track, NULL, NULL));
        mete_track_step_t step = METE_TRACK_FOUND;
        for (size_t i = 0U; (i < 4U) && (step == METE_TRACK_FOUND); i++) {
            step = mete_track_read_next(&cursor, 1U, &block);
        }
        EXPECT((step == METE_TRACK_DAMAGED) && !cursor.total.is_sound && (track.cursor == NULL));
        *byte ^= (unsigned char)(1U << (bit % 8U));
    }
    EXPECT(mete_track_check(&track));
}

// Blocks come and go at random between slices. Each that is there all along is shown once, none that came
// later, and none that was gone.
static void test_random_work_between_slices(void)
{
    uint32_t seed = 0x2545F491U;
    for (size_t round = 0U; round < 300U; round++) {
        const mete_alloc_t view = setup(&plain, 12U);
        static size_t shown[INNER_BLOCK_COUNT];
        static bool is_gone[INNER_BLOCK_COUNT];
        mete_words_fill(shown, 0U, sizeof shown);
        mete_words_fill(is_gone, 0U, sizeof is_gone);
        EXPECT(mete_track_init_cursor(&cursor, &track, NULL, NULL));
        void *late[2] = {NULL, NULL};
        while (mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_FOUND) {
            const size_t index = block.size - 10U;
            EXPECT((index < 12U) && (block.block == held[index]) && !is_gone[index]);
            shown[index % INNER_BLOCK_COUNT]++;
            const size_t victim = random_below(&seed, 12U);
            if (!is_gone[victim]) {
                mete_release(view, held[victim], 10U + victim, 8U);
                is_gone[victim] = true;
            }
            void **const other = &late[random_below(&seed, 2U)];
            mete_release(view, *other, 60U, 8U);
            *other = mete_acquire(view, 60U, 8U);
        }
        EXPECT(cursor.total.is_sound && mete_track_check(&track) && (tap_take_fault() == 0));
        for (size_t i = 0U; i < 12U; i++) {
            EXPECT((shown[i] == 1U) || ((shown[i] == 0U) && is_gone[i]));
        }
    }
}

int main(void)
{
    RUN(test_a_slice_shows_one_block_after_the_other);
    RUN(test_a_slice_passes_over_no_more_than_it_is_told_to);
    RUN(test_there_is_one_cursor_at_a_time);
    RUN(test_a_release_moves_the_cursor_on);
    RUN(test_frames_that_are_copied_outlast_their_block);
    RUN(test_a_slice_sees_every_bit_that_is_verified);
    RUN(test_random_work_between_slices);
    return tap_finish();
}
