// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Thresholds, fed with numbers of our choice and held against a plain model; and what they do to calls.

#include "mete/system/health.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

enum { EVENT_MAX = 16 };

static inner_t inner;
static mete_health_t health;
static mete_health_config_t config;
static mete_health_rule_t rules[METE_HEALTH_RULE_COUNT_MAX + 1U];
static mete_health_usage_t numbers;
static size_t look_count;
static mete_event_t events[EVENT_MAX];
static size_t event_count;
static uint32_t priority;

static void read_numbers(const void *self, mete_health_usage_t *usage)
{
    *usage = *(const mete_health_usage_t *)self;
    look_count++;
}

static const mete_health_source_t source = {read_numbers, &numbers};

static void hear(void *self, const mete_event_t *event)
{
    (void)self;
    events[event_count % EVENT_MAX] = *event;
    event_count++;
}

static uint32_t who(void *self)
{
    return *(const uint32_t *)self;
}

// ---- Actions

typedef struct doer {
    size_t calls;
    size_t useful;        // So many more calls do something:
    size_t makes_in_use;  // then so much is in use.
    const mete_health_rule_t *rule;
} doer_t;

static doer_t compacter, purger, callee;

static bool work(void *self, const mete_health_rule_t *rule)
{
    doer_t *const doer = self;
    doer->calls++;
    doer->rule = rule;
    if (doer->useful == 0U) {
        return false;
    }
    doer->useful--;
    numbers.in_use_size = doer->makes_in_use;
    return true;
}

// 1000 bytes, so that bytes are thousandths.
static void prepare(void)
{
    const mete_health_action_t compact = {work, &compacter};
    const mete_health_action_t purge = {work, &purger};
    const mete_health_action_t call = {work, &callee};
    mete_words_fill(&config, 0U, sizeof config);
    mete_words_fill(&compacter, 0U, sizeof compacter);
    mete_words_fill(&purger, 0U, sizeof purger);
    mete_words_fill(&callee, 0U, sizeof callee);
    config.compact = compact;
    config.purge = purge;
    config.call = call;
    config.interval = 1U;
    config.priority = who;
    config.priority_self = &priority;
    config.observer.on_event = hear;
    config.rules = rules;
    numbers = (mete_health_usage_t){.total_size = 1000U, .largest_free_size = SIZE_MAX};
    event_count = 0U;
    look_count = 0U;
    priority = 0U;
    (void)inner_setup(&inner, INNER_ALL);
}

static mete_alloc_t start(void)
{
    EXPECT(mete_health_init(&health, (mete_alloc_t){&inner.ops, &inner}, &source, 1U, &config));
    return mete_health_as_alloc(&health);
}

static mete_alloc_t start_with(mete_health_rule_t rule)
{
    prepare();
    rules[0] = rule;
    config.rule_count = 1U;
    return start();
}

static void judge_at(size_t in_use)
{
    numbers.in_use_size = in_use;
    mete_health_judge(&health);
    EXPECT(mete_health_check(&health));
}

// ---- init

static void test_init_refuses_what_is_missing(void)
{
    const mete_alloc_t none = {NULL, NULL};
    const mete_alloc_t behind = {&inner.ops, &inner};
    prepare();
    config.rules = NULL;
    health.raised = 77U;
    EXPECT(!mete_health_init(&health, none, &source, 1U, &config));
    EXPECT(!mete_health_init(&health, behind, NULL, 1U, &config));
    EXPECT(!mete_health_init(&health, behind, &source, 0U, &config));
    EXPECT(!mete_health_init(&health, behind, &source, 1U, NULL));
    EXPECT((health.raised == 77U) && (look_count == 0U));
}

static bool is_accepted(mete_health_rule_t rule)
{
    rules[0] = rule;
    config.rule_count = 1U;
    return mete_health_init(&health, (mete_alloc_t){&inner.ops, &inner}, &source, 1U, &config);
}

static void test_init_refuses_rules_without_sense(void)
{
    prepare();
    EXPECT(is_accepted((mete_health_rule_t){METE_HEALTH_USAGE, 900U, 900U, METE_HEALTH_WARN, 0U}));
    EXPECT(!is_accepted((mete_health_rule_t){METE_HEALTH_USAGE, 900U, 901U, METE_HEALTH_WARN, 0U}));
    EXPECT(!is_accepted((mete_health_rule_t){METE_HEALTH_USAGE, 900U, 0U, METE_HEALTH_WARN, 0U}));
    EXPECT(
        !is_accepted((mete_health_rule_t){(mete_health_measure_t)5, 9U, 9U, METE_HEALTH_WARN, 0U}));
    EXPECT(!is_accepted((mete_health_rule_t){METE_HEALTH_USAGE, 9U, 9U, (mete_health_act_t)5, 0U}));
    EXPECT(!is_accepted((mete_health_rule_t){METE_HEALTH_ROOM, 9U, 9U, METE_HEALTH_WARN, 0U}));
    EXPECT(is_accepted((mete_health_rule_t){METE_HEALTH_FAULTS, 1U, 1U, METE_HEALTH_CALL, 0U}));
    config.request_size = 1U;
    EXPECT(is_accepted((mete_health_rule_t){METE_HEALTH_ROOM, 9U, 9U, METE_HEALTH_WARN, 0U}));
    EXPECT(is_accepted((mete_health_rule_t){METE_HEALTH_USAGE, 9U, 9U, METE_HEALTH_REFUSE, 1U}));
    config.priority = NULL;
    EXPECT(!is_accepted((mete_health_rule_t){METE_HEALTH_USAGE, 9U, 9U, METE_HEALTH_REFUSE, 1U}));
}

static void test_init_refuses_too_many_rules_and_rules_that_are_not_there(void)
{
    prepare();
    for (size_t i = 0U; i <= METE_HEALTH_RULE_COUNT_MAX; i++) {
        rules[i] = (mete_health_rule_t){METE_HEALTH_USAGE, 500U, 400U, METE_HEALTH_WARN, 0U};
    }
    const mete_alloc_t behind = {&inner.ops, &inner};
    config.rule_count = METE_HEALTH_RULE_COUNT_MAX;
    EXPECT(mete_health_init(&health, behind, &source, 1U, &config));
    judge_at(500U);
    EXPECT((event_count == METE_HEALTH_RULE_COUNT_MAX) && (health.raised == UINT32_MAX));
    config.rule_count = METE_HEALTH_RULE_COUNT_MAX + 1U;
    EXPECT(!mete_health_init(&health, behind, &source, 1U, &config));
    config.rules = NULL;
    config.rule_count = 1U;
    EXPECT(!mete_health_init(&health, behind, &source, 1U, &config));
}

static void test_a_config_of_zeros_warns_at_900_and_compacts_at_300(void)
{
    prepare();
    const mete_health_action_t compact = {work, &compacter};
    mete_words_fill(&config, 0U, sizeof config);
    config.compact = compact;  // But for what is to be seen here.
    config.observer.on_event = hear;
    (void)start();
    judge_at(899U);
    EXPECT(event_count == 0U);
    judge_at(900U);
    EXPECT((event_count == 1U) && mete_health_is_raised(&health, 0U));
    EXPECT((events[0].kind == METE_EVENT_THRESHOLD) && (events[0].size == 900U));
    EXPECT((events[0].source == &health) && (events[0].block == &default_rules[0]));
    judge_at(850U);
    EXPECT(event_count == 1U);
    judge_at(849U);
    EXPECT((event_count == 2U) && (events[1].kind == METE_EVENT_RELIEF) &&
           (events[1].size == 849U));
    numbers.frag_permille = 299U;
    judge_at(0U);
    EXPECT(compacter.calls == 0U);
    numbers.frag_permille = 300U;
    judge_at(0U);
    EXPECT((compacter.calls == 1U) && (event_count == 3U) && mete_health_is_raised(&health, 1U));
    numbers.frag_permille = 249U;
    judge_at(0U);
    EXPECT(!mete_health_is_raised(&health, 1U) && (compacter.calls == 1U));
    mete_words_fill(&config, 0U, sizeof config);  // And with nobody to compact or listen.
    (void)start();
    numbers.frag_permille = 400U;
    judge_at(950U);
    EXPECT(health.raised == 3U);
}

// ---- Values

static uint16_t value_of(mete_health_measure_t measure, mete_health_usage_t usage)
{
    numbers = usage;
    mete_health_judge(&health);
    return mete_health_permille(&health, measure);
}

static void test_usage_is_rounded_up(void)
{
    prepare();
    (void)start();
    const mete_health_measure_t usage = METE_HEALTH_USAGE;
    EXPECT(value_of(usage, (mete_health_usage_t){.total_size = 3U, .in_use_size = 1U}) == 334U);
    EXPECT(value_of(usage, (mete_health_usage_t){.total_size = 3U, .in_use_size = 3U}) == 1000U);
    EXPECT(value_of(usage, (mete_health_usage_t){.total_size = 3U}) == 0U);
    EXPECT(value_of(usage, (mete_health_usage_t){.in_use_size = 3U}) == 0U);  // Of what?
    const size_t half = SIZE_MAX / 2U;
    const uint16_t value =
        value_of(usage, (mete_health_usage_t){.total_size = SIZE_MAX, .in_use_size = half});
    EXPECT((value == 500U) || (value == 501U));
}

static void test_fragmentation_is_rounded_down_and_taken_from_the_largest_block_if_known(void)
{
    prepare();
    (void)start();
    mete_health_usage_t usage = {
        .total_size = 1000U, .in_use_size = 700U, .largest_free_size = 300U};
    EXPECT(value_of(METE_HEALTH_FRAGMENTATION, usage) == 0U);
    usage.largest_free_size = 200U;
    EXPECT(value_of(METE_HEALTH_FRAGMENTATION, usage) == 333U);
    usage.largest_free_size = 1U;
    EXPECT(value_of(METE_HEALTH_FRAGMENTATION, usage) == 996U);
    usage.frag_permille = 5U;
    EXPECT(value_of(METE_HEALTH_FRAGMENTATION, usage) == 996U);
    usage.largest_free_size = SIZE_MAX;
    EXPECT(value_of(METE_HEALTH_FRAGMENTATION, usage) == 5U);
    usage.largest_free_size = 0U;
    usage.in_use_size = 1000U;
    EXPECT(value_of(METE_HEALTH_FRAGMENTATION, usage) == 0U);
}

static void test_room_is_above_1000_only_if_the_largest_request_cannot_be_met(void)
{
    prepare();
    config.request_size = 100U;
    (void)start();
    mete_health_usage_t usage = {
        .total_size = 1000U, .in_use_size = 500U, .largest_free_size = 100U};
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == 1000U);
    usage.largest_free_size = 99U;
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == 1011U);
    usage.largest_free_size = 500U;
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == 200U);
    usage.largest_free_size = 0U;
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == UINT16_MAX);
    // Not known: at most what fragmentation leaves. 500 * 0.2 = 100; 500 * 0.199 = 99.5, so it might be.
    usage.largest_free_size = SIZE_MAX;
    usage.frag_permille = 800U;
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == 1000U);
    usage.frag_permille = 801U;
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == 1000U);
    usage.frag_permille = 803U;
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == 1011U);
    usage.total_size = 0U;  // Nothing at all is known.
    EXPECT(value_of(METE_HEALTH_ROOM, usage) == 0U);
}

static void test_the_largest_block_is_computed_without_overflow(void)
{
    mete_health_usage_t usage = {.total_size = SIZE_MAX, .largest_free_size = SIZE_MAX};
    EXPECT(largest_of(&usage) == SIZE_MAX);
    usage.frag_permille = 1000U;
    EXPECT(largest_of(&usage) == 0U);
    usage.frag_permille = 500U;
    EXPECT((largest_of(&usage) >= SIZE_MAX / 2U) && (largest_of(&usage) <= SIZE_MAX / 2U + 1000U));
}

static void count_requests(size_t served, size_t refused)
{
    numbers.requests += served + refused;
    numbers.refusals += refused;
    mete_health_judge(&health);
}

static uint16_t failures(void)
{
    return mete_health_permille(&health, METE_HEALTH_FAILURES);
}

static void test_failures_are_those_of_the_last_window_or_worse_ones_of_this(void)
{
    prepare();
    config.window_count = 10U;
    numbers.requests = SIZE_MAX - 4U;  // Counters may wrap.
    numbers.refusals = SIZE_MAX;
    (void)start();
    EXPECT(failures() == 0U);
    count_requests(3U, 1U);
    EXPECT(failures() == 100U);  // One of ten, if nothing more happens.
    count_requests(4U, 2U);      // The window is full: three of ten.
    EXPECT((failures() == 300U) && (numbers.requests == 5U));
    count_requests(5U, 0U);
    EXPECT(failures() == 300U);
    count_requests(0U, 4U);
    EXPECT(failures() == 400U);
    count_requests(11U, 0U);  // Full with twenty: four of them.
    EXPECT(failures() == 200U);
    count_requests(10U, 0U);
    EXPECT(failures() == 0U);
    config.window_count = 0U;  // 64.
    (void)start();
    count_requests(0U, 1U);
    EXPECT(failures() == 16U);
}

// ---- Faults

static const mete_health_rule_t fault_rule = {METE_HEALTH_FAULTS, 1000U, 1000U, METE_HEALTH_CALL,
                                              0U};

static void tell_health(mete_event_kind_t kind)
{
    const mete_event_t event = {kind, &source, NULL, METE_FAULT_ACCESS, NULL};
    mete_observe(mete_health_as_observer(&health), &event);
}

static uint16_t faults(void)
{
    return mete_health_permille(&health, METE_HEALTH_FAULTS);
}

static void test_a_fault_raises_a_rule_at_the_next_judgement_and_clears_it_at_the_one_behind(void)
{
    (void)start_with(fault_rule);
    mete_health_judge(&health);
    EXPECT((faults() == 0U) && (event_count == 0U));
    tell_health(METE_EVENT_FAULT);
    EXPECT((faults() == 0U) && (callee.calls == 0U) && (event_count == 0U));
    mete_health_judge(&health);
    EXPECT((faults() == 1000U) && (callee.calls == 1U) && (callee.rule == &rules[0]));
    EXPECT((event_count == 1U) && (events[0].kind == METE_EVENT_THRESHOLD) &&
           (events[0].size == 1000U));
    mete_health_judge(&health);
    EXPECT((faults() == 0U) && (callee.calls == 1U) && !mete_health_is_raised(&health, 0U));
    EXPECT((event_count == 2U) && (events[1].kind == METE_EVENT_RELIEF));
}

static void test_faults_judgement_after_judgement_are_told_once(void)
{
    (void)start_with(fault_rule);
    for (size_t i = 0U; i < 3U; i++) {
        tell_health(METE_EVENT_FAULT);
        tell_health(METE_EVENT_FAULT);
        mete_health_judge(&health);
    }
    EXPECT((faults() == 1000U) && (event_count == 1U) && (callee.calls == 1U));
}

static void test_the_count_of_faults_may_wrap(void)
{
    (void)start_with(fault_rule);
    health.fault_count = SIZE_MAX;
    health.faults_judged = SIZE_MAX;
    tell_health(METE_EVENT_FAULT);
    mete_health_judge(&health);
    EXPECT((health.fault_count == 0U) && (faults() == 1000U));
}

static void test_what_is_no_fault_is_not_counted(void)
{
    (void)start_with(fault_rule);
    for (unsigned kind = METE_EVENT_ACQUIRE; kind < (unsigned)METE_EVENT_FAULT; kind++) {
        tell_health((mete_event_kind_t)kind);
    }
    mete_health_judge(&health);
    EXPECT((faults() == 0U) && (health.fault_count == 0U));
}

static bool fail_again(void *self, const mete_health_rule_t *rule)
{
    (void)rule;
    tell_health(METE_EVENT_FAULT);
    ++*(size_t *)self;
    return false;
}

static void test_a_fault_amid_a_judgement_is_for_the_next_one(void)
{
    static size_t calls;
    prepare();
    config.call = (mete_health_action_t){fail_again, &calls};
    rules[0] = (mete_health_rule_t){METE_HEALTH_USAGE, 500U, 500U, METE_HEALTH_CALL, 0U};
    rules[1] = (mete_health_rule_t){METE_HEALTH_FAULTS, 1U, 1U, METE_HEALTH_WARN, 0U};
    config.rule_count = 2U;
    (void)start();
    judge_at(500U);
    EXPECT((calls == 1U) && (faults() == 0U) && !mete_health_is_raised(&health, 1U));
    judge_at(500U);
    EXPECT((calls == 1U) && (faults() == 1000U) && mete_health_is_raised(&health, 1U));
}

static size_t second_calls;

static void read_second(const void *self, mete_health_usage_t *usage)
{
    (void)self;
    second_calls++;
    usage->requests = 100U;
}

static void test_sources_complete_each_other(void)
{
    prepare();
    const mete_health_source_t both[] = {{read_numbers, &numbers}, {read_second, NULL}};
    numbers.in_use_size = 7U;
    const mete_alloc_t behind = {&inner.ops, &inner};
    EXPECT(mete_health_init(&health, behind, both, 2U, &config));
    const mete_health_usage_t usage = mete_health_usage(&health);
    EXPECT((usage.in_use_size == 7U) && (usage.requests == 100U) && (usage.total_size == 1000U));
    EXPECT((usage.largest_free_size == SIZE_MAX) && (second_calls == 1U));
}

// ---- Rules and actions

static const mete_health_rule_t purge_rule = {METE_HEALTH_USAGE, 500U, 400U, METE_HEALTH_PURGE, 0U};
static const mete_health_rule_t refuse_rule = {METE_HEALTH_USAGE, 600U, 550U, METE_HEALTH_REFUSE,
                                               5U};

static void test_between_the_two_limits_nothing_is_told_twice(void)
{
    (void)start_with(purge_rule);
    for (size_t i = 0U; i < 5U; i++) {
        judge_at(500U);
        judge_at(400U);
        judge_at(499U);
    }
    EXPECT((event_count == 1U) && (purger.calls == 1U) && (purger.rule == &rules[0]));
    judge_at(399U);
    judge_at(499U);
    EXPECT((event_count == 2U) && (purger.calls == 1U));
    judge_at(500U);
    EXPECT((event_count == 3U) && (purger.calls == 2U));
}

static void test_an_action_that_did_something_is_called_again_while_the_rule_is_raised(void)
{
    (void)start_with((mete_health_rule_t){METE_HEALTH_USAGE, 500U, 400U, METE_HEALTH_COMPACT, 0U});
    compacter = (doer_t){.useful = 3U, .makes_in_use = 450U};
    judge_at(500U);
    mete_health_judge(&health);
    EXPECT(compacter.calls == 2U);
    mete_health_judge(&health);
    mete_health_judge(&health);  // Nothing more to be done;
    EXPECT(compacter.calls == 4U);
    mete_health_judge(&health);  // so it is left alone.
    EXPECT((compacter.calls == 4U) && (event_count == 1U));
    compacter.useful = 9U;
    judge_at(399U);
    judge_at(500U);
    EXPECT(compacter.calls == 5U);
    judge_at(399U);  // Not raised, so not called, though it would do more.
    EXPECT(compacter.calls == 5U);
}

static void test_each_act_calls_its_own(void)
{
    (void)start_with((mete_health_rule_t){METE_HEALTH_USAGE, 500U, 400U, METE_HEALTH_CALL, 0U});
    judge_at(500U);
    EXPECT((callee.calls == 1U) && (purger.calls == 0U) && (compacter.calls == 0U));
    (void)start_with((mete_health_rule_t){METE_HEALTH_USAGE, 500U, 400U, METE_HEALTH_WARN, 0U});
    judge_at(500U);
    EXPECT((callee.calls == 0U) && (purger.calls == 0U) && (compacter.calls == 0U));
    EXPECT(event_count == 1U);
}

static void test_relief_by_a_rule_in_front_spares_the_one_behind(void)
{
    prepare();
    rules[0] = purge_rule;
    rules[1] = refuse_rule;
    config.rule_count = 2U;
    (void)start();
    purger = (doer_t){.useful = 1U, .makes_in_use = 450U};
    judge_at(700U);
    EXPECT(mete_health_is_raised(&health, 0U) && !mete_health_is_raised(&health, 1U));
    judge_at(700U);  // It has nothing more to give.
    EXPECT(mete_health_is_raised(&health, 1U) && (health.refuse_below == 5U));
    EXPECT(!mete_health_is_raised(&health, 2U) && !mete_health_is_raised(&health, 32U));
}

// ---- Calls

static void test_every_nth_call_is_judged(void)
{
    (void)start_with(purge_rule);
    config.interval = 4U;
    const mete_alloc_t view = start();
    numbers.in_use_size = 500U;
    void *const block = mete_acquire(view, 10U, 1U);
    EXPECT(mete_resize(view, block, 10U, 20U, 1U));
    mete_release(view, mete_acquire(view, 5U, 1U), 5U, 1U);
    EXPECT(event_count == 1U);  // Behind the fourth.
    EXPECT(!mete_resize(view, block, 20U, SIZE_MAX, 1U));
    look_count = 0U;
    for (size_t i = 0U; i < 3U; i++) {
        EXPECT(mete_resize(view, block, 20U, 20U, 1U));
    }
    EXPECT(look_count == 1U);
    mete_release(view, block, 20U, 1U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_the_judgement_comes_after_the_call(void)
{
    const mete_alloc_t view = start_with(refuse_rule);
    numbers.in_use_size = 600U;
    void *const block = mete_acquire(view, 10U, 1U);
    EXPECT((block != NULL) && mete_health_is_raised(&health, 0U));
    EXPECT((mete_acquire(view, 11U, 1U) == NULL) && (inner.acquires == 1U));
}

static void test_by_default_every_sixteenth_call_is_judged(void)
{
    (void)start_with(purge_rule);
    config.interval = 0U;
    const mete_alloc_t view = start();
    look_count = 0U;
    for (size_t i = 0U; i < 8U; i++) {
        mete_release(view, mete_acquire(view, 5U, 1U), 5U, 1U);
        EXPECT(look_count == ((i == 7U) ? 1U : 0U));
    }
}

static void test_requests_of_low_priority_are_refused_while_the_rule_is_raised(void)
{
    (void)start_with(refuse_rule);
    config.interval = 100U;
    const mete_alloc_t view = start();
    void *const block = mete_acquire(view, 10U, 1U);
    judge_at(600U);
    priority = 4U;
    EXPECT((mete_acquire(view, 33U, 1U) == NULL) && (mete_health_refusals(&health) == 1U));
    const mete_event_t *const last = &events[event_count - 1U];
    EXPECT((last->kind == METE_EVENT_REFUSE) && (last->size == 33U) && (last->source == &health));
    EXPECT((last->caller != NULL) && (last->block == NULL));
    EXPECT(!mete_resize(view, block, 10U, 11U, 1U) && (mete_health_refusals(&health) == 2U));
    EXPECT(mete_resize(view, block, 10U, 9U, 1U) && mete_resize(view, block, 9U, 9U, 1U));
    priority = 5U;
    EXPECT(mete_resize(view, block, 9U, 12U, 1U));
    void *const other = mete_acquire(view, 33U, 1U);
    EXPECT(other != NULL);
    priority = 0U;
    mete_release(view, other, 33U, 1U);  // To give back is never refused.
    numbers.in_use_size = 549U;
    mete_release(view, block, 12U, 1U);  // While somebody is refused, every call is judged.
    EXPECT(!mete_health_is_raised(&health, 0U));
    EXPECT((mete_acquire(view, 33U, 1U) != NULL) && (mete_health_refusals(&health) == 2U));
    EXPECT(inner.complaints == 0U);
}

static void test_the_highest_demand_of_all_raised_rules_counts(void)
{
    prepare();
    rules[0] = (mete_health_rule_t){METE_HEALTH_USAGE, 700U, 650U, METE_HEALTH_REFUSE, 9U};
    rules[1] = refuse_rule;
    rules[2] = (mete_health_rule_t){METE_HEALTH_USAGE, 100U, 100U, METE_HEALTH_WARN, 99U};
    config.rule_count = 3U;
    (void)start();
    judge_at(600U);
    EXPECT(health.refuse_below == 5U);
    judge_at(700U);
    EXPECT(health.refuse_below == 9U);
    judge_at(649U);
    EXPECT(health.refuse_below == 5U);
    judge_at(0U);
    EXPECT(health.refuse_below == 0U);
}

static mete_alloc_t nested_view;
static bool nested_works;

static bool use_the_view(void *self, const mete_health_rule_t *rule)
{
    (void)self, (void)rule;
    for (size_t i = 0U; i < 40U; i++) {
        void *const block = mete_acquire(nested_view, 8U, 1U);
        nested_works =
            nested_works && (block != NULL) && mete_resize(nested_view, block, 8U, 9U, 1U);
        mete_release(nested_view, block, 9U, 1U);
    }
    mete_health_judge(&health);
    nested_works = nested_works && !mete_health_relieve(&health, 1U);
    return true;
}

static void test_actions_may_use_the_view(void)
{
    prepare();
    const mete_health_action_t nested = {use_the_view, NULL};
    rules[0] = refuse_rule;
    rules[1] = (mete_health_rule_t){METE_HEALTH_USAGE, 600U, 550U, METE_HEALTH_PURGE, 0U};
    config.rule_count = 2U;
    config.purge = nested;
    nested_works = true;
    nested_view = start();
    look_count = 0U;
    judge_at(600U);
    EXPECT(nested_works && (look_count == 2U) && (health.calls_left == 0U) && !health.is_judging);
    EXPECT((event_count == 2U) && (inner.complaints == 0U));
    judge_at(600U);  // By now somebody is refused, but not what an action asks for.
    EXPECT(nested_works && (mete_health_refusals(&health) == 0U));
}

static void test_relieve_purges_and_compacts_whatever_the_thresholds_say(void)
{
    (void)start_with(purge_rule);
    config.interval = 7U;
    (void)start();
    EXPECT(!mete_health_relieve(&health, 100U));
    EXPECT((purger.calls == 1U) && (compacter.calls == 1U) && (purger.rule == NULL));
    compacter.useful = 1U;
    EXPECT(mete_health_relieve(&health, 100U));
    EXPECT(!mete_health_relieve(&health, 100U));
    purger.useful = 1U;
    EXPECT(mete_health_relieve(&health, 100U) && (compacter.calls == 4U));
    EXPECT((event_count == 0U) && (health.calls_left == 6U) && !health.is_judging);
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        (void)start_with(purge_rule);
        (void)inner_setup(&inner, abilities);
        const mete_alloc_t view = start();
        void *const block = mete_acquire(view, 40U, 8U);
        EXPECT((view.ops->resize != NULL) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->owns != NULL) == ((abilities & INNER_OWNS) != 0U));
        EXPECT((view.ops->owns == NULL) || view.ops->owns(view.self, block));
        EXPECT((view.ops->size_of != NULL) == ((abilities & INNER_SIZE_OF) != 0U));
        EXPECT((view.ops->size_of == NULL) || (view.ops->size_of(view.self, block) >= 40U));
    }
}

static void test_check_finds_what_was_overwritten(void)
{
    (void)start_with(refuse_rule);
    judge_at(600U);
    EXPECT(mete_health_check(&health));
    health.raised |= 2U;
    EXPECT(!mete_health_check(&health));
    health.raised = 0U;
    EXPECT(!mete_health_check(&health));
    health.raised = 1U;
    health.refuse_below++;
    EXPECT(!mete_health_check(&health));
    health.refuse_below--;
    health.calls_left = 1U;
    EXPECT(!mete_health_check(&health));
    health.calls_left = 0U;
    health.working = 2U;
    EXPECT(!mete_health_check(&health));
    health.working = 1U;
    EXPECT(mete_health_check(&health));
    health.rule_count = METE_HEALTH_RULE_COUNT_MAX + 1U;
    EXPECT(!mete_health_check(&health));
}

// ---- Against a model

enum { MODEL_RULES = 6 };

static bool is_raised[MODEL_RULES];

// What the rules make of new values; returns how many are raised or cleared by them.
static size_t judge_model(const size_t values[2], uint32_t *below)
{
    size_t changes = 0U;
    *below = 0U;
    for (size_t i = 0U; i < MODEL_RULES; i++) {
        const bool was_raised = is_raised[i];
        is_raised[i] = was_raised ? (values[i % 2U] >= rules[i].clear_permille)
                                  : (values[i % 2U] >= rules[i].raise_permille);
        changes += (is_raised[i] != was_raised) ? 1U : 0U;
        *below = (is_raised[i] && (i < 2U)) ? 1U + (uint32_t)i : *below;
    }
    return changes;
}

static void test_random_numbers_raise_and_clear_as_a_model_says(void)
{
    uint32_t seed = 0x9E3779B9U;
    prepare();
    for (size_t i = 0U; i < MODEL_RULES; i++) {
        const uint16_t clear = (uint16_t)(1U + random_below(&seed, 700U));
        rules[i] = (mete_health_rule_t){
            (i % 2U == 0U) ? METE_HEALTH_USAGE : METE_HEALTH_FRAGMENTATION,
            (uint16_t)(clear + random_below(&seed, 200U)), clear,
            (i < 2U) ? METE_HEALTH_REFUSE : METE_HEALTH_WARN, 1U + (uint32_t)i};
    }
    config.rule_count = MODEL_RULES;
    const mete_alloc_t view = start();
    mete_words_fill(is_raised, 0U, sizeof is_raised);
    size_t expected_events = 0U;
    for (size_t round = 0U; round < 4000U; round++) {
        const size_t values[2] = {random_below(&seed, 1001U), random_below(&seed, 1001U)};
        numbers.in_use_size = values[0];
        numbers.frag_permille = (uint16_t)values[1];
        uint32_t below = 0U;
        expected_events += judge_model(values, &below);
        const bool must_be_served = priority >= health.refuse_below;
        expected_events += must_be_served ? 0U : 1U;
        void *const block = mete_acquire(view, 3U, 1U);
        EXPECT((block != NULL) == must_be_served);
        mete_release(view, block, 3U, 1U);
        for (size_t i = 0U; i < MODEL_RULES; i++) {
            EXPECT(mete_health_is_raised(&health, i) == is_raised[i]);
        }
        EXPECT((event_count == expected_events) && (health.refuse_below == below));
        priority = (uint32_t)random_below(&seed, 3U);
    }
    EXPECT((mete_health_refusals(&health) > 100U) && (inner.complaints == 0U));
}

int main(void)
{
    RUN(test_init_refuses_what_is_missing);
    RUN(test_init_refuses_rules_without_sense);
    RUN(test_init_refuses_too_many_rules_and_rules_that_are_not_there);
    RUN(test_a_config_of_zeros_warns_at_900_and_compacts_at_300);
    RUN(test_usage_is_rounded_up);
    RUN(test_fragmentation_is_rounded_down_and_taken_from_the_largest_block_if_known);
    RUN(test_room_is_above_1000_only_if_the_largest_request_cannot_be_met);
    RUN(test_the_largest_block_is_computed_without_overflow);
    RUN(test_failures_are_those_of_the_last_window_or_worse_ones_of_this);
    RUN(test_a_fault_raises_a_rule_at_the_next_judgement_and_clears_it_at_the_one_behind);
    RUN(test_faults_judgement_after_judgement_are_told_once);
    RUN(test_the_count_of_faults_may_wrap);
    RUN(test_what_is_no_fault_is_not_counted);
    RUN(test_a_fault_amid_a_judgement_is_for_the_next_one);
    RUN(test_sources_complete_each_other);
    RUN(test_between_the_two_limits_nothing_is_told_twice);
    RUN(test_an_action_that_did_something_is_called_again_while_the_rule_is_raised);
    RUN(test_each_act_calls_its_own);
    RUN(test_relief_by_a_rule_in_front_spares_the_one_behind);
    RUN(test_every_nth_call_is_judged);
    RUN(test_the_judgement_comes_after_the_call);
    RUN(test_by_default_every_sixteenth_call_is_judged);
    RUN(test_requests_of_low_priority_are_refused_while_the_rule_is_raised);
    RUN(test_the_highest_demand_of_all_raised_rules_counts);
    RUN(test_actions_may_use_the_view);
    RUN(test_relieve_purges_and_compacts_whatever_the_thresholds_say);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    RUN(test_check_finds_what_was_overwritten);
    RUN(test_random_numbers_raise_and_clear_as_a_model_says);
    return tap_finish();
}
