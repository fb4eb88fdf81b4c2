// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_CACHE_H
#define METE_CACHE_H

/// Weak cache: finds a shared object by its key as long as somebody holds it, and a while longer.
///
/// Reach for it when objects are costly to make and several parts of a program may want the same one: a parsed
/// file, a decoded image, a connection to a peer. The cache holds weak references (mete/core/shared.h), so it
/// keeps nothing alive; but the objects used last it pins, by strong ones, until memory gets scarce. What it has
/// lost is made anew by who misses it. Keys stay in the objects: hash and equality are the program's.
///
///     METE_CACHE_DEFINE(images, 64, 8, 4, hash, equals);     // 64 slots, 8 to look at, 4 pinned.
///     mete_cache_init(&images, mete_ref_as_shared(&kind), &images_config);
///     image_t *image = mete_cache_find(&images, "logo");     // A strong reference, ours to drop.
///     if ((image == NULL) && ((image = load("logo")) != NULL)) {
///         mete_cache_insert(&images, "logo", image, 0);
///     }
///
///   Time     find, insert, remove: O(probe_count) at most, whatever is in the table, and what hash, equality
///            and the objects' counts take. purge: O(purged * pinned). purge_dead: O(slots that it looks at).
///            usage: O(pinned). init, reset, check: O(slot_count).
///   Space    A table entry of four words for each slot. Nothing an object.
///   Threads  Not synchronised: calls on one cache must exclude each other. The objects may be shared with who
///            has no part in that, if their counts are atomic (mete/object/atomic_ref.h).
///   Errors   None but a miss. Damage of the links in the table: METE_FAULT_CORRUPT, and nothing changes. An insert
///            of a dead object: METE_FAULT_DOUBLE_FREE, and likewise. What is no object the counts refuse.
///
/// An object stands in one of probe_count slots that follow each other, from where its hash leads to. All of these
/// are looked at in any case, so a slot that becomes free leaves no mark behind. If all are occupied an insert
/// displaces what matters least: a dead object, else one that is not pinned, and of these, or of those that are, the
/// one with the lowest priority. A displaced object is just not found any more.
///
/// Dropping a pinned object may end it. Its cleanup may call find and remove of the same cache, but not insert. Hash and
/// equality may not call it at all.

#include "mete/core/base.h"
#include "mete/core/dlist.h"
#include "mete/core/shared.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_CACHE_SLOT_COUNT_MAX 65536U

/// What the cache keeps of one object. The caller provides a table of these and looks at none.
typedef struct mete_cache_entry {
    mete_dlist_link_t link;  // Among those pinned, used last at the end; next is NULL: not pinned.
    void *object;            // NULL: the slot is empty.
    uint16_t tag;            // The upper half of the hash.
    uint8_t priority;
} mete_cache_entry_t;

/// It must outlive the cache; const is best.
typedef struct mete_cache_config {
    /// Of a key: all bits should depend on it.
    uint32_t (*hash)(void *self, const void *key);
    /// True if the object has this key. It is alive.
    bool (*equals)(void *self, const void *key, const void *object);
    void *self;  ///< Handed to both.

    mete_cache_entry_t *entries;  ///< slot_count of them, owned by the cache from init onwards.
    size_t slot_count;            ///< A power of two, up to METE_CACHE_SLOT_COUNT_MAX.
    size_t probe_count;  ///< Slots that an object can stand in: 1 ... slot_count. 8 is good.
    size_t pin_count;    ///< So many objects, those used last, are pinned: 0 ... slot_count.
} mete_cache_config_t;

/// A cache. The fields are here so that it can be static; use the functions to read them. What is read together
/// is neighbours, for cores that load two words at once.
typedef struct mete_cache {
    mete_dlist_link_t pinned;
    size_t hits;
    uint32_t (*hash)(void *self, const void *key);  // As in the config.
    void *self;
    bool (*equals)(void *self, const void *key, const void *object);
    mete_cache_entry_t *entries;
    size_t mask;  // Of a slot's index.
    mete_shared_t shared;
    const mete_cache_config_t *config;
    size_t in_use;
    size_t pinned_count;
    size_t misses;
    size_t evictions;
    size_t cursor;  // Of purge_dead: the slot that comes next.
} mete_cache_t;

typedef struct {
    size_t slot_count;
    size_t in_use;         ///< Slots occupied, also by dead objects that were not noticed yet.
    size_t pinned;         ///< Of these: pinned.
    uint8_t priority_min;  ///< The lowest priority of those; 0: none, or damage.
    size_t hits;           ///< Finds that found something. Wraps, as all these.
    size_t misses;         ///< And those that did not.
    size_t evictions;      ///< Objects that an insert displaced while they were alive.
} mete_cache_usage_t;

/// An empty cache of objects with these counts. Returns false, changing nothing, if they or the config are missing
/// or the config breaks a limit stated above. References of an earlier life are forgotten, not dropped: reset first.
bool mete_cache_init(mete_cache_t *cache, mete_shared_t shared, const mete_cache_config_t *config);

/// Drops all references. Hits, misses and evictions stay.
void mete_cache_reset(mete_cache_t *cache);

/// Returns the object with this key, with a strong reference that the caller drops, and pins it as the one used
/// last; NULL if it is not there, or dead. Faults with CORRUPT, and returns NULL, if a link that would have to be
/// followed does not agree with its neighbours; so do the functions below.
void *mete_cache_find(mete_cache_t *cache, const void *key);

/// Lets the object be found under this key, and pins it. The caller holds it, and goes on to do so. Another one
/// under this key is displaced. The priority says in which order pins are given up: the lowest first.
void mete_cache_insert(mete_cache_t *cache, const void *key, void *object, uint8_t priority);

/// Lets the object with this key no longer be found. True if it was there.
bool mete_cache_remove(mete_cache_t *cache, const void *key);

/// Gives up to `count` pins up, of objects whose priority is not above `priority`: the lowest first, of equals that
/// which was not used for longest. What nobody else holds ends by that. Returns how many. For health:
/// mete_health_purge_cache() in mete/system/health_actions.h.
size_t mete_cache_purge(mete_cache_t *cache, uint8_t priority, size_t count);

/// Drops the references to dead objects, so that their memory is given back, in the next `count` slots: calls go
/// round the table. Returns how many. Dead objects that an insert, find or remove comes across are dropped, too.
size_t mete_cache_purge_dead(mete_cache_t *cache, size_t count);

/// How full the cache is, and how good.
mete_cache_usage_t mete_cache_usage(const mete_cache_t *cache);

/// True if table, list and counters agree; false before the first init. Changes nothing; bounded also on damage.
bool mete_cache_check(const mete_cache_t *cache);

/// A cache `name` with its table, and `name_config` to initialise it with. At file scope, or static in a function.
#define METE_CACHE_DEFINE(name, slots, probes, pins, hash, equals) \
    static mete_cache_entry_t name##_entries[(slots)]; \
    static const mete_cache_config_t name##_config = {(hash),  (equals), NULL,  name##_entries, \
                                                      (slots), (probes), (pins)}; \
    static mete_cache_t name

#ifdef __cplusplus
}
#endif
#endif
