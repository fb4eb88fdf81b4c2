// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_REPLAYER_H
#define METE_TOOLS_REPLAYER_H

/// Replays a trace on an allocator and watches what happens.
///
/// A request that fails is counted and the trace goes on without that block: a resize that fails
/// leaves the object as it was, a resize of an object that has no block asks again.
///
/// With `verifies` every block is filled with a pattern of its own, which must be whole at every
/// resize, after it as far as the smaller size reaches, and at the free; blocks must be aligned, lie
/// in the arena and be as large as asked for. So blocks that overlap, move without their contents
/// or are handed out twice show up.
///
///   Time   O(operations), with `verifies` also O(bytes requested).

#include "tools/lib/backend.h"
#include "tools/lib/trace.h"

/// The state of memory at one moment of a replay.
typedef struct replay_sample {
    size_t op_count;     ///< Operations done so far.
    uint64_t live_size;  ///< Bytes requested and held.
    size_t extent;       ///< Bytes from the start of the arena to the end of the highest block.
    mete_frag_t frag;    ///< 0 if the back end does not know.
} replay_sample_t;

typedef struct replay_options {
    const backend_t *backend;
    mete_span_t arena;  ///< Aligned to 8. Not used by a back end without an arena.
    uint32_t search;    ///< For the heaps: see mete_heap_config_t.
    bool verifies;
    bool stops_at_failure;  ///< At the first request that fails.
    int (*take_fault)(
        void);  ///< What the allocator reported since the last call, or 0. May be NULL.
    replay_sample_t *samples;  ///< Filled with the state at even distances. May be NULL.
    size_t sample_count;       ///< At most as many as there are operations.
    void (*on_progress)(void *self, size_t done, size_t total);  ///< Now and then. May be NULL.
    void *on_progress_self;
} replay_options_t;

typedef struct replay_result {
    size_t op_count;       ///< Operations done.
    size_t failures;       ///< Requests that could not be met.
    size_t first_failure;  ///< The operation, from 1, of the first of them; 0 if there was none.
    size_t extent_peak;    ///< The highest use: bytes from the arena's start; 0 without an arena.
    const char *defect;    ///< What the allocator did wrong, or NULL. Ends the replay.
    size_t defect_op;      ///< The operation, from 1, at which it showed.
} replay_result_t;

/// Replays the trace. True if every request was met and nothing was found wrong; `result` is filled
/// in either case. An arena in which the back end cannot be made counts as a failure of operation 1.
bool replay_run(const trace_t *trace, const replay_options_t *options, replay_result_t *result);

/// What the trace needs if blocks could be moved at any time without cost: `block_size_peak` of
/// blocks with their headers, `control_size` for the rest.
typedef struct replay_floor {
    uint64_t block_size_peak;
    size_t control_size;
} replay_floor_t;

/// False if the back end's block sizes are not known. O(operations).
bool replay_floor_of(const trace_t *trace, const backend_t *backend, replay_floor_t *bound);

#endif
