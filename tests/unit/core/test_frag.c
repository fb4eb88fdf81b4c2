// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The interval is held against the true fragmentation of free lists made up at random, in integers:
// with L the largest block, the true value in permille is 1000 * (T - L) / T.

#include "mete/core/frag.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

typedef struct free_list {
    uint64_t sum, square_sum, largest;
} free_list_t;

static void add(free_list_t *list, uint64_t size)
{
    list->sum += size;
    list->square_sum += size * size;
    list->largest = (size > list->largest) ? size : list->largest;
}

// Both ends lie where the true value allows it.
static bool contains_the_truth(const free_list_t *list)
{
    const mete_frag_t frag = mete_frag_of(list->sum, list->square_sum);
    const uint64_t truth = 1000U * (list->sum - list->largest);  // Times the sum.
    return (frag.low_permille <= frag.high_permille) && (frag.high_permille <= 1000U) &&
           (frag.low_permille * list->sum <= truth) && (truth <= frag.high_permille * list->sum);
}

// Neither end is farther out than rounding makes it: less than two permille, from sum 1000 on.
static bool is_tight(const free_list_t *list)
{
    const mete_frag_t frag = mete_frag_of(list->sum, list->square_sum);
    const uint64_t sum_square = list->sum * list->sum;
    const uint64_t inner_root = (1000U - frag.low_permille - 2U) * list->sum;
    return ((frag.low_permille >= 998U) ||
            (inner_root * inner_root < 1000000U * list->square_sum)) &&
           ((frag.high_permille < 2U) ||
            ((frag.high_permille - 2U) * sum_square < 1000U * (sum_square - list->square_sum)));
}

static void test_root_is_rounded_up(void)
{
    for (uint64_t root = 1U; root < 2000U; root++) {
        const uint64_t square = root * root;
        EXPECT(mete_frag_root_up(square) == root);
        EXPECT(mete_frag_root_up(square + 1U) == root + 1U);
        EXPECT(mete_frag_root_up(square - 1U) == ((root == 1U) ? 0U : root));
    }
}

static void test_division_is_exact_for_numbers_of_every_size(void)
{
    uint32_t seed = 0x2545F491U;
    for (unsigned bits = 1U; bits < 64U; bits++) {
        for (unsigned by_bits = 1U; by_bits < 32U; by_bits++) {
            const uint64_t wide = ((uint64_t)random_next(&seed) << 32) | random_next(&seed);
            const uint64_t value = wide >> (64U - bits);
            const uint64_t by = (random_next(&seed) >> (32U - by_bits)) | 1U;
            EXPECT(mete_frag_divide(value, by) == value / by);
        }
    }
    EXPECT(mete_frag_divide(UINT32_MAX, 1U) == UINT32_MAX);
    EXPECT(mete_frag_divide(UINT32_MAX + (uint64_t)1U, 1U) == UINT32_MAX + (uint64_t)1U);
    EXPECT(mete_frag_divide(UINT64_MAX, INT32_MAX) == UINT64_MAX / INT32_MAX);
}

static void test_root_of_large_numbers(void)
{
    for (unsigned bit = 11U; bit < 32U; bit++) {
        const uint64_t root = ((uint64_t)1U << bit) - 1U;
        EXPECT(mete_frag_root_up(root * root) == root);
        EXPECT(mete_frag_root_up(root * root + 1U) == root + 1U);
        EXPECT(mete_frag_root_up(root * root - 1U) == root);
    }
    EXPECT(mete_frag_root_up(UINT64_MAX) == (uint64_t)1U << 32);
}

static void test_no_free_memory_reads_as_zero(void)
{
    const mete_frag_t frag = mete_frag_of(0U, 0U);
    EXPECT((frag.low_permille == 0U) && (frag.high_permille == 0U));
}

static void test_one_block_reads_as_zero(void)
{
    for (uint64_t sum = 1U; sum < (uint64_t)1U << 31; sum = (sum * 3U) + 1U) {
        const mete_frag_t frag = mete_frag_of(sum, sum * sum);
        EXPECT((frag.low_permille == 0U) && (frag.high_permille == 0U));
    }
}

static void test_equal_blocks_meet_the_upper_end_exactly(void)
{
    // n blocks of s: the largest is 1/n of all, and so is Q / T^2. The root is 1/sqrt(n).
    for (uint64_t root = 1U; root <= 31U; root++) {
        const uint64_t n = root * root;
        const mete_frag_t frag = mete_frag_of(n * 1000U, n * 1000U * 1000U);
        EXPECT(frag.high_permille == 1000U - (1000U / n));
        EXPECT(frag.low_permille == 1000U - ((1000U + root - 1U) / root));
    }
}

// The root of 999^2 + 2^2 is 1000, rounded up, and 1000 - 1000 * 1000 / 1001 is 0.999.
static void test_the_lower_end_is_rounded_down(void)
{
    EXPECT(mete_frag_of(1001U, 999U * 999U + 4U).low_permille == 0U);
    EXPECT(mete_frag_of(1000U, 999U * 999U - 2U).low_permille == 1U);
}

static void test_one_large_block_among_small_ones(void)
{
    free_list_t list = {0U, 0U, 0U};
    add(&list, 9000U);
    for (size_t i = 0U; i < 1000U; i++) {
        add(&list, 1U);
    }
    EXPECT(contains_the_truth(&list) && is_tight(&list));  // Truth: 100 permille.
}

static void test_random_free_lists_lie_in_the_interval(void)
{
    uint32_t random = 0x51ED270BU;
    for (size_t round = 0U; round < 2000U; round++) {
        free_list_t list = {0U, 0U, 0U};
        const size_t count = 1U + random_below(&random, 40U);
        const unsigned shift = random_below(&random, 16U);
        for (size_t i = 0U; i < count; i++) {
            add(&list, 1U + (random_below(&random, 16384U) >> random_below(&random, shift + 1U)));
        }
        EXPECT(contains_the_truth(&list));
        EXPECT((list.sum < 1000U) || is_tight(&list));
    }
}

static void test_small_lists_lie_in_the_interval_exhaustively(void)
{
    for (uint64_t a = 1U; a < 16U; a++) {
        for (uint64_t b = 0U; b <= a; b++) {
            for (uint64_t c = 0U; c <= b; c++) {
                free_list_t list = {0U, 0U, 0U};
                add(&list, a);
                add(&list, b);
                add(&list, c);
                EXPECT(contains_the_truth(&list));
            }
        }
    }
}

static void test_the_largest_sums_do_not_overflow(void)
{
    const uint64_t sum = ((uint64_t)1U << 31) - 1U;
    const mete_frag_t worst = mete_frag_of(sum, sum);  // Nothing but blocks of 1.
    EXPECT((worst.low_permille == 999U) && (worst.high_permille == 1000U));
    const mete_frag_t half = mete_frag_of(sum - 1U, ((sum - 1U) / 2U) * ((sum - 1U) / 2U) * 2U);
    EXPECT((half.high_permille == 500U) && (half.low_permille == 292U));
}

int main(void)
{
    RUN(test_root_is_rounded_up);
    RUN(test_division_is_exact_for_numbers_of_every_size);
    RUN(test_root_of_large_numbers);
    RUN(test_no_free_memory_reads_as_zero);
    RUN(test_one_block_reads_as_zero);
    RUN(test_equal_blocks_meet_the_upper_end_exactly);
    RUN(test_the_lower_end_is_rounded_down);
    RUN(test_one_large_block_among_small_ones);
    RUN(test_random_free_lists_lie_in_the_interval);
    RUN(test_small_lists_lie_in_the_interval_exhaustively);
    RUN(test_the_largest_sums_do_not_overflow);
    return tap_finish();
}
