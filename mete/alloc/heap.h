// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEAP_H
#define METE_HEAP_H

/// General-purpose heap: blocks of any size, every operation in bounded time.
///
/// Reach for the heap when sizes vary and lifetimes do not nest. Where all blocks have one size a
/// pool is smaller and cannot fragment; where everything dies together an arena costs nothing.
///
///     METE_HEAP_DEFINE(app, 16384);
///     mete_heap_t *const heap = mete_heap_init(&app_config);
///     void *const block = mete_heap_alloc(heap, 100);
///     mete_heap_free(heap, block);
///
///   Time     init: O(1). alloc, free, resize: O(1), no loop but the search (at most `search` blocks
///            in each of two bins). realloc, if it moves: O(size). owns, add: O(regions).
///            check, walk: O(blocks), and so is a fault that says why a free or resize was refused.
///            docs/costs.md has the instruction counts.
///   Space    4 bytes a block; sizes are rounded up to 8n + 4. The control block (sizeof(mete_heap_t),
///            156 bytes on 32-bit targets) and 4 to 8 bytes a region are taken from the storage.
///   Align    8 bytes; mete_heap_alloc_aligned() for more.
///   Limits   All regions within 256 KiB from the start of the first, and a block of at most
///            METE_HEAP_BLOCK_SIZE_MAX bytes. mete/alloc/heap_wide.h has no such limits.
///   Threads  Not synchronised. Calls on one heap must exclude each other; interrupts included.
///   Errors   Out of memory is NULL, counted. Misuse and damage: METE_FAULT, and nothing changes.
///
/// Good fit in segregated bins, two per octave, after Wilson et al., "Dynamic Storage Allocation: A
/// Survey and Critical Review" (1995); a bitmap finds the bin as in half-fit (Ogasawara 1995) and
/// TLSF (Masmano et al. 2004). New is the header, which two neighbours keep in agreement.

#include "mete/core/alloc.h"
#include "mete/core/frag.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A heap. It lies at the start of its storage; use the functions to read it. A block is named by the
/// index of its payload, in words of 4 bytes from here; its header is the word in front. A free block
/// begins with its links. So does a bin's sentinel: bin b is at index b, as if it were a block.
typedef struct mete_heap {
    uint32_t map;  // Bin b has a free block: bit 31 - b.
    struct {
        uint16_t next, back;
    } bins[31];
    uint16_t last;      // The end of the region that reaches farthest: no index is beyond.
    uint16_t end;       // The end of the first region.
    uint16_t next;      // The word that describes the next region, or 0.
    uint16_t free_min;  // The fewest granules that were ever free.
    uint32_t refusals;
    uint32_t free_squares;  // Sum of the squares of the free blocks' sizes in granules.
    uint32_t slack;  // Free granules above `free_min`, times 65536, plus the number of free blocks.
    uint32_t quick;  // Sizes below this plus 1 are served without a search.
    const struct mete_heap_config *config;
} mete_heap_t;

/// Where a heap lives and how it behaves. The heap keeps a pointer to this, so it must outlive the
/// heap; const is best, for then it costs flash and no RAM.
typedef struct mete_heap_config {
    mete_span_t storage;  ///< First region. METE_HEAP_SIZE_MIN bytes suffice. Any alignment.

    /// Blocks looked at in each of two bins before one is taken; with a search, blocks below 60 bytes
    /// come from the end of what is found, and so seldom grow in place. 0 is fastest; 2 costs a fifth
    /// more time to allocate, and on recorded programs saves up to 7 % of the memory and never costs
    /// more than 1 %; beyond 4 nothing is gained. docs/costs.md has both.
    uint32_t search;

    /// Called when a request cannot be met, before NULL is returned: it may free something, and
    /// returns true if the request should be tried once more. May be NULL. `size` is what one free
    /// block would have to hold, room for alignment included. The heap is in a consistent state.
    bool (*on_refusal)(void *self, size_t size);
    void *on_refusal_self;
} mete_heap_config_t;

/// The largest block: 255 KiB. More is refused even of a heap that would have it.
#define METE_HEAP_BLOCK_SIZE_MAX 261120U

/// Bytes of storage that suffice for one block of 8 bytes, whatever the storage's alignment.
#define METE_HEAP_SIZE_MIN (sizeof(mete_heap_t) + 32U)

/// How full a heap is. Bytes include the headers of blocks.
typedef struct {
    size_t total_size;   ///< Bytes in all regions that blocks can occupy.
    size_t in_use_size;  ///< Bytes in blocks handed out.
    size_t in_use_peak;  ///< The most ever handed out at once, in bytes.
    size_t free_count;   ///< Free blocks.
    size_t refusals;     ///< Requests that could not be met, modulo 2^32.
    mete_frag_t frag;    ///< Fragmentation of the free memory.
} mete_heap_usage_t;

/// A block as mete_heap_walk() shows it.
typedef struct mete_heap_block {
    void *block;   ///< What alloc returned, or would.
    size_t size;   ///< Bytes usable.
    bool is_live;  ///< Handed out, not free.
} mete_heap_block_t;

/// Makes a heap in the storage and returns it; it lies at the start of the storage. All blocks that
/// were held become invalid. NULL, with nothing written, if the config breaks a limit stated above.
mete_heap_t *mete_heap_init(const mete_heap_config_t *config);

/// Adds a region, at any time. It must lie behind the first and within its window; it may adjoin
/// another, but not overlap it. What lies between regions is not used, but must be readable memory: a damaged index may
/// lead there before it is recognised. False, with nothing changed, if it does not fit.
bool mete_heap_add(mete_heap_t *heap, mete_span_t region);

#ifndef METE_NO_DIRECT_CALLS
/// Returns `size` bytes aligned to 8, contents unspecified, or NULL. Size 0 gives NULL.
void *mete_heap_alloc(mete_heap_t *heap, size_t size);

/// As mete_heap_alloc(), aligned to `align`, a power of two; else METE_FAULT_ALIGN and NULL.
void *mete_heap_alloc_aligned(mete_heap_t *heap, size_t size, size_t align);

/// Takes a block back. NULL is allowed and does nothing. Faults, without effect: FOREIGN if `block`
/// cannot be a block of this heap, DOUBLE_FREE if it is free, CORRUPT if a neighbour disagrees.
void mete_heap_free(mete_heap_t *heap, void *block);

/// Changes a block's size in place: shrinks, or grows into a free block behind. False leaves it as
/// it was; so does size 0. Faults as mete_heap_free().
bool mete_heap_resize(mete_heap_t *heap, void *block, size_t size);

/// Resizes in place if that can be done, else moves what fits to a new block aligned to 8. NULL
/// leaves the block as it was, unless `size` is 0, which frees it. A NULL block allocates.
void *mete_heap_realloc(mete_heap_t *heap, void *block, size_t size);
#endif

/// True if `address` lies in a region of this heap. O(regions).
bool mete_heap_owns(const mete_heap_t *heap, const void *address);

/// Bytes usable in a block that is held: at least as many as were asked for. That it is held is not verified: what stands in
/// front of anything else is read, wherever that is.
size_t mete_heap_size_of(const mete_heap_t *heap, const void *block);

/// How full the heap is now. O(1), no walk.
mete_heap_usage_t mete_heap_usage(const mete_heap_t *heap);

/// Shows every block in address order, free and live, to `visit`, until it returns false. The heap
/// must not change meanwhile. Returns true if all were shown, false if `visit` stopped or the
/// headers do not agree. O(blocks).
bool mete_heap_walk(const mete_heap_t *heap,
                    bool (*visit)(void *self, const mete_heap_block_t *block), void *self);

/// True if headers, free lists, bitmap and counters agree. Changes nothing. O(blocks), and bounded
/// on any damage.
bool mete_heap_check(const mete_heap_t *heap);

/// The heap as an allocator. Release and resize hold the caller to the size and alignment he names.
mete_alloc_t mete_heap_as_alloc(mete_heap_t *heap);

/// Storage of `bytes` and a config `name_config` with search 2, at file or function scope.
#define METE_HEAP_DEFINE(name, bytes) \
    METE_SECTION static uint64_t name##_storage[((bytes) + 7U) / 8U]; \
    static const mete_heap_config_t name##_config = { \
        {name##_storage, sizeof name##_storage}, 2U, NULL, NULL}

#ifdef __cplusplus
}
#endif
#endif
