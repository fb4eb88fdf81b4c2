@ SPDX-License-Identifier: MIT OR Apache-2.0
@ Functions whose longest paths are known by reading them: for the test of `mete bound`.
    .syntax unified
    .thumb
    .text

    .macro function name
    .global \name
    .type \name, %function
\name:
    .endm

function straight       @ 3
    movs r0, #1
    adds r0, #1
    bx lr
    .size straight, . - straight

function fork           @ The longer side: 2 + 3 + 1.
    cmp r0, #0
    beq 1f
    movs r0, #1
    movs r0, #2
    movs r0, #3
1:  bx lr
    .size fork, . - fork

function in_it_block    @ 6: what does not act counts too; the return may be in the block.
    cmp r0, #0
    itt eq
    moveq r0, #1
    bxeq lr
    movs r0, #2
    bx lr
    .size in_it_block, . - in_it_block

function calls          @ 4 + 3 + 6
    push {r4, lr}
    bl straight
    bl fork
    pop {r4, pc}
    .size calls, . - calls

function tail           @ 2 + 3
    movs r0, #0
    b.w straight
    .size tail, . - tail

function traps          @ 3: the way that does not return is longer, but does not count.
    cmp r0, #0
    bne 1f
    bx lr
1:  movs r0, #1
    movs r0, #2
    movs r0, #3
    udf #0
    .size traps, . - traps

function hangs          @ 3: a loop that is never left does not return either.
    cmp r0, #0
    bne 1f
    bx lr
1:  b 1b
    .size hangs, . - hangs

function one_loop       @ With 5 passes: 1 + 5 * 3 + 1.
    movs r1, #5
1:  adds r0, #1         @ turn
    subs r1, #1
    bne 1b
    bx lr
    .size one_loop, . - one_loop

function nested         @ With 3 and 2 passes: 1 + 3 * (1 + 2 * 2 + 2) + 1.
    movs r1, #3
1:  movs r2, #2         @ outer
2:  subs r2, #1         @ inner
    bne 2b
    subs r1, #1
    bne 1b
    bx lr
    .size nested, . - nested

function entered_late   @ With the body 4 times: 2 + 4 * 2 + 5 * 2 + 1.
    movs r1, #4
    b 2f
1:  adds r0, #1         @ body
    adds r0, #2
2:  subs r1, #1
    bpl 1b
    bx lr
    .size entered_late, . - entered_late

function left_early     @ With 4 passes: 1 + 3 * 4 + 2 + 3. The way out leads through the middle.
    movs r1, #4
1:  cmp r0, #0          @ turn
    beq 2f
    subs r1, #1
    bne 1b
    bx lr
2:  movs r0, #1
    movs r0, #2
    bx lr
    .size left_early, . - left_early

function two_choices    @ 10; with the two long sides apart: 8.
    cmp r0, #0
    beq 1f
    movs r0, #1         @ first side
    movs r0, #2         @ first side
1:  cmp r1, #0
    beq 2f
    movs r0, #1         @ second side
    movs r0, #2         @ second side
    movs r0, #3         @ second side
2:  bx lr
    .size two_choices, . - two_choices

function recursive
    push {r4, lr}
    bl recursive
    pop {r4, pc}
    .size recursive, . - recursive

function table
    tbb [pc, r0]
1:  .byte (2f - 1b) / 2
    .byte (2f - 1b) / 2
2:  bx lr
    .size table, . - table

function pointer        @ 3, and what it calls.
    push {r4, lr}
    blx r1
    pop {r4, pc}
    .size pointer, . - pointer

function hook           @ Without the call: 4.
    push {r4, lr}
    cbz r1, 1f
    movs r0, #1
    blx r1
    movs r0, #2
1:  movs r0, #3
    pop {r4, pc}
    .size hook, . - hook
