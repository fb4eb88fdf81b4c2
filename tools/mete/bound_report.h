// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_BOUND_REPORT_H
#define METE_TOOLS_BOUND_REPORT_H

/// What `mete bound` says of each function.

#include "tools/lib/bound.h"

#include <jansson.h>
#include <stdio.h>

typedef struct bound_answer {
    const char *name;       ///< As it was asked for.
    const char *case_name;  ///< "" if there is none.
    bool is_refused;
    char reason[PROGRAM_REASON_SIZE];
    uint64_t length;  ///< Instructions, if it is not refused.
    uint64_t address;
    const char *file;  ///< Or NULL.
    int line;
    uint64_t *path;  ///< Addresses of the longest path; owned.
    size_t path_count;
    const note_t **used;  ///< Notes that the bound rests on; NULL behind the last; owned.
} bound_answer_t;

void bound_answer_free(bound_answer_t *answer);

/// A bound, and what it assumes. A refusal goes to stderr, behind the name of the command.
void bound_print_text(FILE *file, const char *command_name, const bound_answer_t *answer);

/// The longest path, as runs of instructions of one source line.
void bound_print_path(FILE *file, program_t *program, const bound_answer_t *answer);

json_t *bound_to_json(const bound_answer_t *answer);

/// The answers for one allocator: acquire, release, resize. NULL: it has none.
typedef struct bound_line {
    const char *name;
    const bound_answer_t *answers[3];
} bound_line_t;

/// The text of a C header with a macro for each allocator, in memory that the caller frees.
char *bound_header(const char *program_name, const bound_line_t *lines, size_t count);

#endif
