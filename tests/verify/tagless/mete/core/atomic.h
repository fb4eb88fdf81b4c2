// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ATOMIC_H
#define METE_ATOMIC_H

/// Stands in the place of mete/core/atomic.h, by the order of include folders, and has a bug: a replace
/// compares no more than the lowest 4 bits. For a pool of few blocks that is the index without the tag.

#include "mete/core/atomic_critical.h"

#define mete_atomic_load_relaxed    mete_atomic_critical_load
#define mete_atomic_load_acquire    mete_atomic_critical_load
#define mete_atomic_store_relaxed   mete_atomic_critical_store
#define mete_atomic_store_release   mete_atomic_critical_store
#define mete_atomic_replace_release mete_atomic_replace_relaxed
#define mete_atomic_add_relaxed     mete_atomic_critical_add

static inline bool mete_atomic_replace_relaxed(size_t *word, size_t from, size_t to)
{
    const size_t value = mete_atomic_critical_load(word);
    return (((value ^ from) & 0x0FU) == 0U) && mete_atomic_critical_replace(word, value, to);
}

static inline void mete_atomic_wait(size_t *pauses)
{
    (void)pauses;
}

#endif
