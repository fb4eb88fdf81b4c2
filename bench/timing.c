// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What measuring adds to a call, the two readings of the clock included: one that is a load, as that of a cycle
// counter is. The first phase has one class, the second eight and sizes of all of them; in the third each
// call takes longer than all before, and the clock is one that sees to that.

#include "mete/wrap/timing.h"
#include "bench/view.h"

static volatile uint32_t counter;

static uint32_t cycles(void)
{
    return counter;
}

// Every call takes longer than all before, which is what has to be noted.
static uint32_t slower(void)
{
    static uint32_t now;
    static uint32_t step;
    now += step;
    step++;
    return now;
}

static void start(mete_timing_t *timing, mete_alloc_t bare, const mete_timing_config_t *config)
{
    (void)mete_timing_init(timing, bare, config);
    for (size_t size = 1U; size <= FLAT_SIZE; size++) {  // From now on every call is a usual one.
        const mete_alloc_t view = mete_timing_as_alloc(timing);
        mete_release(view, mete_acquire(view, size, VIEW_ALIGN), size, VIEW_ALIGN);
    }
}

int main(void)
{
    static const mete_timing_costs_t limits = {100U, 100U, 100U};
    static mete_timing_class_t classes[8];
    static const mete_timing_config_t one = {.clock = cycles,
                                             .classes = classes,
                                             .class_count = 1U,
                                             .first_size = 1U,
                                             .limits = &limits,
                                             .limit_count = 1U};
    static const mete_timing_config_t eight = {.clock = cycles,
                                               .classes = classes,
                                               .class_count = 8U,
                                               .first_size = 2U,
                                               .limits = &limits,
                                               .limit_count = 1U};
    static const mete_timing_config_t slow = {
        .clock = slower, .classes = classes, .class_count = 1U, .first_size = 1U};
    static flat_t flat;
    static mete_timing_t timing;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    start(&timing, bare, &one);
    work_view("timing", mete_timing_as_alloc(&timing));
    start(&timing, bare, &eight);
    work_view_sizes("eight", mete_timing_as_alloc(&timing), 1U, FLAT_SIZE);
    (void)mete_timing_init(&timing, bare, &slow);
    work_view("longest", mete_timing_as_alloc(&timing));
    return 0;
}
