// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the program calls. What a block looks like, and when it can be trusted, is in heap_blocks.h, how one is
// found in heap_search.h. Both are parts of this file. All that a call will read or write is checked before any of it is
// changed.
//
// heap_wide.c includes this file with wider fields.

#include "mete/alloc/heap_blocks.h"
#include "mete/alloc/heap_search.h"

_Static_assert((sizeof(header_t) == WORD) && (sizeof(block_t) == WORD), "an index counts words");
_Static_assert(offsetof(heap_t, bins) == WORD, "bin 1 is a block at index 1");

// Level 3: the whole heap is checked after every operation.
#if METE_CHECK_LEVEL >= 3
#define SETTLED(heap) METE_ASSERT(HEAP(check)(heap))
#else
#define SETTLED(heap) ((void)0)
#endif

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

// ---- alloc

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
