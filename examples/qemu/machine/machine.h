// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef EXAMPLE_MACHINE_H
#define EXAMPLE_MACHINE_H

/// What the kernel needs of a processor: to run a task as unprivileged code until something happens.

#include "mete/core/violation.h"
#include "mete/protect/plan.h"
#include "port/cpu/start.h"

enum { TASK_MAX = 8 };

/// Why a task no longer runs.
typedef enum trap {
    TRAP_TICK,   ///< Its time is up.
    TRAP_CALL,   ///< It asks for something: machine_call_of().
    TRAP_FAULT,  ///< It was stopped: machine_violation().
} trap_t;

/// What a task may ask for. Further numbers are the kernel's own.
typedef uint32_t call_t;
enum { CALL_YIELD, CALL_END, CALL_OTHERS };

typedef struct machine {
    const mete_plan_backend_t *backend;
    uintptr_t code_start;  ///< What all tasks may execute,
    uintptr_t code_last;   ///< to here. Both 0: that is not protection's to say.
    size_t
        null_size;  ///< So many bytes from 0 on are taken away from it: they are code here. 0: they are nobody's.
    size_t stack_size;  ///< Of a task: guard, canary and all; a power of two.
    size_t guard_size;
    uint32_t
        overflow_cause;  ///< Bits of the cause that a stack which runs over must set. 0: it is like any access.
    size_t region_size;  ///< Of a task's own memory.
    uint32_t rounds;     ///< Of work that take several turns.
    uint32_t return_instruction;
    uintptr_t
        code_offset;  ///< What is added to the address of an instruction to call it: 1 for Thumb.
    void (*switch_off_protection)(
        void);  ///< As a task would try to. NULL: nothing but good will keeps it from that.
} machine_t;

extern const machine_t machine;
/// Starts the clock. `arena` is all memory that tasks may get.
mete_mpu_t machine_init(mete_span_t arena);

/// Makes task number `index` ready to start with `entry(argument)`, on a stack from `limit` to `top`. When that returns the
/// task ends.
void machine_prepare(size_t index, void (*entry)(void *), void *argument, void *top, void *limit);

/// Runs it for a while, with what has been committed to the protection unit.
trap_t machine_run(size_t index);

/// Its stack pointer while it does not run.
const void *machine_top_of(size_t index);

/// What it asked for,
call_t machine_call_of(size_t index);

/// and with which words: an address that the task chose.
uintptr_t machine_request_of(size_t index);

/// After TRAP_FAULT.
mete_violation_t machine_violation(void);

/// For tasks: asks the kernel.
void machine_call(call_t call, void *request);

#endif
