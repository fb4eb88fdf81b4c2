# SPDX-License-Identifier: MIT OR Apache-2.0
# As stack_frames.s, for RISC-V.
    .cfi_sections .debug_frame
    .text

    .macro function name
    .global \name
    .type \name, @function
\name:
    .endm

function nothing        # 0
    ret
    .size nothing, . - nothing

function small          # 16: C.ADDI
    addi sp, sp, -16
    sw ra, 12(sp)
    lw ra, 12(sp)
    addi sp, sp, 16
    ret
    .size small, . - small

function middle         # 496: C.ADDI16SP
    addi sp, sp, -496
    addi sp, sp, 496
    ret
    .size middle, . - middle

function large          # 2032: ADDI
    addi sp, sp, -2032
    addi sp, sp, 2032
    ret
    .size large, . - large

function calls          # 16 + 496
    addi sp, sp, -16
    call small
    call middle
    addi sp, sp, 16
    ret
    .size calls, . - calls

function tail           # 0 + 2032
    addi sp, sp, -16
    addi sp, sp, 16
    tail large
    .size tail, . - tail

function forever        # 16 + 16
    addi sp, sp, -16
1:  call small
    j 1b
    .size forever, . - forever

function with_pointer   # 16 + 32: s0 puts the stack back; that it can is all that this information says.
    .cfi_startproc
    addi sp, sp, -16
    .cfi_def_cfa_offset 16
    mv s0, sp
    .cfi_def_cfa_register s0
    addi sp, sp, -32
    mv sp, s0
    addi sp, sp, 16
    ret
    .cfi_endproc
    .size with_pointer, . - with_pointer

function unknown_size
    addi sp, sp, -16
    sub sp, sp, a0
    ret
    .size unknown_size, . - unknown_size

function other_stack
    la sp, other_stack
    call small
1:  j 1b
    .size other_stack, . - other_stack

function pointer
    jalr a0
    ret
    .size pointer, . - pointer
