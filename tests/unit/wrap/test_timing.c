// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The clock is one of ours, and the allocator behind moves it on by as much as a test says.

#include "mete/wrap/timing.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

enum {
    CLASS_COUNT = 4,
    FIRST_SIZE = 16,
    ACQUIRE_LIMIT = 50,
    RELEASE_LIMIT = 30,
    RESIZE_LIMIT = 40
};

static uint32_t now;
static uint32_t duration;
static inner_t inner;
static mete_timing_t timing;
static mete_timing_class_t classes[CLASS_COUNT];
static mete_timing_config_t config;
static mete_alloc_t view;
static mete_timing_late_t heard;
static size_t heard_count;

static const mete_timing_costs_t limits = {ACQUIRE_LIMIT, RELEASE_LIMIT, RESIZE_LIMIT};

static uint32_t fake_clock(void)
{
    return now;
}

static void *slow_acquire(void *self, size_t size, size_t align)
{
    now += duration;
    return inner_acquire(self, size, align);
}

static void slow_release(void *self, void *block, size_t size, size_t align)
{
    now += duration;
    inner_release(self, block, size, align);
}

static bool slow_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    now += duration;
    return inner_resize(self, block, old_size, new_size, align);
}

static void hear(void *self, const mete_timing_late_t *late)
{
    EXPECT((self == &heard) && (late == mete_timing_last(&timing)));
    heard = *late;
    heard_count++;
}

static mete_alloc_t slow_inner(void)
{
    const mete_alloc_t behind = inner_setup(&inner, INNER_ALL);
    inner.ops.acquire = slow_acquire;
    inner.ops.release = slow_release;
    inner.ops.resize = slow_resize;
    return behind;
}

static void restart(void)
{
    heard_count = 0U;
    EXPECT(mete_timing_init(&timing, slow_inner(), &config));
    view = mete_timing_as_alloc(&timing);
}

static void setup(mete_timing_policy_t policy)
{
    now = 1000U;
    duration = 7U;
    config = (mete_timing_config_t){.clock = fake_clock,
                                    .classes = classes,
                                    .class_count = CLASS_COUNT,
                                    .first_size = FIRST_SIZE,
                                    .limits = &limits,
                                    .limit_count = 1U,
                                    .policy = policy,
                                    .on_late = hear,
                                    .on_late_self = &heard};
    restart();
}

static void setup_bounds(mete_timing_policy_t policy, const mete_timing_costs_t *bounds,
                         uint32_t ticks_per_1024)
{
    setup(policy);
    config.bounds = bounds;
    config.bound_count = 1U;
    config.ticks_per_1024 = ticks_per_1024;
    restart();
}

static void *acquire_in(uint32_t ticks, size_t size)
{
    duration = ticks;
    return mete_acquire(view, size, 4U);
}

static void release_in(uint32_t ticks, void *block, size_t size)
{
    duration = ticks;
    mete_release(view, block, size, 4U);
}

static bool resize_in(uint32_t ticks, void *block, size_t old_size, size_t new_size)
{
    duration = ticks;
    return mete_resize(view, block, old_size, new_size, 4U);
}

// True if an acquire that takes so long is served; gives the block back.
static bool is_served(uint32_t ticks, size_t size)
{
    void *const block = acquire_in(ticks, size);
    release_in(0U, block, size);
    return block != NULL;
}

static bool knows(mete_timing_call_t call, size_t size, mete_timing_kind_t kind, uint32_t ticks)
{
    const mete_timing_guarantee_t known = mete_timing_guarantee(&timing, call, size);
    return (known.kind == kind) && (known.ticks == ticks);
}

static void test_init_refuses_what_is_missing(void)
{
    setup(METE_TIMING_REPORTS);
    timing.refusals = 77U;
    const mete_alloc_t behind = timing.inner;
    EXPECT(!mete_timing_init(&timing, (mete_alloc_t){NULL, NULL}, &config));
    EXPECT(!mete_timing_init(&timing, behind, NULL));
    config.clock = NULL;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config.clock = fake_clock;
    config.classes = NULL;
    EXPECT(!mete_timing_init(&timing, behind, &config) && (timing.refusals == 77U));
}

static void test_init_refuses_numbers_that_contradict_themselves(void)
{
    setup(METE_TIMING_REPORTS);
    const mete_alloc_t behind = timing.inner;
    timing.refusals = 77U;
    const mete_timing_config_t good = config;
    config.class_count = 0U;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config.class_count = 32U;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config = good;
    config.first_size = 0U;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config.first_size = 24U;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config.first_size = (SIZE_MAX / 2U) + 1U;
    EXPECT(mete_timing_init(&timing, behind, &config) == (sizeof(size_t) == 4U));
    timing.refusals = 77U;
    config = good;
    config.limits = NULL;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config = good;
    config.limit_count = 3U;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config = good;
    config.bound_count = 1U;
    EXPECT(!mete_timing_init(&timing, behind, &config));
    config.bounds = &limits;
    EXPECT(!mete_timing_init(&timing, behind, &config) && (timing.refusals == 77U));
    config.ticks_per_1024 = 1U;
    EXPECT(mete_timing_init(&timing, behind, &config));
}

static size_t class_index(size_t size)
{
    for (size_t i = 0U; i < CLASS_COUNT; i++) {
        if (mete_timing_usage(&timing, METE_TIMING_ACQUIRE, size) == &classes[i].rows[0]) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void test_each_class_holds_sizes_up_to_twice_those_before(void)
{
    setup(METE_TIMING_REPORTS);
    for (size_t size = 1U; size <= 300U; size++) {
        const size_t expected = (size <= 16U) ? 0U : (size <= 32U) ? 1U : (size <= 64U) ? 2U : 3U;
        EXPECT(class_index(size) == expected);
    }
    EXPECT((class_index(SIZE_MAX) == 3U) && (class_index(SIZE_MAX / 2U) == 3U));
    EXPECT(mete_timing_usage(&timing, METE_TIMING_RESIZE, 40U) == &classes[2].rows[2]);
}

static void test_one_class_holds_all_sizes(void)
{
    setup(METE_TIMING_REPORTS);
    config.class_count = 1U;
    config.first_size = 1U;
    restart();
    EXPECT((class_index(1U) == 0U) && (class_index(77U) == 0U) && (class_index(SIZE_MAX) == 0U));
}

static void test_the_most_classes_there_can_be(void)
{
    static mete_timing_class_t many[31];
    setup(METE_TIMING_REPORTS);
    config.classes = many;
    config.class_count = 31U;
    for (unsigned shift = 0U; shift < 32U; shift += 31U) {
        config.first_size = (size_t)1U << shift;
        restart();
        for (unsigned i = 0U; i < 31U; i++) {
            const size_t size = (shift == 0U) ? (size_t)1U << i : 1U;
            const size_t index = (shift == 0U) ? i : 0U;
            EXPECT(mete_timing_usage(&timing, METE_TIMING_RELEASE, size) == &many[index].rows[1]);
        }
    }
    config.first_size = 1U;
    restart();
    EXPECT(mete_timing_usage(&timing, METE_TIMING_RELEASE, SIZE_MAX) == &many[30].rows[1]);
}

static void test_the_longest_of_each_call_and_class_is_learnt(void)
{
    setup(METE_TIMING_REPORTS);
    EXPECT(knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_UNKNOWN, 0U));
    void *const block = acquire_in(9U, 20U);
    EXPECT(is_served(5U, 20U) && is_served(8U, 31U) && is_served(40U, 100U));
    EXPECT(resize_in(12U, block, 20U, 25U) && resize_in(3U, block, 25U, 60U));
    release_in(21U, block, 60U);
    EXPECT(knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_LEARNT, 10U));
    EXPECT(knows(METE_TIMING_ACQUIRE, 100U, METE_TIMING_LEARNT, 41U));
    EXPECT(knows(METE_TIMING_ACQUIRE, 1U, METE_TIMING_UNKNOWN, 0U));
    EXPECT(knows(METE_TIMING_RESIZE, 20U, METE_TIMING_LEARNT, 13U));
    EXPECT(knows(METE_TIMING_RESIZE, 60U, METE_TIMING_LEARNT, 4U));
    EXPECT(knows(METE_TIMING_RELEASE, 60U, METE_TIMING_LEARNT, 22U));
    EXPECT(knows(METE_TIMING_RELEASE, 20U, METE_TIMING_LEARNT, 1U));
    EXPECT((heard_count == 0U) && mete_timing_check(&timing));
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_the_clock_may_wrap_during_a_call(void)
{
    setup(METE_TIMING_REPORTS);
    now = UINT32_MAX - 3U;
    EXPECT(acquire_in(10U, 20U) != NULL);
    EXPECT((now == 6U) && knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_LEARNT, 11U));
    now = 0U - 30U;
    EXPECT((acquire_in(60U, 20U) != NULL) && (heard_count == 1U) && (heard.ticks == 60U));
}

static void test_the_longest_a_clock_can_tell(void)
{
    setup(METE_TIMING_REPORTS);
    EXPECT((acquire_in(UINT32_MAX, 20U) != NULL) && (heard.ticks == UINT32_MAX));
    EXPECT(knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_LEARNT, UINT32_MAX));
    EXPECT(acquire_in(UINT32_MAX, 20U) != NULL);
    EXPECT((heard_count == 2U) && mete_timing_check(&timing));
}

// That the last call was late, and the callback was told so.
static void expect_late(mete_timing_call_t call, const void *block, size_t size, uint32_t ticks,
                        uint32_t limit)
{
    EXPECT((heard.call == call) && (heard.block == block) && (heard.size == size));
    EXPECT((heard.ticks == ticks) && (heard.limit_ticks == limit) && !heard.is_refused);
    EXPECT(heard.caller != NULL);
    EXPECT(mete_timing_usage(&timing, call, size)->late_count == 1U);
}

static void test_a_call_that_exceeds_its_limit_is_reported(void)
{
    setup(METE_TIMING_REPORTS);
    EXPECT(mete_timing_last(&timing) == NULL);
    void *const block = acquire_in(ACQUIRE_LIMIT + 1U, 20U);
    EXPECT((block != NULL) && (heard_count == 1U));
    expect_late(METE_TIMING_ACQUIRE, block, 20U, ACQUIRE_LIMIT + 1U, ACQUIRE_LIMIT);
    EXPECT(resize_in(RESIZE_LIMIT + 1U, block, 20U, 40U) && (heard_count == 2U));
    expect_late(METE_TIMING_RESIZE, block, 40U, RESIZE_LIMIT + 1U, RESIZE_LIMIT);
    release_in(RELEASE_LIMIT + 1U, block, 40U);
    EXPECT(heard_count == 3U);
    expect_late(METE_TIMING_RELEASE, block, 40U, RELEASE_LIMIT + 1U, RELEASE_LIMIT);
    EXPECT(mete_timing_check(&timing));
}

static void test_a_call_that_keeps_its_limit_is_not(void)
{
    setup(METE_TIMING_REPORTS);
    void *const block = acquire_in(ACQUIRE_LIMIT, 20U);
    EXPECT(resize_in(RESIZE_LIMIT, block, 20U, 40U));
    release_in(RELEASE_LIMIT, block, 40U);
    EXPECT((heard_count == 0U) && (mete_timing_last(&timing) == NULL));
    EXPECT(mete_timing_usage(&timing, METE_TIMING_ACQUIRE, 20U)->late_count == 0U);
}

static void test_every_late_call_is_reported_not_only_the_longest(void)
{
    setup(METE_TIMING_REPORTS);
    EXPECT(is_served(90U, 20U) && is_served(60U, 20U) && is_served(50U, 20U) &&
           is_served(51U, 20U));
    EXPECT((heard_count == 3U) && (heard.ticks == 51U));
    EXPECT(mete_timing_usage(&timing, METE_TIMING_ACQUIRE, 20U)->late_count == 3U);
    EXPECT(knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_LEARNT, 91U));
}

static void test_requests_that_fail_are_measured_too(void)
{
    setup(METE_TIMING_REPORTS);
    EXPECT(acquire_in(60U, INNER_SIZE + 1U) == NULL);
    expect_late(METE_TIMING_ACQUIRE, NULL, INNER_SIZE + 1U, 60U, ACQUIRE_LIMIT);
    EXPECT(mete_timing_refusals(&timing) == 0U);
}

static void test_without_limits_nothing_is_late(void)
{
    setup(METE_TIMING_REFUSES_UNSURE);
    config.limit_count = 0U;
    config.limits = NULL;
    restart();
    EXPECT(is_served(UINT32_MAX, 20U) && is_served(1000U, 20U) && (heard_count == 0U));
    EXPECT(mete_timing_usage(&timing, METE_TIMING_ACQUIRE, 20U)->limit_ticks == UINT32_MAX);
}

static void test_each_class_may_have_its_limit(void)
{
    static const mete_timing_costs_t each[CLASS_COUNT] = {{10U, 0U, 0U}, {0U}, {30U, 0U, 0U}, {0U}};
    setup(METE_TIMING_REPORTS);
    config.limits = each;
    config.limit_count = CLASS_COUNT;
    restart();
    EXPECT(is_served(10U, 16U) && is_served(99U, 32U) && is_served(30U, 64U) &&
           is_served(99U, 65U));
    EXPECT(heard_count == 0U);
    EXPECT(is_served(11U, 16U) && is_served(31U, 64U) && (heard_count == 2U));
}

static void test_nobody_need_listen(void)
{
    setup(METE_TIMING_REPORTS);
    config.on_late = NULL;
    restart();
    EXPECT(is_served(99U, 20U) && (mete_timing_last(&timing)->ticks == 99U));
}

static void test_the_site_names_the_program(void)
{
    static mete_site_t site = {&config};
    setup(METE_TIMING_REPORTS);
    config.site = &site;
    restart();
    EXPECT(is_served(99U, 20U) && (heard.caller == &config));
}

static void test_a_bound_is_known_before_any_call(void)
{
    static const mete_timing_costs_t bounds = {.acquire = 101U, .release = 1U};
    setup_bounds(METE_TIMING_REPORTS, &bounds, 1024U + 512U);
    EXPECT(knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_BOUND, 152U));  // 151.5
    EXPECT(knows(METE_TIMING_RELEASE, 20U, METE_TIMING_BOUND, 2U));    // 1.5
    EXPECT(knows(METE_TIMING_RESIZE, 20U, METE_TIMING_UNKNOWN, 0U));
    EXPECT(is_served(40U, 20U) && knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_BOUND, 152U));
}

static void test_a_bound_beyond_the_clock_stops_there(void)
{
    static const mete_timing_costs_t bounds = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    setup_bounds(METE_TIMING_REPORTS, &bounds, UINT32_MAX);
    EXPECT(knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_BOUND, UINT32_MAX));
}

static void test_a_bound_that_was_exceeded_is_none(void)
{
    static const mete_timing_costs_t bounds = {20U, 20U, 20U};
    setup_bounds(METE_TIMING_REPORTS, &bounds, 1024U);
    EXPECT(is_served(20U, 20U) && knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_BOUND, 20U));
    EXPECT(is_served(21U, 20U) && knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_LEARNT, 22U));
    EXPECT(knows(METE_TIMING_ACQUIRE, 100U, METE_TIMING_BOUND, 20U));
}

static void test_reporting_refuses_nothing(void)
{
    static const mete_timing_costs_t bounds = {1000U, 1000U, 1000U};
    setup_bounds(METE_TIMING_REPORTS, &bounds, 1024U);
    EXPECT(is_served(500U, 20U) && is_served(500U, 20U) && (mete_timing_refusals(&timing) == 0U));
}

static void test_a_class_that_was_late_is_refused_from_then_on(void)
{
    setup(METE_TIMING_REFUSES_LATE);
    EXPECT(is_served(50U, 20U) && is_served(51U, 20U));
    const size_t calls = inner.calls;
    EXPECT(!is_served(1U, 20U) && (inner.calls == calls) && (mete_timing_refusals(&timing) == 1U));
    EXPECT((heard_count == 2U) && heard.is_refused && (heard.ticks == 52U) && (heard.size == 20U));
    EXPECT((heard.limit_ticks == ACQUIRE_LIMIT) && (heard.call == METE_TIMING_ACQUIRE));
    EXPECT((heard.block == NULL) && (heard.caller != NULL) && mete_timing_check(&timing));
    EXPECT(is_served(1U, 16U) && is_served(1U, 33U));
    release_in(31U, acquire_in(1U, 16U), 16U);
    EXPECT((heard_count == 3U) && !heard.is_refused);
}

static void test_a_bound_above_the_limit_is_refused_at_once(void)
{
    static const mete_timing_costs_t bounds = {ACQUIRE_LIMIT + 1U, 1000U, RESIZE_LIMIT};
    setup_bounds(METE_TIMING_REFUSES_LATE, &bounds, 1024U);
    EXPECT(!is_served(1U, 20U) && (inner.calls == 0U) && heard.is_refused);
    EXPECT(heard.ticks == ACQUIRE_LIMIT + 1U);
    EXPECT(!mete_timing_usage(&timing, METE_TIMING_RELEASE, 20U)->is_closed);
    EXPECT(!mete_timing_usage(&timing, METE_TIMING_RESIZE, 20U)->is_closed);
}

static void test_what_is_unknown_is_refused_only_if_that_was_asked_for(void)
{
    static const mete_timing_costs_t bounds = {ACQUIRE_LIMIT, 0U, 0U};
    setup(METE_TIMING_REFUSES_LATE);
    EXPECT(is_served(1U, 20U));
    setup(METE_TIMING_REFUSES_UNSURE);
    EXPECT(!is_served(1U, 20U) && (heard.ticks == 0U) && heard.is_refused);
    setup_bounds(METE_TIMING_REFUSES_UNSURE, &bounds, 1024U);
    EXPECT(is_served(1U, 20U) && (heard_count == 0U));
}

static void test_a_bound_that_was_exceeded_makes_a_class_unsure(void)
{
    static const mete_timing_costs_t bounds = {20U, 20U, 20U};
    setup_bounds(METE_TIMING_REFUSES_UNSURE, &bounds, 1024U);
    EXPECT(is_served(20U, 20U) && is_served(21U, 20U) && (heard_count == 0U));
    EXPECT(!is_served(1U, 20U) && (heard.ticks == 22U));
}

static void test_releasing_and_not_growing_are_never_refused(void)
{
    setup(METE_TIMING_REFUSES_LATE);
    void *const block = acquire_in(1U, 30U);
    void *const other = acquire_in(1U, 30U);
    EXPECT(resize_in(99U, block, 30U, 31U));
    release_in(99U, other, 30U);
    const size_t calls = inner.calls;
    EXPECT(!resize_in(1U, block, 31U, 32U) && heard.is_refused && (heard.block == block));
    EXPECT((heard.call == METE_TIMING_RESIZE) && (heard.size == 32U) && (inner.calls == calls));
    EXPECT(resize_in(1U, block, 31U, 31U) && resize_in(1U, block, 31U, 25U));
    release_in(1U, block, 25U);
    EXPECT((inner_live_count(&inner) == 0U) && (inner.complaints == 0U));
}

static void test_reset_forgets_and_opens(void)
{
    setup(METE_TIMING_REFUSES_LATE);
    EXPECT(is_served(51U, 20U) && !is_served(1U, 20U));
    mete_timing_reset(&timing);
    EXPECT((mete_timing_refusals(&timing) == 0U) && (mete_timing_last(&timing) == NULL));
    EXPECT(knows(METE_TIMING_ACQUIRE, 20U, METE_TIMING_UNKNOWN, 0U) && is_served(50U, 20U));
}

static void test_counts_stop_instead_of_wrapping(void)
{
    setup(METE_TIMING_REFUSES_LATE);
    EXPECT(is_served(51U, 20U));
    classes[1].rows[0].late_count = UINT16_MAX - 1U;
    timing.refusals = UINT32_MAX - 1U;
    EXPECT(!is_served(1U, 20U) && !is_served(1U, 20U));
    EXPECT(mete_timing_refusals(&timing) == UINT32_MAX);
    void *const block = acquire_in(1U, 40U);
    classes[2].rows[1].late_count = UINT16_MAX - 1U;
    classes[2].rows[1].below_ticks = 99U;
    classes[2].rows[1].usual_ticks = RELEASE_LIMIT + 1U;
    release_in(90U, block, 40U);
    EXPECT(classes[2].rows[1].late_count == UINT16_MAX);
    release_in(90U, acquire_in(1U, 40U), 40U);
    EXPECT(classes[2].rows[1].late_count == UINT16_MAX);
}

static void test_out_of_memory_at_every_nth_acquire(void)
{
    for (size_t nth = 1U; nth < 6U; nth++) {
        setup(METE_TIMING_REFUSES_LATE);
        inner.refuse_every = nth;
        for (size_t i = 1U; i < 13U; i++) {
            EXPECT(is_served(3U, 20U) == (i % nth != 0U));
        }
        EXPECT((inner_live_count(&inner) == 0U) && mete_timing_check(&timing));
        EXPECT(mete_timing_refusals(&timing) == 0U);
    }
}

static void test_check_finds_what_was_spoilt(void)
{
    static const mete_timing_costs_t bounds = {20U, 20U, 20U};
    setup_bounds(METE_TIMING_REFUSES_LATE, &bounds, 1024U);
    EXPECT(is_served(60U, 20U) && mete_timing_check(&timing));
    mete_timing_row_t *const row = &classes[1].rows[0];
    const mete_timing_row_t good = *row;
    uint32_t *const words[] = {&row->below_ticks, &row->limit_ticks, &row->bound_ticks,
                               &row->usual_ticks};
    for (size_t i = 0U; i < sizeof words / sizeof words[0]; i++) {
        *words[i] = 5U;
        EXPECT(!mete_timing_check(&timing));
        *row = good;
    }
    classes[2].rows[1].limit_ticks++;  // Never called: nothing else speaks of it.
    EXPECT(!mete_timing_check(&timing));
    classes[2].rows[1].limit_ticks--;
    row->late_count = 0U;
    EXPECT(!mete_timing_check(&timing));
    *row = good;
    row->is_closed = false;
    EXPECT(!mete_timing_check(&timing));
    *row = good;
    timing.over_max++;
    EXPECT(!mete_timing_check(&timing));
    timing.over_max--;
    timing.first_shift++;
    EXPECT(!mete_timing_check(&timing));
    timing.first_shift--;
    timing.classes++;
    EXPECT(!mete_timing_check(&timing));
    timing.classes--;
    timing.clock = NULL;
    EXPECT(!mete_timing_check(&timing));
}

static void test_at_level_3_every_call_checks(void)
{
    setup(METE_TIMING_REPORTS);
    classes[3].rows[2].late_count = 1U;
    EXPECT(is_served(1U, 20U));
    EXPECT(tap_take_fault() == ((METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    setup(METE_TIMING_REPORTS);
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_timing_init(&timing, inner_setup(&inner, abilities), &config));
        inner_expect_same_abilities(mete_timing_as_alloc(&timing), abilities);
    }
}

// ---- Against a model: what is kept of all calls, in the plainest way

typedef struct model_row {
    uint32_t longest, limit, bound;
    bool was_called;
    size_t late_count;
} model_row_t;

static model_row_t model[CLASS_COUNT][METE_TIMING_CALL_COUNT];
static size_t model_heard;

static size_t model_class(size_t size)
{
    size_t index = 0U;
    for (size_t most = FIRST_SIZE; (size > most) && (index < CLASS_COUNT - 1U); most *= 2U) {
        index++;
    }
    return index;
}

static void model_book(mete_timing_call_t call, size_t size, uint32_t ticks)
{
    model_row_t *const row = &model[model_class(size)][call];
    row->longest = (ticks > row->longest) ? ticks : row->longest;
    row->was_called = true;
    if (ticks > row->limit) {
        row->late_count++;
        model_heard++;
    }
}

static bool model_refuses(mete_timing_call_t call, size_t size)
{
    const model_row_t *const row = &model[model_class(size)][call];
    const bool is_sure = row->bound >= row->longest;
    const bool may_be_late = (row->bound > row->limit) || (row->late_count != 0U);
    const bool refuses =
        ((config.policy == METE_TIMING_REFUSES_LATE) && may_be_late) ||
        ((config.policy == METE_TIMING_REFUSES_UNSURE) && (may_be_late || !is_sure));
    model_heard += refuses ? 1U : 0U;
    return refuses;
}

static bool model_agrees(void)
{
    bool agrees = mete_timing_check(&timing) && (heard_count == model_heard);
    for (size_t i = 0U; i < CLASS_COUNT; i++) {
        for (size_t call = 0U; call < METE_TIMING_CALL_COUNT; call++) {
            const model_row_t *const row = &model[i][call];
            const mete_timing_call_t kind = (mete_timing_call_t)call;
            const size_t size = (size_t)FIRST_SIZE << i;
            const bool is_bound = (row->bound >= row->longest);
            agrees = agrees && (classes[i].rows[call].late_count == row->late_count) &&
                     knows(kind, size,
                           is_bound          ? METE_TIMING_BOUND
                           : row->was_called ? METE_TIMING_LEARNT
                                             : METE_TIMING_UNKNOWN,
                           is_bound          ? row->bound
                           : row->was_called ? row->longest + 1U
                                             : 0U);
        }
    }
    return agrees;
}

// One random step on the block of one place. Sizes are small enough that memory never runs out.
static void step(uint32_t *random, void **block, size_t *size)
{
    const size_t wanted = 1U + random_below(random, 200U);
    const uint32_t ticks =
        random_below(random, 40U) + ((random_below(random, 50U) == 0U) ? 30U : 0U);
    if (*block == NULL) {
        const bool is_refused = model_refuses(METE_TIMING_ACQUIRE, wanted);
        *block = acquire_in(ticks, wanted);
        *size = wanted;
        EXPECT((*block == NULL) == is_refused);
        if (!is_refused) {
            model_book(METE_TIMING_ACQUIRE, wanted, ticks);
        }
    } else if (random_below(random, 2U) == 0U) {
        release_in(ticks, *block, *size);
        model_book(METE_TIMING_RELEASE, *size, ticks);
        *block = NULL;
    } else if ((wanted <= *size) || !model_refuses(METE_TIMING_RESIZE, wanted)) {
        *size = resize_in(ticks, *block, *size, wanted) ? wanted : *size;
        model_book(METE_TIMING_RESIZE, wanted, ticks);
    } else {
        EXPECT(!resize_in(ticks, *block, *size, wanted));
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    enum { PLACES = 12, STEPS = 400 };
    static const mete_timing_costs_t bounds = {45U, 30U, 60U};
    uint32_t random = 5U;
    for (unsigned round = 0U; round < 9U; round++) {
        void *blocks[PLACES] = {NULL};
        size_t sizes[PLACES] = {0U};
        setup_bounds((mete_timing_policy_t)(round % 3U), &bounds, 1024U);
        now = random_next(&random);
        model_heard = 0U;
        for (size_t i = 0U; i < CLASS_COUNT; i++) {
            model[i][0] = (model_row_t){.limit = ACQUIRE_LIMIT, .bound = bounds.acquire};
            model[i][1] = (model_row_t){.limit = RELEASE_LIMIT, .bound = bounds.release};
            model[i][2] = (model_row_t){.limit = RESIZE_LIMIT, .bound = bounds.resize};
        }
        for (unsigned i = 0U; i < STEPS; i++) {
            const uint32_t place = random_below(&random, PLACES);
            step(&random, &blocks[place], &sizes[place]);
            EXPECT(model_agrees());
        }
        EXPECT(inner.complaints == 0U);
    }
}

int main(void)
{
    RUN(test_init_refuses_what_is_missing);
    RUN(test_init_refuses_numbers_that_contradict_themselves);
    RUN(test_each_class_holds_sizes_up_to_twice_those_before);
    RUN(test_one_class_holds_all_sizes);
    RUN(test_the_most_classes_there_can_be);
    RUN(test_the_longest_of_each_call_and_class_is_learnt);
    RUN(test_the_clock_may_wrap_during_a_call);
    RUN(test_the_longest_a_clock_can_tell);
    RUN(test_a_call_that_exceeds_its_limit_is_reported);
    RUN(test_a_call_that_keeps_its_limit_is_not);
    RUN(test_every_late_call_is_reported_not_only_the_longest);
    RUN(test_requests_that_fail_are_measured_too);
    RUN(test_without_limits_nothing_is_late);
    RUN(test_each_class_may_have_its_limit);
    RUN(test_nobody_need_listen);
    RUN(test_the_site_names_the_program);
    RUN(test_a_bound_is_known_before_any_call);
    RUN(test_a_bound_beyond_the_clock_stops_there);
    RUN(test_a_bound_that_was_exceeded_is_none);
    RUN(test_reporting_refuses_nothing);
    RUN(test_a_class_that_was_late_is_refused_from_then_on);
    RUN(test_a_bound_above_the_limit_is_refused_at_once);
    RUN(test_what_is_unknown_is_refused_only_if_that_was_asked_for);
    RUN(test_a_bound_that_was_exceeded_makes_a_class_unsure);
    RUN(test_releasing_and_not_growing_are_never_refused);
    RUN(test_reset_forgets_and_opens);
    RUN(test_counts_stop_instead_of_wrapping);
    RUN(test_out_of_memory_at_every_nth_acquire);
    RUN(test_check_finds_what_was_spoilt);
    RUN(test_at_level_3_every_call_checks);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    RUN(test_random_work_agrees_with_a_model);
    return tap_finish();
}
