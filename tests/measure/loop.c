// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware with counts that are known by reading it: for the test of tools/dev/insn-count.

#include "bench/probe.h"

__asm__(".text\n.thumb\n.syntax unified\n"
        // 2 * turns + 1 instructions.
        ".global loop\n.type loop, %function\n"
        "loop: subs r0, #1\n"
        "bne loop\n"
        "bx lr\n"
        // 6 instructions, whichever half of the IT block acts.
        ".global choose\n.type choose, %function\n"
        "choose: cmp r0, #0\n"
        "itte eq\n"
        "moveq r0, #1\n"
        "addeq r0, #1\n"
        "movne r0, #0\n"
        "bx lr\n"
        // 2 * turns + 5 instructions, those of loop included; two ways out.
        ".global caller\n.type caller, %function\n"
        "caller: push {r4, lr}\n"
        "bl loop\n"
        "cbz r0, 1f\n"
        "pop {r4, pc}\n"
        "1: pop {r4, pc}\n");

uint32_t loop(uint32_t turns);

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
