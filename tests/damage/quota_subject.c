// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The quota as a subject of the damage campaign, from inside, in front of a rack. In the arena lie both,
// the accounts, and what the program that uses them knows: sizes, and whose turn it is to ask.

#include "mete/wrap/quota.c"

#define RACK_BLOCK_MAX 48
#include "tests/damage/subject.h"
#include "tests/unit/alloc/rack.h"

enum {
    OWNER_COUNT = 2,
    PREFIX_SIZE = METE_QUOTA_PREFIX_SIZE(8U),
    SIZE_MAX_ASKED = 32,
    SLOT_SIZE = PREFIX_SIZE + SIZE_MAX_ASKED,
    CAPACITY = RACK_BLOCK_MAX * SIZE_MAX_ASKED,
};

typedef struct layout {
    mete_quota_t quota;
    mete_quota_owner_t owners[OWNER_COUNT];
    rack_t rack;
    uint32_t turn;
    size_t sizes[RACK_BLOCK_MAX];
    _Alignas(8) unsigned char slots[RACK_BLOCK_MAX][SLOT_SIZE];
} layout_t;

static layout_t *layout;

_Static_assert(sizeof(layout_t) <= 4096U, "the smallest arena");
static mete_quota_config_t config;

static uint32_t owner(void *self)
{
    (void)self;
    return layout->turn % OWNER_COUNT;
}

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    static const mete_quota_limit_t limits[OWNER_COUNT] = {
        {.size_max = CAPACITY, .count_max = RACK_BLOCK_MAX},
        {.size_max = CAPACITY, .count_max = RACK_BLOCK_MAX, .reserve_size = CAPACITY / 2}};
    (void)search;
    layout = arena.start;
    rack_init(&layout->rack, layout->slots[0], SLOT_SIZE, RACK_BLOCK_MAX);
    config = (mete_quota_config_t){.limits = limits,
                                   .owners = layout->owners,
                                   .owner_count = OWNER_COUNT,
                                   .capacity_size = CAPACITY,
                                   .owner = owner};
    (void)mete_quota_init(&layout->quota, rack_as_alloc(&layout->rack), &config);
    return (damage_offer_t){
        {layout->slots, sizeof layout->slots}, SIZE_MAX_ASKED, 8U, SIZE_MAX_ASKED, RACK_BLOCK_MAX};
}

static size_t slot_of(const void *block)
{
    return (size_t)((const unsigned char *)block - layout->slots[0]) / SLOT_SIZE % RACK_BLOCK_MAX;
}

static void *get(size_t size, size_t align)
{
    layout->turn++;
    void *const block = mete_acquire(mete_quota_as_alloc(&layout->quota), size, align);
    if (block != NULL) {
        layout->sizes[slot_of(block)] = size;
    }
    return block;
}

static void give_back(void *block)
{
    mete_release(mete_quota_as_alloc(&layout->quota), block, layout->sizes[slot_of(block)], 8U);
}

static bool change(void *block, size_t size)
{
    size_t *const held = &layout->sizes[slot_of(block)];
    const bool is_done = mete_resize(mete_quota_as_alloc(&layout->quota), block, *held, size, 8U);
    *held = is_done ? size : *held;
    return is_done;
}

// A gap of two slots holds a whole one.
static bool must_serve(size_t gap_size, size_t size, size_t align)
{
    (void)size, (void)align;
    return gap_size >= (size_t)2U * SLOT_SIZE;
}

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    size_t i = 0U;
    for (; (i < RACK_BLOCK_MAX) && (i < count_max); i++) {
        const bool is_live = layout->rack.is_live[i];
        blocks[i] = (damage_block_t){layout->slots[i] + PREFIX_SIZE,
                                     is_live ? layout->sizes[i] : (size_t)SIZE_MAX_ASKED, is_live};
    }
    return i;
}

// ---- Words

typedef struct word_list {
    damage_word_t *words;
    size_t count, count_max;
} word_list_t;

static void list_word(word_list_t *list, size_t *word, damage_kind_t kind)
{
    if (list->count < list->count_max) {
        list->words[list->count] = (damage_word_t){(unsigned char *)word, sizeof *word, kind};
        list->count++;
    }
}

static void list_record(word_list_t *list, record_t *record)
{
    list_word(list, &record->size, DAMAGE_QUOTA_RECORD);
    list_word(list, &record->align, DAMAGE_QUOTA_RECORD);
    list_word(list, &record->owner, DAMAGE_QUOTA_RECORD);
    list_word(list, &record->check, DAMAGE_QUOTA_RECORD);
}

static size_t list_words(damage_word_t *words, size_t count_max)
{
    word_list_t list = {words, 0U, count_max};
    for (size_t i = 0U; i < RACK_BLOCK_MAX; i++) {
        if (layout->rack.is_live[i]) {
            list_record(&list, record_of(layout->slots[i] + PREFIX_SIZE));
        }
    }
    for (size_t i = 0U; i < OWNER_COUNT; i++) {
        list_word(&list, &layout->owners[i].in_use_size, DAMAGE_QUOTA_ACCOUNT);
        list_word(&list, &layout->owners[i].in_use_count, DAMAGE_QUOTA_ACCOUNT);
    }
    list_word(&list, &layout->quota.in_use_size, DAMAGE_QUOTA_ACCOUNT);
    list_word(&list, &layout->quota.unused_reserve_size, DAMAGE_QUOTA_ACCOUNT);
    return list.count;
}

const damage_subject_t damage_quota = {
    .name = "quota",
    .header_size = sizeof(record_t),
    .init = begin,
    .alloc = get,
    .free = give_back,
    .resize = change,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
