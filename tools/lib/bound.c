// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Functions are bounded after those they call. In each, loops are unrolled; what is left has a longest path, which
// is found in one sweep over the nodes in order.

#include "tools/lib/bound.h"

#include "tools/lib/callees.h"
#include "tools/lib/unroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY(reason, size, ...) ((void)snprintf((reason), (size), __VA_ARGS__))

// A function, while it is bounded and afterwards.
typedef struct entry {
    callees_entry_t base;
    bound_t bound;
} entry_t;

struct bounds {
    callees_t callees;
};

static bool start(callees_t *callees, callees_entry_t *entry, char *reason, size_t size)
{
    return (entry->routine.insns != NULL) ||
           (routine_read(&entry->routine, callees->program, entry->function, &callees->notes,
                         reason, size) &&
            routine_trim(&entry->routine, &callees->notes, reason, size));
}

static void drop(callees_entry_t *entry)
{
    free(((entry_t *)entry)->bound.path);
}

// ---- The longest path

enum { SIDES_MAX = 64 };

// A way to reach a node: which sides of [[apart]] it has passed, and how long it is.
typedef struct state {
    struct state *next;
    uint64_t sides;
    uint64_t length;
    const struct state *before;
    uint64_t address;  // Of the instruction that `before` leads to.
} state_t;

typedef struct sweep {
    const routine_t *routine;
    const graph_t *graph;
    callees_t *callees;
    state_t **states;    // Of each node.
    uint64_t *sides_at;  // Of each instruction.
} sweep_t;

static bool reach(state_t **list, const state_t *before, uint64_t sides, uint64_t length,
                  uint64_t address)
{
    state_t *state = *list;
    while ((state != NULL) && (state->sides != sides)) {
        state = state->next;
    }
    if (state == NULL) {
        state = calloc(1U, sizeof *state);
        if (state == NULL) {
            return false;
        }
        state->next = *list;
        state->sides = sides;
        *list = state;
    } else if (state->length >= length) {
        return true;
    }
    state->length = length;
    state->before = before;
    state->address = address;
    return true;
}

static uint64_t cost_of(callees_t *callees, const routine_insn_t *insn)
{
    uint64_t most = 0U;
    for (size_t i = 0U; (insn->calls != NULL) && (insn->calls[i] != NULL); i++) {
        const uint64_t length = ((entry_t *)callees_entry(callees, insn->calls[i]))->bound.length;
        most = (length > most) ? length : most;
    }
    return 1U + most;
}

// True if a path has passed both sides of a note.
static bool is_excluded(uint64_t sides)
{
    return (sides & (sides >> 1) & 0x5555555555555555U) != 0U;
}

static bool leave(sweep_t *sweep, uint32_t node)
{
    const graph_node_t *const from = &sweep->graph->nodes[node];
    const routine_insn_t *const insn = &sweep->routine->insns[from->insn];
    const uint64_t cost = cost_of(sweep->callees, insn);
    for (const state_t *state = sweep->states[node]; state != NULL; state = state->next) {
        const uint64_t sides = state->sides | sweep->sides_at[from->insn];
        for (size_t i = 0U; !is_excluded(sides) && (i < 2U); i++) {
            const uint32_t next = from->next[i];
            if ((next != GRAPH_NONE) && sweep->graph->nodes[next].is_in &&
                !reach(&sweep->states[next], state, sides, state->length + cost,
                       insn->flow.address)) {
                return false;
            }
        }
    }
    return true;
}

// Gives a side to the instructions that are marked. False if there is none.
static bool mark_side(sweep_t *sweep, const bool *marks, unsigned side)
{
    bool is_there = false;
    for (uint32_t n = 0U; n < sweep->routine->count; n++) {
        sweep->sides_at[n] |= marks[n] ? (uint64_t)1U << side : 0U;
        is_there = is_there || marks[n];
    }
    return is_there;
}

// Bits 2n and 2n + 1 of an instruction: it is of the first or second place of the n-th note that keeps two apart.
static bool mark_sides(sweep_t *sweep, char *reason, size_t size)
{
    const routine_t *const routine = sweep->routine;
    const routine_notes_t *const notes = &sweep->callees->notes;
    bool *const marks = calloc(routine->graph.count + 1U, sizeof *marks);
    unsigned side = 0U;
    bool is_done = (marks != NULL);
    for (size_t i = 0U; is_done && (i < notes_count(notes->notes)); i++) {
        const note_t *const note = notes_at(notes->notes, i);
        if ((note->kind != NOTE_APART) || !note_holds(note, notes->part)) {
            continue;
        }
        if (side == SIDES_MAX) {
            SAY(reason, size, "%s:%u: found more than %d [[apart]], expected fewer", note->file,
                note->line, SIDES_MAX / 2);
            is_done = false;
        }
        bool is_there[2] = {false, false};
        for (unsigned k = 0U; is_done && (k < 2U); k++) {
            is_done = routine_mark(routine, note->in, (k == 0U) ? note->at : note->second, marks);
            is_there[k] = is_done && mark_side(sweep, marks, side);
            side++;
        }
        notes->used[i] = notes->used[i] || (is_there[0] && is_there[1]);
    }
    free(marks);
    return is_done;
}

static bool keep_path(const state_t *end, bound_t *bound)
{
    for (const state_t *state = end; state->before != NULL; state = state->before) {
        bound->path_count++;
    }
    bound->path = malloc((bound->path_count + 1U) * sizeof *bound->path);
    size_t at = bound->path_count;
    for (const state_t *state = end; (bound->path != NULL) && (state != NULL) && (at > 0U);
         state = state->before) {
        bound->path[--at] = state->address;
    }
    return bound->path != NULL;
}

static void free_states(sweep_t *sweep)
{
    for (uint32_t n = 0U; (sweep->states != NULL) && (n < sweep->graph->count); n++) {
        while (sweep->states[n] != NULL) {
            state_t *const state = sweep->states[n];
            sweep->states[n] = state->next;
            free(state);
        }
    }
    free(sweep->states);
    free(sweep->sides_at);
}

static bool run(sweep_t *sweep)
{
    uint32_t count = 0U;
    uint32_t *const order = graph_finish_order(sweep->graph, &count);
    bool is_done = (order != NULL) && reach(&sweep->states[0], NULL, 0U, 0U, 0U);
    for (uint32_t i = count; is_done && (i-- > 0U);) {
        is_done = (order[i] == sweep->graph->exit) || leave(sweep, order[i]);
    }
    free(order);
    return is_done;
}

// The longest path from the entry to the return of a graph without loops.
static bool find_longest(callees_t *callees, entry_t *entry, const graph_t *graph, char *reason,
                         size_t size)
{
    sweep_t sweep = {.routine = &entry->base.routine, .graph = graph, .callees = callees};
    sweep.states = (state_t **)calloc(graph->count + 1U, sizeof(void *));
    sweep.sides_at = calloc(entry->base.routine.count + 1U, sizeof *sweep.sides_at);
    bool is_done = (sweep.states != NULL) && (sweep.sides_at != NULL) &&
                   mark_sides(&sweep, reason, size) && run(&sweep);
    const state_t *longest = NULL;
    for (const state_t *state = is_done ? sweep.states[graph->exit] : NULL; state != NULL;
         state = state->next) {
        longest = ((longest == NULL) || (state->length > longest->length)) ? state : longest;
    }
    if (is_done && (longest == NULL)) {
        SAY(reason, size, "%s: the notes exclude every path", entry->base.function->name);
        is_done = false;
    }
    if (is_done) {
        entry->bound.length = longest->length;
        is_done = keep_path(longest, &entry->bound);
    }
    free_states(&sweep);
    return is_done;
}

static bool complete(callees_t *callees, callees_entry_t *entry, char *reason, size_t size)
{
    graph_t graph = {0};
    const bool is_done = graph_copy(&graph, &entry->routine.graph) &&
                         unroll(&entry->routine, &callees->notes, &graph, reason, size) &&
                         find_longest(callees, (entry_t *)entry, &graph, reason, size);
    graph_free(&graph);
    return is_done;
}

// ---- Bounds

bounds_t *bounds_new(program_t *program, const notes_t *notes, const char *part)
{
    bounds_t *const bounds = calloc(1U, sizeof *bounds);
    if (bounds == NULL) {
        return NULL;
    }
    bounds->callees = (callees_t){.program = program,
                                  .notes = {notes, part, NULL},
                                  .size = sizeof(entry_t),
                                  .start = start,
                                  .complete = complete,
                                  .drop = drop};
    if (!callees_init(&bounds->callees)) {
        free(bounds);
        return NULL;
    }
    return bounds;
}

void bounds_free(bounds_t *bounds)
{
    if (bounds != NULL) {
        callees_free(&bounds->callees);
        free(bounds);
    }
}

bool bounds_used(const bounds_t *bounds, size_t note)
{
    return bounds->callees.notes.used[note];
}

const bound_t *bounds_of(bounds_t *bounds, const program_function_t *function, char *reason,
                         size_t reason_size)
{
    const entry_t *const entry =
        (entry_t *)callees_of(&bounds->callees, function, reason, reason_size);
    return (entry != NULL) ? &entry->bound : NULL;
}
