// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEAP_WIDE_H
#define METE_HEAP_WIDE_H

/// The heap for large memory: external RAM, Linux gateways. As mete/alloc/heap.h, but
///
///   Limits   All regions within 16 GiB from the start of the first.
///   Space    8 bytes a block; sizes are rounded up to 8n, at least 8. Control block
///            sizeof(mete_heap_wide_t), about 560 bytes.
///
/// Every function does what its namesake in heap.h does. Both heaps may be used in one program.

#include "mete/alloc/heap.h"

#ifdef __cplusplus
extern "C" {
#endif

/// As mete_heap_t with twice the width: 63 bins, words of 8 bytes.
typedef struct mete_heap_wide {
    uint64_t map;  // Bin b has a free block: bit 63 - b.
    struct {
        uint32_t next, back;
    } bins[63];
    uint32_t last;
    uint32_t end;
    uint32_t next;
    uint32_t free_min;
    uint64_t free_squares;
    uint64_t slack;  // Free granules above `free_min`, times 2^32, plus the number of free blocks.
    uint32_t refusals;
    size_t quick;
    const mete_heap_config_t *config;
} mete_heap_wide_t;

#define METE_HEAP_WIDE_SIZE_MIN (sizeof(mete_heap_wide_t) + 48U)

mete_heap_wide_t *mete_heap_wide_init(const mete_heap_config_t *config);
bool mete_heap_wide_add(mete_heap_wide_t *heap, mete_span_t region);

#ifndef METE_NO_DIRECT_CALLS
void *mete_heap_wide_alloc(mete_heap_wide_t *heap, size_t size);
void *mete_heap_wide_alloc_aligned(mete_heap_wide_t *heap, size_t size, size_t align);
void mete_heap_wide_free(mete_heap_wide_t *heap, void *block);
bool mete_heap_wide_resize(mete_heap_wide_t *heap, void *block, size_t size);
void *mete_heap_wide_realloc(mete_heap_wide_t *heap, void *block, size_t size);
#endif

bool mete_heap_wide_owns(const mete_heap_wide_t *heap, const void *address);
size_t mete_heap_wide_size_of(const mete_heap_wide_t *heap, const void *block);
mete_heap_usage_t mete_heap_wide_usage(const mete_heap_wide_t *heap);
bool mete_heap_wide_walk(const mete_heap_wide_t *heap,
                         bool (*visit)(void *self, const mete_heap_block_t *block), void *self);
bool mete_heap_wide_check(const mete_heap_wide_t *heap);
mete_alloc_t mete_heap_wide_as_alloc(mete_heap_wide_t *heap);

/// Storage and config for a wide heap are those of a narrow one.
#define METE_HEAP_WIDE_DEFINE(name, bytes) METE_HEAP_DEFINE(name, bytes)

#ifdef __cplusplus
}
#endif
#endif
