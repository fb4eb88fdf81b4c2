// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_STATS_H
#define METE_STATS_H

/// Statistics of any allocator: how often, how much, how much at once, what was refused.
///
/// The same numbers for every allocator, kept by counting and never by looking, so they cost the same
/// with ten blocks as with ten thousand. They may be read from anywhere, an interrupt included.
///
///     static mete_stats_t stats;
///     (void)mete_stats_init(&stats, mete_heap_as_alloc(heap), NULL);
///     void *const block = mete_acquire(mete_stats_as_alloc(&stats), 100, 8);
///     const mete_stats_usage_t usage = mete_stats_usage(&stats);  // usage.in_use_size is 100.
///
///   Time     A constant few instructions a call. read, usage: O(1), but see there.
///   Space    One mete_stats_t, and METE_STATS_CLASS_COUNT words if sizes are counted. Nothing a block.
///   Align    As the allocator behind.
///   Threads  Calls through the view, and reset_peak, must exclude each other. What only reads needs no
///            lock: read, usage, total_of_class.
///   Errors   As the allocator behind. A release is counted even if it is then refused as misuse.
///
/// Sizes are those that the program names: what an allocator adds to a block is its own affair.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Classes of sizes: one for each power of two.
#define METE_STATS_CLASS_COUNT (8U * sizeof(size_t))

/// What else is wanted. It must outlive the statistics; const is best. A call costs a few instructions
/// more with it.
typedef struct mete_stats_config {
    /// Where a wrapper in front leaves the address the program called from. NULL if there is none in
    /// front: then whoever calls the view is the program.
    const mete_site_t *site;

    /// Told where the program called from, if this is the outermost wrapper and one behind wants to
    /// know. Else NULL.
    mete_site_t *told;

    /// METE_STATS_CLASS_COUNT words, or NULL. See mete_stats_total_of_class().
    size_t *classes;
} mete_stats_config_t;

/// Counts wrap at 2^32 on 32-bit cores; live_count and in_use_size stay right, up to half of what a
/// word can count. A release that was refused as misuse makes both less than they are, by a block, but never less than 0.
typedef struct {
    uint64_t acquired_size;  ///< Bytes ever handed out, growth of blocks included.
    uint64_t released_size;  ///< Bytes ever taken back, shrinkage of blocks included.
    size_t acquires;         ///< Blocks ever handed out.
    size_t releases;         ///< Blocks ever taken back.
    size_t resizes;      ///< Blocks resized in place. One that had to move counts as two blocks.
    size_t live_count;   ///< Blocks handed out now.
    size_t in_use_size;  ///< Bytes handed out now.
    size_t in_use_peak;  ///< The most bytes handed out at once, since init or reset_peak.
    size_t refusals;     ///< Acquires that gave NULL. A block that could not grow is none.
    size_t last_refusal_size;  ///< Bytes asked for in the last of them; 0 if there was none.
    size_t last_refusal_align;
    const void *last_refusal_caller;  ///< Where that was asked from; NULL if there was none.
} mete_stats_usage_t;

/// Calls that handed bytes out, or took them back: how many there were, and the sum of the bytes up to
/// wrapping. For readers bytes[count % 2] is the sum: the other is written first, then the count makes
/// it valid.
typedef struct mete_stats_flow {
    size_t total;
    size_t count;
    size_t bytes[2];
} mete_stats_flow_t;

/// Such of a flow's calls as are counted apart. If the numbers differ, one more is under way: from the
/// moment on that the flow's count is `at`.
typedef struct mete_stats_among {
    size_t at;
    size_t begun;
    size_t done;
} mete_stats_among_t;

/// Refused requests: what was asked for last is size[count % 2].
typedef struct mete_stats_refused {
    size_t count;
    size_t size[2];
    size_t align[2];
    size_t caller[2];
} mete_stats_refused_t;

/// The counters. The fields are here so that they can be static; use the functions to read them.
typedef struct mete_stats {
    mete_alloc_t inner;
    const mete_stats_config_t *config;
    size_t peak;  // Up to the last fall.
    mete_stats_flow_t rises;
    mete_stats_flow_t falls;
    mete_stats_among_t grows;    // Among the rises;
    mete_stats_among_t shrinks;  // among the falls,
    mete_stats_among_t wraps;    // and such with which their sum wrapped.
    mete_stats_refused_t refused;
} mete_stats_t;

/// Counts what goes to `inner`, from 0. `config` may be NULL. Returns false, changing nothing, if the
/// allocator is missing.
bool mete_stats_init(mete_stats_t *stats, mete_alloc_t inner, const mete_stats_config_t *config);

/// Writes the numbers as they stood at one moment to `usage`, without waiting for anyone. Reads again
/// if calls of another core or of a task of higher priority came between; an interrupt never needs to.
void mete_stats_read(const mete_stats_t *stats, mete_stats_usage_t *usage);

/// The same, by value.
METE_INLINE mete_stats_usage_t mete_stats_usage(const mete_stats_t *stats)
{
    mete_stats_usage_t usage;
    mete_stats_read(stats, &usage);
    return usage;
}

/// Refused acquires in a thousand, rounded up: 0 only if there was none.
uint16_t mete_stats_refusal_permille(const mete_stats_usage_t *usage);

/// Blocks ever handed out of 2^index up to 2^(index + 1) - 1 bytes, as they were acquired; index <
/// METE_STATS_CLASS_COUNT. 0 if the config has no room for classes. Which sizes deserve a pool.
size_t mete_stats_total_of_class(const mete_stats_t *stats, size_t index);

/// Forgets the peak: it is now what is in use now.
void mete_stats_reset_peak(mete_stats_t *stats);

/// The counted allocator. It can resize, and knows owns and size_of, if the allocator behind does.
mete_alloc_t mete_stats_as_alloc(mete_stats_t *stats);

#ifdef __cplusplus
}
#endif
#endif
