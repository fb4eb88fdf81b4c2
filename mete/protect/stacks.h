// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_STACKS_H
#define METE_STACKS_H

/// The stacks of all tasks: where they come from, whether one ran over, how much each needs, whose an address is.
///
/// For a kernel. It takes the stack of a new task from here and gives it back when the task has ended; another task may
/// get it then. At each switch it asks whether the task that leaves has kept within its stack. A fault handler asks
/// whose stack an address belongs to, be it in the guard below it.
///
///     static mete_stacks_record_t records[8];
///     static mete_stacks_config_t config = {.records = records, .record_max = 8, .guard_size = 32, .align = 32,
///         .margin_size = 128};
///     static mete_stacks_t stacks;
///     config.alloc = mete_heap_as_alloc(heap);
///     (void)mete_stacks_init(&stacks, &config);
///
///     task->stack = mete_stacks_alloc(&stacks, task, "worker", 1024);       // NULL: no memory, no task.
///     task->top = make_frame(mete_stacks_top(task->stack), worker);
///     ...
///     if (!mete_stacks_check_switch(&stacks, old->stack, old->top)) { stop(old); }
///     set_stack_limit(mete_stacks_limit(new->stack));                       // PSPLIM of ARMv8-M.
///     ...
///     mete_stacks_free(&stacks, old->stack);                                // Kept for the next task.
///
/// A stack is one block of memory, all of whose bytes its size counts. From its low end: the guard, which no task may
/// touch if the protection unit says so; the canary, which shows what wrote past the end; what the task may use.
/// Stacks grow downwards, as on every core Mete is ported to.
///
///   block   | guard_size bytes | canary | what the task may use                       |
///           guard              span     limit                                         top
///
/// The guard is never read or written here. To make it work, wish for it in a plan (mete/protect/plan.h) as a region
/// without rights, from mete_stacks_guard(), and for the rest of the stack from mete_stacks_span(). Take it out of the
/// plan before its stack is purged: allocators write into blocks that are free. What the hardware demands:
///
///   hardware     guard_size        align               rights of the guard, unprivileged and privileged
///   none         0                 8 or more on Cortex-M, 16 on RISC-V and 64-bit hosts: as the core's calls demand
///   ARMv7-M      32, 64, 128 ...   guard_size or more  none, none
///   ARMv8-M      32, 64, 96 ...    32 or more          none, read: it cannot deny that
///   RISC-V PMP   32, 64, 128 ...   guard_size or more  none, none: but privileged code is not held to it
///   pages        4096 ...          4096                none, none
///
/// On ARMv7-M guard and stack take two regions of the plan if the size is a power of two and align the same, and up to
/// five if align is 32. ARMv8-M has a stack limit beside: set to mete_stacks_limit(), it needs no region.
///
/// A guard stops what touches it. A function that reserves more than guard_size bytes and leaves them unwritten can step
/// over it; the next switch finds out if the task's stack pointer is still outside.
///
///   Time     check_switch: O(1), no loop. alloc: O(records), and O(bytes not painted yet). free: O(records), and
///            O(bytes never used). in_use_peak: O(bytes never used). check_next: O(size_max). find, usage: O(records).
///            purge: O(records) releases. What the allocator takes comes on top. docs/costs.md: instructions.
///   Space    One mete_stacks_t; a record of eight words for each stack, in the caller's table; the guard and
///            METE_STACK_CANARY_SIZE bytes of each stack.
///   Align    Stacks start and end at multiples of the config's align.
///   Threads  Not synchronised: calls exclude each other. check_switch, limit, top, span, guard and in_use read one
///            record only: they may be called at any time between alloc and free of it.
///   Errors   Out of memory or of records: NULL or false, counted, and nothing has changed. A stack that ran over:
///            METE_FAULT_OVERFLOW with the address, once for each task; the observer hears of it before. Misuse:
///            METE_FAULT, and nothing changes. FOREIGN: no stack of these. DOUBLE_FREE: no task has it. ORDER: the task
///            has one already or is NULL, or the stack to be freed is the one that runs. CORRUPT, with the stack's
///            start: its canary was overwritten while it was kept, by a task that has ended or whoever else writes
///            there; it is painted anew by the next call.

#include "mete/core/alloc.h"
#include "mete/core/base.h"
#include "mete/core/observe.h"
#include "mete/core/span.h"
#include "mete/protect/stack.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is known of a stack. To be read; the table belongs to the module from init on. Eight words.
typedef struct mete_stacks_record {
    mete_stack_t stack;  ///< Its span has the canary, but not the guard. Start NULL: there is none.
    const void *task;    ///< Whose it is. NULL: nobody's, kept for the next one.
    const char *name;    ///< For people: of the task, or of the last one. NULL: it had none yet.
    size_t in_use_peak;  ///< Most bytes that the task was found to have used, or the last one.
    size_t done_size;    // From the low end: painted, if nobody's; else found unused in this round.
    size_t task_count;   ///< How many tasks have had it.
    uintptr_t is_overrun;  ///< 1: the task, or the last one, ran over; was reported. Else 0.
} mete_stacks_record_t;

/// Where stacks come from and what they are like. It must outlive the module; const is best.
typedef struct mete_stacks_config {
    mete_alloc_t alloc;             ///< Any allocator or pool.
    mete_stacks_record_t *records;  ///< record_max of them.
    size_t record_max;  ///< Most stacks at once, those that are kept included; at least 1.
    size_t
        guard_size;  ///< Bytes of each that nobody may touch; a multiple of two words. 0: no guard.
    size_t align;    ///< Where blocks start and end: a power of two, at least two words.
    size_t margin_size;  ///< What mete_stacks_recommended_size() adds to what was used.
    /// Hears METE_EVENT_FAULT with METE_FAULT_OVERFLOW, the address and the mete_stacks_t.
    mete_observer_t observer;
} mete_stacks_config_t;

/// The fields are here so that it can be static; use the functions to read them.
typedef struct mete_stacks {
    const mete_stacks_config_t *config;
    size_t next_index;  // Whose turn it is in mete_stacks_check_next().
    size_t refusals;
    size_t overflow_count;
    size_t in_use_peak;        // Of any task so far,
    const char *deepest_name;  // and which.
} mete_stacks_t;

/// All stacks together.
typedef struct {
    size_t stack_count;   ///< Stacks there are;
    size_t active_count;  ///< of these have a task.
    size_t total_size;    ///< Bytes of all, guards included;
    size_t active_size;   ///< of those that have a task.
    size_t
        in_use_peak;  ///< Bytes that the deepest task has used, as far as it was measured, since init;
    const char *deepest_name;  ///< its name. NULL: nothing was measured.
    size_t overflow_count;     ///< Tasks that ran over since init. Wraps.
    size_t refusals;           ///< Calls that got no stack since init. Wraps.
} mete_stacks_usage_t;

/// Starts without stacks. Returns false, changing nothing, if the config breaks a limit stated above.
bool mete_stacks_init(mete_stacks_t *stacks, const mete_stacks_config_t *config);

/// Gets a stack of `size` bytes, rounded as by alloc, and keeps it for a task to come. It need not be painted by alloc
/// then, if there was time for mete_stacks_check_next(). False: there is no memory or no record for it.
bool mete_stacks_reserve(mete_stacks_t *stacks, size_t size);

/// A stack for a task, painted: of those that are kept the smallest with `size` bytes or more, of equal ones the first in
/// the table; if none is large enough, a new one. `task` is not NULL and has none yet; `name` must outlive
/// the stack. `size` counts guard and canary, too, and is rounded up to a multiple of align, and to METE_STACK_SIZE_MIN
/// beside the guard. NULL: there is no memory or no record for it; mete_stacks_purge() may help.
const mete_stacks_record_t *mete_stacks_alloc(mete_stacks_t *stacks, const void *task,
                                              const char *name, size_t size);

/// Takes back the stack of a task that has ended, and keeps it. Measures it and looks at its canary once more: if
/// that is not whole, it is reported, and the stack is kept all the same. Not to be called on this very stack.
void mete_stacks_free(mete_stacks_t *stacks, const mete_stacks_record_t *record);

/// Gives all stacks that are kept back to the allocator. Returns how many bytes.
size_t mete_stacks_purge(mete_stacks_t *stacks);

/// One step, for idle time: of one stack at most `size_max` bytes, at least 1, are measured if it has a task, with a look at
/// its canary; or painted, if it is kept. The next call goes on. False: the canary is not whole, or
/// the task was reported before.
bool mete_stacks_check_next(mete_stacks_t *stacks, size_t size_max);

/// Takes down that a task ran over its stack at `address`, as when the hardware stopped it at the guard: it is counted and
/// the observer hears of it, once for each task. Reports no METE_FAULT: who calls knows.
void mete_stacks_note_overflow(mete_stacks_t *stacks, const mete_stacks_record_t *record,
                               const void *address);

/// As mete_stacks_note_overflow(), and METE_FAULT_OVERFLOW. What mete_stacks_check_switch() does if something is wrong.
void mete_stacks_report_overflow(mete_stacks_t *stacks, const mete_stacks_record_t *record,
                                 const void *address);

// ---- Who and where

/// The stack that has a byte at `address`, be it in its guard, or NULL. METE_STACK_TOP(): the stack that runs.
const mete_stacks_record_t *mete_stacks_find(const mete_stacks_t *stacks, const void *address);

/// The stack of a task, or NULL.
const mete_stacks_record_t *mete_stacks_find_task(const mete_stacks_t *stacks, const void *task);

/// Of the stacks that have a task the one with the fewest bytes left, as far as they were measured, of equal ones
/// the first in the table; or NULL.
const mete_stacks_record_t *mete_stacks_find_tightest(const mete_stacks_t *stacks);

/// Measures a stack: most bytes that its task ever used, as mete_stack_in_use_peak(). If no task has it: of
/// the last one.
size_t mete_stacks_in_use_peak(mete_stacks_t *stacks, const mete_stacks_record_t *record);

/// The size to ask for: what was used, as far as it was measured, the margin, the canary and the guard, rounded up to align.
/// For a task that ran over it is less than it needs. SIZE_MAX: more than fits.
size_t mete_stacks_recommended_size(const mete_stacks_t *stacks,
                                    const mete_stacks_record_t *record);

/// All stacks together.
mete_stacks_usage_t mete_stacks_usage(const mete_stacks_t *stacks);

/// Shows every stack, those that are kept, too, until `visit` returns false. True if all were shown.
bool mete_stacks_walk(const mete_stacks_t *stacks,
                      bool (*visit)(void *self, const mete_stacks_record_t *record), void *self);

/// True if all records are legal, no two tasks are the same, and every task has kept within its stack. Changes and reports
/// nothing. O(records^2).
bool mete_stacks_check(const mete_stacks_t *stacks);

/// Of a stack, what its task may use, and the canary.
METE_INLINE mete_span_t mete_stacks_span(const mete_stacks_record_t *record)
{
    return record->stack.span;
}

/// What lies below: nobody may touch it. Size 0: there is no guard.
METE_INLINE mete_span_t mete_stacks_guard(const mete_stacks_t *stacks,
                                          const mete_stacks_record_t *record)
{
    const size_t size = stacks->config->guard_size;
    const mete_span_t guard = {(char *)record->stack.span.start - size, size};
    return guard;
}

/// Where an empty stack starts: behind its last byte.
METE_INLINE void *mete_stacks_top(const mete_stacks_record_t *record)
{
    return (char *)record->stack.span.start + record->stack.span.size;
}

/// The lowest address that the stack pointer may have: right above the canary. A multiple of two words.
METE_INLINE void *mete_stacks_limit(const mete_stacks_record_t *record)
{
    return (char *)record->stack.span.start + METE_STACK_CANARY_SIZE;
}

/// Bytes in use if the stack reaches down to `top`: as mete_stack_in_use().
METE_INLINE size_t mete_stacks_in_use(const mete_stacks_record_t *record, const void *top)
{
    return mete_stack_in_use(&record->stack, top);
}

/// For the switch from a task to another: true if the stack pointer that was saved of it, `top`, lies between limit and top of
/// its stack, and the canary is whole. Else the overflow is reported, once, and the task must not run on.
METE_INLINE bool mete_stacks_check_switch(mete_stacks_t *stacks, const mete_stacks_record_t *record,
                                          const void *top)
{
    // An address below the limit wraps to a huge offset, so one bound serves both ends.
    const size_t left =
        (uintptr_t)top - (uintptr_t)record->stack.span.start - METE_STACK_CANARY_SIZE;
    if (METE_LIKELY((left <= record->stack.span.size - METE_STACK_CANARY_SIZE) &&
                    mete_stack_is_whole(&record->stack))) {
        return true;
    }
    mete_stacks_report_overflow(stacks, record, top);
    return false;
}

#ifdef __cplusplus
}
#endif
#endif
