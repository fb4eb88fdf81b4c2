// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The lock here counts. The allocator behind is asked about it in every call: it must be held then,
// once, and free afterwards.

#include "mete/wrap/lock.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static size_t held;     // How many times the lock is held now.
static size_t entered;  // How many times it ever was.
static size_t unheld_calls;

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

static inner_t inner;
static mete_site_t site;
static const void *caller_seen;  // What the site said while the allocator behind ran.
static mete_locked_t locked;

static void note_call(void)
{
    unheld_calls += (held == 1U) ? 0U : 1U;
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

static const mete_alloc_ops_t watched_ops = {watched_acquire, watched_release, watched_resize,
                                             watched_owns, watched_size_of};

static mete_alloc_t setup(mete_site_t *told)
{
    held = 0U;
    entered = 0U;
    unheld_calls = 0U;
    site.caller = NULL;
    caller_seen = NULL;
    (void)inner_setup(&inner, INNER_ALL);
    const mete_alloc_t watched = {&watched_ops, &inner};
    EXPECT(mete_locked_init(&locked, watched, count_lock, told));
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
    const mete_alloc_t view = setup(NULL);
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT((block != NULL) && (held == 0U) && (entered == 1U));
    EXPECT(mete_resize(view, block, 40U, 60U, 8U) && (held == 0U) && (entered == 2U));
    EXPECT(view.ops->owns(view.self, block) && (held == 0U) && (entered == 3U));
    EXPECT((view.ops->size_of(view.self, block) == 60U) && (held == 0U) && (entered == 4U));
    mete_release(view, block, 60U, 8U);
    EXPECT((held == 0U) && (entered == 5U) && (unheld_calls == 0U));
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_the_lock_is_left_when_the_allocator_behind_refuses(void)
{
    const mete_alloc_t view = setup(NULL);
    EXPECT((mete_acquire(view, SIZE_MAX, 1U) == NULL) && (held == 0U));
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT(!mete_resize(view, block, 40U, SIZE_MAX, 8U) && (held == 0U));
    EXPECT(!view.ops->owns(view.self, &inner) && (held == 0U));
    EXPECT((entered == 4U) && (unheld_calls == 0U));
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
    EXPECT(acquired != inner.caller);
}

static void test_the_site_names_the_program_while_the_lock_is_held(void)
{
    use_all(setup(&site));
    EXPECT((unheld_calls == 0U) && (site.caller != NULL));
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
        const mete_alloc_t bare = inner_setup(&inner, abilities);
        EXPECT(mete_locked_init(&locked, bare, count_lock, NULL));
        const mete_alloc_t view = mete_locked_as_alloc(&locked);
        void *const block = mete_acquire(view, 40U, 8U);
        EXPECT(mete_resize(view, block, 40U, 39U, 8U) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->resize != NULL) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->owns != NULL) == ((abilities & INNER_OWNS) != 0U));
        EXPECT((view.ops->owns == NULL) || view.ops->owns(view.self, block));
        EXPECT((view.ops->size_of != NULL) == ((abilities & INNER_SIZE_OF) != 0U));
        EXPECT((view.ops->size_of == NULL) || (view.ops->size_of(view.self, block) >= 39U));
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
