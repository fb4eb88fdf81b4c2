// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The buddy as a subject of exhaustion. The first block that is large enough is taken, its first part: so
// the model says which one it is.

#include "mete/alloc/buddy.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum { SMALLEST = 8, COUNT_MAX = 32, BASE = 256 };

// Blocks begin at a multiple of BASE, for alignments up to that.
typedef struct layout {
    mete_buddy_t buddy;
    uint8_t table[METE_BUDDY_TABLE_SIZE(COUNT_MAX)];
} layout_t;
_Static_assert(sizeof(layout_t) <= BASE, "the blocks lie behind");

static layout_t *layout;
static mete_buddy_config_t config;

static exhaust_offer_t begin(mete_span_t arena, size_t scale)
{
    layout = arena.start;
    config = (mete_buddy_config_t){exhaust_address(BASE), layout->table, SMALLEST, scale};
    EXHAUST_EXPECT(mete_buddy_init(&layout->buddy, &config));
    const mete_span_t blocks = {config.blocks, SMALLEST * scale};
    return (exhaust_offer_t){mete_buddy_as_alloc(&layout->buddy), blocks, BASE + blocks.size};
}

// ---- The model

// Bytes of a block for a request.
static int bytes_for(size_t size, size_t align)
{
    size_t bytes = SMALLEST;
    while ((bytes < size) || (bytes < align)) {
        bytes *= 2U;
    }
    return (int)bytes;
}

// All of it lies in the blocks and is free, but for a block that may be there.
static bool is_free(int at, int bytes, const exhaust_block_t *but)
{
    bool is_clear = at + bytes <= BASE + (SMALLEST * (int)config.block_count);
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        const exhaust_block_t *const block = &exhaust_blocks[i];
        is_clear = is_clear &&
                   ((block == but) || (block->at + block->room <= at) || (at + bytes <= block->at));
    }
    return is_clear;
}

// The first place for a block of so many bytes, or -1.
static int place_for(int bytes)
{
    const int end = BASE + (SMALLEST * (int)config.block_count);
    for (int at = BASE; at < end; at += bytes) {
        if (is_free(at, bytes, NULL)) {
            return at;
        }
    }
    return -1;
}

static chance_t may_acquire(size_t size, size_t align)
{
    return (place_for(bytes_for(size, align)) >= 0) ? MUST_SUCCEED : MUST_FAIL;
}

static chance_t may_resize(const exhaust_block_t *block, size_t size)
{
    const int bytes = bytes_for(size, 1U);
    const bool can_be = ((block->at - BASE) % bytes == 0) && is_free(block->at, bytes, block);
    return ((bytes <= block->room) || can_be) ? MUST_SUCCEED : MUST_FAIL;
}

static void perform(const exhaust_op_t *op)
{
    if (op->verb == EXHAUST_ACQUIRE) {
        const int place = place_for(bytes_for(op->size, op->align));
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

// A block shown is held, or as large a free one as there can be at its place.
static bool is_as_modelled(void *self, const mete_buddy_block_t *shown)
{
    size_t *const live_count = self;
    const int at = exhaust_at(shown->block);
    const int bytes = (int)shown->size;
    const exhaust_block_t *const block = exhaust_block_at(at);
    if (shown->is_live) {
        (*live_count)++;
        return (block != NULL) && (block->room == bytes) &&
               (bytes == bytes_for(block->size, 1U) ||
                bytes == bytes_for(block->size, block->align));
    }
    const int joined = BASE + ((at - BASE) / (2 * bytes) * (2 * bytes));
    return (block == NULL) && is_free(at, bytes, NULL) && !is_free(joined, 2 * bytes, NULL);
}

static bool has_counts(void)
{
    const mete_buddy_usage_t usage = mete_buddy_usage(&layout->buddy);
    size_t in_use = 0U;
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        in_use += exhaust_blocks[i].room;
    }
    size_t largest = BASE;
    while ((largest >= SMALLEST) && (place_for((int)largest) < 0)) {
        largest /= 2U;
    }
    return (usage.total_size == SMALLEST * config.block_count) && (usage.in_use_size == in_use) &&
           (usage.largest_free_size == ((largest >= SMALLEST) ? largest : 0U)) &&
           (usage.in_use_peak >= in_use);
}

static bool is_sound(void)
{
    size_t live_count = 0U;
    return mete_buddy_check(&layout->buddy) &&
           mete_buddy_walk(&layout->buddy, is_as_modelled, &live_count) &&
           (live_count == exhaust_block_count()) && has_counts();
}

static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    masked->buddy.in_use_peak = 0U;
    masked->buddy.refusals = 0U;
    memset(copy + BASE, 0, SMALLEST * config.block_count);
}

// ---- Misuse

static unsigned fault_at(int at)
{
    const bool is_inside = (at >= BASE) && (at < BASE + (SMALLEST * (int)config.block_count));
    const bool is_twice = is_inside && (exhaust_block_around(at) == NULL);
    return 1U << (is_twice ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN);
}

static void misuse_address(int at)
{
    void *const address = exhaust_address(at);
    exhaust_doing(EXHAUST_RELEASE, at, 0U, 0U);
    mete_buddy_free(&layout->buddy, address);
    exhaust_refused(fault_at(at));
    exhaust_doing(EXHAUST_RESIZE, at, 1U, 0U);
    EXHAUST_EXPECT(!mete_buddy_resize(&layout->buddy, address, 1U));
    exhaust_refused(fault_at(at));
    EXHAUST_EXPECT(mete_buddy_size_of(&layout->buddy, address) == 0U);
}

static unsigned faults_of_size(const exhaust_block_t *block, size_t size, size_t align)
{
    return (bytes_for(size, align) == block->room) ? 0U : 1U << METE_FAULT_SIZE;
}

static void misuse(void)
{
    for (int at = exhaust_first(); at < exhaust_end(); at++) {
        if (exhaust_block_at(at) == NULL) {
            misuse_address(at);
        }
    }
    exhaust_misuse_sizes(faults_of_size);
    exhaust_misuse_huge();
    exhaust_doing(EXHAUST_ACQUIRE, 0, 8U, 24U);
    EXHAUST_EXPECT(mete_buddy_alloc_aligned(&layout->buddy, 8U, 24U) == NULL);
    exhaust_refused(1U << METE_FAULT_ALIGN);
}

const exhaust_subject_t exhaust_buddy = {
    .name = "buddy",
    .init = begin,
    .perform = perform,
    .sizes =
        (const uint16_t[]){1U, 8U, 9U, 16U, 17U, 32U, 33U, 64U, 65U, 128U, 129U, 256U, 257U, 0U},
    .aligns = (const uint16_t[]){1U, 32U, 256U, 0U},
    .may_acquire = may_acquire,
    .may_resize = may_resize,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
    .is_whole_when_empty = true,
};
