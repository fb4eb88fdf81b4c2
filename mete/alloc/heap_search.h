// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEAP_SEARCH_H
#define METE_HEAP_SEARCH_H

// A part of heap.c: which free block serves a request. Nothing is changed here.

#include "mete/alloc/heap_blocks.h"

// What a search may find instead of the index of a free block: nothing, or that a link or a header was
// damaged. Neither is the index of a block; no damaged link leads to NOTHING, which is beyond the heap.
#define NOTHING UINT32_MAX
#define DAMAGED 0U

// Tells what is in front of a block that is being found. For size, that is read off the block.
METE_INLINE void tell_back(uint32_t *back, uint32_t index)
{
    if (!IS_SMALL) {
        *back = index;
    }
}

// The bin in which some blocks may fit; in all bins above they do. Where nothing is searched, blocks that
// fit exactly are counted among those above.
METE_INLINE uint32_t matching_bin(uint32_t granules, uint32_t search)
{
    return bin_of((search == 0U) ? granules - 1U : granules);
}

// The first of `n` blocks of a bin that fits.
METE_INLINE uint32_t first_fit(const heap_t *heap, uint32_t granules, uint32_t bin, uint32_t n,
                               uint32_t *back)
{
    uint32_t index = at(heap, bin)->next;
    tell_back(back, bin);
    do {
        if (!is_index(heap, index)) {
            return DAMAGED;
        }
        if (header(at(heap, index))->size >= granules) {
            return index;
        }
        tell_back(back, index);
        index = at(heap, index)->next;
    } while ((--n != 0U) && (index != bin));
    return NOTHING;
}

// The lowest of `n` blocks of a bin.
METE_INLINE uint32_t lowest_of(const heap_t *heap, uint32_t bin, uint32_t n, uint32_t *back)
{
    uint32_t index = at(heap, bin)->next;
    uint32_t lowest = index;
    tell_back(back, bin);
    while ((--n != 0U) && is_index(heap, index)) {
        const uint32_t next = at(heap, index)->next;
        if (next == bin) {
            break;
        }
        if (next < lowest) {
            lowest = next;
            tell_back(back, index);
        }
        index = next;
    }
    return is_index(heap, index) ? lowest : DAMAGED;
}

// Finds a free block of so many granules: the first of `search` blocks in the matching bin that fits; or
// else the lowest of `search` in the next bin above that is not empty. With search 0 it is the first
// block above, or else the first in the matching bin, if that fits.
HOT uint32_t find_close(const heap_t *heap, uint32_t granules, uint32_t search, uint32_t *back)
{
    const uint32_t bin = matching_bin(granules, search);
    const map_t map = ((search == 0U) ? heap->map & ~PARITY : heap->map) << bin;
    const uint32_t n = search + (search == 0U);
    if (((map & bit_of(0U)) != 0U) && ((search != 0U) || (map == bit_of(0U)))) {
        const uint32_t index = first_fit(heap, granules, bin, n, back);
        if (index != NOTHING) {
            return index;
        }
    }
    const map_t above = map & ~bit_of(0U);
    return (above != 0U) ? lowest_of(heap, bin + first_bin(above), n, back) : NOTHING;
}

// The same for speed, where no search is wanted. False if there is nothing.
METE_INLINE bool find_quick(const heap_t *heap, uint32_t granules, uint32_t *index, uint32_t *back)
{
    uint32_t bin = matching_bin(granules, 0U);
    const map_t map = (heap->map & ~PARITY) << bin;
    const map_t above = map & ~bit_of(0U);
    const bool is_sure = above != 0U;
    if (METE_LIKELY(is_sure)) {
        bin += first_bin(above);
    } else if (map == 0U) {
        return false;
    }
    *index = at(heap, bin)->next;
    *back = bin;
    if (!is_index(heap, *index)) {
        *index = DAMAGED;
        return true;
    }
    return METE_LIKELY(is_sure) || (header(at(heap, *index))->size >= granules);
}

static bool has_parity(const heap_t *heap)
{
    uint64_t map = heap->map;
    uint32_t m = (uint32_t)map ^ (uint32_t)(map >> 32);
    m ^= m >> 16;
    m ^= m >> 8;
    m ^= m >> 4;
    return ((0x6996U >> (m & 15U)) & 1U) == 0U;
}

// True if no damage hides what could serve a request: the map has its parity, and what was looked at
// in the matching bin is intact. Asked before a request is refused.
METE_INLINE bool is_exhausted(const heap_t *heap, uint32_t granules, uint32_t search)
{
    const uint32_t bin = matching_bin(granules, search);
    if (!has_parity(heap)) {
        return false;
    }
    if (bin == 0U) {
        return true;
    }
    bool is_intact = has_head(heap, bin);
    uint32_t index = at(heap, bin)->next;
    for (uint32_t n = 0U; is_intact && (index != bin) && (n < search + (search == 0U)); n++) {
        const uint32_t size = header(at(heap, index))->size;
        is_intact =
            (index >= FIRST) && (IS_SMALL ? is_whole(heap, at(heap, index), index)
                                          : (has_head(heap, index) &&
                                             is_bounded(heap, at(heap, index), index, size, size)));
        index = at(heap, index)->next;
    }
    return is_intact;
}

// Finds a free block for so many bytes.
HOT uint32_t find(const heap_t *heap, size_t size, uint32_t *back)
{
    return is_size(size) ? find_close(heap, granules_for(size), heap->config->search, back)
                         : NOTHING;
}

#endif
