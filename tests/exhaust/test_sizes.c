// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every class of sizes at its edges, powers of two, and sizes at a stride. tools/dev/exhaust takes them all.

#include "tests/exhaust/sizes.h"
#include "tests/support/tap.h"

enum { STRIDE = 99991 };

static bool is_right_around(const sizes_subject_t *subject, size_t size)
{
    bool is_good = true;
    for (size_t i = 0U; i < 5U; i++) {
        is_good = is_good && subject->is_right(size - 2U + i);
    }
    return is_good;
}

static void expect_right(const sizes_subject_t *subject)
{
    for (size_t i = 0U; subject->edge(i) != 0U; i++) {
        EXPECT(is_right_around(subject, subject->edge(i)));
    }
    for (size_t power = 1U; power != 0U; power *= 2U) {
        EXPECT(is_right_around(subject, power));
        EXPECT(is_right_around(subject, SIZE_MAX - power));
    }
    bool is_good = true;
    for (uint32_t size = 0U; size < UINT32_MAX - STRIDE; size += STRIDE) {
        is_good = is_good && subject->is_right(size);
    }
    EXPECT(is_good);
}

static void test_sizes_of_the_narrow_heap(void)
{
    expect_right(&sizes_heap);
}

static void test_sizes_of_the_wide_heap(void)
{
    expect_right(&sizes_heap_wide);
}

static void test_sizes_of_the_buddy(void)
{
    expect_right(&sizes_buddy);
}

static void test_sizes_of_a_tier(void)
{
    expect_right(&sizes_tier);
}

int main(void)
{
    RUN(test_sizes_of_the_narrow_heap);
    RUN(test_sizes_of_the_wide_heap);
    RUN(test_sizes_of_the_buddy);
    RUN(test_sizes_of_a_tier);
    return tap_finish();
}
