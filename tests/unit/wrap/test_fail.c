// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/fail.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static inner_t inner;
static mete_fail_t fail;
static mete_alloc_t view;

static void setup(mete_fail_plan_t plan)
{
    EXPECT(mete_fail_init(&fail, inner_setup(&inner, INNER_ALL), &plan));
    view = mete_fail_as_alloc(&fail);
}

// True if a request for this size is served; gives the block back.
static bool is_served(size_t size)
{
    void *const block = mete_acquire(view, size, 1U);
    mete_release(view, block, size, 1U);
    return block != NULL;
}

static void test_init_refuses_a_missing_allocator_or_plan(void)
{
    const mete_fail_plan_t plan = {0};
    setup(plan);
    fail.requests = 77U;
    EXPECT(!mete_fail_init(&fail, (mete_alloc_t){NULL, NULL}, &plan));
    EXPECT(!mete_fail_init(&fail, view, NULL) && (fail.requests == 77U));
}

static void test_an_empty_plan_refuses_nothing(void)
{
    setup((mete_fail_plan_t){0});
    for (size_t i = 0U; i < 300U; i++) {
        EXPECT(is_served(1U + i));
    }
    EXPECT((mete_fail_requests(&fail) == 300U) && (mete_fail_refusals(&fail) == 0U));
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_the_nth_request_is_refused_and_no_other(void)
{
    for (size_t nth = 1U; nth < 6U; nth++) {
        setup((mete_fail_plan_t){.nth = nth});
        for (size_t i = 1U; i < 9U; i++) {
            EXPECT(is_served(8U) == (i != nth));
        }
        EXPECT((mete_fail_refusals(&fail) == 1U) && (inner.acquires == 7U));
    }
}

static void test_a_lasting_plan_refuses_all_from_the_nth_on(void)
{
    setup((mete_fail_plan_t){.nth = 4U, .is_lasting = true});
    for (size_t i = 1U; i < 9U; i++) {
        EXPECT(is_served(8U) == (i < 4U));
    }
    EXPECT((mete_fail_refusals(&fail) == 5U) && (mete_fail_requests(&fail) == 8U));
}

static void test_lasting_alone_refuses_nothing(void)
{
    setup((mete_fail_plan_t){.is_lasting = true});
    EXPECT(is_served(8U) && is_served(8U));
}

static void test_sizes_above_a_limit_are_refused(void)
{
    setup((mete_fail_plan_t){.size_max = 100U});
    EXPECT(is_served(100U) && !is_served(101U) && is_served(1U) && !is_served(SIZE_MAX));
    EXPECT(mete_fail_refusals(&fail) == 2U);
}

static void test_a_resize_to_more_is_a_request(void)
{
    setup((mete_fail_plan_t){.nth = 2U, .size_max = 200U});
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT(!mete_resize(view, block, 40U, 50U, 8U));
    EXPECT(mete_resize(view, block, 40U, 50U, 8U) && (mete_fail_requests(&fail) == 3U));
    EXPECT(!mete_resize(view, block, 50U, 201U, 8U) && mete_resize(view, block, 50U, 200U, 8U));
    EXPECT((inner.complaints == 0U) && (mete_fail_refusals(&fail) == 2U));
}

static void test_a_resize_to_less_and_a_release_are_not(void)
{
    setup((mete_fail_plan_t){.nth = 2U, .is_lasting = true});
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT(mete_resize(view, block, 40U, 40U, 8U) && mete_resize(view, block, 40U, 30U, 8U));
    mete_release(view, block, 30U, 8U);
    EXPECT((mete_fail_requests(&fail) == 1U) && (inner_live_count(&inner) == 0U));
    EXPECT(inner.complaints == 0U);
}

static size_t refusals_of(uint32_t chance, uint32_t seed)
{
    setup((mete_fail_plan_t){.chance = chance, .seed = seed});
    for (size_t i = 0U; i < 4000U; i++) {
        (void)is_served(8U);
    }
    return mete_fail_refusals(&fail);
}

static void test_chance_refuses_about_as_many_as_it_says(void)
{
    for (uint32_t seed = 0U; seed < 4U; seed++) {
        EXPECT(refusals_of(0U, seed) == 0U);
        EXPECT(refusals_of(METE_FAIL_CHANCE(100), seed) == 4000U);
        const size_t quarter = refusals_of(METE_FAIL_CHANCE(25), seed);
        EXPECT((quarter > 850U) && (quarter < 1150U));
        const size_t few = refusals_of(METE_FAIL_CHANCE(1), seed);
        EXPECT((few > 10U) && (few < 90U));
    }
}

static void test_chance_compares_with_what_lies_below_it(void)
{
    // A state after which the number drawn is 0, the smallest there is.
    uint32_t state = 1U;
    do {
        fail.plan.chance = 1U;
        state++;
        fail.random = state;
    } while (!is_chosen(&fail));
    setup((mete_fail_plan_t){.chance = 0U});
    fail.random = state;
    EXPECT(is_served(8U));
    setup((mete_fail_plan_t){.chance = 1U});
    fail.random = state;
    EXPECT(!is_served(8U));
}

static uint32_t pattern_of(uint32_t seed)
{
    uint32_t pattern = 0U;
    const mete_fail_plan_t plan = {.chance = METE_FAIL_CHANCE(50), .seed = seed};
    mete_fail_reset(&fail, &plan);
    for (size_t i = 0U; i < 32U; i++) {
        pattern = 2U * pattern + (is_served(8U) ? 1U : 0U);
    }
    return pattern;
}

static void test_the_same_seed_refuses_the_same_requests(void)
{
    setup((mete_fail_plan_t){0});
    EXPECT(pattern_of(1U) == pattern_of(1U));
    EXPECT(pattern_of(1U) != pattern_of(2U));
    EXPECT((pattern_of(0U) != 0U) && (pattern_of(0U) != UINT32_MAX));  // Whose product is 0.
}

static void test_reset_starts_over(void)
{
    const mete_fail_plan_t plan = {.nth = 1U};
    setup(plan);
    EXPECT(!is_served(8U) && is_served(8U));
    mete_fail_reset(&fail, &plan);
    EXPECT((mete_fail_requests(&fail) == 0U) && (mete_fail_refusals(&fail) == 0U));
    EXPECT(!is_served(8U) && is_served(8U));
}

static void test_what_the_allocator_behind_refuses_is_not_counted(void)
{
    setup((mete_fail_plan_t){0});
    EXPECT(!is_served(INNER_SIZE + 1U));
    EXPECT((mete_fail_requests(&fail) == 1U) && (mete_fail_refusals(&fail) == 0U));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    const mete_fail_plan_t plan = {0};
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_fail_init(&fail, inner_setup(&inner, abilities), &plan));
        inner_expect_same_abilities(mete_fail_as_alloc(&fail), abilities);
    }
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator_or_plan);
    RUN(test_an_empty_plan_refuses_nothing);
    RUN(test_the_nth_request_is_refused_and_no_other);
    RUN(test_a_lasting_plan_refuses_all_from_the_nth_on);
    RUN(test_lasting_alone_refuses_nothing);
    RUN(test_sizes_above_a_limit_are_refused);
    RUN(test_a_resize_to_more_is_a_request);
    RUN(test_a_resize_to_less_and_a_release_are_not);
    RUN(test_chance_refuses_about_as_many_as_it_says);
    RUN(test_chance_compares_with_what_lies_below_it);
    RUN(test_the_same_seed_refuses_the_same_requests);
    RUN(test_reset_starts_over);
    RUN(test_what_the_allocator_behind_refuses_is_not_counted);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    return tap_finish();
}
