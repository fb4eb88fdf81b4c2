// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_MPU_VERDICTS_H
#define METE_TEST_MPU_VERDICTS_H

/// What mpu_verdicts.c, the test of a protection unit, must know of the one at hand, and of the core.

#include "mete/core/span.h"
#include "mete/protect/plan.h"

typedef struct mpu_target {
    const mete_plan_backend_t *backend;
    mete_mpu_t (*init)(void);
    size_t region_count;
    uintptr_t code_start;  ///< Of the program, where a region can start and end.
    uintptr_t code_last;
    uintptr_t stack_start;  ///< Likewise, of the stack.
    uintptr_t stack_last;
    const mete_rights_t *rights;  ///< What regions can grant.
    size_t rights_count;
    uintptr_t enable;        ///< The bits in the second word of an image that switch the region on.
    unsigned address_shift;  ///< By so many bits the address in its first word is moved down.
} mpu_target_t;

extern const mpu_target_t mpu_target;

/// Where accesses are tried.
extern const mete_span_t mpu_arena;

typedef struct access {
    uintptr_t address;
    size_t size;  ///< 1, 2, 4; of a fetch 2.
    uint32_t kind;
    mete_privilege_t privilege;
} access_t;

/// An instruction of two bytes that returns.
extern const uint16_t mpu_return;

/// Tries it. True if the hardware lets it happen; else `told` is the address that it names, and for a fetch
/// that of which nothing is known.
bool mpu_happens(const access_t *access, uintptr_t *told);

#endif
