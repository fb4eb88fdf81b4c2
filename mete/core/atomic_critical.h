// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ATOMIC_CRITICAL_H
#define METE_ATOMIC_CRITICAL_H

/// The operations of mete/core/atomic.h for one core without exclusive access: a change is a critical
/// section of a load, a compare and a store. Use them through that header.

#include "mete/core/platform.h"

/// Reading and writing a whole word cannot be interrupted. volatile, so that it happens where it stands
/// and once.
static inline size_t mete_atomic_critical_load(const size_t *word)
{
    const size_t value = *(const volatile size_t *)word;
    __asm__ volatile("" ::: "memory");
    return value;
}

static inline void mete_atomic_critical_store(size_t *word, size_t value)
{
    __asm__ volatile("" ::: "memory");
    *(volatile size_t *)word = value;
}

static inline bool mete_atomic_critical_replace(size_t *word, size_t from, size_t to)
{
    const uintptr_t state = mete_critical_enter();
    const bool is_as_expected = *word == from;
    if (is_as_expected) {
        *word = to;
    }
    mete_critical_leave(state);
    return is_as_expected;
}

static inline size_t mete_atomic_critical_add(size_t *word, size_t value)
{
    const uintptr_t state = mete_critical_enter();
    const size_t sum = *word + value;
    *word = sum;
    mete_critical_leave(state);
    return sum;
}

#endif
