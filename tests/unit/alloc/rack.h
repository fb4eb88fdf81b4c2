// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_RACK_H
#define METE_TEST_RACK_H

/// The simplest pool: what stands behind composites in their tests. It searches from the front, notices
/// all misuse at every check level, and says how many blocks are in use.

#include "mete/core/alloc.h"

#ifndef RACK_BLOCK_MAX
#define RACK_BLOCK_MAX 8
#endif

typedef struct rack {
    unsigned char *blocks;
    size_t block_size, block_count;
    size_t in_use;
    bool is_live[RACK_BLOCK_MAX];
} rack_t;

static inline void rack_init(rack_t *rack, unsigned char *blocks, size_t size, size_t count)
{
    *rack = (rack_t){blocks, size, count, 0U, {false}};
}

static inline bool rack_owns(const void *self, const void *address)
{
    const rack_t *const rack = (const rack_t *)self;
    return (uintptr_t)address - (uintptr_t)rack->blocks < rack->block_size * rack->block_count;
}

static inline bool rack_can_hold(const rack_t *rack, size_t size, size_t align)
{
    return (size <= rack->block_size) &&
           mete_align_fits((uintptr_t)rack->blocks | rack->block_size, align);
}

// What is wrong with a block that is given back or resized, or 0.
static inline int rack_fault_of(const rack_t *rack, const void *block, size_t size, size_t align)
{
    const size_t offset = (size_t)((uintptr_t)block - (uintptr_t)rack->blocks);
    if (!rack_owns(rack, block) || (offset % rack->block_size != 0U)) {
        return METE_FAULT_FOREIGN;
    }
    if (!rack->is_live[offset / rack->block_size]) {
        return METE_FAULT_DOUBLE_FREE;
    }
    return rack_can_hold(rack, size, align) ? 0 : METE_FAULT_SIZE;
}

static inline void *rack_acquire(void *self, size_t size, size_t align)
{
    rack_t *const rack = (rack_t *)self;
    for (size_t i = 0U; (i < rack->block_count) && rack_can_hold(rack, size, align); i++) {
        if (!rack->is_live[i]) {
            rack->is_live[i] = true;
            rack->in_use++;
            return &rack->blocks[i * rack->block_size];
        }
    }
    return NULL;
}

static inline void rack_release(void *self, void *block, size_t size, size_t align)
{
    rack_t *const rack = (rack_t *)self;
    const int fault = rack_fault_of(rack, block, size, align);
    if (fault != 0) {
        METE_FAULT(fault, rack, block);
        return;
    }
    rack->is_live[(size_t)((unsigned char *)block - rack->blocks) / rack->block_size] = false;
    rack->in_use--;
}

static inline bool rack_resize(void *self, void *block, size_t old_size, size_t new_size,
                               size_t align)
{
    const rack_t *const rack = (const rack_t *)self;
    const int fault = rack_fault_of(rack, block, old_size, align);
    if (fault != 0) {
        METE_FAULT(fault, rack, block);
        return false;
    }
    return new_size <= rack->block_size;
}

static inline size_t rack_size_of(const void *self, const void *block)
{
    (void)block;
    return ((const rack_t *)self)->block_size;
}

static inline mete_alloc_t rack_as_alloc(rack_t *rack)
{
    static const mete_alloc_ops_t ops = {rack_acquire, rack_release, rack_resize, rack_owns,
                                         rack_size_of};
    return (mete_alloc_t){&ops, rack};
}

#endif
