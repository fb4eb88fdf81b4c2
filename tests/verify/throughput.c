// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two threads, each on a core of its own, take and give back blocks as fast as they can: of the atomic pool,
// and of a pool behind a mutex. Both by turns, many short rounds. A round in which a thread was interrupted
// by another program, or in which they did not work at the same time, says nothing and is made anew; what is
// compared is each round of the one with the next of the other, and the median of these ratios is the
// figure. Prints it, and the median rates, in millions of operations a second.

#define _GNU_SOURCE  // pthread_setaffinity_np(), RUSAGE_THREAD

#include "mete/alloc/atomic_pool.h"
#include "mete/alloc/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { THREADS = 2, ROUNDS = 101, TRIES = 20 * ROUNDS, PAIRS = 20000, BLOCK_COUNT = 64 };

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

// How often this thread had to give way to another.
static long interruptions(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

// Where a thread works, when its work began and ended, and how often it was interrupted.
typedef struct span {
    size_t core;
    double start, end;
    long interruptions;
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
    const long before = interruptions();
    span->start = seconds();
    work();
    span->end = seconds();
    span->interruptions = interruptions() - before;
    return NULL;
}

static size_t cores[THREADS];

// The first cores that this process may use. False if there are too few.
static bool find_cores(void)
{
    cpu_set_t allowed;
    size_t count = 0U;
    (void)sched_getaffinity(0, sizeof allowed, &allowed);
    for (size_t core = 0U; (core < CPU_SETSIZE) && (count < THREADS); core++) {
        if (CPU_ISSET(core, &allowed)) {
            cores[count] = core;
            count++;
        }
    }
    return count == THREADS;
}

static double larger(double a, double b)
{
    return (a > b) ? a : b;
}

// From the first start to the last end; 0 if the round says nothing.
static double time_of(void (*what)(void))
{
    pthread_t threads[THREADS];
    span_t spans[THREADS];
    work = what;
    for (size_t i = 0U; i < THREADS; i++) {
        spans[i].core = cores[i];
        if (pthread_create(&threads[i], NULL, run, &spans[i]) != 0) {
            exit(2);
        }
    }
    for (size_t i = 0U; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    const double all =
        larger(spans[0].end, spans[1].end) + larger(-spans[0].start, -spans[1].start);
    const double apart = larger(spans[0].start - spans[1].start, spans[1].start - spans[0].start);
    const bool is_good =
        (spans[0].interruptions + spans[1].interruptions == 0) && (apart < all / 10.0);
    return is_good ? all : 0.0;
}

static double atomic_times[ROUNDS];
static double locked_times[ROUNDS];
static double ratios[ROUNDS];

// Pairs of rounds, one right after the other. Returns how many of them say something.
static size_t measure(void)
{
    size_t count = 0U;
    for (size_t i = 0U; (i < TRIES) && (count < ROUNDS); i++) {
        const double atomic = time_of(work_atomic);
        const double locked = time_of(work_locked);
        if ((atomic > 0.0) && (locked > 0.0)) {
            atomic_times[count] = atomic;
            locked_times[count] = locked;
            ratios[count] = locked / atomic;
            count++;
        }
    }
    return count;
}

static int compare(const void *left, const void *right)
{
    const double difference = *(const double *)left - *(const double *)right;
    return (difference > 0.0) - (difference < 0.0);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof values[0], compare);
    return values[count / 2U];
}

static int write_figure(const char *path, double ratio)
{
    FILE *const file = fopen(path, "w");
    if (file == NULL) {
        return 2;
    }
    fprintf(file, "{\"atomic_pool.throughput.ratio\": %.2f}\n", ratio);
    return fclose(file);
}

int main(int count, char **arguments)
{
    (void)pthread_barrier_init(&barrier, NULL, THREADS);
    if (!mete_atomic_pool_init(&atomic_pool, &atomic_pool_config) ||
        !mete_pool_init(&pool, &pool_config) || !find_cores()) {
        return 2;
    }
    const size_t rounds = measure();
    if (rounds == 0U) {
        fprintf(stderr, "throughput: no round was undisturbed\n");
        return 2;
    }
    const double millions = 2.0 * PAIRS * THREADS * 1e-6;
    const double ratio = median(ratios, rounds);
    printf("%zu rounds: atomic pool %.1f, pool behind a mutex %.1f million operations a second; "
           "ratio %.2f, half of the rounds %.2f to %.2f\n",
           rounds, millions / median(atomic_times, rounds), millions / median(locked_times, rounds),
           ratio, ratios[rounds / 4U], ratios[rounds - 1U - (rounds / 4U)]);
    return ((count == 3) && (strcmp(arguments[1], "-o") == 0)) ? write_figure(arguments[2], ratio)
                                                               : 0;
}
