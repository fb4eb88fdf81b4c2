// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VERIFY_EXPLORER_H
#define METE_VERIFY_EXPLORER_H

/// Runs a few threads in every order there is, on the code as it stands.
///
/// Threads are coroutines of one real thread. They change hands only in explorer_step(), which stands
/// in front of every access to a shared word; so what happens between two steps happens at once, and a
/// schedule is the sequence of who makes the next step. The explorer runs the same scene again and
/// again, each time with the next schedule in depth-first order, until all were run or one went wrong.
///
/// Every step happens in the order of the schedule and is seen by all at once. What a processor with weak
/// memory order may do beyond that is not explored.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPLORER_THREADS_MAX = 3, EXPLORER_STEPS_MAX = 1000 };

/// What is run: the same each time, as far as it does not depend on the schedule.
typedef struct explorer_scene {
    const char *name;
    size_t thread_count;
    void (*begin)(void);                                   ///< Before a run.
    void (*threads[EXPLORER_THREADS_MAX])(size_t thread);  ///< What each thread does in it.
    bool (*is_good)(void);                                 ///< After it, when all have ended.
    size_t preemptions_max;  ///< Of schedules that are run; SIZE_MAX: all are.
} explorer_scene_t;

typedef struct explorer_result {
    uint64_t schedules;  ///< That were run.
    size_t steps_max;    ///< Of the longest one.
    bool is_good;        ///< None went wrong.
} explorer_result_t;

/// Bugs sown into the atomic operations, to see that they are found. All zero: none.
typedef struct explorer_seeds {
    const size_t *tagless[2];  ///< Of these words a replace compares only the bits of `index`.
    size_t index;
    bool is_torn;  ///< A replace compares in one step and writes in another.
} explorer_seeds_t;

extern explorer_seeds_t explorer_seeds;

/// Runs all schedules, or up to the first that goes wrong.
explorer_result_t explorer_run(const explorer_scene_t *scene);

/// A shared word is about to be accessed. Does nothing outside of threads that run.
void explorer_step(void);

/// Something is wrong in this schedule: it is the last.
void explorer_fail(const char *what);

/// What the schedule that went wrong was, one letter a step, and what was wrong with it.
extern char explorer_trace[EXPLORER_STEPS_MAX + 1];
extern const char *explorer_complaint;

#endif
