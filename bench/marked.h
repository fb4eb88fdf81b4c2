// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BENCH_MARKED_H
#define METE_BENCH_MARKED_H

/// A critical section whose ends are marked for tools/dev/insn-count as a probe: what is executed between
/// the instruction that masks and the one that unmasks is counted. Include it once in a program, in front
/// of what uses the critical section.

#define mete_critical_enter marked_enter
#define mete_critical_leave marked_leave

__asm__(".pushsection .text.marked, \"ax\", %progbits\n"
        ".thumb\n.syntax unified\n"
        ".type marked_enter, %function\n"
        "marked_enter:\n"
        "    mrs r0, primask\n"
        ".global probe_irqoff_begin\n"
        "probe_irqoff_begin:\n"
        "    cpsid i\n"
        "    bx lr\n"
        ".size marked_enter, . - marked_enter\n"
        ".type marked_leave, %function\n"
        "marked_leave:\n"
        ".global probe_irqoff_end\n"
        "probe_irqoff_end:\n"
        "    msr primask, r0\n"
        "    bx lr\n"
        ".size marked_leave, . - marked_leave\n"
        ".popsection");

#endif
