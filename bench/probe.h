// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BENCH_PROBE_H
#define METE_BENCH_PROBE_H

/// Calls that the instruction counter sees.
///
/// PROBE(function) makes probe_function(), to be called instead of function(). tools/dev/bench finds
/// the pairs by their names in the ELF: counting begins with the first instruction of `function` and
/// ends where the probe continues, which is marked by the symbol probe_function_end. So the count
/// is that of the function with its own return, without the call.

#define PROBE(function) \
    __asm__(".pushsection .text.probe_" #function ", \"ax\", %progbits\n" \
            ".thumb\n.syntax unified\n.global probe_" #function "\n" \
            ".type probe_" #function ", %function\n" \
            "probe_" #function ":\n" \
            "    push {r3, lr}\n" \
            "    bl " #function "\n" \
            "probe_" #function "_end:\n" \
            "    pop {r3, pc}\n" \
            ".size probe_" #function ", . - probe_" #function "\n" \
            ".popsection")

/// Starts a phase: the counter keeps its figures per phase. tools/dev/bench takes the phase's name
/// from what the program prints after it: a line "phase NAME".
__attribute__((noinline)) static void bench_phase(void)
{
    __asm__ volatile("" ::: "memory");
}

#endif
