// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A heap and a pool behind a lock, under real threads: they write all over their blocks and hand some to
// each other. ThreadSanitizer, in its preset, sees what the lock does not keep apart.

#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/wrap/lock.h"
#include "port/os/posix.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/verify/threads.h"

enum { BLOCK_COUNT = 24, BLOCK_SIZE = 48, HELD_MAX = 8, SIZE_MIN = sizeof(threads_parcel_t) + 1U };

typedef uint64_t block_t[BLOCK_SIZE / 8];

METE_HEAP_DEFINE(heap, 4096);
METE_POOL_DEFINE(pool, block_t, BLOCK_COUNT);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mete_locked_t locked;
static threads_exchange_t exchange;

typedef struct worker {
    uint32_t random;
    size_t operations, served, disturbed;
} worker_t;

// The parcel stands at the start of the block it describes.
static threads_parcel_t *take(worker_t *worker)
{
    const size_t size = SIZE_MIN + random_below(&worker->random, BLOCK_SIZE - SIZE_MIN + 1U);
    threads_parcel_t *const parcel = mete_acquire(mete_locked_as_alloc(&locked), size, 8U);
    worker->operations++;
    if (parcel != NULL) {
        worker->served++;
        parcel->block = (unsigned char *)(parcel + 1);
        parcel->size = size - sizeof *parcel;
        threads_paint(parcel->block, parcel->size, (unsigned char)worker->random);
    }
    return parcel;
}

static void give_back(worker_t *worker, threads_parcel_t *parcel)
{
    if (parcel != NULL) {
        worker->disturbed += threads_is_painted(parcel->block, parcel->size) ? 0U : 1U;
        const size_t size = parcel->size + sizeof *parcel;
        mete_release(mete_locked_as_alloc(&locked), parcel, size, 8U);
        worker->operations++;
    }
}

static void *work(void *self)
{
    worker_t *const worker = self;
    threads_parcel_t *held[HELD_MAX] = {NULL};
    while (worker->operations < THREADS_OPERATIONS / THREADS_COUNT) {
        const size_t which = random_below(&worker->random, HELD_MAX);
        threads_pause(worker->random);
        if (random_below(&worker->random, 8U) == 0U) {
            const size_t place = random_below(&worker->random, THREADS_PLACES);
            held[which] = threads_trade(&exchange, place, held[which]);
        } else if (held[which] == NULL) {
            held[which] = take(worker);
        } else {
            give_back(worker, held[which]);
            held[which] = NULL;
        }
    }
    for (size_t i = 0U; i < HELD_MAX; i++) {
        give_back(worker, held[i]);
    }
    return NULL;
}

static void run_on(mete_alloc_t inner)
{
    static worker_t workers[THREADS_COUNT];
    worker_t rest = {0};
    EXPECT(mete_locked_init(&locked, inner, mete_posix_lock(&mutex), NULL));
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        workers[i] = (worker_t){.random = (uint32_t)(i + 1U) * 2654435761U};
    }
    EXPECT(threads_run(work, workers, sizeof workers[0]));
    for (size_t i = 0U; i < THREADS_PLACES; i++) {
        give_back(&rest, threads_trade(&exchange, i, NULL));
    }
    size_t operations = rest.operations;
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        EXPECT((workers[i].disturbed == 0U) && (workers[i].served != 0U));
        operations += workers[i].operations;
    }
    EXPECT((rest.disturbed == 0U) && (tap_take_fault() == 0));
    tap_note("operations", operations);
}

static void test_threads_share_a_locked_heap(void)
{
    mete_heap_t *const shared = mete_heap_init(&heap_config);
    run_on(mete_heap_as_alloc(shared));
    EXPECT(mete_heap_check(shared) && (mete_heap_usage(shared).in_use_size == 0U));
}

static void test_threads_share_a_locked_pool(void)
{
    EXPECT(mete_pool_init(&pool, &pool_config));
    run_on(mete_pool_as_alloc(&pool));
    EXPECT(mete_pool_check(&pool) && (mete_pool_usage(&pool).in_use == 0U));
    EXPECT(mete_pool_usage(&pool).in_use_peak == BLOCK_COUNT);
}

int main(void)
{
    RUN(test_threads_share_a_locked_heap);
    RUN(test_threads_share_a_locked_pool);
    return tap_finish();
}
