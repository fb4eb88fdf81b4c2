// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Memory is handed out from `start` to `end`; `next` says how far that has come. Marks form a stack
// that the arena does not hold: each mark carries what the arena must know again once it is closed,
// so any number may nest. A mark is recognised by its serial number, which is used once.

#include "mete/alloc/arena.h"

enum { END_ALIGN = 8 };

// The bookkeeping can be relied on. True without a look at level 0.
static inline bool is_sound(const mete_arena_t *arena)
{
    return (METE_CHECK_LEVEL < 1) || mete_arena_check(arena);
}

static inline uintptr_t peak_of(const mete_arena_t *arena)
{
    return (arena->next > arena->peak) ? arena->next : arena->peak;
}

// Moves `next` back. The peak is noted here and not in alloc, which is thereby shorter.
static inline void fall_to(mete_arena_t *arena, uintptr_t next)
{
    arena->peak = peak_of(arena);
    arena->next = next;
}

bool mete_arena_init(mete_arena_t *arena, mete_span_t storage)
{
    METE_ASSERT(arena != NULL);
    const uintptr_t end = mete_align_down((uintptr_t)storage.start + storage.size, END_ALIGN);
    if (!mete_span_is_legal(storage) || (end == 0U)) {
        return false;
    }
    // Where no multiple of 8 lies in the storage both ends are the one below it: no alignment that
    // alloc rounds up to may lead beyond the end.
    const uintptr_t start = ((uintptr_t)storage.start < end) ? (uintptr_t)storage.start : end;
    arena->start = start;
    arena->end = end;
    arena->next = start;
    arena->floor = start;
    arena->peak = start;
    arena->open_serial = 0U;
    arena->mark_serial = 0U;
    arena->refusals = 0U;
    METE_ASSERT(mete_arena_check(arena));
    return true;
}

void mete_arena_reset(mete_arena_t *arena)
{
    METE_ASSERT(arena != NULL);
    if (!is_sound(arena)) {
        METE_FAULT(METE_FAULT_CORRUPT, arena, NULL);
        return;
    }
    fall_to(arena, arena->start);
    arena->floor = arena->start;
    arena->open_serial = 0U;
}

mete_arena_mark_t mete_arena_mark(mete_arena_t *arena)
{
    METE_ASSERT(arena != NULL);
    mete_arena_mark_t mark;
    mark.outer_floor = arena->floor;
    mark.outer_serial = arena->open_serial;
    mark.serial = 0U;  // Of no mark.
    if (!is_sound(arena)) {
        METE_FAULT(METE_FAULT_CORRUPT, arena, NULL);
        return mark;
    }
    mark.serial = arena->mark_serial + ((arena->mark_serial != SIZE_MAX) ? 1U : 2U);
    arena->mark_serial = mark.serial;
    arena->open_serial = mark.serial;
    arena->floor = arena->next;
    return mark;
}

// What the mark says of the mark around it can be true.
static inline bool is_sound_mark(const mete_arena_t *arena, mete_arena_mark_t mark)
{
    return (METE_CHECK_LEVEL < 1) ||
           ((mark.outer_floor <= arena->floor) && (mark.outer_serial != mark.serial) &&
            ((mark.outer_serial != 0U) ? (mark.outer_floor >= arena->start)
                                       : (mark.outer_floor == arena->start)));
}

void mete_arena_rewind(mete_arena_t *arena, mete_arena_mark_t mark)
{
    METE_ASSERT(arena != NULL);
    if ((METE_CHECK_LEVEL >= 1) && ((mark.serial != arena->open_serial) || (mark.serial == 0U))) {
        METE_FAULT(METE_FAULT_ORDER, arena, NULL);
        return;
    }
    if (!is_sound(arena) || !is_sound_mark(arena, mark)) {
        METE_FAULT(METE_FAULT_CORRUPT, arena, NULL);
        return;
    }
    fall_to(arena, arena->floor);
    arena->floor = mark.outer_floor;
    arena->open_serial = mark.outer_serial;
}

METE_DIRECT void *mete_arena_alloc_checked(mete_arena_t *arena, size_t size, size_t align)
{
    METE_ASSERT(arena != NULL);
    if (!is_sound(arena)) {
        METE_FAULT(METE_FAULT_CORRUPT, arena, NULL);
        return NULL;
    }
    if ((METE_CHECK_LEVEL >= 1) && !mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, arena, NULL);
        return NULL;
    }
    if (size == 0U) {
        return NULL;
    }
    // In terms of what is left, nothing can wrap, however large `size` and `align` are.
    const size_t left_size = arena->end - arena->next;
    const size_t gap_size = (0U - arena->next) & (align - 1U);
    if ((gap_size > left_size) || (size > left_size - gap_size)) {
        arena->refusals++;
        return NULL;
    }
    const uintptr_t block = arena->next + gap_size;
    arena->next = block + size;
    return (void *)block;
}

bool mete_arena_owns(const mete_arena_t *arena, const void *address)
{
    METE_ASSERT(arena != NULL);
    return (uintptr_t)address - arena->start < arena->end - arena->start;
}

mete_arena_usage_t mete_arena_usage(const mete_arena_t *arena)
{
    METE_ASSERT(arena != NULL);
    const mete_arena_usage_t usage = {arena->end - arena->start, arena->next - arena->start,
                                      peak_of(arena) - arena->start, arena->refusals};
    return usage;
}

bool mete_arena_check(const mete_arena_t *arena)
{
    const bool has_order = (arena->start != 0U) && (arena->start <= arena->floor) &&
                           (arena->floor <= arena->next) && (arena->next <= arena->end) &&
                           (arena->start <= arena->peak) && (arena->peak <= arena->end);
    return has_order && mete_align_fits(arena->end, END_ALIGN) &&
           ((arena->open_serial != 0U) || (arena->floor == arena->start));
}

// ---- The arena as an allocator

// What is wrong with naming `block` as one of `size` bytes that is held; 0 if nothing can be seen.
static int fault_of(const mete_arena_t *arena, uintptr_t block, size_t size, size_t align)
{
    if (!mete_arena_check(arena)) {
        return METE_FAULT_CORRUPT;
    }
    if ((block < arena->start) || (block >= arena->end)) {
        return METE_FAULT_FOREIGN;
    }
    if (block >= arena->next) {
        return METE_FAULT_DOUBLE_FREE;
    }
    const bool can_be =
        (size != 0U) && (size <= arena->next - block) && mete_align_fits(block, align);
    return can_be ? 0 : METE_FAULT_SIZE;
}

// The block was handed out last, and no mark has been set since: a mark may not see `next` fall
// below it, nor a block that is older than it grow.
static bool is_last(const mete_arena_t *arena, uintptr_t block, size_t size)
{
    return (block >= arena->floor) && (block + size == arena->next);
}

static void *acquire(void *self, size_t size, size_t align)
{
    return mete_arena_alloc_checked((mete_arena_t *)self, size, align);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_arena_t *const arena = (mete_arena_t *)self;
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of(arena, (uintptr_t)block, size, align) : 0;
    if (fault != 0) {
        METE_FAULT(fault, arena, block);
        return;
    }
    if (is_last(arena, (uintptr_t)block, size)) {
        fall_to(arena, (uintptr_t)block);
    }
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_arena_t *const arena = (mete_arena_t *)self;
    const uintptr_t start = (uintptr_t)block;
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of(arena, start, old_size, align) : 0;
    if (fault != 0) {
        METE_FAULT(fault, arena, block);
        return false;
    }
    if (is_last(arena, start, old_size) && (new_size <= arena->end - start)) {
        fall_to(arena, start + new_size);
        return true;
    }
    return new_size <= old_size;
}

static bool owns(const void *self, const void *address)
{
    return mete_arena_owns((const mete_arena_t *)self, address);
}

mete_alloc_t mete_arena_as_alloc(mete_arena_t *arena)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, NULL};
    const mete_alloc_t alloc = {&ops, arena};
    return alloc;
}
