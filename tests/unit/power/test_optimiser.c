// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Which state to sleep in. Schedules are compared with all there are, each idle time worked through by itself.

#include "mete/power/optimiser.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

#if defined(__arm__) || defined(__riscv)
enum { BUCKETS = 4, TRIALS = 6 };
#else
enum { BUCKETS = 8, TRIALS = 12 };
#endif
enum { TIMES = 12, BANKS = 8, UNIT = 1000, S = METE_RAM_STATE_COUNT };

// Sleep pays off after 1000 * (60 + 40) / (500 - 100) = 250 us, deep sleep after 1000 * 1000 / 499 us.
static const mete_bank_kind_t kind = {
    .modes = {{500U, true}, {500U, true}, {100U, true}, {1U, false}},
    .changes = {{{0U, 0U, false}, {1U, 1U, true}, {2U, 60U, true}, {3U, 400U, true}},
                {{1U, 1U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{10U, 40U, true}, {0U, 0U, false}, {0U, 0U, false}, {3U, 400U, true}},
                {{90U, 600U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};

static const mete_optimiser_demand_t no_demand = {UINT32_MAX, false};
static mete_optimiser_idle_t idle;
static mete_optimiser_schedule_t schedule;

static void setup(void)
{
    EXPECT(mete_optimiser_init(&idle, UNIT, BUCKETS, UINT32_MAX) && mete_optimiser_check(&idle));
}

static bool all_are(mete_ram_state_t state)
{
    for (size_t i = 0U; i < schedule.bucket_count; i++) {
        if (schedule.states[i] != (uint8_t)state) {
            return false;
        }
    }
    return schedule.bucket_count == idle.bucket_count;
}

// ---- Times

static void test_init_refuses_what_breaks_a_limit(void)
{
    mete_optimiser_idle_t other = {.count = 77U};
    EXPECT(!mete_optimiser_init(&other, 0U, 4U, 10U) && !mete_optimiser_init(&other, 1U, 0U, 10U));
    EXPECT(!mete_optimiser_init(&other, 1U, METE_OPTIMISER_BUCKET_MAX + 1U, 10U));
    EXPECT(!mete_optimiser_init(&other, 1U, 4U, 1U));
    EXPECT(!mete_optimiser_init(&other, 0x40000000U, 4U, 10U) && (other.count == 77U));
    EXPECT(mete_optimiser_init(&other, 0x3FFFFFFFU, 4U, 2U) && mete_optimiser_check(&other));
    EXPECT(mete_optimiser_init(&other, UINT32_MAX, 1U, 2U) && mete_optimiser_check(&other));
    EXPECT(mete_optimiser_init(&other, UINT32_MAX, 2U, 2U) && mete_optimiser_check(&other));
    EXPECT(mete_optimiser_init(&other, 1U, METE_OPTIMISER_BUCKET_MAX, 2U));
}

static void test_buckets_end_at_twice_the_time_each(void)
{
    setup();
    EXPECT((mete_optimiser_end_us(&idle, 0U) == 1000U) &&
           (mete_optimiser_end_us(&idle, 1U) == 2000U));
    EXPECT((mete_optimiser_end_us(&idle, 2U) == 4000U) &&
           (mete_optimiser_end_us(&idle, BUCKETS - 1U) == 0U));
    mete_optimiser_note(&idle, 0U, 1U);
    mete_optimiser_note(&idle, 999U, 1U);
    mete_optimiser_note(&idle, 1000U, 5U);
    mete_optimiser_note(&idle, 2000U, 2U);
    mete_optimiser_note(&idle, 3999U, 1U);
    mete_optimiser_note(&idle, UINT32_MAX, 3U);
    EXPECT((idle.counts[0] == 2U) && (idle.counts[1] == 5U) && (idle.counts[2] == 3U) &&
           (idle.counts[BUCKETS - 1] == 3U) && (idle.count == 13U));
    EXPECT((idle.sums_us[0] == 999U) && (idle.sums_us[1] == 5000U) && (idle.sums_us[2] == 7999U));
    EXPECT((idle.sums_us[BUCKETS - 1] == 3U * (uint64_t)UINT32_MAX) && mete_optimiser_check(&idle));
}

static void test_what_was_long_ago_counts_less(void)
{
    EXPECT(mete_optimiser_init(&idle, UNIT, 3U, 10U));
    mete_optimiser_note(&idle, 1999U, 7U);
    mete_optimiser_note(&idle, 500U, 2U);
    EXPECT(idle.count == 9U);
    mete_optimiser_note(&idle, 3000U, 1U);
    EXPECT((idle.counts[0] == 1U) && (idle.counts[1] == 3U) && (idle.counts[2] == 0U));
    EXPECT((idle.sums_us[0] == 500U) && (idle.sums_us[1] == 3U * 1999U) && (idle.sums_us[2] == 0U));
    EXPECT((idle.count == 4U) && mete_optimiser_check(&idle));
    mete_optimiser_note(&idle, 100U, 1000U);  // What fits: six.
    EXPECT((idle.counts[0] == 3U) && (idle.sums_us[0] == 550U) && mete_optimiser_check(&idle));
    mete_optimiser_note(&idle, 100U, 0U);
    EXPECT(idle.counts[0] == 3U);
}

static void test_what_is_halved_keeps_its_mean(void)
{
    EXPECT(mete_optimiser_init(&idle, UNIT, 3U, 100U));
    mete_optimiser_note(&idle, 1100U, 60U);
    mete_optimiser_note(&idle, 700U, 40U);
    EXPECT((idle.counts[1] == 30U) && (idle.sums_us[1] == 33000U));
    EXPECT((idle.counts[0] == 20U) && (idle.sums_us[0] == 14000U) && mete_optimiser_check(&idle));
}

static void test_random_times_stay_within_their_buckets(void)
{
    uint32_t random = 1U;
    EXPECT(mete_optimiser_init(&idle, 3U, METE_OPTIMISER_BUCKET_MAX, 37U));
    for (size_t i = 0U; i < 5000U; i++) {
        mete_optimiser_note(&idle, random_next(&random) >> random_below(&random, 32U),
                            random_below(&random, 5U));
        EXPECT(mete_optimiser_check(&idle));
    }
}

static void test_check_notices_sums_and_counts_that_cannot_be(void)
{
    setup();
    mete_optimiser_note(&idle, 1500U, 3U);
    const mete_optimiser_idle_t good = idle;
    idle.sums_us[1] = 2999U;
    EXPECT(!mete_optimiser_check(&idle));
    idle.sums_us[1] = 5998U;
    EXPECT(!mete_optimiser_check(&idle));
    idle.sums_us[1] = 5997U;
    EXPECT(mete_optimiser_check(&idle));
    idle.counts[2] = 1U;
    EXPECT(!mete_optimiser_check(&idle));
    idle = good;
    idle.count = 4U;
    EXPECT(!mete_optimiser_check(&idle));
    idle = good;
    idle.bucket_count = METE_OPTIMISER_BUCKET_MAX + 1U;
    EXPECT(!mete_optimiser_check(&idle));
    idle.bucket_count = 0U;
    EXPECT(!mete_optimiser_check(&idle));
    idle = good;
    idle.unit_us = 0U;
    EXPECT(!mete_optimiser_check(&idle));
    idle = good;
    idle.age_count = 3U;
    EXPECT(!mete_optimiser_check(&idle));
}

// ---- Break-even

static void test_break_even_is_where_both_take_the_same(void)
{
    EXPECT(mete_optimiser_break_even_us(&kind, METE_RAM_SLEEP) == 250U);
    EXPECT(mete_optimiser_break_even_us(&kind, METE_RAM_DEEP_SLEEP) == 2005U);    // 2004.008
    EXPECT(mete_optimiser_break_even_us(&kind, METE_RAM_STANDBY) == UINT64_MAX);  // As much power.
    EXPECT(mete_optimiser_break_even_us(&kind, METE_RAM_ACTIVE) == UINT64_MAX);
    EXPECT(mete_optimiser_break_even_us(&kind, (mete_ram_state_t)S) == UINT64_MAX);
    EXPECT(mete_optimiser_break_even_us(&kind, (mete_ram_state_t)INT32_MAX) == UINT64_MAX);
    mete_bank_kind_t other = kind;
    other.modes[METE_RAM_STANDBY].power_uw = 499U;
    EXPECT(mete_optimiser_break_even_us(&other, METE_RAM_STANDBY) == 2000U);
    other.changes[0][METE_RAM_SLEEP].energy_nj = UINT32_MAX;
    other.changes[METE_RAM_SLEEP][0].energy_nj = UINT32_MAX;
    EXPECT(mete_optimiser_break_even_us(&other, METE_RAM_SLEEP) == UINT64_C(21474836475));
    other.changes[0][METE_RAM_SLEEP].is_legal = false;
    EXPECT(mete_optimiser_break_even_us(&other, METE_RAM_SLEEP) == UINT64_MAX);
    other = kind;
    other.changes[METE_RAM_SLEEP][0].is_legal = false;
    EXPECT(mete_optimiser_break_even_us(&other, METE_RAM_SLEEP) == UINT64_MAX);
}

static void test_a_state_is_chosen_from_its_break_even_on(void)
{
    for (uint32_t time_us = 240U; time_us < 260U; time_us++) {
        EXPECT(mete_optimiser_init(&idle, 10000U, 2U, UINT32_MAX));
        mete_optimiser_note(&idle, time_us, 1000U);
        mete_optimiser_choose_state(&idle, &kind, &no_demand, &schedule);
        EXPECT(all_are((time_us > 250U) ? METE_RAM_SLEEP : METE_RAM_ACTIVE));
        EXPECT(schedule.active_nj == 500U * time_us);
        EXPECT(schedule.energy_nj ==
               ((time_us > 250U) ? 100000U + 100U * time_us : 500U * time_us));
    }
}

// ---- Schedules

static void test_without_times_to_stay_active_is_chosen(void)
{
    setup();
    mete_optimiser_choose(&idle, &kind, &no_demand, &schedule);
    EXPECT(all_are(METE_RAM_ACTIVE) && (schedule.energy_nj == 0U) && (schedule.active_nj == 0U));
    mete_optimiser_choose_state(&idle, &kind, &no_demand, &schedule);
    EXPECT(all_are(METE_RAM_ACTIVE) && (schedule.energy_nj == 0U));
}

// Most times are short, some very long: it pays to wait, and then to go deep.
// Rounded down in each bucket.
static bool is_about(uint64_t energy_nj)
{
    return (schedule.energy_nj <= energy_nj) && (energy_nj - schedule.energy_nj < BUCKETS);
}

// Half of all times that can be noted, the longest there are: 2^63 us, at 4295 W.
static void test_energies_that_64_bits_cannot_say_are_the_largest_there_is(void)
{
    setup();
    mete_optimiser_note(&idle, UINT32_MAX, 0x7FFFFFFFU);
    mete_bank_kind_t other = kind;
    other.modes[METE_RAM_ACTIVE].power_uw = UINT32_MAX;
    mete_optimiser_choose(&idle, &other, &no_demand, &schedule);
    EXPECT((schedule.active_nj == UINT64_MAX) && all_are(METE_RAM_DEEP_SLEEP));
    EXPECT(is_about(UINT64_C(9223372030412324) + UINT64_C(1000) * 0x7FFFFFFFU));
    mete_optimiser_choose_state(&idle, &other, &no_demand, &schedule);
    EXPECT((schedule.active_nj == UINT64_MAX) && all_are(METE_RAM_DEEP_SLEEP));
    EXPECT(is_about(UINT64_C(9223372030412324) + UINT64_C(1000) * 0x7FFFFFFFU));
    // Changes that take all: twice 2^63 nJ and what the time takes in between.
    for (size_t state = 1U; state < S; state++) {
        other.changes[METE_RAM_ACTIVE][state].energy_nj = UINT32_MAX;
        other.changes[state][METE_RAM_ACTIVE].energy_nj = UINT32_MAX;
        other.modes[state].power_uw = 2U;
    }
    other.modes[METE_RAM_ACTIVE].power_uw = 3U;
    mete_optimiser_choose(&idle, &other, &no_demand, &schedule);
    EXPECT(is_about(UINT64_C(27670116091236974)) && all_are(METE_RAM_ACTIVE));
    mete_optimiser_choose_state(&idle, &other, &no_demand, &schedule);
    EXPECT(is_about(UINT64_C(27670116091236974)) && all_are(METE_RAM_ACTIVE));
    // All states alike: to stay active is as good as any.
    for (size_t state = 0U; state < S; state++) {
        other.modes[state].power_uw = UINT32_MAX - (uint32_t)state;
    }
    mete_optimiser_choose(&idle, &other, &no_demand, &schedule);
    EXPECT((schedule.energy_nj == UINT64_MAX) && all_are(METE_RAM_ACTIVE));
    mete_optimiser_choose_state(&idle, &other, &no_demand, &schedule);
    EXPECT((schedule.energy_nj == UINT64_MAX) && all_are(METE_RAM_ACTIVE));
}

static void test_a_schedule_goes_deeper_as_time_goes_by(void)
{
    setup();
    mete_optimiser_note(&idle, 200U, 10000U);
    mete_optimiser_note(&idle, 1000000U, 100U);
    mete_optimiser_choose(&idle, &kind, &no_demand, &schedule);
    EXPECT((schedule.states[0] == METE_RAM_ACTIVE) && (schedule.states[1] == METE_RAM_DEEP_SLEEP) &&
           (schedule.states[BUCKETS - 1] == METE_RAM_DEEP_SLEEP));
    const uint64_t scheduled_nj = schedule.energy_nj;
    EXPECT(scheduled_nj == 10000U * 100U + 100U * (500U + 1000U + 999U));
    mete_optimiser_choose_state(&idle, &kind, &no_demand, &schedule);
    EXPECT((scheduled_nj < schedule.energy_nj) && (schedule.energy_nj < schedule.active_nj));
}

static void test_demands_are_met(void)
{
    setup();
    mete_optimiser_note(&idle, 1000000U, 10U);
    mete_optimiser_demand_t demand = {90U, false};
    mete_optimiser_choose(&idle, &kind, &demand, &schedule);
    EXPECT(all_are(METE_RAM_DEEP_SLEEP));
    demand.must_retain = true;
    mete_optimiser_choose(&idle, &kind, &demand, &schedule);
    EXPECT(all_are(METE_RAM_SLEEP));
    demand.must_retain = false;
    demand.latency_us = 89U;
    mete_optimiser_choose(&idle, &kind, &demand, &schedule);
    EXPECT(all_are(METE_RAM_SLEEP));
    mete_optimiser_choose_state(&idle, &kind, &demand, &schedule);
    EXPECT(all_are(METE_RAM_SLEEP));
    demand.latency_us = 9U;
    mete_optimiser_choose(&idle, &kind, &demand, &schedule);
    EXPECT(all_are(METE_RAM_ACTIVE));
    mete_optimiser_choose_state(&idle, &kind, &demand, &schedule);
    EXPECT(all_are(METE_RAM_ACTIVE) && (schedule.energy_nj == schedule.active_nj));
}

// ---- Beside all schedules that there are. Times are whole milliseconds, so that nothing is rounded.

static uint32_t times[TIMES];

static mete_bank_kind_t random_kind(uint32_t *random)
{
    mete_bank_kind_t made = {.modes = {{1000U, true}}};
    for (size_t state = 1U; state < S; state++) {
        made.modes[state].power_uw = random_below(random, 900U);
        made.modes[state].retains = random_below(random, 3U) != 0U;
        for (size_t other = 0U; other < S; other++) {
            made.changes[state][other].energy_nj = random_below(random, 4000U);
            made.changes[state][other].latency_us = random_below(random, 100U);
            made.changes[state][other].is_legal = (other == 0U) || (random_below(random, 2U) == 0U);
            made.changes[other][state].energy_nj = random_below(random, 4000U);
            made.changes[other][state].is_legal = random_below(random, 3U) != 0U;
        }
    }
    for (size_t state = 1U; state < S; state++) {
        made.changes[state][0].is_legal = true;
    }
    return made;
}

static void random_times(uint32_t *random)
{
    setup();
    for (size_t i = 0U; i < TIMES; i++) {
        times[i] = 1000U * (1U + random_below(random, 1U << random_below(random, BUCKETS + 1U)));
        mete_optimiser_note(&idle, times[i], 1U);
    }
}

static bool may_be(const mete_bank_kind_t *made, const mete_optimiser_demand_t *demand,
                   size_t state)
{
    return (state == 0U) || ((made->changes[state][0].latency_us <= demand->latency_us) &&
                             (made->modes[state].retains || !demand->must_retain));
}

// A time that is worked through: what it took so far.
typedef struct walk {
    uint64_t energy;
    size_t state;
    size_t bucket;  // The next one.
} walk_t;

// Into the next bucket, if one begins now.
static void turn(walk_t *walk, const mete_bank_kind_t *made, const uint8_t *states, uint32_t now)
{
    const uint32_t edge = (walk->bucket == 0U) ? 0U : (uint32_t)UNIT << (walk->bucket - 1U);
    if ((walk->bucket < BUCKETS) && (now == edge)) {
        const size_t next = states[walk->bucket];
        walk->energy += (next != walk->state) ? made->changes[walk->state][next].energy_nj : 0U;
        walk->state = next;
        walk->bucket++;
    }
}

// What one idle time takes, a millisecond after the other. At an edge the next state begins just as the time ends.
static uint64_t worked_through(const mete_bank_kind_t *made, const uint8_t *states,
                               uint32_t time_us)
{
    walk_t walk = {0U, 0U, 0U};
    for (uint32_t now = 0U; now < time_us; now += UNIT) {
        turn(&walk, made, states, now);
        walk.energy += made->modes[walk.state].power_uw;
    }
    turn(&walk, made, states, time_us);
    return walk.energy + ((walk.state != 0U) ? made->changes[walk.state][0].energy_nj : 0U);
}

static uint64_t energy_of_all(const mete_bank_kind_t *made, const mete_optimiser_demand_t *demand,
                              const uint8_t *states)
{
    uint64_t sum = 0U;
    for (size_t i = 0U; i < BUCKETS; i++) {
        const size_t before = (i != 0U) ? states[i - 1U] : 0U;
        if (!may_be(made, demand, states[i]) ||
            ((before != states[i]) && !made->changes[before][states[i]].is_legal)) {
            return UINT64_MAX;
        }
    }
    for (size_t i = 0U; i < TIMES; i++) {
        sum += worked_through(made, states, times[i]);
    }
    return sum;
}

static void test_no_schedule_of_all_takes_less(void)
{
    uint32_t random = 7U;
    for (size_t trial = 0U; trial < TRIALS; trial++) {
        const mete_bank_kind_t made = random_kind(&random);
        const mete_optimiser_demand_t demand = {random_below(&random, 120U), trial % 2U == 0U};
        random_times(&random);
        uint64_t least = UINT64_MAX;
        uint8_t states[BUCKETS];
        for (uint32_t code = 0U; code < (1U << (2U * BUCKETS)); code++) {
            for (size_t i = 0U; i < BUCKETS; i++) {
                states[i] = (uint8_t)((code >> (2U * i)) & 3U);
            }
            const uint64_t energy = energy_of_all(&made, &demand, states);
            least = (energy < least) ? energy : least;
        }
        mete_optimiser_choose(&idle, &made, &demand, &schedule);
        EXPECT((schedule.energy_nj == least) &&
               (energy_of_all(&made, &demand, schedule.states) == least));
        EXPECT(schedule.active_nj >= schedule.energy_nj);
    }
}

// Eight banks that each choose their state: no other choice for all of them takes less.
static void test_no_choice_of_states_for_eight_banks_takes_less(void)
{
    uint32_t random = 3U;
    for (size_t trial = 0U; trial < TRIALS; trial++) {
        uint64_t chosen = 0U;
        uint64_t table[BANKS][S];
        const mete_optimiser_demand_t demand = {random_below(&random, 120U), trial % 2U == 0U};
        random_times(&random);
        for (size_t b = 0U; b < BANKS; b++) {
            const mete_bank_kind_t made = random_kind(&random);
            for (size_t state = 0U; state < S; state++) {
                uint8_t states[BUCKETS];
                for (size_t i = 0U; i < BUCKETS; i++) {
                    states[i] = (uint8_t)state;
                }
                table[b][state] = energy_of_all(&made, &demand, states);
            }
            mete_optimiser_choose_state(&idle, &made, &demand, &schedule);
            EXPECT(schedule.energy_nj == table[b][schedule.states[0]]);
            chosen += schedule.energy_nj;
        }
        uint64_t least = UINT64_MAX;
        for (uint32_t code = 0U; code < (1U << (2U * BANKS)); code++) {
            uint64_t sum = 0U;
            bool is_possible = true;
            for (size_t b = 0U; b < BANKS; b++) {
                const uint64_t energy = table[b][(code >> (2U * b)) & 3U];
                is_possible = is_possible && (energy != UINT64_MAX);
                sum += energy;
            }
            least = (is_possible && (sum < least)) ? sum : least;
        }
        EXPECT(chosen == least);
    }
}

// ---- Damage

// Also of one that was never begun, which is all zero.
static void test_counts_that_cannot_be_are_noticed(void)
{
    static const uint32_t counts[] = {0U, METE_OPTIMISER_BUCKET_MAX + 1U, UINT32_MAX};
    for (size_t i = 0U; (METE_CHECK_LEVEL >= 1) && (i <= sizeof counts / sizeof counts[0]); i++) {
        setup();
        mete_optimiser_note(&idle, 5000U, 3U);
        if (i < sizeof counts / sizeof counts[0]) {
            idle.bucket_count = counts[i];
        } else {
            idle.age_count = idle.count;
        }
        mete_optimiser_note(&idle, 5000U, 1U);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_object == &idle));
        EXPECT(idle.count == 3U);
        for (unsigned both = 0U; both < 2U; both++) {
            schedule =
                (mete_optimiser_schedule_t){.states = {9U, 9U}, .energy_nj = 9U, .active_nj = 9U};
            if (both == 0U) {
                mete_optimiser_choose(&idle, &kind, &no_demand, &schedule);
            } else {
                mete_optimiser_choose_state(&idle, &kind, &no_demand, &schedule);
            }
            EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_object == &idle));
            EXPECT((schedule.bucket_count == 1U) && (schedule.states[0] == METE_RAM_ACTIVE));
            EXPECT((schedule.energy_nj == 0U) && (schedule.active_nj == 0U));
        }
        EXPECT(!mete_optimiser_check(&idle));
    }
}

int main(void)
{
    RUN(test_init_refuses_what_breaks_a_limit);
    RUN(test_buckets_end_at_twice_the_time_each);
    RUN(test_what_was_long_ago_counts_less);
    RUN(test_what_is_halved_keeps_its_mean);
    RUN(test_random_times_stay_within_their_buckets);
    RUN(test_check_notices_sums_and_counts_that_cannot_be);
    RUN(test_break_even_is_where_both_take_the_same);
    RUN(test_a_state_is_chosen_from_its_break_even_on);
    RUN(test_without_times_to_stay_active_is_chosen);
    RUN(test_energies_that_64_bits_cannot_say_are_the_largest_there_is);
    RUN(test_a_schedule_goes_deeper_as_time_goes_by);
    RUN(test_demands_are_met);
    RUN(test_no_schedule_of_all_takes_less);
    RUN(test_no_choice_of_states_for_eight_banks_takes_less);
    RUN(test_counts_that_cannot_be_are_noticed);
    return tap_finish();
}
