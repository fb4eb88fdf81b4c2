// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/frame.h"

#include <stdio.h>
#include <stdlib.h>

enum { SP_THUMB = 13, SP_RISCV = 2 };

// What is known of the frame where an instruction is next.
typedef struct known {
    bool is_there;
    bool is_by_sp;   // `bytes` counts from the stack pointer;
    unsigned base;   // else from this register,
    uint32_t bytes;  // and then says nothing of the depth.
} known_t;

static known_t known_at(const routine_t *routine, size_t insn)
{
    known_t known = {0};
    int64_t offset = 0;
    const unsigned sp = program_is_thumb(routine->program) ? SP_THUMB : SP_RISCV;
    known.is_there =
        program_frame(routine->program, routine->insns[insn].flow.address, &known.base, &offset) &&
        (offset >= 0) && (offset <= INT32_MAX);
    known.is_by_sp = known.is_there && (known.base == sp);
    known.bytes = known.is_by_sp ? (uint32_t)offset : 0U;
    return known;
}

static frame_effect_t effect_of(const routine_t *routine, size_t insn)
{
    const flow_insn_t *const flow = &routine->insns[insn].flow;
    frame_effect_t effect = program_is_thumb(routine->program)
                                ? frame_effect_thumb(flow->word, flow->size)
                                : frame_effect_riscv(flow->word, flow->size);
    if (flow->is_conditional && (effect.bytes < 0)) {
        effect.bytes = 0;  // It may not happen.
    }
    return effect;
}

static bool goes_on(const flow_insn_t *flow)
{
    return flow->is_conditional || (flow->kind == FLOW_NEXT) || (flow->kind == FLOW_BRANCH) ||
           (flow->kind == FLOW_CALL) || (flow->kind == FLOW_CALL_POINTER);
}

static uint32_t moved(uint32_t depth, int32_t bytes)
{
    const int64_t sum = (int64_t)depth + bytes;
    return (sum > 0) ? (uint32_t)sum : 0U;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return (a > b) ? a : b;
}

// The depth behind an instruction. False if it cannot be told.
static bool step(const routine_t *routine, size_t insn, uint32_t depth, uint32_t deepest,
                 uint32_t *next)
{
    const known_t before = known_at(routine, insn);
    const known_t behind = known_at(routine, insn + 1U);
    const frame_effect_t effect = effect_of(routine, insn);
    if (!goes_on(&routine->insns[insn].flow)) {
        *next = behind.is_by_sp ? behind.bytes : deepest;  // Whatever leads there.
        return true;
    }
    *next = (effect.kind == FRAME_TAKES) ? moved(depth, effect.bytes) : depth;
    if (behind.is_by_sp) {
        *next = (effect.kind == FRAME_TAKES) ? larger(*next, behind.bytes) : behind.bytes;
        return true;
    }
    // A frame pointer puts the stack back to where the frame began.
    return (effect.kind == FRAME_TAKES) ||
           ((effect.kind == FRAME_SETS) && before.is_there && (effect.base == before.base));
}

uint32_t *frame_depths(const routine_t *routine, char *reason, size_t reason_size)
{
    uint32_t *const depths = malloc((routine->count + 1U) * sizeof *depths);
    if (depths == NULL) {
        (void)snprintf(reason, reason_size, "%s: no memory", routine->function->name);
        return NULL;
    }
    uint32_t deepest = known_at(routine, 0U).bytes;
    depths[0] = deepest;
    for (size_t i = 0U; i + 1U < routine->count; i++) {
        if (!step(routine, i, depths[i], deepest, &depths[i + 1U])) {
            char where[ROUTINE_WHERE_SIZE];
            routine_where(routine, (uint32_t)i, where, sizeof where);
            (void)snprintf(reason, reason_size,
                           "%s: a frame whose size is known only at run time at %s",
                           routine->function->name, where);
            free(depths);
            return NULL;
        }
        deepest = larger(deepest, depths[i + 1U]);
    }
    return depths;
}
