// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EVACUATION_PLANS_H
#define METE_EVACUATION_PLANS_H

// A part of evacuation.c: what emptying banks would take, and which to empty. Nothing is changed here.

#include "mete/power/evacuation_banks.h"

enum { KIB = 1024, GRANULE = 8 };

typedef mete_evacuation_plan_t plan_t;

// ---- Plans

static inline size_t live_of(const self_t *self, uint32_t set)
{
    size_t sum = 0U;
    for (size_t i = 0U; i < count_of(self); i++) {
        sum += has(set, i) ? self->config->loads[i].live_size : 0U;
    }
    return sum;
}

// What a plan takes at most. A block is moved out once, with what of it lies in banks that stay; and once more, with all that is
// there, if it comes to compaction. `kept_set`: the banks that take blocks then.
static inline void add_bounds(const self_t *self, plan_t *plan, uint32_t kept_set)
{
    const size_t kept_size = live_of(self, kept_set);
    const size_t move_max = (plan->move_size != 0U) ? 2U * (plan->move_size + kept_size) : 0U;
    const size_t order_max = METE_EVACUATION_ORDER_COUNT((size_t)size_of(kept_set)) + 1U;
    const size_t turns = (size_t)size_of(plan->target_set) * (2U * order_max + 2U);
    const size_t step = self->config->step_size & ~(size_t)(GRANULE - 1);
    const size_t whole = move_max / step;
    plan->step_max = (uint32_t)(whole + turns + order_max + 1U);
    plan->time_us +=
        (uint64_t)(uint32_t)((move_max + KIB - 1U) / KIB) * self->config->move_us_per_kib;
    plan->time_us += (uint64_t)plan->step_max * self->config->step_us;
}

static inline void add_target(const self_t *self, size_t index, plan_t *plan)
{
    const mete_evacuation_load_t *const load = &self->config->loads[index];
    plan->move_size += load->live_size - load->pinned_size;
    plan->pinned_size += load->pinned_size;
    plan->pinned_set |= (load->pinned_size != 0U) ? bit(index) : 0U;
    plan->wake_set |= reach_of(self, index) & ~mete_bank_awake_set(self->config->bank);
}

// From loads as they were noted.
static inline void describe(const self_t *self, uint32_t target_set, plan_t *plan)
{
    plan->target_set = target_set;
    plan->pinned_set = 0U;
    plan->wake_set = 0U;
    plan->move_size = 0U;
    plan->pinned_size = 0U;
    plan->room_size = 0U;
    plan->time_us = 0U;
    for (uint32_t rest = target_set; rest != 0U; rest &= rest - 1U) {
        add_target(self, lowest(rest), plan);
    }
    const uint32_t awake = mete_bank_awake_set(self->config->bank);
    for (uint32_t rest = awake & ~target_set; rest != 0U; rest &= rest - 1U) {
        plan->room_size += free_of(self, lowest(rest));
    }
    for (uint32_t rest = plan->wake_set; rest != 0U; rest &= rest - 1U) {
        plan->time_us += latency_of(self, lowest(rest));
    }
    plan->fits = (plan->room_size >= plan->move_size);
    add_bounds(self, plan, (awake | plan->wake_set) & ~target_set);
}

// Which banks stay awake.
typedef struct choice {
    uint32_t set;
    size_t live_size;  // In them.
} choice_t;

// Fewer banks; of as many, more that need not be moved.
static inline bool is_better(const choice_t *choice, const choice_t *best)
{
    const uint32_t count = size_of(choice->set);
    const uint32_t best_count = size_of(best->set);
    return (count < best_count) || ((count == best_count) && (choice->live_size > best->live_size));
}

static inline size_t room_for(const self_t *self, uint32_t set)
{
    size_t sum = 0U;
    for (size_t i = 0U; i < count_of(self); i++) {
        sum += has(set, i) ? span_of(self, i).size : 0U;
    }
    return sum;
}

// Banks that cannot be emptied, or could not sleep then.
static inline uint32_t held_set(const self_t *self, uint32_t awake)
{
    uint32_t set = 0U;
    for (uint32_t rest = awake; rest != 0U; rest &= rest - 1U) {
        const size_t index = lowest(rest);
        const bool is_held = (self->config->loads[index].pinned_size != 0U) ||
                             !mete_bank_allows(self->config->bank, index, self->config->state);
        set |= is_held ? bit(index) : 0U;
    }
    return set;
}

// How far a block reaches into a run from an awake bank in front of it. It has to find room anew: nothing slides up.
static inline size_t size_across(const self_t *self, uint32_t awake, size_t first)
{
    if ((first == 0U) || !has(awake, first - 1U)) {
        return 0U;
    }
    const mete_mover_t *const mover = &self->config->mover;
    mete_span_t edge;
    edge.start = span_of(self, first).start;
    edge.size = 1U;
    const mete_span_t block = mover->ops->reach(mover->self, edge);
    const uintptr_t skipped = (uintptr_t)edge.start - (uintptr_t)block.start;
    return ((block.size != 0U) && (skipped != 0U)) ? block.size - skipped : 0U;
}

// With every bank as the first of a run: the shortest that is enough.
static inline void choose_run(const self_t *self, uint32_t awake, size_t wanted, choice_t *best)
{
    const uint32_t held = held_set(self, awake);
    for (size_t first = 0U; first < count_of(self); first++) {
        const size_t end = has(awake, first) ? run_end(self, awake, first) + 1U : first;
        const size_t needed = wanted + size_across(self, awake, first);
        choice_t choice;
        choice.set = held;
        for (size_t i = first; (i < end) && (room_for(self, choice.set) < needed); i++) {
            choice.set |= bit(i);
        }
        choice.live_size = live_of(self, choice.set);
        if ((room_for(self, choice.set) >= needed) && is_better(&choice, best)) {
            best->set = choice.set;
            best->live_size = choice.live_size;
        }
    }
}

static inline uint32_t choose_fullest(const self_t *self, uint32_t awake, size_t wanted)
{
    uint32_t set = held_set(self, awake);
    while ((room_for(self, set) < wanted) && ((awake & ~set) != 0U)) {
        set |= bit(fullest_of(self, awake & ~set));
    }
    return set;
}

#endif
