// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Where a RISC-V core begins, and where its traps go. Nothing here returns from a trap: a trap is a
// fault, for interrupts are never switched on.

    .section .isr_vector, "ax"
    .globl mete_port_start
    .globl mete_port_vectors
mete_port_vectors:
mete_port_start:
    csrr t0, mhartid
park:
    bnez t0, park               // Only the first core runs.
    la sp, mete_port_stack_end
    la t0, mete_port_trap
    csrw mtvec, t0
    tail mete_port_run

    .text
    .balign 4
mete_port_trap:
    mv a0, sp
    la sp, mete_port_stack_end  // The stack may be what overflowed.
    tail mete_port_on_trap
