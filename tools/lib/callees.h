// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_CALLEES_H
#define METE_TOOLS_CALLEES_H

/// Finds something out about functions, of each after those that it calls. Recursion is refused.

#include "tools/lib/routine.h"

/// A function, while something is found out about it and afterwards. The first member of what `size` says.
typedef struct callees_entry {
    struct callees_entry *next;
    const program_function_t *function;
    routine_t routine;  // Empty before `start`.
    struct callees_entry
        *caller;  // Who waits for it; it waits itself while this chain leads to it.
    bool is_open;
    bool is_known;
} callees_entry_t;

typedef struct callees {
    program_t *program;
    routine_notes_t notes;
    size_t size;  ///< Of an entry.
    /// Reads the routine. False, with a reason, if it is refused.
    bool (*start)(struct callees *callees, callees_entry_t *entry, char *reason, size_t size);
    /// Everything that it calls is known. Likewise.
    bool (*complete)(struct callees *callees, callees_entry_t *entry, char *reason, size_t size);
    /// Frees what the entry owns, but for the routine.
    void (*drop)(callees_entry_t *entry);
    callees_entry_t *entries;
} callees_t;

/// With program, notes, size and the functions given, and the rest zero. False without memory.
bool callees_init(callees_t *callees);

/// A function's entry, which is made if there is none. NULL without memory.
callees_entry_t *callees_entry(callees_t *callees, const program_function_t *function);

/// Finds out about a function; NULL, with a reason, if it or something that it calls is refused. It may be asked again
/// after a refusal.
callees_entry_t *callees_of(callees_t *callees, const program_function_t *function, char *reason,
                            size_t reason_size);

/// Frees all entries, and what init took.
void callees_free(callees_t *callees);

#endif
