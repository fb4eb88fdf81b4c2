# SPDX-License-Identifier: MIT OR Apache-2.0
# Functions for 32-bit RISC-V whose longest paths are known by reading them: for the test of `mete bound`.
    .text

    .macro function name
    .global \name
    .type \name, %function
\name:
    .endm

function straight       # 3
    li a0, 1
    addi a0, a0, 1
    ret
    .size straight, . - straight

function fork           # The longer side: 1 + 3 + 1.
    beqz a0, 1f
    li a0, 1
    li a0, 2
    li a0, 3
1:  ret
    .size fork, . - fork

    .option push
    .option norvc
function wide           # 1 + 3 + 1, in instructions of 32 bits.
    blt a0, a1, 1f
    li a0, 1
    j 2f
1:  nop
    nop
    nop
2:  ret
    .size wide, . - wide
    .option pop

function calls          # 6 + 3 + 5
    addi sp, sp, -16
    sw ra, 12(sp)
    jal straight
    jal fork
    lw ra, 12(sp)
    ret
    .size calls, . - calls

    .option push
    .option norelax
function far            # 2 + 3 + 1: a call in two instructions.
    call straight
    ret
    .size far, . - far

function far_tail       # 2 + 3
    tail straight
    .size far_tail, . - far_tail
    .option pop

function tail_near      # 2 + 3
    li a0, 0
    j straight
    .size tail_near, . - tail_near

function alternate      # 3: the other register that a return may be in.
    li a0, 1
    nop
    jr t0
    .size alternate, . - alternate

function traps          # 2: the way that does not return is longer, but does not count.
    bnez a0, 1f
    ret
1:  li a0, 1
    li a0, 2
    ebreak
    .size traps, . - traps

    .option push
    .option norvc
function debugger       # 4: a call of the debugger does return.
    slli x0, x0, 0x1f
    ebreak
    srai x0, x0, 7
    ret
    .size debugger, . - debugger
    .option pop

function one_loop       # With 5 passes: 1 + 5 * 3 + 1.
    li a1, 5
1:  addi a0, a0, 1      # turn
    addi a1, a1, -1
    bnez a1, 1b
    ret
    .size one_loop, . - one_loop

function recursive
    addi sp, sp, -16
    sw ra, 12(sp)
    jal recursive
    lw ra, 12(sp)
    addi sp, sp, 16
    ret
    .size recursive, . - recursive

function pointer        # 5, and what it calls.
    addi sp, sp, -16
    sw ra, 12(sp)
    jalr a1
    lw ra, 12(sp)
    ret
    .size pointer, . - pointer

function jump_pointer   # 1, and what it goes to.
    jr a1
    .size jump_pointer, . - jump_pointer
