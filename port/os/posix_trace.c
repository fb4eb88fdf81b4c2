// SPDX-License-Identifier: MIT OR Apache-2.0
//
// By the unwinder that every C compiler on these systems brings along, for C++.

#include "port/os/posix.h"

#include <unwind.h>

typedef struct walk {
    const void **frames;
    size_t count;
    size_t found;
} walk_t;

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *self)
{
    walk_t *const walk = self;
    const uintptr_t address = (uintptr_t)_Unwind_GetIP(context);
    if ((walk->found == walk->count) || (address == 0U)) {
        return _URC_END_OF_STACK;
    }
    walk->frames[walk->found] = (const void *)address;
    walk->found++;
    return _URC_NO_REASON;
}

void mete_posix_trace(void *self, const void **frames, size_t count)
{
    (void)self;
    walk_t walk = {frames, count, 0U};
    (void)_Unwind_Backtrace(note, &walk);
    for (size_t i = walk.found; i < count; i++) {
        frames[i] = NULL;
    }
}
