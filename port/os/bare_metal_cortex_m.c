// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/os/bare_metal.h"

#define SYST_CSR (*(volatile uint32_t *)0xE000E010U)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)

enum { SYST_RUN_ON_CORE_CLOCK_WITH_INTERRUPT = 7 };

// A vector table has no argument to pass, so what the tick counts must be found without one.
static volatile uint32_t milliseconds;

void mete_bare_metal_clock_start(uint32_t hz)
{
    SYST_RVR = hz / 1000U - 1U;
    SYST_CVR = 0U;
    SYST_CSR = SYST_RUN_ON_CORE_CLOCK_WITH_INTERRUPT;
}

void mete_bare_metal_tick(void)
{
    milliseconds++;
}

uint32_t mete_clock_ms(void)
{
    return milliseconds;
}

uintptr_t mete_critical_enter(void)
{
    uintptr_t primask;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(primask)::"memory");
    return primask;
}

void mete_critical_leave(uintptr_t state)
{
    __asm volatile("msr primask, %0" ::"r"(state) : "memory");
}

void mete_bare_metal_idle(void)
{
    __asm volatile("dsb\n\twfi" ::: "memory");
}
