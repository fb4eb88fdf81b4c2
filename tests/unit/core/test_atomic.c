// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic operations by one caller: that they do what they say.

#include "mete/core/atomic.h"

#include "tests/support/tap.h"

static size_t word;

static void test_load_gives_what_was_stored(void)
{
    mete_atomic_store_relaxed(&word, 7U);
    EXPECT((word == 7U) && (mete_atomic_load_relaxed(&word) == 7U));
    mete_atomic_store_release(&word, SIZE_MAX);
    EXPECT(mete_atomic_load_acquire(&word) == SIZE_MAX);
}

static void expect_replaces(bool (*replace)(size_t *word, size_t from, size_t to))
{
    word = 3U;
    EXPECT(replace(&word, 3U, SIZE_MAX) && (word == SIZE_MAX));
    EXPECT(!replace(&word, 3U, 5U) && (word == SIZE_MAX));
    EXPECT(!replace(&word, SIZE_MAX / 2U, 5U) && (word == SIZE_MAX));
    EXPECT(replace(&word, SIZE_MAX, SIZE_MAX) && (word == SIZE_MAX));
}

static void test_replace_needs_the_whole_word_as_expected(void)
{
    expect_replaces(mete_atomic_replace_relaxed);
    expect_replaces(mete_atomic_replace_release);
}

static void expect_adds(size_t (*add)(size_t *word, size_t value))
{
    word = SIZE_MAX - 1U;
    EXPECT(add(&word, 1U) == SIZE_MAX);
    EXPECT(add(&word, 1U) == 0U);
    EXPECT((add(&word, SIZE_MAX) == SIZE_MAX) && (word == SIZE_MAX));
}

static void test_add_returns_the_sum_and_wraps(void)
{
    expect_adds(mete_atomic_add_relaxed);
}

static void test_waits_grow_up_to_256_pauses_or_stay_none(void)
{
    size_t pauses = 0U;
    mete_atomic_wait(&pauses);
    EXPECT(pauses == METE_ATOMIC_PAUSE_FIRST);
    for (size_t i = 0U; i < 10U; i++) {
        mete_atomic_wait(&pauses);
    }
    EXPECT(pauses == ((METE_ATOMIC_PAUSE_FIRST != 0U) ? 256U : 0U));
}

int main(void)
{
    RUN(test_load_gives_what_was_stored);
    RUN(test_replace_needs_the_whole_word_as_expected);
    RUN(test_add_returns_the_sum_and_wraps);
    RUN(test_waits_grow_up_to_256_pauses_or_stay_none);
    return tap_finish();
}
