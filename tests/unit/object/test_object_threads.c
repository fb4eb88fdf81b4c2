// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A pool of objects that threads share: behind a lock, through its view, as its contract asks. Who has an object writes
// to it plainly, so a checker of races sees it if two have it.

#include "mete/alloc/heap.h"
#include "mete/object/object.h"
#include "mete/wrap/lock.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#include <pthread.h>

enum { THREAD_COUNT = 4, ROUND_COUNT = 20000, OBJECT_MAX = 6 };

typedef struct thing {
    size_t user;
    size_t uses;
} thing_t;

static bool construct(void *self, void *object)
{
    (void)self;
    ((thing_t *)object)->uses = 0U;
    return true;
}

METE_HEAP_DEFINE(app, 8192);
METE_OBJECT_DEFINE(things, thing_t, OBJECT_MAX, construct, NULL, NULL);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mete_locked_t locked;
static size_t wrong, served;

static void enter(void *self)
{
    (void)pthread_mutex_lock(self);
}

static void leave(void *self)
{
    (void)pthread_mutex_unlock(self);
}

static const mete_lock_ops_t lock_ops = {enter, leave};

static void *work(void *argument)
{
    const mete_alloc_t shared = mete_locked_as_alloc(&locked);
    uint32_t random = (uint32_t)(uintptr_t)argument;
    for (size_t i = 0U; i < ROUND_COUNT; i++) {
        METE_SCOPED(thing_t, one, shared);
        METE_SCOPED(thing_t, two, shared);
        if ((one != NULL) && (two != NULL)) {
            one->user = i;
            two->user = (size_t)random;
            one->uses++;
            const bool is_ours = (one->user == i) && (two->user == (size_t)random) && (one != two);
            (void)__atomic_add_fetch(is_ours ? &served : &wrong, 1U, __ATOMIC_RELAXED);
        }
        if (random_below(&random, 64U) == 0U) {  // All else, with the same lock held.
            enter(&mutex);
            (void)mete_object_shrink(&things, 1U);
            leave(&mutex);
        }
    }
    return NULL;
}

static void test_threads_share_a_pool_behind_a_lock(void)
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_object_init(&things, mete_heap_as_alloc(heap), &things_config));
    EXPECT(mete_locked_init(&locked, mete_object_as_alloc(&things),
                            (mete_lock_t){&lock_ops, &mutex}, NULL));
    pthread_t threads[THREAD_COUNT];
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        EXPECT(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(i + 1U)) == 0);
    }
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT((wrong == 0U) && (served != 0U) && (tap_take_fault() == 0));
    EXPECT((mete_object_usage(&things).in_use == 0U) && mete_object_check(&things));
    (void)mete_object_shrink(&things, 0U);
    EXPECT((mete_heap_usage(heap).in_use_size == 0U) && mete_heap_check(heap));
}

int main(void)
{
    RUN(test_threads_share_a_pool_behind_a_lock);
    return tap_finish();
}
