// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/crc.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

static void test_known_values(void)
{
    // The check value of the catalogue of CRC algorithms, and others that zlib gives.
    EXPECT(mete_crc32(0U, "123456789", 9U) == 0xCBF43926U);
    EXPECT(mete_crc32(0U, "a", 1U) == 0xE8B7BE43U);
    EXPECT(mete_crc32(0U, "\0\0\0\0", 4U) == 0x2144DF1CU);
}

static void test_nothing_changes_nothing(void)
{
    EXPECT(mete_crc32(0U, NULL, 0U) == 0U);
    EXPECT(mete_crc32(0xCBF43926U, NULL, 0U) == 0xCBF43926U);
}

static void test_parts_give_the_crc_of_the_whole(void)
{
    for (size_t cut = 0U; cut <= 9U; cut++) {
        const uint32_t front = mete_crc32(0U, "123456789", cut);
        EXPECT(mete_crc32(front, &"123456789"[cut], 9U - cut) == 0xCBF43926U);
    }
}

// Bit by bit, as the standard defines it.
static uint32_t slow_crc(const unsigned char *bytes, size_t size)
{
    uint32_t rest = 0xFFFFFFFFU;
    for (size_t i = 0U; i < 8U * size; i++) {
        const uint32_t bit = ((uint32_t)bytes[i / 8U] >> (i % 8U)) & 1U;
        rest = (rest >> 1) ^ ((((rest ^ bit) & 1U) != 0U) ? 0xEDB88320U : 0U);
    }
    return ~rest;
}

static void test_agrees_with_the_definition(void)
{
    uint32_t seed = 7U;
    unsigned char bytes[61];
    for (size_t round = 0U; round < 200U; round++) {
        const size_t size = random_below(&seed, sizeof bytes + 1U);
        for (size_t i = 0U; i < size; i++) {
            bytes[i] = (unsigned char)random_below(&seed, 256U);
        }
        EXPECT(mete_crc32(0U, bytes, size) == slow_crc(bytes, size));
    }
}

int main(void)
{
    RUN(test_known_values);
    RUN(test_nothing_changes_nothing);
    RUN(test_parts_give_the_crc_of_the_whole);
    RUN(test_agrees_with_the_definition);
    return tap_finish();
}
