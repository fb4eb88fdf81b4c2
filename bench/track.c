// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the tracker adds to a call.

#include "mete/wrap/track.h"
#include "bench/view.h"
#include "port/os/bare_metal.h"

int main(void)
{
    static const mete_track_config_t config = {.clock = mete_clock_ms};
    static flat_t flat;
    static mete_track_t track;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_track_init(&track, bare, &config);
    work_view("track", mete_track_as_alloc(&track));
    return 0;
}
