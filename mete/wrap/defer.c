// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Interrupts push, tasks pop, both at the front: with the critical section around either, a record is
// never taken twice nor lost. Outside of it only whether there is a first is asked: a word that is read and
// written whole. A record carries a sum over its fields and its address. It is recomputed
// before a link is followed, since whoever wrote to the block after releasing it wrote over the record.

#include "mete/wrap/defer.h"

#include "mete/core/atomic.h"
#include "mete/core/pass.h"

#define SEED       ((uintptr_t)0x64656672U)
#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

typedef mete_defer_record_t record_t;

_Static_assert(sizeof(size_t) == sizeof(record_t *), "an address is a word of mete/core/atomic.h");
_Static_assert(offsetof(mete_defer_t, inner) == 0U, "what passes calls on expects it there");

static uintptr_t check_of(const record_t *record)
{
    return SEED + (uintptr_t)record->next + 3U * (uintptr_t)record->size +
           5U * (uintptr_t)record->align + 7U * (uintptr_t)record;
}

// What the allocator behind is asked for: room for a record, where a record may lie.
static size_t outer_size_of(size_t size)
{
    return (size > sizeof(record_t)) ? size : sizeof(record_t);
}

static size_t outer_align_of(size_t align)
{
    return (align > _Alignof(record_t)) ? align : _Alignof(record_t);
}

static record_t *first_of(const mete_defer_t *defer)
{
    return (record_t *)mete_atomic_load_relaxed(&defer->first);
}

static void put_first(mete_defer_t *defer, const record_t *record)
{
    mete_atomic_store_relaxed(&defer->first, (size_t)record);
}

static bool has_deferred(const mete_defer_t *defer)
{
    return first_of(defer) != NULL;
}

// Takes the first record out of a list that has one, into `copy`; returns the block, or NULL if the
// record is damaged.
static void *pop(mete_defer_t *defer, record_t *copy)
{
    const uintptr_t state = mete_critical_enter();
    record_t *record = first_of(defer);
    if (!IS_CHECKED || (record->check == check_of(record))) {
        copy->size = record->size;
        copy->align = record->align;
        put_first(defer, record->next);
    } else {
        record = NULL;
    }
    mete_critical_leave(state);
    return record;
}

// Hands at most drain_max blocks back. False if it meets a damaged record, which stays where it is.
static bool drain(mete_defer_t *defer)
{
    for (size_t i = 0U; (i < defer->config->drain_max) && has_deferred(defer); i++) {
        record_t copy;
        void *const block = pop(defer, &copy);
        if (block == NULL) {
            return false;
        }
        defer->inner.ops->release(defer->inner.self, block, copy.size, copy.align);
    }
    return true;
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_defer_t *const defer = self;
    const mete_alloc_t inner = defer->inner;
    void *block = NULL;
    bool has_more = true;
    while ((block == NULL) && has_more) {  // Each repeat is blocks that interrupts gave back.
        if (has_deferred(defer) && !drain(defer)) {
            METE_FAULT(METE_FAULT_CORRUPT, defer, first_of(defer));
            return NULL;
        }
        block = inner.ops->acquire(inner.self, outer_size_of(size), outer_align_of(align));
        has_more = has_deferred(defer);
    }
    if (IS_CHECKED && (block != NULL)) {
        ((record_t *)block)->check = 0U;  // Whatever was here before, it does not look released.
    }
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_defer_t *const defer = self;
    if (has_deferred(defer) && !drain(defer)) {
        METE_FAULT(METE_FAULT_CORRUPT, defer, first_of(defer));
        return;
    }
    defer->inner.ops->release(defer->inner.self, block, outer_size_of(size), outer_align_of(align));
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_defer_t *const defer = self;
    if (has_deferred(defer) && !drain(defer)) {
        METE_FAULT(METE_FAULT_CORRUPT, defer, first_of(defer));
        return false;
    }
    return defer->inner.ops->resize(defer->inner.self, block, outer_size_of(old_size),
                                    outer_size_of(new_size), outer_align_of(align));
}

static void *refuse(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    return NULL;
}

// 0 if the block was linked in; otherwise what is wrong with it.
static int push(mete_defer_t *defer, void *block, size_t size, size_t align)
{
    record_t *const record = block;
    if (IS_CHECKED && !mete_align_fits((uintptr_t)block, outer_align_of(align))) {
        return METE_FAULT_FOREIGN;
    }
    int fault = METE_FAULT_DOUBLE_FREE;
    const uintptr_t state = mete_critical_enter();
    if (!IS_CHECKED || (record->check != check_of(record))) {
        record->next = first_of(defer);
        record->size = outer_size_of(size);
        record->align = outer_align_of(align);
        record->check = check_of(record);
        put_first(defer, record);
        fault = 0;
    }
    mete_critical_leave(state);
    return fault;
}

static void release_later(void *self, void *block, size_t size, size_t align)
{
    mete_defer_t *const defer = self;
    const int fault = push(defer, block, size, align);
    if (fault != 0) {
        METE_FAULT(fault, defer, block);
        return;
    }
    if (defer->config->wake != NULL) {
        defer->config->wake(defer->config->wake_self);
    }
}

bool mete_defer_init(mete_defer_t *defer, mete_alloc_t inner, const mete_defer_config_t *config)
{
    METE_ASSERT(defer != NULL);
    if ((inner.ops == NULL) || (config == NULL) || (config->drain_max == 0U)) {
        return false;
    }
    defer->inner.ops = inner.ops;
    defer->inner.self = inner.self;
    defer->config = config;
    put_first(defer, NULL);
    return true;
}

mete_alloc_t mete_defer_as_alloc(mete_defer_t *defer)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((defer != NULL) && (defer->config != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(defer->inner)], defer};
    return view;
}

mete_alloc_t mete_defer_as_alloc_for_interrupts(mete_defer_t *defer)
{
    static const mete_alloc_ops_t ops = {refuse, release_later, NULL, NULL, NULL};
    METE_ASSERT((defer != NULL) && (defer->config != NULL));
    const mete_alloc_t view = {&ops, defer};
    return view;
}
