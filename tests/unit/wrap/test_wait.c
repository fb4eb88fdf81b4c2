// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Waiting without threads: a task that goes to sleep here runs what others do meanwhile, which a test
// wrote down beforehand. The clock counts how often it slept.

#include <stdint.h>

// In place of the platform's, wherever wait.h and wait.c name them.
#define mete_critical_enter enter_section
#define mete_critical_leave leave_section
#define mete_clock_ms       clock_ms
#include "mete/wrap/wait.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static size_t depth;
static uint32_t now_ms;

uintptr_t enter_section(void)
{
    depth++;
    return depth;
}

void leave_section(uintptr_t state)
{
    EXPECT(state == depth);
    depth--;
}

uint32_t clock_ms(void)
{
    return now_ms;
}

// ---- Signals. A sleep takes 10 ms unless the signal is set, and what happens meanwhile is `meanwhile`.

typedef struct fake_signal {
    bool is_set;
    size_t notified;
} fake_signal_t;

static void (*meanwhile)(void);
static size_t sleeps;
static uint32_t timeout_seen;

static bool fake_wait(void *self, uint32_t timeout_ms)
{
    fake_signal_t *const signal = self;
    EXPECT(depth == 0U);
    sleeps++;
    timeout_seen = timeout_ms;
    if (meanwhile != NULL) {
        meanwhile();
    }
    if (!signal->is_set) {
        now_ms += timeout_ms;
        return false;
    }
    now_ms += 10U;
    signal->is_set = false;
    return true;
}

static void fake_notify(void *self)
{
    fake_signal_t *const signal = self;
    EXPECT(depth == 0U);
    signal->is_set = true;
    signal->notified++;
}

static const mete_signal_ops_t fake_ops = {fake_wait, fake_notify};
static fake_signal_t signals[4];
static inner_t inner;
static mete_wait_t waiting;
static mete_alloc_t view;

static mete_wait_terms_t terms_of(size_t which, uint32_t priority, uint32_t timeout_ms)
{
    return (mete_wait_terms_t){{&fake_ops, &signals[which]}, priority, timeout_ms};
}

static void setup(void)
{
    for (size_t i = 0U; i < 4U; i++) {
        signals[i] = (fake_signal_t){false, 0U};
    }
    meanwhile = NULL;
    sleeps = 0U;
    depth = 0U;
    now_ms = UINT32_MAX - 25U;  // The clock wraps while they wait.
    EXPECT(mete_wait_init(&waiting, inner_setup(&inner, INNER_ALL)));
    view = mete_wait_as_alloc(&waiting);
}

static void *everything;

static void setup_full(void)
{
    setup();
    everything = mete_acquire(view, INNER_SIZE, 1U);
    EXPECT(everything != NULL);
}

static void free_everything(void)
{
    mete_release(view, everything, INNER_SIZE, 1U);
    meanwhile = NULL;
}

// ----

static void test_init_refuses_a_missing_allocator(void)
{
    setup();
    const mete_dlist_link_t *const before = waiting.line.next;
    EXPECT(!mete_wait_init(&waiting, (mete_alloc_t){NULL, NULL}) && (waiting.line.next == before));
}

static void test_what_is_there_is_had_without_waiting(void)
{
    setup();
    const mete_wait_terms_t terms = terms_of(0U, 1U, METE_SIGNAL_FOREVER);
    void *const block = mete_wait_acquire(&waiting, view, 100U, 8U, &terms);
    EXPECT((block != NULL) && (sleeps == 0U) && mete_dlist_is_empty(&waiting.line));
    mete_release(view, block, 100U, 8U);
    EXPECT((signals[0].notified == 0U) && (inner.complaints == 0U));
}

static void test_a_release_ends_the_waiting(void)
{
    setup_full();
    meanwhile = free_everything;
    const mete_wait_terms_t terms = terms_of(0U, 1U, 100U);
    EXPECT(mete_wait_acquire(&waiting, view, 100U, 8U, &terms) != NULL);
    EXPECT((sleeps == 1U) && (timeout_seen == 100U) && mete_dlist_is_empty(&waiting.line));
}

static void shrink_everything(void)
{
    EXPECT(mete_resize(view, everything, INNER_SIZE, INNER_SIZE / 2U, 1U));
    meanwhile = NULL;
}

static void test_a_block_that_shrinks_ends_the_waiting(void)
{
    setup_full();
    meanwhile = shrink_everything;
    const mete_wait_terms_t terms = terms_of(0U, 1U, METE_SIGNAL_FOREVER);
    EXPECT(mete_wait_acquire(&waiting, view, 100U, 8U, &terms) != NULL);
    EXPECT((sleeps == 1U) && (timeout_seen == METE_SIGNAL_FOREVER));
}

static void test_a_block_that_grows_or_cannot_shrink_wakes_nobody(void)
{
    setup();
    const mete_wait_terms_t terms = terms_of(0U, 1U, 50U);
    mete_wait_task_t task;
    void *const block = mete_acquire(view, 100U, 8U);
    mete_wait_enter(&waiting, &task, &terms);
    EXPECT(mete_resize(view, block, 100U, 200U, 8U) && (signals[0].notified == 0U));
    EXPECT(mete_resize(view, block, 200U, 200U, 8U) && (signals[0].notified == 0U));
    EXPECT(!mete_resize(view, block, 200U, SIZE_MAX, 8U) && (signals[0].notified == 0U));
    EXPECT(!mete_resize(view, block, 7U, 5U, 8U) && (signals[0].notified == 0U));
    mete_wait_leave(&waiting, &task);
}

static void test_the_time_passes(void)
{
    setup_full();
    const mete_wait_terms_t terms = terms_of(0U, 1U, 70U);
    const uint32_t start = now_ms;
    EXPECT(mete_wait_acquire(&waiting, view, 100U, 8U, &terms) == NULL);
    EXPECT((now_ms - start == 70U) && (sleeps == 1U) && mete_dlist_is_empty(&waiting.line));
}

static void notify_in_vain(void)
{
    mete_wait_notify(&waiting);
}

static void test_being_woken_in_vain_does_not_prolong_the_waiting(void)
{
    setup_full();
    meanwhile = notify_in_vain;
    const mete_wait_terms_t terms = terms_of(0U, 1U, 35U);
    EXPECT(mete_wait_acquire(&waiting, view, 100U, 8U, &terms) == NULL);
    EXPECT((sleeps == 4U) && (timeout_seen == 5U));  // 35, 25, 15 and 5 ms were left.
}

static void test_a_timeout_of_0_does_not_sleep(void)
{
    setup_full();
    const mete_wait_terms_t terms = terms_of(0U, 1U, 0U);
    EXPECT((mete_wait_acquire(&waiting, view, 100U, 8U, &terms) == NULL) && (sleeps == 0U));
}

static void test_what_no_memory_could_meet_is_refused_at_once(void)
{
    setup();
    const mete_wait_terms_t terms = terms_of(0U, 1U, METE_SIGNAL_FOREVER);
    EXPECT(mete_wait_acquire(&waiting, view, 0U, 8U, &terms) == NULL);
    EXPECT(mete_wait_acquire(&waiting, view, 8U, 24U, &terms) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (sleeps == 0U));
}

static mete_wait_task_t tasks[4];
static mete_wait_terms_t tasks_terms[4];

static void enter(size_t which, uint32_t priority)
{
    tasks_terms[which] = terms_of(which, priority, 1000U);
    mete_wait_enter(&waiting, &tasks[which], &tasks_terms[which]);
}

static bool is_first(size_t which)
{
    return mete_wait_is_first(&waiting, &tasks[which]);
}

static void test_the_highest_priority_is_first_and_equals_keep_their_order(void)
{
    setup();
    enter(0U, 5U);
    enter(1U, 9U);
    enter(2U, 5U);
    enter(3U, 9U);
    static const size_t order[4] = {1U, 3U, 0U, 2U};
    for (size_t i = 0U; i < 4U; i++) {
        for (size_t which = 0U; which < 4U; which++) {
            EXPECT(is_first(which) == (which == order[i]));
        }
        mete_wait_leave(&waiting, &tasks[order[i]]);
    }
    EXPECT(mete_dlist_is_empty(&waiting.line));
}

static void test_only_the_first_is_woken(void)
{
    setup();
    enter(0U, 1U);
    enter(1U, 2U);
    mete_release(view, mete_acquire(view, 8U, 8U), 8U, 8U);
    EXPECT((signals[0].notified == 0U) && (signals[1].notified == 1U));
    mete_wait_notify(&waiting);
    EXPECT((signals[0].notified == 0U) && (signals[1].notified == 2U));
}

static void test_who_leaves_first_wakes_the_next_and_others_wake_nobody(void)
{
    setup();
    enter(0U, 1U);
    enter(1U, 2U);
    enter(2U, 0U);
    mete_wait_leave(&waiting, &tasks[0]);
    EXPECT((signals[1].notified == 0U) && (signals[2].notified == 0U));
    mete_wait_leave(&waiting, &tasks[1]);
    EXPECT((signals[0].notified == 0U) && (signals[2].notified == 1U));
    mete_wait_leave(&waiting, &tasks[2]);
    EXPECT(signals[2].notified == 1U);
}

static void test_who_comes_later_does_not_overtake_with_a_small_request(void)
{
    setup();
    void *const half = mete_acquire(view, INNER_SIZE / 2U, 8U);
    enter(1U, 2U);  // Waits for more than there is.
    const mete_wait_terms_t terms = terms_of(0U, 2U, 20U);
    EXPECT(mete_wait_acquire(&waiting, view, 8U, 8U, &terms) == NULL);
    const mete_wait_terms_t urgent = terms_of(0U, 3U, 20U);
    void *const block = mete_wait_acquire(&waiting, view, 8U, 8U, &urgent);
    EXPECT((block != NULL) && (signals[1].notified == 1U));  // It is the first again.
    mete_wait_leave(&waiting, &tasks[1]);
    mete_release(view, half, INNER_SIZE / 2U, 8U);
    mete_release(view, block, 8U, 8U);
    EXPECT(inner.complaints == 0U);
}

__attribute__((noinline)) static void *acquire_waiting(const mete_wait_terms_t *terms)
{
    return mete_wait_acquire(&waiting, (mete_alloc_t){&inner.ops, &inner}, 8U, 8U, terms);
}

static void test_the_call_behind_comes_from_the_program(void)
{
    setup_full();
    meanwhile = free_everything;
    const mete_wait_terms_t terms = terms_of(0U, 1U, 20U);
    EXPECT((acquire_waiting(&terms) != NULL) && (sleeps == 1U));
    EXPECT((uintptr_t)inner.caller - (uintptr_t)acquire_waiting < 4096U);
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_wait_init(&waiting, inner_setup(&inner, abilities)));
        inner_expect_same_abilities(mete_wait_as_alloc(&waiting), abilities);
    }
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator);
    RUN(test_what_is_there_is_had_without_waiting);
    RUN(test_a_release_ends_the_waiting);
    RUN(test_a_block_that_shrinks_ends_the_waiting);
    RUN(test_a_block_that_grows_or_cannot_shrink_wakes_nobody);
    RUN(test_the_time_passes);
    RUN(test_being_woken_in_vain_does_not_prolong_the_waiting);
    RUN(test_a_timeout_of_0_does_not_sleep);
    RUN(test_what_no_memory_could_meet_is_refused_at_once);
    RUN(test_the_highest_priority_is_first_and_equals_keep_their_order);
    RUN(test_only_the_first_is_woken);
    RUN(test_who_leaves_first_wakes_the_next_and_others_wake_nobody);
    RUN(test_who_comes_later_does_not_overtake_with_a_small_request);
    RUN(test_the_call_behind_comes_from_the_program);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    return tap_finish();
}
