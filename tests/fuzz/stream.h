// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TESTS_FUZZ_STREAM_H
#define TESTS_FUZZ_STREAM_H

// The bytes that a fuzzer chose, taken one after the other. Behind their end there are zeros.

#include <stddef.h>
#include <stdint.h>

typedef struct stream {
    const uint8_t *bytes;
    size_t left;
} stream_t;

static inline uint32_t stream_byte(stream_t *stream)
{
    if (stream->left == 0U) {
        return 0U;
    }
    stream->left--;
    return *stream->bytes++;
}

static inline uintptr_t stream_word(stream_t *stream)
{
    uintptr_t word = 0U;
    for (size_t i = 0U; i < sizeof word; i++) {
        word = (word << 8) | stream_byte(stream);
    }
    return word;
}

#endif
