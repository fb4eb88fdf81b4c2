// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The accounts, held against a plain model, and the records in front of blocks, spoilt bit by bit.

#include "mete/wrap/quota.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

enum { OWNER_COUNT = 3, NOBODY = 77 };

static inner_t inner;
static mete_quota_t quota;
static mete_quota_limit_t limits[OWNER_COUNT];
static mete_quota_owner_t owners[OWNER_COUNT];
static mete_quota_config_t config;
static mete_alloc_t view;
static uint32_t current;
static mete_event_t heard;
static size_t refuse_events;
static size_t threshold_events;

static uint32_t who(void *self)
{
    return *(const uint32_t *)self;
}

static void hear(void *self, const mete_event_t *event)
{
    (void)self;
    heard = *event;
    refuse_events += (event->kind == METE_EVENT_REFUSE) ? 1U : 0U;
    threshold_events += (event->kind == METE_EVENT_THRESHOLD) ? 1U : 0U;
}

// Three owners with 1000 bytes and 4 blocks each, of 2000 in all; nothing else.
static void prepare(void)
{
    for (size_t i = 0U; i < OWNER_COUNT; i++) {
        limits[i] = (mete_quota_limit_t){.size_max = 1000U, .count_max = 4U};
    }
    config = (mete_quota_config_t){.limits = limits,
                                   .owners = owners,
                                   .owner_count = OWNER_COUNT,
                                   .capacity_size = 2000U,
                                   .owner = who,
                                   .owner_self = &current,
                                   .observer = {hear, NULL}};
    current = 0U;
    refuse_events = 0U;
    threshold_events = 0U;
    (void)inner_setup(&inner, INNER_ALL);
}

static void start(void)
{
    EXPECT(mete_quota_init(&quota, (mete_alloc_t){&inner.ops, &inner}, &config));
    view = mete_quota_as_alloc(&quota);
}

static void setup(void)
{
    prepare();
    start();
}

static void *take(uint32_t owner, size_t size)
{
    current = owner;
    return mete_acquire(view, size, 8U);
}

static bool may_have(uint32_t owner, size_t size)
{
    void *const block = take(owner, size);
    current = NOBODY;  // Who releases does not matter.
    mete_release(view, block, size, 8U);
    return block != NULL;
}

static bool is_refused_by_init(void)
{
    mete_quota_t untouched = {.in_use_size = 5U};
    const bool refused = !mete_quota_init(&untouched, (mete_alloc_t){&inner.ops, &inner}, &config);
    return refused && (untouched.in_use_size == 5U) && (inner_live_count(&inner) == 0U);
}

static void test_init_refuses_what_it_cannot_work_with(void)
{
    prepare();
    EXPECT(!mete_quota_init(&quota, (mete_alloc_t){NULL, NULL}, &config));
    EXPECT(!mete_quota_init(&quota, (mete_alloc_t){&inner.ops, &inner}, NULL));
    config.limits = NULL;
    EXPECT(is_refused_by_init());
    prepare();
    config.owners = NULL;
    EXPECT(is_refused_by_init());
    prepare();
    config.owner_count = 0U;
    EXPECT(is_refused_by_init());
}

static void test_init_refuses_limits_that_contradict_themselves(void)
{
    prepare();
    limits[1].reserve_size = 1001U;
    EXPECT(is_refused_by_init());
    prepare();
    limits[1].warn_permille = 1001U;
    EXPECT(is_refused_by_init());
    prepare();
    limits[1].warn_permille = 500U;
    limits[1].calm_permille = 500U;
    EXPECT(is_refused_by_init());
    prepare();
    limits[0].reserve_size = 1000U;
    limits[1].reserve_size = 1000U;
    limits[2].reserve_size = 1U;
    EXPECT(is_refused_by_init());
    limits[2].reserve_size = 0U;
    EXPECT(!is_refused_by_init());
}

static void test_no_owner_gets_more_bytes_than_his_limit(void)
{
    setup();
    EXPECT(may_have(0U, 1000U) && !may_have(0U, 1001U) && !may_have(0U, SIZE_MAX));
    EXPECT((take(0U, 600U) != NULL) && !may_have(0U, 401U) && may_have(0U, 400U));
    EXPECT(may_have(1U, 1000U));
    EXPECT((mete_quota_usage(&quota, 0U)->in_use_size == 600U) && mete_quota_check(&quota));
}

static void test_no_owner_gets_more_blocks_than_his_limit(void)
{
    setup();
    void *held_last = NULL;
    for (size_t i = 0U; i < 4U; i++) {
        held_last = take(1U, 1U);
        EXPECT(held_last != NULL);
    }
    EXPECT((take(1U, 1U) == NULL) && may_have(2U, 1U));
    EXPECT(mete_resize(view, held_last, 1U, 2U, 8U));  // That is no block more.
    EXPECT((mete_quota_usage(&quota, 1U)->in_use_count == 4U) && mete_quota_check(&quota));
}

static void test_all_owners_together_get_no_more_than_the_capacity(void)
{
    setup();
    EXPECT((take(0U, 900U) != NULL) && (take(1U, 900U) != NULL));
    EXPECT(!may_have(2U, 201U) && (take(2U, 200U) != NULL) && mete_quota_check(&quota));
    EXPECT(!may_have(0U, 1U));
}

static void test_a_reserve_cannot_be_taken_by_others(void)
{
    prepare();
    limits[2].reserve_size = 700U;
    start();
    EXPECT((take(0U, 1000U) != NULL) && !may_have(1U, 301U) && (take(1U, 300U) != NULL));
    EXPECT(!may_have(1U, 1U));
    EXPECT(!may_have(2U, 701U) && may_have(2U, 700U));
    void *const part = take(2U, 400U);
    EXPECT((part != NULL) && !may_have(1U, 1U) && may_have(2U, 300U) && !may_have(2U, 301U));
    mete_release(view, part, 400U, 8U);  // And it is a reserve again.
    EXPECT(!may_have(1U, 1U) && may_have(2U, 700U) && mete_quota_check(&quota));
}

static void test_beyond_his_reserve_an_owner_takes_of_what_is_common(void)
{
    prepare();
    limits[2].reserve_size = 300U;
    limits[1].reserve_size = 200U;
    start();
    void *const a = take(2U, 900U);
    EXPECT((a != NULL) && (take(0U, 900U) != NULL) && mete_quota_check(&quota));
    EXPECT(!may_have(2U, 1U) && may_have(1U, 200U) && !may_have(1U, 201U));
    mete_release(view, a, 900U, 8U);
    EXPECT(may_have(1U, 800U) && !may_have(1U, 801U));  // 2000 - 900 - 300.
}

static void test_a_block_leaves_the_account_of_its_owner_whoever_releases_it(void)
{
    setup();
    void *const a = take(0U, 100U);
    void *const b = take(1U, 50U);
    current = 1U;
    mete_release(view, a, 100U, 8U);
    EXPECT(mete_quota_usage(&quota, 0U)->in_use_size == 0U);
    EXPECT(mete_quota_usage(&quota, 1U)->in_use_size == 50U);
    current = 2U;
    EXPECT(mete_resize(view, b, 50U, 70U, 8U));
    EXPECT(mete_quota_usage(&quota, 1U)->in_use_size == 70U);
    EXPECT(mete_quota_usage(&quota, 2U)->in_use_size == 0U);
    EXPECT(mete_quota_check(&quota) && (inner.complaints == 0U));
}

static void test_a_resize_keeps_the_limits(void)
{
    prepare();
    limits[1].reserve_size = 500U;
    start();
    void *const block = take(0U, 100U);
    EXPECT(mete_resize(view, block, 100U, 1000U, 8U));
    EXPECT(!mete_resize(view, block, 1000U, 1001U, 8U));
    EXPECT(mete_resize(view, block, 1000U, 10U, 8U));
    EXPECT(take(2U, 1000U) != NULL);
    EXPECT(!mete_resize(view, block, 10U, 501U, 8U));
    const mete_quota_owner_t *const account = mete_quota_usage(&quota, 0U);
    EXPECT((account->in_use_size == 10U) && (account->in_use_peak == 1000U));
    EXPECT((account->in_use_count == 1U) && mete_quota_check(&quota));
    mete_release(view, block, 10U, 8U);
    EXPECT((account->in_use_count == 0U) && (inner.complaints == 0U));
}

static void test_a_resize_that_the_allocator_behind_refuses_is_not_booked(void)
{
    setup();
    void *const block = take(0U, 100U);
    (void)take(0U, 8U);
    EXPECT(!mete_resize(view, block, 100U, 200U, 8U));
    EXPECT((owners[0].in_use_size == 108U) && mete_quota_check(&quota));
    mete_release(view, block, 100U, 8U);
    EXPECT(inner.complaints == 0U);
}

static void test_only_an_acquire_is_a_refusal(void)
{
    setup();
    void *const block = take(0U, 100U);
    (void)take(0U, 8U);
    EXPECT(!mete_resize(view, block, 100U, 200U, 8U));   // There is no room behind it.
    EXPECT(!mete_resize(view, block, 100U, 1001U, 8U));  // That would be too much.
    EXPECT((owners[0].refusals == 0U) && (refuse_events == 0U));
    EXPECT(mete_realloc(view, block, 100U, 1001U, 8U) == NULL);  // It moves, so it asks anew.
    EXPECT((owners[0].refusals == 1U) && (refuse_events == 1U) && (inner.complaints == 0U));
}

static void test_a_failed_acquire_is_counted_but_not_booked(void)
{
    setup();
    inner.refuse_every = 1U;
    EXPECT((take(1U, 100U) == NULL) && (take(1U, 1001U) == NULL));
    EXPECT((owners[1].refusals == 2U) && (owners[1].in_use_size == 0U) && (refuse_events == 2U));
    EXPECT((heard.kind == METE_EVENT_REFUSE) && (heard.source == &quota) && (heard.size == 1001U));
    EXPECT((owners[1].in_use_count == 0U) && (owners[1].in_use_peak == 0U));
    EXPECT((inner.acquires == 1U) && mete_quota_check(&quota));  // A quota asks nobody.
}

static void test_an_owner_who_is_not_in_the_table_gets_nothing(void)
{
    setup();
    EXPECT((take(OWNER_COUNT, 1U) == NULL) && (take(UINT32_MAX, 1U) == NULL));
    EXPECT((refuse_events == 2U) && (inner.acquires == 0U));
    EXPECT(mete_quota_usage(&quota, OWNER_COUNT) == NULL);
}

static void test_without_a_callback_there_is_one_owner(void)
{
    prepare();
    config.owner = NULL;
    start();
    EXPECT((take(2U, 10U) != NULL) && (owners[0].in_use_size == 10U));
}

static void test_reaching_the_share_warns_once_until_it_was_calm(void)
{
    prepare();
    limits[1].warn_permille = 800U;
    limits[1].calm_permille = 500U;
    start();
    void *const a = take(1U, 500U);
    void *const b = take(1U, 299U);
    EXPECT(threshold_events == 0U);
    void *const c = take(1U, 1U);
    EXPECT((threshold_events == 1U) && (heard.source == &owners[1]) && (heard.size == 800U));
    EXPECT(heard.caller != NULL);
    mete_release(view, c, 1U, 8U);
    EXPECT((take(1U, 100U) != NULL) && (threshold_events == 1U));  // 899: was not calm.
    mete_release(view, b, 299U, 8U);
    EXPECT(owners[1].is_warned);  // 600
    EXPECT(mete_resize(view, a, 500U, 400U, 8U) && !owners[1].is_warned);
    EXPECT(mete_resize(view, a, 400U, 700U, 8U) && (threshold_events == 2U));
    EXPECT((heard.size == 800U) && mete_quota_check(&quota));
}

static void test_a_full_share_warns_and_init_arms_it(void)
{
    prepare();
    limits[1].warn_permille = 1000U;
    owners[1].is_warned = true;
    start();
    EXPECT(may_have(1U, 999U) && (threshold_events == 0U));
    EXPECT(may_have(1U, 1000U) && (threshold_events == 1U));
    start();
    EXPECT((take(1U, 1000U) != NULL) && (threshold_events == 2U));
    owners[1].is_warned = true;
    start();
    EXPECT((take(1U, 1000U) != NULL) && (threshold_events == 3U));
}

// One byte after the other, up to the limit and back.
static void expect_warning_as_by_fractions(size_t size_max, uint16_t warn, uint16_t calm)
{
    void *blocks[12];
    prepare();
    limits[1] = (mete_quota_limit_t){size_max, 12U, 0U, warn, calm};
    start();
    for (size_t i = 0U; i < size_max; i++) {
        blocks[i] = take(1U, 1U);
        EXPECT(owners[1].is_warned == ((i + 1U) * 1000U >= size_max * warn));
    }
    EXPECT(owners[1].is_warned && (threshold_events == 1U));
    for (size_t i = size_max; i != 0U; i--) {
        mete_release(view, blocks[i - 1U], 1U, 8U);
        EXPECT(owners[1].is_warned == ((i - 1U) * 1000U > size_max * calm));
    }
    EXPECT(threshold_events == 1U);
}

static void test_a_share_of_a_small_limit_is_at_least_a_byte_and_at_most_all(void)
{
    static const uint16_t permilles[] = {1U, 2U, 333U, 500U, 501U, 999U, 1000U};
    for (size_t size_max = 1U; size_max <= 12U; size_max++) {
        for (size_t i = 0U; i < sizeof permilles / sizeof permilles[0]; i++) {
            expect_warning_as_by_fractions(size_max, permilles[i], 0U);
            expect_warning_as_by_fractions(size_max, permilles[i], (uint16_t)(permilles[i] - 1U));
        }
    }
}

static void test_a_share_of_the_largest_limit_does_not_overflow(void)
{
    prepare();
    limits[1] = (mete_quota_limit_t){SIZE_MAX, 1U, 0U, 1000U, 999U};
    limits[2] = (mete_quota_limit_t){SIZE_MAX, 1U, 0U, 500U, 250U};
    start();
    EXPECT((owners[1].warn_size == SIZE_MAX) && (owners[2].warn_size == SIZE_MAX / 2U + 1U));
    EXPECT((owners[1].calm_size == SIZE_MAX - (SIZE_MAX / 1000U) - 1U));
    EXPECT(owners[2].calm_size == SIZE_MAX / 4U);
}

static void test_without_a_share_nobody_is_warned(void)
{
    setup();
    EXPECT((take(1U, 1000U) != NULL) && (threshold_events == 0U));
}

static void test_shares_of_huge_limits_do_not_overflow(void)
{
    EXPECT(share_of(SIZE_MAX, 1000U) == SIZE_MAX);
    EXPECT(share_of(SIZE_MAX, 1U) == SIZE_MAX / 1000U);
    EXPECT((share_of(999U, 500U) == 499U) && (share_of(12345U, 800U) == 9876U));
}

static void *hostage;
static size_t hook_calls;

static bool free_hostage(void *self, size_t size)
{
    EXPECT((self == &hostage) && (size == 1000U + METE_QUOTA_PREFIX_SIZE(8U)));
    hook_calls++;
    mete_release(view, hostage, 900U, 8U);
    const bool had_one = hostage != NULL;
    hostage = NULL;
    return had_one;
}

static void test_the_hook_may_free_something_and_the_request_is_tried_once_more(void)
{
    prepare();
    config.capacity_size = 4000U;
    config.on_refusal = free_hostage;
    config.on_refusal_self = &hostage;
    start();
    hook_calls = 0U;
    hostage = take(1U, 900U);
    inner.refuse_every = 2U;
    EXPECT((take(0U, 1000U) != NULL) && (hook_calls == 1U));
    EXPECT((owners[1].in_use_count == 0U) && (owners[0].in_use_size == 1000U));
    EXPECT((take(2U, 1000U) == NULL) && (hook_calls == 2U) && (owners[2].refusals == 1U));
    EXPECT(!may_have(0U, 1U) && (hook_calls == 2U));  // Not for a quota that is reached.
    EXPECT(mete_quota_check(&quota));
}

static bool claim_to_have_freed(void *self, size_t size)
{
    (void)size;
    *(size_t *)self += 1U;
    return true;
}

static void test_a_hook_that_frees_nothing_is_asked_once(void)
{
    prepare();
    hook_calls = 0U;
    config.on_refusal = claim_to_have_freed;
    config.on_refusal_self = &hook_calls;
    start();
    inner.refuse_every = 1U;
    EXPECT((take(0U, 10U) == NULL) && (hook_calls == 1U) && (inner.acquires == 2U));
}

static void test_the_emergency_reserve_is_given_up_when_memory_runs_out(void)
{
    prepare();
    config.emergency_size = 3000U;
    start();
    EXPECT((inner_live_count(&inner) == 1U) && (quota.emergency != NULL));
    inner.refuse_every = 2U;  // The next acquire; the one before was the reserve's.
    void *const block = take(0U, 500U);
    EXPECT((block != NULL) && (quota.emergency == NULL) && (inner_live_count(&inner) == 1U));
    EXPECT((threshold_events == 1U) && (heard.source == &quota) && (heard.size == 3000U));
    inner.refuse_every = 1U;
    EXPECT((take(0U, 500U) == NULL) && (threshold_events == 1U));  // It is gone.
    EXPECT(!mete_quota_add_emergency(&quota));
    inner.refuse_every = 0U;
    EXPECT(mete_quota_add_emergency(&quota) && mete_quota_add_emergency(&quota));
    EXPECT((inner_live_count(&inner) == 2U) && (inner.complaints == 0U));
}

static void test_init_wants_the_emergency_reserve(void)
{
    prepare();
    config.emergency_size = INNER_SIZE + 1U;
    EXPECT(is_refused_by_init());
    prepare();
    start();
    EXPECT(!mete_quota_add_emergency(&quota));  // None was asked for.
}

static void test_size_of_is_what_was_asked_for(void)
{
    setup();
    void *const block = take(0U, 77U);
    EXPECT(view.ops->size_of(view.self, block) == 77U);
}

static void test_every_alignment_is_kept(void)
{
    setup();
    for (size_t align = 1U; align <= 512U; align *= 2U) {
        void *const block = mete_acquire(view, 30U, align);
        EXPECT((block != NULL) && mete_align_fits((uintptr_t)block, align));
        mete_words_fill(block, 0xFFU, 30U);
        mete_release(view, block, 30U, align);
    }
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
    EXPECT(tap_take_fault() == 0);
}

static void test_misuse_is_refused_and_no_account_changes(void)
{
    setup();
    unsigned char *const a = take(0U, 100U);
    void *const b = take(1U, 100U);
    mete_words_fill(a, 0x55U, 100U);
    mete_release(view, a, 99U, 8U);
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && (tap_fault_address == a));
    mete_release(view, a, 100U, 16U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT(!mete_resize(view, a, 99U, 50U, 8U) && (tap_take_fault() == METE_FAULT_SIZE));
    mete_release(view, a + 8, 100U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    mete_release(view, &quota, 100U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    mete_release(view, a + 1, 100U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    mete_release(view, b, 100U, 8U);
    mete_release(view, b, 100U, 8U);
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (tap_fault_object == &quota));
    EXPECT((owners[0].in_use_size == 100U) && (owners[1].in_use_size == 0U));
    EXPECT(mete_quota_check(&quota) && (inner.complaints == 0U));
}

static void test_a_block_of_another_quota_is_refused(void)
{
    static mete_quota_t other;
    static mete_quota_owner_t other_owners[OWNER_COUNT];
    setup();
    mete_quota_config_t other_config = config;
    other_config.owners = other_owners;
    EXPECT(mete_quota_init(&other, quota.inner, &other_config));
    void *const block = mete_acquire(mete_quota_as_alloc(&other), 100U, 8U);
    mete_release(view, block, 100U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(!mete_resize(view, block, 100U, 90U, 8U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(mete_quota_check(&quota) && mete_quota_check(&other));
    EXPECT((other_owners[0].in_use_size == 100U) && (owners[0].in_use_size == 0U));
    mete_release(mete_quota_as_alloc(&other), block, 100U, 8U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
}

static void test_a_record_of_an_owner_that_there_is_not_is_damage(void)
{
    setup();
    void *const block = take(0U, 40U);
    mete_quota_record_t *const record = record_of(block);
    for (uintptr_t owner = OWNER_COUNT; owner < OWNER_COUNT + 3U; owner++) {
        record->owner = owner;
        record->check = check_of(&quota, record);  // As if by another quota at this place.
        mete_release(view, block, 40U, 8U);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (inner_live_count(&inner) == 1U));
    }
}

static void test_every_bit_of_a_record_is_guarded(void)
{
    setup();
    unsigned char *const block = take(1U, 100U);
    unsigned char *const bytes = block - sizeof(mete_quota_record_t);
    for (size_t bit = 0U; bit < 8U * sizeof(mete_quota_record_t); bit++) {
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        mete_release(view, block, 100U, 8U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        EXPECT(!mete_resize(view, block, 100U, 90U, 8U));
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
    }
    mete_release(view, block, 100U, 8U);
    EXPECT((tap_take_fault() == 0) && (owners[1].in_use_size == 0U) && (inner.complaints == 0U));
}

static void test_check_notices_accounts_that_do_not_add_up(void)
{
    prepare();
    limits[0].reserve_size = 500U;
    start();
    (void)take(1U, 100U);
    size_t *const numbers[] = {&owners[0].in_use_size, &owners[1].in_use_size,
                               &owners[1].in_use_count, &quota.in_use_size,
                               &quota.unused_reserve_size};
    for (size_t i = 0U; i < sizeof numbers / sizeof numbers[0]; i++) {
        *numbers[i] += 1000U;
        EXPECT(!mete_quota_check(&quota));
        *numbers[i] -= 1000U;
        EXPECT(mete_quota_check(&quota));
    }
    limits[1].count_max = 0U;
    EXPECT(!mete_quota_check(&quota));
    limits[1].count_max = 4U;
    limits[1].size_max = 99U;
    EXPECT(!mete_quota_check(&quota));
    limits[1].size_max = 1000U;
    owners[1].in_use_peak = 99U;
    EXPECT(!mete_quota_check(&quota));
    owners[1].in_use_peak = 100U;
    config.capacity_size = 599U;
    EXPECT(!mete_quota_check(&quota));
    config.capacity_size = 600U;
    EXPECT(mete_quota_check(&quota));
}

// Over its limits, more blocks than bytes, less than what is released, or more than all have together.
static void test_calls_report_an_account_that_cannot_be(void)
{
    prepare();
    limits[0].reserve_size = 500U;
    start();
    (void)take(1U, 200U);
    void *const block = take(1U, 100U);
    const struct {
        size_t *number;
        size_t wrong;
    } spoilt[] = {{&owners[1].in_use_size, 1001U},       {&owners[1].in_use_size, 301U},
                  {&owners[1].in_use_size, 99U},         {&owners[1].in_use_size, 1U},
                  {&owners[1].in_use_count, 5U},         {&owners[1].in_use_count, 0U},
                  {&quota.in_use_size, 2001U},           {&quota.in_use_size, 299U},
                  {&quota.in_use_size, 1501U},           {&quota.unused_reserve_size, 1701U},
                  {&quota.unused_reserve_size, SIZE_MAX}};
    for (size_t i = 0U; i < sizeof spoilt / sizeof spoilt[0]; i++) {
        const size_t right = *spoilt[i].number;
        *spoilt[i].number = spoilt[i].wrong;
        mete_release(view, block, 100U, 8U);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (*spoilt[i].number == spoilt[i].wrong));
        EXPECT(!mete_resize(view, block, 100U, 90U, 8U));
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        if ((spoilt[i].wrong != 99U) && (spoilt[i].wrong != 0U)) {
            EXPECT((take(1U, 1U) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
            EXPECT((refuse_events == 0U) && (owners[1].refusals == 0U));
        }
        *spoilt[i].number = right;
        EXPECT(mete_quota_check(&quota));
    }
    mete_release(view, block, 100U, 8U);
    EXPECT((tap_take_fault() == 0) && (inner.complaints == 0U) && mete_quota_check(&quota));
}

static void test_paranoid_calls_report_accounts_that_do_not_add_up(void)
{
    setup();
    quota.in_use_size += 8U;
    (void)take(0U, 10U);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        prepare();
        (void)inner_setup(&inner, abilities);
        start();
        void *const block = take(0U, 40U);
        EXPECT((view.ops->resize != NULL) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT(mete_resize(view, block, 40U, 39U, 8U) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->owns != NULL) == ((abilities & INNER_OWNS) != 0U));
        EXPECT((view.ops->owns == NULL) || view.ops->owns(view.self, block));
    }
}

// ---- Random work against a model that says when a request must succeed

typedef struct held {
    void *block;
    size_t size;
    uint32_t owner;
} held_t;

static held_t held[INNER_BLOCK_COUNT];

static size_t model_size(uint32_t owner)
{
    size_t size = 0U;
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        size += ((held[i].block != NULL) && (held[i].owner == owner)) ? held[i].size : 0U;
    }
    return size;
}

static size_t model_count(uint32_t owner)
{
    size_t count = 0U;
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        count += ((held[i].block != NULL) && (held[i].owner == owner)) ? 1U : 0U;
    }
    return count;
}

// Looks at everybody: each owner could still claim what is left of his reserve.
static bool model_allows(uint32_t owner, size_t size, size_t count)
{
    size_t claimed = 0U;
    for (uint32_t i = 0U; i < OWNER_COUNT; i++) {
        const size_t used = model_size(i) + ((i == owner) ? size : 0U);
        claimed += (used > limits[i].reserve_size) ? used : limits[i].reserve_size;
    }
    return (model_size(owner) + size <= limits[owner].size_max) &&
           (model_count(owner) + count <= limits[owner].count_max) &&
           (claimed <= config.capacity_size);
}

static void step(uint32_t *seed)
{
    held_t *const slot = &held[random_below(seed, 16U)];
    const size_t size = 1U + random_below(seed, 250U);
    if (slot->block == NULL) {
        slot->owner = random_below(seed, OWNER_COUNT);
        const bool must = model_allows(slot->owner, size, 1U);
        slot->size = size;
        slot->block = take(slot->owner, size);
        EXPECT((slot->block != NULL) == must);
    } else if (random_below(seed, 3U) == 0U) {
        const bool may = (size <= slot->size) || model_allows(slot->owner, size - slot->size, 0U);
        const bool resized = mete_resize(view, slot->block, slot->size, size, 8U);
        EXPECT(may || !resized);
        slot->size = resized ? size : slot->size;
    } else {
        mete_release(view, slot->block, slot->size, 8U);
        slot->block = NULL;
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    prepare();
    limits[0] = (mete_quota_limit_t){.size_max = 900U, .count_max = 9U, .reserve_size = 400U};
    limits[1] = (mete_quota_limit_t){.size_max = 700U, .count_max = 5U, .reserve_size = 100U};
    limits[2] = (mete_quota_limit_t){.size_max = 1500U, .count_max = 7U};
    config.capacity_size = 1800U;
    start();
    mete_words_fill(held, 0U, sizeof held);
    uint32_t seed = 5U;
    for (size_t i = 0U; i < 3000U; i++) {
        step(&seed);
        for (uint32_t owner = 0U; owner < OWNER_COUNT; owner++) {
            const mete_quota_owner_t *const account = mete_quota_usage(&quota, owner);
            EXPECT(account->in_use_size == model_size(owner));
            EXPECT(account->in_use_count == model_count(owner));
        }
        EXPECT(mete_quota_check(&quota));
    }
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        mete_release(view, held[i].block, held[i].size, 8U);
    }
    EXPECT((quota.in_use_size == 0U) && (quota.unused_reserve_size == 500U));
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
    EXPECT(tap_take_fault() == 0);
}

int main(void)
{
    RUN(test_init_refuses_what_it_cannot_work_with);
    RUN(test_init_refuses_limits_that_contradict_themselves);
    RUN(test_no_owner_gets_more_bytes_than_his_limit);
    RUN(test_no_owner_gets_more_blocks_than_his_limit);
    RUN(test_all_owners_together_get_no_more_than_the_capacity);
    RUN(test_a_reserve_cannot_be_taken_by_others);
    RUN(test_beyond_his_reserve_an_owner_takes_of_what_is_common);
    RUN(test_a_block_leaves_the_account_of_its_owner_whoever_releases_it);
    RUN(test_a_resize_keeps_the_limits);
    RUN(test_a_resize_that_the_allocator_behind_refuses_is_not_booked);
    RUN(test_only_an_acquire_is_a_refusal);
    RUN(test_a_failed_acquire_is_counted_but_not_booked);
    RUN(test_an_owner_who_is_not_in_the_table_gets_nothing);
    RUN(test_without_a_callback_there_is_one_owner);
    RUN(test_reaching_the_share_warns_once_until_it_was_calm);
    RUN(test_a_full_share_warns_and_init_arms_it);
    RUN(test_a_share_of_a_small_limit_is_at_least_a_byte_and_at_most_all);
    RUN(test_a_share_of_the_largest_limit_does_not_overflow);
    RUN(test_without_a_share_nobody_is_warned);
    RUN(test_shares_of_huge_limits_do_not_overflow);
    RUN(test_the_hook_may_free_something_and_the_request_is_tried_once_more);
    RUN(test_a_hook_that_frees_nothing_is_asked_once);
    RUN(test_the_emergency_reserve_is_given_up_when_memory_runs_out);
    RUN(test_init_wants_the_emergency_reserve);
    RUN(test_size_of_is_what_was_asked_for);
    RUN(test_every_alignment_is_kept);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_misuse_is_refused_and_no_account_changes);
        RUN(test_a_block_of_another_quota_is_refused);
        RUN(test_every_bit_of_a_record_is_guarded);
        RUN(test_a_record_of_an_owner_that_there_is_not_is_damage);
        RUN(test_calls_report_an_account_that_cannot_be);
    }
    if (METE_CHECK_LEVEL >= 3) {
        RUN(test_paranoid_calls_report_accounts_that_do_not_add_up);
    }
    RUN(test_check_notices_accounts_that_do_not_add_up);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    RUN(test_random_work_agrees_with_a_model);
    return tap_finish();
}
