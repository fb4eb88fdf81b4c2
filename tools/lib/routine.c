// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/routine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY(reason, size, ...) ((void)snprintf((reason), (size), __VA_ARGS__))

// ---- Places

static bool contains(const char *line, size_t length, const char *text, size_t text_length)
{
    return memmem(line, length, text, text_length) != NULL;
}

// True if a frame's function is written in this file. An assembler does not say where: then it is where its line is. That of
// the line alone would not do, for where the linker left functions out their lines stay, from address 0 on.
static bool is_written_in(const place_t *frame, const char *in)
{
    const char *const file = (frame->home != NULL) ? frame->home : frame->file;
    return (in == NULL) || ((file != NULL) && (strcmp(program_base_name(file), in) == 0));
}

// True if a frame is of this file and function, and on a line that holds the text, which may be empty.
static bool is_frame(program_t *program, const place_t *frame, const char *in, const char *name,
                     size_t name_length, const char *text)
{
    size_t length = 0U;
    if (!program_is_named(frame->function, name, name_length) || !is_written_in(frame, in)) {
        return false;
    }
    const char *const line =
        (text[0] != '\0') ? program_line(program, frame->file, frame->line, &length) : NULL;
    return (text[0] == '\0') || ((line != NULL) && contains(line, length, text, strlen(text)));
}

bool routine_comes_from(const routine_t *routine, uint32_t insn, const char *in, const char *place)
{
    const routine_insn_t *const at = &routine->insns[insn];
    const char *const colon = strchr(place, ':');
    const size_t name_length = (colon != NULL) ? (size_t)(colon - place) : strlen(place);
    const char *const text = (colon != NULL) ? colon + 1 + strspn(colon + 1, " ") : "";
    for (size_t i = 0U; i < at->place_count; i++) {
        if (is_frame(routine->program, &at->places[i], in, place, name_length, text)) {
            return true;
        }
    }
    return false;
}

// True if an instruction calls this function.
static bool calls(const routine_t *routine, uint32_t insn, const char *in, const char *place)
{
    const program_function_t **const callees = routine->insns[insn].calls;
    for (size_t i = 0U; (callees != NULL) && (callees[i] != NULL); i++) {
        place_t places[PLACE_COUNT_MAX];
        const size_t count =
            program_places(routine->program, callees[i], callees[i]->address, places);
        if ((count != 0U) && program_is_named(callees[i]->name, place, strlen(place))) {
            places[0].function = callees[i]->name;
            return is_frame(routine->program, &places[0], in, place, strlen(place), "");
        }
    }
    return false;
}

bool routine_mark(const routine_t *routine, const char *in, const char *place, bool *marks)
{
    const graph_t *const graph = &routine->graph;
    bool *const seen = malloc((graph->count + 1U) * sizeof *seen);
    for (uint32_t n = 0U; (seen != NULL) && (n < graph->count); n++) {
        marks[n] = false;
        if (!graph->nodes[n].is_in || (n == graph->exit) ||
            (!routine_comes_from(routine, n, in, place) && !calls(routine, n, in, place))) {
            continue;
        }
        if (!graph_reach(graph, n, seen)) {
            free(seen);
            return false;
        }
        marks[n] = seen[graph->exit];
    }
    free(seen);
    return seen != NULL;
}

void routine_where(const routine_t *routine, uint32_t insn, char *text, size_t size)
{
    const routine_insn_t *const at = &routine->insns[insn];
    size_t used = (size_t)snprintf(text, size, "%#llx in ", (unsigned long long)at->flow.address);
    for (size_t i = 0U; (i < at->place_count) && (used < size); i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", (i != 0U) ? " > " : "",
                                 at->places[i].function);
    }
    const place_t *const inner = &at->places[at->place_count - 1U];
    if ((inner->file != NULL) && (used < size)) {
        (void)snprintf(text + used, size - used, " (%s:%d)", program_base_name(inner->file),
                       inner->line);
    }
}

// ---- Where each instruction leads

static void link_to(routine_t *routine, uint32_t insn, uint32_t node)
{
    uint32_t *const next = routine->graph.nodes[insn].next;
    next[(next[0] != GRAPH_NONE) ? 1 : 0] = node;
}

static uint32_t index_of(const routine_t *routine, uint64_t address)
{
    for (size_t i = 0U; i < routine->count; i++) {
        if (routine->insns[i].flow.address == address) {
            return (uint32_t)i;
        }
    }
    return GRAPH_NONE;
}

static bool add_call(routine_t *routine, uint32_t insn, const program_function_t *callee)
{
    routine_insn_t *const at = &routine->insns[insn];
    size_t count = 0U;
    while ((at->calls != NULL) && (at->calls[count] != NULL)) {
        count++;
    }
    const program_function_t **const calls =
        realloc((void *)at->calls, (count + 2U) * sizeof(void *));
    if (calls == NULL) {
        return false;
    }
    calls[count] = callee;
    calls[count + 1U] = NULL;
    at->calls = calls;
    return true;
}

static bool call_address(routine_t *routine, uint32_t insn, char *reason, size_t size)
{
    const flow_insn_t *const flow = &routine->insns[insn].flow;
    const program_function_t *const callee = program_function_at(routine->program, flow->target);
    if (callee == NULL) {
        char where[ROUTINE_WHERE_SIZE];
        routine_where(routine, insn, where, sizeof where);
        SAY(reason, size, "%s: a call of %#llx, where no function starts, at %s",
            routine->function->name, (unsigned long long)flow->target, where);
        return false;
    }
    return add_call(routine, insn, callee);
}

// What the notes say that a call through a pointer can reach. Left out of the graph: it is not made.
static bool call_pointer(routine_t *routine, uint32_t insn, const routine_notes_t *notes,
                         char *reason, size_t size)
{
    bool is_known = false;
    for (size_t i = 0U; i < notes_count(notes->notes); i++) {
        const note_t *const note = notes_at(notes->notes, i);
        if ((note->kind != NOTE_INDIRECT) || !note_holds(note, notes->part) ||
            !routine_comes_from(routine, insn, note->in, note->at)) {
            continue;
        }
        is_known = true;
        notes->used[i] = true;
        for (size_t k = 0U; note->calls[k] != NULL; k++) {
            const program_function_t *callee = NULL;
            const size_t found = program_find(routine->program, note->calls[k], &callee);
            if (found != 1U) {
                SAY(reason, size, "%s:%u: found %zu functions %s in the program, expected one",
                    note->file, note->line, found, note->calls[k]);
                return false;
            }
            if (!add_call(routine, insn, callee)) {
                return false;
            }
        }
    }
    routine->insns[insn].is_unknown_call = !is_known;
    if (is_known && (routine->insns[insn].calls == NULL)) {
        routine->graph.nodes[insn].is_in = false;
    }
    return true;
}

static bool jump(routine_t *routine, uint32_t insn, char *reason, size_t size)
{
    const uint32_t target = index_of(routine, routine->insns[insn].flow.target);
    if (target != GRAPH_NONE) {
        link_to(routine, insn, target);
        return true;
    }
    link_to(routine, insn, routine->graph.exit);  // A call in place of a return.
    return call_address(routine, insn, reason, size);
}

// Follows one instruction; false if it is refused.
static bool connect(routine_t *routine, uint32_t insn, const routine_notes_t *notes, char *reason,
                    size_t size)
{
    const flow_insn_t *const flow = &routine->insns[insn].flow;
    bool goes_on = flow->is_conditional;
    bool is_done = true;
    switch (flow->kind) {
    case FLOW_NEXT:
        goes_on = true;
        break;
    case FLOW_CALL:
        goes_on = true;
        is_done = call_address(routine, insn, reason, size);
        break;
    case FLOW_CALL_POINTER:
        goes_on = true;
        is_done = call_pointer(routine, insn, notes, reason, size);
        break;
    case FLOW_BRANCH:
        goes_on = true;
        is_done = jump(routine, insn, reason, size);
        break;
    case FLOW_JUMP:
        is_done = jump(routine, insn, reason, size);
        break;
    case FLOW_JUMP_POINTER:
        link_to(routine, insn, routine->graph.exit);
        is_done = call_pointer(routine, insn, notes, reason, size);
        break;
    case FLOW_RETURN:
    case FLOW_TABLE:
        link_to(routine, insn, routine->graph.exit);
        break;
    case FLOW_TRAP:
        break;
    }
    if (is_done && goes_on && (insn + 1U < routine->count)) {
        link_to(routine, insn, insn + 1U);
    }
    return is_done;
}

// ---- Reading

static bool locate(routine_t *routine, char *reason, size_t size)
{
    flow_insn_t *const list =
        program_list(routine->program, routine->function, &routine->count, reason, size);
    if (list == NULL) {
        return false;
    }
    routine->insns = calloc(routine->count, sizeof *routine->insns);
    for (size_t i = 0U; (routine->insns != NULL) && (i < routine->count); i++) {
        routine_insn_t *const insn = &routine->insns[i];
        insn->flow = list[i];
        insn->place_count =
            program_places(routine->program, routine->function, list[i].address, insn->places);
        if (graph_add(&routine->graph, (uint32_t)i) == GRAPH_NONE) {
            break;
        }
    }
    free(list);
    routine->graph.exit = graph_add(&routine->graph, GRAPH_NONE);
    return (routine->insns != NULL) && (routine->graph.count == routine->count + 1U);
}

// Leaves out what notes say is never run, one note after another: what one leaves, all paths of the next may
// have to lead through.
static bool leave_out(routine_t *routine, const routine_notes_t *notes)
{
    bool *const marks = calloc(routine->graph.count + 1U, sizeof *marks);
    bool is_done = (marks != NULL) && graph_trim(&routine->graph);
    for (size_t i = 0U; is_done && (i < notes_count(notes->notes)); i++) {
        const note_t *const note = notes_at(notes->notes, i);
        if ((note->kind != NOTE_NEVER) || !note_holds(note, notes->part)) {
            continue;
        }
        is_done = routine_mark(routine, note->in, note->at, marks);
        bool is_used = false;
        for (uint32_t n = 0U; is_done && (n < routine->graph.count); n++) {
            is_used = is_used || marks[n];
            routine->graph.nodes[n].is_in = routine->graph.nodes[n].is_in && !marks[n];
        }
        notes->used[i] = notes->used[i] || is_used;
        is_done = is_done && (!is_used || graph_trim(&routine->graph));
    }
    free(marks);
    return is_done;
}

// What is still in the graph and cannot be bounded.
static bool is_clear(const routine_t *routine, char *reason, size_t size)
{
    if (!routine->graph.nodes[routine->graph.exit].is_in) {
        SAY(reason, size, "%s: no path returns", routine->function->name);
        return false;
    }
    for (uint32_t n = 0U; n < routine->count; n++) {
        const routine_insn_t *const insn = &routine->insns[n];
        if (routine->graph.nodes[n].is_in &&
            (insn->is_unknown_call || (insn->flow.kind == FLOW_TABLE))) {
            char where[ROUTINE_WHERE_SIZE];
            routine_where(routine, n, where, sizeof where);
            SAY(reason, size, "%s: a %s at %s", routine->function->name,
                insn->is_unknown_call ? "call through a pointer" : "jump through a table", where);
            return false;
        }
    }
    return true;
}

bool routine_read(routine_t *routine, program_t *program, const program_function_t *function,
                  const routine_notes_t *notes, char *reason, size_t reason_size)
{
    *routine = (routine_t){.program = program, .function = function};
    SAY(reason, reason_size, "%s: no memory", function->name);
    bool is_done = locate(routine, reason, reason_size);
    for (uint32_t i = 0U; is_done && (i < routine->count); i++) {
        is_done = connect(routine, i, notes, reason, reason_size);
    }
    if (!is_done) {
        routine_free(routine);
    }
    return is_done;
}

bool routine_trim(routine_t *routine, const routine_notes_t *notes, char *reason,
                  size_t reason_size)
{
    const bool is_done = leave_out(routine, notes) && is_clear(routine, reason, reason_size);
    if (!is_done) {
        routine_free(routine);
    }
    return is_done;
}

void routine_free(routine_t *routine)
{
    for (size_t i = 0U; (routine->insns != NULL) && (i < routine->count); i++) {
        free((void *)routine->insns[i].calls);
    }
    free(routine->insns);
    routine->insns = NULL;
    graph_free(&routine->graph);
}
