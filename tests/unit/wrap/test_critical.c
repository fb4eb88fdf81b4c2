// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The critical section here counts, and the allocator behind is asked about it in every call. It must be
// left with what entering gave.

#include <stdint.h>

// In place of the platform's, wherever critical.c names them.
#define mete_critical_enter count_enter
#define mete_critical_leave count_leave
#include "mete/wrap/critical.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/held.h"

uintptr_t count_enter(void)
{
    held++;
    entered++;
    return 1000U + entered;
}

void count_leave(uintptr_t state)
{
    wrong_calls += (state == 1000U + entered) ? 0U : 1U;
    held--;
}

static mete_critical_t critical;

static mete_alloc_t setup(mete_site_t *told)
{
    EXPECT(mete_critical_init(&critical, held_setup(), told));
    return mete_critical_as_alloc(&critical);
}

static void test_init_refuses_a_missing_allocator(void)
{
    critical.site = &site;
    EXPECT(!mete_critical_init(&critical, (mete_alloc_t){NULL, NULL}, NULL));
    EXPECT(critical.site == &site);  // Nothing changed.
}

static void test_every_call_is_one_critical_section(void)
{
    expect_every_call_to_hold_it_once(setup(NULL));
}

static void test_the_section_is_left_when_the_allocator_behind_refuses(void)
{
    expect_it_to_be_left_after_a_refusal(setup(NULL));
}

static void test_the_site_names_the_program_within_the_section(void)
{
    expect_the_caller_to_be_named(setup(&site));
}

static void test_without_a_site_none_is_told(void)
{
    const mete_alloc_t view = setup(NULL);
    EXPECT((mete_acquire(view, 40U, 8U) != NULL) && (site.caller == NULL));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_critical_init(&critical, inner_setup(&inner, abilities), NULL));
        inner_expect_same_abilities(mete_critical_as_alloc(&critical), abilities);
    }
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator);
    RUN(test_every_call_is_one_critical_section);
    RUN(test_the_section_is_left_when_the_allocator_behind_refuses);
    RUN(test_the_site_names_the_program_within_the_section);
    RUN(test_without_a_site_none_is_told);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    return tap_finish();
}
