// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The list as a subject of the damage campaign, from inside.

#include "mete/alloc/list.c"

#include "tests/damage/listing.h"

static mete_list_t *list;

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    const mete_list_config_t config = {arena, search};
    list = mete_list_init(&config);
    const size_t size = mete_list_usage(list).largest_free_size;
    return (damage_offer_t){{payload_of(first_of(list)), size}, size / 20U, 64U, size, 1U};
}

static void *get(size_t bytes, size_t align)
{
    return mete_list_alloc_aligned(list, bytes, align);
}

static void give_back(void *block)
{
    mete_list_free(list, block);
}

static bool change(void *block, size_t bytes)
{
    return mete_list_resize(list, block, bytes);
}

// Of a gap, a single granule may belong to the block in front.
static bool must_serve(size_t gap_size, size_t bytes, size_t align)
{
    const size_t room = (align > GRANULE) ? align - GRANULE : 0U;
    return gap_size / GRANULE >= granules_for(bytes + room) + REST_MIN;
}

// ---- Blocks

static bool list_shown(void *self, const mete_list_block_t *block)
{
    return list_block(self, block->block, block->size, block->is_live);
}

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    block_list_t found = {blocks, 0U, count_max};
    return mete_list_walk(list, list_shown, &found) ? found.count : 0U;
}

// ---- Words

// The lower half of a header is stored first.
static void list_header(word_list_t *found, block_t *block, damage_kind_t size, damage_kind_t tag)
{
    unsigned char *const header = (unsigned char *)&block->header;
    list_word(found, header, WORD / 2U, size);
    list_word(found, header + (WORD / 2U), WORD / 2U, tag);
}

static void list_free(word_list_t *found, block_t *block)
{
    list_header(found, block, DAMAGE_FREE_SIZE, DAMAGE_FREE_TAG);
    list_word(found, &block->next, WORD, DAMAGE_FREE_NEXT);
}

static bool list_words_of(void *self, const mete_list_block_t *shown)
{
    if (shown->is_live) {
        list_header(self, block_of(shown->block), DAMAGE_LIVE_SIZE, DAMAGE_LIVE_TAG);
    } else {
        list_free(self, block_of(shown->block));
    }
    return true;
}

static size_t list_words(damage_word_t *words, size_t count_max)
{
    word_list_t found = {words, 0U, count_max};
    list_free(&found, head_of(list));
    (void)mete_list_walk(list, list_words_of, &found);
    return found.count;
}

const damage_subject_t damage_list = {
    .name = "list",
    .header_size = WORD,
    .link_size = sizeof(block_t *),
    .init = begin,
    .alloc = get,
    .free = give_back,
    .resize = change,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
