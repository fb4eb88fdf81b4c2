// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/bitmap.h"

#include "tests/support/tap.h"

enum { COUNT = 97 };  // Ends inside a word.

static void test_word_count_covers_every_number(void)
{
    for (size_t count = 0U; count < 200U; count++) {
        const size_t words = METE_BITMAP_WORD_COUNT(count);
        EXPECT((words * 32U >= count) && (words * 32U < count + 32U));
    }
}

static void test_adding_and_removing_touch_one_number_only(void)
{
    for (size_t number = 0U; number < COUNT; number++) {
        uint32_t empty[METE_BITMAP_WORD_COUNT(COUNT)] = {0U};
        uint32_t full[METE_BITMAP_WORD_COUNT(COUNT)];
        for (size_t i = 0U; i < METE_BITMAP_WORD_COUNT(COUNT); i++) {
            full[i] = UINT32_MAX;
        }
        mete_bitmap_add(empty, number);
        mete_bitmap_remove(full, number);
        for (size_t other = 0U; other < COUNT; other++) {
            EXPECT(mete_bitmap_has(empty, other) == (other == number));
            EXPECT(mete_bitmap_has(full, other) == (other != number));
        }
    }
}

static void test_adding_and_removing_twice_changes_nothing(void)
{
    uint32_t words[1] = {0U};
    mete_bitmap_add(words, 31U);
    mete_bitmap_add(words, 31U);
    EXPECT(words[0] == 0x80000000U);
    mete_bitmap_remove(words, 31U);
    mete_bitmap_remove(words, 31U);
    EXPECT(words[0] == 0U);
}

static void test_numbers_in_one_word_are_added_and_removed_apart(void)
{
    uint32_t words[2] = {0U, 0U};
    mete_bitmap_add(words, 33U);
    mete_bitmap_add(words, 40U);
    EXPECT((words[0] == 0U) && (words[1] == 0x102U));
    mete_bitmap_remove(words, 33U);
    EXPECT((words[0] == 0U) && (words[1] == 0x100U));
}

int main(void)
{
    RUN(test_word_count_covers_every_number);
    RUN(test_adding_and_removing_touch_one_number_only);
    RUN(test_adding_and_removing_twice_changes_nothing);
    RUN(test_numbers_in_one_word_are_added_and_removed_apart);
    return tap_finish();
}
