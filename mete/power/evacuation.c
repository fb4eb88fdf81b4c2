// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The order in which the store puts blocks into banks is a list that it reads whenever it looks for room: single banks, the
// fullest first, then runs of neighbours, for what fits into no single one. Evacuation goes through the same list. When
// nothing more fits, the runs are compacted, once for a plan, and the list is gone through again.

#include "mete/power/evacuation.h"

#include "mete/power/evacuation_banks.h"
#include "mete/power/evacuation_plans.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// ---- Order

static void append(self_t *self, mete_span_t span)
{
    mete_span_t *const entry = &self->config->order[self->order_count];
    entry->start = span.start;
    entry->size = span.size;
    self->order_count++;
}

// From loads as they were noted. The store must not see half of it, and does not: calls exclude each other.
static void arrange(self_t *self)
{
    const uint32_t open = open_set(self);
    self->order_count = 0U;
    for (uint32_t rest = open; rest != 0U;) {
        const size_t index = fullest_of(self, rest);
        append(self, span_of(self, index));
        rest &= ~bit(index);
    }
    for (size_t i = 0U; i < count_of(self); i++) {
        const size_t last = has(open, i) ? run_end(self, open, i) : i;
        if (last > i) {
            append(self, run_of(self, i, last));
        }
        i = last;
    }
    // No bank is open: a list without bytes, for one without spans would open all.
    if (self->order_count == 0U) {
        mete_span_t nothing;
        nothing.start = span_of(self, 0U).start;
        nothing.size = 0U;
        append(self, nothing);
    }
    self->config->mover.ops->prefer(self->config->mover.self, self->config->order,
                                    self->order_count);
}

void mete_evacuation_prefer(mete_evacuation_t *evacuation)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    note_loads(evacuation);
    arrange(evacuation);
    METE_ASSERT(mete_evacuation_check(evacuation));
}

static bool is_legal(const mete_evacuation_config_t *config)
{
    return (config->bank != NULL) && (config->mover.ops != NULL) && (config->loads != NULL) &&
           (config->order != NULL) && (config->step_size >= (size_t)GRANULE) &&
           (config->state > METE_RAM_ACTIVE) && (config->state <= METE_RAM_DEEP_SLEEP);
}

static void begin(self_t *self, uint32_t target_set)
{
    self->target_set = target_set;
    self->pending_set = target_set;
    self->order_index = 0U;
    self->has_compacted = false;
}

bool mete_evacuation_init(mete_evacuation_t *evacuation, const mete_evacuation_config_t *config)
{
    METE_ASSERT((evacuation != NULL) && (config != NULL));
    if (!is_legal(config)) {
        return false;
    }
    evacuation->config = config;
    begin(evacuation, 0U);
    mete_evacuation_prefer(evacuation);
    return true;
}

// ---- Plans

bool mete_evacuation_plan(mete_evacuation_t *evacuation, uint32_t target_set,
                          mete_evacuation_plan_t *plan)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL) && (plan != NULL));
    if (IS_CHECKED && ((target_set & ~all_of(evacuation)) != 0U)) {
        METE_FAULT(METE_FAULT_FOREIGN, (const void *)evacuation, NULL);
        return false;
    }
    note_loads(evacuation);
    describe(evacuation, target_set, plan);
    return true;
}

void mete_evacuation_plan_fewest(mete_evacuation_t *evacuation, mete_evacuation_plan_t *plan)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL) && (plan != NULL));
    note_loads(evacuation);
    const uint32_t awake = mete_bank_awake_set(evacuation->config->bank);
    const size_t wanted = live_of(evacuation, awake);
    choice_t best;
    best.set = choose_fullest(evacuation, awake, wanted);
    best.live_size = 0U;  // A run is preferred to as many banks that are none.
    choose_run(evacuation, awake, wanted, &best);
    describe(evacuation, awake & ~best.set, plan);
}

void mete_evacuation_commit(mete_evacuation_t *evacuation, const mete_evacuation_plan_t *plan)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL) && (plan != NULL));
    if (IS_CHECKED && ((plan->target_set & ~all_of(evacuation)) != 0U)) {
        METE_FAULT(METE_FAULT_FOREIGN, (const void *)evacuation, NULL);
        return;
    }
    begin(evacuation, plan->target_set);
    mete_evacuation_prefer(evacuation);
}

void mete_evacuation_stop(mete_evacuation_t *evacuation)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    begin(evacuation, 0U);
    mete_evacuation_prefer(evacuation);
}

// ---- Steps

// The first target goes its way: nothing more can be moved out.
static void pass_over(self_t *self)
{
    self->pending_set &= self->pending_set - 1U;
    self->order_index = 0U;
}

// True if a target has something that can be moved, and all that is touched then is awake: it is woken.
static bool is_ready(self_t *self, size_t index)
{
    const uint32_t touched = reach_of(self, index);
    const uint32_t asleep = touched & ~mete_bank_awake_set(self->config->bank);
    bool is_awake = true;
    for (uint32_t rest = asleep; is_awake && (rest != 0U); rest &= rest - 1U) {
        is_awake = mete_bank_wake(self->config->bank, lowest(rest));
    }
    if (asleep != 0U) {
        mete_evacuation_prefer(self);
    }
    return is_awake && (touched != 0U);
}

// What blocks may come from that are packed into a span: itself, and the targets that follow it without a gap. So those
// across the edge slide in, though there may be no room for them beside where they are.
static mete_span_t source_of(const self_t *self, mete_span_t span)
{
    const uintptr_t last = (uintptr_t)span.start + span.size - 1U;
    const size_t index = mete_bank_find(self->config->bank, (const void *)last);
    const size_t end = run_end(self, mete_bank_awake_set(self->config->bank), index);
    mete_span_t source = run_of(self, index, end);
    source.size += (uintptr_t)source.start - (uintptr_t)span.start;
    source.start = span.start;
    return source;
}

// Packs the runs, then single banks, a step. True: there is nothing to be packed.
static bool compact(const self_t *self)
{
    const mete_mover_t mover = self->config->mover;
    const size_t moved = mover.ops->moved_total(mover.self);
    for (size_t i = self->order_count; i != 0U; i--) {
        const mete_span_t span = self->config->order[i - 1U];
        if (span.size != 0U) {
            (void)mover.ops->compact(mover.self, source_of(self, span), span,
                                     self->config->step_size);
        }
        if (mover.ops->moved_total(mover.self) != moved) {
            return false;
        }
    }
    return true;
}

// Moves out of the first target what finds room in one entry of the order, a step. If nothing does, the next entry's turn has come.
static void move_into(self_t *self)
{
    const mete_mover_t mover = self->config->mover;
    const size_t moved = mover.ops->moved_total(mover.self);
    mete_span_t to;
    to.start = self->config->order[self->order_index].start;
    to.size = self->config->order[self->order_index].size;
    (void)mover.ops->evacuate(mover.self, span_of(self, lowest(self->pending_set)), to,
                              self->config->step_size);
    self->order_index += (mover.ops->moved_total(mover.self) == moved) ? 1U : 0U;
}

// Behind the last entry all is packed, once; then the order is gone through again.
static void step(self_t *self)
{
    if (self->order_index < self->order_count) {
        move_into(self);
    } else if (self->has_compacted) {
        pass_over(self);
    } else if (compact(self)) {
        self->has_compacted = true;
        self->order_index = 0U;
    }
}

bool mete_evacuation_move_next(mete_evacuation_t *evacuation)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    while ((evacuation->pending_set != 0U) &&
           !is_ready(evacuation, lowest(evacuation->pending_set))) {
        pass_over(evacuation);
    }
    if (evacuation->pending_set != 0U) {
        step(evacuation);
    }
    METE_ASSERT((METE_CHECK_LEVEL < 3) || mete_evacuation_check(evacuation));
    return evacuation->pending_set != 0U;
}

uint32_t mete_evacuation_sleep(mete_evacuation_t *evacuation)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    mete_bank_t *const bank = evacuation->config->bank;
    const mete_ram_state_t state = evacuation->config->state;
    for (size_t i = 0U; i < count_of(evacuation); i++) {
        if (has(evacuation->target_set, i) && mete_bank_is_awake(bank, i) &&
            mete_bank_allows(bank, i, state) && (live_in(evacuation, i) == 0U)) {
            (void)mete_bank_sleep(bank, i, state);
        }
    }
    return evacuation->target_set & ~mete_bank_awake_set(bank);
}

// True if a bank can be put into a state and back without loss.
static bool keeps(const self_t *self, size_t index, mete_ram_state_t state)
{
    const mete_bank_t *const bank = self->config->bank;
    return mete_bank_allows(bank, index, state) &&
           (bank->config->places[index].kind->modes[state].retains || (live_in(self, index) == 0U));
}

bool mete_evacuation_sleep_bank(mete_evacuation_t *evacuation, size_t index, mete_ram_state_t state)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    const mete_mover_t *const mover = &evacuation->config->mover;
    if (IS_CHECKED && (index >= count_of(evacuation))) {
        METE_FAULT(METE_FAULT_FOREIGN, (const void *)evacuation, NULL);
        return false;
    }
    mover->ops->settle(mover->self);
    if (IS_CHECKED && !keeps(evacuation, index, state)) {
        METE_FAULT(METE_FAULT_ORDER, (const void *)evacuation, span_of(evacuation, index).start);
        return false;
    }
    const bool is_done = mete_bank_sleep(evacuation->config->bank, index, state);
    mete_evacuation_prefer(evacuation);
    return is_done;
}

// ---- Waking on demand

// True if a run of banks that take blocks has so many bytes free.
static bool has_room(const self_t *self, size_t size)
{
    const uint32_t open = open_set(self);
    size_t room = 0U;
    for (size_t i = 0U; (i < count_of(self)) && (room < size); i++) {
        room = has(open, i) ? room + free_of(self, i) : 0U;
        room = (is_joined(self, i) || (room >= size)) ? room : 0U;
    }
    return room >= size;
}

// Of banks in a set the one to open next: those beside an open one come first, then what wakes faster, and the first.
static size_t next_of(const self_t *self, uint32_t set)
{
    const uint32_t open = open_set(self);
    size_t best = lowest(set);
    uint64_t best_cost = UINT64_MAX;
    for (size_t i = 0U; i < count_of(self); i++) {
        const bool is_beside = (is_joined(self, i) && has(open, i + 1U)) ||
                               ((i != 0U) && is_joined(self, i - 1U) && has(open, i - 1U));
        const uint64_t cost = latency_of(self, i) + (is_beside ? 0U : (uint64_t)UINT32_MAX + 1U);
        if (has(set, i) && (cost < best_cost)) {
            best = i;
            best_cost = cost;
        }
    }
    return best;
}

bool mete_evacuation_wake(void *self, size_t size)
{
    self_t *const evacuation = self;
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    mete_bank_t *const bank = evacuation->config->bank;
    note_loads(evacuation);
    uint32_t shut = all_of(evacuation) & ~open_set(evacuation);
    bool is_changed = false;
    while ((shut != 0U) && (!is_changed || !has_room(evacuation, size))) {
        const uint32_t targets = shut & mete_bank_awake_set(bank);
        const size_t index = next_of(evacuation, (targets != 0U) ? targets : shut);
        shut &= ~bit(index);
        if (mete_bank_wake(bank, index)) {
            evacuation->target_set &= ~bit(index);
            evacuation->pending_set &= ~bit(index);
            is_changed = true;
        }
    }
    evacuation->order_index = 0U;
    mete_evacuation_prefer(evacuation);
    return is_changed;
}

bool mete_evacuation_wake_span(mete_evacuation_t *evacuation, mete_span_t span)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    bool is_done = true;
    for (size_t i = 0U; i < count_of(evacuation); i++) {
        if (overlap(span_of(evacuation, i), span)) {
            is_done = mete_bank_wake(evacuation->config->bank, i) && is_done;
        }
    }
    mete_evacuation_prefer(evacuation);
    return is_done;
}

// ---- check

// Every bank that a span touches takes blocks.
static bool is_open(const self_t *self, mete_span_t span)
{
    size_t size = 0U;
    for (size_t i = 0U; i < count_of(self); i++) {
        const mete_span_t own = span_of(self, i);
        if (mete_span_has(span, own.start)) {
            if (!has(open_set(self), i)) {
                return false;
            }
            size += own.size;
        }
    }
    return size == span.size;
}

bool mete_evacuation_check(const mete_evacuation_t *evacuation)
{
    METE_ASSERT((evacuation != NULL) && (evacuation->config != NULL));
    const size_t order_max = METE_EVACUATION_ORDER_COUNT(count_of(evacuation));
    if ((evacuation->order_count > order_max) || (evacuation->order_count == 0U) ||
        ((evacuation->target_set & ~all_of(evacuation)) != 0U) ||
        ((evacuation->pending_set & ~evacuation->target_set) != 0U)) {
        return false;
    }
    for (size_t i = 0U; i < evacuation->order_count; i++) {
        if (!is_open(evacuation, evacuation->config->order[i])) {
            return false;
        }
    }
    return true;
}
