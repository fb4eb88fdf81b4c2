// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A device that is mostly idle for a few milliseconds, and now and then for a minute. In what should a bank sleep?

#include "mete/power/optimiser.h"

#include <stdio.h>

static const mete_bank_kind_t kind = {
    .modes = {{900U, true}, {0U, false}, {40U, true}, {1U, false}},
    .changes = {{[2] = {5U, 600U, true}, [3] = {9U, 90000U, true}},
                [2] = {[0] = {12U, 1500U, true}, [3] = {9U, 90000U, true}},
                [3] = {[0] = {80U, 200000U, true}}}};

static const char *const names[] = {"active", "standby", "sleep", "deep sleep"};

static void print(const char *what, const mete_optimiser_idle_t *idle,
                  const mete_optimiser_schedule_t *schedule)
{
    printf("%s: %s", what, names[schedule->states[0]]);
    for (size_t i = 1U; i < schedule->bucket_count; i++) {
        if (schedule->states[i] != schedule->states[i - 1U]) {
            printf(", after %u ms %s", (unsigned)mete_optimiser_end_us(idle, i - 1U) / 1000U,
                   names[schedule->states[i]]);
        }
    }
    printf("; %llu uJ instead of %llu\n", (unsigned long long)schedule->energy_nj / 1000U,
           (unsigned long long)schedule->active_nj / 1000U);
}

int main(void)
{
    mete_optimiser_idle_t idle;
    mete_optimiser_schedule_t schedule;
    (void)mete_optimiser_init(&idle, 1000U, 16U, 5000U);
    mete_optimiser_note(&idle, 1500U, 1000U);
    mete_optimiser_note(&idle, 6000U, 400U);
    mete_optimiser_note(&idle, 60U * 1000U * 1000U, 5U);
    printf("sleep pays off after %llu us, deep sleep after %llu us\n",
           (unsigned long long)mete_optimiser_break_even_us(&kind, METE_RAM_SLEEP),
           (unsigned long long)mete_optimiser_break_even_us(&kind, METE_RAM_DEEP_SLEEP));
    const mete_optimiser_demand_t any = {1000U, false};
    mete_optimiser_choose_state(&idle, &kind, &any, &schedule);
    print("one state", &idle, &schedule);
    mete_optimiser_choose(&idle, &kind, &any, &schedule);
    print("a schedule", &idle, &schedule);
    const mete_optimiser_demand_t with_contents = {1000U, true};
    mete_optimiser_choose(&idle, &kind, &with_contents, &schedule);
    print("with contents", &idle, &schedule);
    return 0;
}
