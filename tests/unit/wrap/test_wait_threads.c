// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Threads that need more memory than there is, and wait for it: each gets it in the end, those with
// more priority first. Some of it is given back past the lock, as by interrupts.

#include "mete/wrap/defer.h"
#include "mete/wrap/lock.h"
#include "mete/wrap/wait.h"
#include "port/os/posix.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

#include <unistd.h>

enum { THREAD_COUNT = 4, STEP_COUNT = 500, PATIENCE_MS = 60000, ALL_SIZE = INNER_SIZE - 8 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static inner_t inner;
static mete_defer_t defer;
static mete_wait_t waiting;
static mete_locked_t locked;
static mete_alloc_t shared;
static mete_alloc_t for_interrupts;

static void wake(void *self)
{
    mete_wait_notify(self);
}

static void setup(void)
{
    static const mete_defer_config_t config = {2U, wake, &waiting};
    EXPECT(mete_defer_init(&defer, inner_setup(&inner, INNER_ALL), &config));
    EXPECT(mete_wait_init(&waiting, mete_defer_as_alloc(&defer)));
    EXPECT(mete_locked_init(&locked, mete_wait_as_alloc(&waiting), mete_posix_lock(&mutex), NULL));
    shared = mete_locked_as_alloc(&locked);
    for_interrupts = mete_defer_as_alloc_for_interrupts(&defer);
}

typedef struct worker {
    pthread_t thread;
    mete_posix_signal_t signal;
    uint32_t priority;
    size_t served;
    size_t disturbed;
} worker_t;

static worker_t workers[THREAD_COUNT];

static void *acquire_waiting(worker_t *worker, size_t size)
{
    const mete_wait_terms_t terms = {mete_posix_signal(&worker->signal), worker->priority,
                                     PATIENCE_MS};
    return mete_wait_acquire(&waiting, shared, size, 8U, &terms);
}

// Any two of these fill the arena.
static void *work(void *argument)
{
    worker_t *const worker = argument;
    uint32_t seed = worker->priority + 1U;
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        const size_t size = INNER_SIZE / 2U - random_below(&seed, 100U);
        unsigned char *const block = acquire_waiting(worker, size);
        if (block == NULL) {
            return NULL;
        }
        worker->served++;
        const uint8_t pattern = (uint8_t)(worker->priority + 1U);
        mete_words_fill(block, pattern, size);
        worker->disturbed += (mete_words_scan(block, pattern, size) == size) ? 0U : 1U;
        mete_release((i % 3U == 0U) ? for_interrupts : shared, block, size, 8U);
    }
    return NULL;
}

static void test_everybody_who_waits_is_served(void)
{
    setup();
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        mete_posix_signal_init(&workers[i].signal);
        workers[i].priority = (uint32_t)(i / 2U);
        EXPECT(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
        EXPECT((workers[i].served == STEP_COUNT) && (workers[i].disturbed == 0U));
    }
    mete_release(shared, mete_acquire(shared, ALL_SIZE, 8U), ALL_SIZE, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static size_t order[THREAD_COUNT];
static size_t order_count;

static void *wait_once(void *argument)
{
    worker_t *const worker = argument;
    void *const block = acquire_waiting(worker, ALL_SIZE);
    order[order_count++] = worker->priority;  // Whoever has everything is alone.
    mete_release(shared, block, ALL_SIZE, 8U);
    return NULL;
}

static size_t length_of_line(void)
{
    size_t length = 0U;
    const uintptr_t state = mete_critical_enter();
    for (const mete_dlist_link_t *l = waiting.line.next; l != &waiting.line; l = l->next) {
        length++;
    }
    mete_critical_leave(state);
    return length;
}

static void test_the_highest_priority_is_served_first(void)
{
    setup();
    order_count = 0U;
    void *const everything = mete_acquire(shared, ALL_SIZE, 8U);
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        mete_posix_signal_init(&workers[i].signal);
        workers[i].priority = (uint32_t)((i * 7U) % 5U);  // 0, 2, 4, 1
        EXPECT(pthread_create(&workers[i].thread, NULL, wait_once, &workers[i]) == 0);
    }
    for (size_t i = 0U; (length_of_line() < THREAD_COUNT) && (i < 100000U); i++) {
        (void)usleep(100U);
    }
    mete_release(shared, everything, ALL_SIZE, 8U);
    for (size_t i = 0U; i < THREAD_COUNT; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
    }
    EXPECT((order_count == THREAD_COUNT) && (order[0] == 4U) && (order[1] == 2U));
    EXPECT((order[2] == 1U) && (order[3] == 0U));
}

static void test_a_task_waits_no_longer_than_its_time(void)
{
    setup();
    void *const everything = mete_acquire(shared, ALL_SIZE, 8U);
    const mete_wait_terms_t terms = {mete_posix_signal(&workers[0].signal), 0U, 30U};
    const uint32_t start = mete_clock_ms();
    EXPECT(mete_wait_acquire(&waiting, shared, 8U, 8U, &terms) == NULL);
    EXPECT(mete_clock_ms() - start >= 30U);
    mete_release(shared, everything, ALL_SIZE, 8U);
}

int main(void)
{
    RUN(test_everybody_who_waits_is_served);
    RUN(test_the_highest_priority_is_served_first);
    RUN(test_a_task_waits_no_longer_than_its_time);
    return tap_finish();
}
