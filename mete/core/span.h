// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_SPAN_H
#define METE_SPAN_H

/// A stretch of memory: where it starts and how many bytes it has.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mete_span {
    void *start;
    size_t size;
} mete_span_t;

/// True if `address` is one of the span's bytes.
static inline bool mete_span_has(mete_span_t span, const void *address)
{
    // An address below the start wraps to a huge offset, so one bound serves both ends.
    return (uintptr_t)address - (uintptr_t)span.start < span.size;
}

/// True if the span neither is NULL nor runs past the end of the address space.
static inline bool mete_span_is_legal(mete_span_t span)
{
    return (span.start != NULL) && (span.size <= UINTPTR_MAX - (uintptr_t)span.start);
}

#endif
