// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXPLORE_H
#define METE_EXPLORE_H

/// The engine of small-scope exhaustion: breadth-first search over all sequences of calls. Of a state
/// only its hash is kept, and by which call it was first reached from which other; to go on from it that
/// way is gone again. So a state costs 28 bytes, and a failure is shown by a shortest way that leads there.

#include "tests/exhaust/exhaust.h"

typedef struct explore_plan {
    const exhaust_subject_t *subject;
    size_t scale;        ///< How large the allocator is; what that counts is the subject's affair.
    uint32_t state_max;  ///< The search ends when so many states are known.
    bool is_quiet;       ///< A failure is not printed.
} explore_plan_t;

typedef struct explore_result {
    uint64_t state_count;
    uint64_t call_count;     ///< Legal calls made: once in every state.
    uint64_t refused_count;  ///< Calls that were to be refused.
    uint64_t may_count;      ///< Requests of which the model could not say what becomes of them.
    uint32_t depth;          ///< Calls to the farthest state; if it failed, to the failure.
    bool is_complete;        ///< Every state that can be reached was seen.
    const char *failure;     ///< What does not hold, or NULL.
} explore_result_t;

/// False if something did not hold or memory is lacking.
bool explore(const explore_plan_t *plan, explore_result_t *result);

#endif
