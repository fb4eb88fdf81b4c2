// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Atomic references under real threads. Each holds references of both sorts to objects that it shares with the
// others, takes and drops them at random, hands some on, and now and then gets an object for itself, on which it
// writes. ThreadSanitizer, in its preset, sees any two plain accesses that the counts do not keep in order: what
// a thread wrote before its drop, and what the cleanup or the next owner reads.

#include "mete/core/base.h"

// The recorder of the other tests is for one thread.
#undef METE_FAULT
#define METE_FAULT(fault, object, address) count_fault((int)(fault), (object), (address))
static void count_fault(int fault, const void *object, const void *address);

#include "mete/object/atomic_ref.c"

#include "mete/alloc/atomic_pool.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/verify/threads.h"

enum { OBJECT_COUNT = 24, KEPT_COUNT = 3, HELD_MAX = 6 };

typedef struct item {
    threads_parcel_t parcel;
    size_t notes[THREADS_COUNT];  // Each thread writes its own, while it holds the object.
    unsigned char bytes[24];      // Who has it for himself writes these.
} item_t;

typedef METE_REF_BLOCK(item_t) item_block_t;
METE_ATOMIC_POOL_DEFINE(pool, item_block_t, OBJECT_COUNT, 0);
static uintptr_t kept[KEPT_COUNT];
static mete_atomic_ref_t items;

static size_t fault_count, ended_count, ended_sum;

static void count_fault(int fault, const void *object, const void *address)
{
    (void)fault, (void)object, (void)address;
    (void)__atomic_add_fetch(&fault_count, 1U, __ATOMIC_RELAXED);
}

// Reads what all threads have written.
static void *cleanup(void *self, void *object)
{
    (void)self;
    const item_t *const item = (const item_t *)object;
    size_t sum = 0U;
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        sum += item->notes[i];
    }
    (void)__atomic_add_fetch(&ended_sum, sum, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&ended_count, 1U, __ATOMIC_RELAXED);
    return NULL;
}

static const mete_ref_config_t config = {sizeof(item_t), _Alignof(item_t), cleanup, NULL,
                                         kept,           KEPT_COUNT};

typedef struct worker {
    uint32_t random;
    size_t index;
    size_t operations;
    size_t made, note_sum, upgraded, dead, gotten, disturbed;
    item_t *strong[HELD_MAX];
    item_t *weak[HELD_MAX];
} worker_t;

static threads_exchange_t exchange;

static void write_note(worker_t *worker, item_t *item)
{
    item->notes[worker->index]++;
    worker->note_sum++;
}

static item_t *make(worker_t *worker)
{
    item_t *const item = (item_t *)mete_atomic_ref_alloc(&items);
    if (item != NULL) {
        worker->made++;
        for (size_t i = 0U; i < THREADS_COUNT; i++) {
            item->notes[i] = 0U;
        }
    }
    return item;
}

static void let_go(worker_t *worker, item_t **place)
{
    if (*place != NULL) {
        write_note(worker, *place);
        mete_atomic_ref_drop(&items, *place);
        *place = NULL;
    }
}

// One of ours is handed on, with one reference more, for whatever lies there.
static void trade(worker_t *worker, size_t which)
{
    item_t *const mine = worker->strong[which];
    const size_t place = random_below(&worker->random, THREADS_PLACES / 4U);
    if (mine != NULL) {
        mete_atomic_ref_retain(&items, mine);
    }
    item_t *theirs = (item_t *)threads_trade(&exchange, place, (threads_parcel_t *)mine);
    let_go(worker, &theirs);
}

static void take_from_others(worker_t *worker, size_t which)
{
    const size_t place = random_below(&worker->random, THREADS_PLACES / 4U);
    let_go(worker, &worker->strong[which]);
    worker->strong[which] = (item_t *)threads_trade(&exchange, place, NULL);
    worker->strong[which] = (worker->strong[which] == NULL) ? make(worker) : worker->strong[which];
}

static void look_weakly(worker_t *worker, size_t which)
{
    item_t *const item = worker->strong[which];
    if (worker->weak[which] != NULL) {
        const bool is_alive = mete_atomic_ref_upgrade(&items, worker->weak[which]);
        worker->upgraded += is_alive ? 1U : 0U;
        worker->dead += is_alive ? 0U : 1U;
        item_t *again = is_alive ? worker->weak[which] : NULL;
        let_go(worker, &again);
        mete_atomic_ref_drop_weak(&items, worker->weak[which]);
        worker->weak[which] = NULL;
    } else if (item != NULL) {
        mete_atomic_ref_retain_weak(&items, item);
        worker->weak[which] = item;
    }
}

// An object of our own: nobody writes on it meanwhile.
static void get(worker_t *worker)
{
    item_t *const item = (item_t *)mete_atomic_ref_get(&items);
    if (item != NULL) {
        worker->gotten++;
        for (size_t i = 0U; i < THREADS_COUNT; i++) {
            item->notes[i] = 0U;
        }
        threads_paint(item->bytes, sizeof item->bytes, (unsigned char)worker->random);
        threads_pause(worker->random);
        worker->disturbed += threads_is_painted(item->bytes, sizeof item->bytes) ? 0U : 1U;
        mete_atomic_ref_drop(&items, item);
    }
}

static void *work(void *self)
{
    worker_t *const worker = (worker_t *)self;
    for (; worker->operations < THREADS_OPERATIONS / THREADS_COUNT; worker->operations++) {
        const size_t which = random_below(&worker->random, HELD_MAX);
        const uint32_t choice = random_below(&worker->random, 16U);
        threads_pause(worker->random);
        if (choice < 5U) {
            trade(worker, which);
        } else if (choice < 9U) {
            take_from_others(worker, which);
        } else if (choice < 13U) {
            look_weakly(worker, which);
        } else if (choice < 15U) {
            get(worker);
        } else if (random_below(&worker->random, 8U) == 0U) {
            (void)mete_atomic_ref_purge(&items);
        }
    }
    for (size_t i = 0U; i < HELD_MAX; i++) {
        let_go(worker, &worker->strong[i]);
        mete_atomic_ref_drop_weak(&items, worker->weak[i]);
        worker->weak[i] = NULL;
    }
    return NULL;
}

static void add(worker_t *sum, const worker_t *worker)
{
    sum->made += worker->made;
    sum->note_sum += worker->note_sum;
    sum->upgraded += worker->upgraded;
    sum->dead += worker->dead;
    sum->gotten += worker->gotten;
    sum->disturbed += worker->disturbed;
}

static void test_threads_share_objects_and_nothing_is_lost(void)
{
    static worker_t workers[THREADS_COUNT];
    worker_t sum = {0};
    EXPECT(mete_atomic_pool_init(&pool, &pool_config));
    EXPECT(mete_atomic_ref_init(&items, mete_atomic_pool_as_alloc(&pool), &config));
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        workers[i].random = (uint32_t)(i + 1U) * 2654435761U;
        workers[i].index = i;
    }
    EXPECT(threads_run(work, workers, sizeof workers[0]));
    for (size_t i = 0U; i < THREADS_COUNT; i++) {
        add(&sum, &workers[i]);
    }
    for (size_t i = 0U; i < THREADS_PLACES; i++) {
        item_t *left = (item_t *)threads_trade(&exchange, i, NULL);
        let_go(&sum, &left);
    }
    (void)mete_atomic_ref_purge(&items);
    const mete_ref_usage_t usage = mete_atomic_ref_usage(&items);
    EXPECT((fault_count == 0U) && (sum.disturbed == 0U));
    EXPECT((usage.in_use == 0U) && (usage.kept == 0U) && mete_atomic_ref_check(&items));
    EXPECT((mete_atomic_pool_usage(&pool).in_use == 0U) && mete_atomic_pool_check(&pool));
    EXPECT((ended_count >= sum.made) && (ended_sum == sum.note_sum));
    EXPECT((sum.upgraded != 0U) && (sum.dead != 0U) && (sum.gotten != 0U));
    tap_note("objects", ended_count);
    tap_note("upgraded", sum.upgraded);
    tap_note("dead", sum.dead);
}

int main(void)
{
    RUN(test_threads_share_objects_and_nothing_is_lost);
    return tap_finish();
}
