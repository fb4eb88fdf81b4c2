// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_BACKEND_H
#define METE_TOOLS_BACKEND_H

/// The allocators that a trace can be replayed on, as a table. A new allocator is one line in it.

#include "mete/alloc/arena.h"
#include "mete/alloc/buddy.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/movable.h"
#include "mete/core/alloc.h"
#include "mete/core/frag.h"
#include "mete/core/span.h"

/// An allocator made by a back end. It must not be moved: the allocator may point into it.
typedef struct backend_state {
    mete_alloc_t alloc;
    void *allocator;                 // At the start of the arena, or NULL.
    size_t block_count_max;          // Blocks that must be possible at once. Set before init.
    mete_heap_config_t heap_config;  // Of the heaps.
    mete_buddy_config_t buddy_config;
    mete_movable_config_t movable_config;
} backend_state_t;

typedef struct backend {
    const char *name;
    const char *summary;  ///< Half a line for --help.
    size_t arena_max;     ///< The largest arena it can use, in bytes; 0: it takes none.

    /// Makes the allocator in an arena aligned to 8. False if the arena is too small or too large.
    bool (*init)(backend_state_t *state, mete_span_t arena, uint32_t search);

    /// Bytes of the arena that blocks, headers included, can occupy. NULL without an arena.
    size_t (*total_size)(const backend_state_t *state);

    /// Where a block is until the next call. NULL: what acquire returned is its address, for good. Else
    /// it is not, and the block must be resized by resize.
    void *(*locate)(const backend_state_t *state, void *block);

    /// Fragmentation of the free memory. NULL: not known.
    mete_frag_t (*frag)(const backend_state_t *state);

    /// True if the bookkeeping is consistent. NULL: not known.
    bool (*check)(const backend_state_t *state);

    /// What a block of n bytes occupies, or at least: n + header, rounded up to a granule, `block_min`.
    /// A granule of 0: not known.
    size_t header, granule, block_min;
} backend_t;

extern const backend_t backends[];
extern const size_t backend_count;

/// The back end of that name, or NULL.
const backend_t *backend_find(const char *name);

/// Bytes that a block of `size` occupies, header included. 0 for size 0.
uint64_t backend_block_size(const backend_t *backend, uint64_t size);

#endif
