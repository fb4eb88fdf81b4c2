// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The buddy as a subject of the damage campaign, from inside. In the arena lie the buddy, its blocks, and
// at the very end the table: whoever reads behind it leaves the arena.

#include "mete/alloc/buddy.c"

#include "tests/damage/listing.h"

// Not a power of two, so that there are blocks beyond the last.
enum { BLOCK_SIZE = 16, BLOCK_COUNT = 200, TABLE_SIZE = METE_BUDDY_TABLE_SIZE(BLOCK_COUNT) };

typedef struct layout {
    mete_buddy_t buddy;
    _Alignas(64) unsigned char blocks[BLOCK_COUNT][BLOCK_SIZE];
} layout_t;

static layout_t *layout;
static mete_buddy_config_t config;

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    (void)search;
    layout = arena.start;
    config.blocks = layout->blocks;
    config.table = (uint8_t *)arena.start + arena.size - TABLE_SIZE;
    config.block_size = BLOCK_SIZE;
    config.block_count = BLOCK_COUNT;
    (void)mete_buddy_init(&layout->buddy, &config);
    return (damage_offer_t){{layout->blocks, sizeof layout->blocks},
                            sizeof layout->blocks / 20U,
                            64U,
                            (size_t)8U * BLOCK_SIZE,
                            BLOCK_COUNT / 8};
}

static void *get(size_t size, size_t align)
{
    return mete_buddy_alloc_aligned(&layout->buddy, size, align);
}

static void give_back(void *block)
{
    mete_buddy_free(&layout->buddy, block);
}

// Half of the block in front of a gap may be unused; in the rest an aligned block surely lies if it is
// twice as large.
static bool must_serve(size_t gap_size, size_t size, size_t align)
{
    const size_t block_size =
        BLOCK_SIZE * count_of(order_for(&layout->buddy, size_with(size, align)));
    return gap_size >= (sizeof layout->blocks / 20U) + (2U * block_size);
}

// ---- Blocks

static bool list_shown(void *self, const mete_buddy_block_t *block)
{
    return list_block(self, block->block, block->size, block->is_live);
}

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    block_list_t found = {blocks, 0U, count_max};
    return mete_buddy_walk(&layout->buddy, list_shown, &found) ? found.count : 0U;
}

// What a node is for. From its first leaf upwards, the block in use that this lies in is the node itself or
// above it, or it is below or none.
static damage_kind_t kind_of(const mete_buddy_t *buddy, uint32_t node)
{
    const size_t leaf = node * count_of(order_of(buddy, node));
    if (!is_leaf(buddy, leaf)) {
        return DAMAGE_TREE_ABOVE;
    }
    const uint32_t live = node_over(buddy, leaf);
    if (live == node) {
        return DAMAGE_TREE_LIVE;
    }
    if ((live != NONE) && (live < node)) {
        return DAMAGE_TREE_INSIDE;
    }
    const bool is_whole = buddy->table[node] == whole_of(order_of(buddy, node));
    return is_whole ? DAMAGE_TREE_FREE : DAMAGE_TREE_ABOVE;
}

// Every byte but the first, which belongs to no node.
static size_t list_words(damage_word_t *words, size_t count_max)
{
    size_t count = 0U;
    for (size_t node = ROOT; (node < TABLE_SIZE) && (count < count_max); node++, count++) {
        words[count] =
            (damage_word_t){&config.table[node], 1U, kind_of(&layout->buddy, (uint32_t)node)};
    }
    return count;
}

const damage_subject_t damage_buddy = {
    .name = "buddy",
    .init = begin,
    .alloc = get,
    .free = give_back,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
