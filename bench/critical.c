// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a critical section adds to a call: compiled in (critical_inlined.c), and called as the library
// has it. Then, with the heap behind it, for how many instructions interrupts are off
// (critical_marked.c).

#include "mete/wrap/critical.h"
#include "bench/churn.h"
#include "bench/view.h"
#include "mete/alloc/heap.h"

bool inlined_init(mete_critical_t *critical, mete_alloc_t inner, mete_site_t *site);
mete_alloc_t inlined_as_alloc(mete_critical_t *critical);
bool marked_init(mete_critical_t *critical, mete_alloc_t inner, mete_site_t *site);
mete_alloc_t marked_as_alloc(mete_critical_t *critical);

static mete_critical_t critical;
static mete_alloc_t shared;

static void start(mete_span_t span, uint32_t search)
{
    static mete_heap_config_t config;
    config = (mete_heap_config_t){.storage = span, .search = search};
    (void)marked_init(&critical, mete_heap_as_alloc(mete_heap_init(&config)), NULL);
    shared = marked_as_alloc(&critical);
}

static void *alloc(uint32_t size)
{
    return mete_acquire(shared, size, 8U);
}

static void give(void *block, uint32_t size)
{
    mete_release(shared, block, size, 8U);
}

int main(void)
{
    static const churn_subject_t subjects[] = {{"irqoff ", start, alloc, give, NULL, 0U},
                                               {"irqoff k2 ", start, alloc, give, NULL, 2U}};
    static flat_t flat;
    static mete_site_t site;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)inlined_init(&critical, bare, NULL);
    work_view("inlined", inlined_as_alloc(&critical));
    (void)inlined_init(&critical, bare, &site);
    work_view("told", inlined_as_alloc(&critical));
    (void)mete_critical_init(&critical, bare, NULL);
    work_view("called", mete_critical_as_alloc(&critical));
    churn_run(subjects, 2U);
    return 0;
}
