// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ATOMIC_REF_H
#define METE_ATOMIC_REF_H

/// Shared ownership between tasks, interrupts and cores. As mete/object/ref.h, but
///
///   Threads  Everything from anywhere at any time, as far as the allocator and the cleanup can bear it; but for
///            init and check: these while nobody else calls. Nobody waits for another: who is stopped inside a
///            call keeps nobody else from his, only from the one kept object that he has in hand.
///   Time     As much again each time that another caller changed the same counts in between; on x86 and
///            AArch64 with a short wait before.
///
/// Every function does what its namesake in ref.h does; but that one drop too many takes the kind's own reference is
/// not seen while another call has the object in hand. What a task did with an object before it dropped its
/// reference is seen by the cleanup, by who gets it out of those that are kept, and by who reads from the counts
/// that nobody else holds it. A reference must be handed on with the care that data needs: from core to core
/// with release and acquire, as queues and mutexes do. The cleanup runs where the last reference is dropped: in
/// an interrupt, if that is an interrupt's.
///
///     static const mete_ref_config_t config = {.object_size = sizeof(frame_t), .align = 8};
///     static mete_atomic_ref_t frames;
///     mete_atomic_ref_init(&frames, mete_atomic_pool_as_alloc(&pool), &config);
///     frame_t *const frame = mete_atomic_ref_alloc(&frames);
///
/// What was proved, how, and what was not: docs/guide/atomic.md.

#include "mete/object/ref.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A kind of object. The fields are here so that it can be static; use the functions to read them.
typedef struct mete_atomic_ref {
    mete_alloc_t alloc;
    const mete_ref_config_t *config;
    size_t prefix_size;
    size_t in_use;
    size_t refusals;
} mete_atomic_ref_t;

bool mete_atomic_ref_init(mete_atomic_ref_t *kind, mete_alloc_t alloc,
                          const mete_ref_config_t *config);

void *mete_atomic_ref_alloc(mete_atomic_ref_t *kind);
void *mete_atomic_ref_get(mete_atomic_ref_t *kind);
size_t mete_atomic_ref_purge(mete_atomic_ref_t *kind);

void mete_atomic_ref_retain(mete_atomic_ref_t *kind, void *object);
void mete_atomic_ref_drop(mete_atomic_ref_t *kind, void *object);
void mete_atomic_ref_retain_weak(mete_atomic_ref_t *kind, void *object);
void mete_atomic_ref_drop_weak(mete_atomic_ref_t *kind, void *object);
bool mete_atomic_ref_upgrade(mete_atomic_ref_t *kind, void *object);

/// Of an object that others hold, counts may be others when they are read.
mete_ref_counts_t mete_atomic_ref_counts(const mete_atomic_ref_t *kind, const void *object);
mete_ref_usage_t mete_atomic_ref_usage(const mete_atomic_ref_t *kind);

/// Only while nobody else calls: METE_CHECK_LEVEL 3 does here what 2 does.
bool mete_atomic_ref_check(const mete_atomic_ref_t *kind);
mete_shared_t mete_atomic_ref_as_shared(mete_atomic_ref_t *kind);

#ifdef __cplusplus
}
#endif
#endif
