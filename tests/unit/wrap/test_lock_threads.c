// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Threads that share an allocator which by itself would not survive it. Each fills its blocks with
// its own pattern and must find it again.

#include "mete/wrap/lock.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

#include <pthread.h>

enum { THREAD_COUNT = 4, STEP_COUNT = 20000 };

static void enter_mutex(void *self)
{
    pthread_mutex_lock(self);
}

static void leave_mutex(void *self)
{
    pthread_mutex_unlock(self);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const mete_lock_ops_t mutex_ops = {enter_mutex, leave_mutex};
static inner_t inner;
static mete_locked_t locked;

typedef struct worker {
    pthread_t thread;
    uint8_t pattern;
    size_t disturbed;
    size_t served;
} worker_t;

static void *work(void *argument)
{
    worker_t *const worker = argument;
    const mete_alloc_t view = mete_locked_as_alloc(&locked);
    uint32_t seed = worker->pattern;
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        const size_t size = 1U + random_below(&seed, 300U);
        void *const block = mete_acquire(view, size, 8U);
        if (block != NULL) {
            mete_words_fill(block, worker->pattern, size);
            worker->served++;
            worker->disturbed += (mete_words_scan(block, worker->pattern, size) == size) ? 0U : 1U;
            mete_release(view, block, size, 8U);
        }
    }
    return NULL;
}

static void test_threads_that_share_a_locked_allocator_do_not_disturb_each_other(void)
{
    static worker_t workers[THREAD_COUNT];
    const mete_lock_t lock = {&mutex_ops, &mutex};
    EXPECT(mete_locked_init(&locked, inner_setup(&inner, INNER_ALL), lock, NULL));
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        workers[i].pattern = (uint8_t)(i + 1U);
        EXPECT(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
        EXPECT((workers[i].disturbed == 0U) && (workers[i].served == STEP_COUNT));
    }
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
    EXPECT(inner.calls == 2U * THREAD_COUNT * STEP_COUNT);
}

int main(void)
{
    RUN(test_threads_that_share_a_locked_allocator_do_not_disturb_each_other);
    return tap_finish();
}
