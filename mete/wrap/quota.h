// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_QUOTA_H
#define METE_QUOTA_H

/// Who may have how much: limits for each owner, and memory that is kept for him.
///
/// An owner is a task, a connection, a subsystem: a row of a table, whose number a callback tells. Each
/// has a limit in bytes and one in blocks, a reserve that the others cannot eat into, and a warning
/// before the limit is reached. For when memory runs out all the same there are a hook, which may free
/// something, and an emergency reserve, which is given up then; after each the request is tried again.
///
///     static const mete_quota_limit_t limits[2] = {
///         {.size_max = 8192, .count_max = 100, .warn_permille = 800, .calm_permille = 600},  // Network.
///         {.size_max = 4096, .count_max = 20, .reserve_size = 2048},                         // Control.
///     };
///     static mete_quota_owner_t owners[2];
///     static const mete_quota_config_t config = {
///         .limits = limits, .owners = owners, .owner_count = 2, .capacity_size = 10000, .owner = my_task,
///     };
///     static mete_quota_t quota;
///     (void)mete_quota_init(&quota, mete_heap_as_alloc(heap), &config);
///
/// A record in front of the block says whose it is. So a block may be released by another than its owner,
/// as messages are, and it is the owner's account that it leaves.
///
///   Time     init, check: O(owner_count). Everything else: O(1), no loops. Out of memory: at most three
///            tries.
///   Space    METE_QUOTA_PREFIX_SIZE(align) a block: 16 bytes on 32-bit cores, for aligns up to 16.
///   Align    Any that the allocator behind can give.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front.
///   Errors   A quota reached is as ordinary as out of memory: NULL, counted, and nothing is booked.
///            Misuse and damage: METE_FAULT, and nothing changes. FOREIGN: not in the memory of the
///            allocator behind. DOUBLE_FREE: given back already, as far as its memory was not used again.
///            SIZE: another size or alignment than it has. CORRUPT: there is no record of this wrapper in
///            front: it was overwritten, no block starts there, or another quota handed it out; or the
///            owner's account cannot be right: over its limits, or less than the block.
///
/// Bytes are those that the program asks for. What records and the allocator behind add, and what
/// fragmentation costs, is the distance between `capacity_size` and the size of its memory; a reserve
/// keeps others from using up memory, it does not keep it in one piece.

#include "mete/core/alloc.h"
#include "mete/core/observe.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What an owner may have. All zero: nothing.
typedef struct mete_quota_limit {
    size_t size_max;      ///< Bytes at once.
    size_t count_max;     ///< Blocks at once.
    size_t reserve_size;  ///< Bytes of these that no other owner can take; at most size_max.
    /// Of size_max, rounded up: of any limit at least a byte and at most all. Reaching it is reported
    /// once. 0: never.
    uint16_t warn_permille;
    /// Of size_max, rounded down: falling to it arms the warning again. Below warn_permille.
    uint16_t calm_permille;
} mete_quota_limit_t;

/// An owner's account.
typedef struct mete_quota_owner {
    size_t in_use_size;   ///< Bytes.
    size_t in_use_count;  ///< Blocks.
    size_t in_use_peak;   ///< The most bytes ever at once.
    size_t refusals;      ///< Acquires that gave NULL. A block that could not grow is none.
    size_t warn_size;     // From the limit's permille.
    size_t calm_size;
    bool is_warned;  ///< The warning was given and not armed again.
} mete_quota_owner_t;

/// It must outlive the wrapper; const is best.
typedef struct mete_quota_config {
    const mete_quota_limit_t *limits;  ///< One for each owner.
    mete_quota_owner_t *owners;        ///< Likewise; owned by the wrapper from init onwards.
    size_t owner_count;                ///< At least 1.
    size_t capacity_size;   ///< Bytes that all may have together; no less than all reserves.
    size_t emergency_size;  ///< Acquired at init and given up when memory runs out; 0: none.

    /// Who is asking: 0 ... owner_count - 1. Any other gets nothing. NULL: there is only owner 0.
    uint32_t (*owner)(void *self);
    void *owner_self;

    /// Called when the allocator behind refuses `size` bytes, not when a quota does. It may release
    /// through this wrapper, but not acquire, and returns true if a second try may succeed. NULL: no hook.
    bool (*on_refusal)(void *self, size_t size);
    void *on_refusal_self;

    /// Hears METE_EVENT_REFUSE of acquires; METE_EVENT_THRESHOLD with an owner's account as source
    /// when he is warned, and with the wrapper as source when the emergency reserve is given up.
    mete_observer_t observer;

    /// Where a wrapper in front leaves the address the program called from. NULL if there is none in
    /// front: then whoever calls the view is the program.
    const mete_site_t *site;
} mete_quota_config_t;

/// What stands in front of a block.
typedef struct mete_quota_record {
    size_t size;
    size_t align;
    uintptr_t owner;
    uintptr_t check;
} mete_quota_record_t;

/// Bytes that are added to a block with alignment `align`.
#define METE_QUOTA_PREFIX_SIZE(align) \
    ((sizeof(mete_quota_record_t) + (align)-1U) / (align) * (align))

/// The fields are here so that it can be static; use the functions to read them.
typedef struct mete_quota {
    mete_alloc_t inner;
    const mete_quota_config_t *config;
    size_t in_use_size;          // Of all owners.
    size_t unused_reserve_size;  // What is kept for owners who do not use it yet, in all.
    void *emergency;             // NULL: none is held.
} mete_quota_t;

/// Empties all accounts and acquires the emergency reserve. Returns false, changing nothing, if the
/// allocator or the config is missing, a limit contradicts itself, the reserves exceed the capacity, or
/// the emergency reserve cannot be had.
bool mete_quota_init(mete_quota_t *quota, mete_alloc_t inner, const mete_quota_config_t *config);

/// The account of an owner; NULL if there is none of that number.
const mete_quota_owner_t *mete_quota_usage(const mete_quota_t *quota, uint32_t owner);

/// Acquires the emergency reserve again after it was given up. True if it is held now.
bool mete_quota_add_emergency(mete_quota_t *quota);

/// True if the accounts add up and keep their limits. Changes nothing. O(owner_count).
bool mete_quota_check(const mete_quota_t *quota);

/// The allocator with quotas. It can resize, and knows owns, if the one behind does; size_of it always
/// knows: it is the size that was asked for.
mete_alloc_t mete_quota_as_alloc(mete_quota_t *quota);

#ifdef __cplusplus
}
#endif
#endif
