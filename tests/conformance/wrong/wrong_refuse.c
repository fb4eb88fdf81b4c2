// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What can be wrong with requests that cannot be met.

#include "tests/conformance/wrong/wrong.h"

static void *size_zero_served(mete_alloc_t alloc, size_t size, size_t align)
{
    return (size != 0U) ? mete_acquire(alloc, size, align) : alloc.ops->acquire(alloc.self, 0U, 1U);
}

static void *bad_alignment_replaced(mete_alloc_t alloc, size_t size, size_t align)
{
    return mete_acquire(alloc, size, mete_align_is_legal(align) ? align : 8U);
}

static void bad_alignment_reported_and_ignored(mete_alloc_t alloc, void *block, size_t size,
                                               size_t align)
{
    if (mete_align_is_legal(align)) {
        mete_release(alloc, block, size, align);
    } else {
        mete_release(alloc, block, size, 8U);
        METE_FAULT(METE_FAULT_ALIGN, alloc.self, block);
    }
}

static void *array_that_wraps(mete_alloc_t alloc, size_t count, size_t size, size_t align)
{
    return mete_acquire(alloc, count * size, align);
}

static void *header_added_that_wraps(void *self, size_t size, size_t align)
{
    return reference_acquire(self, size + 8U, align);
}

static void *size_cut_to_16_bits(void *self, size_t size, size_t align)
{
    return reference_acquire(self, (uint16_t)size, align);
}

static void *refusal_that_costs(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    void *const block = reference_acquire(self, size, align);
    if ((block == NULL) && (reference->count == 0U)) {
        reference->arena.size -= 8U;
    }
    return block;
}

static void *exhaustion_taken_for_damage(void *self, size_t size, size_t align)
{
    void *const block = reference_acquire(self, size, align);
    if (block == NULL) {
        METE_FAULT(METE_FAULT_CORRUPT, self, NULL);
    }
    return block;
}

static void *exhaustion_noted_in_a_block(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    void *const block = reference_acquire(self, size, align);
    if ((block == NULL) && (reference->count != 0U)) {
        reference->blocks[0].start[0]++;
    }
    return block;
}

static void *exhausted_for_ever(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    void *const block = reference->is_spoilt ? NULL : reference_acquire(self, size, align);
    reference->is_spoilt = (block == NULL);
    return block;
}

static void *remembers_exhaustion(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    void *const block = reference_acquire(self, size, align);
    reference->is_spoilt = (block == NULL);
    return block;
}

static void forgets_once_after_exhaustion(void *self, void *block, size_t size, size_t align)
{
    reference_t *const reference = self;
    if (!reference->is_spoilt) {
        reference_release(self, block, size, align);
    }
    reference->is_spoilt = false;
}

static void *confused_by_refusal(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    if (reference->is_spoilt && (reference->count != 0U) && (size <= reference->blocks[0].size)) {
        reference->is_spoilt = false;
        return reference->blocks[0].start;
    }
    return remembers_exhaustion(self, size, align);
}

static const wrong_t wrongs[] = {
    {"size zero gives NULL and no fault", .calls.acquire = size_zero_served},
    {"a bad alignment is a fault", .calls.acquire = bad_alignment_replaced},
    {"releasing with a bad alignment has no effect",
     .calls.release = bad_alignment_reported_and_ignored},
    {"an array that overflows is refused", .calls.acquire_array = array_that_wraps},
    {"sizes near the top are refused", .ops.acquire = header_added_that_wraps},
    {"sizes above the memory are refused", .ops.acquire = size_cut_to_16_bits},
    {"a refused request costs nothing", .ops.acquire = refusal_that_costs},
    {"exhaustion is NULL and no fault", .ops.acquire = exhaustion_taken_for_damage},
    {"exhaustion leaves blocks alone", .ops.acquire = exhaustion_noted_in_a_block},
    {"exhaustion is not for ever", .ops.acquire = exhausted_for_ever},
    {"repeated exhaustion loses nothing",
     .ops = {.acquire = remembers_exhaustion, .release = forgets_once_after_exhaustion}},
    {"work goes on between refusals", .ops.acquire = confused_by_refusal},
};

const wrong_group_t wrong_group_refuse = WRONG_GROUP(wrongs);
