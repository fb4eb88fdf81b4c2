// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TIMING_H
#define METE_TIMING_H

/// How long does a call take, how long may it, and what is certain about that?
///
/// Every acquire, release and resize is measured. Each size class keeps the longest of each, and a limit: a
/// call that exceeds it is reported, and if the config says so, requests that cannot keep their limit
/// are refused before they are made. What is certain about a size is one question with three answers: a
/// bound, computed by `mete bound` from the program's own machine code; learnt, the longest so far; or unknown.
///
///     static const mete_timing_costs_t limits = {.acquire = 400, .release = 400};  // Cycles.
///     static mete_timing_class_t classes[1];  // One: the heap takes the same for every size.
///     static const mete_timing_config_t config = {
///         .clock = cycles, .classes = classes, .class_count = 1, .first_size = 1,
///         .limits = &limits, .limit_count = 1, .on_late = log_late,
///     };
///     static mete_timing_t timing;
///     (void)mete_timing_init(&timing, mete_heap_as_alloc(heap), &config);
///
///   Time     Constant: two readings of the clock and about 40 instructions a call, twice as many for
///            the longest so far. init, reset and check: O(class_count). No other loop.
///   Space    One mete_timing_t, and METE_TIMING_CALL_COUNT rows of 20 bytes a class. Nothing a block.
///   Align    As the allocator behind.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front.
///   Errors   As the allocator behind. A request that is refused is as ordinary as out of memory: NULL, or
///            false. A release is never refused, nor a resize that does not grow.
///
/// What is measured is what passes on the clock between the call and its return. An interrupt or another
/// task that comes between counts, unless a critical section in front keeps it out; the lock in front
/// itself does not. The clock wraps at 2^32 ticks, which is taken care of; a call that takes longer
/// than that looks short. A clock cannot tell parts of a tick: a call is late only if it certainly was,
/// and what was learnt is rounded up.
///
/// Where it stands in a chain says what is measured: everything behind. docs/guide/timing.md has more.

#include "mete/core/alloc.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is measured.
typedef enum mete_timing_call {
    METE_TIMING_ACQUIRE,
    METE_TIMING_RELEASE,
    METE_TIMING_RESIZE  ///< Its size is the new one.
} mete_timing_call_t;

#define METE_TIMING_CALL_COUNT 3

/// A number for each: a limit in ticks, where 0 means none, or a bound in instructions, where 0
/// means unknown. `mete bound --header` writes them.
typedef struct mete_timing_costs {
    uint32_t acquire;
    uint32_t release;
    uint32_t resize;
} mete_timing_costs_t;

/// What happens to requests (acquires, and resizes that grow) of a class that has a limit.
typedef enum mete_timing_policy {
    METE_TIMING_REPORTS,        ///< They are made; if they are late, that is reported.
    METE_TIMING_REFUSES_LATE,   ///< Refused if their bound exceeds the limit, or once one was late.
    METE_TIMING_REFUSES_UNSURE  ///< Refused unless a bound says that they keep the limit.
} mete_timing_policy_t;

/// A call that took longer than its limit, or was refused because it would.
typedef struct mete_timing_late {
    mete_timing_call_t call;
    const void *block;  ///< What was acquired, released or resized; or NULL.
    size_t size;        ///< Bytes; of a resize, the new size.
    uint32_t ticks;     ///< What it took. If refused: what is known of its class, 0 if nothing is.
    uint32_t limit_ticks;  ///< What it was allowed.
    const void *caller;    ///< Where the program called from.
    bool is_refused;       ///< The allocator behind was not asked.
} mete_timing_late_t;

/// What is known of one kind of call in one class.
typedef struct mete_timing_row {
    uint32_t below_ticks;  ///< All so far took less than this; 0 if there was none.
    uint32_t limit_ticks;  ///< UINT32_MAX: none.
    uint32_t bound_ticks;  ///< None takes longer, as was computed; 0: unknown.
    uint32_t
        usual_ticks;  // The lesser of what limits and of what was learnt: below, nothing is to be noted.
    uint16_t late_count;  ///< Those that took longer than the limit. Stops at UINT16_MAX.
    bool is_closed;       ///< Requests are refused.
} mete_timing_row_t;

/// A size class.
typedef struct mete_timing_class {
    mete_timing_row_t rows[METE_TIMING_CALL_COUNT];
} mete_timing_class_t;

/// It must outlive the wrapper; const is best.
typedef struct mete_timing_config {
    mete_clock_t clock;

    /// Class 0 holds sizes up to `first_size`, a power of two; each next one sizes up to twice as
    /// many, the last one all others.
    mete_timing_class_t *classes;  ///< Owned by the wrapper from init onwards.
    size_t class_count;            ///< 1 ... 31.
    size_t first_size;             ///< Bytes.

    /// Limits in ticks: `limit_count` is class_count, or 1 if all are the same, or 0 for none.
    const mete_timing_costs_t *limits;
    size_t limit_count;

    /// Bounds in instructions, counted likewise; of what stands behind this wrapper, as a whole.
    const mete_timing_costs_t *bounds;
    size_t bound_count;
    /// Ticks that 1024 instructions take at most: with wait states, slow instructions, and what may
    /// interrupt them. It makes ticks of bounds, so 0 only if there are none.
    uint32_t ticks_per_1024;

    mete_timing_policy_t policy;

    /// Called after a call that was late, and for one that is refused. It must be short and not call
    /// back. NULL: nobody.
    void (*on_late)(void *self, const mete_timing_late_t *late);
    void *on_late_self;

    /// Where a wrapper in front leaves the address the program called from. NULL if there is none in
    /// front: then whoever calls the view is the program.
    const mete_site_t *site;
} mete_timing_config_t;

/// How certain an answer is.
typedef enum mete_timing_kind {
    METE_TIMING_UNKNOWN,  ///< Nothing was computed, and no such call was made.
    METE_TIMING_LEARNT,   ///< All calls so far took less. The next may take longer.
    METE_TIMING_BOUND     ///< No call takes longer: computed, and never contradicted so far.
} mete_timing_kind_t;

typedef struct {
    mete_timing_kind_t kind;
    uint32_t ticks;  ///< 0 if unknown.
} mete_timing_guarantee_t;

/// The fields are here so that it can be static; use the functions to read them.
typedef struct mete_timing {
    mete_alloc_t inner;
    const mete_timing_config_t *config;
    mete_timing_class_t *classes;
    mete_clock_t clock;
    size_t over_max;       // Of a size, in first_sizes: all above belong to the last class.
    uint32_t first_shift;  // first_size, as a power of two.
    uint32_t refusals;
    mete_timing_late_t late;  // The last one.
} mete_timing_t;

/// Starts to measure what goes to `inner`. Returns false, changing nothing, if the allocator, the config,
/// the clock or the classes are missing, or a number contradicts what is said there.
bool mete_timing_init(mete_timing_t *timing, mete_alloc_t inner,
                      const mete_timing_config_t *config);

/// Forgets what was learnt and counted, and opens what being late has closed. O(class_count).
void mete_timing_reset(mete_timing_t *timing);

/// How long a call for `size` bytes takes at most, and how certain that is. A bound that a call has
/// exceeded is none any more: then the answer is what was learnt. O(1).
mete_timing_guarantee_t mete_timing_guarantee(const mete_timing_t *timing, mete_timing_call_t call,
                                              size_t size);

/// All that is known of such calls; see mete_timing_row_t. O(1).
const mete_timing_row_t *mete_timing_usage(const mete_timing_t *timing, mete_timing_call_t call,
                                           size_t size);

/// The last call that was late or refused; NULL if there was none.
const mete_timing_late_t *mete_timing_last(const mete_timing_t *timing);

/// Requests refused here, not by the allocator behind. Stops at UINT32_MAX.
uint32_t mete_timing_refusals(const mete_timing_t *timing);

/// True if every row agrees with the config and with itself. Changes nothing. O(class_count).
bool mete_timing_check(const mete_timing_t *timing);

/// The measured allocator. It can resize, and knows owns and size_of, if the one behind does; these two are not
/// measured.
mete_alloc_t mete_timing_as_alloc(mete_timing_t *timing);

#ifdef __cplusplus
}
#endif
#endif
