// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware with counts that are known by reading it: for the test of tools/dev/insn-count.

#include "bench/probe.h"

// 2 * turns + 1 instructions.
uint32_t loop(uint32_t turns);
__attribute__((naked)) uint32_t loop(uint32_t turns)
{
    (void)turns;
    __asm__("1: subs r0, #1\n"
            "   bne 1b\n"
            "   bx lr\n");
}

// 6 instructions, whichever half of the IT block acts.
uint32_t choose(uint32_t condition);
__attribute__((naked)) uint32_t choose(uint32_t condition)
{
    (void)condition;
    __asm__("cmp r0, #0\n"
            "itte eq\n"
            "moveq r0, #1\n"
            "addeq r0, #1\n"
            "movne r0, #0\n"
            "bx lr\n");
}

// 2 * turns + 5 instructions, those of loop() included; two ways out.
uint32_t caller(uint32_t turns);
__attribute__((naked)) uint32_t caller(uint32_t turns)
{
    (void)turns;
    __asm__("push {r4, lr}\n"
            "bl loop\n"
            "cbz r0, 1f\n"
            "pop {r4, pc}\n"
            "1: pop {r4, pc}\n");
}

PROBE(loop);
uint32_t probe_loop(uint32_t turns);
PROBE(choose);
uint32_t probe_choose(uint32_t condition);
PROBE(caller);
uint32_t probe_caller(uint32_t turns);

int main(void)
{
    (void)probe_loop(7U);
    bench_phase();
    say("phase first\n");
    (void)loop(99U);  // Not probed, so not counted.
    (void)probe_loop(1U);
    (void)probe_loop(1000U);
    (void)probe_loop(1000U);
    (void)probe_choose(0U);
    (void)probe_choose(1U);
    say("something else\n");
    bench_phase();
    say("phase second\n");
    (void)probe_caller(20U);
    return 0;
}
