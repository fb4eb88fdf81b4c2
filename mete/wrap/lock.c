// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/lock.h"

static void enter(const mete_locked_t *locked)
{
    locked->lock.ops->enter(locked->lock.self);
}

static void leave(const mete_locked_t *locked)
{
    locked->lock.ops->leave(locked->lock.self);
}

// Only with the lock held, for it is then that nobody else overwrites it before it is read.
static void tell_site(const mete_locked_t *locked, const void *caller)
{
    if (locked->site != NULL) {
        locked->site->caller = caller;
    }
}

static void *acquire(void *self, size_t size, size_t align)
{
    const mete_locked_t *const locked = self;
    const mete_alloc_t inner = locked->inner;
    enter(locked);
    tell_site(locked, METE_CALLER());
    void *const block = inner.ops->acquire(inner.self, size, align);
    leave(locked);
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    const mete_locked_t *const locked = self;
    const mete_alloc_t inner = locked->inner;
    enter(locked);
    tell_site(locked, METE_CALLER());
    inner.ops->release(inner.self, block, size, align);
    leave(locked);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_locked_t *const locked = self;
    const mete_alloc_t inner = locked->inner;
    enter(locked);
    tell_site(locked, METE_CALLER());
    const bool resized = inner.ops->resize(inner.self, block, old_size, new_size, align);
    leave(locked);
    return resized;
}

// An allocator may grow, or write next to what it reads here, so these two need the lock as well.
static bool owns(const void *self, const void *address)
{
    const mete_locked_t *const locked = self;
    enter(locked);
    const bool owned = locked->inner.ops->owns(locked->inner.self, address);
    leave(locked);
    return owned;
}

static size_t size_of(const void *self, const void *block)
{
    const mete_locked_t *const locked = self;
    enter(locked);
    const size_t size = locked->inner.ops->size_of(locked->inner.self, block);
    leave(locked);
    return size;
}

bool mete_locked_init(mete_locked_t *locked, mete_alloc_t inner, mete_lock_t lock,
                      mete_site_t *site)
{
    METE_ASSERT(locked != NULL);
    if ((inner.ops == NULL) || (lock.ops == NULL)) {
        return false;
    }
    locked->inner.ops = inner.ops;
    locked->inner.self = inner.self;
    locked->lock.ops = lock.ops;
    locked->lock.self = lock.self;
    locked->site = site;
    return true;
}

mete_alloc_t mete_locked_as_alloc(mete_locked_t *locked)
{
    // What the allocator behind cannot do is NULL here too: one table for each case.
    static const mete_alloc_ops_t tables[8] = {
        {acquire, release, NULL, NULL, NULL},    {acquire, release, resize, NULL, NULL},
        {acquire, release, NULL, owns, NULL},    {acquire, release, resize, owns, NULL},
        {acquire, release, NULL, NULL, size_of}, {acquire, release, resize, NULL, size_of},
        {acquire, release, NULL, owns, size_of}, {acquire, release, resize, owns, size_of},
    };
    METE_ASSERT((locked != NULL) && (locked->inner.ops != NULL));
    const mete_alloc_ops_t *const inner = locked->inner.ops;
    const size_t which = ((inner->resize != NULL) ? 1U : 0U) + ((inner->owns != NULL) ? 2U : 0U) +
                         ((inner->size_of != NULL) ? 4U : 0U);
    const mete_alloc_t view = {&tables[which], locked};
    return view;
}
