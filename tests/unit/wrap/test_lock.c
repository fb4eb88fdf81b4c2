// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The lock here counts, and the allocator behind is asked about it in every call.

#include "mete/wrap/lock.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/held.h"

static void count_enter(void *self)
{
    *(size_t *)self += 1U;
    entered++;
}

static void count_leave(void *self)
{
    *(size_t *)self -= 1U;
}

static const mete_lock_ops_t count_ops = {count_enter, count_leave};
static const mete_lock_t count_lock = {&count_ops, &held};
static mete_locked_t locked;

static mete_alloc_t setup(mete_site_t *told)
{
    EXPECT(mete_locked_init(&locked, held_setup(), count_lock, told));
    return mete_locked_as_alloc(&locked);
}

static void test_init_refuses_a_missing_allocator_or_lock(void)
{
    const mete_alloc_t no_alloc = {NULL, NULL};
    const mete_lock_t no_lock = {NULL, NULL};
    const mete_alloc_t view = inner_setup(&inner, INNER_ALL);
    locked.site = &site;
    EXPECT(!mete_locked_init(&locked, no_alloc, count_lock, NULL));
    EXPECT(!mete_locked_init(&locked, view, no_lock, NULL));
    EXPECT(locked.site == &site);  // Nothing changed.
    EXPECT(mete_locked_init(&locked, view, count_lock, NULL));
}

static void test_every_call_holds_the_lock_once_and_leaves_it(void)
{
    expect_every_call_to_hold_it_once(setup(NULL));
}

static void test_the_lock_is_left_when_the_allocator_behind_refuses(void)
{
    expect_it_to_be_left_after_a_refusal(setup(NULL));
}

static void test_the_site_names_the_program_while_the_lock_is_held(void)
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
        held = 0U;
        EXPECT(mete_locked_init(&locked, inner_setup(&inner, abilities), count_lock, NULL));
        inner_expect_same_abilities(mete_locked_as_alloc(&locked), abilities);
    }
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator_or_lock);
    RUN(test_every_call_holds_the_lock_once_and_leaves_it);
    RUN(test_the_lock_is_left_when_the_allocator_behind_refuses);
    RUN(test_the_site_names_the_program_while_the_lock_is_held);
    RUN(test_without_a_site_none_is_told);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    return tap_finish();
}
