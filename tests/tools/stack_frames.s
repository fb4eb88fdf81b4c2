@ SPDX-License-Identifier: MIT OR Apache-2.0
@ Functions whose stack is known by reading them: for the test of `mete stack`. Most have no call frame information: what the
@ instructions do is all there is.
    .cfi_sections .debug_frame
    .syntax unified
    .thumb
    .fpu fpv4-sp-d16
    .text

    .macro function name
    .global \name
    .type \name, %function
\name:
    .endm

function nothing        @ 0
    bx lr
    .size nothing, . - nothing

function pushes         @ 12
    push {r4, r5, lr}
    pop {r4, r5, pc}
    .size pushes, . - pushes

function makes_room     @ 8 + 40
    push {r4, lr}
    sub sp, #40
    add sp, #40
    pop {r4, pc}
    .size makes_room, . - makes_room

function wide           @ 36 + 1024 + 4000 + 8 + 16 + 4: every way to take some
    stmdb sp!, {r4-r11, lr}
    sub.w sp, sp, #1024
    subw sp, sp, #4000
    strd r0, r1, [sp, #-8]!
    vpush {s16-s19}
    str r0, [sp, #-4]!
    ldr r0, [sp], #4
    vpop {s16-s19}
    ldrd r0, r1, [sp], #8
    addw sp, sp, #4000
    add.w sp, sp, #1024
    ldmia sp!, {r4-r11, pc}
    .size wide, . - wide

function calls          @ 8 + 48: the deeper of two
    push {r4, lr}
    bl pushes
    bl makes_room
    pop {r4, pc}
    .size calls, . - calls

function between        @ 8 + 12, for the 40 are given back before: deeper than 8 + 40? No: 48.
    push {r4, lr}
    sub sp, #40
    add sp, #40
    bl pushes
    pop {r4, pc}
    .size between, . - between

function tail           @ 0 + 48: nothing is left when it goes on
    push {r4, lr}
    pop {r4, lr}
    b.w makes_room
    .size tail, . - tail

function forever        @ 8 + 12: it never returns
    push {r4, lr}
1:  bl pushes
    b 1b
    .size forever, . - forever

function traps          @ 8 + 48: what is called before a trap counts
    push {r4, lr}
    cbz r0, 1f
    pop {r4, pc}
1:  bl makes_room
    udf #0
    .size traps, . - traps

function early          @ 8 + 40: an early return does not fool it
    push {r4, lr}
    cbz r0, 1f
    pop {r4, pc}
1:  sub sp, #40
    add sp, #40
    pop {r4, pc}
    .size early, . - early

function beyond_return  @ 8 + 40 + 12: what stands behind a return may be reached from where more was taken
    push {r4, lr}
    sub sp, #40
    cbz r0, 1f
    add sp, #40
    pop {r4, pc}
1:  bl pushes
    add sp, #40
    pop {r4, pc}
    .size beyond_return, . - beyond_return

function late_information  @ 8 + 12, whatever the call frame information leaves out
    .cfi_startproc
    push {r4, lr}
    bl pushes
    pop {r4, pc}
    .cfi_endproc
    .size late_information, . - late_information

function sometimes      @ 8 + 48: a return that a condition guards
    push {r4, lr}
    cmp r0, #0
    it eq
    popeq {r4, pc}
    bl makes_room
    pop {r4, pc}
    .size sometimes, . - sometimes

function with_pointer   @ r7 puts the stack back: 8 + 16; that it can is all that this information says.
    .cfi_startproc
    push {r7, lr}
    .cfi_def_cfa_offset 8
    mov r7, sp
    .cfi_def_cfa_register r7
    sub sp, #16
    mov sp, r7
    pop {r7, pc}
    .cfi_endproc
    .size with_pointer, . - with_pointer

function unknown_size
    push {r7, lr}
    sub.w sp, sp, r0
    pop {r7, pc}
    .size unknown_size, . - unknown_size

function adds_register
    push {r4, lr}
    add sp, r0
    pop {r4, pc}
    .size adds_register, . - adds_register

function other_stack
    ldr r0, =0x20001000
    mov sp, r0
    bl pushes
    b .
    .size other_stack, . - other_stack

function switches       @ 8 + 48: a table of branches
    push {r4, lr}
    tbb [pc, r0]
    .byte 1
    .byte 2
    bl nothing
    bl makes_room
    pop {r4, pc}
    .size switches, . - switches

function pointer
    push {r4, lr}
    blx r0
    pop {r4, pc}
    .size pointer, . - pointer

function reaches_pointer
    push {r4, lr}
    bl pointer
    pop {r4, pc}
    .size reaches_pointer, . - reaches_pointer

function ping
    push {r4, lr}
    bl pong
    pop {r4, pc}
    .size ping, . - ping

function pong
    push {r4, lr}
    bl ping
    pop {r4, pc}
    .size pong, . - pong
