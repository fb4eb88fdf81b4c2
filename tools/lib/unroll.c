// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A loop is cut open where its passes are counted: there each copy leads into the next, and the last leads
// nowhere. Copies of an outer loop hold copies of the inner ones, which are cut open after it.

#include "tools/lib/unroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY(reason, size, ...) ((void)snprintf((reason), (size), __VA_ARGS__))

// The nodes of one loop.
typedef struct loop {
    uint32_t *nodes;
    uint32_t count;
    uint32_t
        old_count;  // Nodes of the graph before copies were made: the copies lead nowhere else.
    const note_t *note;
    uint32_t first;  // Index in `nodes`: where passes are counted.
} loop_t;

static const routine_insn_t *insn_of(const routine_t *routine, const graph_t *graph, uint32_t node)
{
    return &routine->insns[graph->nodes[node].insn];
}

// The innermost function that all instructions of a loop come from.
static const char *owner_of(const routine_t *routine, const graph_t *graph, const loop_t *loop)
{
    const char *owner = routine->function->name;
    for (size_t level = 0U; level < PLACE_COUNT_MAX; level++) {
        const char *name = NULL;
        for (uint32_t i = 0U; i < loop->count; i++) {
            const routine_insn_t *const insn = insn_of(routine, graph, loop->nodes[i]);
            if ((level >= insn->place_count) ||
                ((name != NULL) && (strcmp(insn->places[level].function, name) != 0))) {
                return owner;
            }
            name = insn->places[level].function;
        }
        owner = name;
    }
    return owner;
}

static bool is_owner(const char *place, const char *owner)
{
    const char *const colon = strchr(place, ':');
    const size_t length = (colon != NULL) ? (size_t)(colon - place) : strlen(place);
    return program_is_named(owner, place, length);
}

// The node of a loop with the lowest address for which `fits` is set; loop->count: none.
static uint32_t lowest(const graph_t *graph, const loop_t *loop, const bool *fits)
{
    uint32_t found = loop->count;
    for (uint32_t i = 0U; i < loop->count; i++) {
        if (fits[i] && ((found == loop->count) || (graph->nodes[loop->nodes[i]].insn <
                                                   graph->nodes[loop->nodes[found]].insn))) {
            found = i;
        }
    }
    return found;
}

// Finds the note on a loop and, if it names a text, what stands there.
static bool find_note(const routine_t *routine, const routine_notes_t *notes, const graph_t *graph,
                      loop_t *loop, bool *counted)
{
    const char *const owner = owner_of(routine, graph, loop);
    for (size_t i = 0U; i < notes_count(notes->notes); i++) {
        const note_t *const note = notes_at(notes->notes, i);
        if ((note->kind != NOTE_LOOP) || !note_holds(note, notes->part) ||
            !is_owner(note->at, owner)) {
            continue;
        }
        bool is_there = false;
        for (uint32_t k = 0U; k < loop->count; k++) {
            counted[k] =
                routine_comes_from(routine, graph->nodes[loop->nodes[k]].insn, note->in, note->at);
            is_there = is_there || counted[k];
        }
        if (is_there) {
            if (strchr(note->at, ':') == NULL) {
                memset(counted, 0, loop->count * sizeof *counted);
            }
            loop->note = note;
            notes->used[i] = true;
            return true;
        }
    }
    return false;
}

// Marks where a loop is entered from outside.
static void mark_entries(const graph_t *graph, const uint32_t *index_in, const loop_t *loop,
                         bool *marks)
{
    for (uint32_t n = 0U; n < loop->old_count; n++) {
        if (!graph->nodes[n].is_in || (index_in[n] < loop->count)) {
            continue;
        }
        for (size_t i = 0U; i < 2U; i++) {
            const uint32_t next = graph->nodes[n].next[i];
            if ((next < loop->old_count) && (index_in[next] < loop->count)) {
                marks[index_in[next]] = true;
            }
        }
    }
}

// A node's successor, as seen from one copy of a loop. `own` and `following` say which nodes the copies of the
// loop's are; GRAPH_NONE: there is none.
static uint32_t redirect(uint32_t next, const loop_t *loop, const uint32_t *index_in,
                         const uint32_t *own, const uint32_t *following)
{
    if ((next == GRAPH_NONE) || (index_in[next] >= loop->count)) {
        return next;
    }
    return (index_in[next] == loop->first) ? following[loop->first] : own[index_in[next]];
}

// The nodes of the next copy. Of the first that counts, where it is cut open is the node itself: so what led
// there leads into this copy.
static bool add_copy(graph_t *graph, const loop_t *loop, const graph_node_t *old, bool is_first,
                     uint32_t *copy)
{
    for (uint32_t i = 0U; i < loop->count; i++) {
        copy[i] = (is_first && (i == loop->first)) ? loop->nodes[i] : graph_add(graph, old[i].insn);
        if (copy[i] == GRAPH_NONE) {
            return false;
        }
    }
    return true;
}

// `work` has room for three lists of the loop's nodes; `index_in` says of each old node which of the loop it is.
static bool cut(graph_t *graph, const loop_t *loop, const graph_node_t *old,
                const uint32_t *index_in, uint32_t *work)
{
    uint32_t *own = work;
    uint32_t *following = work + loop->count;
    // What runs before the first pass, if the loop is entered elsewhere.
    memcpy(own, loop->nodes, loop->count * sizeof *own);
    own[loop->first] = GRAPH_NONE;
    for (uint64_t pass = 0U; pass <= loop->note->passes; pass++) {
        const bool is_last = (pass == loop->note->passes);
        for (uint32_t i = 0U; is_last && (i < loop->count); i++) {
            following[i] = GRAPH_NONE;
        }
        if (!is_last && !add_copy(graph, loop, old, pass == 0U, following)) {
            return false;
        }
        for (uint32_t i = 0U; i < loop->count; i++) {
            for (size_t k = 0U; (own[i] != GRAPH_NONE) && (k < 2U); k++) {
                graph->nodes[own[i]].next[k] =
                    redirect(old[i].next[k], loop, index_in, own, following);
            }
        }
        uint32_t *const swapped = own;
        own = following;
        following = swapped;
    }
    return true;
}

// What all loops have in common: whose they are, and where to say what is wrong.
typedef struct job {
    const routine_t *routine;
    const routine_notes_t *notes;
    graph_t *graph;
    char *reason;
    size_t reason_size;
} job_t;

static bool unroll_one(const job_t *job, loop_t *loop, uint32_t *index_in)
{
    const routine_t *const routine = job->routine;
    graph_t *const graph = job->graph;
    bool *const marks = calloc(loop->count + 1U, sizeof *marks);
    graph_node_t *const old = malloc((loop->count + 1U) * sizeof *old);
    uint32_t *const work = malloc((2U * (size_t)loop->count + 1U) * sizeof *work);
    bool is_done = (marks != NULL) && (old != NULL) && (work != NULL);
    if (is_done && !find_note(routine, job->notes, graph, loop, marks)) {
        char where[ROUTINE_WHERE_SIZE];
        for (uint32_t i = 0U; i < loop->count; i++) {
            marks[i] = true;
        }
        const uint32_t first = loop->nodes[lowest(graph, loop, marks)];
        routine_where(routine, graph->nodes[first].insn, where, sizeof where);
        SAY(job->reason, job->reason_size, "%s: a loop of %s without a stated bound at %s",
            routine->function->name, owner_of(routine, graph, loop), where);
        is_done = false;
    }
    if (is_done) {
        loop->first = lowest(graph, loop, marks);
        if (loop->first == loop->count) {
            mark_entries(graph, index_in, loop, marks);
            loop->first = lowest(graph, loop, marks);
        }
        for (uint32_t i = 0U; i < loop->count; i++) {
            old[i] = graph->nodes[loop->nodes[i]];
            loop->first =
                ((loop->first == loop->count) && (loop->nodes[i] == 0U)) ? i : loop->first;
        }
        is_done = cut(graph, loop, old, index_in, work);
        if (!is_done) {
            SAY(job->reason, job->reason_size, "%s:%u: found more passes than can be counted out",
                loop->note->file, loop->note->line);
        }
    }
    free(marks);
    free(old);
    free(work);
    return is_done;
}

// All loops that are there now, inner ones as parts of the outer.
static bool unroll_level(const job_t *job, uint32_t loops, const uint32_t *loop_of)
{
    const uint32_t count = job->graph->count;
    loop_t loop = {.nodes = malloc((count + 1U) * sizeof(uint32_t)), .old_count = count};
    uint32_t *const index_in = calloc(count + 1U, sizeof *index_in);
    bool is_done = (loop.nodes != NULL) && (index_in != NULL);
    for (uint32_t number = 1U; is_done && (number <= loops); number++) {
        loop.count = 0U;
        for (uint32_t n = 0U; n < count; n++) {
            index_in[n] = GRAPH_NONE;
            if (loop_of[n] == number) {
                index_in[n] = loop.count;
                loop.nodes[loop.count++] = n;
            }
        }
        is_done = unroll_one(job, &loop, index_in);
    }
    free(loop.nodes);
    free(index_in);
    return is_done && graph_prune(job->graph);
}

bool unroll(const routine_t *routine, const routine_notes_t *notes, graph_t *graph, char *reason,
            size_t reason_size)
{
    const job_t job = {routine, notes, graph, reason, reason_size};
    bool is_done = graph_prune(graph);
    while (is_done) {
        uint32_t *const loop_of = malloc((graph->count + 1U) * sizeof *loop_of);
        const uint32_t loops = (loop_of != NULL) ? graph_loops(graph, loop_of) : GRAPH_NONE;
        is_done = (loops != GRAPH_NONE) && ((loops == 0U) || unroll_level(&job, loops, loop_of));
        free(loop_of);
        if (loops == 0U) {
            break;
        }
    }
    return is_done;
}
