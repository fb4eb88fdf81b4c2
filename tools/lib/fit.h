// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_FIT_H
#define METE_TOOLS_FIT_H

/// Finds the smallest safe arena: the smallest in which a trace completes without a failure, control
/// structures included, and in every larger one tested up to 15 % above.
///
/// An arena a little larger can fail where a smaller one did not, because blocks fall differently.
/// So one success means little; here 30 sizes, 0.5 % apart, must succeed as well. Sizes beyond what
/// the back end can use are not tested. About 50 replays.

#include "tools/lib/replayer.h"

enum { FIT_STEP_COUNT = 30 };  // Sizes tested above the result, 0.5 % apart.

typedef struct fit {
    size_t size;         ///< Bytes, a multiple of 8.
    size_t first_size;   ///< The smallest success that bisection found, safe or not.
    size_t trial_count;  ///< Replays.
    const char *defect;  ///< What the allocator did wrong in a trial, or NULL. Ends the search.
} fit_t;

/// True if there is such an arena. `options` says how to replay; arena, samples and
/// stops_at_failure are set here, and on_progress is told of trials, not of operations.
bool fit_find(const trace_t *trace, const replay_options_t *options, fit_t *fit);

/// The size tested at a step above `size`, 0 ... FIT_STEP_COUNT: 0.5 % each, a multiple of 8.
size_t fit_step(size_t size, unsigned step);

#endif
