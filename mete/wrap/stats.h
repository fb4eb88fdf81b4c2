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
///   Space    One mete_stats_t. Nothing a block.
///   Align    As the allocator behind.
///   Threads  Calls through the view, and reset_peak, must exclude each other. read and usage need no lock.
///   Errors   As the allocator behind. A release is counted even if it is then refused as misuse.
///
/// Sizes are those that the program names: what an allocator adds to a block is its own affair.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Counts wrap at 2^32 on 32-bit cores; live_count and in_use_size stay right.
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
} mete_stats_usage_t;

/// Calls that handed bytes out: how many there were, and the sum of the bytes up to wrapping. Of the
/// two sums bytes[count % 2] is the valid one: the other is written first, then the count makes it
/// valid.
typedef struct mete_stats_rise {
    size_t count;
    size_t bytes[2];
} mete_stats_rise_t;

/// A sum of two words, which a reader reads one by one.
typedef struct mete_stats_sum {
    size_t low;
    size_t high;
} mete_stats_sum_t;

/// Likewise for calls that took bytes back, with a sum that does not wrap.
typedef struct mete_stats_fall {
    size_t count;
    mete_stats_sum_t bytes[2];
} mete_stats_fall_t;

/// Likewise for refused requests: what was asked for last is size[count % 2].
typedef struct mete_stats_refused {
    size_t count;
    size_t size[2];
    size_t align[2];
} mete_stats_refused_t;

/// The counters. The fields are here so that they can be static; use the functions to read them.
typedef struct mete_stats {
    mete_alloc_t inner;
    mete_site_t *site;
    size_t in_use_size;
    size_t in_use_peak;
    mete_stats_rise_t acquired;
    mete_stats_rise_t grown;
    mete_stats_fall_t released;
    mete_stats_fall_t shrunk;
    mete_stats_refused_t refused;
} mete_stats_t;

/// Counts what goes to `inner`, from 0. `site` is told where the program called from, if this is the
/// outermost wrapper and one behind wants to know; else NULL. Returns false, changing nothing, if the
/// allocator is missing.
bool mete_stats_init(mete_stats_t *stats, mete_alloc_t inner, mete_site_t *site);

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

/// Forgets the peak: it is now what is in use now.
void mete_stats_reset_peak(mete_stats_t *stats);

/// The counted allocator. It can resize, and knows owns and size_of, if the allocator behind does.
mete_alloc_t mete_stats_as_alloc(mete_stats_t *stats);

#ifdef __cplusplus
}
#endif
#endif
