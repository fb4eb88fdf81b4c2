// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The lock: around a lock that does nothing, which shows its own instructions (and one each for
// entering and leaving), and around one that masks interrupts. Then, with the heap behind that one, for how
// many instructions interrupts are off (lock_marked.c).

#include "mete/wrap/lock.h"
#include "bench/churn.h"
#include "bench/view.h"
#include "mete/alloc/heap.h"
#include "port/os/bare_metal.h"

mete_lock_t marked_lock(mete_bare_metal_lock_t *lock);

static mete_locked_t locked;
static mete_alloc_t shared;

static void nothing(void *self)
{
    (void)self;
}

static void start(mete_span_t span, uint32_t search)
{
    static mete_heap_config_t config;
    static mete_bare_metal_lock_t marked;
    config = (mete_heap_config_t){.storage = span, .search = search};
    const mete_alloc_t heap = mete_heap_as_alloc(mete_heap_init(&config));
    (void)mete_locked_init(&locked, heap, marked_lock(&marked), NULL);
    shared = mete_locked_as_alloc(&locked);
}

static void *alloc(uint32_t size)
{
    return mete_acquire(shared, size, 8U);
}

static void give(void *block, uint32_t size)
{
    mete_release(shared, block, size, 8U);
}

int main(void)
{
    static const churn_subject_t subjects[] = {{"irqoff ", start, alloc, give, NULL, 0U},
                                               {"irqoff k2 ", start, alloc, give, NULL, 2U}};
    static const mete_lock_ops_t ops = {.enter = nothing, .leave = nothing};
    static flat_t flat;
    static mete_bare_metal_lock_t masked;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_locked_init(&locked, bare, (mete_lock_t){&ops, NULL}, NULL);
    work_view("empty", mete_locked_as_alloc(&locked));
    (void)mete_locked_init(&locked, bare, mete_bare_metal_lock(&masked), NULL);
    work_view("masked", mete_locked_as_alloc(&locked));
    churn_run(subjects, 2U);
    return 0;
}
