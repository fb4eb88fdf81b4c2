// SPDX-License-Identifier: MIT OR Apache-2.0
//
// From the low end: the canary, then what was never used, still in the pattern, then what was used.

#include "mete/protect/stack.h"

#include "mete/core/align.h"
#include "mete/core/words.h"

#define CANARY_COUNT (METE_STACK_CANARY_SIZE / sizeof(uintptr_t))

_Static_assert(CANARY_COUNT == 4U, "mete_stack_is_whole() looks at four words");

static void set_canary(uintptr_t *words)
{
    for (size_t i = 0U; i < CANARY_COUNT; i++) {
        words[i] = mete_stack_canary_at(&words[i]);
    }
}

// Once, for all who ask.
static bool canary_is_whole(const mete_stack_t *stack)
{
    return mete_stack_is_whole(stack);
}

bool mete_stack_init(mete_stack_t *stack, mete_span_t span)
{
    METE_ASSERT(stack != NULL);
    if (!mete_span_is_legal(span) || (span.size < METE_STACK_SIZE_MIN) ||
        !mete_align_fits((uintptr_t)span.start | span.size, sizeof(uintptr_t))) {
        return false;
    }
    stack->span.start = span.start;
    stack->span.size = span.size;
    return true;
}

// How many bytes from the low end on are not in use, all if the caller runs on another stack.
static size_t unused_size(const mete_stack_t *stack, const void *top)
{
    if (!mete_span_has(stack->span, top)) {
        return stack->span.size;
    }
    const size_t below = (uintptr_t)top - (uintptr_t)stack->span.start;
    return (below > METE_STACK_MARGIN_SIZE) ? below - METE_STACK_MARGIN_SIZE : 0U;
}

static size_t smaller_of(size_t a, size_t b)
{
    return (a < b) ? a : b;
}

// Not inlined: its frame must be the lowest but that of mete_words_fill(), which fits in the margin.
__attribute__((noinline)) bool mete_stack_paint(const mete_stack_t *stack)
{
    METE_ASSERT((stack != NULL) && (stack->span.start != NULL));
    const size_t size = unused_size(stack, METE_STACK_TOP());
    if (size < METE_STACK_CANARY_SIZE) {
        return false;
    }
    unsigned char *const start = stack->span.start;
    set_canary(stack->span.start);
    mete_words_fill(start + METE_STACK_CANARY_SIZE, METE_STACK_FILL, size - METE_STACK_CANARY_SIZE);
    return true;
}

// Not inlined: as mete_stack_paint().
__attribute__((noinline)) bool mete_stack_paint_next(const mete_stack_t *stack, size_t *done_size,
                                                     size_t size_max)
{
    METE_ASSERT((stack != NULL) && (stack->span.start != NULL) && (done_size != NULL));
    METE_ASSERT((*done_size <= stack->span.size) && (size_max != 0U));
    const size_t end = unused_size(stack, METE_STACK_TOP());
    if ((*done_size == 0U) && (end >= METE_STACK_CANARY_SIZE)) {
        set_canary(stack->span.start);
        *done_size = METE_STACK_CANARY_SIZE;
    }
    if ((*done_size == 0U) || (*done_size >= end)) {
        return false;
    }
    const size_t size = smaller_of(end - *done_size, size_max);
    mete_words_fill((unsigned char *)stack->span.start + *done_size, METE_STACK_FILL, size);
    *done_size += size;
    return *done_size < end;
}

size_t mete_stack_in_use(const mete_stack_t *stack, const void *top)
{
    METE_ASSERT((stack != NULL) && (stack->span.start != NULL));
    const uintptr_t end = (uintptr_t)stack->span.start + stack->span.size;
    return ((uintptr_t)top < end) ? end - (uintptr_t)top : 0U;
}

size_t mete_stack_in_use_peak(const mete_stack_t *stack)
{
    METE_ASSERT((stack != NULL) && (stack->span.start != NULL));
    if (!canary_is_whole(stack)) {
        return stack->span.size;
    }
    const unsigned char *const start = stack->span.start;
    const size_t rest = stack->span.size - METE_STACK_CANARY_SIZE;
    return rest - mete_words_scan(start + METE_STACK_CANARY_SIZE, METE_STACK_FILL, rest);
}

bool mete_stack_scan_next(const mete_stack_t *stack, size_t *done_size, size_t size_max)
{
    METE_ASSERT((stack != NULL) && (stack->span.start != NULL) && (done_size != NULL));
    METE_ASSERT((*done_size <= stack->span.size) && (size_max != 0U));
    if (!canary_is_whole(stack)) {
        *done_size = 0U;
        return false;
    }
    const size_t from = (*done_size != 0U) ? *done_size : METE_STACK_CANARY_SIZE;
    const size_t size = smaller_of(stack->span.size - from, size_max);
    const unsigned char *const start = (const unsigned char *)stack->span.start;
    const size_t unused = mete_words_scan(start + from, METE_STACK_FILL, size);
    *done_size = from + unused;
    return (unused == size) && (*done_size < stack->span.size);
}

bool mete_stack_check(const mete_stack_t *stack)
{
    METE_ASSERT((stack != NULL) && (stack->span.start != NULL));
    if (!canary_is_whole(stack)) {
        METE_FAULT(METE_FAULT_OVERFLOW, stack, stack->span.start);
        return false;
    }
    return true;
}
