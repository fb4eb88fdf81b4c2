// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_SHARED_H
#define METE_SHARED_H

/// Counted objects, as those see them who hold references for a while and do not care which counts these
/// are: caches, queues, tables.
///
/// Like a mete_alloc_t it is two words, passed by value. A strong reference keeps the object alive, a weak
/// one only its memory: it must be upgraded before the object is looked at.
///
///     if (shared.ops->upgrade(shared.self, object)) {
///         look_at(object);
///         shared.ops->drop(shared.self, object);
///     }

#include <stdbool.h>

typedef struct mete_shared_ops {
    /// One strong reference more, for who holds a weak one. False, with nothing changed, if the object is dead.
    bool (*upgrade)(void *self, void *object);
    /// One strong reference more, for who holds one.
    void (*retain)(void *self, void *object);
    /// One less. The last one ends the object; what is called then may call whoever holds others.
    void (*drop)(void *self, void *object);
    /// One weak reference more, for who holds one of either.
    void (*retain_weak)(void *self, void *object);
    /// One less.
    void (*drop_weak)(void *self, void *object);
} mete_shared_ops_t;

typedef struct mete_shared {
    const mete_shared_ops_t *ops;
    void *self;
} mete_shared_t;

#endif
