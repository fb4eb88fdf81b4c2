// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What can be wrong with acquiring. Each function has one flaw, for the case named in the table.

#include "tests/conformance/wrong/wrong.h"

static void *no_single_bytes(void *self, size_t size, size_t align)
{
    return (size > 1U) ? reference_acquire(self, size, align) : NULL;
}

static void *nothing_large(void *self, size_t size, size_t align)
{
    const reference_t *const reference = self;
    return (size <= reference->arena.size - 64U) ? reference_acquire(self, size, align) : NULL;
}

static void *a_gap_in_the_sizes(void *self, size_t size, size_t align)
{
    const bool is_refused = (size >= 100U) && (size < 120U);
    return is_refused ? NULL : reference_acquire(self, size, align);
}

static void *too_few(void *self, size_t size, size_t align)
{
    const reference_t *const reference = self;
    return (reference->count < 7U) ? reference_acquire(self, size, align) : NULL;
}

static void *alignment_up_to_16(void *self, size_t size, size_t align)
{
    return reference_acquire(self, size, (align <= 16U) ? align : 16U);
}

static void *alignment_up_to_4096(void *self, size_t size, size_t align)
{
    return reference_acquire(self, size, (align <= 4096U) ? align : 4096U);
}

static void *aligned_downwards(void *self, size_t size, size_t align)
{
    unsigned char *const block = reference_acquire(self, size, 1U);
    return (block != NULL) ? block - ((uintptr_t)block % align) : NULL;
}

// Notes in the table that the block just acquired has another size.
static void *noted_as(reference_t *reference, void *block, size_t size)
{
    if (block != NULL) {
        reference->blocks[reference_find(reference, block)].size = size;
    }
    return block;
}

static void *header_not_counted(void *self, size_t size, size_t align)
{
    return noted_as(self, reference_acquire(self, size, align), (size > 8U) ? size - 8U : size);
}

static void *rounded_down(void *self, size_t size, size_t align)
{
    const size_t rounded = size - (size % 4U);
    return noted_as(self, reference_acquire(self, size, align), (size < 64U) ? rounded : size);
}

static void *over_the_end(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    void *const block = reference_acquire(self, size, align);
    unsigned char *const end = (unsigned char *)reference->arena.start + reference->arena.size;
    return (block != NULL) ? block : end - 1;
}

static void *mark_behind_the_memory(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    void *const block = reference_acquire(self, size, align);
    if (block == NULL) {
        ((unsigned char *)reference->arena.start)[reference->arena.size] = 0U;
    }
    return block;
}

static void mark_in_the_block(void *self, void *block, size_t size, size_t align)
{
    if (*(const unsigned char *)block == 0xFFU) {
        METE_FAULT(METE_FAULT_CORRUPT, self, block);
        return;
    }
    reference_release(self, block, size, align);
}

static void *footer_in_the_block_before(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    unsigned char *const block = reference_acquire(self, size, align);
    if ((block != NULL) && (block != reference->arena.start)) {
        block[-1] = (unsigned char)~block[-1];
    }
    return block;
}

static void reads_before_it_wrote(reference_t *reference, mete_span_t arena)
{
    reference_init(reference, arena);
    if (*(const unsigned char *)arena.start == 0xFFU) {
        reference->arena.size /= 2U;
    }
}

static void only_once(reference_t *reference, mete_span_t arena)
{
    if (reference->arena.start == NULL) {
        reference_init(reference, arena);
    }
}

static void *zeroed_by_words(mete_alloc_t alloc, size_t size, size_t align)
{
    void *const block = mete_acquire(alloc, size, align);
    if (block != NULL) {
        mete_words_fill(block, 0U, size - (size % 4U));
    }
    return block;
}

static void counter_in_the_first_block(void *self, void *block, size_t size, size_t align)
{
    reference_t *const reference = self;
    reference_release(self, block, size, align);
    if (reference->count != 0U) {
        reference->blocks[0].start[0]++;
    }
}

static void *array_of_one(mete_alloc_t alloc, size_t count, size_t size, size_t align)
{
    (void)count;
    return mete_acquire(alloc, size, align);
}

static const wrong_t wrongs[] = {
    {"one byte can be had", .ops.acquire = no_single_bytes},
    {"the largest block promised can be had", .ops.acquire = nothing_large},
    {"every size up to the largest is served", .ops.acquire = a_gap_in_the_sizes},
    {"the promised number of blocks can be had", .ops.acquire = too_few},
    {"every alignment promised is honoured", .ops.acquire = alignment_up_to_16},
    {"a larger alignment is honoured or refused", .ops.acquire = alignment_up_to_4096},
    {"alignments may be mixed", .ops.acquire = aligned_downwards},
    {"blocks do not overlap", .ops.acquire = header_not_counted},
    {"small blocks of odd sizes do not overlap", .ops.acquire = rounded_down},
    {"blocks lie in the memory given", .ops.acquire = over_the_end},
    {"nothing is written around the memory given", .ops.acquire = mark_behind_the_memory},
    {"every byte of a block is the caller's", .ops.release = mark_in_the_block},
    {"acquiring leaves other blocks alone", .ops.acquire = footer_in_the_block_before},
    {"memory need not be clean", .init = reads_before_it_wrote},
    {"making it again frees everything", .init = only_once},
    {"zeroed memory is zero", .calls.acquire_zeroed = zeroed_by_words},
    {"zeroed memory stays zero", .ops.release = counter_in_the_first_block},
    {"an array has room for its elements", .calls.acquire_array = array_of_one},
};

const wrong_group_t wrong_group_acquire = WRONG_GROUP(wrongs);
