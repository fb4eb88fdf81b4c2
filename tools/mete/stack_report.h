// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_STACK_REPORT_H
#define METE_TOOLS_STACK_REPORT_H

/// What `mete stack` says of each function.

#include "tools/lib/depth.h"

#include <jansson.h>
#include <stdio.h>

/// What is asked: a function, and what a device said of its stack. Bytes; 0: nothing.
typedef struct stack_question {
    const char *name;
    uint64_t seen;  ///< Most that was ever in use.
    uint64_t size;  ///< What there is.
} stack_question_t;

typedef struct stack_answer {
    stack_question_t question;
    const depth_t *depth;  ///< NULL: refused.
    char reason[PROGRAM_REASON_SIZE];
    place_t place;
    const note_t **used;  ///< Notes that the depth rests on; NULL behind the last; owned.
} stack_answer_t;

/// True unless more is taken than there is.
bool stack_fits(const stack_answer_t *answer);

/// A refusal goes to stderr, behind the name of the command.
void stack_print_text(FILE *file, const char *command_name, const stack_answer_t *answer);

json_t *stack_to_json(const stack_answer_t *answer);

#endif
