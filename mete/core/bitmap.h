// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BITMAP_H
#define METE_BITMAP_H

/// A set of small numbers, one bit each, in words that the caller owns.
///
/// Number n lives in word n / 32. Nothing is range-checked: the owner of the words knows their count.
/// Every call is O(1).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Words needed for the numbers 0 ... count - 1.
#define METE_BITMAP_WORD_COUNT(count) (((count) + 31U) / 32U)

static inline bool mete_bitmap_has(const uint32_t *words, size_t number)
{
    return ((words[number / 32U] >> (number % 32U)) & 1U) != 0U;
}

static inline void mete_bitmap_add(uint32_t *words, size_t number)
{
    words[number / 32U] |= (uint32_t)1U << (number % 32U);
}

static inline void mete_bitmap_remove(uint32_t *words, size_t number)
{
    words[number / 32U] &= ~((uint32_t)1U << (number % 32U));
}

#endif
