// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The cache, tested from inside: this file includes cache.c itself.

#include "mete/object/cache.c"

#include "mete/core/words.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { SLOT_COUNT = 16, PROBE_COUNT = 4, PIN_COUNT = 3, OBJECT_COUNT = 24 };

// Counted objects. A key is a number: its hash leads to slot key % SLOT_COUNT, with key / SLOT_COUNT as the tag.
typedef struct thing {
    uint32_t key;
    size_t strong, weak;
    size_t look_count;  // By the equality, which must not see a dead one.
} thing_t;

static thing_t things[OBJECT_COUNT];
static mete_cache_t cache;
static void (*at_end)(thing_t *thing);  // What the cleanup does.

static bool thing_upgrade(void *self, void *object)
{
    thing_t *const thing = (thing_t *)object;
    EXPECT((self == things) && (thing->weak != 0U));
    thing->strong += (thing->strong != 0U) ? 1U : 0U;
    return thing->strong != 0U;
}

static void thing_retain(void *self, void *object)
{
    thing_t *const thing = (thing_t *)object;
    EXPECT((self == things) && (thing->strong != 0U));
    thing->strong++;
}

static void thing_drop(void *self, void *object)
{
    thing_t *const thing = (thing_t *)object;
    EXPECT((self == things) && (thing->strong != 0U));
    thing->strong--;
    if ((thing->strong == 0U) && (at_end != NULL)) {
        at_end(thing);
    }
}

static void thing_retain_weak(void *self, void *object)
{
    thing_t *const thing = (thing_t *)object;
    EXPECT((self == things) && (thing->strong + thing->weak != 0U));
    thing->weak++;
}

static void thing_drop_weak(void *self, void *object)
{
    thing_t *const thing = (thing_t *)object;
    EXPECT((self == things) && (thing->weak != 0U));
    thing->weak--;
}

static const mete_shared_ops_t thing_ops = {thing_upgrade, thing_retain, thing_drop,
                                            thing_retain_weak, thing_drop_weak};
static const mete_shared_t shared = {&thing_ops, things};

static uint32_t hash(void *self, const void *key)
{
    const uint32_t number = *(const uint32_t *)key;
    EXPECT(self == &cache);
    return (number % SLOT_COUNT) | (number / SLOT_COUNT << 16);
}

static bool equals(void *self, const void *key, const void *object)
{
    EXPECT((self == &cache) && (((const thing_t *)object)->strong != 0U));
    ((thing_t *)(uintptr_t)object)->look_count++;
    return ((const thing_t *)object)->key == *(const uint32_t *)key;
}

static mete_cache_entry_t entries[SLOT_COUNT];
static const mete_cache_config_t good = {hash,       equals,      &cache,   entries,
                                         SLOT_COUNT, PROBE_COUNT, PIN_COUNT};
static const mete_cache_config_t pinless = {hash,       equals,      &cache, entries,
                                            SLOT_COUNT, PROBE_COUNT, 0U};

static void setup_with(const mete_cache_config_t *config)
{
    mete_words_fill(things, 0U, sizeof things);
    at_end = NULL;
    EXPECT(mete_cache_init(&cache, shared, config) && (tap_take_fault() == 0));
}

static void setup(void)
{
    setup_with(&good);
}

// An object that the test holds.
static thing_t *make(size_t index, uint32_t key)
{
    things[index].key = key;
    things[index].strong = 1U;
    return &things[index];
}

static thing_t *insert(size_t index, uint32_t key, uint8_t priority)
{
    thing_t *const thing = make(index, key);
    mete_cache_insert(&cache, &key, thing, priority);
    return thing;
}

static thing_t *find(uint32_t key)
{
    return (thing_t *)mete_cache_find(&cache, &key);
}

static bool is_removed(uint32_t key)
{
    return mete_cache_remove(&cache, &key);
}

// Looks without a trace.
static bool is_there(uint32_t key)
{
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        const thing_t *const thing = (const thing_t *)entries[i].object;
        if ((thing != NULL) && (thing->key == key)) {
            return true;
        }
    }
    return false;
}

static bool has_counts(const thing_t *thing, size_t strong, size_t weak)
{
    return (thing->strong == strong) && (thing->weak == weak) && (tap_take_fault() == 0);
}

static bool is_well(void)
{
    return mete_cache_check(&cache) && (tap_take_fault() == 0);
}

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    setup();
    (void)insert(0U, 5U, 0U);
    mete_cache_config_t bad[] = {good, good, good, good, good, good, good, good, good};
    bad[0].hash = NULL;
    bad[1].equals = NULL;
    bad[2].entries = NULL;
    bad[3].slot_count = 0U;
    bad[4].slot_count = 12U;
    bad[5].slot_count = 2U * METE_CACHE_SLOT_COUNT_MAX;
    bad[6].probe_count = 0U;
    bad[7].probe_count = SLOT_COUNT + 1U;
    bad[8].pin_count = SLOT_COUNT + 1U;
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_cache_init(&cache, shared, &bad[i]));
    }
    EXPECT(!mete_cache_init(&cache, shared, NULL));
    EXPECT(!mete_cache_init(&cache, (mete_shared_t){NULL, NULL}, &good));
    EXPECT(is_well() && (mete_cache_usage(&cache).in_use == 1U));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_cache_t never;
    EXPECT(!mete_cache_check(&never));
}

static void test_the_smallest_and_the_fullest_caches_are_legal(void)
{
    setup();
    (void)mete_cache_purge_dead(&cache, 5U);  // Which is beyond the end of the next one.
    static const mete_cache_config_t smallest = {hash, equals, &cache, entries, 1U, 1U, 1U};
    EXPECT(mete_cache_init(&cache, shared, &smallest) && is_well());
    static const mete_cache_config_t fullest = {hash,       equals,     &cache,    entries,
                                                SLOT_COUNT, SLOT_COUNT, SLOT_COUNT};
    EXPECT(mete_cache_init(&cache, shared, &fullest));
}

// ---- find and insert

static void test_what_was_inserted_is_found(void)
{
    setup();
    thing_t *const thing = insert(0U, 7U, 0U);
    EXPECT(has_counts(thing, 2U, 1U));
    EXPECT((find(7U) == thing) && has_counts(thing, 3U, 1U));
    EXPECT((find(8U) == NULL) && (find(7U + SLOT_COUNT) == NULL));
    const mete_cache_usage_t usage = mete_cache_usage(&cache);
    EXPECT((usage.hits == 1U) && (usage.misses == 2U) && (usage.in_use == 1U));
    EXPECT((usage.pinned == 1U) && (usage.slot_count == SLOT_COUNT) && is_well());
}

static void test_a_pinned_object_lives_without_its_maker(void)
{
    setup();
    thing_t *const thing = insert(0U, 7U, 0U);
    thing->strong--;
    EXPECT((find(7U) == thing) && has_counts(thing, 2U, 1U));
}

static void test_keys_of_one_slot_are_told_apart(void)
{
    setup_with(&pinless);
    for (uint32_t i = 0U; i < PROBE_COUNT; i++) {
        (void)insert(i, 14U + (SLOT_COUNT * i), 0U);  // Round the end of the table.
    }
    for (uint32_t i = 0U; i < PROBE_COUNT; i++) {
        EXPECT(find(14U + (SLOT_COUNT * i)) == &things[i]);
        EXPECT(entries[(14U + i) % SLOT_COUNT].object == &things[i]);
        EXPECT(things[i].look_count == 1U);  // Others were told by their tags.
    }
    EXPECT(is_well());
}

static void test_the_same_hash_is_not_the_same_key(void)
{
    setup();
    thing_t *const thing = insert(0U, 7U, 0U);
    thing->key = 99U;  // What was found now has another key.
    EXPECT((find(7U) == NULL) && has_counts(thing, 2U, 1U) && (thing->look_count != 0U));
    setup_with(&pinless);
    thing_t *const loose = insert(0U, 7U, 0U);
    loose->key = 99U;
    EXPECT((find(7U) == NULL) && has_counts(loose, 1U, 1U) && is_well());
}

static void test_a_slot_that_became_free_hides_nothing(void)
{
    setup_with(&pinless);
    (void)insert(0U, 3U, 0U);
    thing_t *const second = insert(1U, 3U + SLOT_COUNT, 0U);
    EXPECT(is_removed(3U) && (find(3U + SLOT_COUNT) == second));
    thing_t *const third = insert(2U, 3U + (2U * SLOT_COUNT), 0U);
    EXPECT((entries[3].object == third) && is_well());
}

static void test_a_second_object_with_a_key_takes_the_place_of_the_first(void)
{
    setup();
    thing_t *const first = insert(0U, 3U, 0U);
    thing_t *const second = insert(1U, 3U, 9U);
    EXPECT(has_counts(first, 1U, 0U) && (find(3U) == second));
    EXPECT((mete_cache_usage(&cache).in_use == 1U) && (mete_cache_usage(&cache).evictions == 1U));
    mete_cache_insert(&cache, &second->key, second, 9U);
    EXPECT(has_counts(second, 3U, 1U) && is_well());
}

// ---- Dead objects

static void test_a_dead_object_is_not_found_and_its_slot_is_emptied(void)
{
    setup_with(&pinless);
    thing_t *const thing = insert(0U, 3U, 0U);
    const size_t look_count = thing->look_count;
    thing->strong = 0U;
    EXPECT((find(3U) == NULL) && has_counts(thing, 0U, 0U) && (thing->look_count == look_count));
    EXPECT((mete_cache_usage(&cache).in_use == 0U) && is_well());
}

static void test_an_insert_uses_the_slot_of_a_dead_object(void)
{
    setup_with(&pinless);
    for (uint32_t i = 0U; i < PROBE_COUNT; i++) {
        (void)insert(i, 3U + (SLOT_COUNT * i), 0U);
    }
    things[2].strong = 0U;
    (void)insert(9U, 3U + (9U * SLOT_COUNT), 0U);
    EXPECT((entries[5].object == &things[9]) && has_counts(&things[2], 0U, 0U));
    EXPECT((mete_cache_usage(&cache).evictions == 0U) && is_well());
}

static void test_an_insert_of_a_dead_object_is_refused(void)
{
    setup();
    thing_t *const other = insert(0U, 3U, 0U);
    thing_t *const dead = make(1U, 3U);
    dead->strong = 0U;
    dead->weak = 1U;  // The test's.
    mete_cache_insert(&cache, &dead->key, dead, 9U);
    EXPECT((METE_CHECK_LEVEL < 1) || ((tap_fault_object == &cache) && (tap_fault_address == dead)));
    EXPECT(tap_take_fault() == ((METE_CHECK_LEVEL >= 1) ? (int)METE_FAULT_DOUBLE_FREE : 0));
    EXPECT(has_counts(dead, 0U, 1U) && (mete_cache_usage(&cache).evictions == 0U));
    EXPECT((find(3U) == other) && has_counts(other, 3U, 1U) && is_well());
}

static void test_an_insert_needs_no_other_reference_than_that_it_finds(void)
{
    setup();
    thing_t *const thing = insert(0U, 3U, 0U);
    thing->strong--;  // Its pin is all that holds it, and is given up on the way.
    mete_cache_insert(&cache, &thing->key, thing, 9U);
    EXPECT(has_counts(thing, 1U, 1U) && (find(3U) == thing) && is_well());
}

static void test_purge_dead_goes_round_in_steps(void)
{
    setup_with(&pinless);
    for (uint32_t i = 0U; i < 7U; i++) {
        (void)insert(i, 2U * i, 0U);
        things[i].strong = (i % 2U == 0U) ? 0U : 1U;
    }
    EXPECT((mete_cache_purge_dead(&cache, 5U) == 2U) && (mete_cache_usage(&cache).in_use == 5U));
    EXPECT((mete_cache_purge_dead(&cache, 3U) == 0U) && (mete_cache_purge_dead(&cache, 1U) == 1U));
    EXPECT((mete_cache_purge_dead(&cache, 7U) == 1U) && (cache.cursor == 0U));
    EXPECT((mete_cache_purge_dead(&cache, SIZE_MAX) == 0U) &&
           (mete_cache_usage(&cache).in_use == 3U));
    for (size_t i = 0U; i < 7U; i++) {
        EXPECT(has_counts(&things[i], i % 2U, i % 2U));
    }
    EXPECT(is_well());
}

// ---- Displacing

static void test_an_insert_displaces_what_matters_least(void)
{
    setup_with(&good);
    static const uint8_t priorities[PROBE_COUNT] = {255U, 0U, 2U, 9U};
    for (uint32_t i = 0U; i < PROBE_COUNT; i++) {
        (void)insert(i, 3U + (SLOT_COUNT * i), priorities[i]);
    }
    EXPECT(!is_pinned(&entries[3]) && is_pinned(&entries[4]));  // Three are pinned: the last.
    (void)insert(4U, 3U + (4U * SLOT_COUNT), 8U);
    EXPECT(!is_there(3U) && (entries[3].object == &things[4]));  // Though its priority was higher.
    EXPECT(has_counts(&things[0], 1U, 0U) && !is_pinned(&entries[4]));
    (void)insert(5U, 3U + (5U * SLOT_COUNT), 1U);
    EXPECT((entries[4].object == &things[5]) && is_pinned(&entries[4]) && !is_pinned(&entries[5]));
    EXPECT((mete_cache_usage(&cache).evictions == 2U) && is_well());
}

static void test_where_all_are_pinned_the_lowest_priority_goes(void)
{
    static const mete_cache_config_t config = {hash,       equals,      &cache,    entries,
                                               SLOT_COUNT, PROBE_COUNT, SLOT_COUNT};
    setup_with(&config);
    static const uint8_t priorities[PROBE_COUNT] = {7U, 3U, 2U, 2U};
    for (uint32_t i = 0U; i < PROBE_COUNT; i++) {
        (void)insert(i, 3U + (SLOT_COUNT * i), priorities[i]);
    }
    things[2].strong--;  // The cache alone holds it.
    (void)insert(4U, 3U + (4U * SLOT_COUNT), 255U);
    EXPECT((entries[5].object == &things[4]) && has_counts(&things[2], 0U, 0U));
    EXPECT((mete_cache_usage(&cache).pinned == PROBE_COUNT) && is_well());
}

// ---- Pins

static void test_those_used_last_are_pinned(void)
{
    setup();
    for (uint32_t i = 0U; i < 5U; i++) {
        (void)insert(i, i, 0U);
    }
    for (size_t i = 0U; i < 5U; i++) {
        EXPECT(has_counts(&things[i], (i < 2U) ? 1U : 2U, 1U));
    }
    EXPECT((find(2U) == &things[2]) && (find(1U) == &things[1]));
    EXPECT(has_counts(&things[3], 1U, 1U) && has_counts(&things[1], 3U, 1U));
    EXPECT((find(4U) != NULL) && (find(0U) != NULL) && has_counts(&things[2], 2U, 1U));
    EXPECT((mete_cache_usage(&cache).pinned == PIN_COUNT) && is_well());
}

static void test_being_found_in_a_later_slot_is_use_as_well(void)
{
    setup();
    for (uint32_t i = 0U; i < PIN_COUNT; i++) {
        (void)insert(i, 3U + (SLOT_COUNT * i), 0U);
    }
    EXPECT((find(3U) == &things[0]) && (find(3U + SLOT_COUNT) == &things[1]));
    (void)insert(4U, 9U, 0U);
    EXPECT(is_pinned(&entries[4]) && !is_pinned(&entries[5]) && is_well());
}

static void test_without_pins_nothing_is_kept_alive(void)
{
    setup_with(&pinless);
    thing_t *const thing = insert(0U, 3U, 0U);
    EXPECT(has_counts(thing, 1U, 1U) && (find(3U) == thing) && has_counts(thing, 2U, 1U));
    EXPECT((mete_cache_usage(&cache).pinned == 0U) && is_well());
}

static void test_an_object_that_ends_with_its_pin_leaves_its_slot(void)
{
    setup();
    thing_t *const thing = insert(0U, 0U, 0U);
    thing->strong--;
    for (uint32_t i = 1U; i <= PIN_COUNT; i++) {
        (void)insert(i, i, 0U);
    }
    EXPECT(has_counts(thing, 0U, 0U) && (entries[0].object == NULL) && is_well());
}

// ---- remove, reset, purge

static void test_remove_forgets_an_object(void)
{
    setup();
    thing_t *const thing = insert(0U, 3U, 0U);
    EXPECT(is_removed(3U) && has_counts(thing, 1U, 0U) && !is_removed(3U) && is_well());
    thing_t *const last = insert(1U, 4U, 0U);
    last->strong--;
    EXPECT(is_removed(4U) && has_counts(last, 0U, 0U));
    EXPECT((mete_cache_usage(&cache).in_use == 0U) && (mete_cache_usage(&cache).misses == 0U));
}

static void test_reset_drops_all_references(void)
{
    setup();
    for (uint32_t i = 0U; i < 9U; i++) {
        (void)insert(i, i, 0U);
    }
    mete_cache_reset(&cache);
    for (size_t i = 0U; i < 9U; i++) {
        EXPECT(has_counts(&things[i], 1U, 0U));
    }
    EXPECT((mete_cache_usage(&cache).in_use == 0U) && (mete_cache_usage(&cache).pinned == 0U));
    EXPECT(is_well());
}

static void insert_with_priorities(void)
{
    static const uint8_t priorities[] = {5U, 2U, 9U, 2U};
    static const mete_cache_config_t config = {hash,       equals,      &cache,    entries,
                                               SLOT_COUNT, PROBE_COUNT, SLOT_COUNT};
    setup_with(&config);
    for (uint32_t i = 0U; i < 4U; i++) {
        (void)insert(i, i, priorities[i]);
    }
    EXPECT(find(1U) == &things[1]);  // Used after the other one with its priority.
    things[1].strong--;
}

static void test_purge_gives_pins_up_by_priority_and_by_age(void)
{
    insert_with_priorities();
    EXPECT(mete_cache_usage(&cache).priority_min == 2U);
    EXPECT((mete_cache_purge(&cache, 255U, 1U) == 1U) && has_counts(&things[3], 1U, 1U));
    EXPECT((mete_cache_purge(&cache, 255U, 1U) == 1U) && has_counts(&things[1], 1U, 1U));
    EXPECT(mete_cache_usage(&cache).priority_min == 5U);
    EXPECT((mete_cache_purge(&cache, 4U, SIZE_MAX) == 0U) && has_counts(&things[0], 2U, 1U));
    EXPECT((mete_cache_purge(&cache, 5U, SIZE_MAX) == 1U) && has_counts(&things[0], 1U, 1U));
    EXPECT((mete_cache_purge(&cache, 255U, SIZE_MAX) == 1U) && has_counts(&things[2], 1U, 1U));
    EXPECT((mete_cache_purge(&cache, 255U, SIZE_MAX) == 0U) && is_well());
    EXPECT((find(0U) != NULL) && (find(2U) != NULL));  // Still found, for somebody holds them.
}

static void test_purge_ends_what_nobody_holds_and_forgets_it(void)
{
    insert_with_priorities();
    for (size_t i = 0U; i < 4U; i++) {
        things[i].strong--;
    }
    EXPECT((mete_cache_purge(&cache, 2U, SIZE_MAX) == 2U) && has_counts(&things[1], 0U, 0U));
    EXPECT(has_counts(&things[3], 0U, 0U) && (mete_cache_usage(&cache).in_use == 2U) && is_well());
}

static void test_purge_of_nothing_does_nothing(void)
{
    insert_with_priorities();
    EXPECT((mete_cache_purge(&cache, 255U, 0U) == 0U) && (mete_cache_usage(&cache).pinned == 4U));
    setup();
    EXPECT((mete_cache_purge(&cache, 255U, 9U) == 0U) &&
           (mete_cache_usage(&cache).priority_min == 0U));
}

// ---- What a cleanup does

static size_t removed_count;

static void remove_own(thing_t *thing)
{
    removed_count += mete_cache_remove(&cache, &thing->key) ? 1U : 0U;
}

static void test_a_cleanup_may_remove_its_object(void)
{
    for (size_t way = 0U; way < 4U; way++) {
        setup();
        thing_t *const thing = insert(0U, 0U, 0U);
        at_end = remove_own;
        removed_count = 0U;
        thing->strong--;
        if (way == 0U) {
            EXPECT(mete_cache_purge(&cache, 0U, 1U) == 1U);
        } else if (way == 1U) {
            EXPECT(is_removed(0U));
        } else if (way == 2U) {
            (void)insert(1U, 0U, 0U);
        } else {
            mete_cache_reset(&cache);
        }
        EXPECT(has_counts(thing, 0U, 0U) && (removed_count == 0U) && is_well());
        EXPECT(mete_cache_usage(&cache).in_use == ((way == 2U) ? 1U : 0U));
    }
}

static void find_another(thing_t *thing)
{
    thing_t *const other = find(thing->key + 1U);
    if (other != NULL) {
        other->strong--;
    }
}

static void test_a_cleanup_may_look_for_another(void)
{
    setup();
    for (uint32_t i = 0U; i < 8U; i++) {
        thing_t *const thing = insert(i, i, 0U);
        thing->strong -= (i == 6U) ? 1U : 0U;
    }
    at_end = find_another;
    EXPECT(mete_cache_purge(&cache, 255U, SIZE_MAX) == PIN_COUNT);
    EXPECT(has_counts(&things[6], 0U, 0U) && is_well());
}

// ---- Damage

static void test_links_that_do_not_agree_are_told(void)
{
    for (size_t way = 0U; way < 6U; way++) {
        setup();
        thing_t *const thing = insert(0U, 0U, 0U);
        thing_t *const other = insert(1U, 1U, 0U);
        (void)insert(2U, 2U, 0U);
        thing_t *const fourth = make(3U, 3U);
        entries[1].link.previous =
            &entries[2].link;  // So that the first does not agree, nor the second.
        if (way == 0U) {
            EXPECT(find(0U) == NULL);
        } else if (way == 1U) {
            EXPECT(!is_removed(0U));
        } else if (way == 2U) {
            EXPECT(mete_cache_purge(&cache, 255U, 9U) == 0U);
        } else if (way == 3U) {
            mete_cache_insert(&cache, &fourth->key, fourth, 0U);
        } else if (way == 4U) {
            mete_cache_reset(&cache);
        } else {
            EXPECT(find(1U) == NULL);
        }
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_object == &cache));
        EXPECT((thing->strong == 2U) && (thing->weak == 1U) && (other->strong == 2U));
        EXPECT((fourth->strong == 1U) && (fourth->weak == 0U) && (cache.pinned_count == 3U));
    }
}

// A loose object is found, and to pin it the oldest of the pinned would have to go.
static void test_links_that_would_have_to_change_are_looked_at_too(void)
{
    setup();
    for (uint32_t i = 0U; i < 4U; i++) {
        (void)insert(i, i, 0U);
    }
    entries[2].link.previous = &entries[3].link;
    EXPECT((find(0U) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(has_counts(&things[0], 1U, 1U) && (cache.pinned_count == 3U));
    entries[2].link.previous = &entries[1].link;
    mete_dlist_link_t *const last = cache.pinned.previous;
    cache.pinned.previous = &entries[2].link;  // The other end of the list.
    EXPECT((find(0U) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    cache.pinned.previous = last;
    const mete_cache_usage_t usage = mete_cache_usage(&cache);
    EXPECT((usage.hits == 0U) && (usage.misses == 0U) && is_well());
}

// A pinned object is found, in its first slot or in another, and has to become the last.
static void test_an_end_of_the_list_that_does_not_agree_is_told_by_a_hit_as_well(void)
{
    for (size_t way = 0U; way < 4U; way++) {
        setup();
        for (uint32_t i = 0U; i < PIN_COUNT; i++) {
            (void)insert(i, 3U + (SLOT_COUNT * i), 0U);
        }
        const uint32_t key = (way % 2U == 0U) ? 3U : 3U + SLOT_COUNT;
        mete_dlist_link_t **const link =
            (way < 2U) ? &cache.pinned.previous : &entries[5].link.next;
        mete_dlist_link_t *const right = *link;
        *link = (way < 2U) ? &entries[4].link : &entries[5].link;
        EXPECT((find(key) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
        mete_cache_insert(&cache, &key, &things[way % 2U], 0U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        *link = right;
        EXPECT(has_counts(&things[0], 2U, 1U) && has_counts(&things[1], 2U, 1U) && is_well());
        EXPECT((cache.pinned.next == &entries[3].link) && (mete_cache_usage(&cache).hits == 0U));
    }
}

// Whichever link of the list purge would go by.
static void test_purge_follows_no_link_that_does_not_agree(void)
{
    for (size_t i = 0U; i < 4U; i++) {
        for (size_t wrong = 0U; wrong < 4U; wrong++) {
            setup();
            mete_dlist_link_t *const links[] = {&cache.pinned, &entries[0].link, &entries[1].link,
                                                &entries[2].link};
            for (uint32_t key = 0U; key < 3U; key++) {
                (void)insert((size_t)key, key, (uint8_t)(key + 1U));
            }
            const bool is_right = (links[i]->next == links[wrong]);
            links[i]->next = links[wrong];
            EXPECT(mete_cache_purge(&cache, 255U, 1U) == (is_right ? 1U : 0U));
            EXPECT(tap_take_fault() == (is_right ? 0 : METE_FAULT_CORRUPT));
            EXPECT(cache.pinned_count == (is_right ? 2U : 3U));
        }
    }
}

static void test_purge_follows_no_link_that_leads_elsewhere(void)
{
    mete_dlist_link_t *const links[] = {
        NULL, (mete_dlist_link_t *)(uintptr_t)64U, (mete_dlist_link_t *)(void *)&entries[1].object,
        &entries[0].link, (mete_dlist_link_t *)(void *)(entries + SLOT_COUNT)};
    for (size_t i = 0U; i < sizeof links / sizeof links[0]; i++) {
        setup();
        for (uint32_t key = 0U; key < 3U; key++) {
            (void)insert(key, key, 0U);
        }
        entries[1].link.next = links[i];
        EXPECT(mete_cache_usage(&cache).priority_min == 0U);
        EXPECT((mete_cache_purge(&cache, 255U, 9U) == 0U) &&
               (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT((tap_fault_object == &cache) && (cache.pinned_count == 3U));
        EXPECT(has_counts(&things[0], 2U, 1U) && has_counts(&things[2], 2U, 1U));
        entries[1].link.next = &entries[2].link;
        EXPECT(is_well());
    }
}

static void test_check_finds_what_does_not_agree(void)
{
    setup();
    for (uint32_t i = 0U; i < 5U; i++) {
        (void)insert(i, i, 0U);
    }
    size_t *const counters[] = {&cache.in_use, &cache.pinned_count, &cache.mask};
    for (size_t i = 0U; i < sizeof counters / sizeof counters[0]; i++) {
        (*counters[i])--;
        EXPECT(!mete_cache_check(&cache));
        (*counters[i])++;
    }
    cache.cursor = SLOT_COUNT;
    EXPECT(!mete_cache_check(&cache));
    cache.cursor = 0U;
    mete_dlist_link_t *const links[] = {
        NULL, &entries[0].link, (mete_dlist_link_t *)(void *)&things[0],
        (mete_dlist_link_t *)(void *)&entries[3].object, &cache.pinned};
    for (size_t i = 0U; i < sizeof links / sizeof links[0]; i++) {
        mete_dlist_link_t *const next = entries[3].link.next;
        entries[3].link.next = links[i];
        EXPECT(!mete_cache_check(&cache));
        entries[3].link.next = next;
        mete_dlist_link_t *const previous = entries[3].link.previous;
        entries[3].link.previous = links[i];
        EXPECT(!mete_cache_check(&cache));
        entries[3].link.previous = previous;
        cache.pinned.next = links[i];
        EXPECT(!mete_cache_check(&cache));
        cache.pinned.next = &entries[2].link;
    }
    cache.shared.ops = NULL;
    EXPECT(!mete_cache_check(&cache));
    cache.shared = shared;
    mete_cache_config_t changed = good;
    cache.config = &changed;
    changed.slot_count = SLOT_COUNT - 1U;
    EXPECT(!mete_cache_check(&cache));
    changed.slot_count = SLOT_COUNT;
    changed.pin_count = PIN_COUNT - 1U;
    EXPECT(!mete_cache_check(&cache));
    changed.pin_count = SLOT_COUNT + 1U;
    EXPECT(!mete_cache_check(&cache));
    changed.pin_count = PIN_COUNT;
    changed.entries = &entries[1];
    EXPECT(!mete_cache_check(&cache));
    changed.entries = entries;
    changed.self = NULL;
    EXPECT(!mete_cache_check(&cache));
    cache.config = &good;
    EXPECT(mete_cache_check(&cache));
    entries[3].object = NULL;
    cache.in_use--;
    EXPECT(!mete_cache_check(&cache));
}

// A ring of its own beside the list has as many links, and all agree.
static void test_check_finds_a_list_that_does_not_reach_all(void)
{
    setup();
    for (uint32_t i = 0U; i < 3U; i++) {
        (void)insert(i, i, 0U);
    }
    mete_dlist_remove(&entries[1].link);
    mete_dlist_init(&entries[1].link);
    EXPECT(!mete_cache_check(&cache));
    mete_dlist_remove(&entries[2].link);
    mete_dlist_init(&entries[2].link);
    EXPECT(!mete_cache_check(&cache));
    setup();
    cache.pinned.next = &entries[0].link;  // Of a list that should be empty.
    EXPECT(!mete_cache_check(&cache));
}

// ---- Against a model: which objects are pinned, in order of use, and who else holds which.

static struct {
    uint32_t order[PIN_COUNT + 1U];  // Keys, used last at the end.
    size_t count;
} model;

static void use_in_model(uint32_t key)
{
    size_t kept = 0U;
    for (size_t i = 0U; i < model.count; i++) {
        if (model.order[i] != key) {
            model.order[kept++] = model.order[i];
        }
    }
    model.order[kept++] = key;
    const size_t first = (kept > PIN_COUNT) ? 1U : 0U;
    for (size_t i = first; i < kept; i++) {
        model.order[i - first] = model.order[i];
    }
    model.count = kept - first;
}

static bool is_pinned_in_model(uint32_t key)
{
    bool is_found = false;
    for (size_t i = 0U; i < model.count; i++) {
        is_found = is_found || (model.order[i] == key);
    }
    return is_found;
}

static void forget_in_model(uint32_t key)
{
    size_t kept = 0U;
    for (size_t i = 0U; i < model.count; i++) {
        if (model.order[i] != key) {
            model.order[kept++] = model.order[i];
        }
    }
    model.count = kept;
}

// The thing with index i has the key i, all in a table with room for all in their windows: nothing is displaced.
static void step_like_the_model(uint32_t *random, bool *is_held)
{
    const uint32_t key = random_below(random, SLOT_COUNT);
    thing_t *const thing = &things[key];
    const uint32_t choice = random_below(random, 8U);
    const bool must_hit = (thing->weak != 0U) && (thing->strong != 0U);
    if (choice < 4U) {
        const bool is_hit = find(key) == thing;
        EXPECT(is_hit == must_hit);
        if (is_hit) {
            thing->strong--;
            use_in_model(key);
        } else if (thing->strong == 0U) {
            (void)insert(key, key, (uint8_t)(key % 3U));
            *is_held = true;
            use_in_model(key);
        }
    } else if ((choice < 6U) && *is_held) {
        *is_held = false;
        thing->strong--;
    } else if (choice == 6U) {
        EXPECT(is_removed(key) == must_hit);
        forget_in_model(key);
    } else if (random_below(random, 8U) == 0U) {
        EXPECT(mete_cache_purge(&cache, 255U, SIZE_MAX) == model.count);
        model.count = 0U;
    } else {
        (void)mete_cache_purge_dead(&cache, 3U);
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    static bool is_held[SLOT_COUNT];
    setup();
    model.count = 0U;
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 20000U; step++) {
        const uint32_t before = random;
        uint32_t copy = random;
        const uint32_t key = random_below(&copy, SLOT_COUNT);
        step_like_the_model(&random, &is_held[key]);
        EXPECT((before != random) && is_well());
        for (uint32_t i = 0U; i < SLOT_COUNT; i++) {
            const size_t strong = (is_held[i] ? 1U : 0U) + (is_pinned_in_model(i) ? 1U : 0U);
            EXPECT((things[i].strong == strong) && (things[i].weak <= 1U));
        }
    }
    mete_cache_reset(&cache);
    const mete_cache_usage_t usage = mete_cache_usage(&cache);
    EXPECT((usage.hits > 1000U) && (usage.misses > 1000U) && (usage.evictions == 0U));
}

static void test_random_work_in_a_full_table_keeps_it_sound(void)
{
    setup();
    uint32_t random = 0x1234567U;
    for (size_t step = 0U; step < 20000U; step++) {
        const size_t index = random_below(&random, OBJECT_COUNT);
        const uint32_t key = (uint32_t)index * 5U;
        thing_t *const found = find(key);
        if (found != NULL) {
            found->strong -= (random_below(&random, 3U) == 0U) && (found->strong > 2U) ? 2U : 1U;
        } else if ((things[index].strong == 0U) && (things[index].weak == 0U)) {
            (void)insert(index, key, (uint8_t)random_below(&random, 4U));
        } else if ((things[index].strong == 1U) && (things[index].weak == 0U)) {
            things[index].strong = 0U;  // It was displaced; its maker drops it.
        }
        EXPECT(is_well());
    }
    EXPECT(mete_cache_usage(&cache).evictions > 1000U);
}

static void test_define_makes_a_cache(void)
{
    METE_CACHE_DEFINE(small, 8, 4, 2, hash, equals);
    EXPECT(mete_cache_init(&small, shared, &small_config) && mete_cache_check(&small));
    EXPECT((small_config.slot_count == 8U) && (small_config.pin_count == 2U));
}

static void run_what_needs_checks(void)
{
    if (METE_CHECK_LEVEL < 3) {  // Which would say so before.
        RUN(test_links_that_do_not_agree_are_told);
        RUN(test_an_end_of_the_list_that_does_not_agree_is_told_by_a_hit_as_well);
        RUN(test_links_that_would_have_to_change_are_looked_at_too);
        RUN(test_purge_follows_no_link_that_does_not_agree);
        RUN(test_purge_follows_no_link_that_leads_elsewhere);
    }
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_the_smallest_and_the_fullest_caches_are_legal);
    RUN(test_what_was_inserted_is_found);
    RUN(test_a_pinned_object_lives_without_its_maker);
    RUN(test_keys_of_one_slot_are_told_apart);
    RUN(test_the_same_hash_is_not_the_same_key);
    RUN(test_a_slot_that_became_free_hides_nothing);
    RUN(test_a_second_object_with_a_key_takes_the_place_of_the_first);
    RUN(test_a_dead_object_is_not_found_and_its_slot_is_emptied);
    RUN(test_an_insert_uses_the_slot_of_a_dead_object);
    RUN(test_an_insert_of_a_dead_object_is_refused);
    RUN(test_an_insert_needs_no_other_reference_than_that_it_finds);
    RUN(test_purge_dead_goes_round_in_steps);
    RUN(test_an_insert_displaces_what_matters_least);
    RUN(test_where_all_are_pinned_the_lowest_priority_goes);
    RUN(test_those_used_last_are_pinned);
    RUN(test_being_found_in_a_later_slot_is_use_as_well);
    RUN(test_without_pins_nothing_is_kept_alive);
    RUN(test_an_object_that_ends_with_its_pin_leaves_its_slot);
    RUN(test_remove_forgets_an_object);
    RUN(test_reset_drops_all_references);
    RUN(test_purge_gives_pins_up_by_priority_and_by_age);
    RUN(test_purge_ends_what_nobody_holds_and_forgets_it);
    RUN(test_purge_of_nothing_does_nothing);
    RUN(test_a_cleanup_may_remove_its_object);
    RUN(test_a_cleanup_may_look_for_another);
    RUN(test_check_finds_what_does_not_agree);
    RUN(test_check_finds_a_list_that_does_not_reach_all);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_random_work_in_a_full_table_keeps_it_sound);
    RUN(test_define_makes_a_cache);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}
