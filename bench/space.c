// SPDX-License-Identifier: MIT OR Apache-2.0
//
// How much memory a recorded program needs on the heap: reads a trace from standard input and prints,
// for each search 0 and 2, the smallest safe arena as tests/traces/README.md defines it, control block
// included. Built for a 32-bit host, so that headers have the sizes they have on a microcontroller.
//
//     zstd -dc TRACE | space      prints "SEARCH HEAP ARENA PEAK" twice, HEAP being narrow or wide

#include "mete/alloc/heap_wide.h"
#include "tools/lib/trace.h"

#include <stdlib.h>

enum { STEP = 64, NARROW_MAX = 256 * 1024, WIDE_MAX = 64 * 1024 * 1024 };
enum { MARGIN_PERMILLE = 150, MARGIN_STEP_PERMILLE = 5 };

typedef struct object {
    void *block;
    size_t size, align;
} object_t;

typedef struct trial {
    const trace_t *trace;
    object_t *objects;  // By id.
    void *arena;        // As large as any that is tried.
    size_t arena_max;
    uint32_t search;
    bool is_wide;
} trial_t;

static bool apply(mete_alloc_t alloc, object_t *object, const trace_op_t *op)
{
    // malloc(0) gives a block of its own in the programs recorded.
    const size_t size = (op->size != 0U) ? op->size : 1U;
    switch (op->kind) {
    case TRACE_ACQUIRE:
        *object = (object_t){mete_acquire(alloc, size, op->align), size, op->align};
        return object->block != NULL;
    case TRACE_RESIZE: {
        void *const block = mete_realloc(alloc, object->block, object->size, size, object->align);
        *object = (object_t){block, size, object->align};
        return block != NULL;
    }
    default:
        mete_release(alloc, object->block, object->size, object->align);
        return true;
    }
}

// True if the whole trace succeeds in an arena of so many bytes.
static bool succeeds(const trial_t *trial, size_t arena_size)
{
    const mete_heap_config_t config = {.storage = {trial->arena, arena_size},
                                       .search = trial->search};
    mete_alloc_t alloc;
    if (trial->is_wide) {
        mete_heap_wide_t *const heap = mete_heap_wide_init(&config);
        alloc = mete_heap_wide_as_alloc(heap);
    } else {
        mete_heap_t *const heap = mete_heap_init(&config);
        alloc = mete_heap_as_alloc(heap);
    }
    for (size_t i = 0U; i < trial->trace->op_count; i++) {
        const trace_op_t *const op = &trial->trace->ops[i];
        if (!apply(alloc, &trial->objects[op->id], op)) {
            return false;
        }
    }
    return true;
}

// The smallest arena, to a step, that succeeds between one that fails and one that succeeds. If success
// comes and goes in between, one of them.
static size_t bisect(const trial_t *trial, size_t failing, size_t succeeding)
{
    while (succeeding - failing > STEP) {
        const size_t middle = failing + ((succeeding - failing) / (2 * STEP) * STEP);
        const size_t tried = (middle > failing) ? middle : failing + STEP;
        if (succeeds(trial, tried)) {
            succeeding = tried;
        } else {
            failing = tried;
        }
    }
    return succeeding;
}

static size_t above(size_t arena_size, size_t permille)
{
    return (arena_size + (arena_size * permille / 1000U)) / STEP * STEP;
}

// The largest arena tested above this one that fails, or 0.
static size_t failing_above(const trial_t *trial, size_t arena_size)
{
    for (size_t permille = MARGIN_PERMILLE; permille != 0U; permille -= MARGIN_STEP_PERMILLE) {
        const size_t tried = above(arena_size, permille);
        if ((tried <= trial->arena_max) && !succeeds(trial, tried)) {
            return tried;
        }
    }
    return 0U;
}

// The smallest safe arena, or 0 if even the largest fails. Each round starts above a failure, so the
// arena grows until all that are tested above it succeed.
static size_t safe_arena(const trial_t *trial, size_t failing)
{
    size_t safe = 0U;
    while (failing != 0U) {
        size_t larger = failing + STEP;
        while ((larger <= trial->arena_max) && !succeeds(trial, larger)) {
            failing = larger;
            larger += larger / 200U / STEP * STEP + STEP;
        }
        if (larger > trial->arena_max) {
            return 0U;
        }
        safe = bisect(trial, failing, larger);
        failing = failing_above(trial, safe);
    }
    return safe;
}

static void measure(trial_t *trial)
{
    const size_t peak = (size_t)trial->trace->live_size_peak;
    const size_t failing = (peak < NARROW_MAX) ? (peak / STEP * STEP) + STEP : NARROW_MAX;
    trial->is_wide = false;
    trial->arena_max = NARROW_MAX;
    size_t arena_size = (peak < NARROW_MAX) ? safe_arena(trial, failing) : 0U;
    if (arena_size == 0U) {
        trial->is_wide = true;
        trial->arena_max = WIDE_MAX;
        arena_size = safe_arena(trial, (peak / STEP * STEP) + STEP);
    }
    printf("%u %s %zu %zu\n", (unsigned)trial->search, trial->is_wide ? "wide" : "narrow",
           arena_size, peak);
}

int main(void)
{
    trace_t trace;
    trace_error_t error;
    if (!trace_read(&trace, stdin, &error)) {
        fprintf(stderr, "space: line %zu: %s\n", error.line, error.text);
        return 1;
    }
    trial_t trial = {.trace = &trace,
                     .objects = calloc(trace.id_count, sizeof(object_t)),
                     .arena = aligned_alloc(STEP, WIDE_MAX)};
    if ((trial.objects == NULL) || (trial.arena == NULL)) {
        fprintf(stderr, "space: out of memory\n");
        return 1;
    }
    for (trial.search = 0U; trial.search <= 2U; trial.search += 2U) {
        measure(&trial);
    }
    free(trial.arena);
    free(trial.objects);
    trace_free(&trace);
    return 0;
}
