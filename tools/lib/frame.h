// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_FRAME_H
#define METE_TOOLS_FRAME_H

/// How much stack a function has taken when each of its instructions is next.
///
/// Two sources: the compiler's call frame information, and what the instructions do to the stack pointer.
/// Where they differ, the larger counts.

#include "tools/lib/routine.h"

/// What an instruction does to the stack pointer.
typedef enum frame_kind {
    FRAME_TAKES,  ///< It moves by a known number of bytes, which may be 0.
    FRAME_SETS,   ///< It is set from a register.
    FRAME_LOSES   ///< Nobody can tell.
} frame_kind_t;

typedef struct frame_effect {
    frame_kind_t kind;
    int32_t bytes;  ///< Of FRAME_TAKES: more than before; negative: given back.
    unsigned base;  ///< Of FRAME_SETS: the register, as DWARF numbers it.
} frame_effect_t;

/// By instruction of `routine`, in memory that the caller frees. NULL, with a reason, if the size of the frame is
/// known only at run time.
uint32_t *frame_depths(const routine_t *routine, char *reason, size_t reason_size);

// One machine each.
frame_effect_t frame_effect_thumb(uint32_t word, unsigned size);
frame_effect_t frame_effect_riscv(uint32_t word, unsigned size);

#endif
