// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Follows the chain of frames: below the address in s0 stand the return address and the caller's s0.

#include "mete/core/span.h"
#include "port/cpu/riscv.h"

void mete_riscv_trace(void *self, const void **frames, size_t count)
{
    const mete_span_t *const stack = self;
    // A function that calls none need not save its return address, and then its frame looks different.
    __asm__ volatile("" ::: "ra");
    const uintptr_t *frame = __builtin_frame_address(0);
    size_t found = 0U;
    while ((found < count) && mete_span_has(*stack, frame - 2) &&
           mete_span_has(*stack, frame - 1)) {
        const uintptr_t *const caller = (const uintptr_t *)frame[-2];
        if (frame[-1] == 0U) {
            break;
        }
        frames[found] = (const void *)frame[-1];
        found++;
        if (caller <= frame) {
            break;  // Frames lie one above the other: this is no chain, or its end.
        }
        frame = caller;
    }
    for (; found < count; found++) {
        frames[found] = NULL;
    }
}
