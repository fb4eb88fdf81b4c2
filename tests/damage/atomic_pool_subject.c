// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic pool as a subject of the damage campaign, from inside. In the arena lie the pool, its
// blocks, and at the very end the links: whoever reads behind them leaves the arena. The two words with
// the tops of the lists are bookkeeping too.

#include "mete/alloc/atomic_pool.c"

#include "tests/damage/subject.h"

enum { BLOCK_COUNT = 40, RESERVED_COUNT = 8, BLOCK_SIZE = 24 };

typedef struct layout {
    mete_atomic_pool_t pool;
    unsigned char blocks[BLOCK_COUNT][BLOCK_SIZE];
} layout_t;

static layout_t *layout;
static mete_atomic_pool_config_t config;

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    (void)search;
    layout = arena.start;
    unsigned char *const end = (unsigned char *)arena.start + arena.size;
    config.blocks = layout->blocks;
    config.links = (size_t *)(void *)(end - (BLOCK_COUNT * sizeof(size_t)));
    config.block_size = BLOCK_SIZE;
    config.block_count = BLOCK_COUNT;
    config.reserved_count = RESERVED_COUNT;
    (void)mete_atomic_pool_init(&layout->pool, &config);
    return (damage_offer_t){
        {layout->blocks, sizeof layout->blocks}, BLOCK_SIZE, 8U, BLOCK_SIZE, BLOCK_COUNT};
}

static void *get(size_t size, size_t align)
{
    (void)size, (void)align;
    return mete_atomic_pool_alloc_reserved(&layout->pool);
}

static void give_back(void *block)
{
    mete_atomic_pool_free(&layout->pool, block);
}

static bool must_serve(size_t gap_size, size_t size, size_t align)
{
    (void)align;
    return gap_size >= size;
}

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    size_t i = 0U;
    for (; (i < BLOCK_COUNT) && (i < count_max); i++) {
        blocks[i] = (damage_block_t){layout->blocks[i], BLOCK_SIZE, is_live(&layout->pool, i)};
    }
    return i;
}

static size_t list_words(damage_word_t *words, size_t count_max)
{
    size_t i = 0U;
    for (; (i < BLOCK_COUNT) && (i + 2U < count_max); i++) {
        const damage_kind_t kind = is_live(&layout->pool, i) ? DAMAGE_POOL_LIVE : DAMAGE_POOL_FREE;
        words[i] = (damage_word_t){(unsigned char *)&config.links[i], sizeof(size_t), kind};
    }
    unsigned char *const tops[] = {(unsigned char *)&layout->pool.common,
                                   (unsigned char *)&layout->pool.reserved};
    for (size_t top = 0U; top < 2U; top++, i++) {
        words[i] = (damage_word_t){tops[top], sizeof(size_t), DAMAGE_POOL_TOP};
    }
    return i;
}

const damage_subject_t damage_atomic_pool = {
    .name = "atomic_pool",
    .init = begin,
    .alloc = get,
    .free = give_back,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
