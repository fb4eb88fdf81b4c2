// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_PAINT_H
#define METE_TEST_PAINT_H

/// Contents of a block from which one can tell whether they are still its own, whole and in their place.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint8_t paint_at(uint8_t seed, size_t index)
{
    return (uint8_t)(seed + (index * 13U) + (index >> 8));
}

/// The seed for what is painted next in the same place.
static inline uint8_t paint_next(uint8_t seed)
{
    return (uint8_t)(seed + 41U);
}

static inline void paint_bytes(unsigned char *bytes, size_t size, uint8_t seed)
{
    for (size_t i = 0U; i < size; i++) {
        bytes[i] = paint_at(seed, i);
    }
}

static inline bool paint_is_whole(const unsigned char *bytes, size_t size, uint8_t seed)
{
    size_t i = 0U;
    while ((i < size) && (bytes[i] == paint_at(seed, i))) {
        i++;
    }
    return i == size;
}

#endif
