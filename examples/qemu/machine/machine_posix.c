// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Linux. Tasks are contexts of one process; what is unprivileged is what the driver of pages is told to play. The clock is
// a signal, which is let in only while a task runs, and leads from the task's stack back into the kernel.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // NOLINT(bugprone-reserved-identifier)
#endif

#include "examples/qemu/machine/machine.h"
#include "mete/protect/plan_pages.h"
#include "port/os/posix_mprotect.h"
#include "port/os/posix_violation.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <ucontext.h>

enum { TICK_US = 1000 };

const machine_t machine = {
    .backend = &mete_plan_pages,
    .stack_size = 32768U,
    .guard_size = 4096U,
    .region_size = 4096U,
    .rounds = 100000000U,  // Several ticks, as they come on a machine that is busy.
    .return_instruction = 0xC3U};

typedef struct context {
    ucontext_t start;
    ucontext_t *resume;  // Where it goes on: at its start, or where it left, on its own stack.
    char *limit;
    char *top;
    void (*entry)(void *);
    void *argument;
    trap_t trap;
    call_t call;
    void *request;
} context_t;

static context_t contexts[TASK_MAX];
static context_t *volatile running;
static ucontext_t kernel;
static sigjmp_buf kernel_after_fault;
static mete_violation_t violation;
static mete_posix_mprotect_t pages;

static size_t write_text(void *self, const void *bytes, size_t size)
{
    (void)self;
    return fwrite(bytes, 1U, size, stdout);
}

const mete_sink_t mete_port_console = {write_text, NULL};

// The task's turn ends. It goes on here when it has the next one.
static void leave(context_t *context)
{
    ucontext_t here;
    context->resume = &here;
    if (swapcontext(&here, &kernel) != 0) {
        abort();
    }
}

static bool is_on_its_stack(const context_t *context, const char *address)
{
    return (address >= context->limit) && (address < context->top);
}

// Between the mask and the stack of a context that is left or entered a tick may come: it is lost.
static void on_tick(int number)
{
    (void)number;
    context_t *const context = running;
    if (is_on_its_stack(context, __builtin_frame_address(0))) {
        context->trap = TRAP_TICK;
        leave(context);
    }
}

static bool on_violation(void *self, const mete_violation_t *what)
{
    (void)self;
    violation = *what;
    siglongjmp(kernel_after_fault, 1);
}

static void start_clock(void)
{
    const struct itimerval every = {{0, TICK_US}, {0, TICK_US}};
    const struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    if ((sigaction(SIGVTALRM, &action, NULL) != 0) ||
        (setitimer(ITIMER_VIRTUAL, &every, NULL) != 0)) {
        abort();
    }
}

mete_mpu_t machine_init(mete_span_t arena)
{
    static const mete_posix_violation_config_t config = {on_violation, NULL};
    static mete_posix_violation_t watch;
    static unsigned char stack[METE_POSIX_VIOLATION_STACK_SIZE];
    sigset_t ticks;
    (void)sigemptyset(&ticks);
    (void)sigaddset(&ticks, SIGVTALRM);
    (void)sigprocmask(SIG_BLOCK, &ticks, NULL);
    if (!mete_posix_violation_add_stack(stack, sizeof stack) ||
        !mete_posix_violation_init(&watch, &config)) {
        abort();
    }
    start_clock();
    return mete_posix_mprotect_init(&pages, arena);
}

static void run_task(void)
{
    running->entry(running->argument);
    machine_call(CALL_END, NULL);
}

void machine_prepare(size_t index, void (*entry)(void *), void *argument, void *top, void *limit)
{
    context_t *const context = &contexts[index];
    *context = (context_t){.entry = entry, .argument = argument, .top = top, .limit = limit};
    if (getcontext(&context->start) != 0) {
        abort();
    }
    context->resume = &context->start;
    context->start.uc_stack.ss_sp = limit;
    context->start.uc_stack.ss_size = (size_t)((char *)top - (char *)limit);
    (void)sigdelset(&context->start.uc_sigmask, SIGVTALRM);
    makecontext(&context->start, run_task, 0);
}

trap_t machine_run(size_t index)
{
    context_t *const context = &contexts[index];
    running = context;
    context->trap = TRAP_CALL;  // If neither a tick nor a fault says otherwise.
    if (sigsetjmp(kernel_after_fault, 1) == 0) {
        mete_posix_mprotect_set_privilege(&pages, METE_UNPRIVILEGED);
        (void)swapcontext(&kernel, context->resume);
    } else {
        context->trap = TRAP_FAULT;
    }
    mete_posix_mprotect_set_privilege(&pages, METE_PRIVILEGED);
    return context->trap;
}

const void *machine_top_of(size_t index)
{
    return contexts[index].resume;
}

call_t machine_call_of(size_t index)
{
    return contexts[index].call;
}

uintptr_t machine_request_of(size_t index)
{
    return (uintptr_t)contexts[index].request;
}

mete_violation_t machine_violation(void)
{
    return violation;
}

void machine_call(call_t call, void *request)
{
    running->call = call;
    running->request = request;
    leave(running);
}
