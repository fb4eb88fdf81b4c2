// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_OBJECT_H
#define METE_OBJECT_H

/// Object pool: objects of one kind that are made once, used many times, and given back when fewer are needed.
///
/// Reach for it when making an object costs more than its memory: connections, parsers, buffers that have
/// grown. Each object is a block of its own of any allocator behind, so that the pool can shrink by one
/// object, and an object can leave it for good. If all there is to an object is its bytes, mete/alloc/pool.h
/// or mete/alloc/slab.h need no allocator call for each.
///
///     METE_OBJECT_DEFINE(sessions, session_t, 32, construct, reset, destruct);  // At most 32.
///     mete_object_init(&sessions, mete_heap_as_alloc(heap), &sessions_config);
///     session_t *const session = mete_object_get(&sessions);
///     mete_object_put(&sessions, session);
///
///   Time     get, put, take: O(1), and what the callbacks take; get that makes an object, put that keeps
///            none: and what the allocator behind takes. reserve, shrink: the same for each object.
///            owns, walk, check: O(object_max). init: O(object_max).
///   Space    Behind each object two bytes; a table of two words for each object there may be.
///   Align    Every object is aligned to config.align, at least 2.
///   Threads  Not synchronised. To share a pool put mete/wrap/lock.h or critical.h in front of its view, whose
///            acquire is get and whose release is put; for all other calls hold the same lock.
///   Errors   Running out is ordinary: NULL, counted. Misuse and damage: METE_FAULT, and nothing changes.
///            An object put twice and what is no object of the pool are recognised exactly. Nothing is read at an
///            address that is not aligned, or not between the lowest and the highest object there ever was.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_OBJECT_COUNT_MAX 65534U

/// What the pool keeps about one object. The caller provides a table of these and looks at none.
typedef struct mete_object_slot {
    void *object;     // NULL: no object.
    uintptr_t state;  // In use: the object's address, negated. Else a link.
} mete_object_slot_t;

/// What the pool is of. It keeps a pointer to this, so it must outlive the pool; const is best. No callback
/// may call the pool.
typedef struct mete_object_config {
    size_t object_size;  ///< Bytes in an object, at least 1.
    size_t align;        ///< Alignment of every object, a power of two, at least 2.
    size_t
        object_max;  ///< The most objects there may be, in use or not: 1 ... METE_OBJECT_COUNT_MAX.
    mete_object_slot_t *table;  ///< object_max entries, owned by the pool from init onwards.
    size_t
        kept_max;  ///< The most that are kept unused, at most object_max: put gives back what is more.
    size_t kept_min;      ///< As many unused objects automatic shrinking leaves, at most kept_max.
    size_t shrink_after;  ///< Automatic shrinking: see mete_object_get(). 0: none.
    bool resets;          ///< put makes an object as new: by `reset`, or by zeros if that is NULL.

    /// Makes an object out of memory of any content; false if it cannot: then its memory goes back. NULL:
    /// nothing to do.
    bool (*construct)(void *self, void *object);
    /// Makes an object as new when it is put back, if it will be kept.
    void (*reset)(void *self, void *object);
    /// Called before an object's memory goes back to the allocator behind. NULL: nothing to do.
    void (*destruct)(void *self, void *object);
    void *self;  ///< Handed to all three.
} mete_object_config_t;

/// A pool. The fields are here so that a pool can be static; use the functions to read them. What is read
/// together is neighbours, for cores that load two words at once.
typedef struct mete_object {
    size_t unused;  // First of the slots with an unused object.
    size_t object_max;
    mete_object_slot_t *table;
    size_t in_use;
    size_t object_count;  // In use or not.
    size_t plain_max;     // As many may be kept by a put that has nothing else to do.
    size_t recent_peak;   // Of in_use, since `peak` was brought up to date.
    size_t countdown;     // Calls of get until tidying up.
    uintptr_t low;        // The lowest object there ever was.
    size_t rotation;      // Low bits of addresses that are always 0.
    size_t
        reach;  // From the lowest to the highest there ever was, in steps of the alignment, and one.
    size_t hint_offset;  // From an object to the index of its slot.
    size_t vacant;       // First of the slots without object.
    size_t peak;
    size_t surplus;      // Unused objects that are still to be given back, one a get.
    size_t gets;         // Calls of get up to when the countdown started,
    size_t count_start;  // and from where it started.
    size_t create_total;
    size_t take_total;
    size_t refusals;
    mete_alloc_t backing;
    const mete_object_config_t *config;
} mete_object_t;

/// How many there are. Totals count from init and wrap at SIZE_MAX.
typedef struct {
    size_t object_count;   ///< Objects there are, in use or not.
    size_t in_use;         ///< Objects now handed out.
    size_t in_use_peak;    ///< The most ever handed out at once.
    size_t unused_count;   ///< Objects kept for the next get.
    size_t get_total;      ///< Objects ever handed out.
    size_t put_total;      ///< Objects ever put back.
    size_t create_total;   ///< Objects ever made.
    size_t release_total;  ///< Objects ever given back to the allocator behind.
    size_t take_total;     ///< Objects taken out.
    size_t refusals;       ///< Calls that could not be served.
} mete_object_usage_t;

/// An object as mete_object_walk() shows it.
typedef struct mete_object_one {
    void *object;
    bool is_in_use;  ///< Handed out, not kept.
} mete_object_one_t;

/// An empty pool, whose objects come from `backing`. Returns false, changing nothing, if the allocator or the
/// configuration is missing or breaks a limit stated above. Objects of an earlier life are forgotten, not
/// given back: shrink first.
bool mete_object_init(mete_object_t *pool, mete_alloc_t backing,
                      const mete_object_config_t *config);

#ifndef METE_NO_DIRECT_CALLS
/// Returns the unused object that was put back, or reserved, last; or a new one. NULL if there are object_max,
/// or the allocator behind or `construct` refuses.
/// Automatic shrinking: every shrink_after calls, the objects that none of them needed are counted; the calls
/// that follow give back one of these each, but leave kept_min.
/// Faults with CORRUPT, and returns NULL, if the table's lists lead elsewhere. If that shows only when one is to be
/// given back, none is, and the object that was asked for is returned all the same.
void *mete_object_get(mete_object_t *pool);

/// Takes an object back, to be kept, or gives it to the allocator behind if kept_max are. NULL is allowed and
/// does nothing.
/// Faults without effect: DOUBLE_FREE if it is in the pool already, CORRUPT if the two bytes behind it were
/// overwritten, FOREIGN if it is no object of this pool, or none any more. These faults take O(object_max).
void mete_object_put(mete_object_t *pool, void *object);
#endif

/// Takes an object that is in use out of the pool, for good: it is now a block of the allocator behind, of
/// mete_object_block_size() bytes and config.align, as it is. False, with the faults of put, if it is none; of
/// NULL without one.
bool mete_object_take(mete_object_t *pool, void *object);

/// The bytes that an object takes from the allocator behind: to be named when one that was taken out is released.
size_t mete_object_block_size(const mete_object_t *pool);

/// Makes objects until `count` are unused, which get then hands out without asking the allocator behind. False
/// if that cannot be done or is more than kept_max, one refusal counted; objects made so far remain.
/// Faults with CORRUPT as get does.
bool mete_object_reserve(mete_object_t *pool, size_t count);

/// Gives unused objects back until no more than `kept` are left; returns how many. First goes what get would
/// hand out, so those that were used last go first.
/// Faults with CORRUPT as get does.
size_t mete_object_shrink(mete_object_t *pool, size_t kept);

/// True if `address` lies in an object of this pool, at its start or inside, in use or not.
bool mete_object_owns(const mete_object_t *pool, const void *address);

/// How many there are now.
mete_object_usage_t mete_object_usage(const mete_object_t *pool);

/// Shows every object, in the order of the table, to `visit`, until it returns false. The pool must not change
/// meanwhile. Returns true if all were shown.
bool mete_object_walk(const mete_object_t *pool,
                      bool (*visit)(void *self, const mete_object_one_t *one), void *self);

/// True if table, lists, counters and what stands behind the objects agree; false before the first init.
/// Changes nothing; bounded also on any damage.
bool mete_object_check(const mete_object_t *pool);

/// The pool as an allocator: get and put, for any size up to object_size and any alignment up to config.align.
/// Release and resize hold the caller to a size and alignment that an object can have.
mete_alloc_t mete_object_as_alloc(mete_object_t *pool);

/// A pool `name` of at most `count` objects of `type`, with its table, and `name_config` to initialise it with.
/// The callbacks as in the config, or NULL. All unused objects are kept, none is given back by itself. At file
/// scope, or static in a function.
#define METE_OBJECT_DEFINE(name, type, count, construct, reset, destruct) \
    static mete_object_slot_t name##_table[(count)]; \
    static const mete_object_config_t name##_config = { \
        sizeof(type), (__alignof__(type) < 2U) ? 2U : __alignof__(type), \
        (count),      name##_table, \
        (count),      0U, \
        0U,           (void (*)(void *, void *))(reset) != NULL, \
        (construct),  (reset), \
        (destruct),   NULL}; \
    static mete_object_t name

// ---- Scoped return, from any allocator

/// Who is to get what back when a block of the program is left.
typedef struct mete_object_scope {
    mete_alloc_t alloc;
    void *block;
    size_t size;
    size_t align;
} mete_object_scope_t;

/// Acquires what the scope describes. Called by METE_SCOPED.
METE_INLINE void *mete_object_enter(mete_object_scope_t *scope)
{
    scope->block = mete_acquire(scope->alloc, scope->size, scope->align);
    return scope->block;
}

/// Gives it back. Called by the compiler.
METE_INLINE void mete_object_leave(mete_object_scope_t *scope)
{
    mete_release(scope->alloc, scope->block, scope->size, scope->align);
}

/// Declares `name`, a pointer to an object of `type` from the allocator `alloc`, or NULL. It goes back when the
/// block of the program in which this stands is left, wherever: by its end, return, break or goto.
///
///     METE_SCOPED(session_t, session, mete_object_as_alloc(&sessions));
#define METE_SCOPED(type, name, alloc) \
    __attribute__((cleanup(mete_object_leave))) \
    mete_object_scope_t name##_scope = {(alloc), NULL, sizeof(type), __alignof__(type)}; \
    __typeof__(type) *const name = (__typeof__(type) *)mete_object_enter(&name##_scope)

/// The same pointer; from now on it is the program's to give back.
#define METE_SCOPED_KEEP(name) ((void)(name##_scope.block = NULL), (name))

#ifdef __cplusplus
}
#endif
#endif
