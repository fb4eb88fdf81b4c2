// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Registers as in the ARMv7-M Architecture Reference Manual, DDI 0403E, B3.2.4 and B3.3.2.

#include "examples/stm32f407/cycles.h"

#include "mete/core/platform.h"

#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)
#define ICSR     (*(volatile uint32_t *)0xE000ED04U)

#define ICSR_PENDSTSET (1U << 26)

uint32_t cycles_now(void)
{
    // Nobody counts milliseconds meanwhile: one that has passed is pending. Then the counter has started
    // anew, perhaps between the reads, so that it is read again.
    const uintptr_t state = mete_critical_enter();
    uint32_t left = SYST_CVR;
    uint32_t ms = mete_clock_ms();
    if ((ICSR & ICSR_PENDSTSET) != 0U) {
        left = SYST_CVR;
        ms++;
    }
    const uint32_t last = SYST_RVR;
    mete_critical_leave(state);
    return ms * (last + 1U) + (last - left);
}
