// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What deferring adds to a task's call when nothing is deferred, and to one that hands a block back; and
// what a release by an interrupt takes in all.

#include "mete/wrap/defer.h"
#include "bench/view.h"

void release_by_interrupt(mete_alloc_t alloc, void *block, size_t size);
__attribute__((noinline)) void release_by_interrupt(mete_alloc_t alloc, void *block, size_t size)
{
    mete_release(alloc, block, size, VIEW_ALIGN);
}

PROBE(release_by_interrupt);
void probe_release_by_interrupt(mete_alloc_t alloc, void *block, size_t size);

int main(void)
{
    static const mete_defer_config_t config = {.drain_max = 1U};
    static flat_t flat;
    static mete_defer_t defer;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_defer_init(&defer, bare, &config);
    const mete_alloc_t tasks = mete_defer_as_alloc(&defer);
    const mete_alloc_t interrupts = mete_defer_as_alloc_for_interrupts(&defer);
    work_view("defer", tasks);
    start_phase("one");
    for (uint32_t i = 0U; i < VIEW_ROUNDS; i++) {
        void *const block = mete_acquire(tasks, VIEW_SIZE, VIEW_ALIGN);
        void *const other = mete_acquire(tasks, VIEW_SIZE, VIEW_ALIGN);
        probe_release_by_interrupt(interrupts, block, VIEW_SIZE);
        void *const more = probe_acquire(tasks, VIEW_SIZE);
        probe_release_by_interrupt(interrupts, other, VIEW_SIZE);
        probe_release(tasks, more, VIEW_SIZE);
    }
    return 0;
}
