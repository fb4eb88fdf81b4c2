// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The deferred release as a subject of the damage campaign, from inside, in front of a rack. All blocks are
// released by interrupts, and each call of the task hands one of them back.

#include <stdint.h>

// There is nobody to keep out.
#define mete_critical_enter enter_section
#define mete_critical_leave leave_section
#include "mete/wrap/defer.c"

#define RACK_BLOCK_MAX 40
#include "tests/damage/subject.h"
#include "tests/unit/alloc/rack.h"

enum { SLOT_SIZE = 2 * METE_DEFER_SIZE_MIN };

typedef struct layout {
    mete_defer_t defer;
    rack_t rack;
    size_t sizes[RACK_BLOCK_MAX];  // As the program knows them; 0: it does not hold the block.
    _Alignas(8) unsigned char slots[RACK_BLOCK_MAX][SLOT_SIZE];
} layout_t;

static layout_t *layout;

_Static_assert(sizeof(layout_t) <= 4096U, "the smallest arena");

uintptr_t enter_section(void)
{
    return 0U;
}

void leave_section(uintptr_t state)
{
    (void)state;
}

static damage_offer_t begin(mete_span_t arena, uint32_t search)
{
    static const mete_defer_config_t config = {.drain_max = 1U};
    (void)search;
    layout = arena.start;
    rack_init(&layout->rack, layout->slots[0], SLOT_SIZE, RACK_BLOCK_MAX);
    (void)mete_defer_init(&layout->defer, rack_as_alloc(&layout->rack), &config);
    return (damage_offer_t){
        {layout->slots, sizeof layout->slots}, SLOT_SIZE, 8U, SLOT_SIZE, RACK_BLOCK_MAX};
}

static size_t slot_of(const void *block)
{
    return (size_t)((const unsigned char *)block - layout->slots[0]) / SLOT_SIZE % RACK_BLOCK_MAX;
}

static void *get(size_t size, size_t align)
{
    void *const block = mete_acquire(mete_defer_as_alloc(&layout->defer), size, align);
    if (block != NULL) {
        layout->sizes[slot_of(block)] = size;
    }
    return block;
}

static void give_back(void *block)
{
    size_t *const size = &layout->sizes[slot_of(block)];
    mete_release(mete_defer_as_alloc_for_interrupts(&layout->defer), block, *size, 8U);
    *size = 0U;
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
        const size_t size = layout->sizes[i];
        blocks[i] =
            (damage_block_t){layout->slots[i], (size != 0U) ? size : (size_t)SLOT_SIZE, size != 0U};
    }
    return i;
}

// Released, and not yet handed back.
static size_t list_words(damage_word_t *words, size_t count_max)
{
    size_t count = 0U;
    for (record_t *record = first_of(&layout->defer); (record != NULL) && (count + 4U <= count_max);
         record = record->next) {
        for (size_t i = 0U; i < sizeof *record / sizeof(uintptr_t); i++, count++) {
            words[count] = (damage_word_t){(unsigned char *)((uintptr_t *)(void *)record + i),
                                           sizeof(uintptr_t), DAMAGE_DEFER_RECORD};
        }
    }
    return count;
}

const damage_subject_t damage_defer = {
    .name = "defer",
    .link_size = sizeof(record_t),
    .init = begin,
    .alloc = get,
    .free = give_back,
    .must_serve = must_serve,
    .list_blocks = list_blocks,
    .list_words = list_words,
};
