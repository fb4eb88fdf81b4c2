// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One thread calls, another reads, without any lock. All blocks have the same size, so that every
// sum of bytes can be told from the count that belongs to it.

#include "mete/wrap/stats.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

#include <pthread.h>

enum { SIZE = 3, ACQUIRE_COUNT = 100000 };

static inner_t inner;
static mete_stats_t stats;
static bool is_over;

static void *work(void *argument)
{
    (void)argument;
    const mete_alloc_t view = mete_stats_as_alloc(&stats);
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        void *const block = mete_acquire(view, SIZE, 1U);
        (void)mete_resize(view, block, SIZE, 2U * SIZE, 1U);
        (void)mete_resize(view, block, 2U * SIZE, SIZE, 1U);
        (void)mete_acquire(view, SIZE_MAX - 16U, 16U);  // Refused, as is the next: size and
        (void)mete_acquire(view, SIZE_MAX - 32U, 32U);  // alignment are of the same one.
        mete_release(view, block, SIZE, 1U);
    }
    return NULL;
}

static bool is_of_one_refusal(const mete_stats_usage_t *usage)
{
    return (usage->refusals == 0U) ||
           ((usage->last_refusal_size == SIZE_MAX - usage->last_refusal_align) &&
            (usage->last_refusal_align == ((usage->refusals % 2U != 0U) ? 16U : 32U)));
}

static bool belongs_together(const mete_stats_usage_t *usage)
{
    // A block at a time: growing comes after acquiring, shrinking before releasing.
    const uint64_t grows = (usage->resizes + 1U) / 2U;
    const uint64_t shrinks = usage->resizes / 2U;
    return (usage->acquired_size == SIZE * (usage->acquires + grows)) &&
           (usage->released_size == SIZE * (usage->releases + shrinks)) &&
           (usage->live_count <= 1U) && (usage->in_use_size <= 2U * SIZE) &&
           (usage->in_use_size >= SIZE * usage->live_count) &&
           (usage->in_use_size <= usage->in_use_peak) && is_of_one_refusal(usage);
}

static void test_a_reader_without_a_lock_sees_numbers_that_belong_together(void)
{
    pthread_t thread;
    EXPECT(mete_stats_init(&stats, inner_setup(&inner, INNER_ALL), NULL));
    EXPECT(pthread_create(&thread, NULL, work, NULL) == 0);
    size_t torn = 0U;
    size_t read_count = 0U;
    mete_stats_usage_t usage;
    do {
        mete_stats_read(&stats, &usage);
        torn += belongs_together(&usage) ? 0U : 1U;
        read_count++;
    } while (usage.acquires < ACQUIRE_COUNT);
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT((torn == 0U) && (inner.complaints == 0U));
    tap_note("calls", inner.calls);
    tap_note("reads", read_count);
}

int main(void)
{
    RUN(test_a_reader_without_a_lock_sees_numbers_that_belong_together);
    return tap_finish();
}
