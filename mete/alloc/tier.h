// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TIER_H
#define METE_TIER_H

/// Size classes: each request goes to the allocator for its size, and elsewhere if that has none left.
///
/// Reach for it when sizes vary but cluster: a pool for each cluster serves in a few instructions and
/// cannot fragment, and whatever does not fit goes to a heap. Every class, and the fallback, is any
/// allocator. Its numbers say whether the classes were well chosen.
///
///     METE_TIER_DEFINE(sizes, 0, 1, 16, 64, 256);  // No formula; the next size may help out.
///     const mete_alloc_t members[] = {mete_pool_as_alloc(&p16), mete_pool_as_alloc(&p64),
///                                     mete_pool_as_alloc(&p256)};
///     mete_tier_init(&sizes, members, mete_heap_as_alloc(heap), &sizes_config);
///     void *const block = mete_acquire(mete_tier_as_alloc(&sizes), 20, 4);
///
///   Time     What the member takes, and a few instructions: more for each class passed. A formula
///            for the first classes pays from the third on. From the first time that a block of a class was
///            served elsewhere, its release and resize ask members whether they own the block:
///            O(classes). init, check, owns, size_of: O(classes).
///   Space    One mete_tier_class_t for each class and one for the fallback. Nothing in or at blocks.
///   Align    As the members. A member that cannot align counts as having none left.
///   Threads  Not synchronised. Calls on one tier must exclude each other; interrupts included.
///   Errors   Running out is ordinary: NULL, counted. Misuse is found by the member that gets the
///            block back, and counts as a release; FOREIGN, and no effect, if no member is in question.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What the tier keeps about a class, or about the fallback. The caller provides an array of these and
/// looks at none. What is read together is neighbours, for cores that load two words at once.
typedef struct mete_tier_class {
    size_t size;  // The largest request of this class.
    void *self;   // The member's.
    void *(*acquire)(void *self, size_t size, size_t align);
    size_t acquires;     // Blocks that the member ever handed out.
    size_t in_use;       // Of these, those not given back.
    size_t in_use_peak;  // As it stood at a release.
    void *
        release_self;  // Whom a block of this class is given back to: the member, while all lie there.
    void (*release)(void *self, void *block, size_t size, size_t align);
    const mete_alloc_ops_t *ops;
    struct mete_tier *tier;
    size_t misses;
    size_t spills;
    size_t fallbacks;
    size_t guests;
} mete_tier_class_t;

/// Which classes there are. The tier keeps a pointer to this, so it must outlive the tier; const is
/// best.
typedef struct mete_tier_config {
    const size_t *sizes;  ///< The largest request of each class, ascending, each at least 1.
    const size_t
        *counts;         ///< How many blocks each member holds, for in_use_permille; NULL: unknown.
    size_t class_count;  ///< At least 1.
    /// The first so many classes are found by formula instead of one after the other: their sizes are
    /// 1, 2, 3 ... times the first size, which is a power of two. 0: none.
    size_t linear_count;
    /// How many larger classes are asked, the next one first, before the fallback is. 0: none.
    size_t reach;
    mete_tier_class_t *classes;  ///< class_count + 1 entries, owned by the tier from init onwards.
} mete_tier_config_t;

/// A tier. The fields are here so that it can be static; use the functions to read them.
typedef struct mete_tier {
    size_t linear_max;  // The largest size found by formula, or 0.
    size_t shift;       // Of the first size: 1 << shift.
    mete_tier_class_t *classes;
    mete_tier_class_t *fallback;
    const mete_tier_config_t *config;
} mete_tier_t;

/// How a class has done. Totals count from init and wrap at SIZE_MAX.
typedef struct {
    size_t size;               ///< The largest request of this class; SIZE_MAX: the fallback.
    size_t hits;               ///< Requests of this class that its own member served.
    size_t misses;             ///< Requests of this class that it could not serve.
    size_t spills;             ///< Of the misses, those that a larger class served.
    size_t fallbacks;          ///< Of the misses, those that the fallback served.
    size_t refusals;           ///< Of the misses, those that nobody served.
    size_t guests;             ///< Requests of other classes that this member served.
    size_t in_use;             ///< Blocks of this member now handed out.
    size_t in_use_peak;        ///< The most ever handed out at once.
    uint16_t in_use_permille;  ///< in_use of what the member holds; 0 if that is unknown.
} mete_tier_usage_t;

/// A tier of `members`, config.class_count of them, the one for the smallest size first. `fallback`
/// serves what is larger than all classes and what no class can serve; {NULL, NULL}: nobody does.
/// Returns false, changing nothing, if the configuration is missing or breaks a limit stated above,
/// or if a member is missing or does not know what it owns. The fallback need not know: what no class
/// owns is its own.
bool mete_tier_init(mete_tier_t *tier, const mete_alloc_t members[], mete_alloc_t fallback,
                    const mete_tier_config_t *config);

/// How the class `index` has done; class_count is the fallback. All 0 if there is no such class.
mete_tier_usage_t mete_tier_usage(const mete_tier_t *tier, size_t index);

/// True if classes, counters and config agree; false before the first init. Changes nothing.
/// O(classes).
bool mete_tier_check(const mete_tier_t *tier);

/// The tier as an allocator. A block is resized where it stands or not at all; it may then count for
/// another class. owns: true if one of the members owns it. size_of: what the owner says, 0 if it
/// does not know; both ask members in turn.
mete_alloc_t mete_tier_as_alloc(mete_tier_t *tier);

/// A tier `name` of classes with the sizes that follow, and `name_config` to initialise it with. At
/// file scope, or static in a function.
#define METE_TIER_DEFINE(name, linear_count, reach, ...) \
    static const size_t name##_sizes[] = {__VA_ARGS__}; \
    static mete_tier_class_t name##_classes[(sizeof name##_sizes / sizeof name##_sizes[0]) + 1U]; \
    static const mete_tier_config_t name##_config = { \
        name##_sizes,   NULL,    sizeof name##_sizes / sizeof name##_sizes[0], \
        (linear_count), (reach), name##_classes}; \
    static mete_tier_t name

#ifdef __cplusplus
}
#endif
#endif
