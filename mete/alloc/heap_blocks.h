// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEAP_BLOCKS_H
#define METE_HEAP_BLOCKS_H

// A part of heap.c: what a block is, when a header or a link can be trusted, and the lists of free blocks.
//
// Each header says its block's size and its predecessor's, each with a used flag. So every boundary
// is described twice, by the blocks on its two sides: one compare tells whether a header can be
// trusted before it is followed, freeing finds both neighbours without a footer, and a block can be
// freed twice only if both descriptions say that it is in use.
//
// A block is named by the index of its payload: its distance from the heap in words. Its header is the
// word in front. A free block begins with its links, two such indices. The lists are circular through
// sentinels at the start of the heap, whose indices are the numbers of their bins.
//
// heap_wide.c compiles this with wider fields; what differs is in the block below.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.h"
#define HEAP(name) mete_heap_##name
typedef mete_heap_t heap_t;
typedef uint16_t half_t;   // A size with its used flag, or an index.
typedef uint32_t map_t;    // One bit a bin, bin 0 highest.
typedef uint32_t slack_t;  // Granules in the upper half, blocks in the lower.
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
    SMALL = 8,              // Blocks of fewer granules are cut from the end of what a search found.
    // Bytes left in front of the heap, so that what stands there for a header of index 0 can be read.
    LEAD = (__alignof__(heap_t) > WORD) ? GRANULE : WORD,
    // The first payload: aligned to 8, with room for a header behind the heap.
    FIRST = ((LEAD + (int)sizeof(heap_t) + WORD + GRANULE - 1) / GRANULE * GRANULE - LEAD) / WORD,
    HALF_BITS = 8 * (int)sizeof(half_t),
};
#define USED                    ((uint32_t)1 << (HALF_BITS - 1))
#define GRANULE_MAX             (USED - 1U)
#define NONE                    ((half_t)-1)  // `before` of a first block: no size, not even a damaged one.
#define INDEX_MAX               ((STEP * GRANULE_MAX) + 1U)
#define SLACK(granules, blocks) (((slack_t)(granules) << HALF_BITS) + (slack_t)(blocks))

// Bit 0 of the map, that of the bin that is not used, makes the number of its bits even.
#define PARITY ((METE_CHECK_LEVEL < 1) ? (map_t)0 : bit_of(0U))

#define COLD static __attribute__((noinline))

// The larger pieces that several functions are made of: inlined for speed, shared for size. SLOW ones
// are kept out of what is inlined for speed.
//
// The books are what alloc and free change again and again. For speed they are copied, so that they
// can stay in registers while blocks are written to; for size they are the heap itself. The asm, which
// is empty, has two of them loaded together, which is one instruction.
#ifdef __OPTIMIZE_SIZE__
enum { IS_SMALL = 1 };
#define HOT  static
#define SLOW static
typedef heap_t books_t;
#define HEAP_OF(books)     (books)
#define OPEN_BOOKS(heap)   books_t *const books = (heap)
#define CLOSE_BOOKS(books) ((void)0)
#else
enum { IS_SMALL = 0 };
#define HOT            METE_INLINE
#define SLOW           COLD
typedef struct books {
    heap_t *heap;
    map_t map;
    slack_t slack;
    squares_t free_squares;
} books_t;
#define HEAP_OF(books) ((books)->heap)
#define OPEN_BOOKS(heap) \
    books_t opened = {(heap), (heap)->map, (heap)->slack, (heap)->free_squares}; \
    __asm__ volatile("" : : "r"(opened.slack), "r"(opened.free_squares)); \
    books_t *const books = &opened
#define CLOSE_BOOKS(books) \
    ((books)->heap->slack = (books)->slack, (books)->heap->free_squares = (books)->free_squares, \
     (books)->heap->map = (books)->map, (void)0)
#endif

typedef struct __attribute__((may_alias)) {
    half_t size;    // In granules; USED is set while the block is in use.
    half_t before;  // `size` of the block in front; NONE if there is none.
} header_t;

// A payload, as far as the heap looks into it: that of a free block, or a sentinel.
typedef struct __attribute__((may_alias)) block {
    half_t next, back;
} block_t;
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

// At level 1 alloc and free look at all that they will need before they change anything.
#define HAS_LOOKED (!IS_SMALL && (METE_CHECK_LEVEL >= 1))

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
    block = IS_SMALL ? at(heap, index) : block;  // Shorter than to pass it.
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

// A free block ends where it says, and is in a list. (That of a block in use, taken for one, would end
// beyond every heap.)
HOT bool is_whole(const heap_t *heap, block_t *block, uint32_t index)
{
    block = IS_SMALL ? at(heap, index) : block;
    const uint32_t size = header(block)->size;
    return is_bounded(heap, block, index, size, size) && is_listed(heap, block, index);
}

// So does a block in use, and the end of a region.
HOT bool is_sound(const heap_t *heap, block_t *block, uint32_t index)
{
    const uint32_t size = header(block)->size;
    if (size < USED) {
        return is_whole(heap, block, index);
    }
    return (size == USED) || is_bounded(heap, block, index, size ^ USED, size);
}

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

// Makes a free block of so many granules and puts it first in the list of its bin.
HOT void attach(books_t *books, block_t *block, uint32_t index, uint32_t size, uint32_t bin)
{
    const heap_t *const heap = HEAP_OF(books);
    if (IS_SMALL) {
        index = (uint32_t)index_of(heap, block);  // Shorter than to pass it.
    }
    bin = IS_SMALL ? bin_of(size) : bin;
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

#endif
