// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Each header says its block's size and its predecessor's, each with a used flag. So every boundary
// is described twice, by the blocks on its two sides: one compare tells whether a header can be
// trusted before it is followed, freeing finds both neighbours without a footer, and a block can be
// freed twice only if both descriptions say that it is in use.
//
// A block is named by the index of its payload: its distance from the heap in words. Its header is the
// word in front. A free block begins with its links, two such indices. The lists are circular through
// sentinels at the start of the heap, whose indices are the numbers of their bins. All of it is
// checked before any of it is changed.
//
// heap_wide.c includes this file with wider fields; what differs is in the block below.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.h"
#define HEAP(name) mete_heap_##name
typedef mete_heap_t heap_t;
typedef uint16_t half_t;   // A size with its used flag, or an index.
typedef uint32_t map_t;    // One bit a bin, bin 0 highest.
typedef uint32_t tally_t;  // Free granules in the upper half, free blocks in the lower.
typedef uint32_t squares_t;
typedef uint32_t reach_t;  // An index plus any size that a half can say.
enum {
    WORD = 4,        // Bytes from one index to the next: a header, or a pair of links.
    MIN = 1,         // Granules of the smallest block: a header and its links.
    BIN_COUNT = 32,  // Bin 0 is not used.
};
#define SIZE_LIMIT     METE_HEAP_BLOCK_SIZE_MAX  // One instruction can compare with it.
#define first_bin(map) mete_bits_clz(map)
#endif

#include "mete/core/bitmap.h"
#include "mete/core/bits.h"

enum {
    GRANULE = 8,
    STEP = GRANULE / WORD,  // Words in a granule.
    // Bytes left in front of the heap, so that what stands there for a header of index 0 can be read.
    LEAD = (_Alignof(heap_t) > WORD) ? GRANULE : WORD,
    // The first payload: aligned to 8, with room for a header behind the heap.
    FIRST = ((LEAD + (int)sizeof(heap_t) + WORD + GRANULE - 1) / GRANULE * GRANULE - LEAD) / WORD,
    HALF_BITS = 8 * (int)sizeof(half_t),
};
#define USED                    ((uint32_t)1 << (HALF_BITS - 1))
#define GRANULE_MAX             (USED - 1U)
#define NONE                    ((half_t)-1)  // `before` of a first block: no size, not even a damaged one.
#define INDEX_MAX               ((STEP * GRANULE_MAX) + 1U)
#define TALLY(granules, blocks) (((tally_t)(granules) << HALF_BITS) + (tally_t)(blocks))

// Level 3: the whole heap is checked after every operation.
#if METE_CHECK_LEVEL >= 3
#define SETTLED(heap) METE_ASSERT(HEAP(check)(heap))
#else
#define SETTLED(heap) ((void)0)
#endif

// Bit 0 of the map, that of the bin that is not used, makes the number of its bits even.
#define PARITY ((METE_CHECK_LEVEL < 1) ? (map_t)0 : bit_of(0U))

#define COLD static __attribute__((noinline))

// The larger pieces that several functions are made of: inlined for speed, shared for size.
//
// The books are what alloc and free change again and again. For speed they are copied, so that they
// can stay in registers while blocks are written to; for size they are the heap itself.
#ifdef __OPTIMIZE_SIZE__
enum { IS_SMALL = 1 };
#define HOT static
typedef heap_t books_t;
#define HEAP_OF(books)     (books)
#define OPEN_BOOKS(heap)   books_t *const books = (heap)
#define CLOSE_BOOKS(books) ((void)0)
#else
enum { IS_SMALL = 0 };
#define HOT            METE_INLINE
typedef struct books {
    heap_t *heap;
    map_t map;
    tally_t free_tally;
    squares_t free_squares;
} books_t;
#define HEAP_OF(books) ((books)->heap)
#define OPEN_BOOKS(heap) \
    books_t opened = {(heap), (heap)->map, (heap)->free_tally, (heap)->free_squares}; \
    books_t *const books = &opened
#define CLOSE_BOOKS(books) \
    ((books)->heap->map = (books)->map, (books)->heap->free_tally = (books)->free_tally, \
     (books)->heap->free_squares = (books)->free_squares, (void)0)
#endif

typedef struct __attribute__((may_alias)) header {
    half_t size;    // In granules; USED is set while the block is in use.
    half_t before;  // `size` of the block in front; NONE if there is none.
} header_t;

// A payload, as far as the heap looks into it: that of a free block, or a sentinel.
typedef struct __attribute__((may_alias)) block {
    half_t next, back;
} block_t;
_Static_assert((sizeof(header_t) == WORD) && (sizeof(block_t) == WORD), "an index counts words");
_Static_assert(offsetof(heap_t, bins) == WORD, "bin 1 is a block at index 1");

METE_INLINE block_t *at(const heap_t *heap, uint32_t index)
{
    return (block_t *)((uintptr_t)heap + ((uintptr_t)index * WORD));
}

METE_INLINE header_t *header(block_t *block)
{
    return (header_t *)(void *)block - 1;
}

// The block that begins so many granules further on.
METE_INLINE block_t *behind(block_t *block, uint32_t granules)
{
    return (block_t *)(void *)((unsigned char *)block + ((size_t)granules * GRANULE));
}

// The block that begins so many granules in front of this one.
METE_INLINE block_t *in_front(block_t *block, uint32_t granules)
{
    return (block_t *)(void *)((unsigned char *)block - ((size_t)granules * GRANULE));
}

// Hides from the compiler how a value came about. It would otherwise share what costs nothing to do
// twice: the conversion to 16 bits that a store does anyway, the address that is a base and an index.
#define HIDE(value) __asm__("" : "+r"(value))

// The same where that makes the code faster, but longer.
#ifdef __OPTIMIZE_SIZE__
#define HIDE_FAST(value) ((void)0)
#else
#define HIDE_FAST(value) HIDE(value)
#endif

// Writes the size of a block on both of its ends; `end` is where the next one begins.
HOT void set_size(block_t *block, block_t *end, uint32_t size)
{
    HIDE_FAST(end);
    HIDE(size);
    header(block)->size = (half_t)size;
    HIDE(size);
    header(end)->before = (half_t)size;
}

// Granules of a block for `size` bytes and its header: one more than this. `size` is at least 1 and
// not beyond SIZE_LIMIT; others are told apart by being `size` - 1 >= SIZE_LIMIT.
METE_INLINE uint32_t granules_for(size_t size)
{
    return (uint32_t)((size - 1U + WORD) / GRANULE) + 1U;
}

METE_INLINE bool is_size(size_t size)
{
    return size - 1U < SIZE_LIMIT;
}

// The index of a block. Rotated, not shifted: the low bits of a misaligned address make an index
// beyond every heap.
METE_INLINE uintptr_t index_of(const heap_t *heap, const block_t *block)
{
    const uintptr_t distance = (uintptr_t)block - (uintptr_t)heap;
    return (distance / WORD) | (distance << (8U * sizeof(uintptr_t) - ((WORD == 4) ? 2U : 3U)));
}

// Bins: 1 ... 7 hold blocks of just so many granules, then two bins an octave. The formula counts
// octaves from the top and adds the upper two bits of the size.
HOT uint32_t bin_of(uint32_t granules)
{
    if (!METE_LIKELY(granules >= 8U)) {
        return granules;
    }
    const uint32_t zeros = mete_bits_clz(granules);
    return ((granules << zeros) >> 30) + 62U - (2U * zeros);
}

METE_INLINE map_t bit_of(uint32_t bin)
{
    return ((map_t)1 << (8U * sizeof(map_t) - 1U)) >> bin;
}

// ---- What must be true before a header or a link is followed. True without a look at level 0.

METE_INLINE bool is_index(const heap_t *heap, uint32_t index)
{
    return (METE_CHECK_LEVEL < 1) || (index < heap->last);
}

// The next block in the list points back at this one.
METE_INLINE bool has_next(const heap_t *heap, const block_t *block, uint32_t index)
{
    const uint32_t next = block->next;
    return (METE_CHECK_LEVEL < 1) || ((next < heap->last) && (at(heap, next)->back == index));
}

// So does the one in front of it. Either may be the sentinel.
HOT bool is_listed(const heap_t *heap, const block_t *block, uint32_t index)
{
    if (IS_SMALL) {
        block = at(heap, index);  // Shorter than to pass it.
    }
    const uint32_t back = block->back;
    return (METE_CHECK_LEVEL < 1) ||
           (has_next(heap, block, index) && (back < heap->last) && (at(heap, back)->next == index));
}

// The list of the bin can be entered at its head. For size, by the check that is there anyway.
METE_INLINE bool has_head(const heap_t *heap, uint32_t bin)
{
    return IS_SMALL ? is_listed(heap, at(heap, bin), bin) : has_next(heap, at(heap, bin), bin);
}

// The block that begins so many granules on says of this one what it says itself.
METE_INLINE bool is_bounded(const heap_t *heap, block_t *block, uint32_t index, uint32_t granules,
                            uint32_t size)
{
    return (METE_CHECK_LEVEL < 1) || (((reach_t)index + ((reach_t)granules * STEP) <= heap->last) &&
                                      (header(behind(block, granules))->before == size));
}

// A free block ends where it says, and is in a list.
HOT bool is_whole(const heap_t *heap, block_t *block, uint32_t index)
{
    const uint32_t size = header(block)->size;
    return is_bounded(heap, block, index, size, size) ? is_listed(heap, block, index) : false;
}

// ---- Regions and blocks in address order

typedef struct region {
    uint32_t first, end;  // The first block, and where one behind the last would be.
    uint32_t next;        // The word that describes the next region, or 0.
} region_t;

static region_t first_region(const heap_t *heap)
{
    return (region_t){FIRST, heap->end, heap->next};
}

// A later region is described by the word in front of its first header: its end, and the next region.
// first is 0 if there is none. Indices only rise, which bounds every walk.
static region_t next_region(const heap_t *heap, region_t region)
{
    const uint32_t index = region.next;
    if ((index <= region.end) || (index >= heap->last)) {
        return (region_t){0U, 0U, 0U};
    }
    return (region_t){index + 2U, at(heap, index)->next, at(heap, index)->back};
}

// The index behind a block, or 0 if its header leads out of its region or not onwards.
static uint32_t index_behind(const heap_t *heap, region_t region, uint32_t index)
{
    const uint32_t granules = header(at(heap, index))->size & GRANULE_MAX;
    const bool is_sound = (granules >= MIN) && (granules <= (region.end - index) / STEP);
    return is_sound ? index + (granules * STEP) : 0U;
}

bool HEAP(walk)(const heap_t *heap, bool (*visit)(void *self, const mete_heap_block_t *block),
                void *self)
{
    METE_ASSERT((heap != NULL) && (visit != NULL));
    for (region_t r = first_region(heap); r.first != 0U; r = next_region(heap, r)) {
        for (uint32_t index = r.first; index < r.end;) {
            const uint32_t next = index_behind(heap, r, index);
            if (next == 0U) {
                return false;
            }
            const mete_heap_block_t block = {at(heap, index),
                                             ((size_t)(next - index) * WORD) - WORD,
                                             header(at(heap, index))->size >= USED};
            if (!visit(self, &block)) {
                return false;
            }
            index = next;
        }
    }
    return true;
}

// Why an address was refused: what it really is. Walks the blocks.
__attribute__((unused)) COLD mete_fault_t reason(const heap_t *heap, const void *address);

// ---- Lists

// Takes the free block of so many granules between two links out of its list.
HOT void detach(books_t *books, uint32_t next, uint32_t back, uint32_t size)
{
    const heap_t *const heap = HEAP_OF(books);
    at(heap, next)->back = (half_t)back;
    at(heap, back)->next = (half_t)next;
    // Both are the same sentinel if the block was alone. The links say which, not the block's size.
    books->map = (next == back) ? books->map ^ (bit_of(next) | PARITY) : books->map;
    books->free_squares -= (squares_t)size * size;
}

// Makes a free block of so many granules and puts it first in the list of its bin, which level 1 has
// found out when it checked.
HOT void attach(books_t *books, block_t *block, uint32_t index, uint32_t size, uint32_t bin)
{
    const heap_t *const heap = HEAP_OF(books);
    if (IS_SMALL) {
        index = (uint32_t)index_of(heap, block);  // Shorter than to pass it.
    }
    if (IS_SMALL || (METE_CHECK_LEVEL < 1)) {
        bin = bin_of(size);
    }
    HIDE(bin);
    const uint32_t next = at(heap, bin)->next;
    block->next = (half_t)next;
    block->back = (half_t)bin;
    at(heap, next)->back = (half_t)index;
    HIDE_FAST(index);
    HIDE_FAST(bin);
    at(heap, bin)->next = (half_t)index;
    if (METE_CHECK_LEVEL < 1) {
        books->map |= bit_of(bin);
    } else if (next == bin) {
        books->map ^= bit_of(bin) | PARITY;
    }
    books->free_squares += (squares_t)size * size;
    set_size(block, behind(block, size), size);
}

// ---- The start map: exact knowledge of what is a live block, where the config provides for it.

HOT void mark_start(const heap_t *heap, uint32_t index)
{
    if ((METE_CHECK_LEVEL >= 1) && !METE_LIKELY(heap->starts == NULL)) {
        mete_bitmap_add(heap->starts, index / STEP);
    }
}

// Takes the mark off again. False if there was none.
HOT bool unmark_start(const heap_t *heap, const block_t *block)
{
    if ((METE_CHECK_LEVEL < 1) || METE_LIKELY(heap->starts == NULL)) {
        return true;
    }
    const uintptr_t number = index_of(heap, block) / STEP;
    const bool was_marked = mete_bitmap_has(heap->starts, number);
    mete_bitmap_remove(heap->starts, number);
    return was_marked;
}

static bool is_start(const heap_t *heap, const block_t *block)
{
    return (METE_CHECK_LEVEL < 1) || (heap->starts == NULL) ||
           mete_bitmap_has(heap->starts, index_of(heap, block) / STEP);
}

// ---- alloc

// True if a block that was found is a free block, and intact. Finds out the bin of what will be left.
METE_INLINE bool may_carve(const heap_t *heap, uint32_t index, uint32_t granules,
                           uint32_t *rest_bin)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    block_t *const block = at(heap, index);
    if ((index < FIRST) || !is_whole(heap, block, index)) {
        return false;
    }
    *rest_bin = bin_of(header(block)->size - granules);
    return (*rest_bin < MIN) || has_head(heap, *rest_bin);
}

// Hands out the first `granules` of a free block and keeps the rest.
METE_INLINE block_t *carve(heap_t *heap, uint32_t index, uint32_t granules, uint32_t rest_bin)
{
    block_t *block = at(heap, index);
    HIDE(block);
    const uint32_t size = header(block)->size;
    const uint32_t rest = size - granules;
    OPEN_BOOKS(heap);
    detach(books, block->next, block->back, size);
    mark_start(heap, index);
    tally_t tally = books->free_tally;
    block_t *tail = behind(block, granules);
    HIDE(tail);
    if (METE_LIKELY(rest >= 8U) || (rest >= MIN)) {
        attach(books, tail, index + (granules * STEP), rest, rest_bin);
    } else {
        tally -= TALLY(0U, 1U);
        granules = size;
        tail = behind(block, size);
    }
    tally -= TALLY(granules, 0U);
    books->free_tally = tally;
    CLOSE_BOOKS(books);
    if (!METE_LIKELY(tally >= heap->free_tally_min)) {
        HIDE(tally);  // A branch, not a conditional store: it is taken only when a peak is reached.
        heap->free_tally_min = tally;
    }
    set_size(block, tail, granules | USED);
    if (block == NULL) {
        __builtin_unreachable();  // So that nobody asks again.
    }
    return block;
}

// What stands for a block if a link or a header was damaged: an index where there is none, and an odd
// address that still tells the heap's.
#define DAMAGED 0U

METE_INLINE block_t *damaged(const heap_t *heap)
{
    return (block_t *)((uintptr_t)heap + 1U);
}

// Looks for a close fit: the first of `left` blocks in the matching bin that fits, for some there are
// smaller; or else the best of `left` in the next bin above that is not empty, where all fit. False if
// there is none.
METE_INLINE bool find_close(const heap_t *heap, uint32_t granules, uint32_t left, uint32_t *index)
{
    uint32_t bin = bin_of(granules);
    const map_t map = heap->map << bin;
    uint32_t i = at(heap, bin)->next;
    *index = DAMAGED;
    if ((map & bit_of(0U)) != 0U) {
        uint32_t n = left;
        do {
            if (!is_index(heap, i)) {
                return true;
            }
            if (header(at(heap, i))->size >= granules) {
                *index = i;
                return true;
            }
            i = at(heap, i)->next;
        } while ((--n != 0U) && (i != bin));
    }
    const map_t above = map & ~bit_of(0U);
    if (above == 0U) {
        return false;
    }
    bin += first_bin(above);
    i = at(heap, bin)->next;
    *index = i;
    if (!is_index(heap, i)) {
        *index = DAMAGED;
        return true;
    }
    uint32_t least = header(at(heap, i))->size;
    while ((--left != 0U) && ((i = at(heap, i)->next) != bin)) {
        if (!is_index(heap, i)) {
            *index = DAMAGED;
            return true;
        }
        const uint32_t size = header(at(heap, i))->size;
        if (size < least) {
            least = size;
            *index = i;
        }
    }
    return true;
}

// Finds a block without a search: the first of the next bin above that is not empty, where all blocks
// fit; or else the first of the bin below, where some do. False if neither is there.
METE_INLINE bool find_quick(const heap_t *heap, uint32_t granules, uint32_t *index)
{
    uint32_t bin = bin_of(granules - 1U);
    const map_t map = (heap->map & ~PARITY) << bin;
    const map_t above = map & ~bit_of(0U);
    const bool is_sure = above != 0U;
    if (METE_LIKELY(is_sure)) {
        bin += first_bin(above);
    } else if (map == 0U) {
        return false;
    }
    const uint32_t head = at(heap, bin)->next;
    block_t *const block = at(heap, head);
    *index = DAMAGED;
    // Where the block is taken all is looked at; here only what decides that it is not.
    if (!is_index(heap, head) || ((METE_CHECK_LEVEL >= 1) && !is_sure && (block->back != bin))) {
        return true;
    }
    *index = head;
    return METE_LIKELY(is_sure) || (header(block)->size >= granules);
}

// Takes so many granules from the block that was found. What is returned for a damaged one is no
// block's address.
HOT block_t *take(heap_t *heap, uint32_t index, uint32_t granules)
{
    uint32_t rest_bin = 0U;
    return may_carve(heap, index, granules, &rest_bin) ? carve(heap, index, granules, rest_bin)
                                                       : damaged(heap);
}

// The same after a search of so many blocks. NULL if none fits.
HOT block_t *take_close(heap_t *heap, uint32_t granules, uint32_t left)
{
    uint32_t index = DAMAGED;
    if (!find_close(heap, granules, left, &index)) {
        return NULL;
    }
    return take(heap, index, granules);
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
static bool is_exhausted(const heap_t *heap, uint32_t granules, uint32_t left)
{
    const uint32_t bin = bin_of((left == 0U) ? granules - 1U : granules);
    if (!has_parity(heap)) {
        return false;
    }
    uint32_t index = bin;
    for (uint32_t n = left + (left == 0U); (n != 0U) && (bin != 0U); n--) {
        if (!has_next(heap, at(heap, index), index)) {
            return false;
        }
        index = at(heap, index)->next;
        if (index == bin) {
            return true;
        }
        const uint32_t size = header(at(heap, index))->size;
        if ((index < FIRST) || !is_bounded(heap, at(heap, index), index, size, size)) {
            return false;
        }
    }
    return true;
}

// alloc where a search is wanted, or nothing was found without one. The program is asked once to free
// something. NULL if that did not help.
COLD block_t *alloc_close(heap_t *heap, size_t size, uint32_t granules)
{
    const mete_heap_config_t *const config = heap->config;
    uint32_t left = config->search;
    if (is_size(size)) {
        block_t *block = (left != 0U) ? take_close(heap, granules, left) : NULL;
        if (METE_LIKELY(block != NULL)) {
            return block;
        }
        if ((METE_CHECK_LEVEL >= 1) && !is_exhausted(heap, granules, left)) {
            return damaged(heap);
        }
        if ((config->on_refusal != NULL) && config->on_refusal(config->on_refusal_self, size)) {
            left += (left == 0U);
            block = take_close(heap, granules, left);
            if (block != NULL) {
                return block;
            }
        }
    }
    const tally_t refusals = (tally_t)heap->refusals + 1U;
    heap->refusals = (half_t)(refusals - (refusals >> HALF_BITS));  // Stays at its maximum.
    return NULL;
}

METE_DIRECT void *HEAP(alloc)(heap_t *heap, size_t size)
{
    METE_ASSERT(heap != NULL);
    const uint32_t granules = granules_for(size);
    uint32_t index = DAMAGED;
    const bool is_found =
        METE_LIKELY(size - 1U < heap->quick) && find_quick(heap, granules, &index);
    block_t *const block =
        is_found ? take(heap, index, granules) : alloc_close(heap, size, granules);
    if ((METE_CHECK_LEVEL >= 1) && ((uintptr_t)block % 2U != 0U)) {
        METE_FAULT(METE_FAULT_CORRUPT, (unsigned char *)block - 1, NULL);
        return NULL;
    }
    SETTLED(heap);
    return block;
}

// ---- free

// True if this is the address of a block in use, as its header and the next one say.
HOT bool is_live(const heap_t *heap, block_t *block)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    const uintptr_t index = index_of(heap, block);
    if (index >= heap->last) {
        return false;
    }
    // The size of a free block turns into one that reaches beyond every heap.
    const uint32_t size = header(block)->size;
    return is_bounded(heap, block, (uint32_t)index, size ^ USED, size);
}

// What is found out about a block that is to be freed, before anything is changed.
typedef struct joint {
    uint32_t bin;         // Of the block, joined with those of its neighbours that are free.
    uint32_t next, back;  // The links of the block behind, if it is free.
} joint_t;

// Looks at both neighbours of a block in use. False if one that is free is not intact.
METE_INLINE bool may_join(const heap_t *heap, block_t *block, joint_t *joint)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    uint32_t index = (uint32_t)index_of(heap, block);
    uint32_t granules = header(block)->size ^ USED;
    const uint32_t before = header(block)->before;
    block_t *const end = behind(block, granules);
    const uint32_t end_size = header(end)->size;
    if (end_size < USED) {
        if (!is_whole(heap, end, index + (granules * STEP))) {
            return false;
        }
        joint->next = end->next;
        joint->back = end->back;
        granules += end_size;
    } else if ((end_size != USED) &&
               !is_bounded(heap, end, index + (granules * STEP), end_size ^ USED, end_size)) {
        return false;
    }
    if (before < USED) {
        index -= before * STEP;
        block_t *const start = at(heap, index);
        if (((int32_t)index < FIRST) || (header(start)->size != before) ||
            !is_listed(heap, start, index)) {
            return false;
        }
        granules += before;
    } else if (before != NONE) {
        index -= (before ^ USED) * STEP;
        if (((int32_t)index < FIRST) || (header(at(heap, index))->size != before)) {
            return false;
        }
    }
    joint->bin = bin_of(granules);
    return has_head(heap, joint->bin);
}

// Frees what may_join() has looked at. Level 0 did not look, and finds out here.
HOT void join(heap_t *heap, block_t *block, const joint_t *joint)
{
    uint32_t index = (uint32_t)index_of(heap, block);
    uint32_t granules = header(block)->size ^ USED;
    const uint32_t before = header(block)->before;
    block_t *const end = behind(block, granules);
    const uint32_t end_size = header(end)->size;
    OPEN_BOOKS(heap);
    tally_t tally = books->free_tally + TALLY(granules, 1U);
    if (end_size < USED) {
        if (IS_SMALL || (METE_CHECK_LEVEL < 1)) {
            detach(books, end->next, end->back, end_size);
        } else {
            detach(books, joint->next, joint->back, end_size);
        }
        tally -= TALLY(0U, 1U);
        granules += end_size;
    }
    if (before < USED) {
        if (METE_CHECK_LEVEL >= 1) {
            header(block)->size = (half_t)granules;  // What looks free will not be freed again.
        }
        index -= before * STEP;
        block = in_front(block, before);
        detach(books, block->next, block->back, before);
        tally -= TALLY(0U, 1U);
        granules += before;
    }
    books->free_tally = tally;
    attach(books, block, index, granules, joint->bin);
    CLOSE_BOOKS(books);
}

// Frees a block. False, with nothing changed, if it is not in use or not intact.
HOT bool free_block(heap_t *heap, block_t *block)
{
    joint_t joint;  // Field by field: a whole struct may be cleared by memset(), which is libc.
    joint.bin = 0U;
    joint.next = 0U;
    joint.back = 0U;
    if (!is_live(heap, block) || !may_join(heap, block, &joint) || !unmark_start(heap, block)) {
        return false;
    }
    join(heap, block, &joint);
    return true;
}

METE_DIRECT void HEAP(free)(heap_t *heap, void *block)
{
    METE_ASSERT(heap != NULL);
    // At other levels NULL is found out with whatever else is not a block.
    if ((METE_CHECK_LEVEL < 1) && (block == NULL)) {
        return;
    }
    if (!free_block(heap, block) && (block != NULL)) {
        METE_FAULT(reason(heap, block), heap, block);
        return;
    }
    SETTLED(heap);
}

// ---- resize

typedef enum outcome { DONE, NO_ROOM, DAMAGE } outcome_t;

typedef enum part { FRONT, REST } part_t;

// Cuts a block in use in two behind so many granules and frees one part, unless that would be too
// small for a block. If it cannot be freed they are one again.
COLD outcome_t cut(heap_t *heap, block_t *block, uint32_t granules, part_t dropped)
{
    const uint32_t size = header(block)->size;
    const uint32_t rest = size - granules;  // Of a block in use, as `size` is.
    if (((dropped == FRONT) ? granules : rest ^ USED) < MIN) {
        return DONE;
    }
    block_t *const tail = behind(block, granules);
    block_t *const end = behind(block, size ^ USED);
    // The new header lies in what the caller still owns if nothing comes of it.
    const half_t tail_size = header(tail)->size;
    const half_t tail_before = header(tail)->before;
    set_size(tail, end, rest);
    set_size(block, tail, granules | USED);
    mark_start(heap, (uint32_t)index_of(heap, tail));
    if (free_block(heap, (dropped == FRONT) ? block : tail) || (METE_CHECK_LEVEL < 1)) {
        return DONE;
    }
    (void)unmark_start(heap, tail);
    header(tail)->size = tail_size;
    header(tail)->before = tail_before;
    set_size(block, end, size);
    return DAMAGE;
}

// Takes what a block in use lacks from a free block behind it.
COLD outcome_t grow(heap_t *heap, block_t *block, uint32_t wanted)
{
    const uint32_t size = header(block)->size ^ USED;
    block_t *const end = behind(block, size);
    const uint32_t end_index = (uint32_t)index_of(heap, end);
    const uint32_t end_size = header(end)->size;
    if ((METE_CHECK_LEVEL >= 1) && (end_size != USED) &&
        !is_bounded(heap, end, end_index, end_size & GRANULE_MAX, end_size)) {
        return DAMAGE;
    }
    if ((end_size >= USED) || (size + end_size < wanted)) {
        return NO_ROOM;
    }
    if (take(heap, end_index, wanted - size) != end) {
        return DAMAGE;
    }
    (void)unmark_start(heap, end);
    const uint32_t total = size + (header(end)->size ^ USED);
    set_size(block, behind(block, total), total | USED);
    return DONE;
}

// In place or not at all.
static outcome_t fit_block(heap_t *heap, block_t *block, size_t size)
{
    if (!is_live(heap, block) || !is_start(heap, block)) {
        return DAMAGE;
    }
    if (!is_size(size)) {
        return NO_ROOM;
    }
    const uint32_t wanted = granules_for(size);
    return (wanted <= (header(block)->size ^ USED)) ? cut(heap, block, wanted, REST)
                                                    : grow(heap, block, wanted);
}

METE_DIRECT bool HEAP(resize)(heap_t *heap, void *block, size_t size)
{
    METE_ASSERT(heap != NULL);
    const outcome_t outcome = (block != NULL) ? fit_block(heap, block, size) : NO_ROOM;
    if (outcome == DAMAGE) {
        METE_FAULT(reason(heap, block), heap, block);
        return false;
    }
    SETTLED(heap);
    return outcome == DONE;
}

typedef uint32_t __attribute__((may_alias)) word_t;

// Copies what a block in use holds to a larger one. For size, only a loop.
static void copy_payload(block_t *to, block_t *from)
{
    const uint32_t granules = header(from)->size ^ USED;
    if (!IS_SMALL) {
        mete_words_copy(to, from, ((size_t)granules * GRANULE) - WORD);
        return;
    }
    word_t *out = (word_t *)(void *)to;
    const word_t *in = (const word_t *)(const void *)from;
    const word_t *const end = (const word_t *)(const void *)header(behind(from, granules));
    do {
        *out++ = *in++;
        HIDE(out);  // Else this becomes a call of memcpy(), which is libc.
    } while (in != end);
}

METE_DIRECT void *HEAP(realloc)(heap_t *heap, void *block, size_t size)
{
    if (block == NULL) {
        return HEAP(alloc)(heap, size);
    }
    if (size == 0U) {
        HEAP(free)(heap, block);
        return NULL;
    }
    const outcome_t outcome = fit_block(heap, block, size);
    if (outcome == DAMAGE) {
        METE_FAULT(reason(heap, block), heap, block);
        return NULL;
    }
    if (outcome == DONE) {
        return block;
    }
    void *const moved = HEAP(alloc)(heap, size);
    if (moved != NULL) {
        copy_payload(moved, block);
        HEAP(free)(heap, block);
    }
    return moved;
}

// ---- alignment beyond a granule

// Granules from a payload to the first aligned address that leaves room for a block in between.
static uint32_t gap_to(uintptr_t address, size_t align)
{
    const size_t gap = (size_t)(0U - address) & (align - 1U);
    const bool is_too_small = (MIN > 1) && (gap != 0U) && (gap < (size_t)MIN * GRANULE);
    return (uint32_t)((is_too_small ? gap + align : gap) / GRANULE);
}

METE_DIRECT void *HEAP(alloc_aligned)(heap_t *heap, size_t size, size_t align)
{
    if (!mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, heap, NULL);
        return NULL;
    }
    if (align <= GRANULE) {
        return HEAP(alloc)(heap, size);
    }
    // More is taken than will be kept. That does not count as a peak.
    const tally_t free_tally_min = heap->free_tally_min;
    const size_t room = align - GRANULE + ((size_t)(MIN - 1) * 2U * GRANULE);
    const bool is_possible = (size != 0U) && (size <= SIZE_MAX - room);
    block_t *const block = HEAP(alloc)(heap, is_possible ? size + room : 0U);
    if (block == NULL) {
        return NULL;
    }
    const uint32_t gap = gap_to((uintptr_t)block, align);
    block_t *const aligned = behind(block, gap);
    if ((cut(heap, block, gap, FRONT) != DONE) ||
        (cut(heap, aligned, granules_for(size), REST) != DONE)) {
        METE_FAULT(METE_FAULT_CORRUPT, heap, block);
        return NULL;
    }
    const tally_t tally = heap->free_tally;
    heap->free_tally_min = (tally < free_tally_min) ? tally : free_tally_min;
    SETTLED(heap);
    return aligned;
}

// ---- init and add

// Makes everything from index `first` to index `end` one free block.
static void open_region(heap_t *heap, uint32_t first, uint32_t end)
{
    block_t *const block = at(heap, first);
    const uint32_t granules = (end - first) / STEP;
    header(block)->before = NONE;
    header(at(heap, end))->size = (half_t)USED;
    OPEN_BOOKS(heap);
    books->free_tally += TALLY(granules, 1U);
    heap->free_tally_min += TALLY(granules, 0U);
    attach(books, block, first, granules, bin_of(granules));
    CLOSE_BOOKS(books);
}

// The end of a region whose first block is known and which reaches up to `stop`. 0 if it has no room
// for a block, or reaches beyond the window or the start map.
static uint32_t end_for(const heap_t *heap, const mete_heap_config_t *config, uintptr_t first,
                        uintptr_t stop)
{
    // Below the heap, or wrapped around, is far beyond a narrow window. A wide one may be as large as
    // the address space.
    const bool is_above = (WORD == 4) || (stop > (uintptr_t)heap);
    const uintptr_t words = (stop - (uintptr_t)heap) / WORD;
    const uintptr_t end = first + ((words - first) / STEP * STEP);
    const bool is_mapped = (METE_CHECK_LEVEL < 1) || (config->starts == NULL) ||
                           (end / STEP / 32U < config->starts_count);
    const bool has_room = (end <= INDEX_MAX) && (end >= first + ((uintptr_t)MIN * STEP));
    return (is_above && has_room && is_mapped) ? (uint32_t)end : 0U;
}

heap_t *HEAP(init)(const mete_heap_config_t *config)
{
    METE_ASSERT(config != NULL);
    heap_t *const heap =
        (heap_t *)(mete_align_up((uintptr_t)config->storage.start, GRANULE) + LEAD);
    const uint32_t end =
        end_for(heap, config, FIRST, (uintptr_t)config->storage.start + config->storage.size);
    if ((config->storage.start == NULL) || (end == 0U)) {
        return NULL;
    }
    uint32_t bin = BIN_COUNT;
    do {  // The last is not a bin, but the map: it becomes empty.
        bin--;
        HIDE(bin);
        at(heap, bin)->next = (half_t)bin;
        HIDE(bin);
        at(heap, bin)->back = (half_t)bin;
    } while (bin != 0U);
    if (METE_CHECK_LEVEL >= 1) {
        header(at(heap, 0U))->size = 0U;  // Not a block in use.
    }
    heap->last = (half_t)end;
    heap->next = 0U;
    heap->quick = (config->search == 0U) ? SIZE_LIMIT : 0U;
    heap->end = (half_t)end;
    heap->free_tally = 0U;
    heap->free_squares = 0U;
    heap->free_tally_min = 0U;
    heap->refusals = 0U;
    heap->starts = config->starts;
    heap->config = config;
    for (size_t i = 0U;
         (config->starts != NULL) && (METE_CHECK_LEVEL >= 1) && (i < config->starts_count); i++) {
        HIDE(i);  // Else this becomes a call of memset(), which is libc.
        config->starts[i] = 0U;
    }
    open_region(heap, FIRST, end);
    return heap;
}

bool HEAP(add)(heap_t *heap, mete_span_t region)
{
    METE_ASSERT(heap != NULL);
    // Two words in front of the first payload: what describes the region, and a header.
    const uintptr_t start = mete_align_up((uintptr_t)region.start + ((uintptr_t)2 * WORD), GRANULE);
    const uintptr_t first = (start - (uintptr_t)heap) / WORD;
    const uint32_t end = end_for(heap, heap->config, first, (uintptr_t)region.start + region.size);
    region_t front = first_region(heap);
    for (region_t r = front; (r.first != 0U) && (r.first < first); r = next_region(heap, r)) {
        front = r;
    }
    if (((uintptr_t)region.start < (uintptr_t)heap) || (end == 0U) || (first < front.end + 2U) ||
        ((front.next != 0U) && (end > front.next))) {
        return false;
    }
    const uint32_t description = (uint32_t)first - 2U;
    at(heap, description)->next = (half_t)end;
    at(heap, description)->back = (half_t)front.next;
    if (front.first == FIRST) {
        heap->next = (half_t)description;
    } else {
        at(heap, front.first - 2U)->back = (half_t)description;
    }
    heap->last = (half_t)((end > heap->last) ? end : heap->last);
    open_region(heap, (uint32_t)first, end);
    SETTLED(heap);
    return true;
}

// ---- Questions

bool HEAP(owns)(const heap_t *heap, const void *address)
{
    METE_ASSERT(heap != NULL);
    const uintptr_t index = ((uintptr_t)address - (uintptr_t)heap) / WORD;
    for (region_t r = first_region(heap); r.first != 0U; r = next_region(heap, r)) {
        if ((index >= r.first) && (index < r.end)) {
            return true;
        }
    }
    return false;
}

size_t HEAP(size_of)(const heap_t *heap, const void *block)
{
    METE_ASSERT((heap != NULL) && (block != NULL));
    (void)heap;
    const header_t *const described = (const header_t *)block - 1;
    return ((size_t)(described->size & GRANULE_MAX) * GRANULE) - WORD;
}

mete_heap_usage_t HEAP(usage)(const heap_t *heap)
{
    METE_ASSERT(heap != NULL);
    size_t total = 0U;
    for (region_t r = first_region(heap); r.first != 0U; r = next_region(heap, r)) {
        total += (r.end - r.first) / STEP;
    }
    const tally_t free = heap->free_tally >> HALF_BITS;
    const tally_t free_min = heap->free_tally_min >> HALF_BITS;
    return (mete_heap_usage_t){
        .total_size = total * GRANULE,
        .in_use_size = (total - (size_t)free) * GRANULE,
        .in_use_peak = (total - (size_t)free_min) * GRANULE,
        .free_count = (half_t)heap->free_tally,
        .refusals = heap->refusals,
        .frag = mete_frag_of(free, heap->free_squares),
    };
}

// What the headers of all blocks say, counted.
typedef struct census {
    tally_t tally;
    squares_t squares;
    bool is_sound;
} census_t;

static void count_region(const heap_t *heap, region_t region, census_t *census)
{
    uint32_t before = NONE;
    uint32_t index = region.first;
    while ((index != 0U) && (index < region.end)) {
        const uint32_t size = header(at(heap, index))->size;
        const bool is_free = size < USED;
        census->is_sound = census->is_sound && (header(at(heap, index))->before == before) &&
                           (!is_free || (before >= USED)) &&
                           (is_free || is_start(heap, at(heap, index)));
        census->tally += is_free ? TALLY(size, 1U) : 0U;
        census->squares += is_free ? (squares_t)size * size : 0U;
        before = size;
        index = index_behind(heap, region, index);
    }
    census->is_sound = census->is_sound && (index == region.end) &&
                       (header(at(heap, region.end))->size == USED) &&
                       (header(at(heap, region.end))->before == before);
}

static void take_census(const heap_t *heap, census_t *census)
{
    census->tally = 0U;
    census->squares = 0U;
    census->is_sound = true;
    for (region_t r = first_region(heap); r.first != 0U; r = next_region(heap, r)) {
        count_region(heap, r, census);
    }
}

// Blocks in the list of a bin, or `count_max` + 1 if something in it is wrong.
static uint32_t count_listed(const heap_t *heap, uint32_t bin, uint32_t count_max)
{
    uint32_t count = 0U;
    uint32_t back = bin;
    uint32_t index = at(heap, bin)->next;
    for (; (index != bin) && (count <= count_max); count++) {
        block_t *const block = at(heap, index);
        if ((index < FIRST) || (index >= heap->last) || (block->back != back) ||
            (header(block)->size >= USED) || (bin_of(header(block)->size) != bin)) {
            return count_max + 1U;
        }
        back = index;
        index = block->next;
    }
    const bool is_marked = (heap->map & bit_of(bin)) != 0U;
    return ((at(heap, bin)->back == back) && (is_marked == (count != 0U))) ? count : count_max + 1U;
}

bool HEAP(check)(const heap_t *heap)
{
    METE_ASSERT(heap != NULL);
    census_t census;
    take_census(heap, &census);
    const uint32_t free_count = (half_t)census.tally;
    uint32_t listed_count = 0U;
    for (uint32_t bin = 1U; (bin < BIN_COUNT) && (listed_count <= free_count); bin++) {
        listed_count += count_listed(heap, bin, free_count);
    }
    return census.is_sound && (listed_count == free_count) && (census.tally == heap->free_tally) &&
           (census.squares == heap->free_squares) && (heap->free_tally_min <= heap->free_tally);
}

// ---- Why an address was refused

typedef struct search_for {
    uintptr_t address;
    mete_heap_block_t block;  // In whose header or payload the address lies; block NULL: in none.
} search_for_t;

static bool is_elsewhere(void *self, const mete_heap_block_t *block)
{
    search_for_t *const wanted = self;
    const bool is_here = wanted->address - ((uintptr_t)block->block - WORD) < block->size + WORD;
    if (is_here) {
        wanted->block.block = block->block;
        wanted->block.is_live = block->is_live;
    }
    return !is_here;
}

static mete_fault_t reason(const heap_t *heap, const void *address)
{
    if (!HEAP(owns)(heap, address)) {
        return METE_FAULT_FOREIGN;
    }
    census_t census;
    take_census(heap, &census);
    if (!census.is_sound) {
        return METE_FAULT_CORRUPT;
    }
    search_for_t wanted;
    wanted.address = (uintptr_t)address;
    wanted.block.block = NULL;
    wanted.block.is_live = true;
    (void)HEAP(walk)(heap, is_elsewhere, &wanted);
    if (!wanted.block.is_live) {
        return METE_FAULT_DOUBLE_FREE;
    }
    return (wanted.block.block == address) ? METE_FAULT_CORRUPT : METE_FAULT_FOREIGN;
}

// ---- The view

static void *acquire(void *self, size_t size, size_t align)
{
    return (align <= GRANULE) ? HEAP(alloc)(self, size) : HEAP(alloc_aligned)(self, size, align);
}

// True if a block in use was acquired as the caller says. One that is not in use passes: what is
// wrong with it is for free and resize to say.
static bool is_as_named(const heap_t *heap, block_t *block, size_t size, size_t align)
{
    return (METE_CHECK_LEVEL < 1) || !is_live(heap, block) ||
           (is_size(size) && ((header(block)->size ^ USED) - granules_for(size) < MIN) &&
            mete_align_fits((uintptr_t)block, align));
}

static void release(void *self, void *block, size_t size, size_t align)
{
    if (!is_as_named(self, block, size, align)) {
        METE_FAULT(METE_FAULT_SIZE, self, block);
        return;
    }
    HEAP(free)(self, block);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    if (!is_as_named(self, block, old_size, align)) {
        METE_FAULT(METE_FAULT_SIZE, self, block);
        return false;
    }
    return HEAP(resize)(self, block, new_size);
}

static bool owns(const void *self, const void *address)
{
    return HEAP(owns)(self, address);
}

static size_t size_of(const void *self, const void *block)
{
    return HEAP(size_of)(self, block);
}

mete_alloc_t HEAP(as_alloc)(heap_t *heap)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, size_of};
    return (mete_alloc_t){.ops = &ops, .self = heap};
}
