// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Thumb code keeps no chain of frames that could be followed here. What a host needs to unwind with the
// call frame information of the ELF file is where this function stands, the registers by which frames are
// found, and the stack from there on.

#include "mete/core/span.h"
#include "port/cpu/cortex_m.h"

// What `frames` begins with.
enum { MARK, SP, R7, LR, PC, FIRST_WORD };

// pc reads as the instruction after next: it is read last, for no later one may have changed sp.
static inline void read_registers(const void **frames)
{
    uint32_t scratch;
    __asm__ volatile("str r7, [%1, #8]\n\t"
                     "mov %0, lr\n\t"
                     "str %0, [%1, #12]\n\t"
                     "mov %0, sp\n\t"
                     "str %0, [%1, #4]\n\t"
                     "mov %0, pc\n\t"
                     "str %0, [%1, #16]"
                     : "=&l"(scratch)
                     : "l"(frames)
                     : "memory");
}

void mete_cortex_m_trace(void *self, const void **frames, size_t count)
{
    const mete_span_t *const stack = self;
    size_t found = 0U;
    if (count > FIRST_WORD) {
        frames[MARK] = (const void *)(uintptr_t)METE_CORTEX_M_TRACE_MARK;
        read_registers(frames);
        found = FIRST_WORD;
        const void *const *const words = frames[SP];
        while ((found < count) && mete_span_has(*stack, words + (found - FIRST_WORD))) {
            frames[found] = words[found - FIRST_WORD];
            found++;
        }
    }
    for (; found < count; found++) {
        frames[found] = NULL;
    }
}
