// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A control loop may wait 40 ticks for memory. The heap takes at most 140 instructions, as was computed, or 35
// ticks: a guarantee, until an interrupt that nobody had counted in contradicts it. (The clock is simulated.)

#include "mete/wrap/timing.h"
#include "mete/alloc/heap.h"

#include <stdio.h>

METE_HEAP_DEFINE(device, 8192);
static uint32_t pace = 20U;  // Ticks from one reading of the clock to the next.

static uint32_t ticks(void)
{
    static uint32_t now;
    return now += pace;
}

static void on_late(void *self, const mete_timing_late_t *late)
{
    (void)self;
    printf("%s: %zu bytes, %u ticks of %u\n", late->is_refused ? "refused" : "late", late->size,
           (unsigned)late->ticks, (unsigned)late->limit_ticks);
}

static void work(mete_timing_t *timing, size_t size)
{
    const mete_alloc_t alloc = mete_timing_as_alloc(timing);
    mete_release(alloc, mete_acquire(alloc, size, 8U), size, 8U);
    const mete_timing_guarantee_t known = mete_timing_guarantee(timing, METE_TIMING_ACQUIRE, size);
    printf("%zu bytes: %s, %u ticks\n", size,
           (known.kind == METE_TIMING_BOUND) ? "at most" : "so far below", (unsigned)known.ticks);
}

int main(void)
{
    static const mete_timing_costs_t limits = {.acquire = 40U}, bounds = {.acquire = 140U};
    static mete_timing_class_t classes[4];  // Up to 64 bytes, 128, 256, and all others.
    static const mete_timing_config_t config = {.clock = ticks,
                                                .classes = classes,
                                                .class_count = 4U,
                                                .first_size = 64U,
                                                .limits = &limits,
                                                .limit_count = 1U,
                                                .bounds = &bounds,
                                                .bound_count = 1U,
                                                .ticks_per_1024 = 256U,
                                                .policy = METE_TIMING_REFUSES_UNSURE,
                                                .on_late = on_late};
    static mete_timing_t timing;
    (void)mete_timing_init(&timing, mete_heap_as_alloc(mete_heap_init(&device_config)), &config);
    work(&timing, 100U);
    pace = 95U;  // The interrupt.
    work(&timing, 100U);
    pace = 20U;
    work(&timing, 100U);
    work(&timing, 50U);  // Another class.
    return 0;
}
