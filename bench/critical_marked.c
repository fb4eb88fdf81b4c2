// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wrapper with a critical section whose ends are marked for tools/dev/insn-count as a probe: what is
// executed between the instruction that masks and the one that unmasks is counted.

#define mete_critical_init     marked_init
#define mete_critical_as_alloc marked_as_alloc
#define mete_critical_enter    marked_enter
#define mete_critical_leave    marked_leave
#include "mete/wrap/critical.c"

__asm__(".pushsection .text.marked, \"ax\", %progbits\n"
        ".thumb\n.syntax unified\n.global marked_enter, marked_leave\n"
        ".type marked_enter, %function\n"
        "marked_enter:\n"
        "    mrs r0, primask\n"
        "probe_irqoff_begin:\n"
        "    cpsid i\n"
        "    bx lr\n"
        ".size marked_enter, . - marked_enter\n"
        ".type marked_leave, %function\n"
        "marked_leave:\n"
        "probe_irqoff_end:\n"
        "    msr primask, r0\n"
        "    bx lr\n"
        ".size marked_leave, . - marked_leave\n"
        ".popsection");
