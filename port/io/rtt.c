// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/io/rtt.h"

#include "mete/core/words.h"

#include <stdbool.h>

enum { MODE_BITS = 3 };  // Of the flags; the others are the host's.

_Static_assert(offsetof(mete_rtt_t, up) == 24U, "the host expects the rings here");
_Static_assert(sizeof(mete_rtt_ring_t) == 2U * sizeof(void *) + 16U, "the host expects no padding");

// What was written before must be in memory before what is written after: the host watches.
static void publish(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// Letter by letter and from its end: so it stands nowhere else in memory, where the host might find it.
static void write_id(volatile char *id)
{
    static const char reversed[16] = "\0\0\0\0\0\0TTR REGGES";
    for (size_t i = sizeof reversed; i != 0U; i--) {
        id[i - 1U] = reversed[sizeof reversed - i];
    }
}

static void init_ring(mete_rtt_ring_t *ring, const mete_rtt_ring_config_t *config)
{
    ring->name = config->name;
    ring->bytes = config->bytes;
    ring->size = config->size;
    ring->write = 0U;
    ring->read = 0U;
    ring->flags = config->mode;
}

void mete_rtt_init(mete_rtt_t *rtt, const mete_rtt_config_t *config)
{
    rtt->id[0] = '\0';
    publish();
    rtt->up_count = METE_RTT_UP_COUNT;
    rtt->down_count = METE_RTT_DOWN_COUNT;
    for (size_t i = 0U; i < METE_RTT_UP_COUNT; i++) {
        init_ring(&rtt->up[i], &config->up[i]);
    }
    for (size_t i = 0U; i < METE_RTT_DOWN_COUNT; i++) {
        init_ring(&rtt->down[i], &config->down[i]);
    }
    publish();
    write_id(rtt->id);
}

static uint32_t least(uint32_t a, size_t b)
{
    return (a < b) ? a : (uint32_t)b;
}

// Both indices lie in the ring. The host writes one of them, and a stray write can reach either.
static bool is_sound(const mete_rtt_ring_t *ring)
{
    return (ring->write < ring->size) && (ring->read < ring->size);
}

static uint32_t filled(const mete_rtt_ring_t *ring)
{
    const uint32_t write = ring->write;
    const uint32_t read = ring->read;
    return (write >= read) ? write - read : ring->size - read + write;
}

// Puts in what there is room for: up to the end of the ring, then from its start.
static size_t put(mete_rtt_ring_t *ring, const unsigned char *bytes, size_t size)
{
    if (!is_sound(ring)) {
        return 0U;
    }
    const uint32_t count = least(ring->size - 1U - filled(ring), size);
    const uint32_t start = ring->write;
    const uint32_t first = least(ring->size - start, count);
    mete_words_copy(ring->bytes + start, bytes, first);
    mete_words_copy(ring->bytes, bytes + first, count - first);
    publish();
    ring->write = (start + count < ring->size) ? start + count : start + count - ring->size;
    return count;
}

static size_t put_patiently(mete_rtt_ring_t *ring, const unsigned char *bytes, size_t size)
{
    size_t done = 0U;
    for (uint32_t polls = 0U; (done < size) && (polls < METE_RTT_POLL_COUNT_MAX); polls++) {
        const size_t count = put(ring, bytes + done, size - done);
        done += count;
        polls = (count == 0U) ? polls : 0U;
    }
    return done;
}

size_t mete_rtt_write(void *self, const void *bytes, size_t size)
{
    mete_rtt_ring_t *const ring = self;
    if (!is_sound(ring)) {
        return 0U;
    }
    switch (ring->flags & MODE_BITS) {
    case METE_RTT_BLOCK:
        return put_patiently(ring, bytes, size);
    case METE_RTT_TRIM:
        return put(ring, bytes, size);
    default:
        return (size <= ring->size - 1U - filled(ring)) ? put(ring, bytes, size) : 0U;
    }
}

size_t mete_rtt_read(mete_rtt_ring_t *ring, void *bytes, size_t size)
{
    if (!is_sound(ring)) {
        return 0U;
    }
    unsigned char *const target = bytes;
    const uint32_t count = least(filled(ring), size);
    const uint32_t start = ring->read;
    const uint32_t first = least(ring->size - start, count);
    mete_words_copy(target, ring->bytes + start, first);
    mete_words_copy(target + first, ring->bytes, count - first);
    publish();
    ring->read = (start + count < ring->size) ? start + count : start + count - ring->size;
    return count;
}
