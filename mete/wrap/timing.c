// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A row holds what is learnt as a bound from above, which is 0 before the first call. So one compare, with
// the lesser of it and of the limit, tells that a call is neither the first, nor the longest, nor late: nothing
// is to be done then. Whether requests are refused is decided when something was noted, and is one flag when
// they are made.

#include "mete/wrap/timing.h"

#include "mete/core/bits.h"
#include "mete/core/pass.h"

// Paranoid: rows that contradict themselves are reported by the next call.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(timing) \
    (mete_timing_check(timing) ? (void)0 : (void)(METE_FAULT(METE_FAULT_CORRUPT, (timing), NULL)))
#else
#define CHECK_ALL(timing) ((void)0)
#endif

enum { CLASS_COUNT_MAX = 31, BOUND_SHIFT = 10 };

typedef mete_timing_row_t row_t;

_Static_assert(offsetof(mete_timing_t, inner) == 0U, "what passes calls on expects it there");

// ---- Classes

static size_t class_of(const mete_timing_t *timing, size_t size)
{
    const size_t over = (size - 1U) >> timing->first_shift;
    const uint32_t capped = (uint32_t)((over < timing->over_max) ? over : timing->over_max);
    return 31U - mete_bits_clz((capped << 1) | 1U);
}

static row_t *row_of(const mete_timing_t *timing, mete_timing_call_t call, size_t size)
{
    return &timing->classes[class_of(timing, size)].rows[call];
}

static uint32_t cost_of(const mete_timing_costs_t *costs, mete_timing_call_t call)
{
    if (call == METE_TIMING_ACQUIRE) {
        return costs->acquire;
    }
    return (call == METE_TIMING_RELEASE) ? costs->release : costs->resize;
}

// What the config says of a class: one entry may hold for all.
static uint32_t listed(const mete_timing_costs_t *costs, size_t count, size_t index,
                       mete_timing_call_t call)
{
    return (count == 0U) ? 0U : cost_of(&costs[(count == 1U) ? 0U : index], call);
}

static uint32_t limit_of(const mete_timing_config_t *config, size_t index, mete_timing_call_t call)
{
    const uint32_t limit = listed(config->limits, config->limit_count, index, call);
    return (limit != 0U) ? limit : UINT32_MAX;
}

// Rounded up, and no more than what a clock can tell.
static uint32_t bound_of(const mete_timing_config_t *config, size_t index, mete_timing_call_t call)
{
    const uint64_t bound = listed(config->bounds, config->bound_count, index, call);
    const uint64_t unit = (uint64_t)1U << BOUND_SHIFT;
    const uint64_t ticks = (bound * config->ticks_per_1024 + unit - 1U) >> BOUND_SHIFT;
    return (ticks < UINT32_MAX) ? (uint32_t)ticks : UINT32_MAX;
}

// ---- Judging

static bool was_late(const row_t *row)
{
    return (row->below_ticks != 0U) && (row->below_ticks - 1U > row->limit_ticks);
}

// True if a call contradicts what was computed.
static bool is_refuted(const row_t *row)
{
    return (row->below_ticks != 0U) && (row->below_ticks - 1U > row->bound_ticks);
}

static mete_timing_guarantee_t guarantee_of(const row_t *row)
{
    if ((row->bound_ticks != 0U) && !is_refuted(row)) {
        return (mete_timing_guarantee_t){METE_TIMING_BOUND, row->bound_ticks};
    }
    const mete_timing_kind_t kind =
        (row->below_ticks != 0U) ? METE_TIMING_LEARNT : METE_TIMING_UNKNOWN;
    return (mete_timing_guarantee_t){kind, row->below_ticks};
}

// Are requests refused, as things stand?
static bool must_close(const mete_timing_config_t *config, mete_timing_call_t call,
                       const row_t *row)
{
    if ((config->policy == METE_TIMING_REPORTS) || (call == METE_TIMING_RELEASE) ||
        (row->limit_ticks == UINT32_MAX)) {
        return false;
    }
    const bool is_sure = (guarantee_of(row).kind == METE_TIMING_BOUND);
    return (row->bound_ticks > row->limit_ticks) || was_late(row) ||
           (!is_sure && (config->policy == METE_TIMING_REFUSES_UNSURE));
}

static uint32_t usual_of(const row_t *row)
{
    return (row->below_ticks <= row->limit_ticks) ? row->below_ticks : row->limit_ticks + 1U;
}

// Books a call that was the longest so far, or late. True if it was late.
__attribute__((noinline)) static bool note(const mete_timing_t *timing, row_t *row,
                                           mete_timing_call_t call, uint32_t ticks)
{
    const bool is_late = (ticks > row->limit_ticks);
    if (ticks >= row->below_ticks) {
        row->below_ticks = (ticks < UINT32_MAX) ? ticks + 1U : UINT32_MAX;
    }
    if (is_late && (row->late_count != UINT16_MAX)) {
        row->late_count++;
    }
    row->usual_ticks = usual_of(row);
    row->is_closed = must_close(timing->config, call, row);
    return is_late;
}

static void tell(mete_timing_t *timing, uint32_t ticks, uint32_t limit_ticks, const void *caller)
{
    const mete_timing_config_t *const config = timing->config;
    timing->late.ticks = ticks;
    timing->late.limit_ticks = limit_ticks;
    timing->late.caller = (config->site != NULL) ? config->site->caller : caller;
    if (config->on_late != NULL) {
        config->on_late(config->on_late_self, &timing->late);
    }
}

// The rest of what is told about a call. In the wrapper, not on the stack, so that usual calls make no room.
static void name(mete_timing_t *timing, mete_timing_call_t call, const void *block, size_t size)
{
    timing->late.call = call;
    timing->late.block = block;
    timing->late.size = size;
    timing->late.is_refused = false;
}

static void refuse(mete_timing_t *timing, const row_t *row, const void *caller)
{
    timing->refusals += (timing->refusals != UINT32_MAX) ? 1U : 0U;
    timing->late.is_refused = true;
    tell(timing, guarantee_of(row).ticks, row->limit_ticks, caller);
}

// ---- Operations

static void *acquire(void *self, size_t size, size_t align)
{
    mete_timing_t *const timing = self;
    row_t *const row = row_of(timing, METE_TIMING_ACQUIRE, size);
    if (!METE_LIKELY(!row->is_closed)) {
        name(timing, METE_TIMING_ACQUIRE, NULL, size);
        refuse(timing, row, METE_CALLER());
        return NULL;
    }
    const uint32_t start = timing->clock();
    void *const block = timing->inner.ops->acquire(timing->inner.self, size, align);
    const uint32_t ticks = timing->clock() - start;
    if (!METE_LIKELY(ticks < row->usual_ticks) && note(timing, row, METE_TIMING_ACQUIRE, ticks)) {
        name(timing, METE_TIMING_ACQUIRE, block, size);
        tell(timing, ticks, row->limit_ticks, METE_CALLER());
    }
    CHECK_ALL(timing);
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_timing_t *const timing = self;
    row_t *const row = row_of(timing, METE_TIMING_RELEASE, size);
    const uint32_t start = timing->clock();
    timing->inner.ops->release(timing->inner.self, block, size, align);
    const uint32_t ticks = timing->clock() - start;
    if (!METE_LIKELY(ticks < row->usual_ticks) && note(timing, row, METE_TIMING_RELEASE, ticks)) {
        name(timing, METE_TIMING_RELEASE, block, size);
        tell(timing, ticks, row->limit_ticks, METE_CALLER());
    }
    CHECK_ALL(timing);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_timing_t *const timing = self;
    row_t *const row = row_of(timing, METE_TIMING_RESIZE, new_size);
    if (!METE_LIKELY(!row->is_closed || (new_size <= old_size))) {
        name(timing, METE_TIMING_RESIZE, block, new_size);
        refuse(timing, row, METE_CALLER());
        return false;
    }
    const uint32_t start = timing->clock();
    const bool is_done =
        timing->inner.ops->resize(timing->inner.self, block, old_size, new_size, align);
    const uint32_t ticks = timing->clock() - start;
    if (!METE_LIKELY(ticks < row->usual_ticks) && note(timing, row, METE_TIMING_RESIZE, ticks)) {
        name(timing, METE_TIMING_RESIZE, block, new_size);
        tell(timing, ticks, row->limit_ticks, METE_CALLER());
    }
    CHECK_ALL(timing);
    return is_done;
}

// ---- The wrapper itself

static bool is_list(const mete_timing_costs_t *costs, size_t count, size_t class_count)
{
    return (count == 0U) || ((costs != NULL) && ((count == 1U) || (count == class_count)));
}

static bool is_sound(const mete_timing_config_t *config)
{
    return (config->clock != NULL) && (config->classes != NULL) && (config->class_count >= 1U) &&
           (config->class_count <= CLASS_COUNT_MAX) && mete_align_is_legal(config->first_size) &&
           (config->first_size <= UINT32_MAX) &&
           is_list(config->limits, config->limit_count, config->class_count) &&
           is_list(config->bounds, config->bound_count, config->class_count) &&
           ((config->bound_count == 0U) || (config->ticks_per_1024 != 0U));
}

bool mete_timing_init(mete_timing_t *timing, mete_alloc_t inner, const mete_timing_config_t *config)
{
    METE_ASSERT(timing != NULL);
    if ((inner.ops == NULL) || (config == NULL) || !is_sound(config)) {
        return false;
    }
    timing->inner.ops = inner.ops;
    timing->inner.self = inner.self;
    timing->config = config;
    timing->classes = config->classes;
    timing->clock = config->clock;
    timing->over_max = ((size_t)1U << (config->class_count - 1U)) - 1U;
    timing->first_shift = 31U - mete_bits_clz((uint32_t)config->first_size);
    mete_timing_reset(timing);
    return true;
}

void mete_timing_reset(mete_timing_t *timing)
{
    METE_ASSERT((timing != NULL) && (timing->config != NULL));
    const mete_timing_config_t *const config = timing->config;
    for (size_t i = 0U; i < config->class_count; i++) {
        for (unsigned kind = 0U; kind < METE_TIMING_CALL_COUNT; kind++) {
            const mete_timing_call_t call = (mete_timing_call_t)kind;
            row_t *const row = &timing->classes[i].rows[call];
            row->below_ticks = 0U;
            row->limit_ticks = limit_of(config, i, call);
            row->bound_ticks = bound_of(config, i, call);
            row->usual_ticks = 0U;
            row->late_count = 0U;
            row->is_closed = must_close(config, call, row);
        }
    }
    timing->refusals = 0U;
    timing->late.limit_ticks = 0U;
}

const mete_timing_row_t *mete_timing_usage(const mete_timing_t *timing, mete_timing_call_t call,
                                           size_t size)
{
    METE_ASSERT((timing != NULL) && (timing->config != NULL));
    METE_ASSERT((unsigned)call < METE_TIMING_CALL_COUNT);
    return row_of(timing, call, size);
}

mete_timing_guarantee_t mete_timing_guarantee(const mete_timing_t *timing, mete_timing_call_t call,
                                              size_t size)
{
    return guarantee_of(mete_timing_usage(timing, call, size));
}

// What has no limit cannot be late, and no limit is 0.
const mete_timing_late_t *mete_timing_last(const mete_timing_t *timing)
{
    METE_ASSERT((timing != NULL) && (timing->config != NULL));
    return (timing->late.limit_ticks != 0U) ? &timing->late : NULL;
}

uint32_t mete_timing_refusals(const mete_timing_t *timing)
{
    METE_ASSERT((timing != NULL) && (timing->config != NULL));
    return timing->refusals;
}

static bool is_row_sound(const mete_timing_config_t *config, size_t index, mete_timing_call_t call,
                         const row_t *row)
{
    return (row->limit_ticks == limit_of(config, index, call)) &&
           (row->bound_ticks == bound_of(config, index, call)) &&
           (row->usual_ticks == usual_of(row)) && (was_late(row) == (row->late_count != 0U)) &&
           (row->is_closed == must_close(config, call, row));
}

bool mete_timing_check(const mete_timing_t *timing)
{
    METE_ASSERT((timing != NULL) && (timing->config != NULL));
    const mete_timing_config_t *const config = timing->config;
    if ((timing->classes != config->classes) || (timing->clock != config->clock) ||
        (timing->over_max != ((size_t)1U << (config->class_count - 1U)) - 1U) ||
        (timing->first_shift != 31U - mete_bits_clz((uint32_t)config->first_size))) {
        return false;
    }
    bool is_good = true;
    for (size_t i = 0U; i < config->class_count; i++) {
        for (unsigned kind = 0U; kind < METE_TIMING_CALL_COUNT; kind++) {
            const mete_timing_call_t call = (mete_timing_call_t)kind;
            is_good = is_good && is_row_sound(config, i, call, &timing->classes[i].rows[call]);
        }
    }
    return is_good;
}

mete_alloc_t mete_timing_as_alloc(mete_timing_t *timing)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((timing != NULL) && (timing->config != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(timing->inner)], timing};
    return view;
}
