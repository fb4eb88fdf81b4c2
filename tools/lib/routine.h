// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_ROUTINE_H
#define METE_TOOLS_ROUTINE_H

/// One function of a program as a graph: where each instruction leads, and what it calls.

#include "tools/lib/graph.h"
#include "tools/lib/notes.h"
#include "tools/lib/program.h"

/// What stands at one address, and where it comes from.
typedef struct routine_insn {
    flow_insn_t flow;
    place_t places[PLACE_COUNT_MAX];  // Outermost first.
    size_t place_count;
    const program_function_t **calls;  // NULL behind the last; NULL: none.
    bool is_unknown_call;              // Through a pointer of which no note speaks.
} routine_insn_t;

typedef struct routine {
    program_t *program;
    const program_function_t *function;
    routine_insn_t *insns;
    size_t count;
    graph_t graph;  // Node n is instruction n; behind them the return.
} routine_t;

/// What the notes say now, and which of them mattered.
typedef struct routine_notes {
    const notes_t *notes;
    const char *part;
    bool *used;  // By index.
} routine_notes_t;

/// Reads a function. A jump through a table leads to the return. False, with a reason, if there is what is no
/// instruction, or a call of what is no function.
bool routine_read(routine_t *routine, program_t *program, const program_function_t *function,
                  const routine_notes_t *notes, char *reason, size_t reason_size);

/// Leaves out what no path from entry to return leads through, or none that the notes let count. False, with a
/// reason and the routine freed, if that leaves no path, a jump through a table or an unknown call.
bool routine_trim(routine_t *routine, const routine_notes_t *notes, char *reason,
                  size_t reason_size);

void routine_free(routine_t *routine);

/// True if one of an instruction's own places is this one, in the file `in` or, if that is NULL, in any.
bool routine_comes_from(const routine_t *routine, uint32_t insn, const char *in, const char *place);

/// Marks the nodes that are of a place or call it, without those that every path leads through. False without
/// memory.
bool routine_mark(const routine_t *routine, const char *in, const char *place, bool *marks);

/// Where an instruction stands, for messages.
void routine_where(const routine_t *routine, uint32_t insn, char *text, size_t size);

#define ROUTINE_WHERE_SIZE 320

#endif
