// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLAN_CORTEX_H
#define METE_PLAN_CORTEX_H

/// Part of the plan's back ends for Cortex-M: what holds with both protection units.
///
/// From 0xE0000000 on is the system's space, where nothing is executed. It starts with the private peripheral bus,
/// 1 MiB that only privileged code can use, regions or not. Where no region is, privileged code finds the default
/// memory map, if the plan has a background: each eighth of the address space may be executed or not.
/// (ARMv7-M Architecture Reference Manual, DDI 0403E, B3.1 and B3.5.)

#include "mete/protect/plan.h"

#define METE_PLAN_CORTEX_LAST 0xDFFFFFFFU

// Code, SRAM and the two eighths of external RAM.
#define METE_PLAN_CORTEX_EXECUTABLE 0x1BU

/// True if a region can have this memory type with such rights.
static inline bool mete_plan_cortex_is_sane(const mete_plan_wish_t *wish)
{
    const uint32_t rights = (uint32_t)wish->rights.unprivileged | wish->rights.privileged;
    return ((rights & METE_ACCESS_EXECUTE) == 0U) || (wish->memory == METE_MPU_CACHED) ||
           (wish->memory == METE_MPU_UNCACHED);
}

/// True on the private peripheral bus.
static inline bool mete_plan_cortex_is_ungoverned(uintptr_t address)
{
    return (address >> 20) == 0xE00U;
}

/// What privileged code may do where no region is. No plan has one in the system's space, so that is only known here.
static inline uint32_t mete_plan_cortex_background(const mete_plan_config_t *config,
                                                   uintptr_t address)
{
    const uint32_t data = (uint32_t)METE_ACCESS_READ | METE_ACCESS_WRITE;
    const bool is_open = mete_plan_cortex_is_ungoverned(address) || config->has_background;
    if (!is_open || (address > 0xFFFFFFFFU)) {
        return 0U;
    }
    const uint32_t eighth = (uint32_t)(address >> 29) & 7U;
    const uint32_t fetch = METE_ACCESS_EXECUTE;
    return data | ((((METE_PLAN_CORTEX_EXECUTABLE >> eighth) & 1U) != 0U) ? fetch : 0U);
}

/// As a range has them.
static inline uint32_t mete_plan_cortex_rights(uint32_t unprivileged, uint32_t privileged)
{
    return unprivileged | (privileged << METE_PLAN_PRIVILEGED_SHIFT);
}

#endif
