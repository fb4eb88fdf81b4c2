// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ALIGN_H
#define METE_ALIGN_H

/// Alignment arithmetic. Every `align` is a power of two, in bytes.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// True for 1, 2, 4, 8 ...; false for 0.
static inline bool mete_align_is_legal(size_t align)
{
    return (align != 0U) && ((align & (align - 1U)) == 0U);
}

/// The smallest multiple of `align` that is not below `value`. Wraps to 0 past the top.
static inline uintptr_t mete_align_up(uintptr_t value, size_t align)
{
    return (value + (align - 1U)) & ~(uintptr_t)(align - 1U);
}

/// The largest multiple of `align` that is not above `value`.
static inline uintptr_t mete_align_down(uintptr_t value, size_t align)
{
    return value & ~(uintptr_t)(align - 1U);
}

/// True if `value` is a multiple of `align`.
static inline bool mete_align_fits(uintptr_t value, size_t align)
{
    return (value & (align - 1U)) == 0U;
}

#endif
