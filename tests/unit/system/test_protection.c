// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Who is refused, and that then the hardware was left alone; what it gets; and that a violation is told with all that
// was put together here. The hardware takes down what it is told.

#include "mete/system/protection.c"

#include "mete/core/words.h"
#include "mete/protect/plan_armv7m.h"
#include "tests/support/tap.h"
#include "tests/unit/system/recorder.h"

enum {
    REGION_MAX = 3,
    RW = METE_ACCESS_READ | METE_ACCESS_WRITE,
    CODE = 0x08000000,
    DATA = 0x20000000
};

static const mete_map_region_t regions[] = {
    {.name = "data", .start = DATA, .size = 4096U, .kind = METE_MAP_DATA},
    {.name = "code", .start = CODE, .size = 65536U, .kind = METE_MAP_CODE}};
static const mete_map_region_t extra = {.name = "extra", .start = DATA + 4096U, .size = 64U};
static const mete_map_region_t over = {.name = "over", .start = DATA + 4095U, .size = 64U};

static mete_plan_wish_t wishes[2];
static mete_map_region_t table[REGION_MAX];
static mete_mpu_image_t images[8];
static mete_plan_range_t ranges[8];
static mete_plan_share_t shares[2];
static mete_protection_config_t config;
static mete_protection_result_t result;
static mete_protection_t protection;
static recorder_t recorder;

static void setup(void)
{
    mete_words_fill(&protection, 0xFFU, sizeof protection);
    mete_words_fill(&result, 0U, sizeof result);
    wishes[0] = (mete_plan_wish_t){"data", DATA, DATA + 4095U, {RW, RW}, METE_MPU_CACHED, 0U};
    wishes[1] = (mete_plan_wish_t){
        "code", CODE, CODE + 65535U, {METE_ACCESS_READ, METE_ACCESS_READ}, METE_MPU_CACHED, 0U};
    recorder = (recorder_t){.unit = {8U}};
    config = (mete_protection_config_t){.map = {table, REGION_MAX},
                                        .regions = regions,
                                        .region_count = 2U,
                                        .plan = {.backend = &mete_plan_armv7m,
                                                 .wishes = wishes,
                                                 .wish_count = 2U,
                                                 .shares = shares,
                                                 .images = images,
                                                 .ranges = ranges,
                                                 .image_max = 8U,
                                                 .has_background = true},
                                        .mpu = {&recorder_armv7m, &recorder.unit},
                                        .result = &result};
}

static bool is_refused(mete_protection_verdict_t verdict, const mete_map_region_t *own)
{
    const bool is_made = mete_protection_init(&protection, &config, own);
    return !is_made && (result.verdict == verdict) && (recorder.commits == 0U) &&
           !recorder.is_enabled && (tap_take_fault() == 0);
}

static void test_map_and_plan_are_made_and_enforced(void)
{
    setup();
    EXPECT(mete_protection_init(&protection, &config, &extra));
    EXPECT((result.verdict == METE_PROTECTION_READY) && (result.map.verdict == METE_MAP_ADDED) &&
           (result.plan.verdict == METE_PLAN_FITS));
    EXPECT(mete_map_check(&protection.map) && mete_plan_check(&protection.plan));
    EXPECT(mete_map_find(&protection.map, CODE) == &table[0]);
    EXPECT(mete_map_find(&protection.map, DATA) == &table[1]);
    EXPECT(mete_map_find(&protection.map, DATA + 4096U) == &table[2]);
    EXPECT((recorder.commits == 1U) && recorder.is_enabled && recorder.has_background);
    EXPECT((recorder.images == images) && (recorder.image_count == protection.plan.image_count));
    EXPECT((recorder.commits_when_enabled == 1U) && (protection.plan.image_count == 2U));
}

static void test_without_hardware_there_are_map_and_plan(void)
{
    setup();
    config.mpu = (mete_mpu_t){NULL, NULL};
    config.result = NULL;
    EXPECT(mete_protection_init(&protection, &config, NULL));
    EXPECT(mete_map_find(&protection.map, DATA) == &table[1]);
    EXPECT(mete_plan_allows(&protection.plan, DATA, 4U, METE_ACCESS_WRITE, METE_UNPRIVILEGED));
    EXPECT((recorder.commits == 0U) && !recorder.is_enabled);
}

static void test_a_map_without_table_is_refused(void)
{
    setup();
    config.map.regions = NULL;
    EXPECT(is_refused(METE_PROTECTION_NO_TABLE, NULL));
}

static void test_a_region_that_is_refused_is_named(void)
{
    setup();
    EXPECT(is_refused(METE_PROTECTION_NO_MAP, &over));
    EXPECT((result.map.verdict == METE_MAP_OVERLAPS) && (result.map.region == &over) &&
           (result.map.other == &table[1]));
    setup();
    config.map.region_max = 1U;
    EXPECT(is_refused(METE_PROTECTION_NO_MAP, NULL));  // Though the last one were not refused.
    EXPECT((result.map.verdict == METE_MAP_FULL) && (result.map.region == &regions[1]));
    config.result = NULL;
    EXPECT(!mete_protection_init(&protection, &config, NULL) && (recorder.commits == 0U));
}

static void test_the_region_behind_one_that_is_refused_does_not_hide_it(void)
{
    static const mete_map_region_t bad[] = {{.name = "data", .start = DATA, .size = 4096U},
                                            {.name = NULL, .size = 1U},
                                            {.name = "late", .size = 1U}};
    setup();
    config.regions = bad;
    config.region_count = 3U;
    EXPECT(is_refused(METE_PROTECTION_NO_MAP, &extra));
    EXPECT((result.map.verdict == METE_MAP_ILLEGAL) && (result.map.region == &bad[1]));
}

static void test_a_wish_that_is_refused_is_named(void)
{
    setup();
    wishes[1].start = DATA + 4095U;
    wishes[1].last = DATA + 8191U;
    EXPECT(is_refused(METE_PROTECTION_NO_PLAN, NULL));
    EXPECT((result.plan.verdict == METE_PLAN_OVERLAPS) && (result.plan.wish != NULL) &&
           (result.plan.other != NULL));
    setup();
    wishes[0].start += 32U;  // 4064 bytes are more than one region without waste.
    config.plan.image_max = 1U;
    EXPECT(is_refused(METE_PROTECTION_NO_PLAN, NULL));
    const mete_plan_result_t alone = mete_plan_init(&protection.plan, &config.plan);
    EXPECT((alone.verdict == result.plan.verdict) && (alone.wish == result.plan.wish) &&
           (alone.other == result.plan.other) && (alone.start == result.plan.start) &&
           (alone.last == result.plan.last) && (alone.start != 0U));
    config.result = NULL;
    EXPECT(!mete_protection_init(&protection, &config, NULL) && (recorder.commits == 0U));
}

static void test_a_plan_without_back_end_is_refused(void)
{
    setup();
    config.plan.backend = NULL;
    EXPECT(is_refused(METE_PROTECTION_NO_PLAN, NULL) && (result.plan.verdict == METE_PLAN_ILLEGAL));
}

static void test_hardware_of_another_kind_or_with_too_few_regions_is_left_alone(void)
{
    setup();
    config.mpu.ops = &recorder_armv8m;
    EXPECT(is_refused(METE_PROTECTION_NO_MPU, NULL));
    setup();
    recorder.unit.region_count = 1U;
    EXPECT(is_refused(METE_PROTECTION_NO_MPU, NULL));
    recorder.unit.region_count = 2U;
    EXPECT(mete_protection_init(&protection, &config, NULL) && recorder.is_enabled);
}

// ---- Violations

static mete_event_t heard;

static void hear(void *self, const mete_event_t *event)
{
    *(mete_event_t *)self = *event;
}

static mete_violations_action_t mend(void *self, const mete_violations_report_t *report)
{
    *(const mete_violations_report_t **)self = report;
    return METE_VIOLATIONS_RETRY;
}

static void test_a_violation_is_told_with_its_region_and_by_the_plan(void)
{
    const mete_violation_t what = {.kind = METE_VIOLATION_DATA,
                                   .known =
                                       METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_ACCESS,
                                   .access = METE_ACCESS_WRITE,
                                   .address = CODE + 512U};
    const mete_violations_task_t who = {"task", &protection.plan, {NULL, 0U}};
    const mete_violations_report_t *decided = NULL;
    setup();
    config.observer = (mete_observer_t){hear, &heard};
    EXPECT(mete_protection_init(&protection, &config, NULL));
    EXPECT(mete_violations_last(&protection.violations) == NULL);
    EXPECT(mete_violations_handle(&protection.violations, &what, &who) == METE_VIOLATIONS_KILL);
    const mete_violations_report_t *const last = mete_violations_last(&protection.violations);
    EXPECT((last->verdict == METE_VIOLATIONS_DENIED) && (last->region == &table[0]));
    EXPECT((heard.kind == METE_EVENT_FAULT) && (heard.source == &protection.violations));
    config.decide = mend;
    config.decide_self = (void *)&decided;
    EXPECT(mete_protection_init(&protection, &config, NULL));
    EXPECT(mete_violations_handle(&protection.violations, &what, &who) == METE_VIOLATIONS_RETRY);
    EXPECT(decided == last);
}

int main(void)
{
    RUN(test_map_and_plan_are_made_and_enforced);
    RUN(test_without_hardware_there_are_map_and_plan);
    RUN(test_a_map_without_table_is_refused);
    RUN(test_a_region_that_is_refused_is_named);
    RUN(test_the_region_behind_one_that_is_refused_does_not_hide_it);
    RUN(test_a_wish_that_is_refused_is_named);
    RUN(test_a_plan_without_back_end_is_refused);
    RUN(test_hardware_of_another_kind_or_with_too_few_regions_is_left_alone);
    RUN(test_a_violation_is_told_with_its_region_and_by_the_plan);
    return tap_finish();
}
