// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DAMAGE_LISTING_H
#define METE_DAMAGE_LISTING_H

/// Lists of blocks and words that a subject fills as it walks through its allocator.

#include "tests/damage/subject.h"

typedef struct block_list {
    damage_block_t *blocks;
    size_t count, count_max;
} block_list_t;

/// False if the list is full: then the walk may end.
static inline bool list_block(block_list_t *list, void *start, size_t size, bool is_live)
{
    if (list->count == list->count_max) {
        return false;
    }
    list->blocks[list->count] = (damage_block_t){(unsigned char *)start, size, is_live};
    list->count++;
    return true;
}

typedef struct word_list {
    damage_word_t *words;
    size_t count, count_max;
} word_list_t;

/// What a full list cannot take is left out.
static inline void list_word(word_list_t *list, void *address, size_t size, damage_kind_t kind)
{
    if (list->count < list->count_max) {
        list->words[list->count] = (damage_word_t){(unsigned char *)address, size, kind};
        list->count++;
    }
}

#endif
