// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLAN_SCENE_H
#define METE_PLAN_SCENE_H

/// Part of the plan: what a back end sees when it is asked to cover some wishes.
///
/// Wishes are numbered by address here. Those on top have their regions already, and these win over whatever is placed
/// now: so their bytes may be covered, which costs nothing. All others that do not belong to the run are in the way.

#include "mete/protect/plan.h"

typedef struct mete_plan_scene {
    const mete_plan_config_t *config;
    const uint8_t *order;      // Of each number, the index among the config's wishes.
    uint32_t on_top;           // A bit for each number.
    mete_mpu_image_t *images;  // Where the run's images go. NULL: nobody wants them.
    size_t image_index;        // The number of the first one's region.
} mete_plan_scene_t;

static inline const mete_plan_wish_t *mete_plan_wish_of(const mete_plan_scene_t *scene, size_t k)
{
    return &scene->config->wishes[scene->order[k]];
}

static inline bool mete_plan_is_on_top(const mete_plan_scene_t *scene, size_t k)
{
    return ((scene->on_top >> k) & 1U) != 0U;
}

/// True if one region could serve both.
static inline bool mete_plan_agree(const mete_plan_wish_t *one, const mete_plan_wish_t *other)
{
    return (one->rights.unprivileged == other->rights.unprivileged) &&
           (one->rights.privileged == other->rights.privileged) && (one->memory == other->memory);
}

/// True if one region could serve the whole run, but for what is on top.
static inline bool mete_plan_is_uniform(const mete_plan_scene_t *scene, size_t first, size_t last)
{
    bool is_uniform = true;
    for (size_t k = first + 1U; k <= last; k++) {
        is_uniform = is_uniform && (mete_plan_is_on_top(scene, k) ||
                                    mete_plan_agree(mete_plan_wish_of(scene, first),
                                                    mete_plan_wish_of(scene, k)));
    }
    return is_uniform;
}

/// The lowest address that regions of a run may cover which starts with `first`.
static inline uintptr_t mete_plan_lowest(const mete_plan_scene_t *scene, size_t first)
{
    size_t k = first;
    while ((k > 0U) && mete_plan_is_on_top(scene, k - 1U)) {
        k--;
    }
    return (k > 0U) ? mete_plan_wish_of(scene, k - 1U)->last + 1U : 0U;
}

/// The highest address that regions of a run may cover which ends with `last`.
static inline uintptr_t mete_plan_highest(const mete_plan_scene_t *scene, size_t last)
{
    size_t k = last + 1U;
    while ((k < scene->config->wish_count) && mete_plan_is_on_top(scene, k)) {
        k++;
    }
    return (k < scene->config->wish_count) ? mete_plan_wish_of(scene, k)->start - 1U
                                           : scene->config->backend->rules.last;
}

/// How many of the bytes from `start` up to `end`, without it, are nobody's. All others must be on top.
static inline uintptr_t mete_plan_waste(const mete_plan_scene_t *scene, uintptr_t start,
                                        uintptr_t end)
{
    uintptr_t waste = end - start;
    for (size_t k = 0U; (start != end) && (k < scene->config->wish_count); k++) {
        const mete_plan_wish_t *const wish = mete_plan_wish_of(scene, k);
        const uintptr_t from = (wish->start > start) ? wish->start : start;
        const uintptr_t last = (wish->last < end - 1U) ? wish->last : end - 1U;
        waste -= (from <= last) ? (last - from) + 1U : 0U;
    }
    return waste;
}

/// How many bytes behind a run may be waste if so many are in front of it.
static inline uintptr_t mete_plan_waste_left(const mete_plan_scene_t *scene, size_t first,
                                             size_t last, uintptr_t waste_before)
{
    return mete_plan_wish_of(scene, last)->waste_max - ((first == last) ? waste_before : 0U);
}

/// Covers a run from granule to granule, for hardware whose regions may have any size and no overlap.
static inline bool mete_plan_cover_granules(const mete_plan_scene_t *scene, size_t first,
                                            size_t last, mete_mpu_image_t *span,
                                            mete_plan_cover_t *cover)
{
    const uintptr_t rest = scene->config->backend->rules.granule - 1U;
    const uintptr_t start = mete_plan_wish_of(scene, first)->start;
    const uintptr_t end = mete_plan_wish_of(scene, last)->last;
    span->words[0] = start & ~rest;
    span->words[1] = end | rest;
    if ((span->words[0] < mete_plan_lowest(scene, first)) ||
        (span->words[1] > mete_plan_highest(scene, last))) {
        return false;
    }
    cover->region_count = 1U;
    cover->waste_before = mete_plan_waste(scene, span->words[0], start);
    cover->waste_behind = mete_plan_waste(scene, end + 1U, span->words[1] + 1U);
    return (cover->waste_before <= mete_plan_wish_of(scene, first)->waste_max) &&
           (cover->waste_behind <= mete_plan_waste_left(scene, first, last, cover->waste_before));
}

#endif
