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
#define QUICK_MAX      24576U  // The largest size for which a bin exists where all blocks fit.
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

typedef struct __attribute__((may_alias)) block {
    half_t size;        // In granules; USED is set while the block is in use.
    half_t before;      // `size` of the block in front; USED alone if there is none.
    half_t next, back;  // Of a free block: its neighbours in the list.
} block_t;
_Static_assert(sizeof(block_t) == 2U * WORD, "links follow the header in the next word");
_Static_assert(offsetof(heap_t, bins) == 2U * WORD,
               "bin 1 is a block at index 1 but for its header");
_Static_assert(sizeof(half_t) * 2U == WORD, "a header is one word");

static inline block_t *at(const heap_t *heap, uint32_t index)
{
    return (block_t *)((uintptr_t)heap + ((uintptr_t)index * WORD));
}

static inline void *payload_of(block_t *block)
{
    return (unsigned char *)block + WORD;
}

// Stores a half without letting the compiler share one conversion between several stores: it would
// compute what the store instruction does for nothing.
static inline void put(half_t *half, uint32_t value)
{
    __asm__("" : "+r"(value));
    *half = (half_t)value;
}

// Granules of a block for `size` bytes and its header. No size wraps around: 0, being one less than
// the smallest, and SIZE_MAX ask for more than any heap has.
static inline size_t granules_for(size_t size)
{
    const size_t quarters = ((size - 1U) / 4U) + ((WORD + GRANULE) / 4U);
    return quarters / (GRANULE / 4U);
}

// Bins: 1 ... 7 hold blocks of just so many granules, then two bins an octave. The formula counts
// octaves from the top and adds the second-highest bit of the size.
static inline uint32_t bin_of(uint32_t granules)
{
    if (granules < 8U) {
        return granules;
    }
    const uint32_t zeros = mete_bits_clz(granules);
    return ((granules << zeros) >> 30) + 62U - (2U * zeros);
}

// The first bin in which every block has at least `granules`.
static inline uint32_t bin_above(uint32_t granules)
{
    return (granules <= 8U) ? granules : bin_of(granules - 1U) + 1U;
}

static inline map_t bit_of(uint32_t bin)
{
    return ((map_t)1 << (8U * sizeof(map_t) - 1U)) >> bin;
}

// ---- What must be true before a header or a link is followed. True without a look at level 0.

static inline bool is_index(const heap_t *heap, uint32_t index)
{
    return (METE_CHECK_LEVEL < 1) || (index < heap->last);
}

// Both neighbours in the list point back at the block.
static inline bool is_linked(const heap_t *heap, const block_t *block, uint32_t index)
{
    return (METE_CHECK_LEVEL < 1) ||
           ((block->next < heap->last) && (at(heap, block->next)->back == index) &&
            (block->back < heap->last) && (at(heap, block->back)->next == index));
}

// The list of the bin can be entered at its head.
static inline bool has_head(const heap_t *heap, uint32_t bin)
{
    const uint32_t head = at(heap, bin)->next;
    return (METE_CHECK_LEVEL < 1) || ((head < heap->last) && (at(heap, head)->back == bin));
}

// The block that ends where `granules` say describes itself as this one does.
static inline bool is_bounded(const heap_t *heap, uint32_t index, uint32_t granules, uint32_t size)
{
    const uint32_t end = index + (granules * STEP);
    return (METE_CHECK_LEVEL < 1) || ((end <= heap->last) && (at(heap, end)->before == size));
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
static __attribute__((noinline, unused)) mete_fault_t reason(const heap_t *heap,
                                                             const void *address)
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

static inline map_t unlink(heap_t *heap, const block_t *block, map_t map)
{
    const uint32_t next = block->next;
    const uint32_t back = block->back;
    put(&at(heap, next)->back, back);
    put(&at(heap, back)->next, next);
    // Both are the same sentinel if the block was alone. The links say which, not the block's size.
    return (next == back) ? map & ~bit_of(next) : map;
}

static inline void link_first(heap_t *heap, block_t *block, uint32_t index, uint32_t bin, map_t map)
{
    block_t *const sentinel = at(heap, bin);
    const uint32_t head = sentinel->next;
    put(&block->next, head);
    put(&block->back, bin);
    put(&at(heap, head)->back, index);
    put(&sentinel->next, index);
    heap->map = map | bit_of(bin);
}

// ---- The start map: exact knowledge of what is a live block, where the config provides for it.

static inline void mark_start(const heap_t *heap, uint32_t index, bool is_live)
{
    if ((METE_CHECK_LEVEL >= 1) && (heap->config->starts != NULL)) {
        (is_live ? mete_bitmap_add : mete_bitmap_remove)(heap->config->starts, index / STEP);
    }
}

static inline bool is_start(const heap_t *heap, uint32_t index)
{
    return (heap->config->starts == NULL) || mete_bitmap_has(heap->config->starts, index / STEP);
}

// ---- alloc

typedef struct found {
    uint32_t index;     // 0 if there is none.
    uint32_t granules;  // The size of the block found.
    bool is_damaged;
} found_t;

static const found_t NONE = {0U, 0U, false};
static const found_t DAMAGED = {0U, 0U, true};

// First of `left` blocks of the matching bin that has the granules; some there are smaller.
static inline found_t first_that_fits(const heap_t *heap, uint32_t bin, uint32_t granules,
                                      uint32_t left)
{
    uint32_t index = at(heap, bin)->next;
    do {
        if (!is_index(heap, index)) {
            return DAMAGED;
        }
        const block_t *const block = at(heap, index);
        if (block->size >= granules) {
            return (found_t){index, block->size, false};
        }
        index = block->next;
    } while ((index != bin) && (--left != 0U));
    return NONE;
}

// Best of `left` blocks of a bin in which every block fits.
static inline found_t best_of(const heap_t *heap, uint32_t bin, uint32_t left)
{
    uint32_t index = at(heap, bin)->next;
    found_t best = {index, USED, false};
    do {
        if (!is_index(heap, index)) {
            return DAMAGED;
        }
        const block_t *const block = at(heap, index);
        if (block->size < best.granules) {
            best = (found_t){index, block->size, false};
        }
        index = block->next;
    } while ((index != bin) && (--left != 0U));
    return best;
}

static inline found_t search(const heap_t *heap, size_t granules, map_t map)
{
    if (granules > GRANULE_MAX) {
        return NONE;
    }
    const uint32_t wanted = (uint32_t)granules;
    const uint32_t left = (heap->config->search != 0U) ? heap->config->search : 1U;
    const uint32_t bin = bin_of(wanted);
    if ((map & bit_of(bin)) != 0U) {
        const found_t found = first_that_fits(heap, bin, wanted, left);
        if ((found.index != 0U) || found.is_damaged) {
            return found;
        }
    }
    const map_t above = (map << bin) << 1;
    return (above != 0U) ? best_of(heap, bin + 1U + first_bin(above), left) : NONE;
}

static inline found_t find(const heap_t *heap, size_t granules)
{
    const map_t map = heap->map;
    if (METE_LIKELY(granules <= heap->quick)) {
        const uint32_t bin = bin_above((uint32_t)granules);
        const map_t fitting = map << bin;
        if (METE_LIKELY(fitting != 0U)) {
            const uint32_t index = at(heap, bin + first_bin(fitting))->next;
            return is_index(heap, index) ? (found_t){index, at(heap, index)->size, false} : DAMAGED;
        }
    }
    return search(heap, granules, map);
}

// Hands out the first `granules` of a free block and keeps the rest. False if it is not intact.
static inline bool carve(heap_t *heap, found_t found, uint32_t granules)
{
    block_t *const block = at(heap, found.index);
    const uint32_t rest = found.granules - granules;
    const uint32_t bin = bin_of(rest);
    if ((METE_CHECK_LEVEL >= 1) &&
        ((found.index < FIRST) || !is_linked(heap, block, found.index) ||
         !is_bounded(heap, found.index, found.granules, found.granules) ||
         ((rest >= MIN) && !has_head(heap, bin)))) {
        return false;
    }
    const map_t map = unlink(heap, block, heap->map);
    block_t *const after = at(heap, found.index + (found.granules * STEP));
    const squares_t squares = heap->free_squares;
    tally_t tally = heap->free_tally;
    if (rest >= MIN) {
        const uint32_t index = found.index + (granules * STEP);
        block_t *const tail = at(heap, index);
        link_first(heap, tail, index, bin, map);
        put(&block->size, granules | USED);
        put(&tail->before, granules | USED);
        put(&tail->size, rest);
        put(&after->before, rest);
        heap->free_squares = squares - ((squares_t)granules * (found.granules + rest));
        tally -= TALLY(granules, 0U);
    } else {
        heap->map = map;
        put(&block->size, found.granules | USED);
        put(&after->before, found.granules | USED);
        heap->free_squares = squares - ((squares_t)found.granules * found.granules);
        tally -= TALLY(found.granules, 1U);
    }
    heap->free_tally = tally;
    if (tally < heap->free_tally_min) {
        heap->free_tally_min = tally;
    }
    mark_start(heap, found.index, true);
    return true;
}

// Asks the program to free something. True if the request should be tried again.
static __attribute__((noinline)) bool ask(heap_t *heap, size_t size, bool may_retry)
{
    const mete_heap_config_t *const config = heap->config;
    if (may_retry && (size != 0U) && (config->on_refusal != NULL) &&
        config->on_refusal(config->on_refusal_self, size)) {
        return true;
    }
    heap->refusals++;
    return false;
}

METE_DIRECT void *HEAP(alloc)(heap_t *heap, size_t size)
{
    METE_ASSERT(heap != NULL);
    const size_t granules = granules_for(size);
    found_t found = find(heap, granules);
    for (bool may_retry = true; found.index == 0U; may_retry = false) {
        if (found.is_damaged) {
            METE_FAULT(METE_FAULT_CORRUPT, heap, NULL);
            return NULL;
        }
        if (!ask(heap, size, may_retry)) {
            return NULL;
        }
        found = find(heap, granules);
    }
    block_t *const block = at(heap, found.index);
    if (!carve(heap, found, (uint32_t)granules)) {
        METE_FAULT(METE_FAULT_CORRUPT, heap, payload_of(block));
        return NULL;
    }
    SETTLED(heap);
    return payload_of(block);
}

// ---- free

// The index of a block in use, or 0 if the address is not that of one.
static inline uint32_t index_of(const heap_t *heap, const void *block)
{
    const uintptr_t offset = (uintptr_t)block - (uintptr_t)heap;
    const uint32_t index = (uint32_t)(offset / WORD) - 1U;
    if (METE_CHECK_LEVEL < 1) {
        return index;
    }
    // The size of a free block turns into one that reaches beyond every heap.
    const bool is_inside =
        (offset % GRANULE == 0U) && (offset / WORD <= heap->last) && (index >= FIRST);
    return (is_inside &&
            is_bounded(heap, index, at(heap, index)->size ^ USED, at(heap, index)->size) &&
            is_start(heap, index))
               ? index
               : 0U;
}

// Frees `granules` from `index` on: joins them with a free block behind and, as `before` says, with
// one in front. False, with nothing changed, if one of those is not intact.
static inline bool give_back(heap_t *heap, uint32_t index, uint32_t granules, uint32_t before)
{
    const uint32_t end = index + (granules * STEP);
    const block_t *const behind = at(heap, end);
    const uint32_t behind_size = behind->size;
    const bool joins_behind = behind_size < USED;
    const bool joins_before = before < USED;
    const uint32_t start = joins_before ? index - (before * STEP) : index;
    block_t *const block = at(heap, start);
    uint32_t total = granules;
    if (joins_behind) {
        if (!is_bounded(heap, end, behind_size, behind_size) || !is_linked(heap, behind, end)) {
            return false;
        }
        total += behind_size;
    }
    if (joins_before) {
        if ((METE_CHECK_LEVEL >= 1) &&
            (((index - FIRST) < (before * STEP)) || (block->size != before) ||
             !is_linked(heap, block, start))) {
            return false;
        }
        total += before;
    }
    const uint32_t bin = bin_of(total);
    if (!has_head(heap, bin)) {
        return false;
    }
    map_t map = heap->map;
    squares_t squares = heap->free_squares + ((squares_t)total * total);
    tally_t tally = heap->free_tally + TALLY(granules, 1U);
    if (joins_behind) {
        map = unlink(heap, behind, map);
        squares -= (squares_t)behind_size * behind_size;
        tally -= 1U;
    }
    if (joins_before) {
        map = unlink(heap, block, map);
        squares -= (squares_t)before * before;
        tally -= 1U;
        at(heap, index)->size = 0U;  // So that a second free does not find a live header here.
    }
    heap->free_squares = squares;
    heap->free_tally = tally;
    put(&block->size, total);
    put(&at(heap, start + (total * STEP))->before, total);
    link_first(heap, block, start, bin, map);
    mark_start(heap, index, false);
    return true;
}

METE_DIRECT void HEAP(free)(heap_t *heap, void *block)
{
    METE_ASSERT(heap != NULL);
    if (block == NULL) {
        return;
    }
    const uint32_t index = index_of(heap, block);
    if ((index == 0U) ||
        !give_back(heap, index, at(heap, index)->size ^ USED, at(heap, index)->before)) {
        METE_FAULT(reason(heap, block), heap, block);
        return;
    }
    SETTLED(heap);
}

// ---- resize

typedef enum outcome { DONE, NO_ROOM, DAMAGE } outcome_t;

// Cuts a block in use down to `wanted` granules, if what is left over makes a block.
static outcome_t shrink(heap_t *heap, uint32_t index, uint32_t wanted)
{
    block_t *const block = at(heap, index);
    const uint32_t rest = (block->size ^ USED) - wanted;
    if (rest < MIN) {
        return DONE;
    }
    const uint32_t tail = index + (wanted * STEP);
    if (!give_back(heap, tail, rest, USED)) {
        return DAMAGE;
    }
    put(&block->size, wanted | USED);
    put(&at(heap, tail)->before, wanted | USED);
    return DONE;
}

// Takes what a block in use lacks from a free block behind it.
static outcome_t grow(heap_t *heap, uint32_t index, uint32_t wanted)
{
    block_t *const block = at(heap, index);
    const uint32_t size = block->size ^ USED;
    const uint32_t end = index + (size * STEP);
    const uint32_t behind_size = at(heap, end)->size;
    if ((behind_size >= USED) || (size + behind_size < wanted)) {
        return NO_ROOM;
    }
    if (!carve(heap, (found_t){end, behind_size, false}, wanted - size)) {
        return DAMAGE;
    }
    mark_start(heap, end, false);
    const uint32_t total = size + (at(heap, end)->size ^ USED);
    put(&block->size, total | USED);
    put(&at(heap, index + (total * STEP))->before, total | USED);
    return DONE;
}

static outcome_t fit(heap_t *heap, uint32_t index, size_t granules)
{
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
    const uint32_t index = (block != NULL) ? index_of(heap, block) : 0U;
    const outcome_t outcome = (index != 0U) ? fit(heap, index, granules_for(size)) : DAMAGE;
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
    const uint32_t index = index_of(heap, block);
    const outcome_t outcome = (index != 0U) ? fit(heap, index, granules_for(size)) : DAMAGE;
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
    const uint32_t size = at(heap, index)->size ^ USED;
    const uint32_t start = index + (gap * STEP);
    put(&at(heap, start)->size, (size - gap) | USED);
    if (!give_back(heap, index, gap, at(heap, index)->before)) {
        return 0U;
    }
    put(&at(heap, index + (size * STEP))->before, (size - gap) | USED);
    mark_start(heap, start, true);
    return start;
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
    block_t *const block = at(heap, first);
    block_t *const last = at(heap, end);
    put(&block->size, granules);
    put(&block->before, USED);
    put(&last->size, USED);
    put(&last->before, granules);
    link_first(heap, block, first, bin_of(granules), heap->map);
    heap->free_squares += (squares_t)granules * granules;
    heap->free_tally += TALLY(granules, 1U);
    heap->free_tally_min += TALLY(granules, 1U);
}

// The last index at which an end header fits in so many words from the heap on, or 0 if the region
// would be too small for a block or reach beyond the window or the start map.
static uint32_t end_for(const mete_heap_config_t *config, uintptr_t first, uintptr_t words)
{
    if ((words <= first + (MIN * STEP)) || (words - 1U > INDEX_MAX)) {
        return 0U;
    }
    const uintptr_t end = first + ((words - 1U - first) / STEP * STEP);
    const bool is_mapped = (config->starts == NULL) || (end / STEP / 32U < config->starts_count);
    return is_mapped ? (uint32_t)end : 0U;
}

heap_t *HEAP(init)(const mete_heap_config_t *config)
{
    METE_ASSERT(config != NULL);
    const mete_span_t storage = config->storage;
    if (!mete_span_is_legal(storage) || (config->search > SEARCH_MAX)) {
        return NULL;
    }
    const uintptr_t start = mete_align_up((uintptr_t)storage.start, GRANULE);
    const uintptr_t stop = (uintptr_t)storage.start + storage.size;
    const uint32_t end = (start < stop) ? end_for(config, FIRST, (stop - start) / WORD) : 0U;
    if (end == 0U) {
        return NULL;
    }
    heap_t *const heap = (heap_t *)start;
    heap->map = 0U;
    for (uint32_t bin = 1U; bin < BIN_COUNT; bin++) {
        at(heap, bin)->next = (half_t)bin;
        at(heap, bin)->back = (half_t)bin;
    }
    heap->last = (half_t)end;
    heap->next = 0U;
    heap->end = (half_t)end;
    heap->quick = (half_t)((config->search == 0U) ? QUICK_MAX : 0U);
    heap->free_tally = 0U;
    heap->free_tally_min = 0U;
    heap->free_squares = 0U;
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
    const uintptr_t start = (uintptr_t)region.start - (uintptr_t)heap;
    if (!mete_span_is_legal(region) || ((uintptr_t)region.start < (uintptr_t)heap)) {
        return false;
    }
    // The word in front of the first header describes the region: the payload two words on is aligned.
    const uintptr_t first = (mete_align_up(start + (2U * WORD), GRANULE) / WORD) - 1U;
    const uint32_t end = end_for(heap->config, first, (start + region.size) / WORD);
    region_t front = first_region(heap);
    for (region_t r = front; (r.first != 0U) && (r.first < first); r = next_region(heap, r)) {
        front = r;
    }
    if ((end == 0U) || (first <= front.end + 1U) || ((front.next != 0U) && (end >= front.next))) {
        return false;
    }
    block_t *const description = at(heap, (uint32_t)first - 1U);
    put(&description->size, end);
    put(&description->before, front.next);
    if (front.first == FIRST) {
        heap->next = (half_t)(first - 1U);
    } else {
        put(&at(heap, front.first - 1U)->before, (uint32_t)first - 1U);
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

static void count_region(const heap_t *heap, region_t region, census_t *census)
{
    uint32_t before = USED;
    uint32_t index = region.first;
    while ((index != 0U) && (index < region.end)) {
        const uint32_t size = at(heap, index)->size;
        const bool is_free = size < USED;
        census->is_sound = census->is_sound && (at(heap, index)->before == before) &&
                           (!is_free || (before >= USED)) && (is_free || is_start(heap, index));
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
