// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Whose memory it is and who may touch it: every triple of owner, asker and operation, the line of those who wait, and
// random work beside a plain model.

#include "mete/protect/partition.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { OWNER_COUNT = 3, SLOT_SIZE = 40, SLOT_COUNT = 6, GRANULE = 8, COMMON = OWNER_COUNT };

// ---- What stands behind: rooms of a few slots, which remember what was asked for.

typedef struct room {
    unsigned char *start;
    size_t sizes[SLOT_COUNT];  // 0: free.
    size_t aligns[SLOT_COUNT];
    size_t slot_count;
    size_t complaints;
    bool is_elsewhere;  // It hands out memory of another.
} room_t;

static _Alignas(64) unsigned char memory[OWNER_COUNT + 1][SLOT_COUNT * SLOT_SIZE];
static _Alignas(64) unsigned char elsewhere[SLOT_SIZE];
static room_t rooms[OWNER_COUNT + 1];

static void *room_acquire(void *self, size_t size, size_t align)
{
    room_t *const room = self;
    if (room->is_elsewhere) {
        return elsewhere;
    }
    for (size_t i = 0U; (i < room->slot_count) && (size <= SLOT_SIZE); i++) {
        if ((room->sizes[i] == 0U) &&
            mete_align_fits((uintptr_t)room->start + (i * SLOT_SIZE), align)) {
            room->sizes[i] = size;
            room->aligns[i] = align;
            return room->start + (i * SLOT_SIZE);
        }
    }
    return NULL;
}

static bool room_has(room_t *room, const void *block, size_t size, size_t align)
{
    const size_t offset = (size_t)((uintptr_t)block - (uintptr_t)room->start);
    const size_t index = offset / SLOT_SIZE;
    const bool has = (offset % SLOT_SIZE == 0U) && (index < SLOT_COUNT) &&
                     (room->sizes[index] == size) && (room->aligns[index] == align);
    room->complaints += has ? 0U : 1U;
    return has;
}

static size_t *room_size_at(room_t *room, const void *block)
{
    return &room->sizes[((uintptr_t)block - (uintptr_t)room->start) / SLOT_SIZE];
}

static void room_release(void *self, void *block, size_t size, size_t align)
{
    room_t *const room = self;
    if (room->is_elsewhere) {
        room->complaints += (block == elsewhere) ? 0U : 1U;
    } else if (room_has(room, block, size, align)) {
        *room_size_at(room, block) = 0U;
    }
}

static bool room_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    room_t *const room = self;
    if (!room_has(room, block, old_size, align) || (new_size > SLOT_SIZE)) {
        return false;
    }
    *room_size_at(room, block) = new_size;
    return true;
}

static size_t room_size_of(const void *self, const void *block)
{
    (void)self, (void)block;
    return SLOT_SIZE;
}

static const mete_alloc_ops_t room_ops = {room_acquire, room_release, room_resize, NULL,
                                          room_size_of};

static size_t room_live_count(const room_t *room)
{
    size_t count = 0U;
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        count += (room->sizes[i] != 0U) ? 1U : 0U;
    }
    return count;
}

// ---- The partition

static mete_partition_t partition;
static mete_partition_terms_t terms[OWNER_COUNT];
static mete_partition_owner_t owners[OWNER_COUNT];
static uint8_t rights[OWNER_COUNT][OWNER_COUNT];
static uint16_t table[SLOT_COUNT * SLOT_SIZE / GRANULE];
static mete_partition_config_t config;
static mete_alloc_t homes[OWNER_COUNT];
static mete_alloc_t common;
static uint32_t current;
static mete_event_t heard;
static size_t heard_count;

static uint32_t who(void *self)
{
    return *(const uint32_t *)self;
}

static void hear(void *self, const mete_event_t *event)
{
    (void)self;
    heard = *event;
    heard_count++;
}

// Three owners with two slots at home, and six in common; each of them has all rights on what is his.
static void prepare(void)
{
    for (size_t i = 0U; i <= OWNER_COUNT; i++) {
        rooms[i] = (room_t){.start = memory[i], .slot_count = (i == COMMON) ? SLOT_COUNT : 2U};
    }
    for (size_t i = 0U; i < OWNER_COUNT; i++) {
        homes[i] = (mete_alloc_t){&room_ops, &rooms[i]};
        terms[i] = (mete_partition_terms_t){{memory[i], sizeof memory[i]}, 80U, (uint32_t)i};
        for (size_t j = 0U; j < OWNER_COUNT; j++) {
            rights[i][j] = (i == j) ? METE_PARTITION_ALL : 0U;
        }
    }
    common = (mete_alloc_t){&room_ops, &rooms[COMMON]};
    config = (mete_partition_config_t){.terms = terms,
                                       .owners = owners,
                                       .rights = rights[0],
                                       .owner_count = OWNER_COUNT,
                                       .common = {memory[COMMON], sizeof memory[COMMON]},
                                       .common_granule = GRANULE,
                                       .common_table = table,
                                       .policy = METE_PARTITION_PRIORITY,
                                       .owner = who,
                                       .owner_self = &current,
                                       .observer = {hear, NULL}};
    current = 0U;
    heard_count = 0U;
    (void)tap_take_fault();
}

static bool start(void)
{
    return mete_partition_init(&partition, homes, common, &config);
}

static void setup(void)
{
    prepare();
    EXPECT(start() && mete_partition_check(&partition));
}

static mete_alloc_t view(uint32_t owner)
{
    return mete_partition_as_alloc(&partition, owner);
}

static void *take(uint32_t owner, size_t size)
{
    current = owner;
    return mete_acquire(view(owner), size, 8U);
}

static void give(uint32_t owner, void *block, size_t size)
{
    current = owner;
    mete_release(view(owner), block, size, 8U);
}

// Fills an owner's home.
static void fill_home(uint32_t owner)
{
    while (room_live_count(&rooms[owner]) < rooms[owner].slot_count) {
        EXPECT(take(owner, 8U) != NULL);
    }
}

static void *take_common(uint32_t owner, size_t size)
{
    fill_home(owner);
    return take(owner, size);
}

static bool is_in(size_t room, const void *block)
{
    return (uintptr_t)block - (uintptr_t)memory[room] < sizeof memory[room];
}

static bool said(int fault, uint32_t asker, uint32_t owner, mete_partition_right_t operation,
                 const void *block)
{
    const mete_partition_report_t *const last = mete_partition_last(&partition);
    return (tap_take_fault() == fault) && (tap_fault_object == &partition) && (last != NULL) &&
           (last->asker == asker) && (last->owner == owner) && (last->operation == operation) &&
           (last->block == block) && mete_partition_check(&partition);
}

// ---- Start

static bool is_refused(void)
{
    partition.fault_total = 77U;
    const bool refused = !start() && (partition.fault_total == 77U);
    prepare();
    return refused;
}

static void test_init_refuses_what_is_missing(void)
{
    prepare();
    EXPECT(!mete_partition_init(&partition, homes, common, NULL));
    EXPECT(!mete_partition_init(&partition, NULL, common, &config));
    config.terms = NULL;
    EXPECT(is_refused());
    config.owners = NULL;
    EXPECT(is_refused());
    config.rights = NULL;
    EXPECT(is_refused());
    config.owner = NULL;
    EXPECT(is_refused());
    config.owner_count = 0U;
    EXPECT(is_refused());
    config.owner_count = METE_PARTITION_OWNER_MAX + 1U;
    EXPECT(is_refused());
    config.common_table = NULL;
    EXPECT(is_refused());
    EXPECT(start());
}

static void test_init_refuses_spans_that_do_not_fit(void)
{
    prepare();
    terms[1].span.start = memory[0] + sizeof memory[0] - 1U;
    EXPECT(is_refused());
    terms[0].span.size = sizeof memory[0] + 1U;
    EXPECT(is_refused());
    terms[1].span.start = memory[COMMON];
    EXPECT(is_refused());
    terms[2].span.size = 0U;
    EXPECT(is_refused());
    homes[2].ops = NULL;
    EXPECT(is_refused());
    terms[0].span.start = NULL;
    EXPECT(is_refused());
    common.ops = NULL;
    EXPECT(is_refused());
    config.common.size = 0U;
    EXPECT(is_refused());
    EXPECT(start());
}

static void test_init_refuses_granules_that_do_not_fit(void)
{
    prepare();
    config.common_granule = 0U;
    EXPECT(is_refused());
    config.common_granule = 12U;
    EXPECT(is_refused());
    config.common.size -= 4U;
    EXPECT(is_refused());
    config.common.start = memory[COMMON] + 4U;
    config.common.size -= 8U;
    EXPECT(is_refused());
}

static void test_an_owner_without_a_home_may_say_anything_of_where_it_is(void)
{
    for (size_t i = 0U; i < 2U; i++) {
        prepare();
        terms[i].span.start = memory[1U - i] + 4;
        terms[i].span.size = 0U;
        homes[i].ops = NULL;
        EXPECT(start() && mete_partition_check(&partition));
    }
}

static void test_there_are_as_many_owners_as_an_entry_has_room_for(void)
{
    static mete_partition_terms_t many_terms[METE_PARTITION_OWNER_MAX];
    static mete_partition_owner_t many[METE_PARTITION_OWNER_MAX];
    static uint8_t all[METE_PARTITION_OWNER_MAX * METE_PARTITION_OWNER_MAX];
    static const mete_alloc_t nothing[METE_PARTITION_OWNER_MAX];
    prepare();
    mete_words_fill(all, METE_PARTITION_ALL, sizeof all);
    config.terms = many_terms;
    config.owners = many;
    config.rights = all;
    config.owner_count = METE_PARTITION_OWNER_MAX;
    many_terms[METE_PARTITION_OWNER_MAX - 1U].common_max = SIZE_MAX;
    EXPECT(mete_partition_init(&partition, nothing, common, &config));
    void *const block = take(METE_PARTITION_OWNER_MAX - 1U, 8U);
    EXPECT(mete_partition_owner_of(&partition, block) == METE_PARTITION_OWNER_MAX - 1U);
    EXPECT(is_in_quota(&many[14], METE_PARTITION_GRANULE_MAX) &&
           is_possible(&many[14], METE_PARTITION_GRANULE_MAX * (size_t)GRANULE));
    EXPECT(!is_in_quota(&many[14], METE_PARTITION_GRANULE_MAX + 1U) &&
           mete_partition_check(&partition));
}

static void test_there_is_no_view_of_no_owner(void)
{
    setup();
    EXPECT((view(OWNER_COUNT).ops == NULL) && (view(METE_PARTITION_NOBODY).ops == NULL));
    EXPECT(mete_partition_usage(&partition, OWNER_COUNT) == NULL);
    EXPECT(mete_partition_usage(&partition, 2U) == &owners[2]);
    EXPECT(mete_partition_last(&partition) == NULL);
}

static void test_views_can_do_what_all_behind_can(void)
{
    static const mete_alloc_ops_t poor = {room_acquire, room_release, NULL, NULL, NULL};
    setup();
    EXPECT((view(0U).ops->resize != NULL) && (view(0U).ops->size_of != NULL));
    homes[0].ops = &poor;
    EXPECT(start() && (view(0U).ops->resize == NULL) && (view(0U).ops->size_of == NULL));
    EXPECT((view(1U).ops->resize != NULL) && (view(1U).ops->size_of != NULL));
    common.ops = &poor;
    EXPECT(start() && (view(1U).ops->resize == NULL) && (view(1U).ops->size_of == NULL));
    homes[1].ops = NULL;
    terms[1].span.size = 0U;
    common.ops = &room_ops;
    EXPECT(start() && (view(1U).ops->resize != NULL) && (view(1U).ops->size_of != NULL));
}

// ---- Homes and common memory

static void test_an_owner_is_served_at_home_first_and_then_from_what_is_common(void)
{
    setup();
    void *const first = take(1U, 40U);
    void *const second = take(1U, 40U);
    void *const third = take(1U, 40U);
    EXPECT(is_in(1U, first) && is_in(1U, second) && is_in(COMMON, third));
    EXPECT((owners[1].in_use_size == 40U) && mete_partition_check(&partition));
    EXPECT((mete_partition_owner_of(&partition, (unsigned char *)first + 7) == 1U) &&
           (mete_partition_owner_of(&partition, third) == 1U));
    EXPECT(mete_partition_owner_of(&partition, (unsigned char *)third + 8) ==
           METE_PARTITION_NOBODY);
    EXPECT(mete_partition_owner_of(&partition, elsewhere) == METE_PARTITION_NOBODY);
    const mete_alloc_t mine = view(1U);
    EXPECT(mine.ops->owns(mine.self, first) && mine.ops->owns(mine.self, third));
    EXPECT(!mine.ops->owns(mine.self, memory[0]) && !mine.ops->owns(mine.self, elsewhere));
    EXPECT((mine.ops->size_of(mine.self, first) == SLOT_SIZE) &&
           (mine.ops->size_of(mine.self, third) == SLOT_SIZE));
    give(1U, third, 40U);
    give(1U, first, 40U);
    give(1U, second, 40U);
    EXPECT((room_live_count(&rooms[1]) == 0U) && (room_live_count(&rooms[COMMON]) == 0U));
    EXPECT((owners[1].in_use_size == 0U) && (owners[1].in_use_peak == 40U) &&
           (tap_take_fault() == 0));
    EXPECT(mete_partition_owner_of(&partition, third) == METE_PARTITION_NOBODY);
    EXPECT(start() && (owners[1].in_use_peak == 0U));
}

static void test_a_quota_counts_whole_granules(void)
{
    setup();
    void *const block = take_common(0U, 33U);
    EXPECT(is_in(COMMON, block) && (owners[0].in_use_size == 40U));
    EXPECT((take(0U, 40U) != NULL) && (owners[0].in_use_size == 80U));
    EXPECT((take(0U, 1U) == NULL) && (owners[0].refusals == 1U));
    EXPECT((heard.kind == METE_EVENT_REFUSE) && (heard.source == &owners[0]) && (heard.size == 1U));
    give(0U, block, 33U);
    EXPECT((take(0U, 8U) != NULL) && (owners[0].in_use_size == 48U) &&
           (owners[0].in_use_peak == 80U));
    EXPECT((tap_take_fault() == 0) && mete_partition_check(&partition));
}

static void test_no_request_is_too_large_to_be_refused(void)
{
    prepare();
    terms[0].common_max = SIZE_MAX;
    EXPECT(start());
    EXPECT((take(0U, SIZE_MAX) == NULL) && (take(0U, SIZE_MAX - 6U) == NULL));
    EXPECT(take(0U, (METE_PARTITION_GRANULE_MAX * GRANULE) + 1U) == NULL);
    EXPECT((owners[0].refusals == 3U) && mete_partition_check(&partition));
}

static void test_greed_of_one_takes_nothing_from_the_home_of_another(void)
{
    prepare();
    for (size_t i = 0U; i < OWNER_COUNT; i++) {
        terms[i].common_max = SIZE_MAX;
    }
    EXPECT(start());
    while (take(0U, 40U) != NULL) {
    }
    EXPECT(room_live_count(&rooms[COMMON]) == SLOT_COUNT);
    EXPECT(is_in(1U, take(1U, 40U)) && is_in(1U, take(1U, 40U)) && (take(1U, 1U) == NULL));
    EXPECT(is_in(2U, take(2U, 40U)) && is_in(2U, take(2U, 40U)));
}

static void test_blocks_of_common_memory_start_at_granules(void)
{
    prepare();
    config.common_granule = 16U;
    EXPECT(start());
    fill_home(0U);
    const void *const first = mete_acquire(view(0U), 3U, 1U);
    const void *const second = mete_acquire(view(0U), 3U, 64U);
    EXPECT((first == memory[COMMON]) && (second == NULL));  // No other slot is so aligned.
    EXPECT((mete_acquire(view(0U), 3U, 1U) == memory[COMMON] + 80) &&
           (owners[0].in_use_size == 32U));
    mete_release(view(0U), memory[COMMON], 3U, 1U);
    EXPECT((rooms[COMMON].complaints == 0U) && (tap_take_fault() == 0));
}

static void test_an_owner_may_have_no_home_or_nothing_in_common(void)
{
    prepare();
    homes[0].ops = NULL;
    terms[0].span.size = 0U;
    EXPECT(start());
    void *const block = take(0U, 8U);
    EXPECT(is_in(COMMON, block));
    give(0U, block, 8U);
    EXPECT(is_possible(&owners[0], terms[0].common_max) &&
           !is_possible(&owners[0], terms[0].common_max + 1U));
    rights[0][1] = METE_PARTITION_ACQUIRE;
    current = 1U;
    EXPECT(is_in(COMMON, mete_acquire(view(0U), 8U, 8U)));
    common.ops = NULL;
    config.common.size = 0U;
    EXPECT(start() && (take(0U, 8U) == NULL) && is_in(1U, take(1U, 8U)));
    EXPECT((tap_take_fault() == 0) && mete_partition_check(&partition));
}

static void test_common_memory_of_which_nobody_could_tell_whose_it_is_is_given_back(void)
{
    setup();
    fill_home(0U);
    rooms[COMMON].is_elsewhere = true;
    EXPECT((take(0U, 8U) == NULL) && (owners[0].in_use_size == 0U) &&
           (rooms[COMMON].complaints == 0U));
    EXPECT((tap_take_fault() == 0) && mete_partition_check(&partition));
}

static void test_resize_is_held_to_the_quota(void)
{
    setup();
    void *const home = take(0U, 8U);
    EXPECT(mete_resize(view(0U), home, 8U, 40U, 8U) && !mete_resize(view(0U), home, 40U, 41U, 8U));
    void *const block = take_common(0U, 8U);
    EXPECT((take(0U, 40U) != NULL) && (owners[0].in_use_size == 48U));
    EXPECT(mete_resize(view(0U), block, 8U, 40U, 8U) && (owners[0].in_use_size == 80U));
    EXPECT(mete_resize(view(0U), block, 40U, 33U, 8U) && (owners[0].in_use_size == 80U));
    EXPECT(mete_resize(view(0U), block, 33U, 7U, 8U) && (owners[0].in_use_size == 48U));
    EXPECT((owners[0].in_use_peak == 80U) && (take(0U, 8U) != NULL));
    EXPECT(!mete_resize(view(0U), block, 7U, 33U, 8U) && (owners[0].in_use_size == 56U));
    EXPECT(!mete_resize(view(0U), block, 7U, SIZE_MAX, 8U));
    EXPECT(!mete_resize(view(0U), block, 7U, (METE_PARTITION_GRANULE_MAX + 1U) * GRANULE, 8U));
    EXPECT((tap_take_fault() == 0) && (rooms[COMMON].complaints == 0U) &&
           mete_partition_check(&partition));
}

static void test_a_block_that_cannot_grow_behind_keeps_its_account(void)
{
    setup();
    void *const block = take_common(0U, 40U);
    EXPECT(!mete_resize(view(0U), block, 40U, 48U, 8U) && (owners[0].in_use_size == 40U));
    give(0U, block, 40U);
    EXPECT((tap_take_fault() == 0) && (owners[0].in_use_size == 0U));
}

// ---- Who may

// Tries an operation on a block of 8 bytes; true if it was done.
static bool does(mete_partition_right_t operation, uint32_t owner, void *block)
{
    if (operation == METE_PARTITION_ACQUIRE) {
        return mete_acquire(view(owner), 8U, 8U) != NULL;
    }
    if (operation == METE_PARTITION_RESIZE) {
        return mete_resize(view(owner), block, 8U, 9U, 8U);
    }
    mete_release(view(owner), block, 8U, 8U);
    return mete_partition_owner_of(&partition, block) == METE_PARTITION_NOBODY;
}

// Of one triple: it is done if the table says so, else told with both owners.
static bool is_right(uint32_t owner, uint32_t asker, mete_partition_right_t operation,
                     bool is_common)
{
    static const uint8_t all = METE_PARTITION_ALL;
    const uint8_t own = rights[owner][owner];
    rights[owner][owner] = all;
    void *block = NULL;
    EXPECT(start());
    for (size_t i = 0U; i <= OWNER_COUNT; i++) {
        mete_words_fill(rooms[i].sizes, 0U, sizeof rooms[i].sizes);
    }
    if (operation != METE_PARTITION_ACQUIRE) {
        block = is_common ? take_common(owner, 8U) : take(owner, 8U);
    } else if (is_common) {
        fill_home(owner);
    }
    rights[owner][owner] = own;
    init_owner(&partition, owner, homes[owner]);
    owners[owner].in_use_size = ((block != NULL) && is_common) ? 8U : 0U;
    owners[owner].in_use_peak = owners[owner].in_use_size;
    open_homes(&partition);
    const size_t before = room_live_count(&rooms[owner]) + room_live_count(&rooms[COMMON]);
    current = asker;
    const bool done = does(operation, owner, block);
    const size_t after = room_live_count(&rooms[owner]) + room_live_count(&rooms[COMMON]);
    const bool is_allowed = (asker < OWNER_COUNT) && ((rights[owner][asker] & operation) != 0U);
    if (is_allowed) {
        const bool is_gone = (operation == METE_PARTITION_RELEASE) && (after == before - 1U);
        return (is_gone || done) && (tap_take_fault() == 0) && mete_partition_check(&partition);
    }
    return !done && (after == before) && said(METE_FAULT_ACCESS, asker, owner, operation, block);
}

// What this asker may do is `value`; everybody else the contrary.
static void set_rights(uint32_t owner, uint32_t asker, uint32_t value)
{
    for (size_t i = 0U; i < OWNER_COUNT * OWNER_COUNT; i++) {
        const bool is_it = i == (size_t)(owner * OWNER_COUNT) + asker;
        rights[i / OWNER_COUNT][i % OWNER_COUNT] =
            (uint8_t)(is_it ? value : METE_PARTITION_ALL & ~value);
    }
}

// How many of an owner's and asker's triples are not as the table says: all rights, at home and in common.
static size_t wrong_count(uint32_t owner, uint32_t asker)
{
    static const mete_partition_right_t operations[] = {
        METE_PARTITION_ACQUIRE, METE_PARTITION_RELEASE, METE_PARTITION_RESIZE};
    size_t wrong = 0U;
    for (uint32_t value = 0U; value <= METE_PARTITION_ALL; value++) {
        for (size_t o = 0U; o < 3U; o++) {
            set_rights(owner, asker, value);
            wrong += is_right(owner, asker, operations[o], false) ? 0U : 1U;
            wrong += is_right(owner, asker, operations[o], true) ? 0U : 1U;
        }
    }
    return wrong;
}

static void test_every_triple_of_owner_asker_and_operation_is_as_the_table_says(void)
{
    static const uint32_t askers[] = {0U, 1U, 2U, OWNER_COUNT, 15U, METE_PARTITION_NOBODY};
    size_t wrong = 0U;
    prepare();
    for (uint32_t owner = 0U; owner < OWNER_COUNT; owner++) {
        for (size_t a = 0U; a < sizeof askers / sizeof askers[0]; a++) {
            wrong += wrong_count(owner, askers[a]);
        }
    }
    EXPECT(wrong == 0U);
}

static void test_who_may_acquire_for_another_gets_what_is_the_others(void)
{
    prepare();
    rights[1][0] = METE_PARTITION_ACQUIRE;
    EXPECT(start());
    current = 0U;
    EXPECT(is_in(1U, mete_acquire(view(1U), 8U, 8U)) && is_in(1U, mete_acquire(view(1U), 8U, 8U)));
    EXPECT(is_in(COMMON, mete_acquire(view(1U), 8U, 8U)) && (owners[1].in_use_size == 8U));
    EXPECT((owners[0].in_use_size == 0U) && (tap_take_fault() == 0));
}

static void test_a_block_of_another_is_refused_through_ones_own_view(void)
{
    setup();
    void *const home = take(1U, 8U);
    void *const block = take_common(1U, 8U);
    give(0U, home, 8U);
    EXPECT(said(METE_FAULT_FOREIGN, 0U, 1U, METE_PARTITION_RELEASE, home));
    EXPECT((heard.kind == METE_EVENT_FAULT) && (heard.source == &partition) &&
           (heard.block == home) && (heard.size == METE_FAULT_FOREIGN));
    give(0U, block, 8U);
    EXPECT(said(METE_FAULT_FOREIGN, 0U, 1U, METE_PARTITION_RELEASE, block));
    EXPECT(!mete_resize(view(0U), block, 8U, 9U, 8U));
    EXPECT(said(METE_FAULT_FOREIGN, 0U, 1U, METE_PARTITION_RESIZE, block));
    EXPECT((room_live_count(&rooms[1]) == 2U) && (room_live_count(&rooms[COMMON]) == 1U));
    give(1U, block, 8U);
    EXPECT((tap_take_fault() == 0) && (owners[1].in_use_size == 0U));
}

static void test_what_is_no_block_is_refused_as_nobodys(void)
{
    setup();
    unsigned char *const block = take_common(0U, 40U);
    static const int offsets[] = {-1, 1, 8, 40, 80};
    for (size_t i = 0U; i < 5U; i++) {
        give(0U, block + offsets[i], 40U);
        EXPECT(said(METE_FAULT_FOREIGN, 0U, (offsets[i] < 0) ? 2U : METE_PARTITION_NOBODY,
                    METE_PARTITION_RELEASE, block + offsets[i]));
    }
    give(0U, elsewhere, 8U);
    EXPECT(said(METE_FAULT_FOREIGN, 0U, METE_PARTITION_NOBODY, METE_PARTITION_RELEASE, elsewhere));
    give(0U, NULL, 8U);
    EXPECT((tap_take_fault() == 0) && (owners[0].in_use_size == 40U));
}

static void test_a_common_block_is_released_once_and_with_its_size(void)
{
    setup();
    void *const block = take_common(0U, 20U);
    give(0U, block, 25U);
    EXPECT(said(METE_FAULT_SIZE, 0U, 0U, METE_PARTITION_RELEASE, block));
    give(0U, block, 16U);
    EXPECT(said(METE_FAULT_SIZE, 0U, 0U, METE_PARTITION_RELEASE, block));
    EXPECT(!mete_resize(view(0U), block, 16U, 20U, 8U));
    EXPECT(said(METE_FAULT_SIZE, 0U, 0U, METE_PARTITION_RESIZE, block));
    give(0U, block, 20U);
    EXPECT(tap_take_fault() == 0);
    give(0U, block, 20U);
    EXPECT(said(METE_FAULT_DOUBLE_FREE, 0U, METE_PARTITION_NOBODY, METE_PARTITION_RELEASE, block));
    (void)take_common(1U, 0U);
    give(1U, block, 20U);  // It was never his.
    EXPECT(said(METE_FAULT_FOREIGN, 1U, METE_PARTITION_NOBODY, METE_PARTITION_RELEASE, block));
    EXPECT(owners[0].in_use_size == 0U);
}

static void test_what_the_allocator_behind_refuses_stays_on_the_account(void)
{
    setup();
    void *const block = take_common(0U, 20U);
    give(0U, block, 21U);  // As many granules.
    EXPECT((rooms[COMMON].complaints == 1U) && (owners[0].in_use_size == 24U));
    mete_release(view(0U), block, 20U, 16U);
    EXPECT((rooms[COMMON].complaints == 2U) && (owners[0].in_use_size == 24U));
    EXPECT((mete_partition_owner_of(&partition, block) == 0U) && mete_partition_check(&partition));
    static const mete_alloc_ops_t poor = {room_acquire, room_release, NULL, NULL, NULL};
    partition.common.ops = &poor;
    give(0U, block, 20U);
    EXPECT((rooms[COMMON].complaints == 2U) && (owners[0].in_use_size == 0U));
}

// ---- The line

enum { REQUEST_COUNT = 4 };

static mete_partition_request_t requests[REQUEST_COUNT];
static void *served[REQUEST_COUNT];
static size_t served_order[REQUEST_COUNT];
static size_t served_count;

static void on_served(void *self, void *block)
{
    const size_t index = (size_t)((mete_partition_request_t *)self - requests);
    served[index] = block;
    served_order[served_count % REQUEST_COUNT] = index;
    served_count++;
}

static void clear_requests(void)
{
    mete_words_fill(requests, 0U, sizeof requests);
    mete_words_fill(served, 0U, sizeof served);
    served_count = 0U;
}

static bool stand(size_t index, uint32_t owner, size_t size)
{
    requests[index].size = size;
    requests[index].align = 8U;
    requests[index].on_served = on_served;
    requests[index].self = &requests[index];
    current = owner;
    return mete_partition_queue(&partition, owner, &requests[index]);
}

// Everything is in use: `spare` is a common block of owner 0, what is left of common memory goes to all.
static void *use_up(void)
{
    clear_requests();
    for (size_t i = 0U; i < OWNER_COUNT; i++) {
        terms[i].common_max = SIZE_MAX;
    }
    EXPECT(start());
    void *const spare = take_common(0U, 8U);
    fill_home(1U);
    fill_home(2U);
    while (take(2U, 8U) != NULL) {
    }
    return spare;
}

static void test_a_request_that_can_be_met_is_met_at_once(void)
{
    setup();
    clear_requests();
    EXPECT(stand(0U, 1U, 8U) && (served_count == 1U) && is_in(1U, served[0]));
    EXPECT((mete_partition_requests(&partition) == 0U) && (requests[0].owner == NULL));
    EXPECT(mete_partition_check(&partition) && (tap_take_fault() == 0));
}

static void serve_in_line(mete_partition_policy_t policy, const size_t *expected)
{
    prepare();
    config.policy = policy;
    void *block = use_up();
    EXPECT(stand(0U, 0U, 8U) && stand(1U, 1U, 8U) && stand(2U, 2U, 8U) && stand(3U, 1U, 8U));
    EXPECT((mete_partition_requests(&partition) == 4U) && mete_partition_check(&partition));
    uint32_t holder = 0U;
    for (size_t i = 0U; i < REQUEST_COUNT; i++) {
        give(holder, block, 8U);
        EXPECT((served_count == i + 1U) && (served_order[i] == expected[i]));
        block = served[expected[i]];
        holder = (expected[i] == 3U) ? 1U : (uint32_t)expected[i];
        EXPECT((mete_partition_owner_of(&partition, block) == holder) &&
               mete_partition_check(&partition));
    }
    EXPECT((mete_partition_requests(&partition) == 0U) && (tap_take_fault() == 0));
}

static void test_those_who_wait_are_served_by_priority(void)
{
    static const size_t expected[] = {2U, 1U, 3U, 0U};
    serve_in_line(METE_PARTITION_PRIORITY, expected);
}

static void test_those_who_wait_are_served_in_the_order_of_their_coming(void)
{
    static const size_t expected[] = {0U, 1U, 2U, 3U};
    serve_in_line(METE_PARTITION_FIFO, expected);
}

static void test_what_comes_back_to_a_home_goes_to_its_owner_whoever_is_first(void)
{
    prepare();
    (void)use_up();
    EXPECT(stand(2U, 2U, 8U) && stand(0U, 0U, 8U) && (served_count == 0U));
    give(0U, memory[0], 8U);
    EXPECT((served_count == 1U) && (served_order[0] == 0U) && (served[0] == memory[0]));
    EXPECT((mete_partition_requests(&partition) == 1U) && (tap_take_fault() == 0));
}

static void test_who_waits_for_common_memory_is_not_passed_by_who_is_easier_to_serve(void)
{
    prepare();
    (void)use_up();
    EXPECT(stand(2U, 2U, 8U) && mete_partition_remove(&partition, &requests[2]));
    requests[2].align = 32U;  // Only the third slot is so aligned.
    EXPECT(mete_partition_queue(&partition, 2U, &requests[2]) && stand(1U, 1U, 8U));
    give(2U, memory[COMMON] + SLOT_SIZE, 8U);
    EXPECT((served_count == 0U) && (mete_partition_requests(&partition) == 2U));
    give(2U, memory[COMMON] + (2 * SLOT_SIZE), 8U);
    EXPECT((served_count == 2U) && (served_order[0] == 2U));
    EXPECT(served[2] == memory[COMMON] + (2 * SLOT_SIZE));
    EXPECT((served[1] == memory[COMMON] + SLOT_SIZE) && mete_partition_check(&partition));
}

static void test_who_waits_for_his_own_quota_holds_up_nobody(void)
{
    prepare();
    unsigned char *const spare = use_up();
    terms[2].common_max = owners[2].in_use_size;
    EXPECT(stand(2U, 2U, 8U) && stand(1U, 1U, 8U));
    give(0U, spare, 8U);
    EXPECT((served_count == 1U) && (served_order[0] == 1U) && (served[1] == spare));
    EXPECT(mete_partition_check(&partition));
}

static void test_a_block_that_shrinks_makes_room_for_those_who_wait(void)
{
    prepare();
    (void)use_up();
    terms[0].common_max = 40U;  // Of which he has 8 and grows to all.
    EXPECT(mete_resize(view(0U), memory[COMMON], 8U, 40U, 8U) == false);  // Somebody else asks.
    EXPECT(tap_take_fault() == METE_FAULT_ACCESS);
    current = 0U;
    EXPECT(mete_resize(view(0U), memory[COMMON], 8U, 40U, 8U));
    EXPECT(stand(0U, 0U, 32U) && (served_count == 0U));
    mete_release(view(2U), memory[COMMON] + SLOT_SIZE, 8U, 8U);  // Not his.
    EXPECT((tap_take_fault() == METE_FAULT_ACCESS) && (served_count == 0U));
    give(2U, memory[COMMON] + SLOT_SIZE, 8U);
    EXPECT(served_count == 0U);
    current = 0U;
    EXPECT(mete_resize(view(0U), memory[COMMON], 40U, 8U, 8U) && (served_count == 1U));
    EXPECT((tap_take_fault() == 0) && mete_partition_check(&partition));
}

static void test_a_request_leaves_the_line(void)
{
    prepare();
    void *const spare = use_up();
    EXPECT(!mete_partition_remove(&partition, &requests[0]));
    EXPECT(stand(0U, 0U, 8U) && stand(1U, 1U, 8U) && stand(2U, 2U, 8U));
    EXPECT(mete_partition_remove(&partition, &requests[1]) && mete_partition_check(&partition));
    EXPECT(mete_partition_remove(&partition, &requests[2]) &&
           !mete_partition_remove(&partition, &requests[2]));
    give(0U, spare, 8U);
    EXPECT((served_count == 1U) && (served_order[0] == 0U));
    EXPECT((mete_partition_requests(&partition) == 0U) && (tap_take_fault() == 0));
    EXPECT((owners[0].open_size == sizeof memory[0]) && mete_partition_check(&partition));
}

static void test_a_request_that_can_never_be_met_does_not_wait(void)
{
    prepare();
    terms[0].span.size = SLOT_SIZE * 2U;
    EXPECT(start());
    clear_requests();
    EXPECT(!stand(0U, 0U, 81U) && !stand(0U, 0U, SIZE_MAX) && !stand(0U, 0U, 0U));
    requests[0].size = 8U;
    EXPECT(!mete_partition_queue(&partition, OWNER_COUNT, &requests[0]));
    EXPECT((mete_partition_requests(&partition) == 0U) && (tap_take_fault() == 0));
    EXPECT(stand(0U, 0U, 80U) && (mete_partition_requests(&partition) == 1U));
    terms[1].common_max = SIZE_MAX;
    EXPECT(!stand(1U, 1U, (METE_PARTITION_GRANULE_MAX * GRANULE) + 1U));
    common.ops = NULL;
    config.common.size = 0U;
    homes[0].ops = NULL;
    terms[0].span.size = 0U;
    clear_requests();
    EXPECT(start() && !stand(0U, 0U, 1U) && stand(1U, 1U, 1U));
}

static void test_who_has_no_right_does_not_stand_in_line(void)
{
    prepare();
    (void)use_up();
    requests[0] = (mete_partition_request_t){.size = 8U, .align = 8U, .on_served = on_served};
    current = 1U;
    EXPECT(!mete_partition_queue(&partition, 0U, &requests[0]));
    EXPECT(said(METE_FAULT_ACCESS, 1U, 0U, METE_PARTITION_ACQUIRE, NULL));
    EXPECT(mete_partition_requests(&partition) == 0U);
}

static void test_a_request_stands_in_line_once_and_is_aligned(void)
{
    prepare();
    (void)use_up();
    EXPECT(stand(0U, 0U, 8U) && !stand(0U, 0U, 8U));
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (mete_partition_requests(&partition) == 1U));
    requests[1] = (mete_partition_request_t){.size = 8U, .align = 3U, .on_served = on_served};
    EXPECT(!mete_partition_queue(&partition, 0U, &requests[1]));
    EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (mete_partition_requests(&partition) == 1U));
}

static void test_without_the_right_to_release_ones_own_it_is_refused_whoever_waits(void)
{
    prepare();
    rights[0][0] = METE_PARTITION_ACQUIRE;
    EXPECT(start());
    void *const block = take(0U, 8U);
    give(0U, block, 8U);
    EXPECT(said(METE_FAULT_ACCESS, 0U, 0U, METE_PARTITION_RELEASE, block));
    EXPECT(room_live_count(&rooms[0]) == 1U);
}

// ---- Damage

static void test_a_line_that_was_overwritten_is_not_followed(void)
{
    prepare();
    void *const spare = use_up();
    EXPECT(stand(0U, 0U, 8U) && stand(1U, 1U, 8U));
    mete_dlist_link_t *const kept = requests[1].link.next;
    requests[1].link.next = &requests[1].link;
    EXPECT(!mete_partition_check(&partition) && !mete_partition_remove(&partition, &requests[1]));
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    give(0U, spare, 8U);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (served_count == 0U));
    EXPECT(mete_partition_owner_of(&partition, spare) == 0U);
    EXPECT(!mete_resize(view(0U), spare, 8U, 7U, 8U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    requests[1].link.next = kept;
    EXPECT(mete_partition_check(&partition));
    requests[0].owner = NULL;
    EXPECT(!mete_partition_check(&partition));
    give(2U, memory[COMMON] + SLOT_SIZE, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(!stand(2U, 2U, 8U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((partition.line_count == 2U) && (requests[2].owner == NULL));
    requests[0].owner = &owners[0];
    partition.line_count++;
    EXPECT(!mete_partition_check(&partition));
    partition.line_count -= 2U;
    EXPECT(!mete_partition_check(&partition));
}

static void test_a_request_of_another_partition_is_not_taken_out(void)
{
    prepare();
    (void)use_up();
    EXPECT(stand(0U, 0U, 8U));
    static mete_partition_t other;
    mete_partition_owner_t *const kept = requests[0].owner;
    static mete_partition_owner_t stranger;
    stranger.partition = &other;
    requests[0].owner = &stranger;
    EXPECT(!mete_partition_check(&partition) && !mete_partition_remove(&partition, &requests[0]));
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    requests[0].owner = kept;
    EXPECT(mete_partition_remove(&partition, &requests[0]) && mete_partition_check(&partition));
}

static void test_an_account_that_was_overwritten_is_not_changed(void)
{
    setup();
    void *const block = take_common(0U, 40U);
    owners[0].in_use_size = 39U;
    give(0U, block, 40U);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (owners[0].in_use_size == 39U));
    EXPECT(room_live_count(&rooms[COMMON]) == 1U);
}

#define SPOIL(field, value) \
    do { \
        __typeof__(field) const kept = (field); \
        (field) = (value); \
        EXPECT(!mete_partition_check(&partition)); \
        (field) = kept; \
        EXPECT(mete_partition_check(&partition)); \
    } while (0)

static void test_check_notices_what_was_overwritten(void)
{
    prepare();
    (void)use_up();
    EXPECT(stand(0U, 0U, 8U) && stand(2U, 2U, 8U));
    SPOIL(owners[1].number, 2U);
    SPOIL(owners[1].start, owners[1].start + 1U);
    SPOIL(owners[1].open_size, sizeof memory[1]);
    SPOIL(owners[1].partition, NULL);
    SPOIL(owners[2].in_use_size, owners[2].in_use_size - GRANULE);
    SPOIL(owners[2].in_use_peak, 0U);
    SPOIL(terms[2].common_max, 8U);
    SPOIL(table[0], (uint16_t)0U);
    SPOIL(table[0], (uint16_t)(table[0] + 1U));
    SPOIL(table[0], (uint16_t)(table[0] + 5U));  // Up to the next.
    SPOIL(table[1], (uint16_t)(entry_for(&owners[0], 1U)));
    SPOIL(table[0], (uint16_t)(((OWNER_COUNT + 1U) << OWNER_SHIFT) | 1U));
    SPOIL(table[25], (uint16_t)(table[25] + 5U));  // Past the end.
    SPOIL(terms[0].priority, 3U);                  // Who is behind would go first.
    SPOIL(partition.line.previous, &partition.line);
    SPOIL(partition.line.next, &partition.line);
    SPOIL(requests[0].link.previous, &partition.line);
}

// With accounts that agree with it.
static void test_check_notices_blocks_that_cannot_lie_so(void)
{
    prepare();
    (void)use_up();
    EXPECT(owners[2].in_use_size == 5U * GRANULE);
    mete_words_fill(&table[1], 0U, sizeof table - sizeof table[0]);
    table[5] = entry_for(&owners[2], 4U);
    table[9] = entry_for(&owners[2], 1U);
    EXPECT(mete_partition_check(&partition));
    table[9] = 0U;
    table[8] = entry_for(&owners[2], 1U);  // In the other.
    EXPECT(!mete_partition_check(&partition));
    table[5] = 0U;
    table[8] = 0U;
    table[25] = entry_for(&owners[2], 5U);
    EXPECT(mete_partition_check(&partition));
    table[25] = 0U;
    table[26] = entry_for(&owners[2], 5U);  // Past the end.
    EXPECT(!mete_partition_check(&partition));
}

// ---- Beside a model: who holds what, and how much of the common memory.

enum { MODEL_MAX = OWNER_COUNT * 2 + SLOT_COUNT };

static struct {
    void *block;
    size_t size;
    uint32_t owner;
} model[MODEL_MAX];
static size_t model_count;

static size_t model_common_size(uint32_t owner)
{
    size_t size = 0U;
    for (size_t i = 0U; i < model_count; i++) {
        const bool counts = (model[i].owner == owner) && is_in(COMMON, model[i].block);
        size += counts ? mete_align_up(model[i].size, GRANULE) : 0U;
    }
    return size;
}

static void take_like_the_model(uint32_t *random)
{
    const uint32_t owner = random_below(random, OWNER_COUNT);
    const size_t size = 1U + random_below(random, SLOT_SIZE + 2U);
    const bool has_home = (size <= SLOT_SIZE) && (room_live_count(&rooms[owner]) < 2U);
    const bool has_common =
        (size <= SLOT_SIZE) && (room_live_count(&rooms[COMMON]) < SLOT_COUNT) &&
        (model_common_size(owner) + mete_align_up(size, GRANULE) <= terms[owner].common_max);
    void *const block = take(owner, size);
    EXPECT((block != NULL) == (has_home || has_common));
    EXPECT((block == NULL) || is_in(has_home ? owner : (uint32_t)COMMON, block));
    if (block != NULL) {
        model[model_count].block = block;
        model[model_count].size = size;
        model[model_count].owner = owner;
        model_count++;
    }
}

static void give_like_the_model(uint32_t *random)
{
    const size_t index = random_below(random, (uint32_t)model_count);
    const uint32_t asker = random_below(random, OWNER_COUNT + 1U);
    const uint32_t owner = model[index].owner;
    current = asker;
    mete_release(view(owner), model[index].block, model[index].size, 8U);
    if (asker == owner) {
        EXPECT(tap_take_fault() == 0);
        model_count--;
        model[index] = model[model_count];
    } else {
        EXPECT(said(METE_FAULT_ACCESS, asker, owner, METE_PARTITION_RELEASE, model[index].block));
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    prepare();
    terms[0].common_max = 1000U;
    terms[2].common_max = 0U;
    EXPECT(start());
    model_count = 0U;
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 6000U; step++) {
        const bool is_growing = (step / 100U) % 2U == 0U;
        if ((model_count == 0U) || (random_below(&random, 100U) < (is_growing ? 60U : 25U))) {
            take_like_the_model(&random);
        } else {
            give_like_the_model(&random);
        }
        for (uint32_t i = 0U; i < OWNER_COUNT; i++) {
            EXPECT(owners[i].in_use_size == model_common_size(i));
        }
        EXPECT(mete_partition_check(&partition));
    }
    for (size_t i = 0U; i <= OWNER_COUNT; i++) {
        EXPECT(rooms[i].complaints == 0U);
    }
}

static void run_line(void)
{
    RUN(test_a_request_that_can_be_met_is_met_at_once);
    RUN(test_those_who_wait_are_served_by_priority);
    RUN(test_those_who_wait_are_served_in_the_order_of_their_coming);
    RUN(test_what_comes_back_to_a_home_goes_to_its_owner_whoever_is_first);
    RUN(test_who_waits_for_common_memory_is_not_passed_by_who_is_easier_to_serve);
    RUN(test_who_waits_for_his_own_quota_holds_up_nobody);
    RUN(test_a_block_that_shrinks_makes_room_for_those_who_wait);
    RUN(test_a_request_leaves_the_line);
    RUN(test_a_request_that_can_never_be_met_does_not_wait);
    RUN(test_who_has_no_right_does_not_stand_in_line);
    RUN(test_a_request_stands_in_line_once_and_is_aligned);
    RUN(test_without_the_right_to_release_ones_own_it_is_refused_whoever_waits);
}

int main(void)
{
    RUN(test_init_refuses_what_is_missing);
    RUN(test_init_refuses_spans_that_do_not_fit);
    RUN(test_init_refuses_granules_that_do_not_fit);
    RUN(test_an_owner_without_a_home_may_say_anything_of_where_it_is);
    RUN(test_there_are_as_many_owners_as_an_entry_has_room_for);
    RUN(test_there_is_no_view_of_no_owner);
    RUN(test_views_can_do_what_all_behind_can);
    RUN(test_an_owner_is_served_at_home_first_and_then_from_what_is_common);
    RUN(test_a_quota_counts_whole_granules);
    RUN(test_no_request_is_too_large_to_be_refused);
    RUN(test_greed_of_one_takes_nothing_from_the_home_of_another);
    RUN(test_blocks_of_common_memory_start_at_granules);
    RUN(test_an_owner_may_have_no_home_or_nothing_in_common);
    RUN(test_common_memory_of_which_nobody_could_tell_whose_it_is_is_given_back);
    RUN(test_resize_is_held_to_the_quota);
    RUN(test_a_block_that_cannot_grow_behind_keeps_its_account);
    RUN(test_every_triple_of_owner_asker_and_operation_is_as_the_table_says);
    RUN(test_who_may_acquire_for_another_gets_what_is_the_others);
    RUN(test_a_block_of_another_is_refused_through_ones_own_view);
    RUN(test_what_is_no_block_is_refused_as_nobodys);
    RUN(test_a_common_block_is_released_once_and_with_its_size);
    RUN(test_what_the_allocator_behind_refuses_stays_on_the_account);
    run_line();
    if (METE_CHECK_LEVEL < 3) {  // Where every call checks, damage is told by the one before.
        RUN(test_a_line_that_was_overwritten_is_not_followed);
        RUN(test_a_request_of_another_partition_is_not_taken_out);
        RUN(test_an_account_that_was_overwritten_is_not_changed);
    }
    RUN(test_check_notices_what_was_overwritten);
    RUN(test_check_notices_blocks_that_cannot_lie_so);
    RUN(test_random_work_agrees_with_a_model);
    return tap_finish();
}
