// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Nobody is handed memory: whoever is first in line is told to ask again. So nothing is lost when a
// task's time passes just then. What must hold instead is that the first in line is told whenever memory
// may have come back, and whenever it has become the first. A signal stays set until it is waited for,
// so it does not matter whether the task sleeps already.

#include "mete/wrap/wait.h"

#include "mete/core/pass.h"

_Static_assert(offsetof(mete_wait_t, inner) == 0U, "what passes calls on expects it there");
_Static_assert(offsetof(mete_wait_task_t, link) == 0U, "a link is cast to its task");

static const mete_wait_task_t *task_at(const mete_dlist_link_t *link)
{
    return (const mete_wait_task_t *)(const void *)link;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_wait_t *const wait = self;
    wait->inner.ops->release(wait->inner.self, block, size, align);
    mete_wait_notify(wait);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_wait_t *const wait = self;
    const mete_alloc_t inner = wait->inner;
    const bool resized = inner.ops->resize(inner.self, block, old_size, new_size, align);
    if (resized && (new_size < old_size)) {
        mete_wait_notify(wait);
    }
    return resized;
}

bool mete_wait_init(mete_wait_t *wait, mete_alloc_t inner)
{
    METE_ASSERT(wait != NULL);
    if (inner.ops == NULL) {
        return false;
    }
    wait->inner.ops = inner.ops;
    wait->inner.self = inner.self;
    mete_dlist_init(&wait->line);
    return true;
}

mete_alloc_t mete_wait_as_alloc(mete_wait_t *wait)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(mete_pass_acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((wait != NULL) && (wait->inner.ops != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(wait->inner)], wait};
    return view;
}

void mete_wait_notify(mete_wait_t *wait)
{
    METE_ASSERT((wait != NULL) && (wait->inner.ops != NULL));
    // Copied, for the task may leave the line as soon as the section is over.
    mete_signal_t signal;
    signal.ops =
        NULL;  // One by one: for a whole struct a compiler may call memset(), which is libc.
    signal.self = NULL;
    const uintptr_t state = mete_critical_enter();
    if (!mete_dlist_is_empty(&wait->line)) {
        const mete_signal_t *const first = &task_at(wait->line.next)->terms->signal;
        signal.ops = first->ops;
        signal.self = first->self;
    }
    mete_critical_leave(state);
    if (signal.ops != NULL) {
        signal.ops->notify(signal.self);
    }
}

// The link behind the last task that goes before one of this priority; at most as far as the line is long.
static mete_dlist_link_t *place_of(mete_wait_t *wait, uint32_t priority)
{
    mete_dlist_link_t *place = wait->line.next;
    while ((place != &wait->line) && (task_at(place)->terms->priority >= priority)) {
        place = place->next;
    }
    return place;
}

void mete_wait_enter(mete_wait_t *wait, mete_wait_task_t *task, const mete_wait_terms_t *terms)
{
    METE_ASSERT((wait != NULL) && (task != NULL) && (terms != NULL) && (terms->signal.ops != NULL));
    task->terms = terms;
    task->start_ms = mete_clock_ms();
    const uintptr_t state = mete_critical_enter();
    // Appended to the list that would start there: in front of that place.
    mete_dlist_append(place_of(wait, terms->priority), &task->link);
    mete_critical_leave(state);
}

void mete_wait_leave(mete_wait_t *wait, mete_wait_task_t *task)
{
    METE_ASSERT((wait != NULL) && (task != NULL));
    const uintptr_t state = mete_critical_enter();
    const bool was_first = (wait->line.next == &task->link);
    mete_dlist_remove(&task->link);
    mete_critical_leave(state);
    if (was_first) {
        mete_wait_notify(wait);
    }
}

bool mete_wait_is_first(mete_wait_t *wait, const mete_wait_task_t *task)
{
    METE_ASSERT((wait != NULL) && (task != NULL));
    const uintptr_t state = mete_critical_enter();
    const bool is_first = (wait->line.next == &task->link);
    mete_critical_leave(state);
    return is_first;
}

bool mete_wait_sleep(const mete_wait_task_t *task)
{
    METE_ASSERT(task != NULL);
    const mete_signal_t *const signal = &task->terms->signal;
    const uint32_t timeout_ms = task->terms->timeout_ms;
    if (timeout_ms == METE_SIGNAL_FOREVER) {
        return signal->ops->wait(signal->self, METE_SIGNAL_FOREVER);
    }
    const uint32_t elapsed_ms = mete_clock_ms() - task->start_ms;
    return (elapsed_ms < timeout_ms) && signal->ops->wait(signal->self, timeout_ms - elapsed_ms);
}
