// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The list as a subject of exhaustion. First fit leaves nothing open: the model says of every request
// whether it is served, and by which free block.

#include "mete/alloc/list.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum { WORD = (int)sizeof(uintptr_t), GRANULE = 2 * WORD, LEAD = GRANULE - WORD };

static mete_list_t *list;
static size_t scale;   // Granules in all.
static size_t search;  // Free blocks that are looked at.
static int first;      // The first payload.
static uint16_t sizes[32];

static exhaust_offer_t begin(mete_span_t arena, size_t granules, size_t limit)
{
    const size_t size = LEAD + sizeof(mete_list_t) + (granules * GRANULE);
    const mete_list_config_t config = {{arena.start, size}, limit};
    scale = granules;
    search = (limit != 0U) ? limit : SIZE_MAX;
    list = mete_list_init(&config);
    first = LEAD + (int)sizeof(mete_list_t) + WORD;
    size_t count = 0U;
    for (size_t i = 1U; i <= granules + 1U; i++) {
        sizes[count++] = (uint16_t)((i * GRANULE) - WORD);
    }
    sizes[count] = 0U;
    const mete_span_t blocks = {exhaust_address(first), (granules * GRANULE) - WORD};
    return (exhaust_offer_t){mete_list_as_alloc(list), blocks, size};
}

static exhaust_offer_t begin_all(mete_span_t arena, size_t granules)
{
    return begin(arena, granules, 0U);
}

static exhaust_offer_t begin_limited(mete_span_t arena, size_t granules)
{
    return begin(arena, granules, 2U);
}

// ---- What is free

static int gap_start(size_t block)
{
    return (block == 0U) ? first
                         : exhaust_blocks[block - 1U].at + exhaust_blocks[block - 1U].room + WORD;
}

static int gap_end(size_t block)
{
    return (block < exhaust_block_count()) ? exhaust_blocks[block].at
                                           : first + ((int)scale * GRANULE);
}

static int bytes_for(size_t size)
{
    return ((int)size + WORD + GRANULE - 1) / GRANULE * GRANULE;
}

// A block is as large as its request needs, or a rest stays with it that would make none of two granules.
static bool is_room_for(const exhaust_block_t *block, size_t size)
{
    const int rest = block->room + WORD - bytes_for(size);
    return (rest == 0) || (rest == GRANULE);
}

// The first of the free blocks that are looked at with room behind its first aligned address; or -1.
static int place_for(size_t size, size_t align)
{
    size_t looks = 0U;
    for (size_t i = 0U; i <= exhaust_block_count(); i++) {
        const int start = gap_start(i);
        if (start == gap_end(i)) {
            continue;
        }
        const int place =
            exhaust_at((void *)mete_align_up((uintptr_t)exhaust_address(start), align));
        looks++;
        if ((looks <= search) && (place + bytes_for(size) <= gap_end(i))) {
            return place;
        }
    }
    return -1;
}

static chance_t may_acquire(size_t size, size_t align)
{
    return (place_for(size, align) >= 0) ? MUST_SUCCEED : MUST_FAIL;
}

static chance_t may_resize(const exhaust_block_t *block, size_t size)
{
    const size_t next = (size_t)(block - exhaust_blocks) + 1U;
    return (block->at + bytes_for(size) <= gap_end(next)) ? MUST_SUCCEED : MUST_FAIL;
}

static void perform(const exhaust_op_t *op)
{
    if (op->verb == EXHAUST_ACQUIRE) {
        const int place = place_for(op->size, op->align);
        const exhaust_block_t *const block =
            exhaust_acquire(op->size, op->align, may_acquire(op->size, op->align));
        EXHAUST_EXPECT((block == NULL) || (block->at == place));
        if (block == NULL) {
            exhaust_unchanged();
        }
    } else {
        exhaust_perform(op);
    }
}

// ---- What holds in every state

typedef struct view {
    size_t block;  // In the list: the next.
    bool is_next_free;
} view_t;

static bool is_as_modelled(void *self, const mete_list_block_t *shown)
{
    view_t *const view = self;
    const int at = exhaust_at(shown->block);
    const int gap = gap_end(view->block) - gap_start(view->block);
    if (!shown->is_live) {
        const bool is_gap = view->is_next_free && (at == gap_start(view->block)) &&
                            ((int)shown->size + WORD == gap);
        view->is_next_free = false;
        return is_gap;
    }
    const exhaust_block_t *const block = &exhaust_blocks[view->block];
    const bool is_held = (view->block < exhaust_block_count()) && (at == block->at) &&
                         (shown->size == block->room) && is_room_for(block, block->size) &&
                         ((gap == 0) || !view->is_next_free);
    view->block++;
    view->is_next_free = true;
    return is_held;
}

static bool has_counts(void)
{
    const mete_list_usage_t usage = mete_list_usage(list);
    int free_size = 0;
    int largest = 0;
    size_t free_count = 0U;
    for (size_t i = 0U; i <= exhaust_block_count(); i++) {
        const int gap = gap_end(i) - gap_start(i);
        free_size += gap;
        free_count += (gap != 0) ? 1U : 0U;
        largest = (gap > largest) ? gap : largest;
    }
    return (usage.total_size == scale * GRANULE) &&
           (usage.total_size - usage.in_use_size == (size_t)free_size) &&
           (usage.in_use_peak >= usage.in_use_size) && (usage.free_count == free_count) &&
           (usage.largest_free_size == ((largest != 0) ? (size_t)(largest - WORD) : 0U));
}

static bool is_sound(void)
{
    view_t view = {0U, true};
    return mete_list_check(list) && mete_list_walk(list, is_as_modelled, &view) &&
           (view.block == exhaust_block_count()) && has_counts();
}

// Of a block its size matters, and the link of a free one. The tag tells no more, and level 0 keeps none.
static bool mask_block(void *self, const mete_list_block_t *block)
{
    unsigned char *const payload = (unsigned char *)self + exhaust_at(block->block);
    memset(payload - (WORD / 2), 0, WORD / 2);
    if (!block->is_live) {
        memset(payload + WORD, 0, block->size - WORD);
    }
    return true;
}

static void mask(unsigned char *copy)
{
    mete_list_t *const masked = (mete_list_t *)(void *)(copy + exhaust_at(list));
    masked->refusals = 0U;
    masked->in_use_peak = 0U;
    memset(copy + exhaust_at(list) + (WORD / 2), 0, WORD / 2);
    (void)mete_list_walk(list, mask_block, copy);
}

// ---- Misuse

// Contents never pass for a header: its two halves differ in the lowest bit, as its address is even, and
// those of a pattern that goes up by 7 from byte to byte are equal there.
static unsigned fault_at(int at)
{
    const bool is_outside = (at < first - WORD) || (at >= first - WORD + ((int)scale * GRANULE));
    bool is_held = false;
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        const exhaust_block_t *const block = &exhaust_blocks[i];
        is_held = is_held || ((at >= block->at - WORD) && (at < block->at + block->room));
    }
    return 1U << ((is_outside || is_held) ? METE_FAULT_FOREIGN : METE_FAULT_DOUBLE_FREE);
}

static void misuse_address(int at)
{
    void *const address = exhaust_address(at);
    exhaust_doing(EXHAUST_RELEASE, at, 0U, 0U);
    mete_list_free(list, address);
    exhaust_refused(fault_at(at));
    exhaust_doing(EXHAUST_RESIZE, at, 1U, 0U);
    EXHAUST_EXPECT(!mete_list_resize(list, address, 1U));
    exhaust_refused(fault_at(at));
}

static unsigned faults_of_size(const exhaust_block_t *block, size_t size, size_t align)
{
    const bool can_be =
        is_room_for(block, size) && ((uintptr_t)exhaust_address(block->at) % align == 0U);
    return can_be ? 0U : 1U << METE_FAULT_SIZE;
}

static void misuse(void)
{
    for (int at = exhaust_first(); at < exhaust_end(); at++) {
        if (exhaust_block_at(at) == NULL) {
            misuse_address(at);
        }
    }
    exhaust_misuse_sizes(faults_of_size);
    exhaust_doing(EXHAUST_ACQUIRE, 0, 8U, 24U);
    EXHAUST_EXPECT(mete_list_alloc_aligned(list, 8U, 24U) == NULL);
    exhaust_refused(1U << METE_FAULT_ALIGN);
    EXHAUST_EXPECT(mete_list_alloc(list, 0U) == NULL);
    exhaust_misuse_huge();  // Refusals are counted: it brings back what was.
}

#define LIST_SUBJECT(variant, label, start) \
    const exhaust_subject_t variant = { \
        .name = (label), \
        .init = (start), \
        .perform = perform, \
        .sizes = sizes, \
        .aligns = (const uint16_t[]){8U, 32U, 64U, 0U}, \
        .may_acquire = may_acquire, \
        .may_resize = may_resize, \
        .is_sound = is_sound, \
        .mask = mask, \
        .misuse = misuse, \
        .is_whole_when_empty = true, \
    }

LIST_SUBJECT(exhaust_list, "list", begin_all);
LIST_SUBJECT(exhaust_list_limited, "list.limited", begin_limited);
