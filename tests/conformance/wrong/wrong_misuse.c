// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What can be wrong with noticing bugs of the program. `except` is the reference's release without
// the report of one kind of misuse: that misuse passes in silence.

#include "tests/conformance/wrong/wrong.h"

static void except(reference_t *reference, bool is_overlooked, void *block, size_t size,
                   size_t align)
{
    if (!is_overlooked) {
        reference_release(reference, block, size, align);
    }
}

static bool is(const reference_t *reference, mete_fault_t fault, const void *block, size_t size,
               size_t align)
{
    return reference_verify(reference, block, size, align) == (int)fault;
}

static void no_double_free(void *self, void *block, size_t size, size_t align)
{
    except(self, is(self, METE_FAULT_DOUBLE_FREE, block, size, align), block, size, align);
}

// True if the free memory in which `block` lies ends at a live block and is larger than one block.
static bool is_in_a_large_hole(const reference_t *reference, const void *block, size_t size)
{
    const size_t i = reference_find(reference, block);
    if ((i == 0U) || (i == reference->count)) {
        return true;
    }
    const reference_block_t *const before = &reference->blocks[i - 1U];
    return (size_t)(reference->blocks[i].start - before->start) > before->size + size;
}

static void no_double_free_once_joined(void *self, void *block, size_t size, size_t align)
{
    const bool is_overlooked = is(self, METE_FAULT_DOUBLE_FREE, block, size, align) &&
                               is_in_a_large_hole(self, block, size);
    except(self, is_overlooked, block, size, align);
}

static void no_double_free_when_empty(void *self, void *block, size_t size, size_t align)
{
    const reference_t *const reference = self;
    except(self, reference->count == 0U, block, size, align);
}

static bool resize_overlooks_free_blocks(void *self, void *block, size_t old_size, size_t new_size,
                                         size_t align)
{
    return !is(self, METE_FAULT_DOUBLE_FREE, block, old_size, align) &&
           reference_resize(self, block, old_size, new_size, align);
}

// True if `block` is in the memory, where neither a live block starts nor memory is free.
static bool is_interior(const reference_t *reference, const void *block, size_t size, size_t align)
{
    return mete_span_has(reference->arena, block) &&
           is(reference, METE_FAULT_FOREIGN, block, size, align);
}

static void aligned_interior_overlooked(void *self, void *block, size_t size, size_t align)
{
    const bool is_overlooked =
        is_interior(self, block, size, align) && mete_align_fits((uintptr_t)block, 8U);
    except(self, is_overlooked, block, size, align);
}

static void odd_interior_overlooked(void *self, void *block, size_t size, size_t align)
{
    const bool is_overlooked =
        is_interior(self, block, size, align) && !mete_align_fits((uintptr_t)block, 8U);
    except(self, is_overlooked, block, size, align);
}

static void foreign_overlooked(void *self, void *block, size_t size, size_t align)
{
    const reference_t *const reference = self;
    except(self, !mete_span_has(reference->arena, block), block, size, align);
}

static void unused_memory_overlooked(void *self, void *block, size_t size, size_t align)
{
    const reference_t *const reference = self;
    except(self, reference_find(reference, block) == reference->count, block, size, align);
}

// The size and alignment in the table of the block that starts at `block`, if one does.
static reference_block_t noted(const reference_t *reference, const void *block)
{
    return reference->blocks[reference_find(reference, block)];
}

static void larger_size_accepted(void *self, void *block, size_t size, size_t align)
{
    const size_t right = noted(self, block).size;
    reference_release(self, block, (size > right) ? right : size, align);
}

static void smaller_size_accepted(void *self, void *block, size_t size, size_t align)
{
    const size_t right = noted(self, block).size;
    reference_release(self, block, (size < right) ? right : size, align);
}

static void any_alignment_accepted(void *self, void *block, size_t size, size_t align)
{
    (void)align;
    reference_release(self, block, size, noted(self, block).align);
}

static bool resize_accepts_any_size(void *self, void *block, size_t old_size, size_t new_size,
                                    size_t align)
{
    (void)old_size;
    return reference_resize(self, block, noted(self, block).size, new_size, align);
}

static bool resize_overlooks_foreign(void *self, void *block, size_t old_size, size_t new_size,
                                     size_t align)
{
    const reference_t *const reference = self;
    return mete_span_has(reference->arena, block) &&
           reference_resize(self, block, old_size, new_size, align);
}

static void reported_and_carried_out(void *self, void *block, size_t size, size_t align)
{
    reference_t *const reference = self;
    const size_t next = reference_find(reference, block);
    const bool is_double = is(self, METE_FAULT_DOUBLE_FREE, block, size, align);
    reference_release(self, block, size, align);
    if (is_double && (next < reference->count)) {
        reference_remove(reference, next);
    }
}

static const wrong_t wrongs[] = {
    {"releasing a free block is refused", .ops.release = no_double_free},
    {"releasing a block that joined others is refused", .ops.release = no_double_free_once_joined},
    {"releasing after everything was released is refused",
     .ops.release = no_double_free_when_empty},
    {"resizing a free block is refused", .ops.resize = resize_overlooks_free_blocks},
    {"releasing what now lies inside a block is refused",
     .ops.release = aligned_interior_overlooked},
    {"releasing a foreign address is refused", .ops.release = foreign_overlooked},
    {"releasing an address inside a block is refused", .ops.release = odd_interior_overlooked},
    {"releasing memory never handed out is refused", .ops.release = unused_memory_overlooked},
    {"releasing with too large a size is refused", .ops.release = larger_size_accepted},
    {"releasing with too small a size is refused", .ops.release = smaller_size_accepted},
    {"releasing with a wrong alignment is refused", .ops.release = any_alignment_accepted},
    {"resizing with a wrong size is refused", .ops.resize = resize_accepts_any_size},
    {"resizing a foreign address is refused", .ops.resize = resize_overlooks_foreign},
    {"random double frees change nothing", .ops.release = reported_and_carried_out},
};

const wrong_group_t wrong_group_misuse = WRONG_GROUP(wrongs);
