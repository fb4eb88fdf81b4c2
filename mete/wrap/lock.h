// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_LOCK_H
#define METE_LOCK_H

/// An allocator that several tasks may share: every call holds a lock.
///
/// Put it outermost, so that whatever stands behind it needs no protection of its own. The lock is
/// the platform's: a mutex, a spin lock between cores, or one of your own. (mete_lock_t of
/// mete/core/platform.h is that lock; the allocator behind a lock is a mete_locked_t.)
///
/// Where a critical section is to be the lock, mete/wrap/critical.h does the same in 10 instructions a
/// call instead of 45. Interrupts that give memory back past a mutex need mete/wrap/defer.h behind this one, tasks
/// that wait for memory mete/wrap/wait.h.
///
///     static mete_locked_t locked;
///     (void)mete_locked_init(&locked, mete_heap_as_alloc(heap), mutex, NULL);
///     const mete_alloc_t shared = mete_locked_as_alloc(&locked);
///     void *const block = mete_acquire(shared, 100, 8);
///
///   Time     What the lock and the allocator behind it take, and at most 27 instructions a call on a
///            Cortex-M4, two calls through pointers among them. No loop.
///   Space    One mete_locked_t. Nothing a block.
///   Align    As the allocator behind.
///   Threads  All calls exclude each other, as far as the lock does. An out-of-memory hook behind runs
///            with the lock held: it must not come back through this view unless the lock nests.
///   Errors   As the allocator behind. Faults are reported with the lock held.

#include "mete/core/alloc.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A locked allocator. The fields are here so that it can be static.
typedef struct mete_locked {
    mete_alloc_t inner;
    mete_lock_t lock;
    mete_site_t *site;
} mete_locked_t;

/// Puts `lock` in front of `inner`. `site` is told, with the lock held, where the program called from,
/// so that a tracker behind records the program and not this wrapper; NULL if nobody asks. Returns
/// false, changing nothing, if the allocator or the lock is missing.
bool mete_locked_init(mete_locked_t *locked, mete_alloc_t inner, mete_lock_t lock,
                      mete_site_t *site);

/// The locked allocator. It can resize, and knows owns and size_of, if the allocator behind does.
mete_alloc_t mete_locked_as_alloc(mete_locked_t *locked);

#ifdef __cplusplus
}
#endif
#endif
