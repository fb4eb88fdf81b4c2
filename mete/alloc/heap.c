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
    LEAD = (_Alignof(heap_t) > WORD) ? GRANULE : WORD,
    // The first payload: aligned to 8, with room for a header behind the heap.
    FIRST = ((LEAD + (int)sizeof(heap_t) + WORD + GRANULE - 1) / GRANULE * GRANULE - LEAD) / WORD,
    HALF_BITS = 8 * (int)sizeof(half_t),
};
#define USED                    ((uint32_t)1 << (HALF_BITS - 1))
#define GRANULE_MAX             (USED - 1U)
#define NONE                    ((half_t)-1)  // `before` of a first block: no size, not even a damaged one.
#define INDEX_MAX               ((STEP * GRANULE_MAX) + 1U)
#define SLACK(granules, blocks) (((slack_t)(granules) << HALF_BITS) + (slack_t)(blocks))

// Level 3: the whole heap is checked after every operation.
#if METE_CHECK_LEVEL >= 3
#define SETTLED(heap) METE_ASSERT(HEAP(check)(heap))
#else
#define SETTLED(heap) ((void)0)
#endif

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
    if ((index < region.end) || (index >= heap->last)) {
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

// ---- alloc

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

// What is returned for DAMAGED: an odd address that still tells the heap's.
METE_INLINE block_t *damaged(const heap_t *heap)
{
    return (block_t *)((uintptr_t)heap + 1U);
}

// True if so little is nothing, or if the list that it is to be put into can be entered.
HOT bool may_leave(const heap_t *heap, uint32_t granules)
{
    return (METE_CHECK_LEVEL < 1) || (granules < MIN) || has_head(heap, bin_of(granules));
}

// True if what was found is a free block, behind `back` in its list, and intact.
METE_INLINE bool is_found(const heap_t *heap, uint32_t index, uint32_t back, uint32_t size)
{
    block_t *const block = at(heap, index);
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    if (IS_SMALL) {
        return (index >= FIRST) && is_whole(heap, block, index);
    }
    return (index >= FIRST) && is_bounded(heap, block, index, size, size) &&
           has_next(heap, block, index) && (block->back == back);
}

// Hands out the first granules of memory that is in no list, though the books count it as a free block.
// Keeps the rest.
HOT block_t *hand_out(books_t *books, block_t *block, uint32_t index, uint32_t total,
                      uint32_t granules)
{
    heap_t *const heap = HEAP_OF(books);
    const uint32_t rest = total - granules;
    slack_t slack = books->slack;
    block_t *tail = behind(block, granules);
    HIDE(tail);
    if (METE_LIKELY(rest >= 8U) || (rest >= MIN)) {
        attach(books, tail, index + (granules * STEP), rest, bin_of(rest));
    } else {
        slack -= SLACK(0U, 1U);
        granules = total;
        tail = behind(block, granules);
    }
    slack -= SLACK(granules, 0U);
    if (!METE_LIKELY(slack < SLACK(USED, 0U))) {  // Below 0: never was so little free.
        heap->free_min = (half_t)(heap->free_min + (slack >> HALF_BITS));
        slack = (half_t)slack;
    }
    books->slack = slack;
    CLOSE_BOOKS(books);
    set_size(block, tail, granules | USED);
    if (block == NULL) {
        __builtin_unreachable();  // So that nobody asks again.
    }
    return block;
}

// Hands out so many granules of what was found, behind a gap that stays free as well, if all that will
// be written to is intact.
METE_INLINE block_t *take_behind(heap_t *heap, uint32_t index, uint32_t gap, uint32_t granules,
                                 uint32_t back)
{
    block_t *block = at(heap, index);
    const uint32_t size = header(block)->size;
    if (!is_found(heap, index, back, size) || !may_leave(heap, gap) ||
        !may_leave(heap, size - gap - granules)) {
        return damaged(heap);
    }
    HIDE_FAST(block);
    HIDE_FAST(back);
    OPEN_BOOKS(heap);
    detach(books, block->next, IS_SMALL ? block->back : back, size);
    if (gap != 0U) {
        attach(books, block, index, gap, bin_of(gap));
        books->slack += SLACK(0U, 1U);
        block = behind(block, gap);
        index += gap * STEP;
    }
    return hand_out(books, block, index, size - gap, granules);
}

// For speed, compiled for no gap and for any.
HOT block_t *take(heap_t *heap, uint32_t index, uint32_t gap, uint32_t granules, uint32_t back)
{
    return (!IS_SMALL && (gap == 0U)) ? take_behind(heap, index, 0U, granules, back)
                                      : take_behind(heap, index, gap, granules, back);
}

// Bytes to spare for an alignment beyond a granule.
METE_INLINE size_t room_for(size_t align)
{
    return align - GRANULE + ((size_t)(MIN - 1) * 2U * GRANULE);
}

// Granules from a payload to the first aligned address that leaves room for a block in between.
METE_INLINE uint32_t gap_to(const block_t *block, size_t align)
{
    const size_t gap = (size_t)(0U - (uintptr_t)block) & (align - 1U);
    const bool is_too_small = (MIN > 1) && (gap != 0U) && (gap < (size_t)MIN * GRANULE);
    return (uint32_t)((is_too_small ? gap + align : gap) / GRANULE);
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

// When nothing was found. The program is asked once to free something; NOTHING if that did not help.
HOT uint32_t find_again(heap_t *heap, size_t size)
{
    const mete_heap_config_t *const config = heap->config;
    if (is_size(size)) {
        if ((METE_CHECK_LEVEL >= 1) && !is_exhausted(heap, granules_for(size), config->search)) {
            return DAMAGED;
        }
        if ((config->on_refusal != NULL) && config->on_refusal(config->on_refusal_self, size)) {
            uint32_t back = 0U;
            const uint32_t index = find(heap, size, &back);
            if (index != NOTHING) {
                return is_listed(heap, at(heap, index), index) ? index : DAMAGED;
            }
        }
    }
    heap->refusals++;
    return NOTHING;
}

// What alloc leaves free in front of a small block, if there was a search: all that the block found has
// too much. So the large and the small do not get mixed, and what is left can more often be joined again.
METE_INLINE uint32_t gap_for(const heap_t *heap, uint32_t index, uint32_t granules)
{
    const uint32_t over = header(at(heap, index))->size - granules;
    return ((granules < SMALL) && (over >= MIN) && (heap->config->search != 0U)) ? over : 0U;
}

HOT block_t *take_found(heap_t *heap, uint32_t index, size_t size, uint32_t back)
{
    const uint32_t granules = granules_for(size);
    return take(heap, index, gap_for(heap, index, granules), granules, back);
}

// What was found or, if that is nothing, will be found after all.
SLOW block_t *take_any(heap_t *heap, uint32_t index, size_t size)
{
    if (index == NOTHING) {
        index = find_again(heap, size);
    }
    return (index != NOTHING) ? take_found(heap, index, size, at(heap, index)->back) : NULL;
}

// For speed, each way to find a block has its own way on.
METE_INLINE block_t *allocate(heap_t *heap, size_t size)
{
    uint32_t index = DAMAGED;
    uint32_t back = 0U;
    if (!IS_SMALL && METE_LIKELY(size - 1U < heap->quick)) {
        const uint32_t granules = granules_for(size);
        if (find_quick(heap, granules, &index, &back)) {
            return take(heap, index, 0U, granules, back);
        }
    } else if (!IS_SMALL && is_size(size)) {
        if (heap->config->search == 0U) {
            __builtin_unreachable();  // Else `quick` had been beyond the size.
        }
        index = find(heap, size, &back);
        if (index != NOTHING) {
            return take_found(heap, index, size, back);
        }
    } else if (IS_SMALL) {
        index = find(heap, size, &back);
    }
    return take_any(heap, IS_SMALL ? index : NOTHING, size);
}

METE_DIRECT void *HEAP(alloc)(heap_t *heap, size_t size)
{
    METE_ASSERT(heap != NULL);
    block_t *const block = allocate(heap, size);
    if ((METE_CHECK_LEVEL >= 1) && ((uintptr_t)block % 2U != 0U)) {
        METE_FAULT(METE_FAULT_CORRUPT, heap, NULL);
        return NULL;
    }
    SETTLED(heap);
    return block;
}

METE_DIRECT void *HEAP(alloc_aligned)(heap_t *heap, size_t size, size_t align)
{
    METE_ASSERT(heap != NULL);
    if (!mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, heap, NULL);
        return NULL;
    }
    if (align <= GRANULE) {
        return HEAP(alloc)(heap, size);
    }
    const size_t room = room_for(align);
    const size_t wanted = ((size != 0U) && (size <= SIZE_MAX - room)) ? size + room : 0U;
    uint32_t back = 0U;
    uint32_t index = find(heap, wanted, &back);
    if (index == NOTHING) {
        index = find_again(heap, wanted);
        if (index == NOTHING) {
            return NULL;
        }
        back = at(heap, index)->back;
    }
    block_t *const block =
        take(heap, index, gap_to(at(heap, index), align), granules_for(size), back);
    if ((METE_CHECK_LEVEL >= 1) && ((uintptr_t)block % 2U != 0U)) {
        METE_FAULT(METE_FAULT_CORRUPT, heap, NULL);
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

// What a look at both neighbours found out, which need not be found out again: of the block joined with
// those of its neighbours that are free, where it begins, how large it is, and its bin.
typedef struct joint {
    uint32_t index, granules, bin;
    uint32_t next, back;  // The links of the neighbour behind, if it is free.
} joint_t;

// Looks at both neighbours of what is to become a free block of so many granules, whose predecessor's
// size is `before`. False if one is not intact, or the list that it will be put into cannot be entered.
HOT bool may_join(const heap_t *heap, block_t *block, uint32_t granules, uint32_t before,
                  joint_t *joint)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    uint32_t index = (uint32_t)index_of(heap, block);
    block_t *const end = behind(block, granules);
    const uint32_t end_size = header(end)->size;
    if (!is_sound(heap, end, index + (granules * STEP))) {
        return false;
    }
    if (end_size < USED) {
        granules += end_size;
        if (HAS_LOOKED) {
            joint->next = end->next;
            joint->back = end->back;
        }
    }
    if (before < USED) {
        index -= before * STEP;
        if (((int32_t)index < FIRST) || (header(at(heap, index))->size != before) ||
            !is_listed(heap, at(heap, index), index)) {
            return false;
        }
        granules += before;
    } else if (before != NONE) {
        const uint32_t front = index - ((before ^ USED) * STEP);
        if (((int32_t)front < FIRST) || (header(at(heap, front))->size != before)) {
            return false;
        }
    }
    const uint32_t bin = bin_of(granules);
    if (HAS_LOOKED) {
        joint->index = index;
        joint->granules = granules;
        joint->bin = bin;
    }
    return has_head(heap, bin);
}

// Frees a block in use, joined with its neighbours if they are free. At level 1 may_join() has looked.
HOT void join(heap_t *heap, block_t *block, const joint_t *joint)
{
    uint32_t granules = header(block)->size ^ USED;
    const uint32_t before = header(block)->before;
    block_t *const end = behind(block, granules);
    const uint32_t end_size = header(end)->size;
    OPEN_BOOKS(heap);
    slack_t slack = books->slack + SLACK(granules, 1U);
    if (end_size < USED) {
        detach(books, HAS_LOOKED ? joint->next : end->next, HAS_LOOKED ? joint->back : end->back,
               end_size);
        slack -= SLACK(0U, 1U);
        granules += end_size;
    }
    if (before < USED) {
        if (METE_CHECK_LEVEL >= 1) {
            header(block)->size = (half_t)granules;  // What looks free will not be freed again.
        }
        block = in_front(block, before);
        detach(books, block->next, block->back, before);
        slack -= SLACK(0U, 1U);
        granules += before;
    }
    books->slack = slack;
    (void)granules;  // Where may_join() has looked, it has added up.
    const uint32_t total = HAS_LOOKED ? joint->granules : granules;
    attach(books, block, HAS_LOOKED ? joint->index : (uint32_t)index_of(heap, block), total,
           HAS_LOOKED ? joint->bin : bin_of(total));
    CLOSE_BOOKS(books);
}

METE_DIRECT void HEAP(free)(heap_t *heap, void *block)
{
    METE_ASSERT(heap != NULL);
    // At other levels NULL is found out with whatever else is not a block.
    if ((METE_CHECK_LEVEL < 1) && (block == NULL)) {
        return;
    }
    joint_t joint;
    joint.next = 0U;
    joint.back = 0U;
    if (is_live(heap, block) &&
        may_join(heap, block, header(block)->size ^ USED, header(block)->before, &joint)) {
        join(heap, block, &joint);
    } else if (block != NULL) {
        METE_FAULT(reason(heap, block), heap, block);
        return;
    }
    SETTLED(heap);
}

// ---- resize

typedef enum outcome { DONE, NO_ROOM, DAMAGE } outcome_t;

// Changes the size of a block in place: joins it with the block behind, if that is free, and keeps what is
// wanted of both.
static outcome_t refit(heap_t *heap, block_t *block, size_t size)
{
    if (!is_live(heap, block)) {
        return DAMAGE;
    }
    if (!is_size(size)) {
        return NO_ROOM;
    }
    const uint32_t granules = granules_for(size);
    const uint32_t old = header(block)->size ^ USED;
    block_t *const end = behind(block, old);
    const uint32_t end_size = header(end)->size;
    const uint32_t total = (end_size < USED) ? old + end_size : old;
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(heap, end, (uint32_t)index_of(heap, end))) {
        return DAMAGE;
    }
    if (granules > total) {
        return NO_ROOM;
    }
    if (!may_leave(heap, total - granules)) {
        return DAMAGE;
    }
    OPEN_BOOKS(heap);
    books->slack += SLACK(old, 0U);
    if (end_size < USED) {
        detach(books, end->next, end->back, end_size);
    } else {
        books->slack += SLACK(0U, 1U);
    }
    (void)hand_out(books, block, (uint32_t)index_of(heap, block), total, granules);
    return DONE;
}

METE_DIRECT bool HEAP(resize)(heap_t *heap, void *block, size_t size)
{
    METE_ASSERT(heap != NULL);
    const outcome_t outcome = (block != NULL) ? refit(heap, block, size) : NO_ROOM;
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
    const outcome_t outcome = refit(heap, block, size);
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

// ---- init and add

// Makes everything from index `first` to index `end` one free block.
static void open_region(heap_t *heap, uint32_t first, uint32_t end)
{
    block_t *const block = at(heap, first);
    const uint32_t granules = (end - first) / STEP;
    header(block)->before = NONE;
    header(at(heap, end))->size = (half_t)USED;
    OPEN_BOOKS(heap);
    books->slack += SLACK(0U, 1U);
    heap->free_min = (half_t)(heap->free_min + granules);
    attach(books, block, first, granules, bin_of(granules));
    CLOSE_BOOKS(books);
}

// The end of a region whose first block is known and which reaches up to `stop`. 0 if it has no room
// for a block, or reaches beyond the window.
static uint32_t end_for(const heap_t *heap, uintptr_t first, uintptr_t stop)
{
    const bool is_above = stop > (uintptr_t)heap;  // Else it wrapped around.
    const uintptr_t words = (stop - (uintptr_t)heap) / WORD;
    const uintptr_t end = first + ((words - first) / STEP * STEP);
    const bool has_room = (end <= INDEX_MAX) && (end >= first + ((uintptr_t)MIN * STEP));
    return (is_above && has_room) ? (uint32_t)end : 0U;
}

heap_t *HEAP(init)(const mete_heap_config_t *config)
{
    METE_ASSERT(config != NULL);
    heap_t *const heap =
        (heap_t *)(mete_align_up((uintptr_t)config->storage.start, GRANULE) + LEAD);
    const uint32_t end =
        end_for(heap, FIRST, (uintptr_t)config->storage.start + config->storage.size);
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
    if (!IS_SMALL) {
        heap->quick = (config->search == 0U) ? SIZE_LIMIT : 0U;
    }
    heap->end = (half_t)end;
    heap->next = 0U;
    heap->free_min = 0U;
    heap->refusals = 0U;
    heap->free_squares = 0U;
    heap->slack = 0U;
    heap->config = config;
    open_region(heap, FIRST, end);
    return heap;
}

bool HEAP(add)(heap_t *heap, mete_span_t region)
{
    METE_ASSERT(heap != NULL);
    // Two words in front of the first payload: what describes the region, and a header.
    const uintptr_t start = mete_align_up((uintptr_t)region.start + ((uintptr_t)2 * WORD), GRANULE);
    const uintptr_t first = (start - (uintptr_t)heap) / WORD;
    const uint32_t end = end_for(heap, first, (uintptr_t)region.start + region.size);
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
    const size_t free_min = heap->free_min;
    const size_t free = free_min + (size_t)(heap->slack >> HALF_BITS);
    return (mete_heap_usage_t){
        .total_size = total * GRANULE,
        .in_use_size = (total - free) * GRANULE,
        .in_use_peak = (total - free_min) * GRANULE,
        .free_count = (half_t)heap->slack,
        .refusals = heap->refusals,
        .frag = mete_frag_of(free, heap->free_squares),
    };
}

// What the headers of all blocks say, counted.
typedef struct census {
    slack_t slack;
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
                           (!is_free || (before >= USED));
        census->slack += is_free ? SLACK(size, 1U) : 0U;
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
    census->slack = 0U;
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
    const uint32_t free_count = (half_t)census.slack;
    uint32_t listed_count = 0U;
    for (uint32_t bin = 1U; (bin < BIN_COUNT) && (listed_count <= free_count); bin++) {
        listed_count += count_listed(heap, bin, free_count);
    }
    return census.is_sound && (listed_count == free_count) &&
           (census.slack == heap->slack + SLACK(heap->free_min, 0U)) &&
           (census.squares == heap->free_squares) && (heap->slack < SLACK(USED, 0U));
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
