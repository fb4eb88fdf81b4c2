// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_GROWTH_H
#define METE_GROWTH_H

/// Growth: which call sites have more and more live blocks.
///
/// A block that is old may be meant to stay; a site whose blocks grow in number from mark to mark is
/// hardly ever. Now and then, every live block is added under its site, as mete/wrap/track.h shows them;
/// then a mark ends the count and compares it with the one before.
///
///     static mete_growth_site_t sites[64];
///     static mete_growth_t growth;
///     (void)mete_growth_init(&growth, sites, 64);
///     for (every hour) {
///         (void)mete_track_walk(&track, add, &growth);  // Calls mete_growth_add() for each block.
///         mete_growth_mark(&growth);
///         (void)mete_growth_report(&growth, 3, log_sink);
///     }
///
///   Time     add: O(1) while the table is no fuller than three quarters, O(sites) at worst. mark, report,
///            walk: O(sites).
///   Space    Sites of 24 bytes on 32-bit cores, in a table that the caller gives; nothing a block.
///   Threads  Not synchronised. It never touches a block, so adding needs no lock of an allocator.
///   Errors   A table that is full is ordinary: what belongs to no site in it is counted, not lost silently.
///
/// The report is text, a line for each site that grew, after which come the blocks that found no room:
///
///     growth call=0x0800045f count=12 size=768 marks=4
///     growth sites=1 lost=0

#include "mete/core/base.h"
#include "mete/core/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A call site. The table of them is owned by the growth from init onwards.
typedef struct mete_growth_site {
    const void *caller;  ///< As mete_track_block_t has it.
    size_t count;        ///< Blocks, at the last mark.
    size_t size;         ///< Bytes in them.
    size_t new_count;    // Since then.
    size_t new_size;
    uint32_t
        mark_count;  ///< Marks in a row, each with more blocks than the one before; at least 1.
} mete_growth_site_t;

/// The fields are here so that it can be static; use the functions to read them.
typedef struct mete_growth {
    mete_growth_site_t *sites;
    size_t site_max;  // A power of two.
    size_t lost_count;
    size_t new_lost_count;
} mete_growth_t;

/// Forgets all sites. `site_max` is a power of two, at least 2. Returns false, changing nothing, if it is
/// not, or if there is no table.
bool mete_growth_init(mete_growth_t *growth, mete_growth_site_t *sites, size_t site_max);

/// Adds a live block of `size` bytes to those of its site. NULL stands for all callers that are unknown.
/// False, and counted as lost, if the site is new and the table full.
bool mete_growth_add(mete_growth_t *growth, const void *caller, size_t size);

/// Ends a count: what was added since the last mark is what there is now.
void mete_growth_mark(mete_growth_t *growth);

/// Shows the sites whose number of blocks rose over at least `mark_min` marks, up to the last, to `visit`,
/// until it returns false. True if all were shown.
bool mete_growth_walk(const mete_growth_t *growth, uint32_t mark_min,
                      bool (*visit)(void *self, const mete_growth_site_t *site), void *self);

/// Writes them as text, in the form shown above. Returns how many there are.
size_t mete_growth_report(const mete_growth_t *growth, uint32_t mark_min, mete_sink_t sink);

#ifdef __cplusplus
}
#endif
#endif
