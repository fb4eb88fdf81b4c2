// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_RECORD_H
#define METE_RECORD_H

/// Records in front of blocks, in lists, in memory that others may overwrite.
///
/// The last word of a record, next to its block, is a sum over its other words, its address and a key, each
/// with an odd weight: change any one of them and the sum is wrong. So no link need be followed that was
/// overwritten. What the check word is above the sum is the record's state: whoever keeps records has two or
/// more of them, none a power of two times 1, 3 or 5 away from another, so that no flipped bit makes one
/// of the other. When a neighbour comes or goes, only the difference is added: a record that was damaged
/// before stays recognisable.
///
/// The head of a list is a record too, as is all else that is put in: nobody looks what a neighbour is.
/// Every call is O(1), but for walk. Not synchronised.

#include "mete/core/bits.h"
#include "mete/core/dlist.h"

typedef struct mete_record {
    mete_dlist_link_t link;
    size_t
        extent;  // Size, rotated left by METE_RECORD_ALIGN_BITS; there: the logarithm of the alignment.
    uintptr_t check;
} mete_record_t;

#define METE_RECORD_ALIGN_BITS ((sizeof(size_t) > 4U) ? 6U : 5U)
#define METE_RECORD_SIZE_MAX   (SIZE_MAX >> METE_RECORD_ALIGN_BITS)

/// The record that ends where the block starts.
static inline mete_record_t *mete_record_of(const void *block)
{
    return (mete_record_t *)((uintptr_t)block - sizeof(mete_record_t));
}

/// The block that starts where the record ends.
static inline unsigned char *mete_record_block(const mete_record_t *record)
{
    return (unsigned char *)((uintptr_t)record + sizeof(mete_record_t));
}

/// Size, up to METE_RECORD_SIZE_MAX, and alignment in one word. Larger ones give none that is had by a size
/// up to that and the same alignment.
static inline size_t mete_record_extent(size_t size, size_t align)
{
    const size_t logarithm =
        (sizeof(size_t) > 4U) ? 63U - mete_bits_clz64(align) : mete_bits_ctz((uint32_t)align);
    return ((size << METE_RECORD_ALIGN_BITS) |
            (size >> (8U * sizeof(size_t) - METE_RECORD_ALIGN_BITS))) ^
           logarithm;
}

static inline size_t mete_record_size(const mete_record_t *record)
{
    return record->extent >> METE_RECORD_ALIGN_BITS;
}

static inline size_t mete_record_align(const mete_record_t *record)
{
    return (size_t)1U << (record->extent % (8U * sizeof(size_t)));
}

/// What the check word of a record in state 0 must be.
static inline uintptr_t mete_record_sum(uintptr_t key, const mete_record_t *record)
{
    return key + (uintptr_t)record->link.next + 3U * (uintptr_t)record->link.previous +
           5U * (uintptr_t)record->extent + (uintptr_t)record;
}

/// The record's state; one that was not given if it was overwritten or is none.
static inline uintptr_t mete_record_state(uintptr_t key, const mete_record_t *record)
{
    return record->check - mete_record_sum(key, record);
}

static inline mete_record_t *mete_record_next(const mete_record_t *record)
{
    return (mete_record_t *)(void *)record->link.next;
}

static inline mete_record_t *mete_record_previous(const mete_record_t *record)
{
    return (mete_record_t *)(void *)record->link.previous;
}

/// Makes `list` empty; its own state is that of its members.
static inline void mete_record_init(uintptr_t key, mete_record_t *list, uintptr_t state)
{
    list->extent = 0U;
    mete_dlist_init(&list->link);
    list->check = mete_record_sum(key, list) + state;
}

/// Puts `record`, whose extent is set, behind `before`.
static inline void mete_record_insert(uintptr_t key, mete_record_t *before, mete_record_t *record,
                                      uintptr_t state)
{
    mete_record_t *const after = mete_record_next(before);
    record->link.next = &after->link;
    record->link.previous = &before->link;
    record->check = mete_record_sum(key, record) + state;
    before->link.next = &record->link;
    before->check += (uintptr_t)record - (uintptr_t)after;
    after->link.previous = &record->link;
    after->check += 3U * ((uintptr_t)record - (uintptr_t)before);
}

/// Takes `record` out of its list. Its check word is left to the caller.
static inline void mete_record_remove(const mete_record_t *record)
{
    mete_record_t *const before = mete_record_previous(record);
    mete_record_t *const after = mete_record_next(record);
    before->link.next = &after->link;
    before->check += (uintptr_t)after - (uintptr_t)record;
    after->link.previous = &before->link;
    after->check += 3U * ((uintptr_t)before - (uintptr_t)record);
}

/// Shows the records of a list, all in one state, to `see`, if there is one, until it returns false. From the last to the first
/// if `is_backwards`. False as well as soon as a record was overwritten or does not agree with the one
/// before. This ends, whatever memory holds: no record is met twice, for it would have two predecessors.
static inline bool mete_record_walk(uintptr_t key, const mete_record_t *list, uintptr_t state,
                                    bool is_backwards,
                                    bool (*see)(void *self, const mete_record_t *record),
                                    void *self)
{
    const mete_record_t *before = list;
    for (;;) {
        const mete_record_t *const record =
            is_backwards ? mete_record_previous(before) : mete_record_next(before);
        const mete_record_t *const back =
            is_backwards ? mete_record_next(record) : mete_record_previous(record);
        if ((mete_record_state(key, record) != state) || (back != before)) {
            return false;
        }
        if (record == list) {
            return true;
        }
        if ((see != NULL) && !see(self, record)) {
            return false;
        }
        before = record;
    }
}

#endif
