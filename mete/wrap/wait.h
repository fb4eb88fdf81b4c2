// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_WAIT_H
#define METE_WAIT_H

/// Waits for memory: an acquire that blocks until there is some, highest priority first.
///
/// The wrapper sees what comes back and wakes whoever waits with the highest priority. It stands behind
/// the lock, for waiting happens outside of it; in front of mete/wrap/defer.h, whose `wake` may be
/// mete_wait_notify, so that a release by an interrupt ends the waiting too. It needs a clock, a critical
/// section and a signal of the platform: mete/core/platform.h.
///
///     static mete_wait_t wait;
///     (void)mete_wait_init(&wait, mete_heap_as_alloc(heap));
///     (void)mete_locked_init(&locked, mete_wait_as_alloc(&wait), mutex, NULL);
///     const mete_alloc_t shared = mete_locked_as_alloc(&locked);
///     const mete_wait_terms_t terms = {my_signal, 3, 500};  // Priority, milliseconds.
///     void *const block = mete_wait_acquire(&wait, shared, 100, 8, &terms);
///
/// Only the first of those who wait asks for memory; the others wait behind it even if a smaller request
/// of theirs could be met. Who does not wait, and calls mete_acquire(), does not stand in line.
///
///   Time     Calls through the view: O(1), and a notification if somebody waits. mete_wait_acquire: the
///            line is walked with interrupts off, O(tasks that wait).
///   Space    One mete_wait_t, and one mete_wait_task_t on the stack of each task that waits.
///   Align    As the allocator behind.
///   Threads  Calls through the view must exclude each other: put mete/wrap/lock.h in front. The
///            functions here are for tasks, mete_wait_notify() also for interrupts.
///   Errors   As the allocator behind; NULL when the time has passed. A request that could never be
///            met waits as long as any other.

#include "mete/core/alloc.h"
#include "mete/core/dlist.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The fields are here so that it can be static.
typedef struct mete_wait {
    mete_alloc_t inner;
    mete_dlist_link_t line;  // Highest priority first. Changed only in critical sections.
} mete_wait_t;

/// On which terms a task waits.
typedef struct mete_wait_terms {
    mete_signal_t signal;  ///< The task's own; may still be notified after its waiting has ended.
    uint32_t priority;     ///< A higher number goes first. Equal ones: who came first.
    uint32_t timeout_ms;   ///< How long at most; 0: not at all; or METE_SIGNAL_FOREVER.
} mete_wait_terms_t;

/// A task in line.
typedef struct mete_wait_task {
    mete_dlist_link_t link;
    const mete_wait_terms_t *terms;
    uint32_t start_ms;
} mete_wait_task_t;

/// Makes the wrapper ready, nobody in line. Returns false, changing nothing, if the allocator is missing.
bool mete_wait_init(mete_wait_t *wait, mete_alloc_t inner);

/// The allocator whose releases are seen. It can resize, and knows owns and size_of, if the one behind
/// does.
mete_alloc_t mete_wait_as_alloc(mete_wait_t *wait);

/// Says that there may be memory: wakes the first in line.
void mete_wait_notify(mete_wait_t *wait);

/// Puts a task in line, and takes it out, waking who is then the first. The parts of mete_wait_acquire().
void mete_wait_enter(mete_wait_t *wait, mete_wait_task_t *task, const mete_wait_terms_t *terms);
void mete_wait_leave(mete_wait_t *wait, mete_wait_task_t *task);

/// True if no task in line goes before this one.
bool mete_wait_is_first(mete_wait_t *wait, const mete_wait_task_t *task);

/// Sleeps until there may be memory. False when the task's time has passed.
bool mete_wait_sleep(const mete_wait_task_t *task);

/// As mete_acquire() on `alloc`, in front of which there may be locks, but waits while it is refused, in
/// line with others and at most as long as `terms` say. Inline, so that a tracker sees the program.
METE_INLINE void *mete_wait_acquire(mete_wait_t *wait, mete_alloc_t alloc, size_t size,
                                    size_t align, const mete_wait_terms_t *terms)
{
    if ((size == 0U) || !mete_align_is_legal(align)) {
        return mete_acquire(alloc, size, align);  // No memory makes this better.
    }
    mete_wait_task_t task;
    mete_wait_enter(wait, &task, terms);
    void *block = NULL;
    do {
        if (mete_wait_is_first(wait, &task)) {
            block = mete_acquire(alloc, size, align);
        }
    } while ((block == NULL) && mete_wait_sleep(&task));
    mete_wait_leave(wait, &task);
    return block;
}

#ifdef __cplusplus
}
#endif
#endif
