// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEALTH_ACTIONS_H
#define METE_HEALTH_ACTIONS_H

/// What mete/system/health.h can do about pressure: actions for what in Mete can give memory back, move it together, or let
/// it sleep. Each is linked only if it is named.
///
///     static const mete_health_action_t first[] = {{mete_health_purge_cache, &images},
///                                                  {mete_health_shrink_object, &sessions}};
///     static mete_health_list_t give_back = {first, 2};
///     static const mete_health_config_t config = {.purge = {mete_health_run_list, &give_back}, ...};
///
/// All are true if they have freed, moved or changed something; and then health calls them again at its next
/// judgement, if the rule is still raised. So each does one step, and the rule ends what is done.
///
///   Time     purge_cache, purge_slab, shrink_object: as mete_cache_purge(), mete_slab_purge(), mete_object_shrink() say, for
///            all that can be given back. compact_movable: METE_HEALTH_STEP_SIZE bytes moved and O(blocks). evacuate_banks: a step
///            of mete_evacuation_move_next(), and O(banks) plans if a new one is due. wake_banks: a plan, and as
///            mete_evacuation_wake().
///   Threads  What is acted on must not be in use by others then: calls of health and on it exclude each other.

#include "mete/alloc/movable.h"
#include "mete/alloc/slab.h"
#include "mete/object/cache.h"
#include "mete/object/object.h"
#include "mete/power/evacuation.h"
#include "mete/system/health.h"

/// `self` is the mete_cache_t; gives up the pins of the lowest priority that there is, and drops what is dead.
static inline bool mete_health_purge_cache(void *self, const mete_health_rule_t *rule)
{
    mete_cache_t *const cache = (mete_cache_t *)self;
    (void)rule;
    const size_t purged_count =
        mete_cache_purge(cache, mete_cache_usage(cache).priority_min, SIZE_MAX);
    return mete_cache_purge_dead(cache, SIZE_MAX) + purged_count != 0U;
}

/// `self` is the mete_slab_t; gives back its empty slabs.
static inline bool mete_health_purge_slab(void *self, const mete_health_rule_t *rule)
{
    (void)rule;
    return mete_slab_purge((mete_slab_t *)self) != 0U;
}

/// `self` is the mete_object_t; gives back its unused objects, but for those that automatic shrinking leaves, too.
static inline bool mete_health_shrink_object(void *self, const mete_health_rule_t *rule)
{
    mete_object_t *const pool = (mete_object_t *)self;
    (void)rule;
    return mete_object_shrink(pool, pool->config->kept_min) != 0U;
}

/// `self` is the mete_movable_t; moves up to METE_HEALTH_STEP_SIZE bytes.
#define METE_HEALTH_STEP_SIZE 512U
static inline bool mete_health_compact_movable(void *self, const mete_health_rule_t *rule)
{
    mete_movable_t *const movable = (mete_movable_t *)self;
    const size_t moved_total = mete_movable_usage(movable).moved_total;
    (void)rule;
    (void)mete_movable_compact(movable, METE_HEALTH_STEP_SIZE);
    return mete_movable_usage(movable).moved_total != moved_total;
}

/// Banks of RAM, and the room that is to be in those that are awake.
typedef struct mete_health_banks {
    mete_evacuation_t *evacuation;
    size_t
        room_size;  ///< Bytes free. One number for both actions, so neither undoes what the other did.
} mete_health_banks_t;

/// Bytes free when a plan has been carried out; 0 if it does not fit.
static inline size_t mete_health_room_of(const mete_evacuation_plan_t *plan)
{
    return (plan->room_size > plan->move_size) ? plan->room_size - plan->move_size : 0U;
}

/// Commits the plan for the fewest banks that leave room_size bytes free; if all are needed, one without targets.
static inline void mete_health_plan_banks(const mete_health_banks_t *banks)
{
    mete_evacuation_plan_t plan;
    mete_evacuation_plan_fewest(banks->evacuation, &plan);
    // Each turn one target less.
    while ((plan.target_set != 0U) && (mete_health_room_of(&plan) < banks->room_size)) {
        (void)mete_evacuation_plan(banks->evacuation, plan.target_set & (plan.target_set - 1U),
                                   &plan);
    }
    mete_evacuation_commit(banks->evacuation, &plan);
}

/// `self` is a mete_health_banks_t; moves blocks out of banks that need not be awake, a step, and lets those sleep that are
/// empty then. For rules about fragmentation: what lies scattered keeps banks awake.
static inline bool mete_health_evacuate_banks(void *self, const mete_health_rule_t *rule)
{
    const mete_health_banks_t *const banks = (const mete_health_banks_t *)self;
    mete_evacuation_t *const evacuation = banks->evacuation;
    const mete_bank_t *const bank = evacuation->config->bank;
    const uint32_t awake_set = mete_bank_awake_set(bank);
    (void)rule;
    if ((mete_evacuation_target_set(evacuation) & awake_set) == 0U) {  // None is under way.
        mete_health_plan_banks(banks);
    }
    const bool has_more = mete_evacuation_move_next(evacuation);
    (void)mete_evacuation_sleep(evacuation);
    if (has_more || (mete_bank_awake_set(bank) != awake_set)) {
        return true;
    }
    mete_evacuation_stop(evacuation);  // What is left cannot be emptied: it takes blocks again.
    return false;
}

/// `self` is a mete_health_banks_t; if fewer than room_size bytes are free, counted when the evacuation under way is done: ends
/// it, or wakes banks, until neighbours among them have so many. Bytes in banks that are no neighbours, or between pinned blocks, may be
/// no room for one block: who needs one gives the store mete_evacuation_wake() as its hook. For rules about usage, as
/// mete_health_read_evacuation() says it.
static inline bool mete_health_wake_banks(void *self, const mete_health_rule_t *rule)
{
    const mete_health_banks_t *const banks = (const mete_health_banks_t *)self;
    mete_evacuation_t *const evacuation = banks->evacuation;
    mete_evacuation_plan_t plan;
    (void)rule;
    (void)mete_evacuation_plan(evacuation, mete_evacuation_target_set(evacuation), &plan);
    return (mete_health_room_of(&plan) < banks->room_size) &&
           mete_evacuation_wake(evacuation, banks->room_size);
}

/// Several actions as one: what costs least first. No list is in a list.
typedef struct mete_health_list {
    const mete_health_action_t *actions;
    size_t action_count;
} mete_health_list_t;

/// `self` is a mete_health_list_t; runs its actions in order until one has done something.
static inline bool mete_health_run_list(void *self, const mete_health_rule_t *rule)
{
    const mete_health_list_t *const list = (const mete_health_list_t *)self;
    bool has_done = false;
    for (size_t i = 0U; !has_done && (i < list->action_count); i++) {
        const mete_health_action_t *const action = &list->actions[i];
        has_done = action->run(action->self, rule);
    }
    return has_done;
}

#endif
