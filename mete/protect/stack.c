// SPDX-License-Identifier: MIT OR Apache-2.0
//
// From the low end: the canary, then what was never used, still in the pattern, then what was used.

#include "mete/protect/stack.h"

#include "mete/core/align.h"
#include "mete/core/words.h"

#define CANARY_COUNT (METE_STACK_CANARY_SIZE / sizeof(uintptr_t))

// Tied to its place, so that neither the pattern nor a copy of another stack can pass for it.
static uintptr_t canary_at(const uintptr_t *place)
{
    return ~(uintptr_t)place;
}

static void set_canary(uintptr_t *words)
{
    for (size_t i = 0U; i < CANARY_COUNT; i++) {
        words[i] = canary_at(&words[i]);
    }
}

static bool canary_is_whole(const mete_stack_t *stack)
{
    const uintptr_t *const words = stack->span.start;
    uintptr_t difference = 0U;
    for (size_t i = 0U; i < CANARY_COUNT; i++) {
        difference |= words[i] ^ canary_at(&words[i]);
    }
    return difference == 0U;
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

bool mete_stack_check(const mete_stack_t *stack)
{
    METE_ASSERT((stack != NULL) && (stack->span.start != NULL));
    if (!canary_is_whole(stack)) {
        METE_FAULT(METE_FAULT_OVERFLOW, stack, stack->span.start);
        return false;
    }
    return true;
}
