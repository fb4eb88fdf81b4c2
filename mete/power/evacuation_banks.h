// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EVACUATION_BANKS_H
#define METE_EVACUATION_BANKS_H

// A part of evacuation.c: banks, sets and runs of them, and what lies in them. Nothing is changed here but the
// loads that are noted.

#include "mete/core/bits.h"
#include "mete/power/evacuation.h"

typedef mete_evacuation_t self_t;

// ---- Banks and sets of them

static inline uint32_t bit(size_t index)
{
    return (uint32_t)1U << (index % METE_BANK_COUNT_MAX);
}

static inline bool has(uint32_t set, size_t index)
{
    return (set & bit(index)) != 0U;
}

static inline size_t count_of(const self_t *self)
{
    return mete_bank_count(self->config->bank);
}

static inline uint32_t all_of(const self_t *self)
{
    return (bit(count_of(self) - 1U) << 1) - 1U;
}

static inline size_t lowest(uint32_t set)
{
    return mete_bits_ctz(set);
}

static inline uint32_t size_of(uint32_t set)
{
    uint32_t size = 0U;
    for (uint32_t rest = set; rest != 0U; rest &= rest - 1U) {
        size++;
    }
    return size;
}

static inline mete_span_t span_of(const self_t *self, size_t index)
{
    return mete_bank_span(self->config->bank, index);
}

static inline size_t live_in(const self_t *self, size_t index)
{
    const mete_mover_t *const mover = &self->config->mover;
    return mover->ops->live_size(mover->self, span_of(self, index));
}

static inline size_t pinned_in(const self_t *self, size_t index)
{
    const mete_mover_t *const mover = &self->config->mover;
    return mover->ops->pinned_size(mover->self, span_of(self, index));
}

// Those that take blocks.
static inline uint32_t open_set(const self_t *self)
{
    return mete_bank_awake_set(self->config->bank) & ~self->target_set;
}

// The bank behind begins where this one ends.
static inline bool is_joined(const self_t *self, size_t index)
{
    if (index + 1U >= count_of(self)) {
        return false;
    }
    const mete_span_t span = span_of(self, index);
    return (uintptr_t)span.start + span.size == (uintptr_t)span_of(self, index + 1U).start;
}

// The last bank of the run in a set that a bank begins: those behind it without a gap.
static inline size_t run_end(const self_t *self, uint32_t set, size_t index)
{
    while (is_joined(self, index) && has(set, index + 1U)) {
        index++;
    }
    return index;
}

static inline mete_span_t run_of(const self_t *self, size_t first, size_t last)
{
    mete_span_t run;
    const mete_span_t end = span_of(self, last);
    run.start = span_of(self, first).start;
    run.size = (uintptr_t)end.start + end.size - (uintptr_t)run.start;
    return run;
}

static inline bool overlap(mete_span_t a, mete_span_t b)
{
    return (b.size != 0U) && (mete_span_has(a, b.start) || mete_span_has(b, a.start));
}

// The banks that are touched if one is emptied: blocks in it may lie across its edges. None: nothing can be moved out.
static inline uint32_t reach_of(const self_t *self, size_t index)
{
    const mete_mover_t *const mover = &self->config->mover;
    const mete_span_t reach = mover->ops->reach(mover->self, span_of(self, index));
    uint32_t set = 0U;
    for (size_t i = 0U; i < count_of(self); i++) {
        set |= overlap(span_of(self, i), reach) ? bit(i) : 0U;
    }
    return set;
}

// ---- What lies in them, as it was noted

static inline void note_loads(const self_t *self)
{
    for (size_t i = 0U; i < count_of(self); i++) {
        mete_evacuation_load_t *const load = &self->config->loads[i];
        load->live_size = live_in(self, i);
        load->pinned_size = pinned_in(self, i);
    }
}

static inline size_t free_of(const self_t *self, size_t index)
{
    return span_of(self, index).size - self->config->loads[index].live_size;
}

// Of a set the bank with the least free; of equal ones the first.
static inline size_t fullest_of(const self_t *self, uint32_t set)
{
    size_t best = lowest(set);
    for (size_t i = best + 1U; i < count_of(self); i++) {
        if (has(set, i) && (free_of(self, i) < free_of(self, best))) {
            best = i;
        }
    }
    return best;
}

// How long it takes to wake a bank.
static inline uint32_t latency_of(const self_t *self, size_t index)
{
    const mete_bank_t *const bank = self->config->bank;
    const mete_ram_state_t state = mete_bank_state_of(bank, index);
    return (state == METE_RAM_ACTIVE)
               ? 0U
               : bank->config->places[index].kind->changes[state][METE_RAM_ACTIVE].latency_us;
}

#endif
