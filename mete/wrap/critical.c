// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/critical.h"

#include "mete/core/pass.h"

_Static_assert(offsetof(mete_critical_t, inner) == 0U, "what passes calls on expects it there");

// Only within the section, for it is then that nobody else overwrites it before it is read.
static void tell_site(const mete_critical_t *critical, const void *caller)
{
    if (critical->site != NULL) {
        critical->site->caller = caller;
    }
}

static void *acquire(void *self, size_t size, size_t align)
{
    const mete_critical_t *const critical = self;
    const uintptr_t state = mete_critical_enter();
    tell_site(critical, METE_CALLER());
    void *const block = critical->inner.ops->acquire(critical->inner.self, size, align);
    mete_critical_leave(state);
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    const mete_critical_t *const critical = self;
    const uintptr_t state = mete_critical_enter();
    tell_site(critical, METE_CALLER());
    critical->inner.ops->release(critical->inner.self, block, size, align);
    mete_critical_leave(state);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_critical_t *const critical = self;
    const mete_alloc_t inner = critical->inner;
    const uintptr_t state = mete_critical_enter();
    tell_site(critical, METE_CALLER());
    const bool resized = inner.ops->resize(inner.self, block, old_size, new_size, align);
    mete_critical_leave(state);
    return resized;
}

// An allocator may grow, or write next to what it reads here, so these two need the section as well.
static bool owns(const void *self, const void *address)
{
    const uintptr_t state = mete_critical_enter();
    const bool owned = mete_pass_owns(self, address);
    mete_critical_leave(state);
    return owned;
}

static size_t size_of(const void *self, const void *block)
{
    const uintptr_t state = mete_critical_enter();
    const size_t size = mete_pass_size_of(self, block);
    mete_critical_leave(state);
    return size;
}

bool mete_critical_init(mete_critical_t *critical, mete_alloc_t inner, mete_site_t *site)
{
    METE_ASSERT(critical != NULL);
    if (inner.ops == NULL) {
        return false;
    }
    critical->inner.ops = inner.ops;
    critical->inner.self = inner.self;
    critical->site = site;
    return true;
}

mete_alloc_t mete_critical_as_alloc(mete_critical_t *critical)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, release, resize, owns, size_of);
    METE_ASSERT((critical != NULL) && (critical->inner.ops != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(critical->inner)], critical};
    return view;
}
