// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_MPU_CORTEX_M_H
#define METE_TEST_MPU_CORTEX_M_H

/// What tests/port/mpu_cortex_m.c, the test of a protection unit, must know of the one at hand.

#include "mete/protect/plan.h"

typedef struct mpu_target {
    const mete_plan_backend_t *backend;
    mete_mpu_t (*init)(void);
    size_t region_count;
    uintptr_t code_start;  ///< Of the program, where a region can start and end.
    uintptr_t code_last;
    const mete_rights_t *rights;  ///< What regions can grant.
    size_t rights_count;
    uintptr_t enable;  ///< The bit in the second word of an image that switches the region on.
} mpu_target_t;

extern const mpu_target_t mpu_target;

#endif
