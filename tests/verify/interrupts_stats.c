// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware for the emulated mps2-an386: interrupts every call of the statistics at every instruction, with an
// interrupt that reads them. It must find the numbers as they were in front of the call, or as they are
// behind it, all of them. tests/verify/interrupts runs it; sweep.h says how.

#include "mete/wrap/stats.h"
#include "tests/support/random.h"
#include "tests/verify/sweep.h"

enum {
    STATE_COUNT = 48,
    TICKS_MAX = 500,  // Longer than any call takes.
    BLOCK_SIZE = 40,
};

typedef enum { ACQUIRE, REFUSED, RELEASE, GROW, SHRINK, SAME, CALL_COUNT } call_t;

static mete_stats_t stats;
static mete_stats_usage_t before, after, seen;
static volatile bool is_seen;
static bool is_wrong;
static unsigned char memory[8];

// ---- What stands behind: it grants all but what is too much.

static void *flat_acquire(void *self, size_t size, size_t align)
{
    (void)align;
    return (size < SIZE_MAX / 4U) ? self : NULL;
}

static void flat_release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)block, (void)size, (void)align;
}

static bool flat_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    (void)self, (void)block, (void)old_size, (void)new_size, (void)align;
    return true;
}

static const mete_alloc_ops_t flat_ops = {flat_acquire, flat_release, flat_resize, NULL, NULL};

// ---- The interrupt

void on_interrupt(const uint32_t *frame)
{
    stop_timer();
    note_hit(frame);
    mete_stats_read(&stats, &seen);
    is_seen = true;
}

static bool is_equal(const mete_stats_usage_t *a, const mete_stats_usage_t *b)
{
    return (a->acquired_size == b->acquired_size) && (a->released_size == b->released_size) &&
           (a->acquires == b->acquires) && (a->releases == b->releases) &&
           (a->resizes == b->resizes) && (a->live_count == b->live_count) &&
           (a->in_use_size == b->in_use_size) && (a->in_use_peak == b->in_use_peak) &&
           (a->refusals == b->refusals) && (a->last_refusal_size == b->last_refusal_size) &&
           (a->last_refusal_align == b->last_refusal_align) &&
           ((a->last_refusal_caller == NULL) == (b->last_refusal_caller == NULL));
}

// ---- The states

// What random work leads to. In every third one the sum of what fell wraps next, or the counts do.
static mete_alloc_t reach(uint32_t state)
{
    uint32_t random = 2654435761U * (state + 1U);
    const mete_alloc_t flat = {&flat_ops, memory};
    (void)mete_stats_init(&stats, flat, NULL);
    const mete_alloc_t view = mete_stats_as_alloc(&stats);
    if (state % 3U == 1U) {
        stats.rises.total = stats.falls.total = SIZE_MAX - (state % 2U);
        stats.rises.bytes[0] = stats.falls.bytes[0] = SIZE_MAX - (state % 2U);
    } else if (state % 3U == 2U) {
        stats.rises.count = stats.falls.count = SIZE_MAX - 1U;
    }
    (void)mete_acquire(view, BLOCK_SIZE, 1U);
    for (uint32_t i = 0U; i < state; i++) {
        const size_t size = 1U + random_below(&random, 100U);
        (void)mete_acquire(view, size, 2U);
        if (random_below(&random, 2U) == 0U) {
            mete_release(view, memory, size, 2U);
        }
        if (random_below(&random, 4U) == 0U) {
            (void)mete_acquire(view, SIZE_MAX - size, 2U);
        }
        if ((state % 3U != 1U) && (random_below(&random, 4U) == 0U)) {
            mete_stats_reset_peak(&stats);
        }
    }
    return view;
}

// ---- The calls, and what they do to the numbers

static void predict_refusal(void)
{
    after.refusals++;
    after.last_refusal_size = SIZE_MAX / 2U;
    after.last_refusal_align = 8U;
    after.last_refusal_caller = memory;  // Somewhere.
}

static void predict(call_t call)
{
    static const int rises[CALL_COUNT] = {[ACQUIRE] = BLOCK_SIZE, [GROW] = 5};
    static const int falls[CALL_COUNT] = {[RELEASE] = BLOCK_SIZE, [SHRINK] = 7};
    mete_stats_read(&stats, &before);
    mete_stats_read(&stats, &after);
    if (call == REFUSED) {
        predict_refusal();
    }
    after.acquires += (call == ACQUIRE) ? 1U : 0U;
    after.releases += (call == RELEASE) ? 1U : 0U;
    after.resizes += (call >= GROW) ? 1U : 0U;
    after.live_count = after.acquires - after.releases;
    after.acquired_size += (uint64_t)rises[call];
    after.released_size += (uint64_t)falls[call];
    after.in_use_size = (size_t)(after.acquired_size - after.released_size);
    if (after.in_use_peak < after.in_use_size) {
        after.in_use_peak = after.in_use_size;
    }
}

__attribute__((noinline)) void verify_call(mete_alloc_t view, call_t call);
void verify_call(mete_alloc_t view, call_t call)
{
    switch (call) {
    case ACQUIRE:
        (void)view.ops->acquire(view.self, BLOCK_SIZE, 8U);
        break;
    case REFUSED:
        (void)view.ops->acquire(view.self, SIZE_MAX / 2U, 8U);
        break;
    case RELEASE:
        view.ops->release(view.self, memory, BLOCK_SIZE, 1U);
        break;
    case GROW:
        (void)view.ops->resize(view.self, memory, BLOCK_SIZE, BLOCK_SIZE + 5U, 1U);
        break;
    case SHRINK:
        (void)view.ops->resize(view.self, memory, BLOCK_SIZE, BLOCK_SIZE - 7U, 1U);
        break;
    default:
        (void)view.ops->resize(view.self, memory, BLOCK_SIZE, BLOCK_SIZE, 1U);
        break;
    }
}

// 0 ticks: no interrupt.
static void call_once(uint32_t state, call_t call, uint32_t ticks)
{
    const mete_alloc_t view = reach(state);
    predict(call);
    is_seen = false;
    if (ticks != 0U) {
        start_timer(ticks);
    }
    verify_begin();
    verify_call(view, call);
    verify_end();
    stop_timer();
    is_wrong = is_wrong || (is_seen && !is_equal(&seen, &before) && !is_equal(&seen, &after));
    mete_stats_read(&stats, &seen);
    is_wrong = is_wrong || !is_equal(&seen, &after);
}

int main(void)
{
    __asm volatile("cpsie i");
    print_states(STATE_COUNT);
    for (uint32_t state = 0U; state < STATE_COUNT; state++) {
        for (uint32_t call = 0U; call < CALL_COUNT; call++) {
            for (uint32_t ticks = 1U; (ticks <= TICKS_MAX) && (WHAT == 0U); ticks++) {
                call_once(state, (call_t)call, ticks);
            }
            if (WHAT != 0U) {
                call_once(state, (call_t)call, 0U);
            }
            print_hits(state, call);
        }
    }
    mete_text_string(tap_sink, is_wrong ? "FAIL\n" : "PASS\n");
    return is_wrong ? 1 : 0;
}
