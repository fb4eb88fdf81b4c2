// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What health does about pressure, in a whole system: each time it is measured that memory came back, moved, or sleeps. All that
// is acted on has its memory from the system, so that pressure there is relief there.

#include "mete/system/health_actions.h"
#include "mete/system/health_sources.h"

#include "mete/core/words.h"
#include "mete/object/ref.h"
#include "mete/system/system.h"
#include "tests/support/tap.h"

enum { STORAGE_SIZE = 12 * 1024, HEAP_SIZE = 8192 };

static uint64_t storage[STORAGE_SIZE / 8];
static mete_system_config_t config;
static mete_health_config_t health_config;
static mete_health_rule_t rules[2];
static mete_system_t *made;
static mete_health_t *health;

static mete_alloc_t any(void)
{
    return mete_system_as_alloc(made, METE_SYSTEM_VARIABLE);
}

static size_t heap_in_use(void)
{
    return mete_heap_usage(mete_system_heap(made)).in_use_size;
}

// Health looks when the test says so.
static void build(size_t rule_count)
{
    health_config.rules = rules;
    health_config.rule_count = rule_count;
    health_config.interval = 100000U;
    config = (mete_system_config_t){.storage = {storage, sizeof storage},
                                    .heap_size = HEAP_SIZE,
                                    .health = &mete_system_with_health,
                                    .health_config = &health_config};
    made = mete_system_init(&config, NULL);
    EXPECT(made != NULL);
    health =
        (mete_health_t *)mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_health);
}

static void setup_rule(mete_health_measure_t measure, uint16_t permille, mete_health_act_t act)
{
    health_config = (mete_health_config_t){.observer = {NULL, NULL}};
    rules[0] = (mete_health_rule_t){measure, permille, permille, act, 0U};
}

// As often as it helps. Returns how often, and that is bounded.
static unsigned judge_until_calm(void)
{
    unsigned count = 0U;
    do {
        mete_health_judge(health);
        count++;
    } while (mete_health_is_raised(health, 0U) && (count < 100U));
    return count;
}

// ---- What can give memory back

enum { IMAGE_COUNT = 8, SESSION_COUNT = 8, KEPT_MIN = 2 };

typedef struct image {
    uint32_t key;
    unsigned char pixels[300];
} image_t;

static uint32_t hash(void *self, const void *key)
{
    (void)self;
    return *(const uint32_t *)key;
}

static bool equals(void *self, const void *key, const void *object)
{
    (void)self;
    return ((const image_t *)object)->key == *(const uint32_t *)key;
}

METE_CACHE_DEFINE(cache, 16, 4, 16, hash, equals);
static mete_ref_t images;

static void fill_cache(void)
{
    static const mete_ref_config_t ref_config = {.object_size = sizeof(image_t), .align = 8U};
    EXPECT(mete_ref_init(&images, any(), &ref_config));
    EXPECT(mete_cache_init(&cache, mete_ref_as_shared(&images), &cache_config));
    for (uint32_t i = 0U; i < IMAGE_COUNT; i++) {
        image_t *const image = (image_t *)mete_ref_alloc(&images);
        EXPECT(image != NULL);
        image->key = i;
        mete_cache_insert(&cache, &i, image, (uint8_t)(i / 4U));
        mete_ref_drop(&images, image);
    }
}

static mete_object_slot_t session_slots[SESSION_COUNT];
static const mete_object_config_t session_config = {.object_size = 300U,
                                                    .align = 8U,
                                                    .object_max = SESSION_COUNT,
                                                    .table = session_slots,
                                                    .kept_max = SESSION_COUNT,
                                                    .kept_min = KEPT_MIN};
static mete_object_t sessions;

static void fill_sessions(void)
{
    EXPECT(mete_object_init(&sessions, any(), &session_config));
    EXPECT(mete_object_reserve(&sessions, SESSION_COUNT));
}

static void test_a_full_heap_gets_back_what_a_cache_holds(void)
{
    setup_rule(METE_HEALTH_USAGE, 200U, METE_HEALTH_PURGE);
    health_config.purge = (mete_health_action_t){mete_health_purge_cache, &cache};
    build(1U);
    fill_cache();
    const size_t full = heap_in_use();
    mete_health_judge(health);
    EXPECT(heap_in_use() <= full - 4U * sizeof(image_t));  // Those of the lowest priority.
    EXPECT(mete_ref_usage(&images).in_use == IMAGE_COUNT / 2U);
    EXPECT((judge_until_calm() == 1U) && mete_system_check(made) && mete_cache_check(&cache));
}

// One is in use when the cache gives its pins up, and dies later.
static void test_what_is_dead_is_dropped_from_a_cache_without_pins(void)
{
    build(0U);
    fill_cache();
    const uint32_t key = 3U;
    void *const used = mete_cache_find(&cache, &key);
    EXPECT((used != NULL) && (mete_cache_purge(&cache, UINT8_MAX, SIZE_MAX) == IMAGE_COUNT));
    EXPECT(!mete_health_purge_cache(&cache, NULL));
    mete_ref_drop(&images, used);
    EXPECT(mete_health_purge_cache(&cache, NULL) && !mete_health_purge_cache(&cache, NULL));
    EXPECT(mete_cache_check(&cache));
}

static void test_a_slab_cache_gives_back_what_is_empty(void)
{
    static mete_slab_entry_t table[2];
    static const mete_slab_config_t slab_config = {
        .block_size = 104U, .align = 8U, .block_count = 4U, .slab_count = 2U, .table = table};
    static mete_slab_t slab;
    build(0U);
    EXPECT(mete_slab_init(&slab, any(), &slab_config));
    const size_t before = heap_in_use();
    void *const block = mete_slab_alloc(&slab);
    EXPECT((block != NULL) && !mete_health_purge_slab(&slab, NULL));
    mete_slab_free(&slab, block);
    EXPECT((heap_in_use() != before) && mete_health_purge_slab(&slab, NULL));
    EXPECT((heap_in_use() == before) && !mete_health_purge_slab(&slab, NULL));
}

static void test_a_full_heap_gets_back_the_objects_that_nobody_uses(void)
{
    setup_rule(METE_HEALTH_USAGE, 200U, METE_HEALTH_PURGE);
    health_config.purge = (mete_health_action_t){mete_health_shrink_object, &sessions};
    build(1U);
    fill_sessions();
    void *const used = mete_object_get(&sessions);
    const size_t full = heap_in_use();
    mete_health_judge(health);
    EXPECT(heap_in_use() + (SESSION_COUNT - KEPT_MIN - 1U) * 300U <= full);
    EXPECT(mete_object_usage(&sessions).object_count == KEPT_MIN + 1U);
    EXPECT(!mete_health_shrink_object(&sessions, NULL));
    mete_object_put(&sessions, used);
    EXPECT(mete_health_shrink_object(&sessions, NULL) && mete_object_check(&sessions));
    EXPECT(mete_object_usage(&sessions).object_count == KEPT_MIN);
}

// ---- A movable store, in banks that the system's memory lies in

enum { BANKS = 4, BANK = 512, STORE_SIZE = BANKS * BANK, NOTES = 14, NOTE = 120, SLOTS = 16 };
enum { ALL_AWAKE = (1 << BANKS) - 1 };

static const mete_bank_kind_t kind = {
    .modes = {{1000U, true}, {0U, false}, {100U, true}, {1U, false}},
    .changes = {{{0U, 0U, false}, {0U, 0U, false}, {3U, 5U, true}, {4U, 6U, true}},
                {{0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{30U, 7U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{50U, 8U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};
static mete_movable_slot_t slots[SLOTS];
static mete_movable_config_t store_config;
static mete_movable_t store;
static mete_movable_handle_t notes[NOTES];
static mete_bank_record_t records[BANKS];
static mete_bank_place_t places[BANKS];
static mete_bank_config_t bank_config;
static mete_bank_t bank;
static mete_evacuation_load_t loads[BANKS];
static mete_span_t order[METE_EVACUATION_ORDER_COUNT(BANKS)];
static mete_evacuation_config_t evacuation_config;
static mete_evacuation_t evacuation;
static mete_health_banks_t banks;
static uint32_t refused_set;  // Banks whose driver refuses.

static uint32_t read_clock(void)
{
    return 0U;
}

// What a bank does not keep is lost.
static bool drive(void *self, const mete_ram_change_t *change)
{
    (void)self;
    const bool is_done = ((refused_set >> change->index) & 1U) == 0U;
    if (is_done && !change->retains) {
        mete_words_fill(change->span.start, 0xDEU, change->span.size);
    }
    return is_done;
}

static const mete_ram_ops_t ram_ops = {drive};

static unsigned awake_count(void)
{
    unsigned count = 0U;
    for (size_t i = 0U; i < BANKS; i++) {
        count += mete_bank_is_awake(&bank, i) ? 1U : 0U;
    }
    return count;
}

static void open_banks(unsigned char *memory, size_t room_size)
{
    for (size_t i = 0U; i < BANKS; i++) {
        places[i].span.start = memory + i * BANK;
        places[i].span.size = BANK;
        places[i].kind = &kind;
    }
    bank_config = (mete_bank_config_t){.places = places,
                                       .records = records,
                                       .bank_count = BANKS,
                                       .ram = {&ram_ops, NULL},
                                       .clock = read_clock,
                                       .tick_us = 1U};
    evacuation_config = (mete_evacuation_config_t){.bank = &bank,
                                                   .mover = mete_movable_as_mover(&store),
                                                   .loads = loads,
                                                   .order = order,
                                                   .step_size = 128U,
                                                   .state = METE_RAM_DEEP_SLEEP};
    refused_set = 0U;
    banks = (mete_health_banks_t){&evacuation, room_size};
    EXPECT(mete_bank_init(&bank, &bank_config));
    EXPECT(mete_evacuation_init(&evacuation, &evacuation_config));
}

static void open_store(size_t room_size)
{
    unsigned char *const memory = (unsigned char *)mete_acquire(any(), STORE_SIZE, 8U);
    EXPECT(memory != NULL);
    store_config = (mete_movable_config_t){
        .storage = {memory, STORE_SIZE}, .slots = slots, .slot_count = SLOTS};
    EXPECT(mete_movable_init(&store, &store_config));
    open_banks(memory, room_size);
}

static void write_note(size_t number)
{
    notes[number] = mete_movable_alloc(&store, NOTE);
    void *const text = mete_movable_pin(&store, notes[number]);
    EXPECT(text != NULL);
    mete_words_fill(text, (uint8_t)number, NOTE);
    mete_movable_unpin(&store, notes[number]);
}

// All notes of which `step` - 1 in between were dropped are whole.
static bool are_whole(size_t step)
{
    bool is_whole = true;
    for (size_t i = 0U; i < NOTES; i += step) {
        const unsigned char *const text = (const unsigned char *)mete_movable_pin(&store, notes[i]);
        for (size_t at = 0U; at < NOTE; at++) {
            is_whole = is_whole && (text[at] == (uint8_t)i);
        }
        mete_movable_unpin(&store, notes[i]);
    }
    return is_whole && mete_movable_check(&store) && mete_bank_check(&bank) &&
           mete_evacuation_check(&evacuation);
}

// Notes all over the banks, of which every `step`th stays.
static void scatter(size_t step)
{
    for (size_t i = 0U; i < NOTES; i++) {
        write_note(i);
    }
    for (size_t i = 0U; i < NOTES; i++) {
        if (i % step != 0U) {
            mete_movable_free(&store, notes[i]);
        }
    }
}

// What is judged is the store; the actions are the system's.
static void watch_store(const mete_health_source_t *sources, size_t source_count)
{
    static mete_health_t of_store;
    EXPECT(mete_health_init(&of_store, any(), sources, source_count, &health_config));
    health = &of_store;
}

static const mete_health_source_t store_sources[] = {{mete_health_read_movable, &store},
                                                     {mete_health_read_evacuation, &evacuation}};

static void test_what_is_scattered_is_moved_together(void)
{
    setup_rule(METE_HEALTH_FRAGMENTATION, 200U, METE_HEALTH_COMPACT);
    health_config.compact = (mete_health_action_t){mete_health_compact_movable, &store};
    build(1U);
    open_store(0U);
    scatter(2U);
    watch_store(store_sources, 1U);
    const size_t gap_count = mete_movable_usage(&store).gap_count;
    mete_health_judge(health);
    EXPECT(mete_health_is_raised(health, 0U) && (mete_movable_usage(&store).moved_total != 0U));
    EXPECT(mete_movable_usage(&store).moved_total <= METE_HEALTH_STEP_SIZE);
    EXPECT((judge_until_calm() < 10U) && are_whole(2U));
    EXPECT(mete_movable_usage(&store).gap_count < gap_count);
}

static void test_banks_that_need_not_be_awake_are_emptied_and_sleep(void)
{
    setup_rule(METE_HEALTH_FRAGMENTATION, 100U, METE_HEALTH_COMPACT);
    health_config.compact = (mete_health_action_t){mete_health_evacuate_banks, &banks};
    build(1U);
    open_store(0U);
    scatter(3U);  // 600 bytes: two banks.
    watch_store(store_sources, 1U);
    mete_health_judge(health);
    EXPECT(mete_health_is_raised(health, 0U) && (mete_movable_usage(&store).moved_total != 0U));
    EXPECT(mete_movable_usage(&store).moved_total <= evacuation_config.step_size);
    unsigned count = 0U;
    while (mete_health_evacuate_banks(&banks, NULL)) {
        count++;
        EXPECT(count < 100U);
    }
    EXPECT(awake_count() == 2U);
    EXPECT(are_whole(3U) && (tap_take_fault() == 0));
}

static void test_as_many_banks_stay_awake_as_the_room_needs(void)
{
    static const struct {
        size_t room_size;
        uint32_t awake_count;
    } cases[] = {{0U, 2U}, {424U, 2U}, {425U, 3U}, {936U, 3U}, {937U, 4U}, {SIZE_MAX, 4U}};
    for (size_t i = 0U; i < sizeof cases / sizeof cases[0]; i++) {
        build(0U);
        open_store(cases[i].room_size);
        scatter(3U);
        EXPECT(mete_health_evacuate_banks(&banks, NULL) == (cases[i].awake_count < BANKS));
        while (mete_health_evacuate_banks(&banks, NULL)) {
        }
        EXPECT(awake_count() == cases[i].awake_count);
        EXPECT(are_whole(3U));
    }
}

static void drop_note(size_t number)
{
    mete_movable_free(&store, notes[number]);
}

// What changes meanwhile is for the next plan, and that is made as soon as the last target sleeps.
static void test_a_plan_is_carried_out_before_there_is_another(void)
{
    build(0U);
    open_store(0U);
    scatter(3U);
    EXPECT(mete_health_evacuate_banks(&banks, NULL));
    const uint32_t target_set = mete_evacuation_target_set(&evacuation);
    drop_note(0U);
    drop_note(3U);
    drop_note(9U);
    while (awake_count() != 2U) {
        EXPECT(mete_health_evacuate_banks(&banks, NULL));
        EXPECT(mete_evacuation_target_set(&evacuation) == target_set);
    }
    EXPECT(mete_health_evacuate_banks(&banks, NULL));
    while (mete_health_evacuate_banks(&banks, NULL)) {
    }
    EXPECT((awake_count() == 1U) && (mete_evacuation_target_set(&evacuation) == 0U));
    EXPECT(mete_movable_has(&store, notes[6]) && mete_movable_has(&store, notes[12]));
}

static void test_a_bank_that_cannot_sleep_takes_blocks_again(void)
{
    build(0U);
    open_store(0U);
    scatter(3U);
    refused_set = ALL_AWAKE;
    unsigned count = 0U;
    while (mete_health_evacuate_banks(&banks, NULL)) {
        count++;
        EXPECT(count < 100U);
    }
    EXPECT((mete_evacuation_target_set(&evacuation) == 0U) && are_whole(3U));
    EXPECT(mete_bank_awake_set(&bank) == ALL_AWAKE);
}

static void test_a_bank_is_woken_when_room_is_short(void)
{
    setup_rule(METE_HEALTH_USAGE, 800U, METE_HEALTH_CALL);
    health_config.call = (mete_health_action_t){mete_health_wake_banks, &banks};
    build(1U);
    open_store(NOTE);
    EXPECT(mete_health_evacuate_banks(&banks, NULL) && (awake_count() == 1U));  // Nothing to move.
    EXPECT(!mete_health_evacuate_banks(&banks, NULL) && (awake_count() == 1U));
    watch_store(store_sources, 2U);
    EXPECT(mete_health_usage(health).total_size == BANK);
    for (size_t i = 0U; i < 4U; i++) {
        write_note(i);
    }
    EXPECT(mete_movable_alloc(&store, NOTE).value == 0U);
    mete_health_judge(health);
    EXPECT(awake_count() == 2U);
    EXPECT((judge_until_calm() == 1U) && (mete_health_usage(health).total_size == 2U * BANK));
    EXPECT(mete_health_usage(health).in_use_size == 4U * NOTE);
    write_note(4U);
    refused_set = ALL_AWAKE;
    EXPECT(!mete_health_wake_banks(&banks, NULL));
}

// Three notes in the one bank that is awake leave 152 bytes.
static void test_no_bank_is_woken_while_there_is_room(void)
{
    static const size_t rooms[] = {0U, NOTE, BANK - 3U * NOTE, BANK - 3U * NOTE + 1U, BANK};
    for (size_t i = 0U; i < sizeof rooms / sizeof rooms[0]; i++) {
        build(0U);
        open_store(1U);
        EXPECT(mete_health_evacuate_banks(&banks, NULL) && (awake_count() == 1U));
        for (size_t n = 0U; n < 3U; n++) {
            write_note(n);
        }
        banks.room_size = rooms[i];
        const bool is_short = rooms[i] > BANK - 3U * NOTE;
        EXPECT(mete_health_wake_banks(&banks, NULL) == is_short);
        EXPECT(awake_count() == (is_short ? 2U : 1U));
        EXPECT(!mete_health_wake_banks(&banks, NULL) && !mete_health_evacuate_banks(&banks, NULL));
        EXPECT(mete_evacuation_check(&evacuation) && (tap_take_fault() == 0));
    }
}

static void test_neighbours_are_woken_until_there_is_room(void)
{
    build(0U);
    open_store(1U);
    EXPECT(mete_health_evacuate_banks(&banks, NULL) && (awake_count() == 1U));
    write_note(0U);
    banks.room_size = 3U * BANK - NOTE;
    EXPECT(mete_health_wake_banks(&banks, NULL) && (awake_count() == 3U));
    EXPECT(!mete_health_wake_banks(&banks, NULL) && !mete_health_evacuate_banks(&banks, NULL));
}

// Room is what is left when all of it is done.
static void test_an_evacuation_goes_on_while_it_leaves_the_room(void)
{
    build(0U);
    open_store(2U * BANK - 5U * NOTE);
    scatter(3U);
    EXPECT(mete_health_evacuate_banks(&banks, NULL));
    const uint32_t target_set = mete_evacuation_target_set(&evacuation);
    EXPECT((target_set != 0U) && !mete_health_wake_banks(&banks, NULL));
    EXPECT(mete_evacuation_target_set(&evacuation) == target_set);
    write_note(1U);
    EXPECT(mete_health_wake_banks(&banks, NULL));
    EXPECT((mete_evacuation_target_set(&evacuation) & ~target_set) == 0U);
    EXPECT(mete_evacuation_target_set(&evacuation) != target_set);
    EXPECT(!mete_health_wake_banks(&banks, NULL) && are_whole(3U) && (tap_take_fault() == 0));
}

// The store is full, so what is to be moved out has no room: less than none is left.
static void test_an_evacuation_that_does_not_fit_leaves_no_room(void)
{
    build(0U);
    open_store(1U);
    for (size_t i = 0U; i < 13U; i++) {
        write_note(i);
    }
    mete_evacuation_plan_t plan;
    EXPECT(mete_evacuation_plan(&evacuation, 0x3U, &plan) && (plan.room_size < plan.move_size));
    mete_evacuation_commit(&evacuation, &plan);
    EXPECT(mete_health_wake_banks(&banks, NULL));
    EXPECT(mete_evacuation_target_set(&evacuation) != 0x3U);
}

static void test_banks_under_evacuation_are_not_counted(void)
{
    build(0U);
    open_store(0U);
    scatter(3U);
    refused_set = ALL_AWAKE;
    EXPECT(mete_health_evacuate_banks(&banks, NULL));
    mete_health_usage_t usage = {0U, 0U, 0U, 0U, 0U, 0U};
    mete_health_read_evacuation(&evacuation, &usage);
    EXPECT(mete_bank_awake_set(&bank) == ALL_AWAKE);
    EXPECT((usage.total_size == 2U * BANK) && (usage.in_use_size < 5U * NOTE + 1U));
}

// ---- All of them, one after the other

static void test_a_list_goes_on_until_one_helps(void)
{
    static const mete_health_action_t actions[] = {{mete_health_purge_cache, &cache},
                                                   {mete_health_shrink_object, &sessions},
                                                   {mete_health_compact_movable, &store},
                                                   {mete_health_evacuate_banks, &banks}};
    static mete_health_list_t list = {actions, sizeof actions / sizeof actions[0]};
    setup_rule(METE_HEALTH_USAGE, 100U, METE_HEALTH_CALL);
    health_config.call = (mete_health_action_t){mete_health_run_list, &list};
    build(1U);
    fill_cache();
    fill_sessions();
    open_store(0U);
    scatter(7U);
    for (unsigned i = 0U; i < 2U; i++) {  // The cache has two priorities.
        mete_health_judge(health);
        EXPECT(mete_ref_usage(&images).in_use == (1U - i) * IMAGE_COUNT / 2U);
        EXPECT(mete_object_usage(&sessions).object_count == SESSION_COUNT);
    }
    mete_health_judge(health);
    EXPECT(mete_object_usage(&sessions).object_count == KEPT_MIN);
    EXPECT(mete_movable_usage(&store).moved_total == 0U);
    mete_health_judge(health);
    EXPECT(mete_movable_usage(&store).moved_total != 0U);
    EXPECT(mete_bank_awake_set(&bank) == ALL_AWAKE);
    mete_health_judge(health);
    EXPECT(awake_count() == 1U);
    EXPECT(are_whole(7U) && !mete_health_run_list(&list, NULL));
    list.action_count = 0U;
    EXPECT(!mete_health_run_list(&list, NULL));
    list.action_count = sizeof actions / sizeof actions[0];
    EXPECT(mete_system_check(made) && (tap_take_fault() == 0));
}

static const mete_health_rule_t *ruled;

static bool note_rule(void *self, const mete_health_rule_t *rule)
{
    ruled = rule;
    return *(const bool *)self;
}

static void test_a_list_hands_on_the_rule(void)
{
    static bool helps[] = {false, true, true};
    static const mete_health_action_t actions[] = {
        {note_rule, &helps[0]}, {note_rule, &helps[1]}, {NULL, NULL}};
    mete_health_list_t list = {actions, 3U};
    setup_rule(METE_HEALTH_USAGE, 1U, METE_HEALTH_CALL);
    EXPECT(mete_health_run_list(&list, &rules[0]) && (ruled == &rules[0]));
    list.action_count = 1U;
    EXPECT(!mete_health_run_list(&list, &rules[1]) && (ruled == &rules[1]));
}

int main(void)
{
    RUN(test_a_full_heap_gets_back_what_a_cache_holds);
    RUN(test_what_is_dead_is_dropped_from_a_cache_without_pins);
    RUN(test_a_slab_cache_gives_back_what_is_empty);
    RUN(test_a_full_heap_gets_back_the_objects_that_nobody_uses);
    RUN(test_what_is_scattered_is_moved_together);
    RUN(test_banks_that_need_not_be_awake_are_emptied_and_sleep);
    RUN(test_as_many_banks_stay_awake_as_the_room_needs);
    RUN(test_a_plan_is_carried_out_before_there_is_another);
    RUN(test_a_bank_that_cannot_sleep_takes_blocks_again);
    RUN(test_a_bank_is_woken_when_room_is_short);
    RUN(test_no_bank_is_woken_while_there_is_room);
    RUN(test_neighbours_are_woken_until_there_is_room);
    RUN(test_an_evacuation_goes_on_while_it_leaves_the_room);
    RUN(test_an_evacuation_that_does_not_fit_leaves_no_room);
    RUN(test_banks_under_evacuation_are_not_counted);
    RUN(test_a_list_goes_on_until_one_helps);
    RUN(test_a_list_hands_on_the_rule);
    return tap_finish();
}
