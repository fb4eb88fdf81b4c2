// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_HELD_H
#define METE_TEST_HELD_H

/// The allocator of inner.h behind a wrapper that holds something in every call: a lock, a critical
/// section. It must be held then, once, and left afterwards. The test counts it in `held` and `entered`.

#include "tests/unit/wrap/inner.h"

static size_t held;     // How many times it is held now.
static size_t entered;  // How many times it ever was.
static size_t wrong_calls;

static inner_t inner;
static mete_site_t site;
static const void *caller_seen;  // What the site said while the allocator behind ran.

static void note_call(void)
{
    wrong_calls += (held == 1U) ? 0U : 1U;
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

static mete_alloc_t held_setup(void)
{
    held = 0U;
    entered = 0U;
    wrong_calls = 0U;
    site.caller = NULL;
    caller_seen = NULL;
    (void)inner_setup(&inner, INNER_ALL);
    return (mete_alloc_t){&watched_ops, &inner};
}

static void expect_every_call_to_hold_it_once(mete_alloc_t view)
{
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT((block != NULL) && (held == 0U) && (entered == 1U));
    EXPECT(mete_resize(view, block, 40U, 60U, 8U) && (held == 0U) && (entered == 2U));
    EXPECT(view.ops->owns(view.self, block) && (held == 0U) && (entered == 3U));
    EXPECT((view.ops->size_of(view.self, block) == 60U) && (held == 0U) && (entered == 4U));
    mete_release(view, block, 60U, 8U);
    EXPECT((held == 0U) && (entered == 5U) && (wrong_calls == 0U));
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void expect_it_to_be_left_after_a_refusal(mete_alloc_t view)
{
    EXPECT((mete_acquire(view, SIZE_MAX, 1U) == NULL) && (held == 0U));
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT(!mete_resize(view, block, 40U, SIZE_MAX, 8U) && (held == 0U));
    EXPECT(!view.ops->owns(view.self, &inner) && (held == 0U));
    EXPECT((entered == 4U) && (wrong_calls == 0U));
}

// Expects the site to name this function. Not inlined: callers within it are near its start.
__attribute__((noinline)) static void expect_the_caller_to_be_named(mete_alloc_t view)
{
    void *const block = mete_acquire(view, 40U, 8U);
    const void *const acquired = caller_seen;
    EXPECT(mete_resize(view, block, 40U, 60U, 8U));
    const void *const resized = caller_seen;
    mete_release(view, block, 60U, 8U);
    const void *const released = caller_seen;
    EXPECT((uintptr_t)acquired - (uintptr_t)expect_the_caller_to_be_named < 4096U);
    EXPECT((uintptr_t)acquired < (uintptr_t)resized);
    EXPECT((uintptr_t)resized < (uintptr_t)released);
    EXPECT(acquired != inner.caller);
    EXPECT((wrong_calls == 0U) && (site.caller != NULL));
}

#endif
