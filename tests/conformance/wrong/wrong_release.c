// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What can be wrong with giving back.

#include "tests/conformance/wrong/wrong.h"

static void null_not_filtered(mete_alloc_t alloc, void *block, size_t size, size_t align)
{
    alloc.ops->release(alloc.self, block, size, align);
}

static void link_behind_the_block(void *self, void *block, size_t size, size_t align)
{
    unsigned char *const behind = (unsigned char *)block + size;
    *behind = (unsigned char)~*behind;
    reference_release(self, block, size, align);
}

static void forgets_all(void *self, void *block, size_t size, size_t align)
{
    (void)self;
    (void)block;
    (void)size;
    (void)align;
}

static void forgets_the_highest(void *self, void *block, size_t size, size_t align)
{
    const reference_t *const reference = self;
    if ((reference_find(reference, block) + 1U < reference->count) || (reference->count == 1U)) {
        reference_release(self, block, size, align);
    }
}

static void forgets_the_lowest(void *self, void *block, size_t size, size_t align)
{
    const reference_t *const reference = self;
    if ((reference_find(reference, block) != 0U) || (reference->count == 1U)) {
        reference_release(self, block, size, align);
    }
}

static void forgets_between_two(void *self, void *block, size_t size, size_t align)
{
    const reference_t *const reference = self;
    const size_t i = reference_find(reference, block);
    if ((i == 0U) || (i + 1U >= reference->count)) {
        reference_release(self, block, size, align);
    }
}

static void some_sizes_faulted(void *self, void *block, size_t size, size_t align)
{
    if (size % 8U == 5U) {
        METE_FAULT(METE_FAULT_SIZE, self, block);
        return;
    }
    reference_release(self, block, size, align);
}

static void forgets_the_aligned(void *self, void *block, size_t size, size_t align)
{
    if (align < 64U) {
        reference_release(self, block, size, align);
    }
}

static void wears_out(void *self, void *block, size_t size, size_t align)
{
    reference_t *const reference = self;
    reference_release(self, block, size, align);
    if ((reference->count == 0U) && (reference->arena.size >= 32U)) {
        reference->arena.start = (unsigned char *)reference->arena.start + 32;
        reference->arena.size -= 32U;
    }
}

// Acquires, unless the block would not be the highest and `is_allowed` is false.
static void *highest_or_allowed(reference_t *reference, size_t size, size_t align, bool is_allowed)
{
    void *const block = reference_acquire(reference, size, align);
    const size_t i = (block != NULL) ? reference_find(reference, block) : 0U;
    if ((block == NULL) || is_allowed || (i + 1U == reference->count)) {
        return block;
    }
    reference_remove(reference, i);
    return NULL;
}

static void *never_looks_back(void *self, size_t size, size_t align)
{
    return highest_or_allowed(self, size, align, false);
}

static void *stays_split(void *self, size_t size, size_t align)
{
    const reference_t *const reference = self;
    const bool is_refused = (reference->release_count != 0U) && (size > 4096U);
    return is_refused ? NULL : reference_acquire(self, size, align);
}

static void *joins_on_one_side(void *self, size_t size, size_t align)
{
    return highest_or_allowed(self, size, align, size <= 2U * (SUITE_ARENA_SIZE / 64U));
}

static void *scribbles_late(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    void *const block = reference_acquire(self, size, align);
    if ((reference->acquire_count > 100U) && (reference->acquire_count % 16U == 0U)) {
        reference->blocks[reference->count / 2U].start[0]++;
    }
    return block;
}

static void faults_late(void *self, void *block, size_t size, size_t align)
{
    const reference_t *const reference = self;
    reference_release(self, block, size, align);
    if (reference->release_count == 50U) {
        METE_FAULT(METE_FAULT_CORRUPT, self, block);
    }
}

static void forgets_late(void *self, void *block, size_t size, size_t align)
{
    reference_t *const reference = self;
    if (reference->release_count % 40U != 39U) {
        reference_release(self, block, size, align);
    } else {
        reference->release_count++;
    }
}

static const wrong_t wrongs[] = {
    {"releasing NULL does nothing", .calls.release = null_not_filtered},
    {"releasing leaves other blocks alone", .ops.release = link_behind_the_block},
    {"a released block can be had again", .ops.release = forgets_all},
    {"releasing last first restores everything", .ops.release = forgets_the_highest},
    {"releasing first first restores everything", .ops.release = forgets_the_lowest},
    {"releasing in random order restores everything", .ops.release = forgets_between_two},
    {"any size can be released", .ops.release = some_sizes_faulted},
    {"any alignment can be released", .ops.release = forgets_the_aligned},
    {"one block again and again wears nothing out", .ops.release = wears_out},
    {"every second block leaves holes of its size", .ops.acquire = never_looks_back},
    {"free neighbours join", .ops.acquire = stays_split},
    {"a block joins the free blocks on both sides", .ops.acquire = joins_on_one_side},
    {"random work keeps contents", .ops.acquire = scribbles_late},
    {"random work never faults", .ops.release = faults_late},
    {"random work loses nothing", .ops.release = forgets_late},
};

const wrong_group_t wrong_group_release = WRONG_GROUP(wrongs);
