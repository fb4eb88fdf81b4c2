// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What it costs to judge a violation, from what the decoder said to what is to be done: with a map of 16 regions, a plan of
// 8 that has to be asked for all of them, and an observer that does next to nothing.

#include "mete/system/violations.h"
#include "bench/probe.h"
#include "mete/protect/plan_armv7m.h"

enum { REGION_COUNT = 16, WISH_COUNT = 8, BASE = 0x20000000, STEP = 8192, GUARD = BASE - 32 };

static mete_plan_wish_t wishes[WISH_COUNT];
static mete_plan_share_t shares[WISH_COUNT];
static mete_mpu_image_t images[WISH_COUNT];
static mete_plan_range_t ranges[WISH_COUNT];
static const mete_plan_config_t plan_config = {.backend = &mete_plan_armv7m,
                                               .wishes = wishes,
                                               .wish_count = WISH_COUNT,
                                               .shares = shares,
                                               .images = images,
                                               .ranges = ranges,
                                               .image_max = WISH_COUNT};
static mete_plan_t plan;

static mete_map_region_t regions[REGION_COUNT];
static const mete_map_config_t map_config = {regions, REGION_COUNT};
static mete_map_t map;

static volatile size_t heard_size;

static void hear(void *self, const mete_event_t *event)
{
    (void)self;
    heard_size = event->size;
}

static const mete_violations_config_t config = {.map = &map, .observer = {hear, NULL}};
static mete_violations_t violations;

PROBE(mete_violations_handle);
mete_violations_action_t probe_mete_violations_handle(mete_violations_t *violations,
                                                      const mete_violation_t *what,
                                                      const mete_violations_task_t *who);

static bool prepare(void)
{
    bool is_ready = mete_map_init(&map, &map_config) && mete_violations_init(&violations, &config);
    for (uintptr_t i = 0U; i < REGION_COUNT; i++) {
        const mete_map_region_t region = {
            .name = "bench", .start = BASE + i * STEP, .size = STEP / 2};
        is_ready = is_ready && (mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
    }
    for (uintptr_t i = 0U; i < WISH_COUNT; i++) {
        const uintptr_t start = BASE + i * STEP;
        const mete_rights_t rights = {METE_ACCESS_READ, METE_ACCESS_READ | METE_ACCESS_WRITE};
        wishes[i] =
            (mete_plan_wish_t){"bench", start, start + STEP / 2 - 1U, rights, METE_MPU_CACHED, 0U};
    }
    return is_ready && (mete_plan_init(&plan, &plan_config).verdict == METE_PLAN_FITS);
}

static void handle(uintptr_t address, mete_violations_verdict_t expected)
{
    const mete_violations_task_t who = {"task", &plan, {(void *)(uintptr_t)GUARD, 32U}};
    const mete_violation_t what = {.kind = METE_VIOLATION_DATA,
                                   .known = METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC |
                                            METE_VIOLATION_KNOWS_ACCESS,
                                   .access = METE_ACCESS_WRITE,
                                   .address = address,
                                   .pc = 0x812U};
    const mete_violations_action_t action = probe_mete_violations_handle(&violations, &what, &who);
    const bool is_right = (action == METE_VIOLATIONS_KILL) &&
                          (mete_violations_last(&violations)->verdict == expected);
    say(is_right ? "" : "wrong\n");
}

int main(void)
{
    say(prepare() ? "" : "not ready\n");
    start_phase("violations");
    for (uintptr_t i = 0U; i < REGION_COUNT; i++) {
        handle(BASE + i * STEP + 4U, METE_VIOLATIONS_DENIED);             // A region's,
        handle(BASE + i * STEP + STEP / 2 + 4U, METE_VIOLATIONS_DENIED);  // and nobody's.
    }
    handle(GUARD, METE_VIOLATIONS_OVERFLOW);
    handle(4U, METE_VIOLATIONS_NULL);
    return 0;
}
