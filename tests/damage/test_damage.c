// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The short form of the damage campaign. At level 0, where nothing is checked, it shows that the
// campaign sees what the checks prevent.

#include "tests/damage/campaign.h"
#include "tests/support/tap.h"

// States 33 and 60 have a first block in use: that is where a header could once vouch for itself.
static const uint32_t states[] = {0U, 1U, 33U, 60U};

static campaign_tally_t run(const damage_subject_t *subject, uint32_t search)
{
    const campaign_plan_t plan = {subject, search, true};
    campaign_tally_t tally = {0};
    for (size_t i = 0U; i < sizeof states / sizeof states[0]; i++) {
        campaign_state(&plan, states[i], &tally);
    }
    EXPECT(tally.failures == 0U);
    return tally;
}

static uint64_t count(const campaign_tally_t *tally, world_verdict_t verdict)
{
    return campaign_flips(tally, FILL_ZEROS, verdict) + campaign_flips(tally, FILL_RANDOM, verdict);
}

static uint64_t count_all(const campaign_tally_t *tally, world_verdict_t verdict)
{
    return count(tally, verdict) + campaign_flips(tally, FILL_COPIES, verdict);
}

static void note(const campaign_tally_t *tally)
{
    for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
        tap_note(campaign_verdict_names[v], (size_t)count_all(tally, (world_verdict_t)v));
    }
}

// No flipped bit leads out of the heap, into an endless loop, or to harm without a report.
static void expect_heap_withstands(const damage_subject_t *subject, uint32_t search)
{
    const campaign_tally_t tally = run(subject, search);
    note(&tally);
    EXPECT(count(&tally, WORLD_DETECTED) > count(&tally, WORLD_HARMLESS));
    EXPECT(count(&tally, WORLD_SILENT) == 0U);
    EXPECT(count_all(&tally, WORLD_WILD) == 0U);
    EXPECT(count_all(&tally, WORLD_HUNG) == 0U);
    EXPECT(tally.overruns[WORLD_DETECTED] > tally.overruns[WORLD_HARMLESS]);
}

static void test_narrow_heap_withstands_flipped_bits(void)
{
    expect_heap_withstands(&damage_heap, 0U);
}

static void test_narrow_heap_that_searches_withstands_flipped_bits(void)
{
    expect_heap_withstands(&damage_heap, 2U);
}

static void test_wide_heap_withstands_flipped_bits(void)
{
    expect_heap_withstands(&damage_heap_wide, 0U);
}

static void test_wide_heap_that_searches_withstands_flipped_bits(void)
{
    expect_heap_withstands(&damage_heap_wide, 2U);
}

static void expect_pool_withstands(const damage_subject_t *subject)
{
    const campaign_tally_t tally = run(subject, 0U);
    note(&tally);
    EXPECT(count(&tally, WORLD_DETECTED) > 0U);
    EXPECT(count(&tally, WORLD_WILD) + count(&tally, WORLD_HUNG) == 0U);
}

static void test_pool_withstands_flipped_bits(void)
{
    expect_pool_withstands(&damage_pool);
}

static void test_atomic_pool_withstands_flipped_bits(void)
{
    expect_pool_withstands(&damage_atomic_pool);
}

static void expect_nothing_silent(const damage_subject_t *subject)
{
    const campaign_tally_t tally = run(subject, 0U);
    note(&tally);
    EXPECT(count(&tally, WORLD_DETECTED) > 0U);
    EXPECT(count(&tally, WORLD_SILENT) == 0U);
    EXPECT(count(&tally, WORLD_WILD) + count(&tally, WORLD_HUNG) == 0U);
}

static void test_slab_withstands_flipped_bits(void)
{
    expect_nothing_silent(&damage_slab);
}

static void test_defer_withstands_flipped_bits(void)
{
    expect_nothing_silent(&damage_defer);
}

static void test_quota_withstands_flipped_bits(void)
{
    const campaign_tally_t tally = run(&damage_quota, 0U);
    note(&tally);
    for (int fill = 0; fill < FILL_COUNT; fill++) {
        const uint64_t *const records = tally.flips[fill][DAMAGE_QUOTA_RECORD];
        const uint64_t *const accounts = tally.flips[fill][DAMAGE_QUOTA_ACCOUNT];
        EXPECT((records[WORLD_DETECTED] > 0U) && (records[WORLD_SILENT] == 0U));
        EXPECT(accounts[WORLD_DETECTED] > 10U * accounts[WORLD_SILENT]);
    }
    EXPECT(count_all(&tally, WORLD_WILD) + count_all(&tally, WORLD_HUNG) == 0U);
}

static void test_list_withstands_flipped_bits(void)
{
    expect_heap_withstands(&damage_list, 0U);
}

static void test_buddy_withstands_flipped_bits(void)
{
    expect_pool_withstands(&damage_buddy);
}

static void test_movable_withstands_flipped_bits(void)
{
    expect_pool_withstands(&damage_movable);
}

// Nor is an overrun missed, but where the byte that was written stood there before.
static void test_guard_withstands_flipped_bits_and_sees_every_overrun(void)
{
    const campaign_tally_t tally = run(&damage_guard, 0U);
    note(&tally);
    EXPECT(count_all(&tally, WORLD_DETECTED) > 0U);
    EXPECT(count_all(&tally, WORLD_SILENT) + count_all(&tally, WORLD_HARMLESS) == 0U);
    EXPECT(count_all(&tally, WORLD_WILD) + count_all(&tally, WORLD_HUNG) == 0U);
    EXPECT(tally.overruns[WORLD_DETECTED] > 0U);
    EXPECT(tally.overruns[WORLD_HARMLESS] + tally.overruns[WORLD_SILENT] == 0U);
    EXPECT(tally.overruns[WORLD_WILD] + tally.overruns[WORLD_HUNG] == 0U);
}

// What is verified is reported, or written anew before anyone follows it; the notes harm nobody.
static void test_track_withstands_flipped_bits(void)
{
    const campaign_tally_t tally = run(&damage_track, 0U);
    note(&tally);
    EXPECT((count(&tally, WORLD_DETECTED) > 0U) && (count(&tally, WORLD_SILENT) == 0U));
    EXPECT(count_all(&tally, WORLD_WILD) + count_all(&tally, WORLD_HUNG) == 0U);
    EXPECT(tally.overruns[WORLD_WILD] + tally.overruns[WORLD_HUNG] == 0U);
}

static void test_campaign_sees_silent_and_wild_cases_where_nothing_is_checked(void)
{
    const campaign_tally_t tally = run(&damage_heap, 0U);
    note(&tally);
    EXPECT(count(&tally, WORLD_SILENT) > 0U);
    EXPECT(count(&tally, WORLD_WILD) > 0U);
    EXPECT(count(&tally, WORLD_DETECTED) == 0U);
}

int main(void)
{
    if (!EXPECT(world_open())) {
        return 1;
    }
    if (METE_CHECK_LEVEL == 0) {
        RUN(test_campaign_sees_silent_and_wild_cases_where_nothing_is_checked);
        return tap_finish();
    }
    RUN(test_narrow_heap_withstands_flipped_bits);
    RUN(test_narrow_heap_that_searches_withstands_flipped_bits);
    RUN(test_wide_heap_withstands_flipped_bits);
    RUN(test_wide_heap_that_searches_withstands_flipped_bits);
    RUN(test_list_withstands_flipped_bits);
    RUN(test_buddy_withstands_flipped_bits);
    RUN(test_pool_withstands_flipped_bits);
    RUN(test_atomic_pool_withstands_flipped_bits);
    RUN(test_slab_withstands_flipped_bits);
    RUN(test_movable_withstands_flipped_bits);
    RUN(test_guard_withstands_flipped_bits_and_sees_every_overrun);
    RUN(test_quota_withstands_flipped_bits);
    RUN(test_defer_withstands_flipped_bits);
    RUN(test_track_withstands_flipped_bits);
    return tap_finish();
}
