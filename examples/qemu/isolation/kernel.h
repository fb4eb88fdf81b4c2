// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef ISOLATION_KERNEL_H
#define ISOLATION_KERNEL_H

/// Three tasks in three domains on a small pre-emptive kernel: what they ask for is judged by mete/protect/domain.h, what they
/// do without asking is stopped by the protection unit and judged by mete/system/violations.h.

#include "examples/qemu/machine/machine.h"
#include "mete/protect/domain.h"
#include "mete/system/violations.h"

enum { VICTIM, ATTACKER, BYSTANDER, DOMAIN_COUNT };
enum { GATE_SIGN, GATE_ROTATE, GATE_COUNT };

/// What a task may ask for. Its words are a request_t, in its own memory.
enum {
    CALL_ACQUIRE = CALL_OTHERS,  ///< size -> address
    CALL_RELEASE,                ///< address, size
    CALL_RESIZE,                 ///< address, size, new size
    CALL_TRANSFER,               ///< region, receiver
    CALL_GATE,                   ///< gate, four words -> what its entry returns
    CALL_HANDLE_ACQUIRE,         ///< size -> handle
    CALL_HANDLE_RELEASE,         ///< handle
    CALL_HANDLE_READ             ///< handle -> first word of the block
};

enum { WORD_COUNT = 5, BLOCK_SIZE = 64, BLOCK_COUNT = 4, PATTERN_COUNT = 16, SIGN_IN_MAX = 32 };

typedef struct request {
    uintptr_t words[WORD_COUNT];
    uintptr_t result;
    uintptr_t is_done;  ///< 1: it was. Else it was refused.
} request_t;

/// What the kernel and a task agree on about the first bytes of its memory.
typedef struct board {
    uintptr_t stage;  ///< How far an attack came.
    uintptr_t got;    ///< What it got hold of. 0: nothing.
    uintptr_t tries;
    uintptr_t target;  ///< Addresses that it may know, for they are no secret:
    uintptr_t target_block;
    uintptr_t target_handle;
    uintptr_t target_kernel;
    uintptr_t rounds;  ///< Of work,
    uintptr_t damage;  ///< and how often something was not as it was left.
    uint32_t pattern[PATTERN_COUNT];
} board_t;

/// Like a task in a gate: where its arguments are.
typedef struct gate_frame {
    uintptr_t words[METE_DOMAIN_ARGUMENT_MAX];
    uintptr_t result;
} gate_frame_t;

typedef struct task {
    mete_domain_task_t place;
    size_t context;  ///< Of the machine: its own, or that of the gate that it is in.
    board_t *board;
    bool is_running;
    bool is_killed;     ///< By a violation,
    bool is_violation;  ///< or by another fault.
    mete_violations_report_t report;
} task_t;

/// Makes all domains. False if they do not fit the hardware.
bool kernel_init(mete_span_t arena, const uintptr_t entries[GATE_COUNT]);

/// Lets a task begin, or begin anew.
void kernel_start(size_t domain, void (*entry)(void *board));

/// Gives every running task so many turns, or until `domain` no longer runs.
void kernel_run(size_t domain, size_t turns);

/// From now on the hardware enforces nothing.
void kernel_switch_off(void);

task_t *kernel_task(size_t domain);
const mete_domain_t *kernel_domains(void);

/// Where things are.
uintptr_t kernel_keys(void);
uint32_t *kernel_secret(void);  ///< The kernel's own.
size_t kernel_block_count(size_t domain);

/// Since the start: requests at an address that is not the task's, and faults of allocators.
size_t kernel_bad_requests(void);
size_t kernel_faults(void);

/// True if all books are sound.
bool kernel_check(void);

/// For tasks. True if it was done.
bool ask(call_t call, request_t *request);

/// What only the kernel is to call: it writes to the kernel's own memory.
void kernel_privileged(uint32_t *target);

#endif
