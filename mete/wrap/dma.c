// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/dma.h"

#include "mete/core/pass.h"

_Static_assert(offsetof(mete_dma_t, inner) == 0U, "what passes calls on expects it there");

static size_t outer_align_of(const mete_dma_t *dma, size_t align)
{
    return (align > dma->config->line_size) ? align : dma->config->line_size;
}

// Wraps to 0 for a size that cannot be: then there is no such block.
static size_t outer_size_of(const mete_dma_t *dma, size_t size)
{
    return mete_align_up(size, dma->config->line_size);
}

static void *acquire(void *self, size_t size, size_t align)
{
    const mete_dma_t *const dma = self;
    const size_t outer_size = outer_size_of(dma, size);
    return (outer_size != 0U)
               ? dma->inner.ops->acquire(dma->inner.self, outer_size, outer_align_of(dma, align))
               : NULL;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    const mete_dma_t *const dma = self;
    const size_t outer_size = outer_size_of(dma, size);
    if (outer_size == 0U) {
        METE_FAULT(METE_FAULT_SIZE, dma, block);
        return;
    }
    dma->inner.ops->release(dma->inner.self, block, outer_size, outer_align_of(dma, align));
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_dma_t *const dma = self;
    const size_t old_outer_size = outer_size_of(dma, old_size);
    const size_t new_outer_size = outer_size_of(dma, new_size);
    if (old_outer_size == 0U) {
        METE_FAULT(METE_FAULT_SIZE, dma, block);
        return false;
    }
    return (new_outer_size != 0U) &&
           dma->inner.ops->resize(dma->inner.self, block, old_outer_size, new_outer_size,
                                  outer_align_of(dma, align));
}

bool mete_dma_init(mete_dma_t *dma, mete_alloc_t inner, const mete_dma_config_t *config)
{
    METE_ASSERT(dma != NULL);
    if ((inner.ops == NULL) || (config == NULL) || !mete_align_is_legal(config->line_size)) {
        return false;
    }
    dma->inner.ops = inner.ops;
    dma->inner.self = inner.self;
    dma->config = config;
    return true;
}

size_t mete_dma_size_of(const mete_dma_t *dma, size_t size)
{
    METE_ASSERT((dma != NULL) && (dma->config != NULL));
    return outer_size_of(dma, size);
}

// 0 if the range consists of whole lines; otherwise what is wrong with it. Not a matter of check level:
// half a line dropped is somebody's data lost.
static int fault_of(const mete_dma_t *dma, const void *start, size_t size)
{
    if ((start == NULL) || !mete_align_fits((uintptr_t)start, dma->config->line_size)) {
        return METE_FAULT_ALIGN;
    }
    return ((size != 0U) && mete_align_fits(size, dma->config->line_size)) ? 0 : METE_FAULT_SIZE;
}

void mete_dma_clean(const mete_dma_t *dma, void *start, size_t size)
{
    METE_ASSERT((dma != NULL) && (dma->config != NULL));
    const int fault = fault_of(dma, start, size);
    if (fault != 0) {
        METE_FAULT(fault, dma, start);
        return;
    }
    if (dma->config->clean != NULL) {
        dma->config->clean(dma->config->self, start, size);
    }
}

void mete_dma_invalidate(const mete_dma_t *dma, void *start, size_t size)
{
    METE_ASSERT((dma != NULL) && (dma->config != NULL));
    const int fault = fault_of(dma, start, size);
    if (fault != 0) {
        METE_FAULT(fault, dma, start);
        return;
    }
    if (dma->config->invalidate != NULL) {
        dma->config->invalidate(dma->config->self, start, size);
    }
}

mete_alloc_t mete_dma_as_alloc(mete_dma_t *dma)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((dma != NULL) && (dma->config != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(dma->inner)], dma};
    return view;
}
