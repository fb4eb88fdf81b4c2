// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What hands bytes out is a rise, what takes them back a fall. Either has a count and, beside it, its sum
// of bytes in two copies; the lowest bit of the count says which copy is valid. A call writes the other
// copy and then, with one store, the count. So whoever reads between any two instructions finds a count
// and a sum that belong together. What is live and in use is not stored but follows from counts and sums.
//
// In use is more than ever before only in front of a fall, or now: so the peak is looked at there, and
// not in an acquire.
//
// Some rises and falls are counted once more: resizes, and falls whose sum wraps, which make the upper
// word of all that fell. (Of what rose, that follows.) Two counts cannot move at once. So such a call
// says first which rise or fall it is going to be, and readers see whether it has come to that.
//
// Whatever a reader reads is written and read as a word of mete/core/atomic.h, without any order: that is
// what the fences are for. A copy that changes meanwhile is read to no purpose, but is no data race.

#include "mete/wrap/stats.h"

#include "mete/core/atomic.h"
#include "mete/core/bits.h"
#include "mete/core/pass.h"

enum { HALF = 4 * (int)sizeof(size_t) };  // Bits of half a word.

// Says that the copies of `count` and before may be read, and that later ones may now change: a reader
// that sees one change must also see that the count moved on.
static void publish(size_t *count, size_t value)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
    mete_atomic_store_relaxed(count, value);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

// The sum of `flow` is now `total`.
METE_INLINE void book(mete_stats_flow_t *flow, size_t total)
{
    const size_t count = flow->count + 1U;
    flow->total = total;
    mete_atomic_store_relaxed(&flow->bytes[count % 2U], total);
    publish(&flow->count, count);
}

METE_INLINE void book_rise(mete_stats_t *stats, size_t bytes)
{
    book(&stats->rises, stats->rises.total + bytes);
}

// The next call of `flow` is one of these, too.
static void begin(mete_stats_among_t *among, const mete_stats_flow_t *flow)
{
    mete_atomic_store_relaxed(&among->at, flow->count + 1U);
    publish(&among->begun, among->begun + 1U);
}

static void end(mete_stats_among_t *among)
{
    publish(&among->done, among->begun);
}

METE_INLINE void book_fall(mete_stats_t *stats, size_t bytes)
{
    const size_t fallen = stats->falls.total;
    const size_t in_use = stats->rises.total - fallen;  // Before: nobody has compared it yet.
    // As signed numbers: what was released twice makes it negative, and that is no peak.
    if (!METE_LIKELY((ptrdiff_t)in_use <= (ptrdiff_t)stats->peak)) {
        mete_atomic_store_relaxed(&stats->peak, in_use);
    }
    size_t total = 0U;
    if (!METE_LIKELY(!__builtin_add_overflow(fallen, bytes, &total))) {
        begin(&stats->wraps, &stats->falls);
        book(&stats->falls, total);
        end(&stats->wraps);
        return;
    }
    book(&stats->falls, total);
}

static void book_resize(mete_stats_t *stats, size_t old_size, size_t new_size)
{
    if (new_size >= old_size) {
        begin(&stats->grows, &stats->rises);
        book_rise(stats, new_size - old_size);
        end(&stats->grows);
    } else {
        begin(&stats->shrinks, &stats->falls);
        book_fall(stats, old_size - new_size);
        end(&stats->shrinks);
    }
}

static void *refuse(mete_stats_refused_t *refused, size_t size, size_t align, const void *caller)
{
    const size_t count = refused->count + 1U;
    mete_atomic_store_relaxed(&refused->size[count % 2U], size);
    mete_atomic_store_relaxed(&refused->align[count % 2U], align);
    mete_atomic_store_relaxed(&refused->caller[count % 2U], (size_t)caller);
    publish(&refused->count, count);
    return NULL;
}

METE_INLINE void *count_acquire(mete_stats_t *stats, size_t size, size_t align, const void *caller)
{
    void *const block = stats->inner.ops->acquire(stats->inner.self, size, align);
    if (!METE_LIKELY(block != NULL)) {
        return refuse(&stats->refused, size, align, caller);
    }
    book_rise(stats, size);
    return block;
}

// ---- As a rule there is no config

static void *acquire(void *self, size_t size, size_t align)
{
    return count_acquire(self, size, align, METE_CALLER());
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_stats_t *const stats = self;
    book_fall(stats, size);
    stats->inner.ops->release(stats->inner.self, block, size, align);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_stats_t *const stats = self;
    if (!stats->inner.ops->resize(stats->inner.self, block, old_size, new_size, align)) {
        return false;
    }
    book_resize(stats, old_size, new_size);
    return true;
}

// ---- With a config

static void tell(const mete_stats_config_t *config, const void *caller)
{
    if (config->told != NULL) {
        config->told->caller = caller;
    }
}

static void count_class(size_t *classes, size_t size)
{
    size_t *const count = &classes[63U - mete_bits_clz64(size)];
    mete_atomic_store_relaxed(count, *count + 1U);
}

static void *acquire_noting(void *self, size_t size, size_t align)
{
    mete_stats_t *const stats = self;
    const mete_stats_config_t *const config = stats->config;
    const void *const caller = (config->site != NULL) ? config->site->caller : METE_CALLER();
    tell(config, caller);
    void *const block = count_acquire(stats, size, align, caller);
    if ((block != NULL) && (config->classes != NULL)) {
        count_class(config->classes, size);
    }
    return block;
}

static void release_noting(void *self, void *block, size_t size, size_t align)
{
    tell(((const mete_stats_t *)self)->config, METE_CALLER());
    release(self, block, size, align);
}

static bool resize_noting(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    tell(((const mete_stats_t *)self)->config, METE_CALLER());
    return resize(self, block, old_size, new_size, align);
}

// ---- Public functions

bool mete_stats_init(mete_stats_t *stats, mete_alloc_t inner, const mete_stats_config_t *config)
{
    METE_ASSERT(stats != NULL);
    if (inner.ops == NULL) {
        return false;
    }
    mete_words_fill(stats, 0U, sizeof *stats);
    stats->inner.ops = inner.ops;
    stats->inner.self = inner.self;
    stats->config = config;
    if ((config != NULL) && (config->classes != NULL)) {
        const size_t count = METE_STATS_CLASS_COUNT;
        mete_words_fill(config->classes, 0U, count * sizeof config->classes[0]);
    }
    return true;
}

METE_INLINE size_t count_of(const size_t *count)
{
    const size_t value = mete_atomic_load_relaxed(count);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return value;
}

static size_t steps_among(const mete_stats_among_t *among)
{
    return count_of(&among->begun) + count_of(&among->done);
}

// How many steps were ever published. As every count only rises, an equal sum means equal counts.
static size_t steps_of(const mete_stats_t *stats)
{
    return count_of(&stats->rises.count) + count_of(&stats->falls.count) +
           steps_among(&stats->grows) + steps_among(&stats->shrinks) + steps_among(&stats->wraps) +
           count_of(&stats->refused.count);
}

// How many of the first `count` calls of a flow are such.
static size_t count_among(const mete_stats_among_t *among, size_t count)
{
    const size_t done = count_of(&among->done);
    const size_t begun = count_of(&among->begun);
    return ((begun != done) && (mete_atomic_load_relaxed(&among->at) == count)) ? begun : done;
}

static void copy_rises(const mete_stats_t *stats, mete_stats_usage_t *usage)
{
    const size_t count = count_of(&stats->rises.count);
    const size_t grows = count_among(&stats->grows, count);
    usage->in_use_size = mete_atomic_load_relaxed(&stats->rises.bytes[count % 2U]);
    usage->acquires = count - grows;
    usage->resizes = grows;
}

// Completes what copy_rises() began.
static void copy_falls(const mete_stats_t *stats, mete_stats_usage_t *usage)
{
    const size_t count = count_of(&stats->falls.count);
    const size_t shrinks = count_among(&stats->shrinks, count);
    const size_t low = mete_atomic_load_relaxed(&stats->falls.bytes[count % 2U]);
    const uint64_t high = count_among(&stats->wraps, count);
    usage->released_size =
        low | (high << HALF << HALF);  // In two steps, for it may be by all bits.
    usage->in_use_size -= low;
    usage->releases = count - shrinks;
    usage->resizes += shrinks;
}

static void copy_refusals(const mete_stats_refused_t *refused, mete_stats_usage_t *usage)
{
    const size_t count = count_of(&refused->count);
    usage->refusals = count;
    usage->last_refusal_size = mete_atomic_load_relaxed(&refused->size[count % 2U]);
    usage->last_refusal_align = mete_atomic_load_relaxed(&refused->align[count % 2U]);
    usage->last_refusal_caller =
        (const void *)mete_atomic_load_relaxed(&refused->caller[count % 2U]);
}

// What was released twice, and refused behind, was counted: so more may have been taken back than handed out.
static size_t not_negative(size_t difference)
{
    return (difference <= SIZE_MAX / 2U) ? difference : 0U;
}

void mete_stats_read(const mete_stats_t *stats, mete_stats_usage_t *usage)
{
    METE_ASSERT((stats != NULL) && (usage != NULL));
    size_t steps = 0U;
    size_t peak = 0U;
    do {
        steps = steps_of(stats);
        copy_rises(stats, usage);
        copy_falls(stats, usage);
        copy_refusals(&stats->refused, usage);
        peak = mete_atomic_load_relaxed(&stats->peak);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (steps_of(stats) != steps);  // Each repeat is progress of the calls that are counted.
    usage->acquired_size = usage->released_size + (uint64_t)(ptrdiff_t)usage->in_use_size;
    usage->in_use_size = not_negative(usage->in_use_size);
    usage->in_use_peak = (peak < usage->in_use_size) ? usage->in_use_size : peak;
    usage->live_count = not_negative(usage->acquires - usage->releases);
}

uint16_t mete_stats_refusal_permille(const mete_stats_usage_t *usage)
{
    METE_ASSERT(usage != NULL);
    const size_t refusals = usage->refusals;
    size_t requests = 0U;
    if (__builtin_add_overflow(usage->acquires, refusals, &requests)) {
        requests = SIZE_MAX;
    }
    // Multiply first, unless that overflows: then the requests are so many that a thousandth will do.
    const bool is_small = refusals <= SIZE_MAX / 1000U;
    const size_t share = is_small ? refusals * 1000U : refusals;
    const size_t whole = is_small ? requests : requests / 1000U;
    const size_t permille = (share != 0U) ? share / whole + ((share % whole != 0U) ? 1U : 0U) : 0U;
    return (uint16_t)((permille < 1000U) ? permille : 1000U);
}

size_t mete_stats_total_of_class(const mete_stats_t *stats, size_t index)
{
    METE_ASSERT((stats != NULL) && (index < METE_STATS_CLASS_COUNT));
    const bool is_counted = (stats->config != NULL) && (stats->config->classes != NULL) &&
                            (index < METE_STATS_CLASS_COUNT);
    return is_counted ? mete_atomic_load_relaxed(&stats->config->classes[index]) : 0U;
}

void mete_stats_reset_peak(mete_stats_t *stats)
{
    METE_ASSERT(stats != NULL);
    mete_atomic_store_relaxed(&stats->peak, stats->rises.total - stats->falls.total);
}

mete_alloc_t mete_stats_as_alloc(mete_stats_t *stats)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    static const mete_alloc_ops_t noting[METE_PASS_TABLE_COUNT] = METE_PASS_TABLES(
        acquire_noting, release_noting, resize_noting, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((stats != NULL) && (stats->inner.ops != NULL));
    const size_t which = mete_pass_index_of(stats->inner);
    const mete_alloc_t view = {(stats->config == NULL) ? &tables[which] : &noting[which], stats};
    return view;
}
