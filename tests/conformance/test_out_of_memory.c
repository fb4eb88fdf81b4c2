// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Running out of memory behind whatever stands in front of an allocator. A piece of work is done again
// and again while the first request that reaches the memory is refused, then the second, and so on; once
// only, or from there on for good. After every call the books of the wrapper must agree with what is held;
// in the end all must be free again.

#include "mete/alloc/heap.h"
#include "mete/alloc/route.h"
#include "mete/alloc/tier.h"
#include "mete/protect/partition.h"
#include "mete/wrap/critical.h"
#include "mete/wrap/defer.h"
#include "mete/wrap/dma.h"
#include "mete/wrap/fail.h"
#include "mete/wrap/guard.h"
#include "mete/wrap/lock.h"
#include "mete/wrap/quota.h"
#include "mete/wrap/scrub.h"
#include "mete/wrap/seal.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/timing.h"
#include "mete/wrap/track.h"
#include "mete/wrap/wait.h"
#include "tests/support/tap.h"

// ---- What stands behind: a heap, what counts its blocks, and what refuses

enum { BASE_COUNT = 2, BASE_SIZE = 2816, REQUEST_MAX = 100 };

typedef struct base {
    mete_heap_config_t config;
    mete_heap_t *heap;
    mete_stats_t counted;
    mete_fail_t fail;
} base_t;

static _Alignas(64) unsigned char memory[BASE_COUNT][BASE_SIZE];
static base_t bases[BASE_COUNT];

static mete_alloc_t make_base(size_t index)
{
    static const mete_fail_plan_t nothing = {0};
    base_t *const base = &bases[index];
    base->config =
        (mete_heap_config_t){.storage = {memory[index], sizeof memory[index]}, .search = 2U};
    base->heap = mete_heap_init(&base->config);
    EXPECT(mete_stats_init(&base->counted, mete_heap_as_alloc(base->heap), NULL));
    EXPECT(mete_fail_init(&base->fail, mete_stats_as_alloc(&base->counted), &nothing));
    return mete_fail_as_alloc(&base->fail);
}

static size_t count_behind(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < BASE_COUNT; i++) {
        count += mete_stats_usage(&bases[i].counted).live_count;
        EXPECT(mete_heap_check(bases[i].heap));
    }
    return count;
}

static size_t refused_behind(void)
{
    return mete_fail_refusals(&bases[0].fail) + mete_fail_refusals(&bases[1].fail);
}

// ---- What is held, as the program knows it

enum { SLOT_COUNT = 6 };

typedef struct slot {
    unsigned char *block;  // NULL: none.
    size_t size;
    size_t align;
} slot_t;

static slot_t slots[SLOT_COUNT];
static size_t held_count;
static size_t held_size;
static size_t refusals;  // Acquires that gave NULL.

static uint8_t pattern_of(const slot_t *slot)
{
    return (uint8_t)(0x51U + (size_t)(slot - slots));
}

static void hold(slot_t *slot, void *block, size_t size, size_t align)
{
    slot->block = block;
    slot->size = size;
    slot->align = align;
    held_count++;
    held_size += size;
    EXPECT(mete_align_fits((uintptr_t)block, align));
    mete_words_fill(block, pattern_of(slot), size);
}

static void drop(slot_t *slot)
{
    EXPECT(mete_words_scan(slot->block, pattern_of(slot), slot->size) == slot->size);
    slot->block = NULL;
    held_count--;
    held_size -= slot->size;
}

// ---- The wrappers

// How a wrapper is made and what its books say. NULL: as for most.
typedef struct subject {
    const char *name;
    mete_alloc_t (*make)(mete_alloc_t first, mete_alloc_t second);
    bool (*agrees)(void);        // Its books say what is held and was refused.
    size_t (*kept_count)(void);  // Blocks that it holds itself now, on top of what it handed out.
    void *(*acquire)(mete_alloc_t view, size_t size, size_t align);
    void (*release)(mete_alloc_t view, const slot_t *slot);
    void (*settle)(void);  // Gives back what it holds itself. NULL: a few calls do.
    bool uses_second;
} subject_t;

static mete_critical_t critical;

static mete_alloc_t make_critical(mete_alloc_t first, mete_alloc_t second)
{
    (void)second;
    EXPECT(mete_critical_init(&critical, first, NULL));
    return mete_critical_as_alloc(&critical);
}

static mete_defer_t defer;
static size_t release_count;

static mete_alloc_t make_defer(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_defer_config_t config = {.drain_max = 1U};
    (void)second;
    release_count = 0U;
    EXPECT(mete_defer_init(&defer, first, &config));
    return mete_defer_as_alloc(&defer);
}

// Two of three come from an interrupt.
static void release_deferred(mete_alloc_t view, const slot_t *slot)
{
    const mete_alloc_t interrupts = mete_defer_as_alloc_for_interrupts(&defer);
    release_count++;
    mete_release((release_count % 3U == 0U) ? view : interrupts, slot->block, slot->size,
                 slot->align);
}

static size_t count_deferred(void)
{
    size_t count = 0U;
    for (const mete_defer_record_t *r = (const mete_defer_record_t *)defer.first; r != NULL;
         r = r->next) {
        count++;
    }
    return count;
}

static mete_wait_t waiting;
static size_t wait_count;

static mete_alloc_t make_wait(mete_alloc_t first, mete_alloc_t second)
{
    (void)second;
    wait_count = 0U;
    EXPECT(mete_wait_init(&waiting, first));
    return mete_wait_as_alloc(&waiting);
}

// Every third time of waiting is over before there is memory.
static bool wait_a_little(void *self, uint32_t timeout_ms)
{
    (void)self, (void)timeout_ms;
    wait_count++;
    return wait_count % 3U != 0U;
}

static void notify_nobody(void *self)
{
    (void)self;
}

static void *acquire_waiting(mete_alloc_t view, size_t size, size_t align)
{
    static const mete_signal_ops_t ops = {wait_a_little, notify_nobody};
    static const mete_wait_terms_t terms = {{&ops, NULL}, 1U, METE_SIGNAL_FOREVER};
    return mete_wait_acquire(&waiting, view, size, align, &terms);
}

static bool is_nobody_in_line(void)
{
    return mete_dlist_is_empty(&waiting.line);
}

static mete_quota_owner_t owner;
static mete_quota_t quota;

static mete_alloc_t begin_quota(mete_alloc_t inner, const mete_quota_config_t *config)
{
    EXPECT(mete_quota_init(&quota, inner, config));
    return mete_quota_as_alloc(&quota);
}

static const mete_quota_limit_t limit = {.size_max = 4000U, .count_max = 100U};

static mete_alloc_t make_quota(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_quota_config_t config = {
        .limits = &limit, .owners = &owner, .owner_count = 1U, .capacity_size = 4000U};
    (void)second;
    return begin_quota(first, &config);
}

static mete_alloc_t make_quota_with_emergency(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_quota_config_t config = {.limits = &limit,
                                               .owners = &owner,
                                               .owner_count = 1U,
                                               .capacity_size = 4000U,
                                               .emergency_size = 200U};
    (void)second;
    return begin_quota(first, &config);
}

static bool agrees_quota(void)
{
    const mete_quota_owner_t *const account = mete_quota_usage(&quota, 0U);
    return mete_quota_check(&quota) && (account->in_use_count == held_count) &&
           (account->in_use_size == held_size) && (account->refusals == refusals);
}

static size_t count_emergency(void)
{
    return (quota.emergency != NULL) ? 1U : 0U;
}

static mete_dma_t dma;

static mete_alloc_t make_dma(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_dma_config_t config = {.line_size = 32U};
    (void)second;
    EXPECT(mete_dma_init(&dma, first, &config));
    return mete_dma_as_alloc(&dma);
}

static mete_seal_t seal;

static mete_alloc_t make_seal(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_seal_config_t config = {.allows_release = false};
    (void)second;
    EXPECT(mete_seal_init(&seal, first, &config));
    return mete_seal_as_alloc(&seal);
}

static bool agrees_seal(void)
{
    return !mete_seal_is_closed(&seal) && (mete_seal_refusals(&seal) == 0U);
}

static mete_guard_t guard;

static mete_alloc_t make_guard(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_guard_config_t config = {.fills_acquired = true};
    (void)second;
    EXPECT(mete_guard_init(&guard, first, &config));
    return mete_guard_as_alloc(&guard);
}

static mete_alloc_t make_quarantine(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_guard_config_t config = {
        .quarantine_size = 400U, .fills_released = true, .released_fill = 0xDDU};
    (void)second;
    EXPECT(mete_guard_init(&guard, first, &config));
    return mete_guard_as_alloc(&guard);
}

static bool agrees_guard(void)
{
    return mete_guard_check(&guard) && mete_guard_check_next(&guard, 2U) &&
           (mete_guard_usage(&guard).withheld_count == 0U);
}

static size_t count_quarantined(void)
{
    return mete_guard_usage(&guard).quarantine_count;
}

static void empty_quarantine(void)
{
    (void)mete_guard_purge(&guard, SIZE_MAX);
}

static mete_scrub_t scrub;

static mete_alloc_t make_scrub(mete_alloc_t first, mete_alloc_t second)
{
    (void)second;
    EXPECT(mete_scrub_init(&scrub, first, 0xEEU));
    return mete_scrub_as_alloc(&scrub);
}

static mete_locked_t locked;
static size_t depth;

static void enter(void *self)
{
    (void)self;
    EXPECT(depth == 0U);
    depth++;
}

static void leave(void *self)
{
    (void)self;
    EXPECT(depth == 1U);
    depth--;
}

static mete_alloc_t make_lock(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_lock_ops_t ops = {enter, leave};
    (void)second;
    depth = 0U;
    EXPECT(mete_locked_init(&locked, first, (mete_lock_t){&ops, NULL}, NULL));
    return mete_locked_as_alloc(&locked);
}

static bool is_unlocked(void)
{
    return depth == 0U;
}

static mete_stats_t stats;

static mete_alloc_t make_stats(mete_alloc_t first, mete_alloc_t second)
{
    (void)second;
    EXPECT(mete_stats_init(&stats, first, NULL));
    return mete_stats_as_alloc(&stats);
}

static bool agrees_stats(void)
{
    const mete_stats_usage_t usage = mete_stats_usage(&stats);
    return (usage.live_count == held_count) && (usage.in_use_size == held_size) &&
           (usage.refusals == refusals);
}

static mete_timing_t timing;

static uint32_t tick(void)
{
    static uint32_t now;
    return ++now;
}

// To run out of memory is not to be late: nothing is refused here.
static mete_alloc_t make_timing(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_timing_costs_t limits = {1U, 1U, 1U};
    static mete_timing_class_t classes[3];
    static const mete_timing_config_t config = {.clock = tick,
                                                .classes = classes,
                                                .class_count = 3U,
                                                .first_size = 32U,
                                                .limits = &limits,
                                                .limit_count = 1U,
                                                .policy = METE_TIMING_REFUSES_LATE};
    (void)second;
    EXPECT(mete_timing_init(&timing, first, &config));
    return mete_timing_as_alloc(&timing);
}

static bool agrees_timing(void)
{
    return mete_timing_check(&timing) && (mete_timing_refusals(&timing) == 0U) &&
           (mete_timing_last(&timing) == NULL);
}

static mete_track_t track;

static mete_alloc_t make_track(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_track_config_t config = {.site = NULL};
    (void)second;
    EXPECT(mete_track_init(&track, first, &config));
    return mete_track_as_alloc(&track);
}

static bool agrees_track(void)
{
    const mete_track_total_t total = mete_track_total(&track, NULL);
    return mete_track_check(&track) && (total.count == held_count) && (total.size == held_size);
}

static mete_fail_t fail;

static mete_alloc_t make_fail(mete_alloc_t first, mete_alloc_t second)
{
    static const mete_fail_plan_t nothing = {0};
    (void)second;
    EXPECT(mete_fail_init(&fail, first, &nothing));
    return mete_fail_as_alloc(&fail);
}

static bool agrees_fail(void)
{
    return mete_fail_refusals(&fail) == 0U;
}

METE_ROUTE_DEFINE(route, 2, 0);

static mete_alloc_t make_route(mete_alloc_t first, mete_alloc_t second)
{
    const mete_route_member_t members[] = {
        {first, {{memory[0], sizeof memory[0]}, METE_REGION_FAST}},
        {second, {{memory[1], sizeof memory[1]}, METE_REGION_DMA}},
    };
    EXPECT(mete_route_init(&route, members, 2U, &route_config));
    return mete_route_as_alloc(&route);
}

static bool agrees_route(void)
{
    return mete_route_check(&route) && (mete_route_usage(&route).refusals == refusals);
}

static mete_partition_owner_t tenant;
static mete_partition_t partition;

static uint32_t who(void *self)
{
    (void)self;
    return 0U;
}

static mete_alloc_t make_partition(mete_alloc_t first, mete_alloc_t second)
{
    static uint16_t table[BASE_SIZE / 8];
    static const uint8_t rights = METE_PARTITION_ALL;
    static const mete_partition_terms_t terms = {.span = {memory[0], BASE_SIZE},
                                                 .common_max = BASE_SIZE};
    static const mete_partition_config_t config = {.terms = &terms,
                                                   .owners = &tenant,
                                                   .rights = &rights,
                                                   .owner_count = 1U,
                                                   .common = {memory[1], BASE_SIZE},
                                                   .common_granule = 8U,
                                                   .common_table = table,
                                                   .owner = who};
    EXPECT(mete_partition_init(&partition, &first, second, &config));
    return mete_partition_as_alloc(&partition, 0U);
}

static bool agrees_partition(void)
{
    return mete_partition_check(&partition) && (tenant.refusals == refusals) &&
           (tenant.in_use_size <= held_size + (7U * held_count));
}

METE_TIER_DEFINE(tier, 0, 1, 16, 64);

// Both classes have the same member: what counts is who was asked, and how often.
static mete_alloc_t make_tier(mete_alloc_t first, mete_alloc_t second)
{
    const mete_alloc_t members[] = {first, first};
    EXPECT(mete_tier_init(&tier, members, second, &tier_config));
    return mete_tier_as_alloc(&tier);
}

static bool agrees_tier(void)
{
    size_t in_use = 0U;
    size_t refused = 0U;
    for (size_t i = 0U; i <= 2U; i++) {
        const mete_tier_usage_t usage = mete_tier_usage(&tier, i);
        in_use += usage.in_use;
        refused += usage.refusals;
    }
    return mete_tier_check(&tier) && (in_use == held_count) && (refused == refusals);
}

static mete_alloc_t make_all(mete_alloc_t first, mete_alloc_t second)
{
    const mete_alloc_t counted = make_quota(make_fail(make_track(first, second), second), second);
    const mete_alloc_t shaped =
        make_dma(make_seal(make_scrub(make_guard(counted, second), second), second), second);
    return make_lock(make_wait(make_defer(shaped, second), second), second);
}

static bool agrees_all(void)
{
    return mete_quota_check(&quota) && mete_track_check(&track) &&
           (mete_quota_usage(&quota, 0U)->in_use_count == held_count) &&
           (mete_track_total(&track, NULL).count == held_count) && (owner.refusals == refusals) &&
           is_nobody_in_line() && is_unlocked() && agrees_fail() && agrees_seal() && agrees_guard();
}

static const subject_t subjects[] = {
    {.name = "critical", .make = make_critical},
    {.name = "defer",
     .make = make_defer,
     .kept_count = count_deferred,
     .release = release_deferred},
    {.name = "wait", .make = make_wait, .agrees = is_nobody_in_line, .acquire = acquire_waiting},
    {.name = "quota", .make = make_quota, .agrees = agrees_quota},
    {.name = "quota with an emergency reserve",
     .make = make_quota_with_emergency,
     .agrees = agrees_quota,
     .kept_count = count_emergency},
    {.name = "dma", .make = make_dma},
    {.name = "seal", .make = make_seal, .agrees = agrees_seal},
    {.name = "guard", .make = make_guard, .agrees = agrees_guard},
    {.name = "guard with quarantine",
     .make = make_quarantine,
     .agrees = agrees_guard,
     .kept_count = count_quarantined,
     .settle = empty_quarantine},
    {.name = "scrub", .make = make_scrub},
    {.name = "lock", .make = make_lock, .agrees = is_unlocked},
    {.name = "stats", .make = make_stats, .agrees = agrees_stats},
    {.name = "timing", .make = make_timing, .agrees = agrees_timing},
    {.name = "track", .make = make_track, .agrees = agrees_track},
    {.name = "fail", .make = make_fail, .agrees = agrees_fail},
    {.name = "route", .make = make_route, .agrees = agrees_route, .uses_second = true},
    {.name = "partition", .make = make_partition, .agrees = agrees_partition, .uses_second = true},
    {.name = "tier", .make = make_tier, .agrees = agrees_tier, .uses_second = true},
    {.name = "all", .make = make_all, .agrees = agrees_all},
};

// ---- The work

static const subject_t *subject;
static mete_alloc_t view;
static bool is_for_good;  // What is refused is refused again.

static size_t kept_count(void)
{
    return (subject->kept_count != NULL) ? subject->kept_count() : 0U;
}

static void judge(void)
{
    EXPECT((subject->agrees == NULL) || subject->agrees());
    EXPECT(count_behind() == held_count + kept_count());
    EXPECT(tap_take_fault() == 0);
}

static void *acquire_once(size_t size, size_t align)
{
    void *const block = (subject->acquire != NULL) ? subject->acquire(view, size, align)
                                                   : mete_acquire(view, size, align);
    refusals += (block == NULL) ? 1U : 0U;
    return block;
}

// What was refused once is served when it is asked for again.
static void acquire(slot_t *slot, size_t size, size_t align)
{
    void *block = acquire_once(size, align);
    if (block == NULL) {
        judge();
        EXPECT(refused_behind() != 0U);
        block = acquire_once(size, align);
        EXPECT((block != NULL) || is_for_good);
    }
    if (block != NULL) {
        hold(slot, block, size, align);
    }
}

static void release(slot_t *slot)
{
    const slot_t old = *slot;
    drop(slot);
    if (subject->release != NULL) {
        subject->release(view, &old);
    } else {
        mete_release(view, old.block, old.size, old.align);
    }
}

// Shrinks or grows a block, where it stands or elsewhere; what is refused leaves it as it was.
static void change(slot_t *slot, size_t size, bool may_move)
{
    const slot_t old = *slot;
    drop(slot);
    unsigned char *block = old.block;
    if (may_move) {
        block = mete_realloc(view, old.block, old.size, size, old.align);
        refusals += (block == NULL) ? 1U : 0U;
    } else if (!mete_resize(view, old.block, old.size, size, old.align)) {
        block = NULL;
    }
    const size_t kept_size = (size < old.size) ? size : old.size;
    if (block != NULL) {
        EXPECT(mete_words_scan(block, pattern_of(slot), kept_size) == kept_size);
    }
    if (block != NULL) {
        hold(slot, block, size, old.align);
    } else {
        *slot = old;
        held_count++;
        held_size += old.size;
    }
}

enum { ACQUIRE, RELEASE, RESIZE, REALLOC };

typedef struct step {
    uint8_t verb;
    uint8_t slot;
    uint16_t size;
    uint16_t align;
} step_t;

static void perform(const step_t *step)
{
    slot_t *const slot = &slots[step->slot];
    if (step->verb == ACQUIRE) {
        acquire(slot, step->size, step->align);
    } else if (slot->block == NULL) {
        return;  // It was refused.
    } else if (step->verb == RELEASE) {
        release(slot);
    } else {
        change(slot, step->size, step->verb == REALLOC);
    }
}

static void work(void)
{
    static const step_t steps[] = {
        {ACQUIRE, 0, 12, 4},  {ACQUIRE, 1, 100, 8}, {ACQUIRE, 2, 60, 32}, {RESIZE, 0, 20, 0},
        {RELEASE, 1, 0, 0},   {ACQUIRE, 3, 16, 1},  {REALLOC, 2, 120, 0}, {RELEASE, 0, 0, 0},
        {ACQUIRE, 1, 33, 16}, {RESIZE, 3, 90, 0},   {RESIZE, 2, 24, 0},   {ACQUIRE, 0, 15, 8},
        {REALLOC, 1, 130, 0}, {RELEASE, 3, 0, 0},   {ACQUIRE, 4, 64, 64}, {ACQUIRE, 5, 70, 2},
        {REALLOC, 2, 11, 0},  {RELEASE, 4, 0, 0},   {RELEASE, 0, 0, 0},   {REALLOC, 5, 140, 0},
        {ACQUIRE, 3, 7, 1},   {REALLOC, 3, 17, 0},  {RELEASE, 1, 0, 0},   {ACQUIRE, 0, 65, 4},
    };
    for (size_t i = 0U; i < sizeof steps / sizeof steps[0]; i++) {
        perform(&steps[i]);
        judge();
    }
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        if (slots[i].block != NULL) {
            release(&slots[i]);
            judge();
        }
    }
}

static void begin(void)
{
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        slots[i].block = NULL;
    }
    held_count = 0U;
    held_size = 0U;
    refusals = 0U;
    const mete_alloc_t first = make_base(0U);
    const mete_alloc_t second = make_base(1U);
    view = subject->make(first, second);
}

// With memory for everybody again: a few calls bring what a wrapper kept where it belongs.
static void end(size_t idle_count)
{
    static const mete_fail_plan_t nothing = {0};
    for (size_t i = 0U; i < BASE_COUNT; i++) {
        mete_fail_reset(&bases[i].fail, &nothing);
    }
    for (size_t i = 0U; i < 2U * SLOT_COUNT; i++) {
        void *const block = mete_acquire(view, 40U, 8U);
        EXPECT(block != NULL);
        mete_release(view, block, 40U, 8U);
    }
    if (subject->settle != NULL) {
        subject->settle();
    }
    EXPECT((idle_count == 0U) || mete_quota_add_emergency(&quota));
    EXPECT((kept_count() == idle_count) && (held_count == 0U) && (held_size == 0U));
    judge();
    for (size_t i = 0U; (i < BASE_COUNT) && (idle_count == 0U); i++) {
        const mete_heap_usage_t usage = mete_heap_usage(bases[i].heap);
        EXPECT((usage.in_use_size == 0U) && (usage.free_count == 1U));
    }
}

// Where the request is refused that is the n-th to come there.
typedef enum place { IN_FIRST, IN_FIRST_WITHOUT_SECOND, IN_SECOND } place_t;

// Returns how many were refused there.
static size_t run(size_t nth, bool is_lasting, place_t place)
{
    const mete_fail_plan_t plan = {.nth = nth, .is_lasting = is_lasting};
    static const mete_fail_plan_t everything = {.nth = 1U, .is_lasting = true};
    base_t *const base = &bases[(place == IN_SECOND) ? 1U : 0U];
    begin();
    const size_t idle_count = kept_count();
    mete_fail_reset(&base->fail, &plan);
    if (place == IN_FIRST_WITHOUT_SECOND) {
        mete_fail_reset(&bases[1].fail, &everything);
    }
    is_for_good = is_lasting || (place == IN_FIRST_WITHOUT_SECOND);
    work();
    const size_t refused = mete_fail_refusals(&base->fail);
    end(idle_count);
    return refused;
}

static void expect_nothing_booked_or_lost(bool is_lasting, place_t place)
{
    size_t nth = 1U;
    while ((run(nth, is_lasting, place) != 0U) && (nth < REQUEST_MAX)) {
        nth++;
    }
    EXPECT((nth < REQUEST_MAX) && ((nth > 10U) || (place == IN_SECOND)));
}

static void test_nothing_is_booked_or_lost_whichever_request_is_refused(void)
{
    const place_t last = subject->uses_second ? IN_SECOND : IN_FIRST;
    for (place_t place = IN_FIRST; place <= last; place++) {
        expect_nothing_booked_or_lost(false, place);
        expect_nothing_booked_or_lost(true, place);
    }
}

int main(void)
{
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        subject = &subjects[i];
        tap_run(test_nothing_is_booked_or_lost_whichever_request_is_refused, subject->name);
    }
    return tap_finish();
}
