// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The store of movable blocks as a subject of the damage campaign, from inside. A block is named by its
// handle, and looked up by pinning it. In the arena lie the store, its storage, and at the very end the
// slots: whoever reads behind them leaves the arena. Now and then free compacts a little, and a request that
// cannot be met compacts all.

#include "mete/alloc/movable.c"

#include "tests/damage/listing.h"

enum { SLOT_COUNT = 128 };  // For 64 blocks at once.

static store_t *store;
static mete_movable_config_t config;

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    (void)search;
    unsigned char *const end = (unsigned char *)arena.start + arena.size;
    store = arena.start;
    config.slots = (slot_t *)(void *)(end - (SLOT_COUNT * sizeof(slot_t)));
    config.slot_count = SLOT_COUNT;
    unsigned char *const start = (unsigned char *)arena.start + sizeof(store_t);
    config.storage = (mete_span_t){start, (size_t)((unsigned char *)config.slots - start)};
    config.failure_size = SIZE_MAX;
    (void)mete_movable_init(store, &config);
    const size_t size = store->end - store->start;
    return (damage_offer_t){{(void *)store->start, size}, size / 18U, 8U, size, 1U};
}

static handle_t handle_from(const void *block)
{
    return (handle_t){(uint32_t)(uintptr_t)block};
}

static void *get(size_t size, size_t align)
{
    (void)align;
    return (void *)(uintptr_t)mete_movable_alloc(store, size).value;
}

static void give_back(void *block)
{
    mete_movable_free(store, handle_from(block));
    if (index_in(store, handle_from(block)) % 16U == 0U) {
        (void)mete_movable_compact(store, 40U);
    }
}

static unsigned char *locate(void *block)
{
    unsigned char *const start = mete_movable_pin(store, handle_from(block));
    if (start != NULL) {
        mete_movable_unpin(store, handle_from(block));
    }
    return start;
}

// In place.
static bool change(void *block, size_t size)
{
    (void)mete_movable_pin(store, handle_from(block));
    const bool is_done = mete_movable_resize(store, handle_from(block), size);
    mete_movable_unpin(store, handle_from(block));
    return is_done;
}

static void *move(void *block, size_t size)
{
    return mete_movable_resize(store, handle_from(block), size) ? block : NULL;
}

static bool must_serve(size_t gap_size, size_t size, size_t align)
{
    (void)align;
    return gap_size / GRANULE * GRANULE >= size;
}

// ---- Blocks

static bool list_shown(void *self, const mete_movable_block_t *block)
{
    return list_block(self, block->block, block->size, block->is_live);
}

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    block_list_t list = {blocks, 0U, count_max};
    return mete_movable_walk(store, list_shown, &list) ? list.count : 0U;
}

// ---- Words

static void list_slot(word_list_t *list, slot_t *slot, bool is_live)
{
    list_word(list, &slot->tag, sizeof slot->tag, is_live ? DAMAGE_SLOT_TAG : DAMAGE_SPARE_TAG);
    list_word(list, &slot->next, sizeof slot->next, is_live ? DAMAGE_SLOT_LINK : DAMAGE_SPARE_LINK);
    if (is_live) {  // In a spare slot these mean nothing.
        list_word(list, &slot->previous, sizeof slot->previous, DAMAGE_SLOT_LINK);
        list_word(list, &slot->address, sizeof slot->address, DAMAGE_SLOT_ADDRESS);
    }
    list_word(list, &slot->extent, sizeof slot->extent,
              is_live ? DAMAGE_SLOT_EXTENT : DAMAGE_SPARE_TAG);
}

static size_t list_words(damage_word_t *words, size_t count_max)
{
    word_list_t list = {words, 0U, count_max};
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        list_slot(&list, at(store, i), (i == SENTINEL) || !is_spare(store, i));
    }
    return list.count;
}

const damage_subject_t damage_movable = {
    .name = "movable",
    .init = begin,
    .alloc = get,
    .free = give_back,
    .resize = change,
    .realloc = move,
    .locate = locate,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
