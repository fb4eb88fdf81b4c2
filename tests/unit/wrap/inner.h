// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_INNER_H
#define METE_TEST_INNER_H

/// An allocator to put wrappers in front of: first fit in a small arena, with a table beside it. It
/// remembers what was asked for and counts every call that names something else; it can be told to
/// refuse, and to lack what is optional.

#include "mete/core/alloc.h"
#include "tests/support/tap.h"

enum { INNER_SIZE = 9 * 1024, INNER_BLOCK_COUNT = 24 };

typedef struct inner_block {
    unsigned char *start;  // NULL: not in use.
    size_t size;
    size_t align;
} inner_block_t;

typedef struct inner {
    mete_alloc_ops_t ops;
    inner_block_t blocks[INNER_BLOCK_COUNT];
    size_t calls;
    size_t complaints;    // Calls that named a block, size or alignment which was never handed out.
    size_t refuse_every;  // Every n-th acquire is refused; 0: none.
    size_t acquires;
    const void *caller;  // Of the last acquire: inside the wrapper, if there is one.
} inner_t;

static _Alignas(8) unsigned char inner_arena[INNER_SIZE];

static inline bool inner_is_free(const inner_t *inner, uintptr_t start, size_t size,
                                 const inner_block_t *except)
{
    const uintptr_t low = (uintptr_t)inner_arena;
    if ((start < low) || (start - low > INNER_SIZE) || (size > INNER_SIZE - (start - low))) {
        return false;
    }
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        const inner_block_t *const b = &inner->blocks[i];
        if ((b->start != NULL) && (b != except) && (start < (uintptr_t)b->start + b->size) &&
            ((uintptr_t)b->start < start + size)) {
            return false;
        }
    }
    return true;
}

// The block that starts at `start`; for NULL one that is not in use.
static inline inner_block_t *inner_find(inner_t *inner, const void *start)
{
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        if (inner->blocks[i].start == start) {
            return &inner->blocks[i];
        }
    }
    return NULL;
}

static inline void *inner_acquire(void *self, size_t size, size_t align)
{
    inner_t *const inner = self;
    inner->calls++;
    inner->acquires++;
    inner->caller = METE_CALLER();
    inner_block_t *const block = inner_find(inner, NULL);
    if ((block == NULL) ||
        ((inner->refuse_every != 0U) && (inner->acquires % inner->refuse_every == 0U))) {
        return NULL;
    }
    // A block starts at the arena's start or right behind another.
    for (size_t i = 0U; i <= INNER_BLOCK_COUNT; i++) {
        const unsigned char *from = inner_arena;
        if ((i != 0U) && (inner->blocks[i - 1U].start != NULL)) {
            from = inner->blocks[i - 1U].start + inner->blocks[i - 1U].size;
        }
        const uintptr_t start = mete_align_up((uintptr_t)from, align);
        if (inner_is_free(inner, start, size, NULL)) {
            block->start = inner_arena + (start - (uintptr_t)inner_arena);
            block->size = size;
            block->align = align;
            return block->start;
        }
    }
    return NULL;
}

static inline void inner_release(void *self, void *start, size_t size, size_t align)
{
    inner_t *const inner = self;
    inner->calls++;
    inner_block_t *const block = inner_find(inner, start);
    if ((block == NULL) || (block->size != size) || (block->align != align)) {
        inner->complaints++;
        return;
    }
    block->start = NULL;
}

static inline bool inner_resize(void *self, void *start, size_t old_size, size_t new_size,
                                size_t align)
{
    inner_t *const inner = self;
    inner->calls++;
    inner_block_t *const block = inner_find(inner, start);
    if ((block == NULL) || (block->size != old_size) || (block->align != align)) {
        inner->complaints++;
        return false;
    }
    if (!inner_is_free(inner, (uintptr_t)start, new_size, block)) {
        return false;
    }
    block->size = new_size;
    return true;
}

static inline bool inner_owns(const void *self, const void *address)
{
    (void)self;
    return (uintptr_t)address - (uintptr_t)inner_arena < INNER_SIZE;
}

static inline size_t inner_size_of(const void *self, const void *start)
{
    const inner_t *const inner = self;
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        if (inner->blocks[i].start == start) {
            return inner->blocks[i].size;
        }
    }
    return 0U;
}

static inline size_t inner_live_count(const inner_t *inner)
{
    size_t count = 0U;
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        count += (inner->blocks[i].start != NULL) ? 1U : 0U;
    }
    return count;
}

/// Bits of what an allocator can do beyond acquire and release.
enum { INNER_RESIZE = 1, INNER_OWNS = 2, INNER_SIZE_OF = 4, INNER_ALL = 7 };

/// An empty allocator that can do what `abilities` says.
static inline mete_alloc_t inner_setup(inner_t *inner, unsigned abilities)
{
    inner->ops.acquire = inner_acquire;
    inner->ops.release = inner_release;
    inner->ops.resize = ((abilities & INNER_RESIZE) != 0U) ? inner_resize : NULL;
    inner->ops.owns = ((abilities & INNER_OWNS) != 0U) ? inner_owns : NULL;
    inner->ops.size_of = ((abilities & INNER_SIZE_OF) != 0U) ? inner_size_of : NULL;
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        inner->blocks[i].start = NULL;
    }
    inner->calls = 0U;
    inner->complaints = 0U;
    inner->refuse_every = 0U;
    inner->acquires = 0U;
    inner->caller = NULL;
    const mete_alloc_t view = {&inner->ops, inner};
    return view;
}

/// Expects of a wrapper's view what the allocator behind it can do, and nothing else.
static inline void inner_expect_same_abilities(mete_alloc_t view, unsigned abilities)
{
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT(block != NULL);
    EXPECT(mete_resize(view, block, 40U, 39U, 8U) == ((abilities & INNER_RESIZE) != 0U));
    EXPECT((view.ops->resize != NULL) == ((abilities & INNER_RESIZE) != 0U));
    EXPECT((view.ops->owns != NULL) == ((abilities & INNER_OWNS) != 0U));
    EXPECT((view.ops->owns == NULL) || view.ops->owns(view.self, block));
    EXPECT((view.ops->owns == NULL) || !view.ops->owns(view.self, view.self));
    EXPECT((view.ops->size_of != NULL) == ((abilities & INNER_SIZE_OF) != 0U));
    EXPECT((view.ops->size_of == NULL) || (view.ops->size_of(view.self, block) >= 39U));
}

#endif
