// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic pool under real threads. They write all over their blocks, hand some to each other, and run
// out all the time; and they free one block together. ThreadSanitizer, in its preset, sees any two plain
// accesses that the pool does not keep in order.

#include "mete/core/base.h"

// The recorder of the other tests is for one thread.
#undef METE_FAULT
#define METE_FAULT(fault, object, address) count_fault((int)(fault), (object), (address))
static void count_fault(int fault, const void *object, const void *address);

#include "mete/alloc/atomic_pool.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/verify/threads.h"

// A single thread can hold them all.
enum { BLOCK_COUNT = 7, RESERVED_COUNT = 2, HELD_MAX = 8, TOGETHER_COUNT = 2000 };

typedef struct item {
    threads_parcel_t parcel;
    unsigned char bytes[24];
} item_t;

METE_ATOMIC_POOL_DEFINE(pool, item_t, BLOCK_COUNT, RESERVED_COUNT);

static size_t double_frees, other_faults;

static void count_fault(int fault, const void *object, const void *address)
{
    const bool is_expected = (fault == METE_FAULT_DOUBLE_FREE) && (object == &pool);
    (void)address;
    (void)__atomic_add_fetch(is_expected ? &double_frees : &other_faults, 1U, __ATOMIC_RELAXED);
}

// ---- Random work

typedef struct worker {
    uint32_t random;
    size_t operations;
    size_t served, refused, freed, disturbed;
} worker_t;

static threads_exchange_t exchange;

static item_t *take(worker_t *worker)
{
    const bool may_be_any = random_below(&worker->random, 3U) == 0U;
    item_t *const item =
        may_be_any ? mete_atomic_pool_alloc_reserved(&pool) : mete_atomic_pool_alloc(&pool);
    worker->operations++;
    if (item == NULL) {
        worker->refused++;
        return NULL;
    }
    worker->served++;
    item->parcel = (threads_parcel_t){item->bytes, sizeof item->bytes};
    threads_paint(item->bytes, sizeof item->bytes, (unsigned char)worker->random);
    return item;
}

static void give_back(worker_t *worker, item_t *item)
{
    if (item != NULL) {
        worker->disturbed += threads_is_painted(item->bytes, sizeof item->bytes) ? 0U : 1U;
        mete_atomic_pool_free(&pool, item);
        worker->operations++;
        worker->freed++;
    }
}

static void *work(void *self)
{
    worker_t *const worker = self;
    item_t *held[HELD_MAX] = {NULL};
    while (worker->operations < THREADS_OPERATIONS / THREADS_COUNT) {
        const size_t which = random_below(&worker->random, HELD_MAX);
        threads_pause(worker->random);
        if (random_below(&worker->random, 4U) == 0U) {
            const size_t place = random_below(&worker->random, THREADS_PLACES / 4U);
            threads_parcel_t *const mine = (threads_parcel_t *)held[which];
            held[which] = (item_t *)threads_trade(&exchange, place, mine);
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

static void test_threads_do_not_disturb_each_other(void)
{
    static worker_t workers[THREADS_COUNT];
    worker_t sum = {0};
    EXPECT(mete_atomic_pool_init(&pool, &pool_config));
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        workers[i].random = (uint32_t)(i + 1U) * 2654435761U;
    }
    EXPECT(threads_run(work, workers, sizeof workers[0]));
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        sum.served += workers[i].served;
        sum.refused += workers[i].refused;
        sum.freed += workers[i].freed;
        sum.disturbed += workers[i].disturbed;
    }
    for (size_t i = 0U; i < THREADS_PLACES; i++) {
        give_back(&sum, (item_t *)threads_trade(&exchange, i, NULL));
    }
    const mete_atomic_pool_usage_t usage = mete_atomic_pool_usage(&pool);
    EXPECT((sum.disturbed == 0U) && (double_frees + other_faults == 0U));
    EXPECT((sum.served != 0U) && (sum.refused != 0U) && (sum.served == sum.freed));
    EXPECT((usage.in_use == 0U) && (usage.refusals == sum.refused));
    EXPECT(usage.alloc_total == (sum.served & usage.total_max));
    EXPECT((usage.in_use_peak == BLOCK_COUNT) && mete_atomic_pool_check(&pool));
    tap_note("operations", sum.served + sum.refused + sum.freed);
}

// ---- All free one block at the same time

static item_t *together[TOGETHER_COUNT];
static size_t arrived[TOGETHER_COUNT];

static void *free_together(void *self)
{
    (void)self;
    for (size_t i = 0U; i < TOGETHER_COUNT; i++) {
        if (__atomic_add_fetch(&arrived[i], 1U, __ATOMIC_ACQ_REL) == THREADS_COUNT) {
            __atomic_store_n(&together[i], mete_atomic_pool_alloc(&pool), __ATOMIC_RELEASE);
        }
        item_t *item = NULL;
        while ((item = __atomic_load_n(&together[i], __ATOMIC_ACQUIRE)) == NULL) {
            (void)sched_yield();  // The last to arrive lays it down.
        }
        mete_atomic_pool_free(&pool, item);
    }
    return NULL;
}

static void test_of_several_who_free_a_block_one_succeeds(void)
{
    static worker_t unused[THREADS_COUNT];
    EXPECT(mete_atomic_pool_init(&pool, &pool_config));
    EXPECT(threads_run(free_together, unused, sizeof unused[0]));
    EXPECT((double_frees == TOGETHER_COUNT * (THREADS_COUNT - 1U)) && (other_faults == 0U));
    EXPECT((mete_atomic_pool_usage(&pool).in_use == 0U) && mete_atomic_pool_check(&pool));
}

int main(void)
{
    RUN(test_threads_do_not_disturb_each_other);
    RUN(test_of_several_who_free_a_block_one_succeeds);
    return tap_finish();
}
