// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VERIFY_THREADS_H
#define METE_VERIFY_THREADS_H

/// What tests with real threads share: how much they do, and blocks that change hands.
///
/// Under ThreadSanitizer (the preset sanitize-thread) ten million operations, elsewhere fewer.

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define THREADS_OPERATIONS 10000000U
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS_OPERATIONS 10000000U
#endif
#endif
#ifndef THREADS_OPERATIONS
#define THREADS_OPERATIONS 400000U
#endif

enum { THREADS_COUNT = 4, THREADS_PLACES = 16 };

/// A block that one thread laid down, for whoever comes by to pick up; and how many bytes it has.
typedef struct threads_parcel {
    unsigned char *block;
    size_t size;
} threads_parcel_t;

/// Places where blocks change hands: with release and acquire, as the contract of an allocator that is
/// shared demands, and no more.
typedef struct threads_exchange {
    threads_parcel_t *places[THREADS_PLACES];
} threads_exchange_t;

static inline threads_parcel_t *threads_trade(threads_exchange_t *exchange, size_t place,
                                              threads_parcel_t *parcel)
{
    return __atomic_exchange_n(&exchange->places[place], parcel, __ATOMIC_ACQ_REL);
}

/// Every byte of a block is written plainly: a checker of races sees it if two own the block.
static inline void threads_paint(unsigned char *block, size_t size, unsigned char pattern)
{
    for (size_t i = 0U; i < size; i++) {
        block[i] = (unsigned char)(pattern + i);
    }
}

static inline bool threads_is_painted(const unsigned char *block, size_t size)
{
    bool is_painted = true;
    for (size_t i = 1U; i < size; i++) {
        is_painted = is_painted && (block[i] == (unsigned char)(block[0] + i));
    }
    return is_painted;
}

/// A thread does this now and then, so that others go on in the midst of its work on a single core too.
static inline void threads_pause(uint32_t random)
{
    if (random % 256U == 0U) {
        (void)sched_yield();
    }
}

/// Runs `work` in THREADS_COUNT threads, each with its own element of an array.
static inline bool threads_run(void *(*work)(void *self), void *workers, size_t worker_size)
{
    pthread_t threads[THREADS_COUNT];
    bool is_good = true;
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        void *const self = (unsigned char *)workers + (i * worker_size);
        is_good = (pthread_create(&threads[i], NULL, work, self) == 0) && is_good;
    }
    for (size_t i = 0U; (i < THREADS_COUNT) && is_good; i++) {
        is_good = (pthread_join(threads[i], NULL) == 0) && is_good;
    }
    return is_good;
}

#endif
