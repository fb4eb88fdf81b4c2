// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/cpu/cortex_m.h"

#include "mete/core/align.h"
#include "mete/core/text.h"

#include <stdint.h>

// System control block, ARMv7-M and ARMv8-M Architecture Reference Manuals. ARMv6-M reads the fault
// registers as 0.
#define SCB_SHCSR (*(volatile uint32_t *)0xE000ED24U)
#define SCB_CFSR  (*(volatile uint32_t *)0xE000ED28U)
#define SCB_HFSR  (*(volatile uint32_t *)0xE000ED2CU)
#define SCB_MMFAR (*(volatile uint32_t *)0xE000ED34U)
#define SCB_BFAR  (*(volatile uint32_t *)0xE000ED38U)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88U)

// MSTKERR, STKERR, STKOF: the frame itself could not be written.
#define CFSR_NO_FRAME ((1U << 4) | (1U << 12) | (1U << 20))

// What the core stacks: r0 to r3, r12, lr, pc, psr.
enum { FRAME_LR = 5, FRAME_PC = 6, FRAME_WORDS = 8 };

void mete_port_start(void)
{
#ifdef __ARM_FP
    // Code for the floating-point unit faults until it is switched on.
    SCB_CPACR |= 0xFU << 20;
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
#if __ARM_ARCH >= 7
    SCB_SHCSR |= 7U << 16;  // Memory, bus and usage faults by their own name, not as a hard fault.
#endif
#ifdef __ARM_ARCH_8M_MAIN__
    __asm volatile("msr msplim, %0" ::"r"(mete_port_stack_start));
#endif
    mete_port_run();
}

static void say(const char *name, uintptr_t value)
{
    mete_text_string(mete_port_console, name);
    mete_text_hex(mete_port_console, value);
}

// True if the core has stacked a frame and it can be read: reading where there is no memory would be
// a fault inside this one, and the last.
static bool is_readable(const uintptr_t *frame)
{
    const mete_span_t ram = {mete_port_ram_start,
                             (size_t)(mete_port_ram_end - mete_port_ram_start)};
    return ((SCB_CFSR & CFSR_NO_FRAME) == 0U) && mete_align_fits((uintptr_t)frame, sizeof *frame) &&
           mete_span_has(ram, frame) && mete_span_has(ram, frame + (FRAME_WORDS - 1));
}

__attribute__((noreturn, used)) static void report(const uintptr_t *frame, uintptr_t exception)
{
    mete_text_string(mete_port_console, "fault: exception ");
    mete_text_decimal(mete_port_console, exception);
    if (is_readable(frame)) {
        say(", pc ", frame[FRAME_PC]);
        say(", lr ", frame[FRAME_LR]);
    }
    say(", sp ", (uintptr_t)frame);
    say(", cfsr ", SCB_CFSR);
    say(", hfsr ", SCB_HFSR);
    say(", mmfar ", SCB_MMFAR);
    say(", bfar ", SCB_BFAR);
    mete_text_string(mete_port_console, "\n");
    mete_port_exit(METE_PORT_EXIT_FAULT);
}

// Hands over the stack that was in use and the exception's number. If the main stack has less than 512
// bytes left it starts afresh: nobody returns to what it holds.
__attribute__((naked)) void mete_port_on_fault(void)
{
    __asm volatile("mrs  r0, msp                        \n\t"
                   "ldr  r1, =mete_port_stack_start+512 \n\t"
                   "cmp  r0, r1                         \n\t"
                   "bhs  1f                             \n\t"
                   "ldr  r1, =mete_port_stack_end       \n\t"
                   "msr  msp, r1                        \n"
                   "1:                                  \n\t"
                   "mov  r1, lr                         \n\t"
                   "movs r2, #4                         \n\t"
                   "tst  r1, r2                         \n\t"
                   "beq  2f                             \n\t"
                   "mrs  r0, psp                        \n"
                   "2:                                  \n\t"
                   "mrs  r1, ipsr                       \n\t"
                   "ldr  r2, =report                    \n\t"
                   "bx   r2                             \n\t"
                   ".ltorg");
}
