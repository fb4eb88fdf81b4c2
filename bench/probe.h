// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BENCH_PROBE_H
#define METE_BENCH_PROBE_H

/// What a measured firmware and the instruction counter agree on. tools/dev/insn-count finds the
/// symbols in the ELF.

#include "mete/core/text.h"
#include "port/cpu/start.h"

/// Makes probe_NAME(), to be called instead of NAME(), with up to four arguments that fit registers.
/// The symbols probe_NAME_begin and probe_NAME_end mark the call and where it returns to. What is
/// executed in between is counted: the function with its return, without the call.
#define PROBE(name) \
    __asm__(".pushsection .text.probe_" #name ", \"ax\", %progbits\n" \
            ".thumb\n.syntax unified\n.global probe_" #name "\n" \
            ".type probe_" #name ", %function\n" \
            "probe_" #name ":\n" \
            "    push {r3, lr}\n" \
            "probe_" #name "_begin:\n" \
            "    bl " #name "\n" \
            "probe_" #name "_end:\n" \
            "    pop {r3, pc}\n" \
            ".size probe_" #name ", . - probe_" #name "\n" \
            ".popsection")

static inline void say(const char *text)
{
    mete_text_string(mete_port_console, text);
}

static inline void say_number(uint32_t number)
{
    mete_text_decimal(mete_port_console, number);
}

/// The counter keeps its figures per phase and starts a new one here. Its name is the line that the
/// program prints next.
__attribute__((noinline, unused)) static void bench_phase(void)
{
    __asm__ volatile("" ::: "memory");
}

static inline void start_phase(const char *name)
{
    bench_phase();
    say("phase ");
    say(name);
    say("\n");
}

#endif
