// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What watchers add to a call in a chain, in the order in which mete_system puts them: statistics and health while
// nothing changes; then all of them, health judging as often as it does by default, with a quarantine that is
// full and fills of VIEW_SIZE bytes.

#include "bench/view.h"
#include "mete/system/health_sources.h"
#include "mete/wrap/guard.h"
#include "mete/wrap/timing.h"
#include "mete/wrap/track.h"

static flat_t flat;
static volatile uint32_t counter;

static uint32_t cycles(void)
{
    return counter;
}

static mete_stats_t stats;

static mete_alloc_t watch_counts(mete_alloc_t inner)
{
    (void)mete_stats_init(&stats, inner, NULL);
    return mete_stats_as_alloc(&stats);
}

static mete_alloc_t watch_health(mete_alloc_t inner, const mete_health_config_t *config)
{
    static mete_health_t health;
    static const mete_health_source_t source = {mete_health_read_stats, &stats};
    (void)mete_health_init(&health, inner, &source, 1U, config);
    return mete_health_as_alloc(&health);
}

static mete_alloc_t watch_blocks(mete_alloc_t inner)
{
    static const mete_track_config_t track_config = {.clock = cycles,
                                                     .memory = {flat.blocks, sizeof flat.blocks}};
    static const mete_guard_config_t guard_config = {.is_in_one_piece = true,
                                                     .quarantine_size = 352U,
                                                     .fills_acquired = true,
                                                     .fills_released = true,
                                                     .released_fill = 0xDDU};
    static mete_track_t track;
    static mete_guard_t guard;
    (void)mete_track_init(&track, inner, &track_config);
    (void)mete_guard_init(&guard, mete_track_as_alloc(&track), &guard_config);
    return mete_guard_as_alloc(&guard);
}

static mete_alloc_t watch_time(mete_alloc_t inner)
{
    static mete_timing_class_t classes[8];
    static const mete_timing_config_t config = {
        .clock = cycles, .classes = classes, .class_count = 8U, .first_size = 2U};
    static mete_timing_t timing;
    (void)mete_timing_init(&timing, inner, &config);
    return mete_timing_as_alloc(&timing);
}

int main(void)
{
    static const mete_health_config_t seldom = {.interval = SIZE_MAX};
    static const mete_health_config_t usual = {0};
    work_view("bare", flat_init(&flat));
    work_view("system", watch_health(watch_counts(flat_init(&flat)), &seldom));
    work_view("all",
              watch_health(watch_time(watch_counts(watch_blocks(flat_init(&flat)))), &usual));
    return 0;
}
