// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PROTECTION_H
#define METE_PROTECTION_H

/// Protection as a whole, from one const config: the map of who has which memory, the plan of who may do what with it,
/// given to the hardware, and what becomes of an access that it stops.
///
///     static mete_map_region_t table[8];
///     static mete_mpu_image_t images[8];
///     static mete_plan_range_t ranges[8];
///     static mete_plan_share_t shares[WISH_COUNT];
///     static const mete_protection_config_t config = {
///         .map = {table, 8},
///         .regions = regions,
///         .region_count = REGION_COUNT,
///         .plan = {.backend = &mete_plan_armv7m, .wishes = wishes, .wish_count = WISH_COUNT, .shares = shares,
///                  .images = images, .ranges = ranges, .image_max = 8, .has_background = true},
///         .mpu = {&mete_armv7m_mpu_ops, &mpu.unit},
///     };
///     static mete_protection_t protection;
///     const bool is_protected = mete_protection_init(&protection, &config, NULL);
///
/// After that, mete_violations_handle(&protection.violations, ...) in the handler of the fault. In a mete_system_t it is
/// what `.protection = &mete_system_with_protection, .protection_config = &config` builds; then the system's storage is
/// on the map as well.
///
///   Time     init: O(regions^2) for the map, and what mete_plan_init() takes: 10^5 to 10^7 instructions.
///   Space    One mete_protection_t, and the tables that the config names.
///   Threads  init excludes everything else. Then as map, plan and violations each say.
///   Errors   What does not fit is ordinary: init returns false, and config->result says what was wrong.

#include "mete/core/mpu.h"
#include "mete/protect/map.h"
#include "mete/protect/plan.h"
#include "mete/system/violations.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What became of it.
typedef enum mete_protection_verdict {
    METE_PROTECTION_READY = 0,
    METE_PROTECTION_NO_TABLE,  ///< The map has nowhere to keep regions.
    METE_PROTECTION_NO_MAP,    ///< A region was refused: `map` says which, and why.
    METE_PROTECTION_NO_PLAN,   ///< A wish was refused: `plan` says which, and why.
    METE_PROTECTION_NO_MPU     ///< The hardware is of another kind, or has fewer regions.
} mete_protection_verdict_t;

/// The first that applies, and about whom it is.
typedef struct mete_protection_result {
    mete_protection_verdict_t verdict;
    mete_map_result_t map;    ///< Of the region that was added last, or refused.
    mete_plan_result_t plan;  ///< Of the plan, if the map is made.
} mete_protection_result_t;

/// It must outlive the module; const is best.
typedef struct mete_protection_config {
    mete_map_config_t map;             ///< Where the map keeps its regions.
    const mete_map_region_t *regions;  ///< They are put on it.
    size_t region_count;
    mete_plan_config_t plan;   ///< Of what nobody's task makes its own.
    mete_mpu_t mpu;            ///< Gets the plan and is enabled. `ops` NULL: map and plan alone.
    mete_observer_t observer;  ///< Hears of violations.
    /// What is done about one, as in mete_violations_config_t. NULL: what is its default.
    mete_violations_action_t (*decide)(void *self, const mete_violations_report_t *report);
    void *decide_self;
    mete_protection_result_t *result;  ///< init writes to it what became of it. NULL: nobody asks.
} mete_protection_config_t;

/// Its fields map, plan and violations are for their own functions.
typedef struct mete_protection {
    mete_map_t map;
    mete_plan_t plan;
    mete_violations_t violations;
    mete_violations_config_t violations_config;
} mete_protection_t;

/// Makes all of it; at last, the hardware enforces the plan. `own`: one more region for the map, or NULL. False if
/// something was refused: then the hardware has not been touched, and the module must not be used.
bool mete_protection_init(mete_protection_t *protection, const mete_protection_config_t *config,
                          const mete_map_region_t *own);

#ifdef __cplusplus
}
#endif
#endif
