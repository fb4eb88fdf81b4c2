// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_STACK_H
#define METE_STACK_H

/// How much of a stack is used, how much ever was, and whether it ran over.
///
/// Stacks here grow downwards, from the end of their span to its start, as on every core Mete is
/// ported to. Painting fills the unused part with a pattern; what is no longer pattern was used. The
/// lowest words hold a canary: once that is overwritten the stack has overflowed.
///
///     static uint64_t memory[256];
///     static mete_stack_t stack;
///     (void)mete_stack_init(&stack, (mete_span_t){memory, sizeof memory});
///     (void)mete_stack_paint(&stack);
///     start_task(memory, sizeof memory);
///     ...
///     log_size("deepest use", mete_stack_in_use_peak(&stack));
///     (void)mete_stack_check(&stack);  // METE_FAULT_OVERFLOW if it ran over.
///
/// In slices, for a stack that is large, or a system that cannot wait:
///
///     for (size_t done = 0; mete_stack_paint_next(&stack, &done, 256);) { do_other_work(); }
///
///   Time     paint: O(size). in_use_peak: O(bytes never used). paint_next, scan_next: O(size_max). The rest: O(1).
///   Space    One mete_stack_t; METE_STACK_CANARY_SIZE bytes of the stack.
///   Align    The span starts and ends on a boundary of sizeof(uintptr_t).
///   Threads  Any of these calls may be made while the stack's task runs. paint on a stack other than
///            the caller's own needs that its task does not run.
///   Errors   An overflow is a bug: METE_FAULT_OVERFLOW.
///
/// A canary is hit by what is written. A function that reserves a large array and leaves it unwritten
/// can step over it; only a guard region stops that.

#include "mete/core/base.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What unused stack is filled with.
#define METE_STACK_FILL 0xA5U

/// Bytes at the low end that no task may reach.
#define METE_STACK_CANARY_SIZE (4U * sizeof(uintptr_t))

/// Bytes below the caller's frame that painting leaves alone: it needs some stack itself.
#define METE_STACK_MARGIN_SIZE (64U * sizeof(uintptr_t))

/// The smallest span that init accepts.
#define METE_STACK_SIZE_MIN (4U * METE_STACK_CANARY_SIZE)

/// An address in the frame of the function in which this stands: the top of the running stack.
#define METE_STACK_TOP() __builtin_frame_address(0)

/// A stack. It only describes memory: whoever runs on it need not know.
typedef struct mete_stack {
    mete_span_t span;
} mete_stack_t;

/// Describes a stack, without writing to it. Returns false, changing nothing, if the span is too
/// small or not aligned.
bool mete_stack_init(mete_stack_t *stack, mete_span_t span);

/// Fills what is unused with the pattern and sets the canary. On a stack that does not run that is
/// all of it. On the caller's own it is what lies below his frame and METE_STACK_MARGIN_SIZE; returns
/// false, writing nothing, if that leaves less than the canary.
bool mete_stack_paint(const mete_stack_t *stack);

/// Paints a slice: of what mete_stack_paint() would fill, at most `size_max` bytes, at least 1, from `*done_size` on, which is
/// 0 at first and which it moves on. The first slice sets the canary, too. True while something is left. A stack
/// whose task runs meanwhile is painted below what is in use then; what was used in between counts as used.
bool mete_stack_paint_next(const mete_stack_t *stack, size_t *done_size, size_t size_max);

/// Bytes in use if the stack reaches down to `top`: METE_STACK_TOP() for the running stack, the saved
/// stack pointer for a task that waits. More than the span's size: `top` lies below the stack, which
/// has overflowed by the difference. 0: `top` lies above it, on another stack.
size_t mete_stack_in_use(const mete_stack_t *stack, const void *top);

/// Most bytes ever in use since the stack was painted, to a byte if what was deepest differs from the
/// pattern there. The span's size if the canary was overwritten; without overflow it is less.
size_t mete_stack_in_use_peak(const mete_stack_t *stack);

/// A slice of mete_stack_in_use_peak(): looks at no more than `size_max` bytes, at least 1, from `*done_size` on, which is 0
/// at first and which it moves on, and at the canary. True while only unused bytes were seen, and some are left. False: the span's
/// size less `*done_size` is the peak that the stack had sometime between the first slice and now.
bool mete_stack_scan_next(const mete_stack_t *stack, size_t *done_size, size_t size_max);

/// True if the canary is whole. If not, METE_FAULT_OVERFLOW with the span's start. The stack must have
/// been painted.
bool mete_stack_check(const mete_stack_t *stack);

/// What a word of the canary holds. Tied to its place, so that neither the pattern nor a copy of another stack can
/// pass for it.
METE_INLINE uintptr_t mete_stack_canary_at(const uintptr_t *place)
{
    return ~(uintptr_t)place;
}

/// As mete_stack_check(), without a report.
METE_INLINE bool mete_stack_is_whole(const mete_stack_t *stack)
{
    const uintptr_t *const words = (const uintptr_t *)stack->span.start;
    return ((words[0] ^ mete_stack_canary_at(&words[0])) |
            (words[1] ^ mete_stack_canary_at(&words[1])) |
            (words[2] ^ mete_stack_canary_at(&words[2])) |
            (words[3] ^ mete_stack_canary_at(&words[3]))) == 0U;
}

#ifdef __cplusplus
}
#endif
#endif
