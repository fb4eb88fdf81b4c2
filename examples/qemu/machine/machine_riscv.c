// SPDX-License-Identifier: MIT OR Apache-2.0
//
// RISC-V. The kernel runs in machine mode with interrupts off, a task in user mode. machine_run() enters the task by mret and
// returns when the task traps. All of a task's registers are kept in the kernel's memory. mscratch holds their address
// while a task runs; 0 says that the kernel does.

#include "examples/qemu/machine/machine.h"
#include "mete/protect/plan_pmp.h"
#include "port/cpu/riscv.h"
#include "port/cpu/riscv_pmp.h"
#include "port/cpu/riscv_violation.h"

// QEMU's virt machine: the clock of 10 MHz, and when it shall interrupt.
#define MTIME    (*(volatile uint32_t *)0x0200BFF8U)
#define MTIMECMP ((volatile uint32_t *)0x02004000U)

enum { TICKS_PER_TURN = 10000, SP = 2, A0 = 10, A1 = 11, CAUSE_CALL = 8 };
#define CAUSE_TICK  0x80000007U
#define MIE_TIMER   (1U << 7)
#define MSTATUS_MPP (3U << 11)

static void switch_off_protection(void)
{
    __asm volatile("csrw pmpcfg0, zero");
}

const machine_t machine = {
    .backend = &mete_plan_pmp,
    .code_start = 0x80000000U,
    .code_last = 0x807FFFFFU,
    .stack_size = 1024U,
    .guard_size = 128U,
    .region_size = 1024U,
    .rounds = 300000U,  // The emulator is slow where regions are smaller than its pages.
    .return_instruction = 0x8082U,
    .switch_off_protection = switch_off_protection};

// The trap handler's assembly code knows the order.
typedef struct context {
    uint32_t x[32];  // x[0]: the pc.
    uint32_t kernel_sp;
} context_t;

static context_t contexts[TASK_MAX];
static mete_violation_t violation;

// Registers of the kernel onto its stack, all registers of the task from its context.
__attribute__((naked, noinline)) static uint32_t run(__attribute__((unused)) context_t *context)
{
    __asm volatile(
        "addi sp, sp, -64   \n\t"
        "sw ra, 0(sp); sw s0, 4(sp); sw s1, 8(sp); sw s2, 12(sp); sw s3, 16(sp); sw s4, 20(sp) \n\t"
        "sw s5, 24(sp); sw s6, 28(sp); sw s7, 32(sp); sw s8, 36(sp); sw s9, 40(sp) \n\t"
        "sw s10, 44(sp); sw s11, 48(sp); sw gp, 52(sp); sw tp, 56(sp) \n\t"
        "sw sp, 128(a0)     \n\t"
        "csrw mscratch, a0  \n\t"
        "lw t0, 0(a0)       \n\t"
        "csrw mepc, t0      \n\t"
        "li t0, 0x1800      \n\t"
        "csrc mstatus, t0   \n\t"  // To user mode.
        "lw x1, 4(a0); lw x2, 8(a0); lw x3, 12(a0); lw x4, 16(a0); lw x5, 20(a0); lw x6, 24(a0) "
        "\n\t"
        "lw x7, 28(a0); lw x8, 32(a0); lw x9, 36(a0); lw x11, 44(a0); lw x12, 48(a0); lw x13, "
        "52(a0) \n\t"
        "lw x14, 56(a0); lw x15, 60(a0); lw x16, 64(a0); lw x17, 68(a0); lw x18, 72(a0) \n\t"
        "lw x19, 76(a0); lw x20, 80(a0); lw x21, 84(a0); lw x22, 88(a0); lw x23, 92(a0) \n\t"
        "lw x24, 96(a0); lw x25, 100(a0); lw x26, 104(a0); lw x27, 108(a0); lw x28, 112(a0) \n\t"
        "lw x29, 116(a0); lw x30, 120(a0); lw x31, 124(a0); lw x10, 40(a0) \n\t"
        "mret               \n\t");
}

// The way back: machine_run() goes on, with mcause.
__attribute__((naked, aligned(4))) static void on_trap(void)
{
    __asm volatile(
        "csrrw a0, mscratch, a0 \n\t"
        "beqz a0, 1f            \n\t"
        "sw x1, 4(a0); sw x2, 8(a0); sw x3, 12(a0); sw x4, 16(a0); sw x5, 20(a0); sw x6, 24(a0) "
        "\n\t"
        "sw x7, 28(a0); sw x8, 32(a0); sw x9, 36(a0); sw x11, 44(a0); sw x12, 48(a0); sw x13, "
        "52(a0) \n\t"
        "sw x14, 56(a0); sw x15, 60(a0); sw x16, 64(a0); sw x17, 68(a0); sw x18, 72(a0) \n\t"
        "sw x19, 76(a0); sw x20, 80(a0); sw x21, 84(a0); sw x22, 88(a0); sw x23, 92(a0) \n\t"
        "sw x24, 96(a0); sw x25, 100(a0); sw x26, 104(a0); sw x27, 108(a0); sw x28, 112(a0) \n\t"
        "sw x29, 116(a0); sw x30, 120(a0); sw x31, 124(a0) \n\t"
        "csrrw t0, mscratch, zero \n\t"  // Its a0; and from here on the kernel runs.
        "sw t0, 40(a0)          \n\t"
        "csrr t0, mepc          \n\t"
        "sw t0, 0(a0)           \n\t"
        "lw sp, 128(a0)         \n\t"
        "csrr a0, mcause        \n\t"
        "lw ra, 0(sp); lw s0, 4(sp); lw s1, 8(sp); lw s2, 12(sp); lw s3, 16(sp); lw s4, 20(sp) \n\t"
        "lw s5, 24(sp); lw s6, 28(sp); lw s7, 32(sp); lw s8, 36(sp); lw s9, 40(sp) \n\t"
        "lw s10, 44(sp); lw s11, 48(sp); lw gp, 52(sp); lw tp, 56(sp) \n\t"
        "addi sp, sp, 64        \n\t"
        "ret                    \n"
        "1:                     \n\t"  // The kernel itself.
        "mv a0, sp              \n\t"
        "la sp, mete_port_stack_end \n\t"
        "tail mete_port_on_trap \n\t");
}

mete_mpu_t machine_init(mete_span_t arena)
{
    static mete_riscv_pmp_t unit;
    (void)arena;
    __asm volatile("csrw mscratch, zero\n\tcsrw mtvec, %0" ::"r"(on_trap));
    __asm volatile(
        "csrs mie, %0" ::"r"(MIE_TIMER));  // In user mode it is let in whatever mstatus says.
    return mete_riscv_pmp_init(&unit);
}

static void end_of_task(void)
{
    machine_call(CALL_END, NULL);
}

void machine_prepare(size_t index, void (*entry)(void *), void *argument, void *top, void *limit)
{
    context_t *const context = &contexts[index];
    (void)limit;
    context->x[0] = (uint32_t)(uintptr_t)entry;
    context->x[1] = (uint32_t)(uintptr_t)end_of_task;
    context->x[SP] = (uint32_t)(uintptr_t)top;
    context->x[A0] = (uint32_t)(uintptr_t)argument;
    __asm volatile("mv %0, gp" : "=r"(context->x[3]));
}

// The upper half first out of reach, so that no value in between is due.
static void start_clock(void)
{
    MTIMECMP[1] = UINT32_MAX;
    MTIMECMP[0] = MTIME + TICKS_PER_TURN;
    MTIMECMP[1] = 0U;
}

trap_t machine_run(size_t index)
{
    context_t *const context = &contexts[index];
    start_clock();
    const uint32_t cause = run(context);
    if (cause == CAUSE_TICK) {
        return TRAP_TICK;
    }
    if (cause == CAUSE_CALL) {
        context->x[0] += 4U;
        return TRAP_CALL;
    }
    violation = mete_riscv_violation();
    return TRAP_FAULT;
}

const void *machine_top_of(size_t index)
{
    return (const void *)(uintptr_t)contexts[index].x[SP];
}

call_t machine_call_of(size_t index)
{
    return (call_t)contexts[index].x[A0];
}

uintptr_t machine_request_of(size_t index)
{
    return contexts[index].x[A1];
}

mete_violation_t machine_violation(void)
{
    return violation;
}

__attribute__((naked, noinline)) void machine_call(__attribute__((unused)) call_t call,
                                                   __attribute__((unused)) void *request)
{
    __asm volatile(".option push\n\t.option norvc\n\tecall\n\tret\n\t.option pop");
}
