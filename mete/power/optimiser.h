// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_OPTIMISER_H
#define METE_OPTIMISER_H

/// Which state a bank of RAM should sleep in, so that the least energy is used: from how long a program idles.
///
/// To sleep takes energy, and so does to wake: it pays off only if the bank sleeps long enough. A state with power P that
/// takes the energies D to get there and U to get back to ACTIVE, with power A, breaks even after
///
///     t = (D + U) / (A - P)
///
/// But nobody knows how long the program will idle. It does know how long it did: note each idle time, or declare what you
/// expect, and let this module choose. If the program can set a timer while it idles, it gets a schedule: what to sleep in at
/// first, and when to go deeper, for who has idled for long often goes on to do so. If it cannot: the best single state.
///
///     static mete_optimiser_idle_t idle;
///     (void)mete_optimiser_init(&idle, 1000, 12, 500);                // From 1 ms on; the last few hundred times.
///     ...
///     mete_optimiser_note(&idle, slept_us, 1);
///     const mete_optimiser_demand_t demand = {.latency_us = 100, .must_retain = true};
///     (void)mete_optimiser_choose(&idle, &kind, &demand, &schedule);
///     (void)mete_bank_sleep(&bank, 1, (mete_ram_state_t)schedule.states[0]);  // At schedule's times, the next states.
///
///   Time     note: O(buckets). choose: O(buckets), at most 16 steps of 16 sums each. choose_state: O(buckets). break_even_us:
///            64 steps. No division but of words.
///   Space    One mete_optimiser_idle_t, 208 bytes for any number of notes; what is chosen for: nothing.
///   Threads  Not synchronised: calls on one mete_optimiser_idle_t exclude each other.
///   Errors   Parameters that break a limit: false, and nothing changes. There is always a choice: to stay active. Counts that
///            cannot be: METE_FAULT_CORRUPT; nothing is noted, and a schedule is one bucket long: ACTIVE, without energies.
///   Limits   Energies stay at UINT64_MAX, 584 years at 1 W: what takes more is not told apart. Let age_count be several times
///            bucket_count: of a single time in a bucket half is none.
///
/// Of idle times is kept how many there were, and how long they were together, in buckets: times below `unit_us`, below twice as
/// much, below four times ... and all that are longer. What a schedule takes for these is exact, not an estimate; only that it
/// changes state at the edges of buckets alone. It is the best of all such schedules, for what comes is decided first: what
/// is best from an edge on depends on the state in which it is reached, and on nothing before. Energies are those of mete/power/bank.h:
/// a state's power for as long as it lasts, and each change on top.

#include "mete/core/base.h"
#include "mete/core/ram.h"
#include "mete/power/bank.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Most buckets.
#define METE_OPTIMISER_BUCKET_MAX 16U

/// How long a program idled. To be read.
typedef struct mete_optimiser_idle {
    uint64_t sums_us[METE_OPTIMISER_BUCKET_MAX];  ///< Of a bucket's times.
    uint32_t counts[METE_OPTIMISER_BUCKET_MAX];   ///< How many.
    uint32_t
        unit_us;  ///< End of the first bucket; each further one ends at twice the end of the one before.
    uint32_t bucket_count;  ///< The last one has no end.
    uint32_t count;         ///< In all buckets.
    uint32_t age_count;     // When there are so many, all are halved.
} mete_optimiser_idle_t;

/// What a bank must be able to.
typedef struct mete_optimiser_demand {
    uint32_t latency_us;  ///< It must be awake after so long.
    bool must_retain;     ///< Something lives in it.
} mete_optimiser_demand_t;

/// In which state to be, by how long the program has idled already.
typedef struct mete_optimiser_schedule {
    uint64_t energy_nj;  ///< What that takes in all, for the times as they were noted.
    uint64_t active_nj;  ///< What it would take to stay active.
    uint8_t states[METE_OPTIMISER_BUCKET_MAX];  ///< A mete_ram_state_t for each bucket.
    uint32_t bucket_count;
} mete_optimiser_schedule_t;

/// Starts without times. `unit_us` at least 1, 1 to METE_OPTIMISER_BUCKET_MAX buckets, the last of which begins below 2^32 microseconds.
/// `age_count`: when so many times are noted, all counts and sums are halved, so that what was long ago counts less. At least 2;
/// UINT32_MAX: hardly ever.
bool mete_optimiser_init(mete_optimiser_idle_t *idle, uint32_t unit_us, uint32_t bucket_count,
                         uint32_t age_count);

/// Takes down that the program idled for so long, `count` times: 1 of what was measured, or as many as are declared. Counts that
/// do not fit below age_count at once: what fits.
void mete_optimiser_note(mete_optimiser_idle_t *idle, uint32_t time_us, uint32_t count);

/// The schedule that takes the least energy for times as they were noted, of all that meet the demand. A state is used only
/// if it can be left for ACTIVE within the latency, and retains, if that is demanded. Of equal ones that with the lower states, to begin with.
/// Without any time noted: to stay active.
void mete_optimiser_choose(const mete_optimiser_idle_t *idle, const mete_bank_kind_t *kind,
                           const mete_optimiser_demand_t *demand,
                           mete_optimiser_schedule_t *schedule);

/// Likewise, the best single state for all of an idle time: all states of the schedule are it.
void mete_optimiser_choose_state(const mete_optimiser_idle_t *idle, const mete_bank_kind_t *kind,
                                 const mete_optimiser_demand_t *demand,
                                 mete_optimiser_schedule_t *schedule);

/// When a schedule, in a bucket, ends: microseconds after the program began to idle. 0: the last bucket does not.
uint32_t mete_optimiser_end_us(const mete_optimiser_idle_t *idle, size_t bucket);

/// How long a bank must sleep in a state for it to pay off against staying active, in microseconds, rounded up. UINT64_MAX: never, as
/// when it does not take less power, cannot be reached or left, or is no state.
uint64_t mete_optimiser_break_even_us(const mete_bank_kind_t *kind, mete_ram_state_t state);

/// True if counts and sums agree with the limits of their buckets.
bool mete_optimiser_check(const mete_optimiser_idle_t *idle);

#ifdef __cplusplus
}
#endif
#endif
