// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TRACK_REPORT_H
#define METE_TRACK_REPORT_H

/// What a tracker knows, written out: as text for people, as JSON for programs. `mete leaks` reads both
/// and says which source it is; see docs/guide/leaks.md.
///
///     const mete_track_filter_t since_mark = {.since = mark};
///     (void)mete_track_report_write(&track, &since_mark, log_sink);
///
/// Text is one line a block, newest first, then one with the totals:
///
///     leak block=0x20000428 size=128 sequence=17 age=5003 owner=2 call=0x0800045f
///     leaks count=1 size=128 records=sound
///
/// `call` is an address inside the call that acquired the block, `age` in ticks of the clock. "suspect=1"
/// and "frames=0x...,0x..." follow where there are some. "records=damaged" says that the list ended at a
/// record that was overwritten: there may be more. JSON is an object a line, with the same names:
///
///     {"leak":{"block":"0x20000428","size":128, ... ,"suspect":0,"call":"0x0800045f"}}
///     {"leaks":{"count":1,"size":128,"records":"sound"}}
///
///   Time     O(live), and what the sink takes: about a hundred bytes a block.
///   Space    None but the stack.
///   Threads  As the tracker. To hold its lock for a block at a time, walk with a mete_track_cursor_t and
///            write the lines one by one.
///   Errors   None of its own. A sink that takes less loses the rest.

#include "mete/core/sink.h"
#include "mete/wrap/track.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The lines of a report.
void mete_track_report_write_block(const mete_track_block_t *block, mete_sink_t sink);
void mete_track_report_write_block_json(const mete_track_block_t *block, mete_sink_t sink);
void mete_track_report_write_total(const mete_track_total_t *total, mete_sink_t sink);
void mete_track_report_write_total_json(const mete_track_total_t *total, mete_sink_t sink);

// A report as it goes along.
typedef struct mete_track_report {
    const mete_track_t *track;
    const mete_track_filter_t *filter;
    mete_sink_t sink;
    void (*write)(const mete_track_block_t *block, mete_sink_t sink);
    mete_track_total_t total;
} mete_track_report_t;

// What mete_track_walk() is given.
static inline bool mete_track_report_add(void *self, const mete_track_block_t *block)
{
    mete_track_report_t *const report = (mete_track_report_t *)self;
    if (mete_track_fits(report->track, report->filter, block)) {
        report->total.count++;
        report->total.size += block->size;
        report->write(block, report->sink);
    }
    return true;
}

/// Writes the blocks that the filter lets through, and the totals, which it returns.
static inline mete_track_total_t mete_track_report_write(const mete_track_t *track,
                                                         const mete_track_filter_t *filter,
                                                         mete_sink_t sink)
{
    mete_track_report_t report = {
        track, filter, sink, mete_track_report_write_block, {0U, 0U, false}};
    report.total.is_sound = mete_track_walk(track, mete_track_report_add, &report);
    mete_track_report_write_total(&report.total, sink);
    return report.total;
}

/// The same as JSON.
static inline mete_track_total_t mete_track_report_write_json(const mete_track_t *track,
                                                              const mete_track_filter_t *filter,
                                                              mete_sink_t sink)
{
    mete_track_report_t report = {
        track, filter, sink, mete_track_report_write_block_json, {0U, 0U, false}};
    report.total.is_sound = mete_track_walk(track, mete_track_report_add, &report);
    mete_track_report_write_total_json(&report.total, sink);
    return report.total;
}

#ifdef __cplusplus
}
#endif
#endif
