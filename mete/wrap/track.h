// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TRACK_H
#define METE_TRACK_H

/// Leak tracking: remembers of every live block who acquired it, when, and how big it is.
///
/// The record stands in front of the block, in the same memory, and is linked into a list. So there
/// is no table that could overflow, and any number of blocks can be tracked in constant time.
///
///     static const mete_track_config_t config = {.clock = mete_clock_ms};
///     static mete_track_t track;
///     (void)mete_track_init(&track, mete_heap_as_alloc(heap), &config);
///     const uint32_t mark = mete_track_mark(&track);
///     run(mete_track_as_alloc(&track));
///     const mete_track_filter_t since_mark = {.since = mark};
///     (void)mete_track_report(&track, &since_mark, log_sink);  // What run() did not give back.
///
///   Time     Acquire, release, resize: O(1). Refusing a release: O(live), to tell foreign from
///            damaged. walk, total, report, check: O(live), and bounded on any damage.
///   Space    METE_TRACK_PREFIX_SIZE(align) a block: 32 bytes on 32-bit cores, for aligns up to 32.
///   Align    Any that the allocator behind can give.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front.
///   Errors   Out of memory is NULL. Misuse and damage: METE_FAULT, and nothing changes. FOREIGN: no
///            block of ours. DOUBLE_FREE: given back already, as far as its memory was not used again.
///            SIZE: another size or alignment than it has. CORRUPT: its record was overwritten.
///
/// The report is text, one line a block, oldest first, then one line with the totals:
///
///     leak block=0x20000428 size=128 sequence=17 age=5003 call=0x0800045f
///     leaks count=1 size=128 records=sound
///
/// `call` is an address inside the call that acquired the block: `addr2line -ife firmware.elf` turns
/// it into function and line. `age` is in ticks of the clock. "records=damaged" says that the list
/// ended at a record that was overwritten: there may be more.

#include "mete/core/alloc.h"
#include "mete/core/dlist.h"
#include "mete/core/observe.h"
#include "mete/core/platform.h"
#include "mete/core/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How blocks are tracked. It must outlive the tracker; const is best.
typedef struct mete_track_config {
    /// Where a wrapper in front leaves the address the program called from. NULL if there is none in
    /// front: then whoever calls the view is the program.
    const mete_site_t *site;

    mete_clock_t clock;        ///< Ages are in its ticks. NULL: all ages are 0.
    mete_observer_t observer;  ///< Hears of every acquire, release, resize, refusal and mark.
} mete_track_config_t;

/// What stands in front of a block. The check word is next to the block: who writes in front of the
/// block hits it first.
typedef struct mete_track_record {
    mete_dlist_link_t link;
    const void *caller;
    size_t size;
    size_t align;
    uint32_t sequence;
    uint32_t tick;
    uintptr_t check;
} mete_track_record_t;

/// Bytes that tracking adds to a block with alignment `align`.
#define METE_TRACK_PREFIX_SIZE(align) \
    ((sizeof(mete_track_record_t) + (align)-1U) / (align) * (align))

/// A tracker. The fields are here so that it can be static; use the functions to read them.
typedef struct mete_track {
    const mete_track_config_t *config;
    mete_alloc_t inner;
    mete_dlist_link_t list;  // Oldest block first.
    size_t live_count;
    uint32_t sequence;  // Of the block acquired last.
} mete_track_t;

/// A live block as mete_track_walk() shows it.
typedef struct mete_track_block {
    const void *block;
    size_t size;         ///< Bytes, as acquired or last resized.
    size_t align;        ///< As acquired.
    const void *caller;  ///< Where the acquire returned to; NULL if unknown.
    uint32_t sequence;   ///< 1 for the first block acquired. Wraps at 2^32.
    uint32_t age;        ///< Ticks since it was acquired.
} mete_track_block_t;

/// Which live blocks are meant. Where NULL is given for a filter, all are.
typedef struct mete_track_filter {
    uint32_t since;    ///< Acquired after this mark; 0: whenever.
    uint32_t age_min;  ///< At least so many ticks ago.
} mete_track_filter_t;

/// What a filter let through.
typedef struct {
    size_t count;   ///< Blocks.
    size_t size;    ///< Bytes in them.
    bool is_sound;  ///< All records were in order; otherwise there may be more blocks.
} mete_track_total_t;

/// Tracks what is acquired from `inner`, from now on. Returns false, changing nothing, if the
/// allocator or the config is missing.
bool mete_track_init(mete_track_t *track, mete_alloc_t inner, const mete_track_config_t *config);

/// The sequence number of the block acquired last, to be used as `since` in a filter.
uint32_t mete_track_mark(const mete_track_t *track);

/// Counts the blocks that the filter lets through.
mete_track_total_t mete_track_total(const mete_track_t *track, const mete_track_filter_t *filter);

/// Writes the blocks that the filter lets through, as text, in the form shown above.
mete_track_total_t mete_track_report(const mete_track_t *track, const mete_track_filter_t *filter,
                                     mete_sink_t sink);

/// Shows every live block to `visit`, oldest first, until it returns false. Nothing may be acquired,
/// released or resized meanwhile. Returns true if all were shown, false if `visit` stopped or a
/// record was overwritten.
bool mete_track_walk(const mete_track_t *track,
                     bool (*visit)(void *self, const mete_track_block_t *block), void *self);

/// True if all records are in order and agree with each other. Changes nothing.
bool mete_track_check(const mete_track_t *track);

/// The tracked allocator. It can resize, and knows owns, if the allocator behind does; size_of it
/// always knows: it is the size that was asked for.
mete_alloc_t mete_track_as_alloc(mete_track_t *track);

#ifdef __cplusplus
}
#endif
#endif
