// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every offset against a word, on either side, with every size up to a few turns of the widest loop,
// and a guard on both sides that must stay as it is.

#include "mete/core/words.h"

#include "tests/support/tap.h"

enum {
    WORD = sizeof(uintptr_t),
    SIZE_LIMIT = 11 * WORD,  // Two turns of the widest loop, words and bytes.
    BUFFER_SIZE = SIZE_LIMIT + 4 * WORD,
    GUARD = 0xEE,
};

static unsigned char to[BUFFER_SIZE] __attribute__((aligned(16)));
static unsigned char from[BUFFER_SIZE] __attribute__((aligned(16)));

static unsigned char pattern(size_t i)
{
    return (unsigned char)(1U + (i * 37U));
}

// True if all of `to` but the `size` bytes from `start` are the guard still.
static bool is_guarded(size_t start, size_t size)
{
    for (size_t i = 0U; i < BUFFER_SIZE; i++) {
        if (((i < start) || (i >= start + size)) && (to[i] != GUARD)) {
            return false;
        }
    }
    return true;
}

static void set_guard(void)
{
    for (size_t i = 0U; i < BUFFER_SIZE; i++) {
        to[i] = GUARD;
    }
}

static bool copies(size_t to_offset, size_t from_offset, size_t size)
{
    set_guard();
    mete_words_copy(&to[WORD + to_offset], &from[from_offset], size);
    for (size_t i = 0U; i < size; i++) {
        if (to[WORD + to_offset + i] != pattern(from_offset + i)) {
            return false;
        }
    }
    return is_guarded(WORD + to_offset, size);
}

static void test_copy_for_all_offsets_and_sizes(void)
{
    for (size_t i = 0U; i < BUFFER_SIZE; i++) {
        from[i] = pattern(i);
    }
    for (size_t to_offset = 0U; to_offset <= WORD; to_offset++) {
        for (size_t from_offset = 0U; from_offset <= WORD; from_offset++) {
            for (size_t size = 0U; size <= SIZE_LIMIT; size++) {
                EXPECT(copies(to_offset, from_offset, size));
            }
        }
    }
}

// Moves within `to`, by every distance that matters, and looks at every byte.
static bool moves(size_t to_offset, size_t from_offset, size_t size)
{
    for (size_t i = 0U; i < BUFFER_SIZE; i++) {
        to[i] = pattern(i);
    }
    mete_words_move(&to[to_offset], &to[from_offset], size);
    for (size_t i = 0U; i < BUFFER_SIZE; i++) {
        const bool is_moved = (i >= to_offset) && (i < to_offset + size);
        if (to[i] != pattern(is_moved ? i - to_offset + from_offset : i)) {
            return false;
        }
    }
    return true;
}

static void test_move_for_all_offsets_distances_and_sizes(void)
{
    for (size_t from_offset = 0U; from_offset <= 6U * WORD; from_offset++) {
        for (size_t to_offset = 0U; to_offset <= 6U * WORD; to_offset++) {
            for (size_t size = 0U; size <= 9U * WORD; size += 1U + (size / (2U * WORD))) {
                EXPECT(moves(to_offset, from_offset, size));
            }
        }
    }
}

static bool fills(size_t offset, size_t size, uint8_t byte)
{
    set_guard();
    mete_words_fill(&to[WORD + offset], byte, size);
    for (size_t i = 0U; i < size; i++) {
        if (to[WORD + offset + i] != byte) {
            return false;
        }
    }
    return is_guarded(WORD + offset, size);
}

static void test_fill_for_all_offsets_and_sizes(void)
{
    for (size_t offset = 0U; offset <= WORD; offset++) {
        for (size_t size = 0U; size <= SIZE_LIMIT; size++) {
            EXPECT(fills(offset, size, 0U) && fills(offset, size, 0x81U) &&
                   fills(offset, size, 0xFFU));
        }
    }
}

static void test_fill_for_every_byte(void)
{
    for (unsigned byte = 0U; byte <= UINT8_MAX; byte++) {
        EXPECT(fills(1U, 3U * WORD, (uint8_t)byte));
    }
}

static void test_scan_stops_at_the_first_byte_that_differs(void)
{
    for (size_t offset = 0U; offset <= WORD; offset++) {
        for (size_t size = 0U; size <= 6U * WORD; size++) {
            mete_words_fill(to, 0x5AU, sizeof to);
            EXPECT(mete_words_scan(&to[offset], 0x5AU, size) == size);
            for (size_t stop = 0U; stop < size; stop++) {
                to[offset + stop] = 0xDAU;  // One bit off.
                EXPECT(mete_words_scan(&to[offset], 0x5AU, size) == stop);
                to[offset + stop] = 0x5AU;
            }
        }
    }
}

static void test_scan_does_not_look_beyond_its_size(void)
{
    for (size_t offset = 0U; offset <= WORD; offset++) {
        for (size_t size = 0U; size <= SIZE_LIMIT; size++) {
            set_guard();
            mete_words_fill(&to[offset], 0U, size);
            EXPECT(mete_words_scan(&to[offset], 0U, size) == size);
            EXPECT(mete_words_scan(&to[offset], 0U, size + 1U) == size);
            EXPECT(mete_words_scan(&to[offset], GUARD, size) == 0U);
        }
    }
}

int main(void)
{
    RUN(test_copy_for_all_offsets_and_sizes);
    RUN(test_move_for_all_offsets_distances_and_sizes);
    RUN(test_fill_for_all_offsets_and_sizes);
    RUN(test_fill_for_every_byte);
    RUN(test_scan_stops_at_the_first_byte_that_differs);
    RUN(test_scan_does_not_look_beyond_its_size);
    return tap_finish();
}
