// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A difference goes out seven bits at a time, lowest first, in bytes of which all but the last have the top bit set; the sign is its lowest bit.

#include "examples/qemu/sensor/batch.h"

enum { GROUP = 7, MORE = 0x80 };

static void add(batch_sum_t *sum, int32_t value)
{
    sum->last[sum->count % CHANNEL_COUNT] = value;
    sum->count++;
    sum->crc = mete_crc32(sum->crc, &value, sizeof value);
}

void batch_begin(batch_sum_t *sum)
{
    for (size_t i = 0U; i < CHANNEL_COUNT; i++) {
        sum->last[i] = 0;
    }
}

size_t batch_write(batch_sum_t *sum, unsigned char *to, int32_t value)
{
    const int32_t change = value - sum->last[sum->count % CHANNEL_COUNT];
    uint32_t rest = (change < 0) ? (2U * (uint32_t)-change) - 1U : 2U * (uint32_t)change;
    size_t size = 0U;
    while (rest >= MORE) {
        to[size] = (unsigned char)(rest | MORE);
        rest >>= GROUP;
        size++;
    }
    to[size] = (unsigned char)rest;
    add(sum, value);
    return size + 1U;
}

bool batch_read(batch_sum_t *sum, const unsigned char *from, size_t size)
{
    uint32_t rest = 0U;
    unsigned shift = 0U;
    batch_begin(sum);
    for (size_t i = 0U; i < size; i++) {
        rest |= (uint32_t)(from[i] & (MORE - 1U)) << shift;
        shift = (from[i] >= MORE) ? (shift + GROUP) % (READING_SIZE_MAX * GROUP) : 0U;
        if (from[i] < MORE) {
            const int32_t half = (int32_t)((rest + 1U) / 2U);
            add(sum, sum->last[sum->count % CHANNEL_COUNT] + (((rest & 1U) != 0U) ? -half : half));
            rest = 0U;
        }
    }
    return (shift == 0U) && (sum->count % CHANNEL_COUNT == 0U);
}
