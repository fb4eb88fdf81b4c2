// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_RANDOM_H
#define METE_TEST_RANDOM_H

/// Repeatable pseudo-random numbers: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). The seed is the
/// state and must not be 0.

#include <stdint.h>

static inline uint32_t random_next(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

/// A number in 0 ... limit - 1; `limit` is 1 ... 65536.
static inline uint32_t random_below(uint32_t *state, uint32_t limit)
{
    return (random_next(state) >> 8) % limit;
}

#endif
