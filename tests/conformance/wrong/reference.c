// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/conformance/wrong/reference.h"

void reference_init(reference_t *reference, mete_span_t arena)
{
    reference->arena = arena;
    reference->count = 0U;
    reference->acquire_count = 0U;
    reference->release_count = 0U;
    reference->is_spoilt = false;
}

static unsigned char *end_of_arena(const reference_t *reference)
{
    return (unsigned char *)reference->arena.start + reference->arena.size;
}

size_t reference_find(const reference_t *reference, const void *address)
{
    size_t i = 0U;
    while ((i < reference->count) && ((uintptr_t)reference->blocks[i].start < (uintptr_t)address)) {
        i++;
    }
    return i;
}

// Where the gap in front of the block `index` starts and, for the last gap, where it ends.
static unsigned char *gap_start(const reference_t *reference, size_t index)
{
    if (index == 0U) {
        return reference->arena.start;
    }
    return reference->blocks[index - 1U].start + reference->blocks[index - 1U].size;
}

static unsigned char *gap_end(const reference_t *reference, size_t index)
{
    return (index == reference->count) ? end_of_arena(reference) : reference->blocks[index].start;
}

static void insert(reference_t *reference, size_t index, reference_block_t block)
{
    for (size_t i = reference->count; i > index; i--) {
        reference->blocks[i] = reference->blocks[i - 1U];
    }
    reference->blocks[index] = block;
    reference->count++;
}

void reference_remove(reference_t *reference, size_t index)
{
    reference->count--;
    for (size_t i = index; i < reference->count; i++) {
        reference->blocks[i] = reference->blocks[i + 1U];
    }
}

void *reference_acquire(void *self, size_t size, size_t align)
{
    reference_t *const reference = self;
    reference->acquire_count++;
    const bool has_entry = reference->count < REFERENCE_BLOCK_COUNT_MAX;
    for (size_t i = 0U; has_entry && (i <= reference->count); i++) {
        unsigned char *const start = gap_start(reference, i);
        const size_t room = (size_t)(gap_end(reference, i) - start);
        const size_t skip = (size_t)(mete_align_up((uintptr_t)start, align) - (uintptr_t)start);
        if ((skip <= room) && (size <= room - skip)) {
            insert(reference, i, (reference_block_t){start + skip, size, align});
            return start + skip;
        }
    }
    return NULL;
}

int reference_verify(const reference_t *reference, const void *block, size_t size, size_t align)
{
    const size_t i = reference_find(reference, block);
    const reference_block_t *const found = &reference->blocks[i];
    if (!mete_span_has(reference->arena, block)) {
        return METE_FAULT_FOREIGN;
    }
    if ((i < reference->count) && (found->start == block)) {
        return ((found->size == size) && (found->align == align)) ? 0 : METE_FAULT_SIZE;
    }
    const bool is_free = (uintptr_t)block >= (uintptr_t)gap_start(reference, i);
    return is_free ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN;
}

void reference_release(void *self, void *block, size_t size, size_t align)
{
    reference_t *const reference = self;
    const int fault = reference_verify(reference, block, size, align);
    if (fault != 0) {
        METE_FAULT(fault, reference, block);
        return;
    }
    reference->release_count++;
    reference_remove(reference, reference_find(reference, block));
}

bool reference_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    reference_t *const reference = self;
    const int fault = reference_verify(reference, block, old_size, align);
    if (fault != 0) {
        METE_FAULT(fault, reference, block);
        return false;
    }
    const size_t i = reference_find(reference, block);
    const size_t room = (size_t)(gap_end(reference, i + 1U) - reference->blocks[i].start);
    const bool fits = new_size <= room;
    reference->blocks[i].size = fits ? new_size : old_size;
    return fits;
}

bool reference_owns(const void *self, const void *address)
{
    const reference_t *const reference = self;
    return mete_span_has(reference->arena, address);
}

size_t reference_size_of(const void *self, const void *block)
{
    const reference_t *const reference = self;
    return reference->blocks[reference_find(reference, block)].size;
}
