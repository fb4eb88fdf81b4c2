// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Enough memory is free and yet a request is refused, because the free memory is in pieces.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"

enum { BLOCK_SIZE = 2048, BLOCK_COUNT_MAX = 16, REQUEST_SIZE = 4096, ALIGN = 8 };

static size_t fill(mete_alloc_t alloc, void *blocks[BLOCK_COUNT_MAX])
{
    size_t count = 0U;
    while (count < BLOCK_COUNT_MAX) {
        blocks[count] = mete_acquire(alloc, BLOCK_SIZE, ALIGN);
        if (blocks[count] == NULL) {
            break;
        }
        count++;
    }
    LOG("Filled the heap: # blocks of # bytes\n", count, BLOCK_SIZE);
    return count;
}

// Gives back every second block, from `first` on. Returns how many.
static size_t thin_out(mete_alloc_t alloc, void *const blocks[], size_t count, size_t first)
{
    size_t freed_count = 0U;
    for (size_t i = first; i < count; i += 2U) {
        mete_release(alloc, blocks[i], BLOCK_SIZE, ALIGN);
        freed_count++;
    }
    return freed_count;
}

static bool log_if_free(void *self, const mete_heap_block_t *block)
{
    size_t *const free_size = self;
    if (!block->is_live) {
        *free_size += block->size;
        LOG("Free block: # bytes\n", block->size);
    }
    return true;
}

static mete_frag_t log_free(const memory_t *memory)
{
    size_t free_size = 0U;
    (void)mete_heap_walk(memory->heap, log_if_free, &free_size);
    const mete_heap_usage_t usage = mete_heap_usage(memory->heap);
    LOG("Free: # bytes in # blocks, fragmentation # to # permille\n", free_size, usage.free_count,
        usage.frag.low_permille, usage.frag.high_permille);
    return usage.frag;
}

// True if the request is refused, as it must be.
static bool request(mete_alloc_t alloc)
{
    void *const block = mete_acquire(alloc, REQUEST_SIZE, ALIGN);
    if (block != NULL) {
        mete_release(alloc, block, REQUEST_SIZE, ALIGN);
        return false;
    }
    LOG("Request of # bytes refused\n", REQUEST_SIZE);
    return true;
}

bool fragmentation_topic(memory_t *memory)
{
    log_text("Testing fragmentation...\n");
    void *blocks[BLOCK_COUNT_MAX];
    const size_t count = fill(memory->alloc, blocks);
    const size_t freed_count = thin_out(memory->alloc, blocks, count, 0U);
    LOG("Freed every second: # blocks\n", freed_count);
    const mete_frag_t in_pieces = log_free(memory);
    const bool was_refused = request(memory->alloc);
    (void)thin_out(memory->alloc, blocks, count, 1U);
    log_text("Freed the others\n");
    const mete_frag_t whole = log_free(memory);
    return was_refused && (in_pieces.low_permille > 500U) && (whole.low_permille == 0U);
}
