// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_HEAP_ALONE_H
#define METE_TEST_HEAP_ALONE_H

/// What the tests of the heap begin with: a heap in 2 KiB, and a copy of them. Included behind heap.c or
/// heap_wide.c, whose names it uses.

#include "tests/support/tap.h"

enum { STORAGE_SIZE = 2048 };

static uint64_t storage[STORAGE_SIZE / 8];
static unsigned char copy[STORAGE_SIZE];
static mete_heap_config_t config;

// A heap in all of the storage but its last `rest` bytes.
static inline heap_t *setup_short(uint32_t search, size_t rest)
{
    config.storage.start = storage;
    config.storage.size = sizeof storage - rest;
    config.search = search;
    config.on_refusal = NULL;
    config.on_refusal_self = NULL;
    heap_t *const heap = HEAP(init)(&config);
    EXPECT((heap != NULL) && HEAP(check)(heap));
    return heap;
}

static inline heap_t *setup(uint32_t search)
{
    return setup_short(search, 0U);
}

// What a block of so many granules can hold.
static inline size_t payload_size(uint32_t granules)
{
    return ((size_t)granules * GRANULE) - WORD;
}

static inline void *alloc_granules(heap_t *heap, uint32_t granules)
{
    return HEAP(alloc)(heap, payload_size(granules));
}

static inline size_t free_count(const heap_t *heap)
{
    return HEAP(usage)(heap).free_count;
}

static inline size_t in_use(const heap_t *heap)
{
    return HEAP(usage)(heap).in_use_size;
}

static inline void keep_copy(void)
{
    mete_words_copy(copy, storage, sizeof storage);
}

static inline bool is_unchanged(void)
{
    bool same = true;
    for (size_t i = 0U; i < sizeof storage; i++) {
        same = same && (copy[i] == ((const unsigned char *)storage)[i]);
    }
    return same;
}

#endif
