// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/align.h"

#include "tests/support/tap.h"

enum { SIZE_BITS = 8 * (int)sizeof(size_t) };

static void test_only_powers_of_two_are_legal(void)
{
    for (size_t align = 0U; align <= 4096U; align++) {
        size_t bit_count = 0U;
        for (size_t bit = 0U; bit < 13U; bit++) {
            bit_count += (align >> bit) & 1U;
        }
        EXPECT(mete_align_is_legal(align) == (bit_count == 1U));
    }
    for (size_t bit = 1U; bit < SIZE_BITS; bit++) {
        EXPECT(mete_align_is_legal((size_t)1U << bit));
        EXPECT(!mete_align_is_legal(((size_t)1U << bit) | 1U));
    }
    EXPECT(!mete_align_is_legal(SIZE_MAX));
}

static void test_up_and_down_agree_with_division(void)
{
    for (size_t align = 1U; align <= 64U; align *= 2U) {
        for (uintptr_t value = 0U; value < 300U; value++) {
            EXPECT(mete_align_down(value, align) == value / align * align);
            EXPECT(mete_align_up(value, align) == (value + align - 1U) / align * align);
            EXPECT(mete_align_fits(value, align) == (value % align == 0U));
        }
    }
}

static void test_up_wraps_to_zero_past_the_top(void)
{
    const size_t half = (size_t)1U << (SIZE_BITS - 1);
    EXPECT(mete_align_up(UINTPTR_MAX, 1U) == UINTPTR_MAX);
    EXPECT(mete_align_up(UINTPTR_MAX, 8U) == 0U);
    EXPECT((mete_align_up(half, half) == half) && (mete_align_up(half + 1U, half) == 0U));
    EXPECT(mete_align_down(UINTPTR_MAX, half) == half);
    EXPECT(mete_align_fits(half, half) && !mete_align_fits(half / 2U, half));
}

int main(void)
{
    RUN(test_only_powers_of_two_are_legal);
    RUN(test_up_and_down_agree_with_division);
    RUN(test_up_wraps_to_zero_past_the_top);
    return tap_finish();
}
