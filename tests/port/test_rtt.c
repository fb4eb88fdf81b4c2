// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

#include "port/io/rtt.c"

enum { UP_SIZE = 7, DOWN_SIZE = 5 };

static mete_rtt_t rtt;
static char up_bytes[UP_SIZE + 1];  // One more, to see that nobody writes there.
static char down_bytes[DOWN_SIZE];
static const char up_name[] = "Up";
static const char down_name[] = "Down";

static mete_rtt_ring_t *fresh(mete_rtt_mode_t mode)
{
    const mete_rtt_config_t config = {
        .up = {{.name = up_name, .bytes = up_bytes, .size = UP_SIZE, .mode = mode}},
        .down = {{.name = down_name, .bytes = down_bytes, .size = DOWN_SIZE}},
    };
    for (size_t i = 0U; i <= UP_SIZE; i++) {
        up_bytes[i] = '.';
    }
    mete_rtt_init(&rtt, &config);
    return &rtt.up[0];
}

static bool holds(const char *expected)
{
    for (size_t i = 0U; i <= UP_SIZE; i++) {
        if (up_bytes[i] != expected[i]) {
            return false;
        }
    }
    return true;
}

// What a probe would find: built byte by byte from SEGGER's description, least significant first.
static unsigned char image[sizeof(mete_rtt_t) + 16U];
static size_t image_size;

static void append(uintptr_t value, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        image[image_size] = (unsigned char)(value >> (8U * i));
        image_size++;
    }
}

static void append_ring(const char *name, const char *bytes, uint32_t size, uint32_t flags)
{
    append((uintptr_t)name, sizeof name);
    append((uintptr_t)bytes, sizeof bytes);
    append(size, 4U);
    append(0U, 4U);  // write
    append(0U, 4U);  // read
    append(flags, 4U);
}

static void test_the_control_block_is_seggers_byte_for_byte(void)
{
    (void)fresh(METE_RTT_TRIM);
    image_size = 0U;
    for (const char *letter = "SEGGER RTT"; *letter != '\0'; letter++) {
        append((unsigned char)*letter, 1U);
    }
    append(0U, 6U);
    append(2U, 4U);
    append(1U, 4U);
    append_ring(up_name, up_bytes, UP_SIZE, 1U);
    append_ring(NULL, NULL, 0U, 0U);
    append_ring(down_name, down_bytes, DOWN_SIZE, 0U);
    EXPECT(image_size == sizeof rtt);
    EXPECT(sizeof rtt == 24U + 3U * (16U + 2U * sizeof(void *)));
    const unsigned char *const block = (const unsigned char *)&rtt;
    for (size_t i = 0U; i < sizeof rtt; i++) {
        EXPECT(block[i] == image[i]);
    }
}

static void test_bytes_come_to_lie_in_order(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_SKIP);
    EXPECT(mete_rtt_write(ring, "abc", 3U) == 3U);
    EXPECT(ring->write == 3U);
    EXPECT(ring->read == 0U);
    EXPECT(holds("abc....."));
}

static void test_one_byte_of_a_full_ring_stays_empty(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_SKIP);
    EXPECT(mete_rtt_write(ring, "abcdef", 6U) == 6U);
    EXPECT(ring->write == 6U);
    EXPECT(mete_rtt_write(ring, "g", 1U) == 0U);
    EXPECT(holds("abcdef.."));
}

static void test_a_write_wraps_around_the_end(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_SKIP);
    EXPECT(mete_rtt_write(ring, "abcde", 5U) == 5U);
    ring->read = 4U;
    EXPECT(mete_rtt_write(ring, "fghi", 4U) == 4U);
    EXPECT(ring->write == 2U);
    EXPECT(holds("hicdefg."));
}

static void test_a_write_that_ends_at_the_end_starts_anew_at_0(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_SKIP);
    EXPECT(mete_rtt_write(ring, "abcd", 4U) == 4U);
    ring->read = 4U;
    EXPECT(mete_rtt_write(ring, "efg", 3U) == 3U);
    EXPECT(ring->write == 0U);
    EXPECT(holds("abcdefg."));
}

static void test_every_position_and_length_round_trips(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_SKIP);
    for (uint32_t start = 0U; start < UP_SIZE; start++) {
        for (uint32_t length = 0U; length < UP_SIZE; length++) {
            char back[UP_SIZE] = {0};
            ring->write = start;
            ring->read = start;
            EXPECT(mete_rtt_write(ring, "uvwxyz", length) == length);
            EXPECT(mete_rtt_read(ring, back, sizeof back) == length);
            for (size_t i = 0U; i < length; i++) {
                EXPECT(back[i] == "uvwxyz"[i]);
            }
            EXPECT(ring->read == ring->write);
        }
    }
    EXPECT(up_bytes[UP_SIZE] == '.');
}

static void test_skip_takes_all_or_nothing(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_SKIP);
    EXPECT(mete_rtt_write(ring, "abcd", 4U) == 4U);
    EXPECT(mete_rtt_write(ring, "efg", 3U) == 0U);
    EXPECT(ring->write == 4U);
    EXPECT(holds("abcd...."));
}

static void test_trim_takes_what_fits(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_TRIM);
    EXPECT(mete_rtt_write(ring, "abcd", 4U) == 4U);
    EXPECT(mete_rtt_write(ring, "efg", 3U) == 2U);
    EXPECT(ring->write == 6U);
    EXPECT(holds("abcdef.."));
}

static void test_block_gives_up_if_nobody_reads(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_BLOCK);
    EXPECT(mete_rtt_write(ring, "abcdefgh", 8U) == 6U);
    EXPECT(holds("abcdef.."));
}

static void test_the_host_may_change_the_mode(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_SKIP);
    ring->flags = METE_RTT_TRIM;
    EXPECT(mete_rtt_write(ring, "abcdefgh", 8U) == 6U);
    ring->flags = 4U | METE_RTT_TRIM;  // Only two bits are the mode.
    ring->read = 3U;
    EXPECT(mete_rtt_write(ring, "abcdefgh", 8U) == 3U);
}

static void test_an_unused_or_damaged_ring_takes_nothing(void)
{
    mete_rtt_ring_t *const ring = fresh(METE_RTT_TRIM);
    EXPECT(mete_rtt_write(&rtt.up[1], "a", 1U) == 0U);
    ring->read = UP_SIZE;
    EXPECT(mete_rtt_write(ring, "a", 1U) == 0U);
    ring->read = 0U;
    ring->write = UINT32_MAX;
    EXPECT(mete_rtt_write(ring, "a", 1U) == 0U);
    EXPECT(holds("........"));
}

static void test_what_the_host_sends_is_read(void)
{
    (void)fresh(METE_RTT_SKIP);
    char back[4] = {0};
    EXPECT(mete_rtt_read(&rtt.down[0], back, sizeof back) == 0U);
    down_bytes[0] = 'x';
    down_bytes[1] = 'y';
    rtt.down[0].write = 2U;
    EXPECT(mete_rtt_read(&rtt.down[0], back, 1U) == 1U);
    EXPECT(back[0] == 'x');
    EXPECT(mete_rtt_read(&rtt.down[0], back, sizeof back) == 1U);
    EXPECT(back[0] == 'y');
}

int main(void)
{
    RUN(test_the_control_block_is_seggers_byte_for_byte);
    RUN(test_bytes_come_to_lie_in_order);
    RUN(test_one_byte_of_a_full_ring_stays_empty);
    RUN(test_a_write_wraps_around_the_end);
    RUN(test_a_write_that_ends_at_the_end_starts_anew_at_0);
    RUN(test_every_position_and_length_round_trips);
    RUN(test_skip_takes_all_or_nothing);
    RUN(test_trim_takes_what_fits);
    RUN(test_block_gives_up_if_nobody_reads);
    RUN(test_the_host_may_change_the_mode);
    RUN(test_an_unused_or_damaged_ring_takes_nothing);
    RUN(test_what_the_host_sends_is_read);
    return tap_finish();
}
