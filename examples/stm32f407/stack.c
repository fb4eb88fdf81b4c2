// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A job runs on a stack of its own, first well inside it, then over its end. Below that end is memory
// that belongs to the stack's block: so the overflow is real, and we live to report it.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/core/platform.h"

enum { STACK_SIZE = 8192, BELOW_SIZE = 1024, DEPTH_GOOD = 2048, DEPTH_BAD = 8500 };

typedef struct job {
    const mete_stack_t *stack;
    size_t depth;
} job_t;

// Uses the stack that it runs on down to a certain depth, the frames of its callers included.
__attribute__((noinline)) static void use_stack(const job_t *job)
{
    const uintptr_t end = (uintptr_t)job->stack->span.start + job->stack->span.size;
    const size_t rest = job->depth - mete_stack_in_use(job->stack, METE_STACK_TOP());
    volatile uint32_t *const local = __builtin_alloca(rest);
    volatile uint32_t *const lowest =
        (volatile uint32_t *)(end - job->depth);  // Not below `local`.
    for (volatile uint32_t *word = lowest; word < &local[rest / sizeof *word]; word++) {
        *word = 0U;
    }
}

// Calls use_stack() with the stack pointer at `stack_end`, and comes back to the present stack.
__attribute__((naked, noinline)) static void run_on(__attribute__((unused)) const job_t *job,
                                                    __attribute__((unused)) const void *stack_end)
{
    __asm volatile("push {r4, lr}   \n\t"
                   "mov  r4, sp     \n\t"
                   "mov  sp, r1     \n\t"
                   "bl   %c0        \n\t"
                   "mov  sp, r4     \n\t"
                   "pop  {r4, pc}" ::"i"(use_stack));
}

// Runs a job that goes so deep. `whole` is the stack and what lies below it. Returns the depth measured.
static size_t measure(const mete_stack_t *stack, const mete_stack_t *whole, size_t depth)
{
    const job_t job = {stack, depth};
    (void)mete_stack_paint(whole);
    (void)mete_stack_paint(stack);
    // An interrupt would use the stack as well, and at the deepest point it would show.
    const uintptr_t state = mete_critical_enter();
    run_on(&job, (const unsigned char *)stack->span.start + stack->span.size);
    mete_critical_leave(state);

    const size_t peak = mete_stack_in_use_peak(stack);
    return (peak < stack->span.size) ? peak : mete_stack_in_use_peak(whole);
}

static bool show(void *memory)
{
    unsigned char *const start = memory;
    mete_stack_t stack;
    mete_stack_t whole;
    if (!mete_stack_init(&stack, (mete_span_t){start + BELOW_SIZE, STACK_SIZE}) ||
        !mete_stack_init(&whole, (mete_span_t){start, BELOW_SIZE + STACK_SIZE})) {
        return false;
    }
    const size_t good = measure(&stack, &whole, DEPTH_GOOD);
    LOG("Stack usage: #% (#/# bytes)\n", 100U * good / STACK_SIZE, good, STACK_SIZE);
    const size_t bad = measure(&stack, &whole, DEPTH_BAD);
    if (bad > STACK_SIZE) {
        LOG("Stack overflow detected! Usage: # bytes\n", bad);
    }
    return (good == DEPTH_GOOD) && (bad == DEPTH_BAD);
}

bool stack_topic(memory_t *memory)
{
    log_text("Testing stack monitoring...\n");
    void *const block = mete_acquire(memory->alloc, BELOW_SIZE + STACK_SIZE, 8U);
    if (block == NULL) {
        return false;
    }
    const bool passed = show(block);
    mete_release(memory->alloc, block, BELOW_SIZE + STACK_SIZE, 8U);
    return passed;
}
