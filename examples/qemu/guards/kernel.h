// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef GUARDS_KERNEL_H
#define GUARDS_KERNEL_H

/// A kernel just large enough to show protection: tasks in turn, pre-empted by a clock, each on a stack and in a region of
/// its own, and nothing else.

#include "mete/protect/map.h"
#include "mete/protect/stacks.h"
#include "mete/system/violations.h"

typedef struct task {
    const char *name;
    mete_span_t region;  ///< Its own memory.
    const mete_stacks_record_t *stack;
    mete_plan_t plan;
    size_t turns;  ///< How often it ran.
    bool has_ended;
    bool is_killed;
    mete_violations_report_t report;  ///< Why, if it was.
} task_t;

/// Gives every task its memory from here. False if that is not enough for the kernel's own books.
bool kernel_init(mete_span_t arena);

/// Adds a task that runs entry(its own memory). NULL: there is no memory for it, or its protection does not fit the hardware.
task_t *kernel_add(const char *name, void (*entry)(void *region));

/// Runs all tasks until each has ended or was killed. What happens is written to mete_port_console.
void kernel_run(void);

const mete_stacks_t *kernel_stacks(void);

#endif
