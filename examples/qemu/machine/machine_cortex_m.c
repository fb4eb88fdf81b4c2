// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Cortex-M3 and larger. The kernel runs in privileged thread mode on the main stack, a task in unprivileged thread mode on
// the process stack. One handler leads from one to the other: it is entered by the supervisor call of machine_run(), and
// by whatever ends the task's turn. What a task's registers hold is kept in the kernel's memory, for its stack may be what
// it ran over.

#include "examples/qemu/machine/machine_core.h"
#include "port/board/board.h"
#include "port/cpu/cortex_m.h"
#include "port/cpu/cortex_m_violation.h"
#include "port/os/bare_metal.h"

enum {
    SYSTICK = 15,
    SVCALL = 11,
    FRAME_WORDS = 8,
    FRAME_R0 = 0,
    FRAME_R1 = 1,
    FRAME_LR = 5,
    FRAME_PC = 6,
    FRAME_PSR = 7
};
#define PSR_THUMB (1U << 24)

// The handler's assembly code knows the order.
typedef struct context {
    uint32_t psp;
    uint32_t r4_to_r11[8];
} context_t;

static context_t contexts[TASK_MAX];
static void *limits[TASK_MAX];
static mete_violation_t violation;

__attribute__((used)) static context_t *running;

// Called by the handler while the core still knows what went wrong. Returns what machine_run() shall.
__attribute__((used)) static trap_t classify(const uint32_t *frame, uint32_t exc_return)
{
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    if (exception == SYSTICK) {
        return TRAP_TICK;
    }
    if (exception == SVCALL) {
        return TRAP_CALL;
    }
    violation = mete_cortex_m_violation(frame, exc_return);
    return TRAP_FAULT;
}

__attribute__((naked)) static void on_exception(void)
{
    __asm volatile(
        "tst   lr, #4             \n\t"
        "beq   1f                 \n\t"
        // From a task: its registers into its context, the kernel's back from the main stack.
        "ldr   r2, =running       \n\t"
        "ldr   r2, [r2]           \n\t"
        "mrs   r0, psp            \n\t"
        "stmia r2!, {r0, r4-r11}  \n\t"
        "mov   r1, lr             \n\t"
        "bl    classify           \n\t"
        "movs  r1, #0             \n\t"
        "msr   control, r1        \n\t"
        "pop   {r4-r11}           \n\t"
        "str   r0, [sp]           \n\t"  // What the supervisor call returns.
        "mvn   lr, #6             \n\t"  // 0xFFFFFFF9: thread mode, main stack.
        "bx    lr                 \n"
        // From the kernel: a tick is late, a supervisor call runs the task in r0, all else is a bug.
        "1:                       \n\t"
        "mrs   r1, ipsr           \n\t"
        "cmp   r1, #15            \n\t"
        "beq   2f                 \n\t"
        "cmp   r1, #11            \n\t"
        "bne   mete_port_on_fault \n\t"
        "push  {r4-r11}           \n\t"
        "ldr   r0, [sp, #32]      \n\t"
        "ldr   r2, =running       \n\t"
        "str   r0, [r2]           \n\t"
        "ldmia r0!, {r1, r4-r11}  \n\t"
        "msr   psp, r1            \n\t"
        "movs  r1, #1             \n\t"
        "msr   control, r1        \n\t"
        "mvn   lr, #2             \n"  // 0xFFFFFFFD: thread mode, process stack.
        "2:                       \n\t"
        "bx    lr                 \n\t"
        ".ltorg");
}

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = {
    .stack_end = mete_port_stack_end,
    .reset = mete_port_start,
    .nmi = mete_port_on_fault,
    .hard_fault = mete_port_on_fault,
    .memory_fault = on_exception,
    .bus_fault = on_exception,
    .usage_fault = on_exception,
    .secure_fault = mete_port_on_fault,
    .svcall = on_exception,
    .debug_monitor = mete_port_on_fault,
    .pendsv = mete_port_on_fault,
    .systick = on_exception,
};

mete_mpu_t machine_init(mete_span_t arena)
{
    (void)arena;
    mete_bare_metal_clock_start(mete_board.clock_hz);
    return core_mpu_init();
}

static void end_of_task(void)
{
    machine_call(CALL_END, NULL);
}

void machine_prepare(size_t index, void (*entry)(void *), void *argument, void *top, void *limit)
{
    uint32_t *const frame = (uint32_t *)top - FRAME_WORDS;
    frame[FRAME_R0] = (uint32_t)(uintptr_t)argument;
    frame[FRAME_LR] = (uint32_t)(uintptr_t)end_of_task;
    frame[FRAME_PC] = (uint32_t)(uintptr_t)entry & ~1U;
    frame[FRAME_PSR] = PSR_THUMB;
    contexts[index].psp = (uint32_t)(uintptr_t)frame;
    limits[index] = limit;
}

__attribute__((naked, noinline)) static trap_t run(__attribute__((unused)) context_t *context)
{
    __asm volatile("svc 0\n\tbx lr");
}

trap_t machine_run(size_t index)
{
    core_set_stack_limit(limits[index]);
    return run(&contexts[index]);
}

const void *machine_top_of(size_t index)
{
    return (const void *)(uintptr_t)contexts[index].psp;
}

call_t machine_call_of(size_t index)
{
    return (call_t)((const uint32_t *)machine_top_of(index))[FRAME_R0];
}

uintptr_t machine_request_of(size_t index)
{
    return ((const uint32_t *)machine_top_of(index))[FRAME_R1];
}

void core_switch_off_protection(void)
{
    *(volatile uint32_t *)0xE000ED94U = 0U;  // MPU_CTRL.
}

mete_violation_t machine_violation(void)
{
    return violation;
}

__attribute__((naked, noinline)) void machine_call(__attribute__((unused)) call_t call,
                                                   __attribute__((unused)) void *request)
{
    __asm volatile("svc 0\n\tbx lr");
}
