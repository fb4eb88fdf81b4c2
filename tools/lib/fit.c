// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/fit.h"

#include <stdlib.h>

enum { GRANULE = 8 };  // Arenas differ by multiples of this.

typedef struct search {
    const trace_t *trace;
    const replay_options_t *options;
    fit_t *fit;
    size_t low;        // Fails, as far as known.
    size_t high;       // Succeeds.
    size_t remaining;  // Trials expected to follow.
} search_t;

size_t fit_step(size_t size, unsigned step)
{
    const uint64_t larger = ((uint64_t)size * (1000U + (5U * step)) + 999U) / 1000U;
    return (size_t)((larger + GRANULE - 1U) / GRANULE * GRANULE);
}

static void tell_progress(search_t *search)
{
    const replay_options_t *const options = search->options;
    search->fit->trial_count++;
    search->remaining -= (search->remaining != 0U) ? 1U : 0U;
    if (options->on_progress != NULL) {
        options->on_progress(options->on_progress_self, search->fit->trial_count,
                             search->fit->trial_count + search->remaining);
    }
}

// True if the trace completes. Each trial has an arena of its own, so that a sanitizer sees its ends.
static bool completes(search_t *search, size_t size)
{
    tell_progress(search);
    replay_options_t options = *search->options;
    void *memory = NULL;
    if (posix_memalign(&memory, 64U, size) != 0) {
        return false;
    }
    options.arena = (mete_span_t){memory, size};
    options.stops_at_failure = true;
    options.samples = NULL;
    options.on_progress = NULL;
    replay_result_t result;
    const bool completed = replay_run(search->trace, &options, &result);
    free(memory);
    if (result.defect != NULL) {
        search->fit->defect = result.defect;
    }
    return completed;
}

// Doubles `high` until it succeeds. False if even the largest arena fails.
static bool find_success(search_t *search)
{
    const size_t size_max = search->options->backend->arena_max;
    search->high = (search->high < size_max) ? search->high : size_max;
    while (!completes(search, search->high)) {
        if ((search->high == size_max) || (search->fit->defect != NULL)) {
            return false;
        }
        search->low = search->high;
        search->high = (search->high < size_max / 2U) ? search->high * 2U : size_max;
    }
    return true;
}

static void bisect(search_t *search)
{
    while (search->high - search->low > GRANULE) {
        const size_t middle = search->low + ((search->high - search->low) / 2U / GRANULE * GRANULE);
        if (completes(search, middle)) {
            search->high = middle;
        } else {
            search->low = middle;
        }
    }
}

// Tests the steps above `high`, largest first. True if all succeed; else `low` is the largest that
// fails and `high` the step above it.
static bool is_safe(search_t *search)
{
    const size_t size = search->high;
    const size_t size_max = search->options->backend->arena_max;
    search->remaining = FIT_STEP_COUNT;
    for (unsigned step = FIT_STEP_COUNT; step >= 1U; step--) {
        const size_t larger = fit_step(size, step);
        if ((larger <= size_max) && (larger > size) && !completes(search, larger)) {
            search->low = larger;
            search->high = fit_step(size, step + 1U);
            return false;
        }
    }
    return true;
}

static size_t trials_to_bisect(const search_t *search)
{
    size_t count = 0U;
    for (size_t gap = search->high - search->low; gap > GRANULE; gap /= 2U) {
        count++;
    }
    return count;
}

bool fit_find(const trace_t *trace, const replay_options_t *options, fit_t *fit)
{
    *fit = (fit_t){0};
    replay_floor_t bound;
    search_t search = {.trace = trace, .options = options, .fit = fit};
    if ((options->backend->arena_max == 0U) || !replay_floor_of(trace, options->backend, &bound)) {
        return false;
    }
    const uint64_t least = bound.block_size_peak + bound.control_size;
    if (least > options->backend->arena_max) {
        return false;
    }
    // Nothing below the floor can succeed. Most traces need a tenth more.
    search.low = (size_t)((least - 1U) / GRANULE * GRANULE);
    search.high = fit_step(search.low + GRANULE, FIT_STEP_COUNT);
    bool is_found = false;
    // Each round starts above the last: `low` only rises.
    while (!is_found && (fit->defect == NULL)) {
        search.remaining = trials_to_bisect(&search) + FIT_STEP_COUNT + 1U;
        if (!find_success(&search)) {
            return false;
        }
        bisect(&search);
        fit->first_size = (fit->first_size == 0U) ? search.high : fit->first_size;
        fit->size = search.high;
        is_found = is_safe(&search) && (fit->defect == NULL);
    }
    return is_found;
}
