// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two threads take and give back blocks as fast as they can: of the atomic pool, and of a pool behind a
// mutex. Both by turns, many short rounds; what is compared is the median round of each. Prints millions
// of operations a second, and by how much the atomic pool is faster. A busy machine says little.

#define _GNU_SOURCE  // pthread_setaffinity_np()

#include "mete/alloc/atomic_pool.h"
#include "mete/alloc/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 2, ROUNDS = 41, PAIRS = 100000, BLOCK_COUNT = 64 };

typedef uint64_t block_t[8];

METE_ATOMIC_POOL_DEFINE(atomic_pool, block_t, BLOCK_COUNT, 0);
METE_POOL_DEFINE(pool, block_t, BLOCK_COUNT);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// Where a thread works, and when its work began and ended.
typedef struct span {
    size_t core;
    double start, end;
} span_t;

static void work_atomic(void)
{
    for (size_t i = 0U; i < PAIRS; i++) {
        mete_atomic_pool_free(&atomic_pool, mete_atomic_pool_alloc(&atomic_pool));
    }
}

static void work_locked(void)
{
    for (size_t i = 0U; i < PAIRS; i++) {
        (void)pthread_mutex_lock(&mutex);
        void *const block = mete_pool_alloc(&pool);
        (void)pthread_mutex_unlock(&mutex);
        (void)pthread_mutex_lock(&mutex);
        mete_pool_free(&pool, block);
        (void)pthread_mutex_unlock(&mutex);
    }
}

static void (*work)(void);

static void *run(void *self)
{
    span_t *const span = self;
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(span->core, &core);
    (void)pthread_setaffinity_np(pthread_self(), sizeof core, &core);
    (void)pthread_barrier_wait(&barrier);
    span->start = seconds();
    work();
    span->end = seconds();
    return NULL;
}

// From the first start to the last end.
static double time_of(void (*what)(void))
{
    pthread_t threads[THREADS];
    span_t spans[THREADS];
    work = what;
    for (size_t i = 0U; i < THREADS; i++) {
        spans[i].core = i;
        if (pthread_create(&threads[i], NULL, run, &spans[i]) != 0) {
            exit(2);
        }
    }
    for (size_t i = 0U; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    const double start = (spans[0].start < spans[1].start) ? spans[0].start : spans[1].start;
    const double end = (spans[0].end > spans[1].end) ? spans[0].end : spans[1].end;
    return end - start;
}

static int compare(const void *left, const void *right)
{
    const double difference = *(const double *)left - *(const double *)right;
    return (difference > 0.0) - (difference < 0.0);
}

int main(int count, char **arguments)
{
    static double atomic_times[ROUNDS];
    static double locked_times[ROUNDS];
    (void)pthread_barrier_init(&barrier, NULL, THREADS);
    if (!mete_atomic_pool_init(&atomic_pool, &atomic_pool_config) ||
        !mete_pool_init(&pool, &pool_config)) {
        return 2;
    }
    for (size_t i = 0U; i < ROUNDS; i++) {
        atomic_times[i] = time_of(work_atomic);
        locked_times[i] = time_of(work_locked);
    }
    qsort(atomic_times, ROUNDS, sizeof atomic_times[0], compare);
    qsort(locked_times, ROUNDS, sizeof locked_times[0], compare);
    const double millions = 2.0 * PAIRS * THREADS * 1e-6;
    const double ratio = locked_times[ROUNDS / 2] / atomic_times[ROUNDS / 2];
    printf("atomic pool %.1f, pool behind a mutex %.1f million operations a second; ratio %.2f\n",
           millions / atomic_times[ROUNDS / 2], millions / locked_times[ROUNDS / 2], ratio);
    if ((count == 3) && (strcmp(arguments[1], "-o") == 0)) {
        FILE *const file = fopen(arguments[2], "w");
        if (file == NULL) {
            return 2;
        }
        fprintf(file, "{\"atomic_pool.throughput.ratio\": %.2f}\n", ratio);
        return fclose(file);
    }
    return 0;
}
