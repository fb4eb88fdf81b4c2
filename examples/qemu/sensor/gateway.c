// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/qemu/sensor/gateway.h"

#include "mete/core/words.h"

enum {
    HOUR_MS = 3600 * 1000,
    DAY_HOURS = 24,
    OFF_FROM = 2,
    OFF_UNTIL = 10,
    PACKET_LOSS = 16,  // One packet in so many is lost,
    ANSWER_LOSS = 24   // and one acknowledgement.
};

gateway_t gateway;
static uint32_t chance;

void gateway_init(void)
{
    gateway = (gateway_t){.batch_count = 0U};
    chance = 1U;
}

bool gateway_is_on(uint32_t now_ms)
{
    const uint32_t hour = now_ms / HOUR_MS % DAY_HOURS;
    return (hour < OFF_FROM) || (hour >= OFF_UNTIL);
}

// One in so many (Marsaglia, Xorshift RNGs, 2003).
static bool happens(uint32_t one_in)
{
    chance ^= chance << 13;
    chance ^= chance >> 17;
    chance ^= chance << 5;
    return chance % one_in == 0U;
}

// True if it is known now, be it that it was before.
static bool accept(mete_netbuf_t *packet)
{
    static unsigned char bytes[BATCH_SIZE_MAX];
    batch_header_t header;
    const size_t had = mete_netbuf_read(packet, 0U, &header, sizeof header);
    if ((had != sizeof header) || !mete_netbuf_pull(packet, sizeof header)) {
        return false;
    }
    const size_t size = mete_netbuf_read(packet, 0U, bytes, sizeof bytes);
    if ((size != header.size) || (size != mete_netbuf_length(packet)) ||
        (mete_crc32(0U, bytes, size) != header.crc) || (header.number > gateway.batch_count)) {
        return false;
    }
    if (header.number < gateway.batch_count) {
        gateway.repeated_count++;
        return true;
    }
    gateway.batch_count++;
    return batch_read(&gateway.sum, bytes, size);
}

bool gateway_receive(mete_netbuf_t *packet)
{
    gateway.air_count++;
    const bool is_lost = happens(PACKET_LOSS);
    gateway.lost_count += is_lost ? 1U : 0U;
    const bool is_right = !is_lost && accept(packet);
    gateway.wrong_count += (is_lost || is_right) ? 0U : 1U;
    mete_netbuf_drop(packet);
    const bool is_answered = is_right && !happens(ANSWER_LOSS);
    gateway.unacknowledged_count += (is_right && !is_answered) ? 1U : 0U;
    return is_answered;
}
