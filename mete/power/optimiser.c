// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A schedule is found from its end: for every state in which a bucket can be reached, what is best from there on. Of two
// schedules that are in the same state at an edge the rest is the same, so only the better one need be kept (R. Bellman,
// Dynamic Programming, 1957).

#include "mete/power/optimiser.h"

#include "mete/core/words.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

enum { ACTIVE = METE_RAM_ACTIVE, STATES = METE_RAM_STATE_COUNT };

typedef mete_optimiser_idle_t idle_t;

// What all idle times together are in a bucket.
typedef struct bucket {
    uint32_t reached_count;  // Times that came to it;
    uint32_t ended_count;    // that ended in it;
    uint64_t time_us;        // and for how long they were in it.
} bucket_t;

static uint32_t start_of(const idle_t *idle, size_t number)
{
    return (number == 0U) ? 0U : idle->unit_us << (number - 1U);
}

uint32_t mete_optimiser_end_us(const mete_optimiser_idle_t *idle, size_t bucket)
{
    METE_ASSERT((idle != NULL) && (bucket < idle->bucket_count));
    return (bucket + 1U < idle->bucket_count) ? start_of(idle, bucket + 1U) : 0U;
}

bool mete_optimiser_init(mete_optimiser_idle_t *idle, uint32_t unit_us, uint32_t bucket_count,
                         uint32_t age_count)
{
    METE_ASSERT(idle != NULL);
    if ((unit_us == 0U) || (bucket_count == 0U) || (bucket_count > METE_OPTIMISER_BUCKET_MAX) ||
        (age_count < 2U) ||
        ((bucket_count > 1U) && (unit_us > UINT32_MAX >> (bucket_count - 2U)))) {
        return false;
    }
    // A loop over the tables might become a call to memset(), which is libc.
    mete_words_fill(idle, 0U, sizeof *idle);
    idle->unit_us = unit_us;
    idle->bucket_count = bucket_count;
    idle->age_count = age_count;
    return true;
}

static size_t bucket_of(const idle_t *idle, uint32_t time_us)
{
    size_t number = 0U;
    while ((number + 1U < idle->bucket_count) && (time_us >= start_of(idle, number + 1U))) {
        number++;
    }
    return number;
}

// Halves counts, and what sums are above the least that so many times can be. Of an odd count one goes; then half may be
// more than the rest of the times can be.
static void halve(idle_t *idle)
{
    idle->count = 0U;
    for (size_t i = 0U; i < idle->bucket_count; i++) {
        const uint32_t start = start_of(idle, i);
        const uint32_t count = idle->counts[i] / 2U;
        const uint64_t above = (idle->sums_us[i] - (uint64_t)start * idle->counts[i]) / 2U;
        const uint64_t above_max = (uint64_t)(mete_optimiser_end_us(idle, i) - 1U - start) * count;
        idle->sums_us[i] = (uint64_t)start * count + ((above < above_max) ? above : above_max);
        idle->counts[i] = count;
        idle->count += count;
    }
}

// Of one that was never begun the counts are 0; of a damaged one they may lead out of its tables.
static bool are_counts_sound(const idle_t *idle)
{
    return (idle->bucket_count != 0U) && (idle->bucket_count <= METE_OPTIMISER_BUCKET_MAX) &&
           (idle->count < idle->age_count);
}

void mete_optimiser_note(mete_optimiser_idle_t *idle, uint32_t time_us, uint32_t count)
{
    METE_ASSERT(idle != NULL);
    if (IS_CHECKED && !are_counts_sound(idle)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)idle, NULL);
        return;
    }
    const uint32_t room = idle->age_count - idle->count;
    const uint32_t taken = (count < room) ? count : room;
    const size_t number = bucket_of(idle, time_us);
    idle->counts[number] += taken;
    idle->sums_us[number] += (uint64_t)time_us * taken;
    idle->count += taken;
    if (idle->count == idle->age_count) {
        halve(idle);
    }
    METE_ASSERT((METE_CHECK_LEVEL < 3) || mete_optimiser_check(idle));
}

// ---- What a schedule takes

// From the last bucket on backwards: `reached_count` is of the one behind.
static void describe(const idle_t *idle, size_t number, bucket_t *bucket)
{
    const uint32_t gone_on = bucket->reached_count;
    const uint32_t start = start_of(idle, number);
    const uint32_t end = mete_optimiser_end_us(idle, number);
    bucket->ended_count = idle->counts[number];
    bucket->reached_count = gone_on + bucket->ended_count;
    bucket->time_us = (uint64_t)gone_on * (end - start);  // Nobody goes on from the last.
    bucket->time_us += idle->sums_us[number] - ((uint64_t)start * bucket->ended_count);
}

static bool suits(const mete_bank_kind_t *kind, const mete_optimiser_demand_t *demand, size_t state)
{
    const mete_bank_change_t *const back = &kind->changes[state][ACTIVE];
    return (state == (size_t)ACTIVE) ||
           (back->is_legal && (back->latency_us <= demand->latency_us) &&
            (kind->modes[state].retains || !demand->must_retain));
}

static bool leads(const mete_bank_kind_t *kind, size_t from, size_t to)
{
    return (from == to) || kind->changes[from][to].is_legal;
}

// What 64 bits cannot say is the largest number there is, which no choice is better than.
static uint64_t sum_of(uint64_t a, uint64_t b)
{
    const uint64_t sum = a + b;
    return (sum >= a) ? sum : UINT64_MAX;
}

static uint64_t change_nj(const mete_bank_kind_t *kind, size_t from, size_t to, uint32_t count)
{
    return (from == to) ? 0U : (uint64_t)kind->changes[from][to].energy_nj * count;
}

// In a state for as long as idle times are in a bucket, and back from it for those that end there.
static uint64_t stay_nj(const mete_bank_kind_t *kind, size_t state, const bucket_t *bucket)
{
    return sum_of(mete_bank_energy_of(kind->modes[state].power_uw, bucket->time_us),
                  change_nj(kind, state, ACTIVE, bucket->ended_count));
}

// From a bucket on, for each state to be in, in it: without the change that leads there. UINT64_MAX: it does not suit, or takes
// more than 64 bits can say. If all do, the choice is to stay active, or to wake.
static void weigh(const mete_bank_kind_t *kind, const mete_optimiser_demand_t *demand,
                  const bucket_t *bucket, const uint64_t *behind_nj, uint64_t *cost_nj)
{
    for (size_t state = 0U; state < (size_t)STATES; state++) {
        cost_nj[state] = suits(kind, demand, state)
                             ? sum_of(stay_nj(kind, state, bucket), behind_nj[state])
                             : UINT64_MAX;
    }
}

// What is best from the bucket on if it is reached in state `from`: the state to be in, in it, and the energy.
static uint8_t decide(const mete_bank_kind_t *kind, uint32_t reached_count, size_t from,
                      const uint64_t *cost_nj, uint64_t *least_nj)
{
    uint64_t least = UINT64_MAX;
    size_t choice = ACTIVE;
    for (size_t to = 0U; to < (size_t)STATES; to++) {
        if ((cost_nj[to] == UINT64_MAX) || !leads(kind, from, to)) {
            continue;
        }
        const uint64_t energy = sum_of(change_nj(kind, from, to, reached_count), cost_nj[to]);
        if (energy < least) {
            least = energy;
            choice = to;
        }
    }
    *least_nj = least;
    return (uint8_t)choice;
}

static uint64_t active_nj(const idle_t *idle, const mete_bank_kind_t *kind)
{
    uint64_t sum_us = 0U;
    for (size_t i = 0U; i < idle->bucket_count; i++) {
        sum_us += idle->sums_us[i];
    }
    return mete_bank_energy_of(kind->modes[ACTIVE].power_uw, sum_us);
}

// The choice that there always is.
static void stay_active(mete_optimiser_schedule_t *schedule)
{
    schedule->states[0] = ACTIVE;
    schedule->bucket_count = 1U;
    schedule->energy_nj = 0U;
    schedule->active_nj = 0U;
}

void mete_optimiser_choose(const mete_optimiser_idle_t *idle, const mete_bank_kind_t *kind,
                           const mete_optimiser_demand_t *demand,
                           mete_optimiser_schedule_t *schedule)
{
    METE_ASSERT((idle != NULL) && (kind != NULL) && (demand != NULL) && (schedule != NULL));
    if (IS_CHECKED && !are_counts_sound(idle)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)idle, NULL);
        stay_active(schedule);
        return;
    }
    uint8_t choices[METE_OPTIMISER_BUCKET_MAX][STATES];
    uint64_t behind_nj[STATES];
    bucket_t bucket;
    bucket.reached_count = 0U;
    mete_words_fill(behind_nj, 0U, sizeof behind_nj);  // As above.
    for (size_t i = idle->bucket_count; i != 0U; i--) {
        uint64_t cost_nj[STATES];
        describe(idle, i - 1U, &bucket);
        weigh(kind, demand, &bucket, behind_nj, cost_nj);
        for (size_t from = 0U; from < (size_t)STATES; from++) {
            choices[i - 1U][from] =
                decide(kind, bucket.reached_count, from, cost_nj, &behind_nj[from]);
        }
    }
    size_t state = ACTIVE;
    for (size_t i = 0U; i < idle->bucket_count; i++) {
        state = choices[i][state];
        schedule->states[i] = (uint8_t)state;
    }
    schedule->bucket_count = idle->bucket_count;
    schedule->energy_nj = behind_nj[ACTIVE];
    schedule->active_nj = active_nj(idle, kind);
}

// One state from the begin of each idle time to its end.
static uint64_t single_nj(const idle_t *idle, const mete_bank_kind_t *kind, size_t state)
{
    bucket_t bucket;
    uint64_t sum = 0U;
    bucket.reached_count = 0U;
    for (size_t i = idle->bucket_count; i != 0U; i--) {
        describe(idle, i - 1U, &bucket);
        sum = sum_of(sum, stay_nj(kind, state, &bucket));
    }
    return sum_of(sum, change_nj(kind, ACTIVE, state, bucket.reached_count));
}

void mete_optimiser_choose_state(const mete_optimiser_idle_t *idle, const mete_bank_kind_t *kind,
                                 const mete_optimiser_demand_t *demand,
                                 mete_optimiser_schedule_t *schedule)
{
    METE_ASSERT((idle != NULL) && (kind != NULL) && (demand != NULL) && (schedule != NULL));
    if (IS_CHECKED && !are_counts_sound(idle)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)idle, NULL);
        stay_active(schedule);
        return;
    }
    size_t best = ACTIVE;
    uint64_t best_nj = single_nj(idle, kind, ACTIVE);
    for (size_t state = 1U; state < (size_t)STATES; state++) {
        const bool is_possible = suits(kind, demand, state) && leads(kind, ACTIVE, state);
        const uint64_t energy = is_possible ? single_nj(idle, kind, state) : UINT64_MAX;
        if (energy < best_nj) {
            best = state;
            best_nj = energy;
        }
    }
    mete_words_fill(schedule->states, (uint8_t)best, idle->bucket_count);  // As above.
    schedule->bucket_count = idle->bucket_count;
    schedule->energy_nj = best_nj;
    schedule->active_nj = active_nj(idle, kind);
}

// ---- Break-even

// Rounded up, bit by bit: small cores cannot divide so much.
static uint64_t divide_up(uint64_t dividend, uint32_t divisor)
{
    uint64_t quotient = 0U;
    uint64_t rest = 0U;
    for (unsigned i = 0U; i < 64U; i++) {
        rest = (rest << 1) | (dividend >> 63);
        dividend <<= 1;
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1U;
        }
    }
    return quotient + ((rest != 0U) ? 1U : 0U);
}

uint64_t mete_optimiser_break_even_us(const mete_bank_kind_t *kind, mete_ram_state_t state)
{
    METE_ASSERT(kind != NULL);
    if ((size_t)state >= (size_t)STATES) {
        return UINT64_MAX;
    }
    const mete_bank_change_t *const down = &kind->changes[ACTIVE][state];
    const mete_bank_change_t *const up = &kind->changes[state][ACTIVE];
    const uint32_t active_uw = kind->modes[ACTIVE].power_uw;
    const uint32_t power_uw = kind->modes[state].power_uw;
    if (!down->is_legal || !up->is_legal || (power_uw >= active_uw)) {
        return UINT64_MAX;
    }
    // Nanojoules over microwatts are milliseconds.
    return divide_up(((uint64_t)down->energy_nj + up->energy_nj) * 1000U, active_uw - power_uw);
}

// ---- check

bool mete_optimiser_check(const mete_optimiser_idle_t *idle)
{
    METE_ASSERT(idle != NULL);
    if ((idle->unit_us == 0U) || !are_counts_sound(idle)) {
        return false;
    }
    uint64_t count = 0U;
    for (size_t i = 0U; i < idle->bucket_count; i++) {
        const uint32_t end = mete_optimiser_end_us(idle, i);
        const uint64_t low = (uint64_t)start_of(idle, i) * idle->counts[i];
        const uint64_t high = (uint64_t)(end - 1U) * idle->counts[i];  // Of the last: UINT32_MAX.
        if ((idle->sums_us[i] < low) || (idle->sums_us[i] > high)) {
            return false;
        }
        count += idle->counts[i];
    }
    return count == idle->count;
}
