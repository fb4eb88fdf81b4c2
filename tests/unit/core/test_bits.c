// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/bits.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

// One bit at a time: slow and plain.
static unsigned leading_zeros(uint32_t value)
{
    unsigned count = 0U;
    while ((value & 0x80000000U) == 0U) {
        value <<= 1;
        count++;
    }
    return count;
}

static unsigned trailing_zeros(uint32_t value)
{
    unsigned count = 0U;
    while ((value & 1U) == 0U) {
        value >>= 1;
        count++;
    }
    return count;
}

static bool agrees(uint32_t value)
{
    const unsigned leading = leading_zeros(value);
    const unsigned trailing = trailing_zeros(value);
    return (mete_bits_clz(value) == leading) && (mete_bits_clz_portable(value) == leading) &&
           (mete_bits_ctz(value) == trailing) && (mete_bits_ctz_portable(value) == trailing);
}

static void test_both_forms_agree_for_every_power_and_its_neighbours(void)
{
    for (unsigned bit = 0U; bit < 32U; bit++) {
        const uint32_t power = (uint32_t)1U << bit;
        EXPECT(mete_bits_clz(power) == 31U - bit);
        EXPECT(mete_bits_ctz(power) == bit);
        EXPECT(agrees(power) && agrees(power | 1U) && agrees(power | 0x80000000U));
        EXPECT((power == 1U) || agrees(power - 1U));
        EXPECT(agrees(UINT32_MAX << bit) && agrees(UINT32_MAX >> bit));
    }
}

static void test_both_forms_agree_for_every_pair_of_bits(void)
{
    for (unsigned high = 0U; high < 32U; high++) {
        for (unsigned low = 0U; low <= high; low++) {
            EXPECT(agrees(((uint32_t)1U << high) | ((uint32_t)1U << low)));
        }
    }
}

static void test_both_forms_agree_for_random_values(void)
{
    uint32_t random = 0xBADC0DEU;
    for (unsigned step = 0U; step < 5000U; step++) {
        const uint32_t value = random_next(&random) >> random_below(&random, 32U);
        EXPECT((value == 0U) || agrees(value));
    }
}

static void test_leading_zeros_of_64_bits(void)
{
    for (unsigned bit = 0U; bit < 64U; bit++) {
        const uint64_t power = (uint64_t)1U << bit;
        EXPECT(mete_bits_clz64(power) == 63U - bit);
        EXPECT(mete_bits_clz64(power | 1U) == 63U - bit);
        EXPECT((bit == 0U) || (mete_bits_clz64(power - 1U) == 64U - bit));
    }
}

int main(void)
{
    RUN(test_both_forms_agree_for_every_power_and_its_neighbours);
    RUN(test_both_forms_agree_for_every_pair_of_bits);
    RUN(test_both_forms_agree_for_random_values);
    RUN(test_leading_zeros_of_64_bits);
    return tap_finish();
}
