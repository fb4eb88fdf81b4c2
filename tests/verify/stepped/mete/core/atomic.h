// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ATOMIC_H
#define METE_ATOMIC_H

/// Stands in the place of mete/core/atomic.h, by the order of include folders: before every access to a
/// shared word the explorer decides who goes on. See tests/verify/explorer.h.

#include "tests/verify/explorer.h"

static inline size_t mete_atomic_load_relaxed(const size_t *word)
{
    explorer_step();
    return *word;
}

static inline size_t mete_atomic_load_acquire(const size_t *word)
{
    explorer_step();
    return *word;
}

static inline void mete_atomic_store_relaxed(size_t *word, size_t value)
{
    explorer_step();
    *word = value;
}

static inline void mete_atomic_store_release(size_t *word, size_t value)
{
    mete_atomic_store_relaxed(word, value);
}

static inline bool mete_atomic_replace_relaxed(size_t *word, size_t from, size_t to)
{
    explorer_step();
    const bool is_tagless =
        (word == explorer_seeds.tagless[0]) || (word == explorer_seeds.tagless[1]);
    const bool is_as_expected =
        ((*word ^ from) & (is_tagless ? explorer_seeds.index : SIZE_MAX)) == 0U;
    if (is_as_expected && explorer_seeds.is_torn) {
        explorer_step();
    }
    if (is_as_expected) {
        *word = to;
    }
    return is_as_expected;
}

static inline bool mete_atomic_replace_release(size_t *word, size_t from, size_t to)
{
    return mete_atomic_replace_relaxed(word, from, to);
}

static inline size_t mete_atomic_add_relaxed(size_t *word, size_t value)
{
    explorer_step();
    *word += value;
    return *word;
}

static inline void mete_atomic_wait(size_t *pauses)
{
    (void)pauses;
}

#endif
