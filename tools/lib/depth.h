// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_DEPTH_H
#define METE_TOOLS_DEPTH_H

/// Bounds the stack that a function takes until it returns, or for ever: the deepest chain through everything it
/// calls, whatever the conditions.
///
/// What cannot be bounded is refused, with function, address and source line: recursion, a call through a pointer of
/// which no note speaks, a frame whose size is known only at run time. What interrupts push comes on top.

#include "tools/lib/notes.h"
#include "tools/lib/program.h"

typedef struct depths depths_t;

typedef struct depth {
    const program_function_t *function;
    uint64_t bytes;  ///< With everything it calls.
    uint64_t
        own;  ///< Of these its own where the deepest chain leaves it; all of them if it leads no further.
    const struct depth *below;  ///< What is called there; NULL: nothing.
} depth_t;

/// The program and the notes must outlive it. NULL without memory.
depths_t *depths_new(program_t *program, const notes_t *notes);
void depths_free(depths_t *depths);

/// The depth of a function; NULL, with a reason, if it is refused. It lasts as long as `depths`.
const depth_t *depths_of(depths_t *depths, const program_function_t *function, char *reason,
                         size_t reason_size);

/// True if the note of this index made a difference so far.
bool depths_used(const depths_t *depths, size_t note);

#endif
