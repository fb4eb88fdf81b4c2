// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/stride.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

static size_t index_of(uintptr_t offset, size_t size)
{
    const size_t rotation = mete_stride_rotation(size);
    return mete_stride_index(offset, mete_stride_inverse(size >> rotation), rotation);
}

static void test_index_is_below_the_count_exactly_for_starts_of_elements(void)
{
    // All sizes to 64, 16 elements, and every offset near: against the division.
    for (size_t size = 1U; size <= 64U; size++) {
        size_t wrong_count = 0U;
        for (size_t step = 0U; step < 2U * 4096U; step++) {
            const uintptr_t offset = step - 4096U;  // Below the first element as well.
            const size_t index = index_of(offset, size);
            const bool is_start = (offset < 16U * size) && (offset % size == 0U);
            wrong_count +=
                ((index < 16U) != is_start) || (is_start && (index != offset / size)) ? 1U : 0U;
        }
        EXPECT(wrong_count == 0U);
    }
}

static void test_index_is_right_for_large_sizes(void)
{
    uint32_t random = 0x9E3779B9U;
    for (size_t step = 0U; step < 2000U; step++) {
        const size_t odd = ((size_t)random_next(&random) >> random_below(&random, 31U)) | 1U;
        const size_t shifted = odd << random_below(&random, 4U);
        const size_t size = (shifted != 0U) ? shifted : odd;
        const size_t count = (SIZE_MAX / size < 60000U) ? SIZE_MAX / size : 60000U;
        const size_t index = random_next(&random) % count;
        EXPECT(index_of(index * size, size) == index);
        const uintptr_t inside = 1U + (random_next(&random) % size);
        EXPECT((inside >= size) || (index_of((index * size) + inside, size) >= count));
    }
}

static void test_inverse_of_odd_numbers(void)
{
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 2000U; step++) {
        const uintptr_t odd = random_next(&random) | 1U;
        EXPECT((uintptr_t)(odd * mete_stride_inverse(odd)) == 1U);
    }
    EXPECT(mete_stride_inverse(1U) == 1U);
    EXPECT(mete_stride_inverse(UINTPTR_MAX) == UINTPTR_MAX);
}

static void test_rotation_of_every_power(void)
{
    for (size_t shift = 0U; shift < METE_STRIDE_WORD_BITS; shift++) {
        EXPECT(mete_stride_rotation((size_t)1U << shift) == shift);
        EXPECT(mete_stride_rotation(SIZE_MAX << shift) == shift);
    }
}

int main(void)
{
    RUN(test_index_is_below_the_count_exactly_for_starts_of_elements);
    RUN(test_index_is_right_for_large_sizes);
    RUN(test_inverse_of_odd_numbers);
    RUN(test_rotation_of_every_power);
    return tap_finish();
}
