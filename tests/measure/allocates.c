// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A program of which it is known who allocates: each function's name says how. test_who_allocates.py
// expects to be told just that. Linked with mete/alloc/arena.c and nothing else.

#include "mete/alloc/arena.h"
#include "mete/core/alloc.h"

#define APART __attribute__((noinline, used))

extern void *volatile result;
extern mete_alloc_t alloc;
extern mete_arena_t arena;
void *volatile result;
mete_alloc_t alloc;
mete_arena_t arena;

// ---- Allocators, by their names

APART void *malloc(size_t size)
{
    return (size > 8U) ? (void *)&alloc : NULL;
}

APART void free(void *block)
{
    result = block;
}

APART void *board_get_buffer(size_t size)
{
    return (size > 16U) ? (void *)&alloc : NULL;
}

// And what only sounds like them.
APART void freeze(void)
{
    result = NULL;
}

APART void *remallocate(void)
{
    return NULL;
}

// ---- Who calls them

APART void acquires(void)
{
    result = mete_acquire(alloc, 8U, 8U);
}

APART void *acquires_last(void)
{
    return mete_acquire(alloc, 8U, 8U);
}

static void *helper(size_t size)
{
    return mete_acquire(alloc, size, 8U);
}

APART void acquires_in_a_helper(void)
{
    result = helper(8U);
}

APART void releases(void)
{
    mete_release(alloc, result, 8U, 8U);
}

APART bool resizes(void)
{
    return mete_resize(alloc, result, 8U, 16U, 8U);
}

APART void *reallocates(size_t size)
{
    return mete_realloc(alloc, result, 8U, size, 8U);
}

APART void *uses_malloc(void)
{
    return malloc(5U);
}

APART void uses_free(void)
{
    free(result);
    result = NULL;
}

APART void uses_arena(void)
{
    result = mete_arena_alloc(&arena, 8U, 8U);
}

APART void *uses_own(void)
{
    return board_get_buffer(5U);
}

// ---- Who does not, or not visibly

void *(*const stored)(size_t size) = malloc;
void *(*volatile pointer)(size_t size);

APART void *calls_a_pointer(void)
{
    return pointer(8U);
}

APART void innocent(void)
{
    freeze();
    result = remallocate();
}

int main(void)
{
    pointer = stored;
    return 0;
}
