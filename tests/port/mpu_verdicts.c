// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The verdicts of plans beside those of the hardware: random plans are committed, and at their edges loads, stores and
// fetches are tried, of every size, as privileged and as unprivileged code. What mete_plan_allows() says must happen.
//
// Only aligned accesses: whether one byte of a straddling access decides is not to be seen on an emulator.

#include "tests/port/mpu_verdicts.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

#ifndef MPU_SCALE
#define MPU_SCALE 1  // Of the arena and of what lies in it: where regions are pages all is larger.
#endif

enum {
    ARENA_ALIGN = 32768,
    ARENA_SIZE = ARENA_ALIGN * MPU_SCALE,
    WISH_COUNT_MAX = 5,
    FIXED_COUNT = 2,
    PLAN_COUNT = 80,
    PROBES_MIN = 10000,
    IMAGE_MAX = 32
};

static unsigned char arena[ARENA_SIZE] __attribute__((aligned(ARENA_ALIGN)));
const mete_span_t mpu_arena = {arena, sizeof arena};

// ---- Plans

static mete_plan_wish_t wishes[FIXED_COUNT + WISH_COUNT_MAX];
static mete_plan_share_t shares[FIXED_COUNT + WISH_COUNT_MAX];
static mete_mpu_image_t images[IMAGE_MAX];
static mete_plan_range_t ranges[IMAGE_MAX];
static mete_plan_config_t config;
static mete_plan_t plan;
static uint32_t probes, disagreements, misplaced, denied;

// What unprivileged code needs to get here and back: code, and the stack.
static void wish_for_ourselves(void)
{
    const uint8_t rx = METE_ACCESS_READ | METE_ACCESS_EXECUTE;
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    wishes[0] = (mete_plan_wish_t){"code",   mpu_target.code_start, mpu_target.code_last,
                                   {rx, rx}, METE_MPU_CACHED,       0U};
    wishes[1] = (mete_plan_wish_t){.name = "stack",
                                   .start = mpu_target.stack_start,
                                   .last = mpu_target.stack_last,
                                   .rights = {rw, rw}};
}

static mete_rights_t random_rights(uint32_t *random)
{
    return mpu_target.rights[random_below(random, (uint32_t)mpu_target.rights_count)];
}

// Up to five stretches of the arena; what lies between is nobody's.
static void wish_at_random(uint32_t *random, uint32_t granule)
{
    uintptr_t next = (uintptr_t)arena;
    const uint32_t count = 1U + random_below(random, WISH_COUNT_MAX);
    config.wish_count = FIXED_COUNT;
    for (uint32_t i = 0U; i < count; i++) {
        const uintptr_t start = next + granule * random_below(random, 3U);
        const uintptr_t size = granule * (1U + random_below(random, 7U));
        wishes[config.wish_count] = (mete_plan_wish_t){
            "wish", start, start + size - 1U, random_rights(random), METE_MPU_CACHED, 0U};
        config.wish_count++;
        next = start + size;
    }
}

// Only in the arena: elsewhere a store does harm, and a fetch does not come back.
static bool is_ours(const access_t *access)
{
    return (access->address >= (uintptr_t)arena) &&
           (access->address + access->size <= (uintptr_t)arena + ARENA_SIZE) &&
           (access->address % access->size == 0U);
}

static void probe(const access_t *access)
{
    if (!is_ours(access)) {
        return;
    }
    const bool is_allowed =
        mete_plan_allows(&plan, access->address, access->size, access->kind, access->privilege);
    uintptr_t told = 0U;
    const bool is_done = mpu_happens(access, &told);
    probes++;
    disagreements += (is_allowed != is_done) ? 1U : 0U;
    denied += is_done ? 0U : 1U;
    misplaced += (is_done || (told == access->address)) ? 0U : 1U;
}

static void probe_at(uintptr_t address, uint32_t kind)
{
    for (size_t size = 1U; size <= 4U; size *= 2U) {
        if ((kind == METE_ACCESS_EXECUTE) && (size != 2U)) {
            continue;
        }
        probe(&(access_t){address, size, kind, METE_UNPRIVILEGED});
        probe(&(access_t){address, size, kind, METE_PRIVILEGED});
    }
}

// There is a return wherever a fetch may go: stores are last, for they leave something else.
static void probe_edges(void)
{
    static const uint32_t kinds[] = {METE_ACCESS_EXECUTE, METE_ACCESS_READ, METE_ACCESS_WRITE};
    for (size_t k = 0U; k < 3U; k++) {
        for (size_t i = FIXED_COUNT; i < config.wish_count; i++) {
            for (uintptr_t offset = 0U; offset < 8U; offset++) {
                probe_at(wishes[i].start - 4U + offset, kinds[k]);
                probe_at(wishes[i].last - 3U + offset, kinds[k]);
            }
        }
    }
}

static void fill_arena(void)
{
    for (size_t i = 0U; i < sizeof arena; i += 2U) {
        arena[i] = (unsigned char)(mpu_return & 0xFFU);
        arena[i + 1U] = (unsigned char)(mpu_return >> 8);
    }
}

static void start_counting(void)
{
    probes = 0U;
    disagreements = 0U;
    misplaced = 0U;
    denied = 0U;
}

// Hands a plan to the hardware; for a negative control without one of the regions in the arena.
static void commit(mete_mpu_t mpu, bool is_whole)
{
    static mete_mpu_image_t spoiled[IMAGE_MAX];
    size_t chosen = plan.image_count;
    for (size_t i = 0U; i < plan.image_count; i++) {
        spoiled[i] = images[i];
        chosen =
            ((images[i].words[0] << mpu_target.address_shift) >= (uintptr_t)arena) ? i : chosen;
    }
    if (!is_whole && (chosen < plan.image_count)) {
        spoiled[chosen].words[1] &= ~mpu_target.enable;
    }
    mpu.ops->commit(mpu.self, spoiled, plan.image_count, true);
}

// Makes the same random plans each time.
static void run_plans(mete_mpu_t mpu, bool is_whole)
{
    static const uint32_t granules[] = {32U, 64U, 256U, 1024U};
    uint32_t random = 7U;
    start_counting();
    config = (mete_plan_config_t){.backend = mpu_target.backend,
                                  .wishes = wishes,
                                  .shares = shares,
                                  .images = images,
                                  .ranges = ranges,
                                  .image_max = mete_mpu_region_count(mpu),
                                  .has_background = true};
    wish_for_ourselves();
    for (uint32_t i = 0U; i < PLAN_COUNT; i++) {
        fill_arena();
        wish_at_random(&random, granules[i % 4U] * MPU_SCALE);
        if (mete_plan_init(&plan, &config).verdict != METE_PLAN_FITS) {
            continue;
        }
        commit(mpu, is_whole);
        mete_mpu_enable(mpu);
        probe_edges();
        mete_mpu_disable(mpu);
    }
}

// ---- Tests

static void test_the_hardware_says_what_the_plan_says(void)
{
    const mete_mpu_t mpu = mpu_target.init();
    EXPECT(mete_mpu_region_count(mpu) == mpu_target.region_count);
    run_plans(mpu, true);
    tap_note("probes", probes);
    tap_note("denied", denied);
    tap_note("disagreements", disagreements);
    EXPECT(probes >= PROBES_MIN);
    EXPECT((denied > probes / 4U) && (denied < probes));
    EXPECT(disagreements == 0U);
    EXPECT(misplaced == 0U);
}

// So the test would notice.
static void test_a_region_left_out_is_noticed(void)
{
    run_plans(mpu_target.init(), false);
    tap_note("disagreements with a region left out", disagreements);
    EXPECT(disagreements > 0U);
}

// An access that the plan denies.
static bool is_denied(void)
{
    const access_t access = {(uintptr_t)arena, 4U, METE_ACCESS_WRITE, METE_UNPRIVILEGED};
    uintptr_t told = 0U;
    return !mpu_happens(&access, &told);
}

static void test_a_commit_leaves_protection_on_or_off_as_it_was(void)
{
    const mete_mpu_t mpu = mpu_target.init();
    const uintptr_t start = (uintptr_t)arena;
    const uintptr_t size = (uintptr_t)1024U * MPU_SCALE;
    wishes[FIXED_COUNT] =
        (mete_plan_wish_t){"constants", start, start + size - 1U, {1, 1}, METE_MPU_CACHED, 0U};
    config.wish_count = FIXED_COUNT + 1U;
    EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
    mete_plan_commit(&plan, mpu);
    EXPECT(!is_denied());
    mete_mpu_enable(mpu);
    EXPECT(is_denied());
    mete_plan_commit(&plan, mpu);
    EXPECT(is_denied());
    mete_mpu_disable(mpu);
    EXPECT(!is_denied());
}

int main(void)
{
    RUN(test_the_hardware_says_what_the_plan_says);
    RUN(test_a_region_left_out_is_noticed);
    RUN(test_a_commit_leaves_protection_on_or_off_as_it_was);
    return tap_finish();
}
