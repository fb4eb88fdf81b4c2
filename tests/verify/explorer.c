// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/verify/explorer.h"

#include <setjmp.h>
#include <stdlib.h>
#include <ucontext.h>

enum { STACK_SIZE = 65536, SCHEDULER = EXPLORER_THREADS_MAX };

explorer_seeds_t explorer_seeds;
char explorer_trace[EXPLORER_STEPS_MAX + 1];
const char *explorer_complaint;

// A schedule: at each step, the how-manieth of so many threads that could go on. The first of them is
// always the one that ran last, if it can.
static struct {
    uint8_t taken, count;
} choices[EXPLORER_STEPS_MAX];
static size_t known;  // Choices that this run repeats; behind, it takes the first.

static const explorer_scene_t *running;
static size_t step_count, preemption_count;
static size_t current;  // Thread, or SCHEDULER.
static bool is_over[EXPLORER_THREADS_MAX];
static jmp_buf places[EXPLORER_THREADS_MAX + 1];
static char stacks[EXPLORER_THREADS_MAX][STACK_SIZE];

static void go_to(size_t next)
{
    const size_t from = current;
    if ((next != from) && (_setjmp(places[from]) == 0)) {
        current = next;
        _longjmp(places[next], 1);
    }
}

// ---- Who goes on

static size_t list_candidates(size_t candidates[EXPLORER_THREADS_MAX])
{
    size_t count = 0U;
    const bool can_go_on = (current != SCHEDULER) && !is_over[current];
    if (can_go_on) {
        candidates[count++] = current;
    }
    for (size_t i = 0U; i < running->thread_count; i++) {
        const bool may = !can_go_on || (preemption_count < running->preemptions_max);
        if ((i != current) && !is_over[i] && may) {
            candidates[count++] = i;
        }
    }
    return count;
}

static size_t choose(void)
{
    size_t candidates[EXPLORER_THREADS_MAX];
    const size_t count = list_candidates(candidates);
    if (count == 0U) {
        return SCHEDULER;
    }
    if (step_count == EXPLORER_STEPS_MAX) {
        explorer_fail("too many steps: a call does not end");
        return SCHEDULER;
    }
    if (step_count >= known) {
        choices[step_count].taken = 0U;
        choices[step_count].count = (uint8_t)count;
        known = step_count + 1U;
    }
    const size_t next = candidates[choices[step_count].taken];
    preemption_count += ((next != current) && (candidates[0] == current)) ? 1U : 0U;
    explorer_trace[step_count] = (char)('a' + next);
    step_count++;
    return next;
}

void explorer_step(void)
{
    if (current != SCHEDULER) {
        go_to(choose());
    }
}

void explorer_fail(const char *what)
{
    explorer_complaint = (explorer_complaint == NULL) ? what : explorer_complaint;
}

// ---- The threads: each lives for all runs of a scene

static void live(size_t thread)
{
    for (;;) {
        running->threads[thread](thread);
        is_over[thread] = true;
        go_to(choose());
    }
}

static ucontext_t creator;

static void be_born(unsigned thread)
{
    if (_setjmp(places[thread]) == 0) {
        setcontext(&creator);
    }
    live(thread);
}

static void create(size_t thread)
{
    static ucontext_t contexts[EXPLORER_THREADS_MAX];
    getcontext(&contexts[thread]);
    contexts[thread].uc_stack.ss_sp = stacks[thread];
    contexts[thread].uc_stack.ss_size = STACK_SIZE;
    contexts[thread].uc_link = NULL;
    makecontext(&contexts[thread], (void (*)(void))be_born, 1, (unsigned)thread);
    swapcontext(&creator, &contexts[thread]);
}

// ---- All schedules

static void run_once(void)
{
    step_count = 0U;
    preemption_count = 0U;
    for (size_t i = 0U; i < EXPLORER_THREADS_MAX; i++) {
        is_over[i] = false;
    }
    running->begin();
    go_to(choose());
    explorer_trace[step_count] = '\0';
    if ((explorer_complaint == NULL) && !running->is_good()) {
        explorer_fail("the end is wrong");
    }
}

// The next schedule in depth-first order: another choice at the last step that has one left.
static bool has_next(void)
{
    known = step_count;
    while ((known != 0U) && (choices[known - 1U].taken + 1U == choices[known - 1U].count)) {
        known--;
    }
    if (known == 0U) {
        return false;
    }
    choices[known - 1U].taken++;
    return true;
}

explorer_result_t explorer_run(const explorer_scene_t *scene)
{
    explorer_result_t result = {0U, 0U, true};
    running = scene;
    current = SCHEDULER;
    known = 0U;
    explorer_complaint = NULL;
    for (size_t i = 0U; i < scene->thread_count; i++) {
        create(i);
    }
    do {
        run_once();
        result.schedules++;
        result.steps_max = (step_count > result.steps_max) ? step_count : result.steps_max;
        result.is_good = explorer_complaint == NULL;
    } while (result.is_good && has_next());
    return result;
}
