// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The slab cache as a subject of the damage campaign, from inside. In the arena lie the cache, its
// table, and all memory that slabs are made of. What hands that out keeps nothing but a number: slabs
// are never given back here.

#include "mete/alloc/slab.c"

#include "tests/damage/subject.h"

enum { PER_SLAB = 8, SLAB_MAX = 6, BLOCK_SIZE = 24, SLAB_SIZE = PER_SLAB * (2 + BLOCK_SIZE) };

typedef struct layout {
    mete_slab_t cache;
    mete_slab_entry_t table[SLAB_MAX];
    size_t taken_count;
    _Alignas(8) unsigned char slabs[SLAB_MAX][SLAB_SIZE];
} layout_t;

static layout_t *layout;
static mete_slab_config_t config;

// From the last to the first, so that every new slab moves the table.
static void *take_slab(void *self, size_t size, size_t align)
{
    layout_t *const from = (layout_t *)self;
    if ((from->taken_count == SLAB_MAX) || (size != SLAB_SIZE) || (align != 8U)) {
        return NULL;
    }
    from->taken_count++;
    return from->slabs[SLAB_MAX - from->taken_count];
}

static void return_slab(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)block, (void)size, (void)align;
}

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    static const mete_alloc_ops_t ops = {take_slab, return_slab, NULL, NULL, NULL};
    (void)search;
    layout = (layout_t *)arena.start;
    layout->taken_count = 0U;
    config =
        (mete_slab_config_t){BLOCK_SIZE, 8U, PER_SLAB, SLAB_MAX, layout->table, NULL, NULL, NULL};
    (void)mete_slab_init(&layout->cache, (mete_alloc_t){&ops, layout}, &config);
    return (damage_offer_t){
        {layout->slabs, sizeof layout->slabs}, BLOCK_SIZE, 8U, BLOCK_SIZE, PER_SLAB * SLAB_MAX};
}

static void *get(size_t size, size_t align)
{
    (void)size, (void)align;
    return mete_slab_alloc(&layout->cache);
}

static void put(void *block)
{
    mete_slab_free(&layout->cache, block);
}

// The links of a slab are a gap that is smaller than a block.
static bool must_serve(size_t gap_size, size_t size, size_t align)
{
    (void)size, (void)align;
    return gap_size >= BLOCK_SIZE;
}

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    const mete_slab_t *const cache = &layout->cache;
    size_t count = 0U;
    for (size_t i = 0U; (i < cache->slab_count * PER_SLAB) && (count < count_max); i++) {
        const mete_slab_entry_t *const slab = &cache->table[i / PER_SLAB];
        blocks[count] = (damage_block_t){block_at(cache, slab, i % PER_SLAB), BLOCK_SIZE,
                                         is_live(cache, slab, i % PER_SLAB)};
        count++;
    }
    return count;
}

static size_t list_words(damage_word_t *words, size_t count_max)
{
    const mete_slab_t *const cache = &layout->cache;
    size_t count = 0U;
    for (size_t i = 0U; (i < cache->slab_count * PER_SLAB) && (count + 3U <= count_max); i++) {
        mete_slab_entry_t *const slab = &cache->table[i / PER_SLAB];
        const bool is_in_use = is_live(cache, slab, i % PER_SLAB);
        uint16_t *const link = link_of(slab, i % PER_SLAB);
        words[count++] = (damage_word_t){(unsigned char *)link, sizeof *link,
                                         is_in_use ? DAMAGE_SLAB_LIVE : DAMAGE_SLAB_FREE};
        if (i % PER_SLAB == 0U) {
            words[count++] = (damage_word_t){(unsigned char *)&slab->first_free,
                                             sizeof slab->first_free, DAMAGE_SLAB_HEAD};
            words[count++] =
                (damage_word_t){(unsigned char *)&slab->next, sizeof slab->next, DAMAGE_SLAB_NEXT};
        }
    }
    return count;
}

const damage_subject_t damage_slab = {
    .name = "slab",
    .init = begin,
    .alloc = get,
    .free = put,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
