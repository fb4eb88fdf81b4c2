// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the tracker adds to a call.

#include "mete/wrap/track.h"
#include "bench/view.h"
#include "port/os/bare_metal.h"

static uint32_t same_owner(void *self)
{
    (void)self;
    return 0U;
}

void probe_mete_track_read_next(mete_track_cursor_t *cursor, size_t count,
                                mete_track_block_t *block);
PROBE(mete_track_read_next);

enum { SLICED_COUNT = 40 };

// A walk in slices of one block, while every other block is released after it was shown.
static void work_slices(mete_track_t *track)
{
    static mete_track_cursor_t cursor;
    static mete_track_block_t block;
    static const mete_track_filter_t filter = {.since = 1U, .is_of_owner = true};
    const mete_alloc_t view = mete_track_as_alloc(track);
    start_phase("slice");
    for (uint32_t i = 0U; i < SLICED_COUNT; i++) {
        (void)mete_acquire(view, VIEW_SIZE, VIEW_ALIGN);
    }
    (void)mete_track_init_cursor(&cursor, track, &filter, NULL);
    for (uint32_t i = 0U; i <= SLICED_COUNT; i++) {
        probe_mete_track_read_next(&cursor, 1U, &block);
        if (i % 2U == 0U) {
            mete_release(view, (void *)(uintptr_t)block.block, VIEW_SIZE, VIEW_ALIGN);
            block.block = NULL;
        }
    }
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
    work_slices(&track);
    (void)flat_init(&flat);
    (void)mete_track_init(&track, bare, &noted);
    mete_track_stop(&track);
    work_view("stopped", mete_track_as_alloc(&track));
    return 0;
}
