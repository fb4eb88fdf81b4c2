// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/os/bare_metal.h"

// The CLINT's 64-bit clock, at the address that SiFive's cores and QEMU's virt give it.
#define MTIME_LOW  (*(volatile uint32_t *)0x0200BFF8U)
#define MTIME_HIGH (*(volatile uint32_t *)0x0200BFFCU)

#define MSTATUS_MIE 8U

static uint32_t ticks_per_ms;  // 0: the clock was not started.

void mete_bare_metal_clock_start(uint32_t hz)
{
    ticks_per_ms = hz / 1000U;
}

void mete_bare_metal_tick(void)
{
    // Nothing to count: mtime does.
}

static uint64_t mtime(void)
{
    // The low half may wrap between the reads; if it has, the second reading cannot.
    const uint32_t high = MTIME_HIGH;
    const uint32_t low = MTIME_LOW;
    const uint32_t high_after = MTIME_HIGH;
    return ((uint64_t)high_after << 32) | ((high == high_after) ? low : MTIME_LOW);
}

uint32_t mete_clock_ms(void)
{
    return (ticks_per_ms != 0U) ? (uint32_t)(mtime() / ticks_per_ms) : 0U;
}

uintptr_t mete_critical_enter(void)
{
    uintptr_t mstatus;
    __asm volatile("csrrci %0, mstatus, 8" : "=r"(mstatus)::"memory");
    return mstatus & MSTATUS_MIE;
}

void mete_critical_leave(uintptr_t state)
{
    __asm volatile("csrs mstatus, %0" ::"r"(state) : "memory");
}

void mete_bare_metal_idle(void)
{
    // Not WFI: mtime counts on without an interrupt, so nothing need end the sleep.
}
