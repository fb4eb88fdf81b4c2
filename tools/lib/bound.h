// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_BOUND_H
#define METE_TOOLS_BOUND_H

/// Bounds the instructions that a function executes until it returns: the longest path through its control flow,
/// with everything it calls.
///
/// A path that ends in a trap does not return and is not counted. Instructions that a condition guards count
/// whether or not they act. What cannot be bounded is refused, with function, address and source line: a loop
/// without a stated number of passes, recursion, a jump through a table, a call through a pointer.

#include "tools/lib/notes.h"
#include "tools/lib/program.h"

typedef struct bounds bounds_t;

/// What is known of a function.
typedef struct bound {
    uint64_t length;  ///< Instructions.
    uint64_t *path;   ///< Their addresses, of this function alone; `path_count`.
    size_t path_count;
} bound_t;

/// For one part of a case; the program and the notes must outlive it. NULL without memory.
bounds_t *bounds_new(program_t *program, const notes_t *notes, const char *part);
void bounds_free(bounds_t *bounds);

/// The bound of a function; NULL, with a reason, if it is refused. It lasts as long as `bounds`.
const bound_t *bounds_of(bounds_t *bounds, const program_function_t *function, char *reason,
                         size_t reason_size);

/// True if the note of this index made a difference in one of the functions bounded so far.
bool bounds_used(const bounds_t *bounds, size_t note);

#endif
