// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ATOMIC_H
#define METE_ATOMIC_H

/// Stands in the place of mete/core/atomic.h, by the order of include folders: every operation in its
/// critical form, whatever the core could do. So the form for ARMv6-M is tested on every machine.

#include "mete/core/atomic_critical.h"

#define mete_atomic_load_relaxed    mete_atomic_critical_load
#define mete_atomic_load_acquire    mete_atomic_critical_load
#define mete_atomic_store_relaxed   mete_atomic_critical_store
#define mete_atomic_store_release   mete_atomic_critical_store
#define mete_atomic_replace_relaxed mete_atomic_critical_replace
#define mete_atomic_replace_release mete_atomic_critical_replace
#define mete_atomic_add_relaxed     mete_atomic_critical_add

static inline void mete_atomic_wait(size_t *pauses)
{
    (void)pauses;
}

#endif
