// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A device runs out of memory and resets itself. When it starts again it knows what had happened. Here the reset is
// a function call; the store lies where start-up code leaves memory alone.

#include "mete/system/postmortem.h"
#include "mete/alloc/heap.h"
#include "mete/wrap/track.h"

#include <stdio.h>

METE_HEAP_DEFINE(app, 2048);
METE_POSTMORTEM_PLACE static mete_postmortem_store_t store;

static mete_heap_t *heap;
static mete_postmortem_t postmortem;

// About: all that is free, less what is surely in other blocks.
static size_t largest_free(const void *self)
{
    (void)self;
    const mete_heap_usage_t usage = mete_heap_usage(heap);
    return (usage.total_size - usage.in_use_size) / 1000U * (1000U - usage.frag.low_permille);
}

static const mete_postmortem_config_t config = {.store = &store, .largest_free = largest_free};

static void report(void)
{
    const mete_postmortem_record_t *const record = mete_postmortem_last(&postmortem);
    const size_t newest = (record->refusal_total - 1U) % METE_POSTMORTEM_DEPTH;
    printf("start %zu: %zu requests were refused, the last one of %zu bytes; peak %zu\n",
           record->boot, record->refusal_total, record->refusals[newest].size, record->peaks[0]);
}

static void run(void)
{
    static mete_track_config_t track_config;
    static mete_track_t track;
    if (mete_postmortem_init(&postmortem, &config)) {
        report();
    }
    heap = mete_heap_init(&app_config);
    track_config.observer = mete_postmortem_as_observer(&postmortem);
    (void)mete_track_init(&track, mete_heap_as_alloc(heap), &track_config);
    size_t size = 64U;
    while (mete_acquire(mete_track_as_alloc(&track), size, 8U) != NULL) {
        size += 64U;
    }
    mete_postmortem_note_peak(&postmortem, 0U, size - 64U);
}

int main(void)
{
    run();
    run();  // Each of these starts with nothing but what the store has kept.
    run();
    return mete_postmortem_check(&postmortem) ? 0 : 1;
}
