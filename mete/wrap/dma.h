// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DMA_H
#define METE_DMA_H

/// Buffers that a DMA controller and a cache can share: each has its cache lines to itself.
///
/// Where a cache lies between core and memory, two things that share a line destroy each other: a line
/// written back for one overwrites what the controller brought in for the other. Here no two blocks
/// share a line, and none shares one with an allocator's bookkeeping.
///
///     static const mete_dma_config_t config = {.line_size = 32, .clean = clean, .invalidate = drop};
///     static mete_dma_t dma;
///     (void)mete_dma_init(&dma, mete_heap_as_alloc(heap), &config);
///     void *const frame = mete_acquire(mete_dma_as_alloc(&dma), 1514, 4);
///     mete_dma_clean(&dma, frame, mete_dma_size_of(&dma, 1514));       // Before it is sent.
///     mete_dma_invalidate(&dma, frame, mete_dma_size_of(&dma, 1514));  // Before and after it is filled.
///
/// Stands in front of wrappers that keep a record in the block, such as track and quota.
///
///   Time     A few instructions a call; clean and invalidate: what the hooks take.
///   Space    Every block is rounded up to whole lines.
///   Align    At least a line.
///   Threads  Not synchronised. Calls through the view must exclude each other: put mete/wrap/lock.h in
///            front. clean and invalidate need no lock.
///   Errors   As the allocator behind. clean and invalidate of a range that does not consist of whole
///            lines, or is empty: METE_FAULT_ALIGN for its start, METE_FAULT_SIZE for its size, and no effect.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An array `name` of at least `size` bytes that has its cache lines to itself, without an allocator.
#define METE_DMA_DEFINE(name, size, line_size) \
    METE_SECTION static unsigned char name[((size) + (line_size)-1U) / (line_size) * (line_size)] \
        __attribute__((aligned(line_size)))

/// The cache. It must outlive the wrapper; const is best.
typedef struct mete_dma_config {
    size_t line_size;  ///< Bytes in a cache line, a power of two: 32 on Cortex-M7.

    /// Writes back what the cache holds of these lines, so that a controller may read them; drops what
    /// it holds of them, so that the core reads what a controller wrote. NULL: nothing need be done.
    void (*clean)(void *self, void *start, size_t size);
    void (*invalidate)(void *self, void *start, size_t size);
    void *self;
} mete_dma_config_t;

/// The fields are here so that it can be static.
typedef struct mete_dma {
    mete_alloc_t inner;
    const mete_dma_config_t *config;
} mete_dma_t;

/// Puts the wrapper in front of `inner`. Returns false, changing nothing, if the allocator or the config
/// is missing or the size of a line is no power of two.
bool mete_dma_init(mete_dma_t *dma, mete_alloc_t inner, const mete_dma_config_t *config);

/// The bytes that a request for `size` bytes gets: whole lines. 0 if that is more than there can be.
size_t mete_dma_size_of(const mete_dma_t *dma, size_t size);

/// Writes `size` bytes from `start` on back to memory: whole lines of one block or of an array of
/// METE_DMA_DEFINE. Before a controller reads them.
void mete_dma_clean(const mete_dma_t *dma, void *start, size_t size);

/// Drops them from the cache, without writing them back. Before a controller writes them, for a line
/// written back later would overwrite them, and again after, for the core may have read ahead.
void mete_dma_invalidate(const mete_dma_t *dma, void *start, size_t size);

/// The allocator of buffers. It can resize, and knows owns and size_of, if the one behind does.
mete_alloc_t mete_dma_as_alloc(mete_dma_t *dma);

#ifdef __cplusplus
}
#endif
#endif
