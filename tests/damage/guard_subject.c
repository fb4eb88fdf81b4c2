// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The guard as a subject of the damage campaign, from inside. In the arena lie the guard and what is behind
// it, a stack of blocks of one size that keeps nothing in them. Some released blocks are in quarantine.

#include "mete/wrap/guard.c"

#include "tests/damage/pile.h"
#include "tests/damage/world.h"

enum { SIZE_HERE_MAX = 32, BLOCK_COUNT = 48, QUARANTINE_COUNT = 4 };
enum { OUTER_SIZE = (sizeof(record_t) + SIZE_HERE_MAX + METE_GUARD_TAIL_SIZE + 7U) / 8U * 8U };

typedef struct layout {
    mete_guard_t guard;
    pile_t pile;
    _Alignas(8) unsigned char blocks[BLOCK_COUNT][OUTER_SIZE];
} layout_t;

static layout_t *layout;

_Static_assert(sizeof(layout_t) <= 4096U, "the smallest arena");

static bool owns_address(const void *self, const void *address)
{
    const pile_t *const of = (const pile_t *)self;
    return (uintptr_t)address - (uintptr_t)of->blocks < BLOCK_COUNT * of->block_size;
}

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    static const mete_alloc_ops_t ops = {pile_acquire, pile_release, pile_resize, owns_address,
                                         NULL};
    static const mete_guard_config_t config = {.seed = 7U,
                                               .quarantine_size = QUARANTINE_COUNT * OUTER_SIZE,
                                               .fills_released = true,
                                               .released_fill = 0xDDU};
    (void)search;
    layout = (layout_t *)arena.start;
    pile_init(&layout->pile, layout->blocks[0], OUTER_SIZE, BLOCK_COUNT, 5U);
    (void)mete_guard_init(&layout->guard, (mete_alloc_t){&ops, &layout->pile}, &config);
    return (damage_offer_t){
        {layout->blocks, sizeof layout->blocks}, SIZE_HERE_MAX, 8U, SIZE_HERE_MAX, BLOCK_COUNT};
}

static void *get(size_t size, size_t align)
{
    return mete_acquire(mete_guard_as_alloc(&layout->guard), size, align);
}

static void put(void *block)
{
    mete_release(mete_guard_as_alloc(&layout->guard), block, world_slot_at(block)->size, 8U);
}

static bool change(void *block, size_t size)
{
    return mete_resize(mete_guard_as_alloc(&layout->guard), block, world_slot_at(block)->size, size,
                       8U);
}

static bool must_serve(size_t gap_size, size_t size, size_t align)
{
    (void)size, (void)align;
    return gap_size >= 2U * OUTER_SIZE;
}

static record_t *record_in(size_t index)
{
    return (record_t *)(void *)layout->blocks[index];
}

// Those in quarantine are no longer anybody's, and not yet free.
static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    size_t count = 0U;
    for (size_t i = 0U; (i < BLOCK_COUNT) && (count < count_max); i++) {
        const bool is_out = layout->pile.is_out[i] != 0U;
        const record_t *const record = record_in(i);
        const bool is_live = is_out && (state_of(&layout->guard, record) == LIVE);
        if (is_live || !is_out) {
            blocks[count] =
                (damage_block_t){mete_record_block(record),
                                 is_live ? mete_record_size(record) : SIZE_HERE_MAX, is_live};
            count++;
        }
    }
    return count;
}

static size_t list_words(damage_word_t *words, size_t count_max)
{
    size_t count = 0U;
    for (size_t i = 0U; (i < BLOCK_COUNT) && (count + 4U <= count_max); i++) {
        record_t *const record = record_in(i);
        if (layout->pile.is_out[i] == 0U) {
            continue;
        }
        const bool is_live = state_of(&layout->guard, record) == LIVE;
        unsigned char *const end = mete_record_block(record) + mete_record_size(record);
        words[count++] = (damage_word_t){(unsigned char *)&record->link, sizeof record->link,
                                         is_live ? DAMAGE_GUARD_LINKS : DAMAGE_HELD_LINKS};
        words[count++] = (damage_word_t){(unsigned char *)&record->extent, sizeof record->extent,
                                         is_live ? DAMAGE_GUARD_EXTENT : DAMAGE_HELD_EXTENT};
        words[count++] = (damage_word_t){(unsigned char *)&record->check, sizeof record->check,
                                         is_live ? DAMAGE_GUARD_HEAD : DAMAGE_HELD_HEAD};
        words[count++] = (damage_word_t){end, METE_GUARD_TAIL_SIZE,
                                         is_live ? DAMAGE_GUARD_TAIL : DAMAGE_HELD_TAIL};
    }
    return count;
}

const damage_subject_t damage_guard = {
    .name = "guard",
    .header_size = sizeof(record_t),
    .init = begin,
    .alloc = get,
    .free = put,
    .resize = change,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
