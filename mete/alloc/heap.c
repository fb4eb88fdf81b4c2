// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Each header says its block's size and its predecessor's, each with a used flag. So every boundary
// is described twice, by the blocks on its two sides: one compare tells whether a header can be
// trusted before it is followed, freeing finds both neighbours without a footer, and a block can be
// freed twice only if both descriptions say that it is in use.
//
// A block is named by the index of its header: its distance from the heap in words. A free block
// carries its links, two such indices, in its first payload word. The lists are circular through a
// sentinel in the heap. All of it is checked before any of it is changed.
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
enum {
    WORD = 4,        // Bytes from one index to the next: a header.
    MIN = 1,         // Granules of the smallest block: a header and a word of links.
    BIN_COUNT = 32,  // Bin 0 is not used.
};
#define first_bin(map) mete_bits_clz(map)
#endif

#include "mete/core/bitmap.h"
#include "mete/core/bits.h"

enum {
    GRANULE = 8,
    STEP = GRANULE / WORD,  // Words in a granule.
    // The first header: behind the heap, so placed that its payload, a word on, is aligned to 8.
    FIRST = (((int)sizeof(heap_t) + WORD + GRANULE - 1) / GRANULE * GRANULE) / WORD - 1,
    HALF_BITS = 8 * (int)sizeof(half_t),
};
#define USED                    ((uint32_t)1 << (HALF_BITS - 1))
#define GRANULE_MAX             (USED - 1U)
#define INDEX_MAX               ((STEP * GRANULE_MAX) + 1U)  // Of an end header.
#define SEARCH_MAX              255U
#define TALLY(granules, blocks) (((tally_t)(granules) << HALF_BITS) + (tally_t)(blocks))

// Level 3: the whole heap is checked after every operation.
#if METE_CHECK_LEVEL >= 3
#define SETTLED(heap) METE_ASSERT(HEAP(check)(heap))
#else
#define SETTLED(heap) ((void)0)
#endif

// What alloc and free are made of: inlined for speed, shared for size.
#ifdef __OPTIMIZE_SIZE__
#define HOT static inline
#else
#define HOT METE_INLINE
#endif
#define COLD static __attribute__((noinline))

typedef struct __attribute__((may_alias)) block {
    half_t size;        // In granules; USED is set while the block is in use.
    half_t before;      // `size` of the block in front; USED alone if there is none.
    half_t next, back;  // Of a free block: its neighbours in the list.
} block_t;
_Static_assert(sizeof(block_t) == 2U * WORD, "links follow the header in the next word");
_Static_assert(offsetof(heap_t, bins) == 2U * WORD,
               "bin 1 is a block at index 1 but for its header");
_Static_assert(sizeof(half_t) * 2U == WORD, "a header is one word");

HOT block_t *at(const heap_t *heap, uint32_t index)
{
    return (block_t *)((uintptr_t)heap + ((uintptr_t)index * WORD));
}

// The header of the block that begins so many granules further on.
HOT block_t *behind(const block_t *block, uint32_t granules)
{
    return (block_t *)((uintptr_t)block + ((uintptr_t)granules * GRANULE));
}

HOT void *payload_of(block_t *block)
{
    return (unsigned char *)block + WORD;
}

// Hides from the compiler how a value came about. It would otherwise share what costs nothing to do
// twice: the conversion to 16 bits that a store does anyway, the address that is a base and an index.
#define HIDE(value) __asm__("" : "+r"(value))

// Granules of a block for `size` bytes and its header. No size wraps around: 0, being one less than
// the smallest, and SIZE_MAX ask for more than any heap has.
HOT size_t granules_for(size_t size)
{
    const size_t quarters = ((size - 1U) / 4U) + ((WORD + GRANULE) / 4U);
    return quarters / (GRANULE / 4U);
}

// Bins: 1 ... 7 hold blocks of just so many granules, then two bins an octave. The formula counts
// octaves from the top and adds the second-highest bit of the size.
HOT uint32_t bin_of(uint32_t granules)
{
    if (!METE_LIKELY(granules >= 8U)) {
        return granules;
    }
    const uint32_t zeros = mete_bits_clz(granules);
    return ((granules << zeros) >> 30) + 62U - (2U * zeros);
}

HOT map_t bit_of(uint32_t bin)
{
    return ((map_t)1 << (8U * sizeof(map_t) - 1U)) >> bin;
}

// ---- What must be true before a header or a link is followed. True without a look at level 0.

HOT bool is_index(const heap_t *heap, uint32_t index)
{
    return (METE_CHECK_LEVEL < 1) || (index < heap->last);
}

// The next block in the list points back at this one.
HOT bool has_next(const heap_t *heap, const block_t *block, uint32_t index)
{
    return (METE_CHECK_LEVEL < 1) ||
           ((block->next < heap->last) && (at(heap, block->next)->back == index));
}

// So does the one in front of it, which may be the sentinel.
HOT bool has_back(const heap_t *heap, const block_t *block, uint32_t index)
{
    return (METE_CHECK_LEVEL < 1) ||
           ((block->back < heap->last) && (at(heap, block->back)->next == index));
}

// The list of the bin can be entered at its head.
HOT bool has_head(const heap_t *heap, uint32_t bin)
{
    return has_next(heap, at(heap, bin), bin);
}

// The block that begins so many granules on says of this one what it says itself.
HOT bool is_bounded(const heap_t *heap, const block_t *block, uint32_t index, uint32_t granules,
                    uint32_t size)
{
    return (METE_CHECK_LEVEL < 1) ||
           ((index + (granules * STEP) <= heap->last) && (behind(block, granules)->before == size));
}

// ---- Regions and blocks in address order

typedef struct region {
    uint32_t first, end;  // The first block's header and the end header.
    uint32_t next;        // The word that describes the next region, or 0.
} region_t;

static region_t first_region(const heap_t *heap)
{
    return (region_t){FIRST, heap->end, heap->next};
}

// A later region is described by the word in front of its first header: its end, and the next one.
// first is 0 if there is none. Indices only rise, which bounds every walk.
static region_t next_region(const heap_t *heap, region_t region)
{
    const uint32_t index = region.next;
    if ((index <= region.end) || (index >= heap->last)) {
        return (region_t){0U, 0U, 0U};
    }
    return (region_t){index + 1U, at(heap, index)->size, at(heap, index)->before};
}

// The index behind a block, or 0 if its header leads out of its region or not onwards.
static uint32_t index_behind(const heap_t *heap, region_t region, uint32_t index)
{
    const uint32_t granules = at(heap, index)->size & GRANULE_MAX;
    const bool is_sound = (granules >= MIN) && (granules <= (region.end - index) / STEP);
    return is_sound ? index + (granules * STEP) : 0U;
}

bool HEAP(walk)(const heap_t *heap, bool (*visit)(void *self, const mete_heap_block_t *block),
                void *self)
{
    METE_ASSERT((heap != NULL) && (visit != NULL));
    for (region_t r = first_region(heap); r.first != 0U; r = next_region(heap, r)) {
        for (uint32_t index = r.first; index < r.end;) {
            const uint32_t behind = index_behind(heap, r, index);
            if (behind == 0U) {
                return false;
            }
            const mete_heap_block_t block = {payload_of(at(heap, index)),
                                             ((size_t)(behind - index) * WORD) - WORD,
                                             at(heap, index)->size >= USED};
            if (!visit(self, &block)) {
                return false;
            }
            index = behind;
        }
    }
    return true;
}

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

// Why an address was refused: what it really is, found by walking the blocks.
__attribute__((unused)) COLD mete_fault_t reason(const heap_t *heap, const void *address)
{
    search_for_t wanted = {(uintptr_t)address, {NULL, 0U, true}};
    const bool is_intact = HEAP(walk)(heap, is_elsewhere, &wanted);
    if (wanted.block.block == NULL) {
        return (is_intact || !HEAP(owns)(heap, address)) ? METE_FAULT_FOREIGN : METE_FAULT_CORRUPT;
    }
    if (!wanted.block.is_live) {
        return METE_FAULT_DOUBLE_FREE;
    }
    return (wanted.block.block == address) ? METE_FAULT_CORRUPT : METE_FAULT_FOREIGN;
}

// ---- Lists

// Takes a free block out of its list. Returns the map without its bin, if that is empty now.
HOT map_t detach(const heap_t *heap, const block_t *block, map_t map)
{
    const uint32_t next = block->next;
    const uint32_t back = block->back;
    at(heap, next)->back = (half_t)back;
    at(heap, back)->next = (half_t)next;
    // Both are the same sentinel if the block was alone. The links say which, not the block's size.
    return (next == back) ? map & ~bit_of(next) : map;
}

// Puts a free block first in its list. Returns the map with its bin.
HOT map_t attach(const heap_t *heap, block_t *block, uint32_t index, uint32_t granules, map_t map)
{
    const uint32_t bin = bin_of(granules);
    block_t *const sentinel = at(heap, bin);
    const uint32_t head = sentinel->next;
    block->next = (half_t)head;
    block->back = (half_t)bin;
    at(heap, head)->back = (half_t)index;
    HIDE(index);
    sentinel->next = (half_t)index;
    return map | bit_of(bin);
}

// Writes the size of a block on both of its ends.
HOT void set_size(block_t *block, block_t *end, uint32_t size)
{
    HIDE(size);
    block->size = (half_t)size;
    HIDE(size);
    end->before = (half_t)size;
}

// ---- The start map: exact knowledge of what is a live block, where the config provides for it.

COLD void add_start(uint32_t *starts, uint32_t number)
{
    mete_bitmap_add(starts, number);
}

HOT void mark_start(const heap_t *heap, uint32_t index)
{
    if ((METE_CHECK_LEVEL >= 1) && !METE_LIKELY(heap->config->starts == NULL)) {
        add_start(heap->config->starts, index / STEP);
    }
}

// Takes the mark off again. False if there was none.
COLD bool remove_start(uint32_t *starts, uint32_t number)
{
    const bool was_marked = mete_bitmap_has(starts, number);
    mete_bitmap_remove(starts, number);
    return was_marked;
}

HOT bool unmark_start(const heap_t *heap, uint32_t index)
{
    return (METE_CHECK_LEVEL < 1) || METE_LIKELY(heap->config->starts == NULL) ||
           remove_start(heap->config->starts, index / STEP);
}

// ---- alloc

enum {
    NONE = 0,     // No block: both are below every block's index.
    DAMAGED = 1,  // A link led out of the heap.
};

// The best of the first `left` blocks of a bin, or NONE if all of them are smaller.
HOT uint32_t best_of(const heap_t *heap, uint32_t bin, uint32_t granules, uint32_t left)
{
    uint32_t best = NONE;
    uint32_t least = USED;
    uint32_t index = at(heap, bin)->next;
    do {
        if (!is_index(heap, index)) {
            return DAMAGED;
        }
        const uint32_t over = at(heap, index)->size - granules;  // Huge if the block is smaller.
        if (over < least) {
            least = over;
            best = index;
        }
        index = at(heap, index)->next;
    } while ((index != bin) && (--left != 0U));
    return best;
}

// Looks for a close fit: first in the bin where blocks of this size are, then in the next one that
// is not empty, where all blocks fit.
HOT uint32_t find_close(const heap_t *heap, uint32_t granules)
{
    const uint32_t left = heap->config->search + (heap->config->search == 0U);
    uint32_t bin = bin_of(granules);
    const map_t fitting = heap->map << bin;
    uint32_t index = NONE;
    if ((fitting & bit_of(0U)) != 0U) {
        index = best_of(heap, bin, granules, left);
    }
    const map_t above = fitting << 1;
    if ((index == NONE) && (above != 0U)) {
        bin += 1U + first_bin(above);
        index = best_of(heap, bin, granules, left);
    }
    return ((index == NONE) || has_back(heap, at(heap, index), index)) ? index : (uint32_t)DAMAGED;
}

// Asks the program to free something. True if the request should be tried again.
static bool ask(heap_t *heap, size_t granules, unsigned tries)
{
    const mete_heap_config_t *const config = heap->config;
    const bool is_possible = (granules <= GRANULE_MAX) && (granules <= SIZE_MAX / GRANULE);
    if ((tries == 0U) && is_possible && (config->on_refusal != NULL) &&
        config->on_refusal(config->on_refusal_self, (granules * GRANULE) - WORD)) {
        return true;
    }
    heap->refusals++;
    return false;
}

// A block of at least so many granules whose `back` link is good; NONE, after asking once; or DAMAGED.
COLD uint32_t find_or_ask(heap_t *heap, size_t granules)
{
    uint32_t index = NONE;
    unsigned tries = 0U;
    do {
        index = (granules <= GRANULE_MAX) ? find_close(heap, (uint32_t)granules) : (uint32_t)NONE;
    } while ((index == NONE) && ask(heap, granules, tries++));
    return index;
}

// The first block of the next bin above that is not empty, where all blocks fit; or else, if it fits,
// the first of the bin below, where some do. Its `back` link is good. NONE if neither is there, or if
// the config asks for a search.
HOT uint32_t find_quick(const heap_t *heap, size_t granules)
{
    if (!METE_LIKELY(granules <= heap->quick)) {
        return NONE;
    }
    uint32_t bin = bin_of((uint32_t)granules - 1U);
    const map_t fitting = heap->map << bin;
    const map_t above = fitting << 1;
    if (METE_LIKELY(above != 0U)) {
        bin += 1U + first_bin(above);
    } else if ((fitting == 0U) || !is_index(heap, at(heap, bin)->next) ||
               (at(heap, at(heap, bin)->next)->size < granules)) {
        return NONE;
    }
    const uint32_t index = at(heap, bin)->next;
    const bool is_sound =
        is_index(heap, index) && ((METE_CHECK_LEVEL < 1) || (at(heap, index)->back == bin));
    return is_sound ? index : (uint32_t)DAMAGED;
}

// True if a block that was found is a free block of at least so many granules, and intact.
HOT bool may_carve(const heap_t *heap, uint32_t index, uint32_t granules)
{
    const block_t *const block = at(heap, index);
    const uint32_t size = block->size;
    const uint32_t rest = size - granules;
    return (METE_CHECK_LEVEL < 1) ||
           ((index >= FIRST) && is_bounded(heap, block, index, size, size) &&
            has_next(heap, block, index) && ((rest < MIN) || has_head(heap, bin_of(rest))));
}

// Hands out the first `granules` of a free block and keeps the rest. Returns the block.
HOT block_t *carve(heap_t *heap, uint32_t index, uint32_t granules)
{
    block_t *block = at(heap, index);
    HIDE(block);
    const uint32_t size = block->size;
    const uint32_t rest = size - granules;
    map_t map = detach(heap, block, heap->map);
    if (METE_LIKELY(rest >= MIN)) {
        block_t *const tail = behind(block, granules);
        map = attach(heap, tail, index + (granules * STEP), rest, map);
        set_size(tail, behind(block, size), rest);
    } else {
        granules = size;
        heap->free_tally -= TALLY(0U, 1U);
    }
    heap->map = map;
    const squares_t squares = heap->free_squares;
    const tally_t tally = heap->free_tally - TALLY(granules, 0U);
    heap->free_squares = squares - ((squares_t)granules * ((2U * (squares_t)size) - granules));
    heap->free_tally = tally;
    if (tally < heap->free_tally_min) {
        heap->free_tally_min = tally;
    }
    set_size(block, behind(block, granules), granules | USED);
    mark_start(heap, index);
    return block;
}

METE_DIRECT void *HEAP(alloc)(heap_t *heap, size_t size)
{
    METE_ASSERT(heap != NULL);
    const size_t granules = granules_for(size);
    uint32_t index = find_quick(heap, granules);
    if (index == NONE) {
        index = find_or_ask(heap, granules);
        if (index == NONE) {
            return NULL;
        }
    }
    if (!may_carve(heap, index, (uint32_t)granules)) {
        METE_FAULT(METE_FAULT_CORRUPT, heap, NULL);
        return NULL;
    }
    block_t *const block = carve(heap, index, (uint32_t)granules);
    SETTLED(heap);
    return payload_of(block);
}

// ---- free

// The index of a block in use, or 0 if the address is not that of one.
HOT uint32_t index_of(const heap_t *heap, const void *address)
{
    const uintptr_t offset = (uintptr_t)address - (uintptr_t)heap;
    const uint32_t index = (uint32_t)(offset / WORD) - 1U;
    if (METE_CHECK_LEVEL < 1) {
        return index;
    }
    if ((offset % GRANULE != 0U) || (offset / WORD > heap->last) || (index < FIRST)) {
        return 0U;
    }
    // The size of a free block turns into one that reaches beyond every heap.
    const uint32_t size = at(heap, index)->size;
    return is_bounded(heap, at(heap, index), index, size ^ USED, size) ? index : 0U;
}

// True if what is freed between two blocks can be joined with those of them that are free.
HOT bool may_join(const heap_t *heap, const block_t *block, uint32_t index, uint32_t granules,
                  uint32_t before)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    const block_t *const end = behind(block, granules);
    uint32_t total = granules;
    if (end->size < USED) {
        const uint32_t end_index = index + (granules * STEP);
        if (!is_bounded(heap, end, end_index, end->size, end->size) ||
            !has_next(heap, end, end_index) || !has_back(heap, end, end_index)) {
            return false;
        }
        total += end->size;
    }
    if (before < USED) {
        const uint32_t start_index = index - (before * STEP);
        const block_t *const start = at(heap, start_index);
        if (((int32_t)start_index < FIRST) || (start->size != before) ||
            !has_next(heap, start, start_index) || !has_back(heap, start, start_index)) {
            return false;
        }
        total += before;
    }
    return has_head(heap, bin_of(total));
}

// Frees `granules` from a block on: joins them with a free block behind and, as `before` says, with
// one in front.
HOT void join(heap_t *heap, block_t *block, uint32_t index, uint32_t granules, uint32_t before)
{
    block_t *const end = behind(block, granules);
    const uint32_t end_size = end->size;
    map_t map = heap->map;
    tally_t tally = heap->free_tally + TALLY(granules, 1U);
    squares_t squares = heap->free_squares;
    if (end_size < USED) {
        map = detach(heap, end, map);
        tally -= 1U;
        squares -= (squares_t)end_size * end_size;
        granules += end_size;
    }
    if (before < USED) {
        block->size = 0U;  // So that a second free does not find a live header here.
        index -= before * STEP;
        block = at(heap, index);
        map = detach(heap, block, map);
        tally -= 1U;
        squares -= (squares_t)before * before;
        granules += before;
    }
    heap->free_tally = tally;
    heap->free_squares = squares + ((squares_t)granules * granules);
    heap->map = attach(heap, block, index, granules, map);
    set_size(block, behind(block, granules), granules);
}

METE_DIRECT void HEAP(free)(heap_t *heap, void *address)
{
    METE_ASSERT(heap != NULL);
    if (address == NULL) {
        return;
    }
    const uint32_t index = index_of(heap, address);
    block_t *block = at(heap, index);
    HIDE(block);
    const uint32_t granules = block->size ^ USED;
    const uint32_t before = block->before;
    if ((METE_CHECK_LEVEL >= 1) &&
        ((index == 0U) || !may_join(heap, block, index, granules, before) ||
         !unmark_start(heap, index))) {
        METE_FAULT(reason(heap, address), heap, address);
        return;
    }
    join(heap, block, index, granules, before);
    SETTLED(heap);
}

// ---- resize

typedef enum outcome { DONE, NO_ROOM, DAMAGE } outcome_t;

// Cuts a block in use down to `wanted` granules, if what is left over makes a block.
COLD outcome_t shrink(heap_t *heap, uint32_t index, uint32_t wanted)
{
    block_t *const block = at(heap, index);
    const uint32_t rest = (block->size ^ USED) - wanted;
    if (rest < MIN) {
        return DONE;
    }
    const uint32_t tail = index + (wanted * STEP);
    if (!may_join(heap, behind(block, wanted), tail, rest, USED)) {
        return DAMAGE;
    }
    join(heap, behind(block, wanted), tail, rest, USED);
    set_size(block, behind(block, wanted), wanted | USED);
    return DONE;
}

// Takes what a block in use lacks from a free block behind it.
COLD outcome_t grow(heap_t *heap, uint32_t index, uint32_t wanted)
{
    block_t *const block = at(heap, index);
    const uint32_t size = block->size ^ USED;
    const uint32_t end = index + (size * STEP);
    const uint32_t behind_size = at(heap, end)->size;
    if ((behind_size >= USED) || (size + behind_size < wanted)) {
        return NO_ROOM;
    }
    if (!may_carve(heap, end, wanted - size) || !has_back(heap, at(heap, end), end)) {
        return DAMAGE;
    }
    (void)carve(heap, end, wanted - size);
    (void)unmark_start(heap, end);
    const uint32_t total = size + (at(heap, end)->size ^ USED);
    set_size(block, behind(block, total), total | USED);
    return DONE;
}

// In place or not at all.
static outcome_t fit_block(heap_t *heap, const void *block, size_t size)
{
    const uint32_t index = (block != NULL) ? index_of(heap, block) : 0U;
    const size_t granules = granules_for(size);
    if ((METE_CHECK_LEVEL >= 1) && (index == 0U)) {
        return DAMAGE;
    }
    if (granules > GRANULE_MAX) {
        return NO_ROOM;
    }
    const uint32_t wanted = (uint32_t)granules;
    return (wanted <= (at(heap, index)->size ^ USED)) ? shrink(heap, index, wanted)
                                                      : grow(heap, index, wanted);
}

METE_DIRECT bool HEAP(resize)(heap_t *heap, void *block, size_t size)
{
    METE_ASSERT(heap != NULL);
    const outcome_t outcome = fit_block(heap, block, size);
    if (outcome == DAMAGE) {
        METE_FAULT(reason(heap, block), heap, block);
        return false;
    }
    SETTLED(heap);
    return outcome == DONE;
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
        mete_words_copy(moved, block, HEAP(size_of)(heap, block));
        HEAP(free)(heap, block);
    }
    return moved;
}

// ---- alignment beyond a granule

// Frees the first `gap` granules of a block in use. The index of what remains, or 0 for damage.
static uint32_t cut_front(heap_t *heap, uint32_t index, uint32_t gap)
{
    block_t *const block = at(heap, index);
    block_t *const start = behind(block, gap);
    block_t *const end = behind(block, block->size ^ USED);
    const uint32_t size = block->size - gap;
    start->size = (half_t)size;
    if (!may_join(heap, block, index, gap, block->before) || !unmark_start(heap, index)) {
        return 0U;
    }
    join(heap, block, index, gap, block->before);
    set_size(start, end, size);
    mark_start(heap, index + (gap * STEP));
    return index + (gap * STEP);
}

// Granules from a payload to the first aligned address that leaves room for a block in between.
static uint32_t gap_to(uintptr_t address, size_t align)
{
    const size_t gap = (size_t)(0U - address) & (align - 1U);
    const bool is_too_small = (gap != 0U) && (gap < (size_t)MIN * GRANULE);
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
    const size_t room = align - GRANULE + ((MIN - 1U) * 2U * GRANULE);
    const bool is_possible = (size != 0U) && (size <= SIZE_MAX - room);
    void *const block = HEAP(alloc)(heap, is_possible ? size + room : 0U);
    if (block == NULL) {
        return NULL;
    }
    const uint32_t gap = gap_to((uintptr_t)block, align);
    uint32_t index = (uint32_t)(((uintptr_t)block - (uintptr_t)heap) / WORD) - 1U;
    index = (gap != 0U) ? cut_front(heap, index, gap) : index;
    if ((index == 0U) || (shrink(heap, index, (uint32_t)granules_for(size)) != DONE)) {
        METE_FAULT(METE_FAULT_CORRUPT, heap, block);
        return NULL;
    }
    SETTLED(heap);
    return payload_of(at(heap, index));
}

// ---- init and add

// Makes everything from header `first` to header `end` one free block.
static void open_region(heap_t *heap, uint32_t first, uint32_t end)
{
    const uint32_t granules = (end - first) / STEP;
    at(heap, first)->before = (half_t)USED;
    at(heap, end)->size = (half_t)USED;
    heap->map = attach(heap, at(heap, first), first, granules, heap->map);
    set_size(at(heap, first), at(heap, end), granules);
    heap->free_tally += TALLY(granules, 1U);
    heap->free_tally_min += TALLY(granules, 1U);
    heap->free_squares += (squares_t)granules * granules;
}

// The end header of a region whose first header is known. 0 if the region has no room for a block
// or reaches beyond the window or the start map.
static uint32_t end_for(const heap_t *heap, const mete_heap_config_t *config, mete_span_t region,
                        uintptr_t first)
{
    const uintptr_t stop = (uintptr_t)region.start + region.size;
    const uintptr_t words = (stop - (uintptr_t)heap) / WORD;
    if (!mete_span_is_legal(region) || (words <= first + (MIN * STEP)) ||
        (words - 1U > INDEX_MAX)) {
        return 0U;
    }
    const uint32_t end = (uint32_t)(first + ((words - 1U - first) / STEP * STEP));
    const bool is_mapped = (config->starts == NULL) || (end / STEP / 32U < config->starts_count);
    return is_mapped ? end : 0U;
}

heap_t *HEAP(init)(const mete_heap_config_t *config)
{
    METE_ASSERT(config != NULL);
    heap_t *const heap = (heap_t *)mete_align_up((uintptr_t)config->storage.start, GRANULE);
    const uint32_t end = end_for(heap, config, config->storage, FIRST);
    if ((end == 0U) || (config->search > SEARCH_MAX)) {
        return NULL;
    }
    for (uint32_t bin = 1U; bin < BIN_COUNT; bin++) {
        at(heap, bin)->next = (half_t)bin;
        at(heap, bin)->back = (half_t)bin;
    }
    heap->last = (half_t)end;
    heap->next = 0U;
    heap->map = 0U;
    heap->quick = (half_t)((config->search == 0U) ? GRANULE_MAX : 0U);
    heap->end = (half_t)end;
    heap->free_tally = 0U;
    heap->free_squares = 0U;
    heap->free_tally_min = 0U;
    heap->refusals = 0U;
    heap->config = config;
    for (size_t i = 0U; (config->starts != NULL) && (i < config->starts_count); i++) {
        config->starts[i] = 0U;
    }
    open_region(heap, FIRST, end);
    return heap;
}

bool HEAP(add)(heap_t *heap, mete_span_t region)
{
    METE_ASSERT(heap != NULL);
    // The word in front of the first header describes the region; the payload behind it is aligned.
    const uintptr_t start = (uintptr_t)region.start - (uintptr_t)heap;
    const uintptr_t first = (mete_align_up(start + (2U * WORD), GRANULE) / WORD) - 1U;
    const uint32_t end = end_for(heap, heap->config, region, first);
    region_t front = first_region(heap);
    for (region_t r = front; (r.first != 0U) && (r.first < first); r = next_region(heap, r)) {
        front = r;
    }
    if (((uintptr_t)region.start < (uintptr_t)heap) || (end == 0U) || (first <= front.end + 1U) ||
        ((front.next != 0U) && (end >= front.next))) {
        return false;
    }
    block_t *const description = at(heap, (uint32_t)first - 1U);
    description->size = (half_t)end;
    description->before = (half_t)front.next;
    if (front.first == FIRST) {
        heap->next = (half_t)(first - 1U);
    } else {
        at(heap, front.first - 1U)->before = (half_t)(first - 1U);
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
    const uint32_t index = (uint32_t)(((uintptr_t)block - (uintptr_t)heap) / WORD) - 1U;
    return ((size_t)(at(heap, index)->size & GRANULE_MAX) * GRANULE) - WORD;
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

static bool is_marked(const heap_t *heap, uint32_t index)
{
    const uint32_t *const starts = heap->config->starts;
    return (METE_CHECK_LEVEL < 1) || (starts == NULL) || mete_bitmap_has(starts, index / STEP);
}

static void count_region(const heap_t *heap, region_t region, census_t *census)
{
    uint32_t before = USED;
    uint32_t index = region.first;
    while ((index != 0U) && (index < region.end)) {
        const uint32_t size = at(heap, index)->size;
        const bool is_free = size < USED;
        census->is_sound = census->is_sound && (at(heap, index)->before == before) &&
                           (!is_free || (before >= USED)) && (is_free || is_marked(heap, index));
        census->tally += is_free ? TALLY(size, 1U) : 0U;
        census->squares += is_free ? (squares_t)size * size : 0U;
        before = size;
        index = index_behind(heap, region, index);
    }
    census->is_sound = census->is_sound && (index == region.end) &&
                       (at(heap, region.end)->size == USED) &&
                       (at(heap, region.end)->before == before);
}

// Blocks in the list of a bin, or `count_max` + 1 if something in it is wrong.
static uint32_t count_listed(const heap_t *heap, uint32_t bin, uint32_t count_max)
{
    uint32_t count = 0U;
    uint32_t back = bin;
    uint32_t index = at(heap, bin)->next;
    for (; (index != bin) && (count <= count_max); count++) {
        const block_t *const block = at(heap, index);
        if ((index < FIRST) || (index >= heap->last) || (block->back != back) ||
            (block->size >= USED) || (bin_of(block->size) != bin)) {
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
    census_t census = {0U, 0U, true};
    for (region_t r = first_region(heap); r.first != 0U; r = next_region(heap, r)) {
        count_region(heap, r, &census);
    }
    const uint32_t free_count = (half_t)census.tally;
    uint32_t listed_count = 0U;
    for (uint32_t bin = 1U; (bin < BIN_COUNT) && (listed_count <= free_count); bin++) {
        listed_count += count_listed(heap, bin, free_count);
    }
    return census.is_sound && (listed_count == free_count) && (census.tally == heap->free_tally) &&
           (census.squares == heap->free_squares) && (heap->free_tally_min <= heap->free_tally);
}

// ---- The view

static void *acquire(void *self, size_t size, size_t align)
{
    return (align <= GRANULE) ? HEAP(alloc)(self, size) : HEAP(alloc_aligned)(self, size, align);
}

// True if a block in use was acquired as the caller says. One that is not in use passes: what is
// wrong with it is for free and resize to say.
static bool is_as_named(const heap_t *heap, const void *block, size_t size, size_t align)
{
    const uint32_t index = index_of(heap, block);
    return (METE_CHECK_LEVEL < 1) || (index == 0U) ||
           (((at(heap, index)->size ^ USED) - granules_for(size) < MIN) &&
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
