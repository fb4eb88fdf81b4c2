// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the tracker adds to a call.

#include "mete/wrap/track.h"
#include "bench/view.h"
#include "port/os/bare_metal.h"

static uint32_t same_owner(void *self)
{
    (void)self;
    return 1U;
}

int main(void)
{
    static flat_t flat;
    static const mete_track_config_t config = {.clock = mete_clock_ms,
                                               .memory = {flat.blocks, sizeof flat.blocks}};
    static const mete_track_config_t learning = {.clock = mete_clock_ms};
    static const mete_track_config_t noted = {
        .clock = mete_clock_ms, .memory = {flat.blocks, sizeof flat.blocks}, .owner = same_owner};
    static mete_track_t track;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_track_init(&track, bare, &config);
    work_view("track", mete_track_as_alloc(&track));
    (void)mete_track_init(&track, bare, &learning);
    work_view("learning", mete_track_as_alloc(&track));
    (void)mete_track_init(&track, bare, &noted);
    work_view("noted", mete_track_as_alloc(&track));
    mete_track_stop(&track);
    work_view("stopped", mete_track_as_alloc(&track));
    return 0;
}
