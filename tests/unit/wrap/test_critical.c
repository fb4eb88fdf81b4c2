// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The critical section here counts. The allocator behind is asked about it in every call: it must be
// entered then, once, and left afterwards with what entering gave.

#include <stdint.h>

// In place of the platform's, wherever critical.c names them.
#define mete_critical_enter count_enter
#define mete_critical_leave count_leave
#include "mete/wrap/critical.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static size_t depth;
static size_t entered;
static size_t wrong_calls;

uintptr_t count_enter(void)
{
    depth++;
    entered++;
    return 1000U + entered;
}

void count_leave(uintptr_t state)
{
    wrong_calls += (state == 1000U + entered) ? 0U : 1U;
    depth--;
}

static inner_t inner;
static mete_site_t site;
static const void *caller_seen;  // What the site said while the allocator behind ran.
static mete_critical_t critical;

static void note_call(void)
{
    wrong_calls += (depth == 1U) ? 0U : 1U;
    caller_seen = site.caller;
}

static void *watched_acquire(void *self, size_t size, size_t align)
{
    note_call();
    return inner_acquire(self, size, align);
}

static void watched_release(void *self, void *block, size_t size, size_t align)
{
    note_call();
    inner_release(self, block, size, align);
}

static bool watched_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    note_call();
    return inner_resize(self, block, old_size, new_size, align);
}

static bool watched_owns(const void *self, const void *address)
{
    note_call();
    return inner_owns(self, address);
}

static size_t watched_size_of(const void *self, const void *block)
{
    note_call();
    return inner_size_of(self, block);
}

static mete_alloc_t setup(mete_site_t *told)
{
    static const mete_alloc_ops_t ops = {watched_acquire, watched_release, watched_resize,
                                         watched_owns, watched_size_of};
    depth = 0U;
    entered = 0U;
    wrong_calls = 0U;
    site.caller = NULL;
    caller_seen = NULL;
    (void)inner_setup(&inner, INNER_ALL);
    EXPECT(mete_critical_init(&critical, (mete_alloc_t){&ops, &inner}, told));
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
    const mete_alloc_t view = setup(NULL);
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT((block != NULL) && (depth == 0U) && (entered == 1U));
    EXPECT(mete_resize(view, block, 40U, 60U, 8U) && (depth == 0U) && (entered == 2U));
    EXPECT(view.ops->owns(view.self, block) && (depth == 0U) && (entered == 3U));
    EXPECT((view.ops->size_of(view.self, block) == 60U) && (depth == 0U) && (entered == 4U));
    mete_release(view, block, 60U, 8U);
    EXPECT((depth == 0U) && (entered == 5U) && (wrong_calls == 0U));
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_the_section_is_left_when_the_allocator_behind_refuses(void)
{
    const mete_alloc_t view = setup(NULL);
    EXPECT((mete_acquire(view, SIZE_MAX, 1U) == NULL) && (depth == 0U));
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT(!mete_resize(view, block, 40U, SIZE_MAX, 8U) && (depth == 0U));
    EXPECT(!view.ops->owns(view.self, &inner) && (depth == 0U));
    EXPECT((entered == 4U) && (wrong_calls == 0U));
}

// Not inlined: callers within it are near its start.
__attribute__((noinline)) static void use_all(mete_alloc_t view)
{
    void *const block = mete_acquire(view, 40U, 8U);
    const void *const acquired = caller_seen;
    EXPECT(mete_resize(view, block, 40U, 60U, 8U));
    const void *const resized = caller_seen;
    mete_release(view, block, 60U, 8U);
    const void *const released = caller_seen;
    EXPECT((uintptr_t)acquired - (uintptr_t)use_all < 4096U);
    EXPECT((uintptr_t)acquired < (uintptr_t)resized);
    EXPECT((uintptr_t)resized < (uintptr_t)released);
}

static void test_the_site_names_the_program_within_the_section(void)
{
    use_all(setup(&site));
    EXPECT((wrong_calls == 0U) && (site.caller != NULL));
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
