// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Random idle times are noted, and a bank's state is chosen for them now and then: twelve buckets.

#include "mete/power/optimiser.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { BUCKETS = 12, ROUNDS = 200 };

static const mete_bank_kind_t kind = {
    .modes = {{100U, true}, {80U, true}, {10U, true}, {1U, false}},
    .changes = {{{0U, 0U, false}, {1U, 2U, true}, {1U, 20U, true}, {3U, 400U, true}},
                {{1U, 2U, true}, {0U, 0U, false}, {1U, 20U, true}, {3U, 400U, true}},
                {{5U, 60U, true}, {0U, 0U, false}, {0U, 0U, false}, {3U, 300U, true}},
                {{7U, 800U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};
static mete_optimiser_idle_t idle;
static mete_optimiser_schedule_t schedule;
static const mete_optimiser_demand_t demand = {100U, false};

PROBE(mete_optimiser_note);
void probe_mete_optimiser_note(mete_optimiser_idle_t *times, uint32_t time_us, uint32_t count);
PROBE(mete_optimiser_choose);
void probe_mete_optimiser_choose(const mete_optimiser_idle_t *times, const mete_bank_kind_t *bank,
                                 const mete_optimiser_demand_t *wanted,
                                 mete_optimiser_schedule_t *found);
PROBE(mete_optimiser_choose_state);
void probe_mete_optimiser_choose_state(const mete_optimiser_idle_t *times,
                                       const mete_bank_kind_t *bank,
                                       const mete_optimiser_demand_t *wanted,
                                       mete_optimiser_schedule_t *found);

int main(void)
{
    (void)mete_optimiser_init(&idle, 1000U, BUCKETS, 500U);
    start_phase("optimiser");
    uint32_t random = 1U;
    for (size_t i = 0U; i < ROUNDS; i++) {
        probe_mete_optimiser_note(&idle, random_next(&random) >> random_below(&random, 32U), 1U);
        probe_mete_optimiser_choose(&idle, &kind, &demand, &schedule);
        probe_mete_optimiser_choose_state(&idle, &kind, &demand, &schedule);
    }
    return 0;
}
