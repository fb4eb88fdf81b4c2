// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The short form of exhaustion: everything that can happen in an allocator of a few blocks. And the
// engine itself, on a toy whose states can be counted by hand and that can be made wrong.

#include "tests/exhaust/plans.h"
#include "tests/exhaust/subjects.h"
#include "tests/exhaust/toy_subject.h"
#include "tests/support/tap.h"

enum { STATE_MAX = 100000 };

static explore_result_t explore_toy(toy_bug_t bug)
{
    const explore_plan_t plan = {&toy_subject, 6U, STATE_MAX, true};
    explore_result_t result;
    toy_bug = bug;
    EXPECT(explore(&plan, &result) == (result.failure == NULL));
    toy_bug = TOY_NONE;
    return result;
}

static void test_every_state_of_the_toy_is_found_once(void)
{
    const explore_result_t result = explore_toy(TOY_NONE);
    EXPECT(result.is_complete && (result.failure == NULL));
    EXPECT(result.state_count == 233U);  // The 13th Fibonacci number.
    EXPECT(result.depth == 9U);          // Every second cell: six calls to fill all, three to free.
    EXPECT(result.may_count == 0U);
}

// How few calls show a bug was found out by hand.
static void test_every_bug_of_the_toy_is_found_by_a_shortest_way(void)
{
    static const uint32_t calls[TOY_BUG_COUNT] = {
        [TOY_OVERLAPS] = 5U, [TOY_MISALIGNS] = 2U, [TOY_REFUSES] = 3U, [TOY_LEAKS] = 4U,
        [TOY_SPOILS] = 3U,   [TOY_ACCEPTS] = 3U,   [TOY_WRITES] = 3U,
    };
    for (int bug = TOY_NONE + 1; bug < TOY_BUG_COUNT; bug++) {
        const explore_result_t result = explore_toy((toy_bug_t)bug);
        const bool is_misuse = (bug == TOY_ACCEPTS) || (bug == TOY_WRITES);
        if ((METE_CHECK_LEVEL < 1) && is_misuse) {
            EXPECT(result.failure == NULL);  // Nothing is misused where nothing is checked.
        } else {
            EXPECT((result.failure != NULL) && (result.depth == calls[bug]));
        }
    }
}

static void test_search_that_is_cut_off_says_so(void)
{
    const explore_plan_t plan = {&toy_subject, 6U, 100U, true};
    explore_result_t result;
    EXPECT(explore(&plan, &result));
    EXPECT(!result.is_complete && (result.state_count == 100U));
}

static void test_every_allocator_keeps_its_promises_whatever_is_called(void)
{
    for (size_t i = 0U; i < exhaust_plan_count; i++) {
        const exhaust_plan_t *const plan = &exhaust_plans[i];
        const explore_plan_t wanted = {plan->subject, plan->short_scale, STATE_MAX, false};
        explore_result_t result;
        EXPECT(explore(&wanted, &result));
        EXPECT(result.is_complete);
        tap_note(plan->subject->name, (size_t)result.state_count);
    }
}

// Of so many that were out once, some are back, in any order.
static void test_every_state_of_the_pool_is_found_once(void)
{
    const explore_plan_t plan = {&exhaust_pool, 5U, STATE_MAX, false};
    explore_result_t result;
    EXPECT(explore(&plan, &result) && result.is_complete);
    size_t state_count = 0U;
    for (size_t opened = 0U; opened <= plan.scale; opened++) {
        size_t orders = 1U;
        for (size_t back = 0U; back <= opened; back++) {
            state_count += orders;
            orders *= opened - back;
        }
    }
    EXPECT(result.state_count == state_count);
}

// A block is held whole, or each half is in any of its states; the smallest one is held or free.
static void test_every_state_of_the_buddy_is_found_once(void)
{
    const explore_plan_t plan = {&exhaust_buddy, 11U, STATE_MAX, false};
    explore_result_t result;
    EXPECT(explore(&plan, &result) && result.is_complete);
    size_t state_count = 1U;
    size_t states_of_block = 2U;
    for (size_t count = plan.scale; count != 0U; count /= 2U) {
        state_count *= (count % 2U != 0U) ? states_of_block : 1U;
        states_of_block = (states_of_block * states_of_block) + 1U;
    }
    EXPECT(result.state_count == state_count);
}

int main(void)
{
    RUN(test_every_state_of_the_toy_is_found_once);
    RUN(test_every_bug_of_the_toy_is_found_by_a_shortest_way);
    RUN(test_search_that_is_cut_off_says_so);
    RUN(test_every_state_of_the_pool_is_found_once);
    RUN(test_every_state_of_the_buddy_is_found_once);
    RUN(test_every_allocator_keeps_its_promises_whatever_is_called);
    return tap_finish();
}
