// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap as a subject of the damage campaign, from inside. heap_wide_subject.c includes this file
// for the wide heap.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.c"
#define SUBJECT damage_heap
#define NAME    "heap"
#endif

#include "tests/damage/listing.h"

static heap_t *heap;
static mete_heap_config_t config;

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    config.storage = arena;
    config.search = search;
    heap = HEAP(init)(&config);
    const size_t size = (size_t)(heap->end - FIRST) * WORD - WORD;
    // About 36 of the 64 slots are held: so much that now and then a request is refused.
    return (damage_offer_t){{at(heap, FIRST), size}, size / 20U, 64U, size, 1U};
}

static void *get(size_t bytes, size_t align)
{
    return HEAP(alloc_aligned)(heap, bytes, align);
}

static void give_back(void *block)
{
    HEAP(free)(heap, block);
}

static bool change(void *block, size_t bytes)
{
    return HEAP(resize)(heap, block, bytes);
}

static void *move(void *block, size_t bytes)
{
    return HEAP(realloc)(heap, block, bytes);
}

// A free block surely serves if it is of a higher bin than the one where some blocks do not fit. Of a
// gap up to MIN - 1 granules may belong to the block in front.
static bool must_serve(size_t gap_size, size_t bytes, size_t align)
{
    const size_t room = (align > GRANULE) ? align - GRANULE + ((MIN - 1U) * 2U * GRANULE) : 0U;
    const uint32_t granules = granules_for(bytes + room);
    const uint32_t gap = (uint32_t)(gap_size / GRANULE);
    const uint32_t gap_min = (gap >= MIN) ? gap - (MIN - 1U) : 0U;
    return bin_of(gap_min) > bin_of((config.search == 0U) ? granules - 1U : granules);
}

// ---- Blocks

static bool list_shown(void *self, const mete_heap_block_t *block)
{
    return list_block(self, block->block, block->size, block->is_live);
}

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    block_list_t list = {blocks, 0U, count_max};
    return HEAP(walk)(heap, list_shown, &list) ? list.count : 0U;
}

// ---- Words

static void list_header(word_list_t *list, block_t *block, damage_kind_t own, damage_kind_t before)
{
    list_word(list, &header(block)->size, sizeof(half_t), own);
    list_word(list, &header(block)->before, sizeof(half_t), before);
}

static bool list_words_of(void *self, const mete_heap_block_t *shown)
{
    block_t *const block = shown->block;
    if (shown->is_live) {
        list_header(self, block, DAMAGE_LIVE_SIZE, DAMAGE_LIVE_BEFORE);
    } else {
        list_header(self, block, DAMAGE_FREE_SIZE, DAMAGE_FREE_BEFORE);
        list_word(self, &block->next, sizeof(half_t), DAMAGE_FREE_NEXT);
        list_word(self, &block->back, sizeof(half_t), DAMAGE_FREE_BACK);
    }
    return true;
}

static size_t list_words(damage_word_t *words, size_t count_max)
{
    word_list_t list = {words, 0U, count_max};
    (void)HEAP(walk)(heap, list_words_of, &list);
    list_header(&list, at(heap, heap->end), DAMAGE_END, DAMAGE_END);
    for (uint32_t bin = 1U; bin < BIN_COUNT; bin++) {
        list_word(&list, &at(heap, bin)->next, sizeof(half_t), DAMAGE_BIN_NEXT);
        list_word(&list, &at(heap, bin)->back, sizeof(half_t), DAMAGE_BIN_BACK);
    }
    list_word(&list, &heap->map, sizeof(map_t), DAMAGE_MAP);
    return list.count;
}

const damage_subject_t SUBJECT = {
    .name = NAME,
    .header_size = WORD,
    .link_size = sizeof(block_t),
    .init = begin,
    .alloc = get,
    .free = give_back,
    .resize = change,
    .realloc = move,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
