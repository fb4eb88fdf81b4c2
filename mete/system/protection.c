// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/protection.h"

typedef mete_protection_verdict_t verdict_t;

// True if it is on the map. Whoever asks is told of the last one.
static bool add(mete_protection_t *protection, const mete_protection_config_t *config,
                const mete_map_region_t *region)
{
    const mete_map_result_t result = mete_map_add(&protection->map, region);
    if (config->result != NULL) {
        config->result->map.verdict = result.verdict;
        config->result->map.region = result.region;
        config->result->map.other = result.other;
    }
    return result.verdict == METE_MAP_ADDED;
}

static verdict_t make_map(mete_protection_t *protection, const mete_protection_config_t *config,
                          const mete_map_region_t *own)
{
    if (!mete_map_init(&protection->map, &config->map)) {
        return METE_PROTECTION_NO_TABLE;
    }
    bool is_added = true;
    for (size_t i = 0U; (i < config->region_count) && is_added; i++) {
        is_added = add(protection, config, &config->regions[i]);
    }
    is_added = is_added && ((own == NULL) || add(protection, config, own));
    return is_added ? METE_PROTECTION_READY : METE_PROTECTION_NO_MAP;
}

static verdict_t make_plan(mete_protection_t *protection, const mete_protection_config_t *config)
{
    const mete_plan_result_t result = mete_plan_init(&protection->plan, &config->plan);
    if (config->result != NULL) {
        config->result->plan.verdict = result.verdict;
        config->result->plan.wish = result.wish;
        config->result->plan.other = result.other;
        config->result->plan.start = result.start;
        config->result->plan.last = result.last;
    }
    return (result.verdict == METE_PLAN_FITS) ? METE_PROTECTION_READY : METE_PROTECTION_NO_PLAN;
}

// Asked before the commit, which would report it as a bug.
static bool fits(const mete_plan_t *plan, mete_mpu_t mpu)
{
    return (mpu.ops->kind == plan->backend->rules.kind) &&
           (plan->image_count <= mete_mpu_region_count(mpu));
}

static verdict_t enforce(const mete_plan_t *plan, mete_mpu_t mpu)
{
    if (mpu.ops == NULL) {
        return METE_PROTECTION_READY;
    }
    if (!fits(plan, mpu)) {
        return METE_PROTECTION_NO_MPU;
    }
    mete_plan_commit(plan, mpu);
    mete_mpu_enable(mpu);
    return METE_PROTECTION_READY;
}

// Before anything is enforced, for then it can be violated.
static void make_violations(mete_protection_t *protection, const mete_protection_config_t *config)
{
    mete_violations_config_t *const violations = &protection->violations_config;
    violations->map = &protection->map;
    violations->observer.on_event = config->observer.on_event;
    violations->observer.self = config->observer.self;
    violations->decide = config->decide;
    violations->self = config->decide_self;
    (void)mete_violations_init(&protection->violations, violations);
}

bool mete_protection_init(mete_protection_t *protection, const mete_protection_config_t *config,
                          const mete_map_region_t *own)
{
    METE_ASSERT((protection != NULL) && (config != NULL));
    verdict_t verdict = make_map(protection, config, own);
    if (verdict == METE_PROTECTION_READY) {
        verdict = make_plan(protection, config);
    }
    if (verdict == METE_PROTECTION_READY) {
        make_violations(protection, config);
        verdict = enforce(&protection->plan, config->mpu);
    }
    if (config->result != NULL) {
        config->result->verdict = verdict;
    }
    return verdict == METE_PROTECTION_READY;
}
