// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The tracker as a subject of the damage campaign, from inside. In the arena lie the tracker and what is
// behind it, a stack of blocks of one size that keeps nothing in them.

#include "mete/wrap/track.c"

#include "tests/damage/pile.h"
#include "tests/damage/world.h"

enum { SIZE_HERE_MAX = 32, BLOCK_COUNT = 40, ALIGN_HERE = 8 };
enum { OUTER_SIZE = METE_TRACK_PREFIX_SIZE(ALIGN_HERE) + SIZE_HERE_MAX };

typedef struct layout {
    mete_track_t track;
    pile_t pile;
    _Alignas(8) unsigned char blocks[BLOCK_COUNT][OUTER_SIZE];
} layout_t;

static layout_t *layout;

_Static_assert(sizeof(layout_t) <= 4096U, "the smallest arena");

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    static const mete_alloc_ops_t ops = {pile_acquire, pile_release, pile_resize, NULL, NULL};
    static const mete_track_config_t config = {.site = NULL};
    (void)search;
    layout = (layout_t *)arena.start;
    pile_init(&layout->pile, layout->blocks[0], OUTER_SIZE, BLOCK_COUNT, 7U);
    (void)mete_track_init(&layout->track, (mete_alloc_t){&ops, &layout->pile}, &config);
    return (damage_offer_t){{layout->blocks, sizeof layout->blocks},
                            SIZE_HERE_MAX,
                            ALIGN_HERE,
                            SIZE_HERE_MAX,
                            BLOCK_COUNT};
}

static void *get(size_t size, size_t align)
{
    (void)align;
    return mete_acquire(mete_track_as_alloc(&layout->track), size, ALIGN_HERE);
}

static void put(void *block)
{
    mete_release(mete_track_as_alloc(&layout->track), block, world_slot_at(block)->size,
                 ALIGN_HERE);
}

static bool change(void *block, size_t size)
{
    return mete_resize(mete_track_as_alloc(&layout->track), block, world_slot_at(block)->size, size,
                       ALIGN_HERE);
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

static size_t list_blocks(damage_block_t *blocks, size_t count_max)
{
    const size_t count = (count_max < BLOCK_COUNT) ? count_max : BLOCK_COUNT;
    for (size_t i = 0U; i < count; i++) {
        record_t *const record = record_in(i);
        const bool is_live = layout->pile.is_out[i] != 0U;
        blocks[i] = (damage_block_t){(unsigned char *)(record + 1),
                                     is_live ? record->size : SIZE_HERE_MAX, is_live};
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
        unsigned char *const at = (unsigned char *)record;
        words[count++] = (damage_word_t){at, sizeof record->link, DAMAGE_TRACK_LINKS};
        words[count++] = (damage_word_t){at + offsetof(record_t, caller),
                                         offsetof(record_t, size) - offsetof(record_t, caller),
                                         DAMAGE_TRACK_NOTES};
        words[count++] =
            (damage_word_t){at + offsetof(record_t, size), sizeof record->size, DAMAGE_TRACK_SIZE};
        words[count++] = (damage_word_t){at + offsetof(record_t, check), sizeof record->check,
                                         DAMAGE_TRACK_CHECK};
    }
    return count;
}

const damage_subject_t damage_track = {
    .name = "track",
    .header_size = sizeof(record_t),
    .init = begin,
    .alloc = get,
    .free = put,
    .resize = change,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
