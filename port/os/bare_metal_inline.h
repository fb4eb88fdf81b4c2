// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_BARE_METAL_INLINE_H
#define METE_PORT_BARE_METAL_INLINE_H

/// The critical section of port/os/bare_metal.h, compiled into its callers.
///
/// Include it in your METE_CONFIG_HEADER and every module does without the two calls: a critical
/// section is then three instructions. Nothing else changes. The functions themselves must still be
/// linked, for files that were compiled without this.

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// gnu_inline: only ever inlined, never emitted, whatever declarations follow.
#define METE_PORT_INLINE extern inline __attribute__((gnu_inline, always_inline))

#ifdef __riscv

METE_PORT_INLINE uintptr_t mete_critical_enter(void)
{
    uintptr_t mstatus;
    __asm volatile("csrrci %0, mstatus, 8" : "=r"(mstatus)::"memory");
    return mstatus & 8U;
}

METE_PORT_INLINE void mete_critical_leave(uintptr_t state)
{
    __asm volatile("csrs mstatus, %0" ::"r"(state) : "memory");
}

#else

METE_PORT_INLINE uintptr_t mete_critical_enter(void)
{
    uintptr_t primask;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(primask)::"memory");
    return primask;
}

METE_PORT_INLINE void mete_critical_leave(uintptr_t state)
{
    __asm volatile("msr primask, %0" ::"r"(state) : "memory");
}

#endif

#ifdef __cplusplus
}
#endif
#endif
