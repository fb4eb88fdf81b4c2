// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A table in which an object has a window of slots, and everybody looks at all of them: then nothing depends on
// whether a slot in between is free, and none needs a mark that it once was not. (Linear probing as it is usually
// done stops at the first free slot, so a removal must leave a mark or move what stands behind.)
//
// Every occupied slot has one weak reference to its object. What is pinned has a strong one as well, and its entry
// is in a list, in order of use. An object is looked at while a strong reference to it is held: that of the pin, or
// one that was made from the weak one.
//
// A drop may end an object, and its cleanup may come back here. So everything is in order before a drop, and
// nothing is known across it.

#include "mete/object/cache.h"

_Static_assert(offsetof(mete_cache_entry_t, link) == 0U, "a link is cast to its entry");

// Keeps the compiler from working with what an address was made of, which would cost more instructions.
#define KEEP_ADDRESS(address) __asm__("" : "+r"(address))

// Has two words loaded together, which is one instruction on cores that can.
#define READ_TOGETHER(one, other) __asm__("" : "+r"(one), "+r"(other))

// Level 3 looks at everything after every operation.
#define IS_SOUND(cache) ((METE_CHECK_LEVEL < 3) || mete_cache_check(cache))

static inline bool is_pinned(const mete_cache_entry_t *entry)
{
    return entry->link.next != NULL;
}

static inline void drop(const mete_cache_t *cache, void *object)
{
    cache->shared.ops->drop(cache->shared.self, object);
}

static inline bool upgrade(const mete_cache_t *cache, void *object)
{
    return cache->shared.ops->upgrade(cache->shared.self, object);
}

// ---- Entries

// Empties a slot that is not pinned.
static void forget(mete_cache_t *cache, mete_cache_entry_t *entry)
{
    void *const object = entry->object;
    entry->object = NULL;
    cache->in_use--;
    cache->shared.ops->drop_weak(cache->shared.self, object);
}

// True if the object in an occupied slot is dead: then the slot is empty now.
static bool is_cleaned(mete_cache_t *cache, mete_cache_entry_t *entry)
{
    void *const object = entry->object;
    if (is_pinned(entry)) {
        return false;
    }
    if (!upgrade(cache, object)) {
        forget(cache, entry);
        return true;
    }
    drop(cache, object);
    return false;
}

static void unpin(mete_cache_t *cache, mete_cache_entry_t *entry)
{
    void *const object = entry->object;
    mete_dlist_remove(&entry->link);
    entry->link.next = NULL;
    cache->pinned_count--;
    drop(cache, object);
    if (entry->object == object) {  // If the cleanup has not removed it.
        (void)is_cleaned(cache, entry);
    }
}

// What must be true before a pinned entry, which stands between these two, becomes the one used last: the links that
// change for it agree. True without a look at level 0.
static inline bool agrees(const mete_cache_t *cache, const mete_dlist_link_t *link,
                          const mete_dlist_link_t *next, const mete_dlist_link_t *previous)
{
    return (METE_CHECK_LEVEL < 1) || ((next->previous == link) && (previous->next == link) &&
                                      (cache->pinned.previous->next == &cache->pinned));
}

// Likewise before any entry does.
static inline bool can_be_used(const mete_cache_t *cache, const mete_cache_entry_t *entry)
{
    if ((METE_CHECK_LEVEL < 1) || is_pinned(entry)) {
        return agrees(cache, &entry->link, entry->link.next, entry->link.previous);
    }
    return mete_dlist_agrees(&cache->pinned) && mete_dlist_agrees(cache->pinned.next);
}

// Pins an entry whose object is held. The one used least recently gives up its pin, if there are too many.
static void pin(mete_cache_t *cache, mete_cache_entry_t *entry)
{
    if (cache->config->pin_count == 0U) {
        return;
    }
    cache->shared.ops->retain(cache->shared.self, entry->object);
    mete_dlist_append(&cache->pinned, &entry->link);
    cache->pinned_count++;
    if (cache->pinned_count > cache->config->pin_count) {
        unpin(cache, (mete_cache_entry_t *)cache->pinned.next);
    }
}

// Makes a pinned entry, which stands between these two, the one used last, and counts that. It is mete_dlist_remove()
// and mete_dlist_append() with as few loads as can be.
static inline void renew(mete_cache_t *cache, mete_dlist_link_t *link, mete_dlist_link_t *next,
                         mete_dlist_link_t *previous)
{
    previous->next = next;
    next->previous = previous;
    mete_dlist_link_t *last = cache->pinned.previous;
    size_t hits = cache->hits;
    READ_TOGETHER(last, hits);
    link->next = &cache->pinned;
    link->previous = last;
    last->next = link;
    cache->pinned.previous = link;
    cache->hits = hits + 1U;
}

// ---- Looking for a key

static inline uint16_t tag_of(uint32_t hash)
{
    return (uint16_t)(hash >> 16);
}

static inline bool has_key(const mete_cache_t *cache, const void *key, const void *object)
{
    void *self = cache->self;
    bool (*equals)(void *, const void *, const void *) = cache->equals;
    READ_TOGETHER(self, equals);
    return equals(self, key, object);
}

static inline mete_cache_entry_t *entry_of(const mete_cache_t *cache, size_t slot)
{
    return &cache->entries[slot & cache->mask];
}

// True if a pinned entry has this key.
static inline bool is_kept(const mete_cache_t *cache, const mete_cache_entry_t *entry,
                           const void *key, uint32_t hash)
{
    return METE_LIKELY((entry->tag == tag_of(hash)) && is_pinned(entry)) &&
           METE_LIKELY(has_key(cache, key, entry->object));
}

// True if an entry that is not pinned has this key, and its object is alive: then that has one strong reference
// more.
static bool is_caught(mete_cache_t *cache, mete_cache_entry_t *entry, const void *key,
                      uint32_t hash)
{
    void *const object = entry->object;
    if ((object == NULL) || (entry->tag != tag_of(hash)) || is_pinned(entry)) {
        return false;
    }
    if (!upgrade(cache, object)) {
        forget(cache, entry);
        return false;
    }
    const bool is_same = has_key(cache, key, object);
    if (!is_same) {
        drop(cache, object);
    }
    return is_same;
}

// The entry with this key, whose object has one strong reference more; or NULL.
static __attribute__((noinline)) mete_cache_entry_t *look_up(mete_cache_t *cache, const void *key,
                                                             uint32_t hash)
{
    for (size_t i = 0U; i < cache->config->probe_count; i++) {
        mete_cache_entry_t *const entry = entry_of(cache, hash + i);
        if (is_kept(cache, entry, key, hash)) {
            cache->shared.ops->retain(cache->shared.self, entry->object);
            return entry;
        }
        if (is_caught(cache, entry, key, hash)) {
            return entry;
        }
    }
    return NULL;
}

// ---- Room for another

// The higher, the more an entry matters: 0 if it is empty, which it is from now on if its object is dead.
static unsigned rank_of(mete_cache_t *cache, mete_cache_entry_t *entry)
{
    if ((entry->object == NULL) || is_cleaned(cache, entry)) {
        return 0U;
    }
    return 1U + entry->priority + (is_pinned(entry) ? (unsigned)UINT8_MAX + 1U : 0U);
}

// That which matters least in the window of a hash.
static mete_cache_entry_t *least_of(mete_cache_t *cache, uint32_t hash)
{
    mete_cache_entry_t *least = NULL;
    unsigned least_rank = UINT32_MAX;
    for (size_t i = 0U; (i < cache->config->probe_count) && (least_rank != 0U); i++) {
        mete_cache_entry_t *const entry = entry_of(cache, hash + i);
        const unsigned rank = rank_of(cache, entry);
        if (rank < least_rank) {
            least = entry;
            least_rank = rank;
        }
    }
    return least;
}

static void evict(mete_cache_t *cache, mete_cache_entry_t *entry)
{
    if (is_pinned(entry)) {
        unpin(cache, entry);
    }
    if (entry->object != NULL) {
        forget(cache, entry);
    }
}

static bool can_be_evicted(const mete_cache_entry_t *entry)
{
    return (METE_CHECK_LEVEL < 1) || !is_pinned(entry) || mete_dlist_agrees(&entry->link);
}

// ---- Public functions

static bool is_legal(const mete_cache_config_t *config)
{
    const size_t slot_count = config->slot_count;
    return (config->hash != NULL) && (config->equals != NULL) && (config->entries != NULL) &&
           (slot_count != 0U) && (slot_count <= METE_CACHE_SLOT_COUNT_MAX) &&
           ((slot_count & (slot_count - 1U)) == 0U) && (config->probe_count - 1U < slot_count) &&
           (config->pin_count <= slot_count);
}

bool mete_cache_init(mete_cache_t *cache, mete_shared_t shared, const mete_cache_config_t *config)
{
    METE_ASSERT(cache != NULL);
    if ((shared.ops == NULL) || (config == NULL) || !is_legal(config)) {
        return false;
    }
    mete_dlist_init(&cache->pinned);
    cache->config = config;
    cache->hash = config->hash;
    cache->equals = config->equals;
    cache->self = config->self;
    cache->entries = config->entries;
    cache->mask = config->slot_count - 1U;
    cache->shared = shared;
    cache->in_use = 0U;
    cache->pinned_count = 0U;
    cache->hits = 0U;
    cache->misses = 0U;
    cache->evictions = 0U;
    cache->cursor = 0U;
    for (size_t i = 0U; i < config->slot_count; i++) {
        config->entries[i].object = NULL;
        config->entries[i].link.next = NULL;
    }
    METE_ASSERT(mete_cache_check(cache));
    return true;
}

void mete_cache_reset(mete_cache_t *cache)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    for (size_t i = 0U; i < cache->config->slot_count; i++) {
        if (!can_be_evicted(&cache->entries[i])) {
            METE_FAULT(METE_FAULT_CORRUPT, cache, (const void *)&cache->entries[i]);
            return;
        }
        evict(cache, &cache->entries[i]);
    }
    METE_ASSERT(IS_SOUND(cache));
}

// What find does if it is not a pinned object in its first slot.
static __attribute__((noinline)) void use(mete_cache_t *cache, mete_cache_entry_t *entry)
{
    if (is_pinned(entry)) {
        renew(cache, &entry->link, entry->link.next, entry->link.previous);
    } else {
        cache->hits++;
        pin(cache, entry);
    }
}

void *mete_cache_find(mete_cache_t *cache, const void *key)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    const uint32_t hash = cache->hash(cache->self, key);
    mete_cache_entry_t *entry = entry_of(cache, hash);
    KEEP_ADDRESS(entry);
    mete_dlist_link_t *next = entry->link.next;
    mete_dlist_link_t *previous = entry->link.previous;
    READ_TOGETHER(next, previous);
    if (METE_LIKELY((entry->tag == tag_of(hash)) && (next != NULL)) &&
        METE_LIKELY(has_key(cache, key, entry->object)) &&
        METE_LIKELY(agrees(cache, &entry->link, next, previous))) {
        void *const object = entry->object;
        renew(cache, &entry->link, next, previous);
        const mete_shared_ops_t *ops = cache->shared.ops;
        void *self = cache->shared.self;
        READ_TOGETHER(ops, self);
        ops->retain(self, object);
        METE_ASSERT(IS_SOUND(cache));
        return object;
    }
    entry = look_up(cache, key, hash);
    if (entry == NULL) {
        cache->misses++;
        return NULL;
    }
    void *const object = entry->object;
    if (!can_be_used(cache, entry)) {
        drop(cache, object);
        METE_FAULT(METE_FAULT_CORRUPT, cache, (const void *)entry);
        return NULL;
    }
    use(cache, entry);
    METE_ASSERT(IS_SOUND(cache));
    return object;
}

void mete_cache_insert(mete_cache_t *cache, const void *key, void *object, uint8_t priority)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL) && (object != NULL));
    const uint32_t hash = cache->hash(cache->self, key);
    mete_cache_entry_t *const same = look_up(cache, key, hash);
    if (same != NULL) {
        drop(cache, same->object);
    }
    mete_cache_entry_t *const entry = (same != NULL) ? same : least_of(cache, hash);
    if (!can_be_evicted(entry) || !can_be_used(cache, entry)) {
        METE_FAULT(METE_FAULT_CORRUPT, cache, (const void *)entry);
        return;
    }
    cache->shared.ops->retain_weak(cache->shared.self, object);
    if (!upgrade(cache, object)) {
        cache->shared.ops->drop_weak(cache->shared.self, object);
        if (METE_CHECK_LEVEL >= 1) {
            METE_FAULT(METE_FAULT_DOUBLE_FREE, cache, object);
        }
        return;
    }
    cache->evictions += (entry->object != NULL) ? 1U : 0U;
    evict(cache, entry);
    entry->object = object;
    entry->tag = tag_of(hash);
    entry->priority = priority;
    cache->in_use++;
    pin(cache, entry);
    drop(cache, object);  // Held until now: what is displaced may have held it alone.
    METE_ASSERT(IS_SOUND(cache));
}

bool mete_cache_remove(mete_cache_t *cache, const void *key)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    mete_cache_entry_t *const entry = look_up(cache, key, cache->hash(cache->self, key));
    if (entry == NULL) {
        return false;
    }
    void *const object = entry->object;
    const bool is_good = can_be_evicted(entry);
    if (is_good) {
        evict(cache, entry);
    }
    drop(cache, object);
    if (!is_good) {
        METE_FAULT(METE_FAULT_CORRUPT, cache, (const void *)entry);
    }
    METE_ASSERT(IS_SOUND(cache));
    return is_good;
}

// True if a link is the list's own or that of an entry of the table: then it can be followed.
static bool can_be_followed(const mete_cache_t *cache, const mete_dlist_link_t *link)
{
    const uintptr_t offset = (uintptr_t)link - (uintptr_t)cache->config->entries;
    return (link == &cache->pinned) ||
           ((offset / sizeof(mete_cache_entry_t) < cache->config->slot_count) &&
            (offset % sizeof(mete_cache_entry_t) == 0U));
}

static bool is_link_sound(const mete_cache_t *cache, const mete_dlist_link_t *link)
{
    return can_be_followed(cache, link->next) && can_be_followed(cache, link->previous) &&
           mete_dlist_agrees(link);
}

// The list goes through all that are pinned and comes back.
static bool is_list_sound(const mete_cache_t *cache)
{
    const mete_dlist_link_t *link = &cache->pinned;
    for (size_t left = cache->pinned_count + 1U; left != 0U; left--) {
        if (!is_link_sound(cache, link)) {
            return false;
        }
        link = link->next;
        if ((link == &cache->pinned) != (left == 1U)) {
            return false;
        }
    }
    return true;
}

// The pinned entry that is given up first, of those with a priority up to this; NULL if there is none. The list is sound.
static mete_cache_entry_t *weakest_of(const mete_cache_t *cache, unsigned priority)
{
    mete_cache_entry_t *weakest = NULL;
    unsigned limit = priority + 1U;
    mete_dlist_link_t *link = cache->pinned.next;
    for (size_t left = cache->pinned_count; left != 0U; left--) {
        mete_cache_entry_t *const entry = (mete_cache_entry_t *)link;
        if (link == &cache->pinned) {
            break;
        }
        if (entry->priority < limit) {
            weakest = entry;
            limit = entry->priority;
        }
        link = link->next;
    }
    return weakest;
}

size_t mete_cache_purge(mete_cache_t *cache, uint8_t priority, size_t count)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    const size_t limit = (count < cache->pinned_count) ? count : cache->pinned_count;
    size_t purged_count = 0U;
    while (purged_count < limit) {  // Which is not above pin_count.
        if ((METE_CHECK_LEVEL >= 1) && !is_list_sound(cache)) {
            METE_FAULT(METE_FAULT_CORRUPT, cache, NULL);
            break;
        }
        mete_cache_entry_t *const entry = weakest_of(cache, priority);
        if (entry == NULL) {
            break;
        }
        unpin(cache, entry);
        purged_count++;
    }
    METE_ASSERT(IS_SOUND(cache));
    return purged_count;
}

size_t mete_cache_purge_dead(mete_cache_t *cache, size_t count)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    const size_t limit = (count < cache->config->slot_count) ? count : cache->config->slot_count;
    size_t purged_count = 0U;
    for (size_t i = 0U; i < limit; i++) {
        mete_cache_entry_t *const entry = &cache->entries[cache->cursor];
        cache->cursor = (cache->cursor + 1U) & cache->mask;
        purged_count += ((entry->object != NULL) && is_cleaned(cache, entry)) ? 1U : 0U;
    }
    METE_ASSERT(IS_SOUND(cache));
    return purged_count;
}

mete_cache_usage_t mete_cache_usage(const mete_cache_t *cache)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    const bool is_sound = (METE_CHECK_LEVEL < 1) || is_list_sound(cache);
    const mete_cache_entry_t *const weakest = is_sound ? weakest_of(cache, UINT8_MAX) : NULL;
    mete_cache_usage_t usage;
    usage.slot_count = cache->config->slot_count;
    usage.in_use = cache->in_use;
    usage.pinned = cache->pinned_count;
    usage.priority_min = (weakest != NULL) ? weakest->priority : 0U;
    usage.hits = cache->hits;
    usage.misses = cache->misses;
    usage.evictions = cache->evictions;
    return usage;
}

bool mete_cache_check(const mete_cache_t *cache)
{
    METE_ASSERT(cache != NULL);
    const mete_cache_config_t *const config = cache->config;
    if ((config == NULL) || (cache->shared.ops == NULL) || !is_legal(config) ||
        (cache->hash != config->hash) || (cache->equals != config->equals) ||
        (cache->self != config->self) || (cache->entries != config->entries) ||
        (cache->mask != config->slot_count - 1U) || (cache->cursor > cache->mask) ||
        (cache->pinned_count > config->pin_count)) {
        return false;
    }
    size_t in_use = 0U;
    size_t pinned_count = 0U;
    for (size_t i = 0U; i < config->slot_count; i++) {
        const mete_cache_entry_t *const entry = &config->entries[i];
        in_use += (entry->object != NULL) ? 1U : 0U;
        pinned_count += is_pinned(entry) ? 1U : 0U;
        if (is_pinned(entry) && ((entry->object == NULL) || !is_link_sound(cache, &entry->link))) {
            return false;
        }
    }
    return (in_use == cache->in_use) && (pinned_count == cache->pinned_count) &&
           is_list_sound(cache);
}
