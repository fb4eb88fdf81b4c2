// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PASS_H
#define METE_PASS_H

/// What wrappers pass on to the allocator behind them, unchanged.
///
/// A wrapper's struct begins with that allocator, a mete_alloc_t; then these serve as its operations.
/// What the allocator behind cannot do is absent in the wrapper's view too: so a wrapper has a table
/// of operations for each case.
///
///     static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] = METE_PASS_TABLES(
///         acquire, release, resize, mete_pass_owns, mete_pass_size_of);
///     const mete_alloc_t view = {&tables[mete_pass_index_of(stats->inner)], stats};

#include "mete/core/alloc.h"

static inline void *mete_pass_acquire(void *self, size_t size, size_t align)
{
    const mete_alloc_t *const inner = (const mete_alloc_t *)self;
    return inner->ops->acquire(inner->self, size, align);
}

static inline void mete_pass_release(void *self, void *block, size_t size, size_t align)
{
    const mete_alloc_t *const inner = (const mete_alloc_t *)self;
    inner->ops->release(inner->self, block, size, align);
}

static inline bool mete_pass_owns(const void *self, const void *address)
{
    const mete_alloc_t *const inner = (const mete_alloc_t *)self;
    return inner->ops->owns(inner->self, address);
}

static inline size_t mete_pass_size_of(const void *self, const void *block)
{
    const mete_alloc_t *const inner = (const mete_alloc_t *)self;
    return inner->ops->size_of(inner->self, block);
}

/// Of METE_PASS_TABLES, the one that fits what `inner` can do.
static inline size_t mete_pass_index_of(mete_alloc_t inner)
{
    return ((inner.ops->resize != NULL) ? 1U : 0U) + ((inner.ops->owns != NULL) ? 2U : 0U) +
           ((inner.ops->size_of != NULL) ? 4U : 0U);
}

#define METE_PASS_TABLE_COUNT 8
#define METE_PASS_TABLES(acquire, release, resize, owns, size_of) \
    { \
        {acquire, release, NULL, NULL, NULL}, {acquire, release, resize, NULL, NULL}, \
            {acquire, release, NULL, owns, NULL}, {acquire, release, resize, owns, NULL}, \
            {acquire, release, NULL, NULL, size_of}, {acquire, release, resize, NULL, size_of}, \
            {acquire, release, NULL, owns, size_of}, \
        { \
            acquire, release, resize, owns, size_of \
        } \
    }

#endif
