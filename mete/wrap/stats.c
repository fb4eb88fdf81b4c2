// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Each kind of call has a count and, beside it, its sum of bytes in two copies; the lowest bit of the
// count says which copy is valid. A call writes the other copy and then, with one store, the count.
// So whoever reads between any two instructions finds a count and a sum that belong together. What
// is live and in use is not stored for readers but follows from counts and sums. Of what was handed
// out one word is enough: what came back, in full, and what is in use complete it.
//
// Whatever a reader reads is written and read as a word of mete/core/atomic.h, without any order: that is
// what the fences are for. A copy that changes meanwhile is read to no purpose, but is no data race.

#include "mete/wrap/stats.h"

#include "mete/core/atomic.h"

enum { HALF = 4 * (int)sizeof(size_t) };  // Bits of half a word.

// Says that the copies of `count` and before may be read, and that later ones may now change: a reader
// that sees one change must also see that the count moved on.
static void publish(size_t *count, size_t value)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
    mete_atomic_store_relaxed(count, value);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

METE_INLINE void book_rise(mete_stats_rise_t *rise, size_t bytes)
{
    const size_t old = rise->count % 2U;
    const size_t count = rise->count + 1U;
    mete_atomic_store_relaxed(&rise->bytes[count % 2U], rise->bytes[old] + bytes);
    publish(&rise->count, count);
}

METE_INLINE void book_fall(mete_stats_fall_t *fall, size_t bytes)
{
    const size_t count = fall->count + 1U;
    const mete_stats_sum_t *const old = &fall->bytes[(count - 1U) % 2U];
    mete_stats_sum_t *const sum = &fall->bytes[count % 2U];
    size_t low = 0U;
    const bool has_carry = __builtin_add_overflow(old->low, bytes, &low);
    mete_atomic_store_relaxed(&sum->low, low);
    mete_atomic_store_relaxed(&sum->high, old->high + (has_carry ? 1U : 0U));
    publish(&fall->count, count);
}

static void book_refusal(mete_stats_refused_t *refused, size_t size, size_t align)
{
    const size_t count = refused->count + 1U;
    mete_atomic_store_relaxed(&refused->size[count % 2U], size);
    mete_atomic_store_relaxed(&refused->align[count % 2U], align);
    publish(&refused->count, count);
}

// Before the call is booked: no reader may see more in use than the peak.
static void raise_in_use(mete_stats_t *stats, size_t bytes)
{
    const size_t in_use = stats->in_use_size + bytes;
    stats->in_use_size = in_use;
    if (stats->in_use_peak < in_use) {
        mete_atomic_store_relaxed(&stats->in_use_peak, in_use);
    }
}

static void tell_site(const mete_stats_t *stats, const void *caller)
{
    if (stats->site != NULL) {
        stats->site->caller = caller;
    }
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_stats_t *const stats = self;
    tell_site(stats, METE_CALLER());
    void *const block = stats->inner.ops->acquire(stats->inner.self, size, align);
    if (!METE_LIKELY(block != NULL)) {
        book_refusal(&stats->refused, size, align);
        return NULL;
    }
    raise_in_use(stats, size);
    book_rise(&stats->acquired, size);
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_stats_t *const stats = self;
    tell_site(stats, METE_CALLER());
    stats->in_use_size -= size;
    book_fall(&stats->released, size);
    stats->inner.ops->release(stats->inner.self, block, size, align);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_stats_t *const stats = self;
    tell_site(stats, METE_CALLER());
    if (!stats->inner.ops->resize(stats->inner.self, block, old_size, new_size, align)) {
        return false;
    }
    if (new_size >= old_size) {
        raise_in_use(stats, new_size - old_size);
        book_rise(&stats->grown, new_size - old_size);
    } else {
        stats->in_use_size -= old_size - new_size;
        book_fall(&stats->shrunk, old_size - new_size);
    }
    return true;
}

static bool owns(const void *self, const void *address)
{
    const mete_stats_t *const stats = self;
    return stats->inner.ops->owns(stats->inner.self, address);
}

static size_t size_of(const void *self, const void *block)
{
    const mete_stats_t *const stats = self;
    return stats->inner.ops->size_of(stats->inner.self, block);
}

bool mete_stats_init(mete_stats_t *stats, mete_alloc_t inner, mete_site_t *site)
{
    METE_ASSERT(stats != NULL);
    if (inner.ops == NULL) {
        return false;
    }
    stats->inner.ops = inner.ops;
    stats->inner.self = inner.self;
    stats->site = site;
    stats->in_use_size = 0U;
    stats->in_use_peak = 0U;
    stats->acquired.count = 0U;
    stats->grown.count = 0U;
    stats->released.count = 0U;
    stats->shrunk.count = 0U;
    stats->refused.count = 0U;
    // The other copies are written before they are read.
    stats->acquired.bytes[0] = 0U;
    stats->grown.bytes[0] = 0U;
    stats->released.bytes[0].low = 0U;
    stats->released.bytes[0].high = 0U;
    stats->shrunk.bytes[0].low = 0U;
    stats->shrunk.bytes[0].high = 0U;
    stats->refused.size[0] = 0U;
    stats->refused.align[0] = 0U;
    return true;
}

METE_INLINE size_t count_of(const size_t *count)
{
    const size_t value = mete_atomic_load_relaxed(count);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return value;
}

// How many calls were ever booked. As every count only rises, an equal sum means equal counts.
static size_t calls_of(const mete_stats_t *stats)
{
    return count_of(&stats->acquired.count) + count_of(&stats->released.count) +
           count_of(&stats->grown.count) + count_of(&stats->shrunk.count) +
           count_of(&stats->refused.count);
}

static size_t risen(const mete_stats_rise_t *rise)
{
    return mete_atomic_load_relaxed(&rise->bytes[count_of(&rise->count) % 2U]);
}

static uint64_t fallen(const mete_stats_fall_t *fall)
{
    const mete_stats_sum_t *const sum = &fall->bytes[count_of(&fall->count) % 2U];
    const uint64_t low = mete_atomic_load_relaxed(&sum->low);
    const uint64_t high = mete_atomic_load_relaxed(&sum->high);
    return low | (high << HALF << HALF);  // In two steps, for it may be by all bits.
}

static void copy_refusal(const mete_stats_refused_t *refused, mete_stats_usage_t *usage)
{
    usage->refusals = count_of(&refused->count);
    usage->last_refusal_size = mete_atomic_load_relaxed(&refused->size[usage->refusals % 2U]);
    usage->last_refusal_align = mete_atomic_load_relaxed(&refused->align[usage->refusals % 2U]);
}

void mete_stats_read(const mete_stats_t *stats, mete_stats_usage_t *usage)
{
    METE_ASSERT((stats != NULL) && (usage != NULL));
    size_t calls = 0U;
    size_t acquired_size = 0U;
    do {
        calls = calls_of(stats);
        acquired_size = risen(&stats->acquired) + risen(&stats->grown);
        usage->released_size = fallen(&stats->released) + fallen(&stats->shrunk);
        usage->acquires = count_of(&stats->acquired.count);
        usage->releases = count_of(&stats->released.count);
        usage->resizes = count_of(&stats->grown.count) + count_of(&stats->shrunk.count);
        usage->in_use_peak = mete_atomic_load_relaxed(&stats->in_use_peak);
        copy_refusal(&stats->refused, usage);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (calls_of(stats) != calls);  // Each repeat is progress of the calls that are counted.
    usage->live_count = usage->acquires - usage->releases;
    usage->in_use_size = acquired_size - (size_t)usage->released_size;
    usage->acquired_size = usage->released_size + usage->in_use_size;
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

void mete_stats_reset_peak(mete_stats_t *stats)
{
    METE_ASSERT(stats != NULL);
    mete_atomic_store_relaxed(&stats->in_use_peak, stats->in_use_size);
}

mete_alloc_t mete_stats_as_alloc(mete_stats_t *stats)
{
    // What the allocator behind cannot do is NULL here too: one table for each case.
    static const mete_alloc_ops_t tables[8] = {
        {acquire, release, NULL, NULL, NULL},    {acquire, release, resize, NULL, NULL},
        {acquire, release, NULL, owns, NULL},    {acquire, release, resize, owns, NULL},
        {acquire, release, NULL, NULL, size_of}, {acquire, release, resize, NULL, size_of},
        {acquire, release, NULL, owns, size_of}, {acquire, release, resize, owns, size_of},
    };
    METE_ASSERT((stats != NULL) && (stats->inner.ops != NULL));
    const mete_alloc_ops_t *const inner = stats->inner.ops;
    const size_t which = ((inner->resize != NULL) ? 1U : 0U) + ((inner->owns != NULL) ? 2U : 0U) +
                         ((inner->size_of != NULL) ? 4U : 0U);
    const mete_alloc_t view = {&tables[which], stats};
    return view;
}
