// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/exhaust/explore.h"

#include "tests/exhaust/state.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 1024 };

// The states known, in the order in which they were found; state 0 is the first.
static struct {
    uint64_t *hashes;
    uint32_t *parents;
    exhaust_op_t *ops;  // The call that leads here from the parent.
    uint32_t *slots;    // By hash: a state's number plus 1; 0 is an empty slot.
    size_t slot_mask;   // Slots are at least twice as many as states.
    uint32_t count, count_max;
} known;

static bool open_known(uint32_t count_max)
{
    size_t slot_count = 2U;
    while (slot_count < 2U * (size_t)count_max) {
        slot_count *= 2U;
    }
    known.hashes = malloc(count_max * sizeof known.hashes[0]);
    known.parents = malloc(count_max * sizeof known.parents[0]);
    known.ops = malloc(count_max * sizeof known.ops[0]);
    known.slots = calloc(slot_count, sizeof known.slots[0]);
    known.slot_mask = slot_count - 1U;
    known.count = 0U;
    known.count_max = count_max;
    return (known.hashes != NULL) && (known.parents != NULL) && (known.ops != NULL) &&
           (known.slots != NULL);
}

static void close_known(void)
{
    free(known.hashes);
    free(known.parents);
    free(known.ops);
    free(known.slots);
}

// The slot of the state with this hash, or the empty one where it belongs.
static uint32_t *slot_for(uint64_t hash)
{
    size_t i = (size_t)hash & known.slot_mask;
    while ((known.slots[i] != 0U) && (known.hashes[known.slots[i] - 1U] != hash)) {
        i = (i + 1U) & known.slot_mask;
    }
    return &known.slots[i];
}

// Notes a state, the present one, if it is new. False if there is no room for it.
static bool note(uint64_t hash, uint32_t parent, const exhaust_op_t *op)
{
    uint32_t *const slot = slot_for(hash);
    if (*slot != 0U) {
        return true;
    }
    if (known.count == known.count_max) {
        return false;
    }
    known.hashes[known.count] = hash;
    known.parents[known.count] = parent;
    known.ops[known.count] = *op;
    known.count++;
    *slot = known.count;
    return true;
}

// ---- Ways from the first state

typedef struct way {
    uint32_t count;
    exhaust_op_t ops[DEPTH_MAX];  // Last first.
} way_t;

static void find_way(way_t *way, uint32_t state)
{
    way->count = 0U;
    for (; (state != 0U) && (way->count < DEPTH_MAX); state = known.parents[state]) {
        way->ops[way->count] = known.ops[state];
        way->count++;
    }
}

static void go(const way_t *way)
{
    state_restart();
    for (uint32_t i = way->count; i != 0U; i--) {
        state_repeat(&way->ops[i - 1U]);
    }
}

static void print_failure(const explore_plan_t *plan, const way_t *way)
{
    printf("# %s, scale %zu: expected %s (%s:%d)\n", plan->subject->name, plan->scale,
           state_failure.condition, state_failure.file, state_failure.line);
    for (uint32_t i = way->count; i != 0U; i--) {
        printf("#   ");
        state_print_op(&way->ops[i - 1U]);
    }
    printf("#   ");
    state_print_op(&state_failure.doing);
}

// ---- The search

// Makes every call that is possible in a state. False if a new state found no room.
static bool expand(uint32_t state, const way_t *way, explore_result_t *result)
{
    static exhaust_ops_t ops;
    bool has_room = true;
    go(way);
    EXHAUST_EXPECT(state_hash() == known.hashes[state]);
    state_keep();
    state_misuse();
    state_list(&ops);
    for (size_t i = 0U; (i < ops.count) && (state_failure.condition == NULL); i++) {
        const uint64_t hash = state_perform(&ops.ops[i]);
        result->call_count++;
        has_room = ((hash == known.hashes[state]) || note(hash, state, &ops.ops[i])) && has_room;
        state_restore();
    }
    return has_room;
}

static void search(const explore_plan_t *plan, explore_result_t *result)
{
    static way_t way;
    static const exhaust_op_t none;
    state_begin(plan->subject, plan->scale);
    if (state_failure.condition == NULL) {
        (void)note(state_hash(), 0U, &none);
    }
    result->is_complete = true;
    for (uint32_t state = 0U; (state < known.count) && (state_failure.condition == NULL); state++) {
        find_way(&way, state);
        result->is_complete = expand(state, &way, result) && result->is_complete;
        result->depth = way.count;
    }
    result->state_count = known.count;
    result->refused_count = state_refused_count;
    result->may_count = state_may_count;
    result->failure = state_failure.condition;
    if (result->failure != NULL) {
        result->depth++;
        result->is_complete = false;
        if (!plan->is_quiet) {
            print_failure(plan, &way);
        }
    }
}

bool explore(const explore_plan_t *plan, explore_result_t *result)
{
    *result = (explore_result_t){0};
    if (open_known(plan->state_max)) {
        search(plan, result);
    } else {
        result->failure = "memory for the states";
    }
    close_known();
    return result->failure == NULL;
}
