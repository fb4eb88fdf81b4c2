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
///     if (mete_track_total(&track, &since_mark).count != 0U) {  // What run() did not give back:
///         (void)mete_track_report_write(&track, &since_mark, log_sink);  // mete/wrap/track_report.h
///     }
///
///   Time     Acquire, release, resize: O(1), and what the callbacks of the config take. Refusing a
///            release: O(live), to tell foreign from damaged. walk, total, report, check, suspect:
///            O(live), and bounded on any damage; a cursor does the same in slices.
///   Space    METE_TRACK_PREFIX_SIZE(align) a block: 32 bytes on 32-bit cores, for aligns up to 32; and a
///            word for each frame.
///   Align    Any that the allocator behind can give.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front.
///   Errors   Out of memory is NULL. Misuse and damage: METE_FAULT, and nothing changes. FOREIGN: no
///            block of ours. DOUBLE_FREE: given back already, as far as its memory was not used again.
///            SIZE: another size or alignment than it has. CORRUPT: its record was overwritten.
///
/// What is verified is what a mistake could do harm with: size and alignment, and both links. An address
/// is read only if it lies in the memory that the config names, or, if it names none, between the lowest
/// and the highest block that were handed out so far. Call site, owner, time and number are notes: where
/// they alone were overwritten, nobody notices.

#include "mete/core/alloc.h"
#include "mete/core/dlist.h"
#include "mete/core/observe.h"
#include "mete/core/platform.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The most frames that can be recorded of a block.
#define METE_TRACK_FRAME_COUNT_MAX 128U

/// How blocks are tracked. It must outlive the tracker; const is best. All zero: call sites only.
typedef struct mete_track_config {
    /// Where a wrapper in front leaves the address the program called from. NULL if there is none in
    /// front: then whoever calls the view is the program.
    const mete_site_t *site;

    mete_clock_t clock;        ///< Ages are in its ticks. NULL: all ages are 0.
    mete_observer_t observer;  ///< Hears of every acquire, release, resize, refusal and mark.

    /// Where the blocks of the allocator behind lie, if that is known. Empty: it is learnt as blocks are
    /// handed out.
    mete_span_t memory;

    /// Who is asking: a task, a connection, a subsystem. NULL: all blocks have owner 0.
    uint32_t (*owner)(void *self);
    void *owner_self;

    /// Writes where the program is, innermost first, to `frames`: `count` addresses, or words that a host
    /// can make some of; behind the last NULL up to `count`. port/ has one for each platform. NULL: call
    /// sites only.
    void (*trace)(void *self, const void **frames, size_t count);
    void *trace_self;
    size_t frame_count;  ///< Frames to record, each a word in front of every block. Up to
                         ///< METE_TRACK_FRAME_COUNT_MAX; not 0 if there is a trace.
} mete_track_config_t;

/// What stands in front of a block. What is verified stands where overruns end up: who writes in front
/// of the block hits the check word first, who writes past the block before hits the links, or frames.
typedef struct mete_track_record {
    mete_dlist_link_t link;
    const void *caller;
    uint32_t sequence;
    uint32_t tick;
    uint32_t owner;
    size_t size;
    uintptr_t check;
} mete_track_record_t;

#define METE_TRACK_ALIGN_MIN 8U  // Of records, and of what is asked of the allocator behind.
#define METE_TRACK_ALIGN_FOR(align) \
    (((align) > METE_TRACK_ALIGN_MIN) ? (align) : METE_TRACK_ALIGN_MIN)

/// Bytes that tracking adds to a block with alignment `align`, without frames and with so many.
#define METE_TRACK_PREFIX_SIZE(align) METE_TRACK_PREFIX_SIZE_FOR(align, 0U)
#define METE_TRACK_PREFIX_SIZE_FOR(align, frame_count) \
    ((sizeof(mete_track_record_t) + (frame_count) * sizeof(void *) + METE_TRACK_ALIGN_FOR(align) - \
      1U) / \
     METE_TRACK_ALIGN_FOR(align) * METE_TRACK_ALIGN_FOR(align))

/// A tracker. The fields are here so that it can be static; use the functions to read them.
typedef struct mete_track {
    mete_dlist_link_t list;  // Newest block last. First, for then its address is the tracker's.
    uintptr_t low;           // Where records can start: from here on ...
    size_t extent;           // ... at so many addresses, METE_TRACK_ALIGN_MIN apart.
    mete_alloc_t inner;
    size_t prefix_size;  // In front of a block with an alignment that needs no more.
    const mete_site_t *site;
    mete_clock_t clock;
    uint32_t sequence;   // Of the block acquired last.
    const void *caller;  // Of the call that is under way.
    uint32_t mode;       // What else there is to do in a call: nothing but recording if 0.
    const mete_track_config_t *config;
    struct mete_track_cursor *cursor;  // Moved on when its block is released. NULL: none.
    size_t suspect_count;
    size_t cleared_count;
} mete_track_t;

/// A live block as it is shown.
typedef struct mete_track_block {
    const void *block;
    size_t size;                ///< Bytes, as acquired or last resized.
    size_t align;               ///< As acquired.
    const void *caller;         ///< Where the acquire returned to; NULL if unknown.
    uint32_t sequence;          ///< 1 for the first block acquired. Wraps at 2^32.
    uint32_t age;               ///< Ticks since it was acquired.
    uint32_t owner;             ///< Who acquired it.
    bool is_suspect;            ///< mete_track_suspect() named it.
    const void *const *frames;  ///< In the record; those behind the last are NULL.
    size_t frame_count;         ///< How many were found, up to the config's.
} mete_track_block_t;

/// Which live blocks are meant. Where NULL is given for a filter, all are.
typedef struct mete_track_filter {
    uint32_t since;    ///< Acquired after this mark; 0: whenever.
    uint32_t age_min;  ///< At least so many ticks ago.
    bool is_of_owner;  ///< Only those of `owner`, such as a task that has ended.
    uint32_t owner;
} mete_track_filter_t;

/// What a filter let through.
typedef struct {
    size_t count;   ///< Blocks.
    size_t size;    ///< Bytes in them.
    bool is_sound;  ///< All records were in order; otherwise there may be more blocks.
} mete_track_total_t;

/// What became of suspects.
typedef struct {
    size_t suspect_count;  ///< Now live.
    size_t cleared_count;  ///< Released after all: these were false. Counts from init.
} mete_track_suspects_t;

/// Tracks what is acquired from `inner`, from now on. Returns false, changing nothing, if the
/// allocator or the config is missing, or its trace and frame_count contradict each other.
bool mete_track_init(mete_track_t *track, mete_alloc_t inner, const mete_track_config_t *config);

/// From now on blocks are recorded, as after init; or no longer. Blocks that are acquired while nothing
/// is recorded are in no report and have no sequence number. They are released as all others, whenever
/// that is, and size and alignment are verified. What was recorded before stays so.
void mete_track_start(mete_track_t *track);
void mete_track_stop(mete_track_t *track);

/// The sequence number of the block acquired last, to be used as `since` in a filter.
uint32_t mete_track_mark(const mete_track_t *track);

/// Copies out what is recorded of a block. False if no block that is recorded here starts at `block`.
/// O(1); reads nothing outside the tracker's memory, and nothing is a fault.
bool mete_track_read(const mete_track_t *track, const void *block, mete_track_block_t *record);

/// Counts the blocks that the filter lets through.
mete_track_total_t mete_track_total(const mete_track_t *track, const mete_track_filter_t *filter);

/// Names the blocks that the filter lets through suspects: they look like leaks. Those that are released
/// nevertheless are counted, which tells whether the filter is good.
mete_track_total_t mete_track_suspect(mete_track_t *track, const mete_track_filter_t *filter);

/// How many suspects there are, and how many were none.
mete_track_suspects_t mete_track_suspects(const mete_track_t *track);

/// True if the filter lets a block through, which a walk shows.
bool mete_track_fits(const mete_track_t *track, const mete_track_filter_t *filter,
                     const mete_track_block_t *block);

/// Shows every live block to `visit`, newest first, until it returns false. Nothing may be acquired,
/// released or resized meanwhile. Returns true if all were shown, false if `visit` stopped or a
/// record was overwritten.
bool mete_track_walk(const mete_track_t *track,
                     bool (*visit)(void *self, const mete_track_block_t *block), void *self);

/// True if all records are in order and agree with each other. Changes nothing.
bool mete_track_check(const mete_track_t *track);

/// A place in the list of blocks, to walk it in slices while others acquire and release: what is acquired
/// meanwhile is not shown. Only the calls on the cursor itself exclude others, so with a lock it is
/// held for one slice at a time.
///
///     lock();
///     bool more = mete_track_init_cursor(&cursor, &track, &filter, frames);
///     unlock();
///     while (more) {
///         lock();
///         const mete_track_step_t step = mete_track_read_next(&cursor, 1, &block);
///         unlock();
///         more = step <= METE_TRACK_PASSED;
///         if (step == METE_TRACK_FOUND) {
///             mete_track_report_write_block(&block, sink);  // Takes its time.
///         }
///     }
typedef struct mete_track_cursor {
    mete_track_t *track;
    const mete_dlist_link_t *next;
    const mete_track_filter_t *filter;
    const void **frames;
    mete_track_total_t total;  ///< What was found so far. Not sound before the end.
} mete_track_cursor_t;

/// What a slice ended with.
typedef enum mete_track_step {
    METE_TRACK_FOUND = 0,  ///< A block that the filter lets through.
    METE_TRACK_PASSED,     ///< None among so many; there may be more.
    METE_TRACK_END,        ///< All were looked at, and all records were in order.
    METE_TRACK_DAMAGED     ///< A record was overwritten; what lies behind cannot be reached.
} mete_track_step_t;

/// Starts at the newest block. Where `frames` is not NULL, it holds as many as the config says, and
/// frames are copied there; otherwise blocks show those in the record, which last as long as the block
/// does. False, changing nothing, if the tracker has a cursor already: it has one at a time.
bool mete_track_init_cursor(mete_track_cursor_t *cursor, mete_track_t *track,
                            const mete_track_filter_t *filter, const void **frames);

/// Looks at up to `count` further blocks, until the filter lets one through, and copies it out. O(count).
/// At the end, and on damage, the cursor is removed.
mete_track_step_t mete_track_read_next(mete_track_cursor_t *cursor, size_t count,
                                       mete_track_block_t *block);

/// Ends a walk before its end. May be called again.
void mete_track_remove_cursor(mete_track_cursor_t *cursor);

/// The tracked allocator. It can resize, and knows owns, if the allocator behind does; size_of it
/// always knows: it is the size that was asked for.
mete_alloc_t mete_track_as_alloc(mete_track_t *track);

#ifdef __cplusplus
}
#endif
#endif
