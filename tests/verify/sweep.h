// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VERIFY_SWEEP_H
#define METE_VERIFY_SWEEP_H

/// An interrupt at every instruction, on the emulated mps2-an386: what the firmware that tests/verify/interrupts
/// runs is made of.
///
/// A call is made again and again from the same state, the timer set to go off one tick later each time; a
/// tick is less than an instruction when the emulator counts them. Where the interrupt came is what the core
/// has stacked.
///
/// A word in the memory that start-up leaves alone says what to do: 0, this. 1: each call once, without
/// an interrupt, between the two marks. What else it may be is the firmware's to say.

#include "port/cpu/cortex_m.h"
#include "tests/support/tap.h"

#define SYST_CSR (*(volatile uint32_t *)0xE000E010U)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)
#define ICSR     (*(volatile uint32_t *)0xE000ED04U)
#define WHAT     (*(volatile uint32_t *)0x21000000U)

enum {
    RUN_ON_CORE_CLOCK_WITH_INTERRUPT = 7,
    CLEAR_SYSTICK = 1 << 25,
    TEXT_SIZE = 65536,  // Of the firmware: addresses of instructions are below.
};

static uint8_t hits[TEXT_SIZE / 2 / 8];

static void start_timer(uint32_t ticks)
{
    SYST_RVR = ticks;
    SYST_CVR = 0U;
    SYST_CSR = RUN_ON_CORE_CLOCK_WITH_INTERRUPT;
}

static void stop_timer(void)
{
    SYST_CSR = 0U;
    ICSR = CLEAR_SYSTICK;
}

// Notes the address that the interrupt with this frame returns to.
static void note_hit(const uint32_t *frame)
{
    const uint32_t place = frame[6] / 2U;
    hits[(place / 8U) % sizeof hits] |= (uint8_t)(1U << (place % 8U));
}

// "hit STATE CALL ADDRESS...": where it was interrupted since the last line.
static void print_hits(uint32_t state, uint32_t call)
{
    mete_text_string(tap_sink, "hit ");
    mete_text_decimal(tap_sink, state);
    mete_text_string(tap_sink, " ");
    mete_text_decimal(tap_sink, call);
    for (size_t i = 0U; i < TEXT_SIZE / 2U; i++) {
        if ((hits[i / 8U] & (1U << (i % 8U))) != 0U) {
            mete_text_string(tap_sink, " ");
            mete_text_hex(tap_sink, 2U * i);
        }
    }
    mete_text_string(tap_sink, "\n");
    mete_words_fill(hits, 0U, sizeof hits);
}

static void print_states(size_t count)
{
    mete_text_string(tap_sink, "states ");
    mete_text_decimal(tap_sink, count);
    mete_text_string(tap_sink, "\n");
}

// What a call does is logged from one mark to the other.
__attribute__((noinline)) void verify_begin(void);
void verify_begin(void)
{
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void verify_end(void);
void verify_end(void)
{
    __asm__ volatile("" ::: "memory");
}

// The firmware's.
void on_interrupt(const uint32_t *frame);

__attribute__((naked)) static void on_systick(void)
{
    __asm__("mov r0, sp\n\tb on_interrupt");
}

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = METE_VECTORS_CORE(on_systick);

#endif
