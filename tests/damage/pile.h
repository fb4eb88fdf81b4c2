// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DAMAGE_PILE_H
#define METE_DAMAGE_PILE_H

/// What stands behind a wrapper in the campaign: a stack of blocks of one size. It keeps nothing in the
/// blocks and finds no fault with anything, so that whatever is reported was found by the wrapper.

#include "mete/core/alloc.h"

enum { PILE_BLOCK_MAX = 48, PILE_ALIGN = 8 };

typedef struct pile {
    unsigned char *blocks;
    size_t block_size;
    size_t free_count;
    uint8_t free[PILE_BLOCK_MAX];
    uint8_t is_out[PILE_BLOCK_MAX];
} pile_t;

// `stride` has no divisor in common with `count`: so blocks handed out one after the other are no neighbours.
static inline void pile_init(pile_t *pile, unsigned char *blocks, size_t size, size_t count,
                             size_t stride)
{
    pile->blocks = blocks;
    pile->block_size = size;
    pile->free_count = count;
    for (size_t i = 0U; i < count; i++) {
        pile->free[i] = (uint8_t)((i * stride) % count);
        pile->is_out[i] = 0U;
    }
}

static inline void *pile_acquire(void *self, size_t size, size_t align)
{
    pile_t *const from = (pile_t *)self;
    if ((size > from->block_size) || (align > (size_t)PILE_ALIGN) || (from->free_count == 0U)) {
        return NULL;
    }
    from->free_count--;
    from->is_out[from->free[from->free_count]] = 1U;
    return from->blocks + (from->free[from->free_count] * from->block_size);
}

static inline void pile_release(void *self, void *block, size_t size, size_t align)
{
    pile_t *const to = (pile_t *)self;
    const size_t index = ((uintptr_t)block - (uintptr_t)to->blocks) / to->block_size;
    (void)size, (void)align;
    to->is_out[index] = 0U;
    to->free[to->free_count] = (uint8_t)index;
    to->free_count++;
}

static inline bool pile_resize(void *self, void *block, size_t old_size, size_t new_size,
                               size_t align)
{
    (void)block, (void)old_size, (void)align;
    return new_size <= ((const pile_t *)self)->block_size;
}

#endif
