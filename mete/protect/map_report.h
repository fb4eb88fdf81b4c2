// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_MAP_REPORT_H
#define METE_MAP_REPORT_H

/// What a memory map knows, as text: every region, and how much there is of each kind.
///
///     (void)mete_map_report_write(&map, log_sink);
///
/// Text is one line a region, in the order of addresses, one for each kind that there is, and one with the
/// number of regions and how many the table has room for:
///
///     map start=0x10000000 last=0x10007fff size=32768 in_use=1200 kind=heap privileged=rw- unprivileged=rw- attributes=fast name=heap
///     map start=0x10008000 last=0x10009fff size=8192 in_use=2048 kind=stack privileged=rw- unprivileged=--- attributes=none name=main stack
///     map kind=stack regions=1 size=8192 in_use=2048
///     map kind=heap regions=1 size=32768 in_use=1200
///     map regions=2 max=8 table=sound
///
/// Of a map that was overwritten only the last line is written, "table=damaged": names in it may lead anywhere.
///
///   Time     O(regions), and what the sink takes: about 130 bytes a region.
///   Space    None but the stack.
///   Threads  As the map.
///   Errors   None of its own. A sink that takes less loses the rest.

#include "mete/core/sink.h"
#include "mete/protect/map.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Writes the report. True if the map is sound.
bool mete_map_report_write(const mete_map_t *map, mete_sink_t sink);

/// The line of a region of a map, for the handler of a fault that knows which one was hit.
void mete_map_report_write_region(const mete_map_region_t *region, mete_sink_t sink);

/// What became of a region that was to be added: "map heap: overlaps stack", "map heap: table is full".
void mete_map_report_write_result(const mete_map_result_t *result, mete_sink_t sink);

#ifdef __cplusplus
}
#endif
#endif
