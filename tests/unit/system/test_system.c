// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/system.c"

#include "mete/protect/plan_armv7m.h"
#include "mete/system/protection.h"
#include "mete/wrap/lock.h"
#include "mete/wrap/seal.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/track.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/system/recorder.h"

enum { STORAGE_SIZE = 24 * 1024, HEAP_SIZE = 8192, LIVE_MAX = 20 };

static uint64_t storage[STORAGE_SIZE / 8];
static const mete_system_pool_t pools[] = {
    {.block_size = 13, .block_count = 3},
    {.block_size = 40, .block_count = 5},
};
static mete_system_config_t config;
static mete_system_t *made;

// A small system without parts; a test adds what it is about.
static void setup(void)
{
    config = (mete_system_config_t){
        .storage = {storage, sizeof storage},
        .heap_size = HEAP_SIZE,
        .pools = pools,
        .pool_count = 2U,
        .kept_size = 512U,
        .scratch_size = 256U,
    };
}

static void build(void)
{
    mete_system_problem_t problem = METE_SYSTEM_PART_WRONG;
    made = mete_system_init(&config, &problem);
    EXPECT((made != NULL) && (problem == METE_SYSTEM_NO_PROBLEM) && mete_system_check(made));
}

static void expect_problem(mete_system_problem_t expected)
{
    mete_system_problem_t problem = METE_SYSTEM_NO_PROBLEM;
    EXPECT((mete_system_init(&config, &problem) == NULL) && (problem == expected));
    EXPECT(mete_system_init(&config, NULL) == NULL);
    EXPECT(tap_take_fault() == 0);
}

static mete_alloc_t view(mete_system_pattern_t pattern)
{
    return mete_system_as_alloc(made, pattern);
}

// All calls come from one place, which is no jump: the block is looked at here.
__attribute__((noinline)) static void *acquire(mete_system_pattern_t pattern, size_t size)
{
    void *volatile block = mete_acquire(view(pattern), size, 8U);
    return block;
}

// ---- Patterns

static void test_each_pattern_has_its_allocator(void)
{
    setup();
    build();
    const void *const any = acquire(METE_SYSTEM_VARIABLE, 100U);
    EXPECT(mete_heap_owns(mete_system_heap(made), any));
    const void *const small = acquire(METE_SYSTEM_FIXED, 13U);
    const void *const large = acquire(METE_SYSTEM_FIXED, 17U);
    EXPECT(mete_pool_owns(&made->pools[0].pool, small));
    EXPECT(mete_pool_owns(&made->pools[1].pool, large));
    EXPECT(mete_arena_owns(&made->kept, acquire(METE_SYSTEM_KEPT, 100U)));
    EXPECT(mete_arena_owns(mete_system_scratch(made), acquire(METE_SYSTEM_TEMPORARY, 100U)));
}

static void test_fixed_never_asks_the_heap(void)
{
    setup();
    build();
    for (int i = 0; i < 5; i++) {
        EXPECT(acquire(METE_SYSTEM_FIXED, 40U) != NULL);
    }
    EXPECT((acquire(METE_SYSTEM_FIXED, 40U) == NULL) && (acquire(METE_SYSTEM_FIXED, 41U) == NULL));
    EXPECT(mete_heap_usage(mete_system_heap(made)).in_use_size == 0U);
    EXPECT(mete_pool_usage(mete_system_pool(made, 1U)).in_use == 5U);
    EXPECT(mete_pool_usage(mete_system_pool(made, 0U)).in_use == 0U);
    EXPECT(mete_system_pool(made, 2U) == NULL);
}

static void test_temporary_is_rewound(void)
{
    setup();
    build();
    METE_ARENA_SCOPE(mete_system_scratch(made))
    {
        EXPECT(acquire(METE_SYSTEM_TEMPORARY, 200U) != NULL);
        EXPECT(acquire(METE_SYSTEM_TEMPORARY, 200U) == NULL);
    }
    EXPECT(acquire(METE_SYSTEM_TEMPORARY, 200U) != NULL);
}

static void test_what_has_no_memory_refuses(void)
{
    setup();
    config.pool_count = 0U;
    config.kept_size = 0U;
    config.scratch_size = 0U;
    build();
    for (int p = METE_SYSTEM_FIXED; p < METE_SYSTEM_PATTERN_COUNT; p++) {
        EXPECT(acquire((mete_system_pattern_t)p, 1U) == NULL);
        void *const foreign = storage;
        mete_release(view((mete_system_pattern_t)p), foreign, 1U, 8U);
        EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) || (METE_CHECK_LEVEL < 1));
        EXPECT(!view((mete_system_pattern_t)p)
                    .ops->owns(view((mete_system_pattern_t)p).self, foreign));
    }
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 1U) != NULL);
}

// ---- Parts

static bool find_caller(void *self, const mete_track_block_t *block)
{
    *(const void **)self = block->caller;
    return true;
}

static const void *caller_of_last(mete_system_pattern_t pattern)
{
    const void *caller = NULL;
    const mete_track_t *const track = mete_system_state_of(made, pattern, &mete_system_with_track);
    EXPECT((track != NULL) && mete_track_walk(track, find_caller, &caller));
    return caller;
}

static void enter_or_leave(void *self)
{
    ++*(unsigned *)self;
}

static const mete_lock_ops_t lock_ops = {enter_or_leave, enter_or_leave};

static uint32_t tick(void)
{
    return 7U;
}

static mete_timing_class_t timing_classes[3];
static const mete_timing_config_t timing = {
    .clock = tick, .classes = timing_classes, .class_count = 3U, .first_size = 16U};

static void add_all_parts(unsigned *lock_calls)
{
    config.lock = &mete_system_with_lock;
    config.stats = &mete_system_with_stats;
    config.seal = &mete_system_with_seal;
    config.scrub = &mete_system_with_scrub;
    config.guard = &mete_system_with_guard;
    config.health = &mete_system_with_health;
    config.timing = &mete_system_with_timing;
    config.timing_config = &timing;
    config.quota = &mete_system_with_quota;
    config.track = &mete_system_with_track;
    config.mutex = (mete_lock_t){&lock_ops, lock_calls};
    config.live_max = LIVE_MAX;
    config.allows_release = true;
}

static void test_all_parts_stand_in_their_order(void)
{
    unsigned lock_calls = 0U;
    setup();
    add_all_parts(&lock_calls);
    build();
    mete_alloc_t at = view(METE_SYSTEM_VARIABLE);
    for (size_t i = METE_SYSTEM_PART_COUNT; i != 0U; i--) {
        EXPECT(at.self == made->states[METE_SYSTEM_VARIABLE][i - 1U]);
        at = (i > 1U) ? *(const mete_alloc_t *)at.self : at;  // What these begin with.
    }
    EXPECT(((const mete_track_t *)at.self)->inner.self == made->heap);
    void *const block = acquire(METE_SYSTEM_VARIABLE, 30U);
    EXPECT((block != NULL) && (lock_calls == 2U));
    mete_release(view(METE_SYSTEM_VARIABLE), block, 30U, 8U);
    EXPECT((lock_calls == 4U) && mete_system_check(made));
}

static void test_the_tracker_knows_who_called(void)
{
    unsigned lock_calls = 0U;
    for (int in_front = 0; in_front < 4; in_front++) {
        setup();
        config.track = &mete_system_with_track;
        config.mutex = (mete_lock_t){&lock_ops, &lock_calls};
        config.lock = (in_front == 1) ? &mete_system_with_lock : NULL;
        config.stats = (in_front == 2) ? &mete_system_with_stats : NULL;
        config.guard = (in_front == 3) ? &mete_system_with_guard : NULL;
        build();
        EXPECT(acquire(METE_SYSTEM_VARIABLE, 30U) != NULL);
        EXPECT(acquire(METE_SYSTEM_FIXED, 30U) != NULL);
        EXPECT(caller_of_last(METE_SYSTEM_VARIABLE) != NULL);
        EXPECT(caller_of_last(METE_SYSTEM_VARIABLE) == caller_of_last(METE_SYSTEM_FIXED));
    }
}

static void test_a_part_is_found_where_it_stands(void)
{
    setup();
    config.stats = &mete_system_with_stats;
    config.quota = &mete_system_with_quota;
    config.live_max = LIVE_MAX;
    build();
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 30U) != NULL);
    const mete_stats_t *const stats =
        mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_stats);
    EXPECT((stats != NULL) && (mete_stats_usage(stats).in_use_size == 30U));
    EXPECT(mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_track) == NULL);
    EXPECT(mete_system_state_of(made, METE_SYSTEM_FIXED, &mete_system_with_quota) == NULL);
    EXPECT(mete_system_state_of(made, METE_SYSTEM_KEPT, &mete_system_with_stats) == NULL);
    EXPECT(mete_system_state_of(made, METE_SYSTEM_FIXED, &mete_system_with_stats) != stats);
}

static void test_no_more_blocks_than_the_maximum(void)
{
    setup();
    config.quota = &mete_system_with_quota;
    config.live_max = LIVE_MAX;
    build();
    void *last = NULL;
    for (int i = 0; i < LIVE_MAX; i++) {
        last = acquire(METE_SYSTEM_VARIABLE, 8U);
        EXPECT(last != NULL);
    }
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 8U) == NULL);
    mete_release(view(METE_SYSTEM_VARIABLE), last, 8U, 8U);
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 8U) != NULL);
}

static void test_no_more_bytes_than_the_maximum(void)
{
    setup();
    config.quota = &mete_system_with_quota;
    config.size_max = 100U;
    build();
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 101U) == NULL);
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 100U) != NULL);
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 1U) == NULL);
}

static void test_pools_hold_what_they_promise_behind_parts(void)
{
    unsigned lock_calls = 0U;
    setup();
    add_all_parts(&lock_calls);
    build();
    for (int i = 0; i < 8; i++) {
        unsigned char *const block = acquire(METE_SYSTEM_FIXED, (i < 3) ? 13U : 40U);
        EXPECT(block != NULL);
        mete_words_fill(block, 0xFFU, (i < 3) ? 13U : 40U);
    }
    EXPECT((acquire(METE_SYSTEM_FIXED, 1U) == NULL) && (acquire(METE_SYSTEM_FIXED, 40U) == NULL));
    EXPECT(mete_system_check(made));
    const mete_track_t *const track =
        mete_system_state_of(made, METE_SYSTEM_FIXED, &mete_system_with_track);
    EXPECT(mete_track_check(track) && (mete_track_total(track, NULL).count == 8U));
}

static void hear(void *self, const mete_event_t *event)
{
    *(mete_event_t *)self = *event;
}

static void test_health_warns_of_a_full_heap(void)
{
    mete_event_t heard = {METE_EVENT_ACQUIRE, NULL, NULL, 0U, NULL};
    setup();
    config.health = &mete_system_with_health;
    config.observer = (mete_observer_t){hear, &heard};
    build();
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 7500U) != NULL);
    mete_health_t *const health =
        mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_health);
    mete_health_judge(health);
    EXPECT((heard.kind == METE_EVENT_THRESHOLD) && mete_health_is_raised(health, 0U));
    EXPECT(mete_health_usage(health).requests == 0U);  // Nobody counts.
}

static void test_health_asks_the_statistics(void)
{
    static const mete_health_config_t own = {.interval = 1U};
    setup();
    config.health = &mete_system_with_health;
    config.health_config = &own;
    config.stats = &mete_system_with_stats;
    build();
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 10U) != NULL);
    const mete_health_t *const health =
        mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_health);
    EXPECT(mete_health_usage(health).requests == 1U);
}

// What the guard holds back is what health can let go first.
static bool empty_quarantine(void *self, const mete_health_rule_t *rule)
{
    mete_guard_t *const guard =
        mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_guard);
    *(const mete_health_rule_t **)self = rule;
    return mete_guard_purge(guard, SIZE_MAX) != 0U;
}

static void test_health_acts_as_its_config_says(void)
{
    static const mete_health_rule_t rule = {METE_HEALTH_USAGE, 500U, 400U, METE_HEALTH_PURGE, 0U};
    static const mete_health_rule_t *acted;
    static const mete_health_config_t own = {
        .rules = &rule, .rule_count = 1U, .interval = 1U, .purge = {empty_quarantine, &acted}};
    static const mete_guard_config_t holds_back = {.quarantine_size = 6000U};
    setup();
    acted = NULL;
    config.health = &mete_system_with_health;
    config.health_config = &own;
    config.guard = &mete_system_with_guard;
    config.guard_config = &holds_back;
    build();
    void *const block = acquire(METE_SYSTEM_VARIABLE, 3000U);
    EXPECT((block != NULL) && (acted == NULL));
    mete_release(view(METE_SYSTEM_VARIABLE), block, 3000U, 8U);
    const size_t held = mete_heap_usage(mete_system_heap(made)).in_use_size;
    EXPECT((held > 3000U) && (acquire(METE_SYSTEM_VARIABLE, 2500U) != NULL));
    EXPECT((acted == &rule) && (mete_heap_usage(mete_system_heap(made)).in_use_size < held));
}

static void test_timing_measures_the_heap(void)
{
    setup();
    config.timing = &mete_system_with_timing;
    expect_problem(METE_SYSTEM_PART_WRONG);  // Without a config of its own.
    config.timing_config = &timing;
    build();
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 10U) != NULL);
    const mete_timing_t *const measured =
        mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_timing);
    EXPECT(mete_timing_guarantee(measured, METE_TIMING_ACQUIRE, 10U).kind == METE_TIMING_LEARNT);
}

static void test_the_guard_finds_what_is_written_past_a_block(void)
{
    setup();
    config.guard = &mete_system_with_guard;
    build();
    for (int p = METE_SYSTEM_VARIABLE; p <= METE_SYSTEM_FIXED; p++) {
        unsigned char *const block = acquire((mete_system_pattern_t)p, 13U);
        EXPECT(block != NULL);
        block[13] ^= 1U;
        mete_release(view((mete_system_pattern_t)p), block, 13U, 8U);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) || (METE_CHECK_LEVEL < 1));
    }
}

static void test_sealed_patterns_refuse(void)
{
    setup();
    config.seal = &mete_system_with_seal;
    build();
    mete_seal_close(mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_seal));
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 8U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
    EXPECT(acquire(METE_SYSTEM_FIXED, 8U) != NULL);
}

// ---- Configs

static void test_init_refuses_what_cannot_be(void)
{
    setup();
    config.storage.start = NULL;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
    setup();
    config.heap_size = 16U;
    expect_problem(METE_SYSTEM_HEAP_WRONG);
    setup();
    config.heap_size = SIZE_MAX;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
    setup();
    config.kept_size = SIZE_MAX - 3U;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
    setup();
    config.scratch_size = sizeof storage;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
    setup();
    config.lock = &mete_system_with_lock;  // Without a mutex.
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup();
    config.quota = &mete_system_with_quota;  // Without a maximum.
    expect_problem(METE_SYSTEM_PART_WRONG);
}

static void test_init_refuses_pools_that_cannot_be(void)
{
    static const mete_system_pool_t wrong[][2] = {
        {{0U, 3U}, {40U, 3U}},
        {{13U, 0U}, {40U, 3U}},
        {{13U, 3U}, {13U, 3U}},
        {{40U, 3U}, {13U, 3U}},
        {{13U, 3U}, {16U, 3U}},  // Both are 16.
        {{13U, METE_POOL_BLOCK_COUNT_MAX + 1U}, {40U, 3U}},
        {{13U, 3U}, {SIZE_MAX, 1U}},
    };
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        setup();
        config.pools = wrong[i];
        expect_problem(METE_SYSTEM_POOLS_WRONG);
    }
    static const mete_system_pool_t many[] = {{16U, METE_POOL_BLOCK_COUNT_MAX}};
    setup();
    config.pools = many;
    config.pool_count = 1U;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
}

static bool is_blank(const unsigned char *bytes, size_t size)
{
    size_t i = 0U;
    while ((i < size) && (bytes[i] == 0xA5U)) {
        i++;
    }
    return i == size;
}

// Every size of storage from nothing to plenty, from every offset: never a byte outside, and once it
// is large enough it stays so.
static void test_nothing_outside_the_storage_is_touched(void)
{
    unsigned lock_calls = 0U;
    unsigned char *const bytes = (unsigned char *)storage;
    setup();
    add_all_parts(&lock_calls);
    config.heap_size = 1024U;
    bool was_made = false;
    for (size_t size = 0U; size < 9000U; size += 1U + (size % 7U)) {
        mete_words_fill(storage, 0xA5U, 10000U);
        config.storage.start = bytes + 16U + (size % 8U);
        config.storage.size = size;
        made = mete_system_init(&config, NULL);
        EXPECT((made != NULL) || !was_made || (size % 8U != 0U));
        was_made = was_made || ((made != NULL) && (size % 8U == 7U));
        if (made != NULL) {
            EXPECT(acquire(METE_SYSTEM_VARIABLE, 500U) != NULL);
            EXPECT(acquire(METE_SYSTEM_FIXED, 40U) != NULL);
            EXPECT(mete_system_check(made));
        }
        EXPECT(is_blank(bytes, 16U + (size % 8U)));
        EXPECT(is_blank(bytes + 16U + (size % 8U) + size, 512U));
    }
    EXPECT(was_made);
}

static void test_the_heap_takes_what_is_left(void)
{
    unsigned lock_calls = 0U;
    setup();
    add_all_parts(&lock_calls);
    config.heap_size = 0U;
    build();
    const mete_span_t heap = made->heap_config.storage;
    EXPECT(heap.size > HEAP_SIZE);
    const uintptr_t end = (uintptr_t)storage + sizeof storage;
    EXPECT((uintptr_t)heap.start + heap.size + states_size_of(&config) == end);
}

static void test_two_systems_do_not_meet(void)
{
    setup();
    config.stats = &mete_system_with_stats;
    config.storage.size = sizeof storage / 2U;
    build();
    static mete_system_config_t other_config;
    other_config = config;
    other_config.storage.start = storage + (STORAGE_SIZE / 16);
    mete_system_t *const other = mete_system_init(&other_config, NULL);
    EXPECT(other != NULL);
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 100U) != NULL);
    EXPECT(mete_heap_usage(mete_system_heap(other)).in_use_size == 0U);
    EXPECT(mete_system_check(other) && mete_system_check(made));
}

// ---- Usage and check

static void test_usage_adds_up(void)
{
    setup();
    build();
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 100U) != NULL);
    EXPECT(acquire(METE_SYSTEM_FIXED, 40U) != NULL);
    EXPECT(acquire(METE_SYSTEM_KEPT, 100U) != NULL);
    EXPECT(acquire(METE_SYSTEM_TEMPORARY, 50U) != NULL);
    EXPECT(acquire(METE_SYSTEM_VARIABLE, sizeof storage) == NULL);
    EXPECT(acquire(METE_SYSTEM_KEPT, 1000U) == NULL);
    mete_system_usage_t usage;
    mete_system_read(made, &usage);
    EXPECT((usage.heap_in_use_size >= 100U) && (usage.heap_in_use_size <= 120U));
    EXPECT((usage.kept_in_use_size == 100U) && (usage.scratch_in_use_size == 50U));
    EXPECT((usage.kept_total_size == 512U) && (usage.scratch_total_size == 256U));
    EXPECT((usage.pools_in_use_size == 40U) && (usage.pools_total_size == 3U * 16U + 5U * 40U));
    EXPECT((usage.heap_total_size > HEAP_SIZE - 700U) && (usage.heap_total_size < HEAP_SIZE));
    EXPECT(usage.refusals == 2U);
}

static void test_check_finds_damage(void)
{
    setup();
    build();
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 100U) != NULL);
    made->kept.next = 3U;
    EXPECT(!mete_system_check(made));
    build();
    made->pools[1].pool.alloc_total = 3U;
    EXPECT(!mete_system_check(made));
    build();
    made->heap->map ^= 2U;
    EXPECT(!mete_system_check(made));
}

// ---- Random work over all parts

enum { SLOT_COUNT = 48 };
typedef struct slot {
    unsigned char *block;
    size_t size;
    mete_system_pattern_t pattern;
} slot_t;

static bool is_filled(const slot_t *slot, unsigned char with)
{
    size_t i = 0U;
    while ((i < slot->size) && (slot->block[i] == with)) {
        i++;
    }
    return i == slot->size;
}

static void take_or_give(slot_t *slot, unsigned char with, uint32_t *random)
{
    if (slot->block == NULL) {
        slot->pattern = (random_below(random, 3U) == 0U) ? METE_SYSTEM_FIXED : METE_SYSTEM_VARIABLE;
        slot->size = 1U + random_below(random, 60U);
        slot->block = acquire(slot->pattern, slot->size);
        if (slot->block != NULL) {
            mete_words_fill(slot->block, with, slot->size);
        }
    } else {
        EXPECT(is_filled(slot, with));
        mete_release(view(slot->pattern), slot->block, slot->size, 8U);
        slot->block = NULL;
    }
}

static void test_random_work_keeps_contents_and_books(void)
{
    static slot_t slots[SLOT_COUNT];
    unsigned lock_calls = 0U;
    uint32_t random = 7U;
    setup();
    add_all_parts(&lock_calls);
    build();
    for (int i = 0; i < 3000; i++) {
        const uint32_t which = random_below(&random, SLOT_COUNT);
        take_or_give(&slots[which], (unsigned char)which, &random);
    }
    for (uint32_t which = 0U; which < SLOT_COUNT; which++) {
        if (slots[which].block != NULL) {
            take_or_give(&slots[which], (unsigned char)which, &random);
        }
    }
    mete_system_usage_t usage;
    mete_system_read(made, &usage);
    EXPECT((usage.heap_in_use_size == 0U) && (usage.pools_in_use_size == 0U));
    EXPECT(mete_system_check(made) && (tap_take_fault() == 0));
}

// ---- Protection, beside all

static mete_map_region_t table[2];
static mete_mpu_image_t images[8];
static mete_plan_range_t ranges[8];
static mete_plan_share_t share;
static mete_plan_wish_t wish;
static mete_protection_config_t protection_config;
static mete_protection_result_t protection_result;
static recorder_t recorder;

static void setup_protection(void)
{
    static const mete_map_region_t flash = {.name = "flash", .start = 64U, .size = 64U};
    setup();
    wish = (mete_plan_wish_t){"flash",         64U, 127U, {METE_ACCESS_READ, METE_ACCESS_READ},
                              METE_MPU_CACHED, 0U};
    recorder = (recorder_t){.unit = {8U}};
    protection_result.verdict = METE_PROTECTION_READY;
    protection_config = (mete_protection_config_t){.map = {table, 2U},
                                                   .regions = &flash,
                                                   .region_count = 1U,
                                                   .plan = {.backend = &mete_plan_armv7m,
                                                            .wishes = &wish,
                                                            .wish_count = 1U,
                                                            .shares = &share,
                                                            .images = images,
                                                            .ranges = ranges,
                                                            .image_max = 8U,
                                                            .has_background = true},
                                                   .mpu = {&recorder_armv7m, &recorder.unit},
                                                   .result = &protection_result};
    config.protection = &mete_system_with_protection;
    config.protection_config = &protection_config;
    config.storage_rights = (mete_rights_t){METE_ACCESS_READ, METE_ACCESS_ALL};
}

static void test_the_storage_is_on_the_map_and_the_plan_in_force(void)
{
    setup_protection();
    build();
    mete_protection_t *const protection = mete_system_protection(made);
    const mete_map_region_t *const region =
        mete_map_find(&protection->map, (uintptr_t)storage + sizeof storage - 1U);
    EXPECT((region != NULL) && (region->start == (uintptr_t)storage) &&
           (region->size == sizeof storage) && (region->kind == METE_MAP_HEAP));
    EXPECT((region->rights.unprivileged == METE_ACCESS_READ) &&
           (region->rights.privileged == METE_ACCESS_ALL) && (region->attributes == 0U));
    EXPECT(mete_map_find(&protection->map, 127U)->name[0] == 'f');
    EXPECT((recorder.commits == 1U) && recorder.is_enabled && (recorder.images == images));
    EXPECT(mete_plan_check(&protection->plan) &&
           (mete_violations_count(&protection->violations) == 0U));
}

static void test_the_map_says_how_much_of_the_storage_is_in_use(void)
{
    setup_protection();
    build();
    const mete_map_t *const map = &mete_system_protection(made)->map;
    const mete_map_region_t *const region = mete_map_find(map, (uintptr_t)storage);
    EXPECT(mete_map_in_use(region) == 0U);
    EXPECT(acquire(METE_SYSTEM_FIXED, 40U) != NULL);
    EXPECT(mete_map_in_use(region) == 40U);
    EXPECT(acquire(METE_SYSTEM_KEPT, 100U) != NULL);
    EXPECT(acquire(METE_SYSTEM_TEMPORARY, 50U) != NULL);
    EXPECT(acquire(METE_SYSTEM_VARIABLE, 500U) != NULL);
    mete_system_usage_t usage;
    mete_system_read(made, &usage);
    EXPECT(mete_map_in_use(region) ==
           40U + usage.kept_in_use_size + usage.scratch_in_use_size + usage.heap_in_use_size);
    EXPECT(mete_map_usage(map, METE_MAP_HEAP).total_size == sizeof storage);
}

static void violate(void)
{
    const mete_violation_t what = {.kind = METE_VIOLATION_DATA,
                                   .known = METE_VIOLATION_KNOWS_ADDRESS,
                                   .address = (uintptr_t)storage};
    mete_protection_t *const protection = mete_system_protection(made);
    EXPECT(mete_violations_handle(&protection->violations, &what, NULL) == METE_VIOLATIONS_KILL);
}

static void test_violations_are_told_to_the_systems_observer_or_their_own(void)
{
    mete_event_t heard = {METE_EVENT_ACQUIRE, NULL, NULL, 0U, NULL};
    mete_event_t own_heard = {METE_EVENT_ACQUIRE, NULL, NULL, 0U, NULL};
    setup_protection();
    config.observer = (mete_observer_t){hear, &heard};
    build();
    violate();
    EXPECT((heard.kind == METE_EVENT_FAULT) && (heard.block == storage));
    EXPECT(heard.source == &mete_system_protection(made)->violations);
    heard.kind = METE_EVENT_ACQUIRE;
    protection_config.observer = (mete_observer_t){hear, &own_heard};
    build();
    violate();
    EXPECT((heard.kind == METE_EVENT_ACQUIRE) && (own_heard.kind == METE_EVENT_FAULT));
}

static mete_health_t *told_health;

static void tell_health(void *self, const mete_event_t *event)
{
    (void)self;
    mete_observe(mete_health_as_observer(told_health), event);
}

static void test_health_hears_of_a_violation(void)
{
    static const mete_health_rule_t rule = {METE_HEALTH_FAULTS, 1U, 1U, METE_HEALTH_WARN, 0U};
    static const mete_health_config_t own = {.rules = &rule, .rule_count = 1U};
    setup_protection();
    config.health = &mete_system_with_health;
    config.health_config = &own;
    config.observer.on_event = tell_health;
    build();
    told_health = mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_health);
    mete_health_judge(told_health);
    EXPECT(!mete_health_is_raised(told_health, 0U));
    violate();
    mete_health_judge(told_health);
    EXPECT(mete_health_is_raised(told_health, 0U));
}

static void expect_unprotected(mete_protection_verdict_t verdict)
{
    expect_problem(METE_SYSTEM_PART_WRONG);
    EXPECT((protection_result.verdict == verdict) && (recorder.commits == 0U) &&
           !recorder.is_enabled);
}

static void test_what_protection_refuses_makes_no_system(void)
{
    setup_protection();
    config.protection_config = NULL;
    expect_unprotected(METE_PROTECTION_READY);
    setup_protection();
    protection_config.map.region_max = 1U;
    expect_unprotected(METE_PROTECTION_NO_MAP);
    EXPECT((protection_result.map.verdict == METE_MAP_FULL) &&
           (protection_result.map.region->start == (uintptr_t)storage));
    setup_protection();
    wish.start = 65U;
    expect_unprotected(METE_PROTECTION_NO_PLAN);
    EXPECT((protection_result.plan.wish == &wish) &&
           (protection_result.plan.verdict == METE_PLAN_ALIGN));
    setup_protection();
    recorder.unit.region_count = 0U;
    expect_unprotected(METE_PROTECTION_NO_MPU);
}

static void test_protection_takes_its_share_of_the_storage(void)
{
    setup_protection();
    config.heap_size = 0U;
    build();
    const uintptr_t end = (uintptr_t)mete_system_protection(made) +
                          mete_align_up(mete_system_with_protection.state_size, 8U);
    EXPECT((end <= (uintptr_t)storage + sizeof storage) &&
           (end + 8U > (uintptr_t)storage + sizeof storage));
    config.protection = NULL;
    build();
    EXPECT((mete_system_protection(made) == NULL) && (recorder.commits == 1U));
    setup_protection();
    config.pool_count = 0U;
    config.storage.size = mete_align_up(mete_system_size, 8U) + HEAP_SIZE + 512U + 256U +
                          mete_align_up(mete_system_with_protection.state_size, 8U);
    build();
    config.storage.size -= 8U;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
}

int main(void)
{
    RUN(test_each_pattern_has_its_allocator);
    RUN(test_fixed_never_asks_the_heap);
    RUN(test_temporary_is_rewound);
    RUN(test_what_has_no_memory_refuses);
    RUN(test_all_parts_stand_in_their_order);
    RUN(test_the_tracker_knows_who_called);
    RUN(test_a_part_is_found_where_it_stands);
    RUN(test_no_more_blocks_than_the_maximum);
    RUN(test_no_more_bytes_than_the_maximum);
    RUN(test_pools_hold_what_they_promise_behind_parts);
    RUN(test_health_warns_of_a_full_heap);
    RUN(test_health_asks_the_statistics);
    RUN(test_health_acts_as_its_config_says);
    RUN(test_timing_measures_the_heap);
    RUN(test_the_guard_finds_what_is_written_past_a_block);
    RUN(test_sealed_patterns_refuse);
    RUN(test_init_refuses_what_cannot_be);
    RUN(test_init_refuses_pools_that_cannot_be);
    RUN(test_nothing_outside_the_storage_is_touched);
    RUN(test_the_heap_takes_what_is_left);
    RUN(test_two_systems_do_not_meet);
    RUN(test_usage_adds_up);
    RUN(test_check_finds_damage);
    RUN(test_random_work_keeps_contents_and_books);
    RUN(test_the_storage_is_on_the_map_and_the_plan_in_force);
    RUN(test_the_map_says_how_much_of_the_storage_is_in_use);
    RUN(test_violations_are_told_to_the_systems_observer_or_their_own);
    RUN(test_health_hears_of_a_violation);
    RUN(test_what_protection_refuses_makes_no_system);
    RUN(test_protection_takes_its_share_of_the_storage);
    return tap_finish();
}
