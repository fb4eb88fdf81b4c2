// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The weak cache as a subject of exhaustion: few objects, the first and the last of them with the same key, and hashes that
// collide, all or in part. Objects are counted here: so whatever the cache does with one that it holds no reference to is
// noticed. The model knows which are pinned, in the order of use, and says which one an insert may displace. Cleanups that
// come back into the cache are a variant; there the order of use, of which then nothing is promised, is taken over.

#include "mete/object/cache.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum { SLOTS = 4, OBJECTS = 8, PINS = 2 };

enum { INSERT = EXHAUST_OWN, FIND, KEEP, DROP, REMOVE, PURGE, PURGE_DEAD, RESET };
static const char *const verbs[] = {"insert", "find and drop", "find",       "drop",
                                    "remove", "purge",         "purge_dead", "reset"};

// `weak` is the cache's: 1 if it is in the table. `held` are the program's of the strong ones.
typedef struct thing {
    uint8_t key, priority;
    uint8_t strong, weak, held;
} thing_t;

typedef struct layout {
    mete_cache_t cache;
    mete_cache_entry_t entries[SLOTS];
    thing_t things[OBJECTS];
    uint8_t order[PINS + 1];  // The model: which are pinned, the one used last last.
    uint8_t order_count;
    uint8_t cursor;  // Where purge_dead goes on.
} layout_t;

static layout_t *layout;
static mete_cache_config_t config;
static size_t count;  // Objects.
static uint32_t (*slot_of_key)(size_t key);
static bool comes_back;

// The call under way.
static uint32_t was_in;      // Bit n: object n was in the table,
static uint32_t asked_for;   // was to be taken out of it,
static size_t hits, misses;  // and what was found and not.
static bool has_come_back;

// ---- Keys and counts

static size_t key_count(void)
{
    return count - 1U;
}

static uint32_t slot_same(size_t key)
{
    (void)key;
    return SLOTS - 1U;
}

static uint32_t slot_near(size_t key)
{
    return (SLOTS - 1U + (uint32_t)(key % 2U)) % SLOTS;
}

// Of keys that lead to the same slot only the first two have the same upper half.
static uint32_t hash(void *self, const void *key)
{
    const size_t number = *(const uint8_t *)key;
    (void)self;
    return slot_of_key(number) | ((number < 2U) ? 0x50000U : 0x60000U);
}

static bool equals(void *self, const void *key, const void *object)
{
    const thing_t *const thing = object;
    (void)self;
    EXHAUST_EXPECT(thing->strong != 0U);
    return thing->key == *(const uint8_t *)key;
}

static bool upgrade(void *self, void *object)
{
    thing_t *const thing = object;
    (void)self;
    EXHAUST_EXPECT(thing->weak != 0U);
    if (thing->strong != 0U) {
        thing->strong++;
    }
    return thing->strong != 0U;
}

static void retain(void *self, void *object)
{
    thing_t *const thing = object;
    (void)self;
    EXHAUST_EXPECT(thing->strong != 0U);
    thing->strong++;
}

static void clean_up(const thing_t *thing);

static void drop(void *self, void *object)
{
    thing_t *const thing = object;
    (void)self;
    if (EXHAUST_EXPECT(thing->strong != 0U)) {
        thing->strong--;
        if ((thing->strong == 0U) && comes_back) {
            clean_up(thing);
        }
    }
}

static void retain_weak(void *self, void *object)
{
    thing_t *const thing = object;
    (void)self;
    EXHAUST_EXPECT((thing->strong + thing->weak != 0U) && (thing->weak <= 1U));
    thing->weak++;
}

static void drop_weak(void *self, void *object)
{
    thing_t *const thing = object;
    (void)self;
    EXHAUST_EXPECT(thing->weak != 0U);
    thing->weak--;
}

static const mete_shared_ops_t shared_ops = {upgrade, retain, drop, retain_weak, drop_weak};
static const mete_shared_t shared = {&shared_ops, NULL};

// ---- Start

static exhaust_offer_t begin(mete_span_t arena, size_t scale, uint32_t (*slot)(size_t key),
                             size_t pin_count)
{
    layout = arena.start;
    count = scale;
    slot_of_key = slot;
    config = (mete_cache_config_t){hash, equals, NULL, layout->entries, SLOTS, 2U, pin_count};
    for (size_t i = 0U; i < count; i++) {
        layout->things[i].key = (uint8_t)(i % key_count());
    }
    EXHAUST_EXPECT(mete_cache_init(&layout->cache, shared, &config));
    return (exhaust_offer_t){{NULL, NULL}, arena, sizeof *layout};
}

static exhaust_offer_t begin_same(mete_span_t arena, size_t scale)
{
    comes_back = false;
    return begin(arena, scale, slot_same, PINS);
}

static exhaust_offer_t begin_near(mete_span_t arena, size_t scale)
{
    comes_back = false;
    return begin(arena, scale, slot_near, PINS);
}

static exhaust_offer_t begin_coming_back(mete_span_t arena, size_t scale)
{
    comes_back = true;
    return begin(arena, scale, slot_near, 1U);
}

static exhaust_offer_t begin_without_pins(mete_span_t arena, size_t scale)
{
    comes_back = false;
    return begin(arena, scale, slot_near, 0U);
}

// ---- What is where

static size_t number_of(const thing_t *thing)
{
    return (size_t)(thing - layout->things);
}

static uint32_t bit(size_t number)
{
    return (uint32_t)1U << number;
}

static thing_t *thing_in(size_t slot)
{
    return layout->entries[slot % SLOTS].object;
}

// Those in the table.
static uint32_t set_in(void)
{
    uint32_t set = 0U;
    for (size_t slot = 0U; slot < SLOTS; slot++) {
        const thing_t *const thing = thing_in(slot);
        set |= ((thing != NULL) && EXHAUST_EXPECT(number_of(thing) < count)) ? bit(number_of(thing))
                                                                             : 0U;
    }
    return set;
}

static uint32_t set_dead(void)
{
    uint32_t set = 0U;
    for (size_t i = 0U; i < count; i++) {
        set |= (layout->things[i].strong == 0U) ? bit(i) : 0U;
    }
    return set;
}

static uint32_t set_with_key(size_t key)
{
    uint32_t set = 0U;
    for (size_t i = 0U; i < count; i++) {
        set |= (layout->things[i].key == key) ? bit(i) : 0U;
    }
    return set;
}

// The one that must be found under a key, or NULL.
static thing_t *thing_under(size_t key)
{
    const uint32_t set = set_in() & ~set_dead() & set_with_key(key);
    for (size_t i = 0U; i < count; i++) {
        if (set == bit(i)) {
            return &layout->things[i];
        }
    }
    EXHAUST_EXPECT(set == 0U);
    return NULL;
}

static bool is_in_window(size_t slot, size_t key)
{
    return (slot + SLOTS - slot_of_key(key)) % SLOTS < config.probe_count;
}

// ---- The order of use

static size_t place_in_order(size_t number)
{
    size_t place = 0U;
    while ((place < layout->order_count) && (layout->order[place] != number)) {
        place++;
    }
    return place;
}

static bool is_pinned(size_t number)
{
    return place_in_order(number) != layout->order_count;
}

static void give_up(size_t number)
{
    if (is_pinned(number)) {
        layout->order_count--;
        for (size_t i = place_in_order(number); i < layout->order_count; i++) {
            layout->order[i] = layout->order[i + 1U];
        }
        layout->order[layout->order_count] = 0U;
    }
}

static void use(size_t number)
{
    give_up(number);
    if (config.pin_count != 0U) {
        layout->order[layout->order_count] = (uint8_t)number;
        layout->order_count++;
    }
    if (layout->order_count > config.pin_count) {
        give_up(layout->order[0]);
    }
}

// Of those pinned the one that is given up first: the lowest priority, and of equal ones the oldest. Or OBJECTS.
static size_t weakest(size_t priority_max)
{
    size_t best = OBJECTS;
    size_t limit = priority_max + 1U;
    for (size_t i = 0U; i < layout->order_count; i++) {
        const size_t number = layout->order[i];
        if (layout->things[number].priority < limit) {
            best = number;
            limit = layout->things[number].priority;
        }
    }
    return best;
}

static void take_over_order(void)
{
    const mete_dlist_link_t *link = layout->cache.pinned.next;
    memset(layout->order, 0, sizeof layout->order);
    layout->order_count = 0U;
    for (; (link != &layout->cache.pinned) && (layout->order_count < PINS); link = link->next) {
        const thing_t *const thing = ((const mete_cache_entry_t *)(const void *)link)->object;
        layout->order[layout->order_count] = (uint8_t)number_of(thing);
        layout->order_count++;
    }
}

// ---- Calls

static thing_t *find(size_t key)
{
    const uint8_t name = (uint8_t)key;
    thing_t *const thing = thing_under(key);
    const bool is_hit = (mete_cache_find(&layout->cache, &name) == thing) && (thing != NULL);
    EXHAUST_EXPECT(is_hit == (thing != NULL));
    hits += is_hit ? 1U : 0U;
    misses += is_hit ? 0U : 1U;
    return is_hit ? thing : NULL;
}

static bool take_out(size_t key)
{
    const uint8_t name = (uint8_t)key;
    const thing_t *const thing = thing_under(key);
    EXHAUST_EXPECT(mete_cache_remove(&layout->cache, &name) == (thing != NULL));
    asked_for |= (thing != NULL) ? bit(number_of(thing)) : 0U;
    return thing != NULL;
}

// What a cleanup may do: takes out what has its key, if only another, and looks for the next one.
static void clean_up(const thing_t *thing)
{
    EXHAUST_EXPECT(mete_cache_check(&layout->cache));
    const bool has_removed = take_out(thing->key);
    thing_t *const next = find((thing->key + 1U) % key_count());
    has_come_back = has_come_back || has_removed || (next != NULL);
    if (next != NULL) {
        shared.ops->drop(shared.self, next);
    }
}

// Nothing dead is left of those that were looked for.
static void expect_none_dead(size_t key)
{
    EXHAUST_EXPECT((set_with_key(key) & set_in() & set_dead()) == 0U);
}

static void let_go(thing_t *thing)
{
    thing->held--;
    shared.ops->drop(shared.self, thing);
}

static void look_for(size_t key, bool is_kept)
{
    thing_t *const thing = thing_under(key);
    if (thing != NULL) {
        use(number_of(thing));
    }
    const bool is_found = (find(key) != NULL);
    expect_none_dead(key);
    if ((thing != NULL) && is_found) {
        thing->held++;
        if (!is_kept) {
            let_go(thing);
        }
    }
}

static void remove_key(size_t key)
{
    const thing_t *const thing = thing_under(key);
    if (thing != NULL) {
        give_up(number_of(thing));
    }
    (void)take_out(key);
    expect_none_dead(key);
}

// Which of the objects an insert may displace, so that it displaces one: those that matter least, if there is no room.
static uint32_t set_to_displace(size_t key)
{
    size_t least = SIZE_MAX;
    uint32_t set = 0U;
    for (size_t i = 0U; i < config.probe_count; i++) {
        const thing_t *const thing = thing_in(slot_of_key(key) + i);
        if ((thing == NULL) || (thing->strong == 0U)) {
            return 0U;
        }
        const size_t number = number_of(thing);
        const size_t rank = thing->priority + (is_pinned(number) ? (size_t)UINT8_MAX + 1U : 0U);
        set = (rank == least) ? (set | bit(number)) : (rank < least) ? bit(number) : set;
        least = (rank < least) ? rank : least;
    }
    return set;
}

// One, if one had to be; a cleanup that comes back may have ended another that was to be kept.
static void expect_displaced(uint32_t may_go, uint32_t gone, size_t evictions)
{
    const bool is_one = (gone != 0U) && ((gone & (gone - 1U)) == 0U);
    EXHAUST_EXPECT(is_one || (may_go == 0U) || (has_come_back && (gone != 0U)));
    EXHAUST_EXPECT(evictions == ((may_go != 0U) ? 1U : 0U));
}

static void insert(size_t number, uint8_t priority)
{
    thing_t *const thing = &layout->things[number];
    const uint8_t key = thing->key;
    const thing_t *const other = thing_under(key);
    const uint32_t may_go = (other != NULL) ? bit(number_of(other)) : set_to_displace(key);
    const size_t evictions = layout->cache.evictions;
    if (thing->strong == 0U) {  // It is made just now.
        thing->strong = 1U;
        thing->held = 1U;
    }
    mete_cache_insert(&layout->cache, &key, thing, priority);
    thing->priority = priority;
    const uint32_t gone = may_go & ~set_in();
    asked_for |= gone;
    EXHAUST_EXPECT((set_in() & bit(number)) != 0U);
    if (other != thing) {
        expect_displaced(may_go, gone, layout->cache.evictions - evictions);
    }
    for (size_t i = 0U; i < count; i++) {
        if (gone == bit(i)) {
            give_up(i);
        }
    }
    use(number);
    expect_none_dead(key);
    was_in |= bit(number);
}

static void purge(uint8_t priority, size_t wanted)
{
    size_t given_up = 0U;
    for (size_t number = weakest(priority); (number != OBJECTS) && (given_up < wanted);
         number = weakest(priority)) {
        give_up(number);
        given_up++;
    }
    const size_t purged = mete_cache_purge(&layout->cache, priority, wanted);
    EXHAUST_EXPECT(has_come_back ? (purged <= wanted) : (purged == given_up));
}

static void purge_dead(size_t wanted)
{
    const size_t limit = (wanted < SLOTS) ? wanted : SLOTS;
    uint32_t dead = 0U;
    for (size_t i = 0U; i < limit; i++) {
        const thing_t *const thing = thing_in(layout->cursor + i);
        dead |= ((thing != NULL) && (thing->strong == 0U)) ? bit(number_of(thing)) : 0U;
    }
    layout->cursor = (uint8_t)((layout->cursor + limit) % SLOTS);
    const size_t purged = mete_cache_purge_dead(&layout->cache, wanted);
    EXHAUST_EXPECT(purged == (size_t)__builtin_popcount(dead));
    EXHAUST_EXPECT(set_in() == (was_in & ~dead));
}

static void reset(void)
{
    memset(layout->order, 0, sizeof layout->order);
    layout->order_count = 0U;
    mete_cache_reset(&layout->cache);
    EXHAUST_EXPECT(set_in() == 0U);
    asked_for = was_in;
}

// Who was in the table is there yet, but for the dead and those that had to go; and nobody else.
static void settle(void)
{
    const uint32_t is_in = set_in();
    EXHAUST_EXPECT((is_in & ~was_in) == 0U);
    EXHAUST_EXPECT((was_in & ~is_in & ~set_dead() & ~asked_for) == 0U);
    if (has_come_back && EXHAUST_EXPECT(mete_cache_check(&layout->cache))) {
        take_over_order();
    }
    for (size_t i = 0U; i < count; i++) {
        thing_t *const thing = &layout->things[i];
        thing->priority = (thing->weak != 0U) ? thing->priority : 0U;
    }
}

static void act(const exhaust_op_t *op)
{
    switch (op->verb) {
    case INSERT:
        insert((size_t)op->at, (uint8_t)op->size);
        break;
    case FIND:
        look_for((size_t)op->at, false);
        break;
    case KEEP:
        look_for((size_t)op->at, true);
        break;
    case DROP:
        let_go(&layout->things[op->at]);
        break;
    case REMOVE:
        remove_key((size_t)op->at);
        break;
    case PURGE:
        purge((uint8_t)op->at, op->size);
        break;
    case PURGE_DEAD:
        purge_dead(op->size);
        break;
    default:
        reset();
        break;
    }
}

static void perform(const exhaust_op_t *op)
{
    const mete_cache_usage_t before = mete_cache_usage(&layout->cache);
    was_in = set_in();
    asked_for = 0U;
    hits = 0U;
    misses = 0U;
    has_come_back = false;
    act(op);
    const mete_cache_usage_t after = mete_cache_usage(&layout->cache);
    EXHAUST_EXPECT((after.hits - before.hits == hits) && (after.misses - before.misses == misses));
    EXHAUST_EXPECT((op->verb == INSERT) || (after.evictions == before.evictions));
    settle();
}

static void list_for(exhaust_ops_t *ops, size_t number)
{
    const thing_t *const thing = &layout->things[number];
    if ((thing->held != 0U) || ((thing->strong == 0U) && (thing->weak == 0U))) {
        exhaust_add_op(ops, INSERT, (int)number, 0U, 0U);
        exhaust_add_op(ops, INSERT, (int)number, UINT8_MAX, 0U);
    }
    if (thing->held != 0U) {
        exhaust_add_op(ops, DROP, (int)number, 0U, 0U);
    }
}

static void list_for_key(exhaust_ops_t *ops, size_t key)
{
    const thing_t *const thing = thing_under(key);
    exhaust_add_op(ops, FIND, (int)key, 0U, 0U);
    exhaust_add_op(ops, REMOVE, (int)key, 0U, 0U);
    if ((thing != NULL) && (thing->held == 0U)) {
        exhaust_add_op(ops, KEEP, (int)key, 0U, 0U);
    }
}

static void list(exhaust_ops_t *ops)
{
    static const uint8_t priorities[] = {0U, UINT8_MAX - 1U, UINT8_MAX};
    for (size_t i = 0U; i < count; i++) {
        list_for(ops, i);
    }
    for (size_t key = 0U; key < key_count(); key++) {
        list_for_key(ops, key);
    }
    for (size_t wanted = 0U; wanted <= PINS + 1U; wanted++) {
        for (size_t i = 0U; i < sizeof priorities; i++) {
            exhaust_add_op(ops, PURGE, priorities[i], wanted, 0U);
        }
    }
    exhaust_add_op(ops, PURGE_DEAD, 0, 1U, 0U);
    exhaust_add_op(ops, PURGE_DEAD, 0, SLOTS - 1U, 0U);
    exhaust_add_op(ops, PURGE_DEAD, 0, SLOTS + 3U, 0U);
    exhaust_add_op(ops, RESET, 0, 0U, 0U);
}

// ---- What holds in every state

// Each object that is in the table stands in it once, where its key leads to.
static bool is_table_right(void)
{
    uint32_t seen = 0U;
    for (size_t slot = 0U; slot < SLOTS; slot++) {
        const thing_t *const thing = thing_in(slot);
        const uint32_t own = (thing != NULL) ? bit(number_of(thing)) : 0U;
        if (((seen & own) != 0U) || ((thing != NULL) && !is_in_window(slot, thing->key))) {
            return false;
        }
        seen |= own;
    }
    return true;
}

static bool are_counts_right(void)
{
    for (size_t i = 0U; i < count; i++) {
        const thing_t *const thing = &layout->things[i];
        if ((thing->weak != ((set_in() >> i) & 1U)) ||
            (thing->strong != thing->held + (is_pinned(i) ? 1U : 0U))) {
            return false;
        }
    }
    return true;
}

static bool is_sound(void)
{
    const mete_cache_usage_t usage = mete_cache_usage(&layout->cache);
    const size_t lowest = weakest(UINT8_MAX);
    for (size_t key = 0U; key < key_count(); key++) {
        (void)thing_under(key);  // Which expects no two.
    }
    return mete_cache_check(&layout->cache) && is_table_right() && are_counts_right() &&
           (usage.slot_count == SLOTS) && (usage.pinned == layout->order_count) &&
           (usage.in_use == (size_t)__builtin_popcount(set_in())) &&
           (usage.priority_min == ((lowest != OBJECTS) ? layout->things[lowest].priority : 0U));
}

static void mask_entry(mete_cache_entry_t *entry)
{
    if (entry->object == NULL) {
        memset(entry, 0, sizeof *entry);
    } else if (entry->link.next == NULL) {
        entry->link.previous = NULL;
    }
}

static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    masked->cache.hits = 0U;
    masked->cache.misses = 0U;
    masked->cache.evictions = 0U;
    for (size_t i = 0U; i < SLOTS; i++) {
        mask_entry(&masked->entries[i]);
    }
}

// ---- Misuse

static void misuse_init(void)
{
    mete_cache_config_t wrong[] = {config, config, config, config, config, config, config, config};
    wrong[0].hash = NULL;
    wrong[1].equals = NULL;
    wrong[2].entries = NULL;
    wrong[3].slot_count = 0U;
    wrong[4].slot_count = SLOTS - 1U;
    wrong[5].probe_count = 0U;
    wrong[6].probe_count = SLOTS + 1U;
    wrong[7].pin_count = SLOTS + 1U;
    exhaust_doing(RESET, 0, 0U, 0U);
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXHAUST_EXPECT(!mete_cache_init(&layout->cache, shared, &wrong[i]));
        exhaust_refused(0U);
    }
    EXHAUST_EXPECT(!mete_cache_init(&layout->cache, shared, NULL));
    EXHAUST_EXPECT(!mete_cache_init(&layout->cache, (mete_shared_t){NULL, NULL}, &config));
    exhaust_refused(0U);
}

static bool is_first_in_table(const thing_t *thing)
{
    size_t slot = 0U;
    while ((slot < SLOTS) && (thing_in(slot) == NULL)) {
        slot++;
    }
    return thing_in(slot) == thing;
}

typedef enum way { BY_FIND, BY_REMOVE, BY_INSERT, BY_PURGE, BY_RESET, WAYS } way_t;

// A call that has to do with a pinned object.
static void call_with(way_t way, thing_t *thing)
{
    if (way == BY_FIND) {
        EXHAUST_EXPECT(mete_cache_find(&layout->cache, &thing->key) == NULL);
    } else if (way == BY_REMOVE) {
        EXHAUST_EXPECT(!mete_cache_remove(&layout->cache, &thing->key));
    } else if (way == BY_INSERT) {
        mete_cache_insert(&layout->cache, &thing->key, thing, 7U);
    } else if (way == BY_PURGE) {
        EXHAUST_EXPECT(mete_cache_purge(&layout->cache, UINT8_MAX, 9U) == 0U);
    } else {
        mete_cache_reset(&layout->cache);
    }
}

// The link leads astray: none of these calls may follow it.
static void spoil(mete_dlist_link_t **link, mete_dlist_link_t *wrong, thing_t *thing, uint32_t ways)
{
    mete_dlist_link_t *const right = *link;
    for (way_t way = BY_FIND; way < WAYS; way++) {
        if ((ways & bit(way)) != 0U) {
            exhaust_doing(FIND, thing->key, (size_t)way, 0U);
            *link = wrong;
            EXHAUST_EXPECT(!mete_cache_check(&layout->cache));
            call_with(way, thing);
            *link = right;
            exhaust_refused(1U << METE_FAULT_CORRUPT);
        }
    }
}

static void spoil_around(mete_dlist_link_t *link, thing_t *thing)
{
    const uint32_t ways = bit(BY_FIND) | bit(BY_REMOVE) | bit(BY_INSERT) |
                          ((weakest(UINT8_MAX) == number_of(thing)) ? bit(BY_PURGE) : 0U) |
                          (is_first_in_table(thing) ? bit(BY_RESET) : 0U);
    spoil(&link->next, link, thing, ways);
    spoil(&link->previous, link, thing, ways);
    spoil(&link->next->previous, link->next, thing, ways);
    spoil(&link->previous->next, link->previous, thing, ways);
}

// It must become the last.
static void spoil_last(thing_t *thing)
{
    mete_dlist_link_t *const list = &layout->cache.pinned;
    const uint32_t ways = bit(BY_FIND) | bit(BY_INSERT);
    spoil(&list->previous, list, thing, ways | bit(BY_PURGE));
    spoil(&list->previous->next, list->previous, thing, ways);
}

// To be pinned it must become the last, and the first may have to go.
static void spoil_ends(thing_t *thing)
{
    mete_dlist_link_t *const list = &layout->cache.pinned;
    const uint32_t ways = bit(BY_FIND) | bit(BY_INSERT) | bit(BY_PURGE);
    if (layout->order_count != 0U) {
        spoil_last(thing);
    }
    if ((layout->order_count == config.pin_count) && (config.pin_count != 0U)) {
        spoil(&list->next, list, thing, ways);
        spoil(&list->next->previous, list->next, thing, ways);
    }
}

// What the caller holds weakly, and nobody strongly, does not come in, whatever it would displace.
static void misuse_dead(void)
{
    for (size_t i = 0U; i < count; i++) {
        thing_t *const thing = &layout->things[i];
        if ((thing->strong == 0U) && (thing->weak == 0U)) {
            exhaust_doing(INSERT, (int)i, 7U, 0U);
            thing->weak = 1U;
            mete_cache_insert(&layout->cache, &thing->key, thing, 7U);
            EXHAUST_EXPECT((thing->strong == 0U) && (thing->weak == 1U));
            thing->weak = 0U;
            exhaust_refused(1U << METE_FAULT_DOUBLE_FREE);
        }
    }
}

static void misuse(void)
{
    misuse_init();
    // What is dead may be dropped before the damage is met.
    const bool is_quiet = (set_in() & set_dead()) == 0U;
    if (is_quiet) {
        misuse_dead();
    }
    for (size_t slot = 0U; is_quiet && (slot < SLOTS); slot++) {
        mete_dlist_link_t *const link = &layout->entries[slot].link;
        if ((thing_in(slot) != NULL) && (link->next != NULL)) {
            spoil_around(link, thing_in(slot));
            spoil_last(thing_in(slot));
        } else if (thing_in(slot) != NULL) {
            spoil_ends(thing_in(slot));
        }
    }
}

#define CACHE_SUBJECT(variant, label, start) \
    const exhaust_subject_t variant = { \
        .name = (label), \
        .verbs = verbs, \
        .init = (start), \
        .list = list, \
        .perform = perform, \
        .is_sound = is_sound, \
        .mask = mask, \
        .misuse = misuse, \
    }

CACHE_SUBJECT(exhaust_cache_same, "cache.same", begin_same);
CACHE_SUBJECT(exhaust_cache_near, "cache.near", begin_near);
CACHE_SUBJECT(exhaust_cache_coming_back, "cache.coming_back", begin_coming_back);
CACHE_SUBJECT(exhaust_cache_pinless, "cache.pinless", begin_without_pins);
