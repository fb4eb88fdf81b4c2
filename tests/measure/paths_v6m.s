@ SPDX-License-Identifier: MIT OR Apache-2.0
@ Functions for ARMv6-M whose longest paths are known by reading them: for the test of `mete bound`.
    .syntax unified
    .thumb
    .text

    .macro function name
    .global \name
    .type \name, %function
\name:
    .endm

function fork           @ 2 + 2 + 1
    cmp r0, #0
    beq 1f
    movs r0, #1
    movs r0, #2
1:  bx lr
    .size fork, . - fork

function calls          @ 3 + 5
    push {r4, lr}
    bl fork
    pop {r4, pc}
    .size calls, . - calls

function above          @ 6: arguments lie above the return address.
    push {r0, r1}
    push {r4, lr}
    pop {r4}
    pop {r3}
    add sp, #8
    bx r3
    .size above, . - above

function pointer        @ A call in place of a return.
    pop {r4}
    pop {r2}
    add sp, #8
    bx r3
    .size pointer, . - pointer

function high           @ 2
    movs r0, #0
    mov pc, lr
    .size high, . - high

function table
    add pc, r0
    bx lr
    .size table, . - table

function with_data      @ 3: the word between is no instruction.
    ldr r0, 1f
    b 2f
    .align 2
1:  .word 0xDEADBEEF
2:  bx lr
    .size with_data, . - with_data
