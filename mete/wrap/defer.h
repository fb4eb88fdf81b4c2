// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DEFER_H
#define METE_DEFER_H

/// Lets interrupts give memory back to an allocator whose lock they cannot take.
///
/// Two views of one allocator. Through the interrupts' view a release only links the block into a list,
/// within a few instructions. The next call of a task, through the other view, hands what is in the
/// list to the allocator behind. Stands behind the lock, and mete/wrap/wait.h if it is used, in front of all
/// else. It needs the platform's critical section: mete/core/platform.h.
///
///     static const mete_defer_config_t config = {.drain_max = 4};
///     static mete_defer_t defer;
///     (void)mete_defer_init(&defer, mete_heap_as_alloc(heap), &config);
///     (void)mete_locked_init(&locked, mete_defer_as_alloc(&defer), mutex, NULL);  // For tasks.
///     const mete_alloc_t for_interrupts = mete_defer_as_alloc_for_interrupts(&defer);
///
/// The link lies in the block that was released, so the list cannot overflow and a release by an
/// interrupt cannot fail. The price: no block is smaller than METE_DEFER_SIZE_MIN, and of two sizes
/// below it the allocator behind cannot tell the wrong one.
///
///   Time     Release by an interrupt: O(1), a few instructions with interrupts off. A task's call: at
///            most `drain_max` releases on top. An acquire that would be refused first hands back
///            everything in the list: as many releases as interrupts have made.
///   Space    One mete_defer_t. Blocks below METE_DEFER_SIZE_MIN are made that large.
///   Align    As the allocator behind; at least that of a pointer.
///   Threads  Calls through the tasks' view must exclude each other: put mete/wrap/lock.h in front. The
///            interrupts' view may be used by any interrupt and task of this core at any time.
///   Errors   As the allocator behind, whose faults come with the task's call. Of an interrupt's
///            release: FOREIGN if no block can start there, DOUBLE_FREE if it is in the list already,
///            or was and is as it was then.
///            CORRUPT, and no effect, if what is in the list was written to.
///            An interrupt's release writes its record into the block before the allocator behind is asked:
///            of what is none of its blocks the first METE_DEFER_SIZE_MIN bytes are lost before it says so.

#include "mete/core/alloc.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How blocks are handed back. It must outlive the wrapper; const is best.
typedef struct mete_defer_config {
    size_t drain_max;  ///< Blocks that one call of a task hands back at most; at least 1.

    /// Called after each release by an interrupt, in its context; NULL: nobody is. Wakes a task that
    /// waits for memory: mete_wait_notify() of mete/wrap/wait.h.
    void (*wake)(void *self);
    void *wake_self;
} mete_defer_config_t;

/// What a released block holds until a task's call. The check word is over the others.
typedef struct mete_defer_record {
    struct mete_defer_record *next;
    size_t size;
    size_t align;
    uintptr_t check;
} mete_defer_record_t;

#define METE_DEFER_SIZE_MIN sizeof(mete_defer_record_t)

/// The fields are here so that it can be static.
typedef struct mete_defer {
    mete_alloc_t inner;
    const mete_defer_config_t *config;
    size_t first;  // Address of the record released last, or 0. Changed only in critical sections.
} mete_defer_t;

/// Puts both views in front of `inner`, with nothing in the list: what was there is forgotten. Returns
/// false, changing nothing, if the allocator or the config is missing or `drain_max` is 0.
bool mete_defer_init(mete_defer_t *defer, mete_alloc_t inner, const mete_defer_config_t *config);

/// The tasks' view. It can resize, and knows owns and size_of, if the allocator behind does.
mete_alloc_t mete_defer_as_alloc(mete_defer_t *defer);

/// The interrupts' view: takes back what the tasks' view handed out. It refuses every acquire.
mete_alloc_t mete_defer_as_alloc_for_interrupts(mete_defer_t *defer);

#ifdef __cplusplus
}
#endif
#endif
