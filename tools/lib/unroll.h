// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_UNROLL_H
#define METE_TOOLS_UNROLL_H

/// Replaces the loops of a function by as many copies of them as the notes state passes.

#include "tools/lib/routine.h"

/// `graph` is a copy of the routine's, and has no loops afterwards. False, with a reason, if a loop has no stated
/// bound or the copies become too many.
bool unroll(const routine_t *routine, const routine_notes_t *notes, graph_t *graph, char *reason,
            size_t reason_size);

#endif
