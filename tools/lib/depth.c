// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/depth.h"

#include "tools/lib/callees.h"
#include "tools/lib/frame.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct entry {
    callees_entry_t base;
    uint32_t *taken;  // By instruction.
    depth_t depth;
} entry_t;

struct depths {
    callees_t callees;
};

static bool start(callees_t *callees, callees_entry_t *base, char *reason, size_t size)
{
    entry_t *const entry = (entry_t *)base;
    if (entry->taken == NULL) {
        routine_free(&base->routine);
        const bool is_read = routine_read(&base->routine, callees->program, base->function,
                                          &callees->notes, reason, size);
        entry->taken = is_read ? frame_depths(&base->routine, reason, size) : NULL;
    }
    return entry->taken != NULL;
}

// Takes over a chain if it is the deepest so far.
static void offer(depth_t *depth, uint64_t own, const depth_t *below)
{
    const uint64_t bytes = own + ((below != NULL) ? below->bytes : 0U);
    if (bytes > depth->bytes) {
        depth->bytes = bytes;
        depth->own = own;
        depth->below = below;
    }
}

static bool complete(callees_t *callees, callees_entry_t *base, char *reason, size_t size)
{
    entry_t *const entry = (entry_t *)base;
    entry->depth.function = base->function;
    for (size_t n = 0U; n < base->routine.count; n++) {
        const routine_insn_t *const insn = &base->routine.insns[n];
        if (insn->is_unknown_call) {
            char where[ROUTINE_WHERE_SIZE];
            routine_where(&base->routine, (uint32_t)n, where, sizeof where);
            (void)snprintf(reason, size, "%s: a call through a pointer at %s", base->function->name,
                           where);
            return false;
        }
        offer(&entry->depth, entry->taken[n], NULL);
        for (size_t i = 0U; (insn->calls != NULL) && (insn->calls[i] != NULL); i++) {
            const entry_t *const callee = (entry_t *)callees_entry(callees, insn->calls[i]);
            offer(&entry->depth, entry->taken[n], &callee->depth);
        }
    }
    return true;
}

static void drop(callees_entry_t *entry)
{
    free(((entry_t *)entry)->taken);
}

depths_t *depths_new(program_t *program, const notes_t *notes)
{
    depths_t *const depths = calloc(1U, sizeof *depths);
    if (depths == NULL) {
        return NULL;
    }
    depths->callees = (callees_t){.program = program,
                                  .notes = {notes, "", NULL},
                                  .size = sizeof(entry_t),
                                  .start = start,
                                  .complete = complete,
                                  .drop = drop};
    if (!callees_init(&depths->callees)) {
        free(depths);
        return NULL;
    }
    return depths;
}

void depths_free(depths_t *depths)
{
    if (depths != NULL) {
        callees_free(&depths->callees);
        free(depths);
    }
}

bool depths_used(const depths_t *depths, size_t note)
{
    return depths->callees.notes.used[note];
}

const depth_t *depths_of(depths_t *depths, const program_function_t *function, char *reason,
                         size_t reason_size)
{
    const entry_t *const entry =
        (entry_t *)callees_of(&depths->callees, function, reason, reason_size);
    return (entry != NULL) ? &entry->depth : NULL;
}
