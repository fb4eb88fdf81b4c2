// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap as a subject of exhaustion, from inside. The model knows the blocks that are held, and takes
// what lies between them for the free blocks, as coalescing promises. heap_wide_subject.c includes this
// file for the wide heap.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.c"
#define SUBJECT(variant) exhaust_heap_##variant
#define NAME             "heap"
#endif

#include "tests/exhaust/subjects.h"
#include "tests/support/heap_rules.h"
#include "tests/support/tap.h"

#include <string.h>

enum { SCALE_FINE = 20 };

enum { REALLOC = EXHAUST_OWN };
static const char *const verbs[] = {"realloc"};

static const heap_rules_t rules = {WORD, MIN, SIZE_LIMIT, BIN_COUNT};
static const uint16_t aligns[] = {8U, 16U, 64U, 0U};
static heap_t *heap;
static mete_heap_config_t config;
static size_t scale;  // Granules in all.
static int first;     // The first payload.

static exhaust_offer_t begin(mete_span_t arena, size_t granules, uint32_t search)
{
    const size_t size = LEAD + ((size_t)FIRST * WORD) + (granules * GRANULE);
    scale = granules;
    config = (mete_heap_config_t){.storage = {arena.start, size}, .search = search};
    heap = HEAP(init)(&config);
    first = exhaust_at(at(heap, FIRST));
    const mete_span_t blocks = {at(heap, FIRST), (granules * GRANULE) - WORD};
    return (exhaust_offer_t){HEAP(as_alloc)(heap), blocks, size};
}

static exhaust_offer_t begin_quick(mete_span_t arena, size_t granules)
{
    return begin(arena, granules, 0U);
}

static exhaust_offer_t begin_close(mete_span_t arena, size_t granules)
{
    return begin(arena, granules, 2U);
}

// ---- What is free

// Granules of the free block in front of a block by its number in the list, or behind the last.
static size_t gap_before(size_t block)
{
    const exhaust_block_t *const blocks = exhaust_blocks;
    const int start =
        (block == 0U) ? first : blocks[block - 1U].at + blocks[block - 1U].room + WORD;
    const int end =
        (block < exhaust_block_count()) ? blocks[block].at : first + ((int)scale * GRANULE);
    return (size_t)(end - start) / GRANULE;
}

static size_t granules_of(const exhaust_block_t *block)
{
    return ((size_t)block->room + WORD) / GRANULE;
}

static chance_t chance_of(size_t granules)
{
    heap_wish_t wish = heap_wish(&rules, granules, config.search);
    for (size_t i = 0U; i <= exhaust_block_count(); i++) {
        if (gap_before(i) != 0U) {
            heap_wish_see(&rules, &wish, gap_before(i));
        }
    }
    return heap_wish_chance(&wish);
}

// What is looked for has room wherever the aligned address comes to lie.
static chance_t may_acquire(size_t size, size_t align)
{
    const size_t room =
        (align > GRANULE) ? align - GRANULE + ((size_t)(MIN - 1) * 2U * GRANULE) : 0U;
    return chance_of(heap_granules_for(&rules, size + room));
}

static chance_t may_resize(const exhaust_block_t *block, size_t size)
{
    const size_t behind_it = gap_before((size_t)(block - exhaust_blocks) + 1U);
    return (heap_granules_for(&rules, size) <= granules_of(block) + behind_it) ? MUST_SUCCEED
                                                                               : MUST_FAIL;
}

// ---- Calls

static void reallocate(int at_byte, size_t size)
{
    const exhaust_block_t *const block = exhaust_block_at(at_byte);
    void *const start = exhaust_address(at_byte);
    if (size == 0U) {
        exhaust_drop(at_byte);
        EXHAUST_EXPECT(HEAP(realloc)(heap, start, 0U) == NULL);
        return;
    }
    const bool stays = may_resize(block, size) == MUST_SUCCEED;
    const chance_t chance = stays ? MUST_SUCCEED : chance_of(heap_granules_for(&rules, size));
    void *const moved = HEAP(realloc)(heap, start, size);
    EXHAUST_EXPECT((moved == NULL) || ((moved == start) == stays));
    EXHAUST_EXPECT((moved == NULL) ? (chance != MUST_SUCCEED) : (chance != MUST_FAIL));
    if (moved != NULL) {
        (void)exhaust_moved(at_byte, moved, size, GRANULE);
    } else {
        exhaust_unchanged();
    }
}

static void perform(const exhaust_op_t *op)
{
    if (op->verb == REALLOC) {
        reallocate(op->at, op->size);
    } else {
        exhaust_perform(op);
    }
}

// A small heap is asked for blocks of every size, up to one granule more than there is room. A larger
// one, where two blocks of a bin may differ in size, for a few: a block that is alone in its bin, two of
// a bin, and so on.
static bool is_tried(size_t granules, size_t room)
{
    static const uint8_t coarse[] = {8U, 10U, 11U, 15U, 21U};
    bool is_coarse = false;
    for (size_t i = 0U; i < sizeof coarse; i++) {
        is_coarse = is_coarse || (granules == coarse[i]);
    }
    return (scale <= (size_t)SCALE_FINE) ? (granules <= room + 1U) : is_coarse;
}

static size_t largest_gap(void)
{
    size_t largest = 0U;
    for (size_t i = 0U; i <= exhaust_block_count(); i++) {
        largest = (gap_before(i) > largest) ? gap_before(i) : largest;
    }
    return largest;
}

// The smallest and the largest sizes that need so many granules.
static void list_acquires(exhaust_ops_t *ops, size_t granules)
{
    const size_t size = (granules * GRANULE) - WORD;
    const size_t size_min = (granules > MIN) ? size - GRANULE + 1U : 1U;
    exhaust_add_op(ops, EXHAUST_ACQUIRE, 0, size, GRANULE);
    exhaust_add_op(ops, EXHAUST_ACQUIRE, 0, size_min, 1U);
    if ((granules <= MIN + 3U) || (scale > (size_t)SCALE_FINE)) {
        exhaust_add_op(ops, EXHAUST_ACQUIRE, 0, size, 2U * GRANULE);
        exhaust_add_op(ops, EXHAUST_ACQUIRE, 0, size_min, 8U * GRANULE);
    }
}

// realloc where resize must fail, and once where it must not.
static void list_resizes(exhaust_ops_t *ops, size_t granules, size_t largest)
{
    const size_t size = (granules * GRANULE) - WORD;
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        const exhaust_block_t *const block = &exhaust_blocks[i];
        const size_t own = granules_of(block);
        const bool stays = may_resize(block, size) == MUST_SUCCEED;
        if (is_tried(granules, own + gap_before(i + 1U))) {
            exhaust_add_op(ops, EXHAUST_RESIZE, block->at, size, 0U);
        }
        if (stays ? (granules == own + 1U) : is_tried(granules, largest)) {
            exhaust_add_op(ops, REALLOC, block->at, size, 0U);
        }
    }
}

static void list(exhaust_ops_t *ops)
{
    const size_t largest = largest_gap();
    for (size_t granules = MIN; granules <= scale + 1U; granules++) {
        if (is_tried(granules, largest)) {
            list_acquires(ops, granules);
        }
        list_resizes(ops, granules, largest);
    }
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        exhaust_add_op(ops, EXHAUST_RELEASE, exhaust_blocks[i].at, 0U, 0U);
        exhaust_add_op(ops, REALLOC, exhaust_blocks[i].at, 0U, 0U);
    }
}

// ---- What holds in every state

// A block shown is a block held, or what lies between two of them.
typedef struct view {
    size_t block;  // In the list: the next.
    bool is_next_free;
} view_t;

static bool is_as_modelled(void *self, const mete_heap_block_t *shown)
{
    view_t *const view = self;
    const exhaust_block_t *const block = &exhaust_blocks[view->block];
    const size_t gap = gap_before(view->block);
    if (!shown->is_live) {
        const bool is_gap = view->is_next_free && (shown->size + WORD == gap * GRANULE);
        view->is_next_free = false;
        return is_gap;
    }
    const bool is_held = (view->block < exhaust_block_count()) &&
                         (exhaust_at(shown->block) == block->at) && (shown->size == block->room) &&
                         ((gap == 0U) || !view->is_next_free);
    view->block++;
    view->is_next_free = true;
    return is_held;
}

static bool has_counts(void)
{
    const mete_heap_usage_t usage = HEAP(usage)(heap);
    size_t in_use = 0U;
    size_t free_count = 0U;
    for (size_t i = 0U; i <= exhaust_block_count(); i++) {
        free_count += (gap_before(i) != 0U) ? 1U : 0U;
        if (i < exhaust_block_count()) {
            const exhaust_block_t *const block = &exhaust_blocks[i];
            in_use += granules_of(block);
            if (granules_of(block) - heap_granules_for(&rules, block->size) >= MIN) {
                return false;
            }
        }
    }
    return (usage.in_use_size == in_use * GRANULE) && (usage.total_size == scale * GRANULE) &&
           (usage.free_count == free_count) && (usage.in_use_peak >= usage.in_use_size);
}

static bool agrees(void)
{
    view_t view = {0U, true};
    return HEAP(check)(heap) && HEAP(walk)(heap, is_as_modelled, &view) &&
           (view.block == exhaust_block_count()) && has_counts();
}

// Of a free block its links matter; what follows them is anything.
static bool mask_free(void *self, const mete_heap_block_t *block)
{
    unsigned char *const copy = self;
    if (!block->is_live) {
        memset(copy + exhaust_at(block->block) + WORD, 0, block->size - WORD);
    }
    return true;
}

static void mask(unsigned char *copy)
{
    heap_t *const masked = (heap_t *)(void *)(copy + exhaust_at(heap));
    masked->refusals = 0U;
    masked->slack += SLACK(masked->free_min, 0U);
    masked->free_min = 0U;
    (void)HEAP(walk)(heap, mask_free, copy);
}

// ---- Misuse

// The start of a free block is recognised as such. Inside one it is as good to say that no block starts.
static unsigned faults_at(int at_byte)
{
    const unsigned foreign = 1U << METE_FAULT_FOREIGN;
    const unsigned twice = 1U << METE_FAULT_DOUBLE_FREE;
    if ((at_byte < first - WORD) || (at_byte >= first + ((int)scale * GRANULE) - WORD)) {
        return foreign;
    }
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        const exhaust_block_t *const block = &exhaust_blocks[i];
        const int free_start = block->at - ((int)gap_before(i) * GRANULE);
        if (at_byte < block->at - WORD) {
            return (at_byte == free_start) ? twice : foreign | twice;
        }
        if (at_byte < block->at + block->room) {
            return foreign;
        }
    }
    const int last_start = first + ((int)(scale - gap_before(exhaust_block_count())) * GRANULE);
    return (at_byte == last_start) ? twice : foreign | twice;
}

static void misuse_address(int at_byte)
{
    void *const address = exhaust_address(at_byte);
    const unsigned faults = faults_at(at_byte);
    exhaust_doing(EXHAUST_RELEASE, at_byte, 0U, 0U);
    HEAP(free)(heap, address);
    exhaust_refused(faults);
    exhaust_doing(EXHAUST_RESIZE, at_byte, 4U, 0U);
    EXHAUST_EXPECT(!HEAP(resize)(heap, address, 4U));
    exhaust_refused(faults);
    if (at_byte % GRANULE == 0) {
        exhaust_doing(REALLOC, at_byte, 20U, 0U);
        EXHAUST_EXPECT(HEAP(realloc)(heap, address, 20U) == NULL);
        exhaust_refused(faults);
    }
}

static unsigned faults_of_size(const exhaust_block_t *block, size_t size, size_t align)
{
    const size_t slack = granules_of(block) - heap_granules_for(&rules, size);
    const bool can_be = (slack < MIN) && ((uintptr_t)exhaust_address(block->at) % align == 0U);
    return can_be ? 0U : 1U << METE_FAULT_SIZE;
}

static void misuse(void)
{
    for (int at_byte = exhaust_first(); at_byte < exhaust_end(); at_byte++) {
        if (exhaust_block_at(at_byte) == NULL) {
            misuse_address(at_byte);
        }
    }
    exhaust_misuse_sizes(faults_of_size);
    exhaust_misuse_huge();
    exhaust_doing(EXHAUST_ACQUIRE, 0, 8U, 24U);
    EXHAUST_EXPECT(HEAP(alloc_aligned)(heap, 8U, 24U) == NULL);
    exhaust_refused(1U << METE_FAULT_ALIGN);
}

#define HEAP_SUBJECT(variant, suffix, start) \
    const exhaust_subject_t SUBJECT(variant) = { \
        .name = NAME suffix, \
        .verbs = verbs, \
        .init = (start), \
        .list = list, \
        .perform = perform, \
        .aligns = aligns, \
        .may_acquire = may_acquire, \
        .may_resize = may_resize, \
        .is_sound = agrees, \
        .mask = mask, \
        .misuse = misuse, \
        .is_whole_when_empty = true, \
    }

HEAP_SUBJECT(quick, ".k0", begin_quick);
HEAP_SUBJECT(close, ".k2", begin_close);
