// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/callees.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY(reason, size, ...) ((void)snprintf((reason), (size), __VA_ARGS__))

bool callees_init(callees_t *callees)
{
    callees->notes.used = calloc(notes_count(callees->notes.notes) + 1U, sizeof(bool));
    return callees->notes.used != NULL;
}

callees_entry_t *callees_entry(callees_t *callees, const program_function_t *function)
{
    for (callees_entry_t *entry = callees->entries; entry != NULL; entry = entry->next) {
        if (entry->function->address == function->address) {
            return entry;
        }
    }
    callees_entry_t *const entry = calloc(1U, callees->size);
    if (entry != NULL) {
        entry->function = function;
        entry->next = callees->entries;
        callees->entries = entry;
    }
    return entry;
}

void callees_free(callees_t *callees)
{
    while (callees->entries != NULL) {
        callees_entry_t *const entry = callees->entries;
        callees->entries = entry->next;
        callees->drop(entry);
        routine_free(&entry->routine);
        free(entry);
    }
    free(callees->notes.used);
    callees->notes.used = NULL;
}

// Something that a function calls and of which nothing is known yet; NULL: there is nothing. False without memory.
static bool next_missing(callees_t *callees, const callees_entry_t *entry,
                         callees_entry_t **missing)
{
    const routine_t *const routine = &entry->routine;
    *missing = NULL;
    for (uint32_t n = 0U; (n < routine->count) && (*missing == NULL); n++) {
        const program_function_t **const calls = routine->insns[n].calls;
        for (size_t i = 0U; routine->graph.nodes[n].is_in && (calls != NULL) && (calls[i] != NULL);
             i++) {
            callees_entry_t *const callee = callees_entry(callees, calls[i]);
            if (callee == NULL) {
                return false;
            }
            *missing = callee->is_known ? *missing : callee;
        }
    }
    return true;
}

static bool start(callees_t *callees, callees_entry_t *entry, callees_entry_t *caller, char *reason,
                  size_t size)
{
    entry->caller = caller;
    entry->is_open = true;
    return callees->start(callees, entry, reason, size);
}

// Adds to a refusal how one came there.
static void say_callers(const callees_entry_t *entry, char *reason, size_t size)
{
    for (const callees_entry_t *caller = entry->caller; caller != NULL; caller = caller->caller) {
        const size_t used = strlen(reason);
        SAY(reason + used, size - used, "%s%s", (caller == entry->caller) ? ", called by " : " < ",
            caller->function->name);
    }
}

// What one function calls, then it. Nothing is left open after a refusal.
static bool work(callees_t *callees, callees_entry_t *first, char *reason, size_t size)
{
    callees_entry_t *top = first;
    bool is_done = start(callees, first, NULL, reason, size);
    while (is_done && (top != NULL)) {
        callees_entry_t *missing = NULL;
        is_done = next_missing(callees, top, &missing);
        if (is_done && (missing == NULL)) {
            is_done = callees->complete(callees, top, reason, size);
            top->is_known = is_done;
            top->is_open = !is_done;
            top = is_done ? top->caller : top;
        } else if (is_done && missing->is_open) {
            SAY(reason, size, "%s: recursion into %s", top->function->name,
                missing->function->name);
            is_done = false;
        } else if (is_done) {
            is_done = start(callees, missing, top, reason, size);
            top = missing;
        }
    }
    if (!is_done) {
        say_callers(top, reason, size);
    }
    for (callees_entry_t *entry = callees->entries; entry != NULL; entry = entry->next) {
        entry->is_open = false;
    }
    return is_done;
}

callees_entry_t *callees_of(callees_t *callees, const program_function_t *function, char *reason,
                            size_t reason_size)
{
    SAY(reason, reason_size, "%s: no memory", function->name);
    callees_entry_t *const entry = callees_entry(callees, function);
    const bool is_done =
        (entry != NULL) && (entry->is_known || work(callees, entry, reason, reason_size));
    return is_done ? entry : NULL;
}
