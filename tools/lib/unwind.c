// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The call frame information says, for each instruction of a function, where its caller's stack ends (the
// canonical frame address, CFA) and where the registers are that the function saved, as small programs
// for a stack machine (DWARF 5, section 6.4). Compilers write few forms of these; others end the walk.

#include "tools/lib/unwind.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>

enum { REGISTER_COUNT = 16, FRAME_POINTER = 7, SP = 13, LR = 14, PC = 15, WORD = 4, STEP_MAX = 8 };

typedef struct state {
    const uint64_t *words;  // The stack from `start` on.
    size_t word_count;
    uint64_t start;
    uint64_t value[REGISTER_COUNT];
    bool is_known[REGISTER_COUNT];
} state_t;

static bool load(const state_t *state, uint64_t address, uint64_t *value)
{
    const uint64_t offset = (address - state->start) & UINT32_MAX;
    if ((offset % WORD != 0U) || (offset / WORD >= state->word_count)) {
        return false;
    }
    *value = state->words[offset / WORD];
    return true;
}

static bool read_register(const state_t *state, uint64_t number, uint64_t *value)
{
    if ((number >= REGISTER_COUNT) || !state->is_known[number]) {
        return false;
    }
    *value = state->value[number];
    return true;
}

// Carries out one operation on a stack whose top alone is needed.
static bool operate(const state_t *state, const Dwarf_Op *op, const uint64_t *cfa, uint64_t *top,
                    bool *is_value)
{
    uint64_t base = 0U;
    switch (op->atom) {
    case DW_OP_call_frame_cfa:
        *top = (cfa != NULL) ? *cfa : 0U;
        return cfa != NULL;
    case DW_OP_bregx:
        *top = read_register(state, op->number, &base) ? base + op->number2 : 0U;
        return read_register(state, op->number, &base);
    case DW_OP_regx:
        *is_value = true;
        return read_register(state, op->number, top);
    case DW_OP_plus_uconst:
        *top += op->number;
        return true;
    case DW_OP_stack_value:
        *is_value = true;
        return true;
    default:
        break;
    }
    if ((op->atom >= DW_OP_breg0) && (op->atom <= DW_OP_breg31)) {
        const bool is_known = read_register(state, (uint64_t)(op->atom - DW_OP_breg0), &base);
        *top = base + op->number;
        return is_known;
    }
    if ((op->atom >= DW_OP_reg0) && (op->atom <= DW_OP_reg31)) {
        *is_value = true;
        return read_register(state, (uint64_t)(op->atom - DW_OP_reg0), top);
    }
    return false;
}

// What a program gives: a value, or an address where it stands.
static bool evaluate(const state_t *state, const Dwarf_Op *ops, size_t op_count,
                     const uint64_t *cfa, uint64_t *result, bool *is_value)
{
    *result = 0U;
    *is_value = false;
    for (size_t i = 0U; i < op_count; i++) {
        if ((i == STEP_MAX) || !operate(state, &ops[i], cfa, result, is_value)) {
            return false;
        }
    }
    *result &= UINT32_MAX;
    return op_count != 0U;
}

// The caller's register.
static void recover(const state_t *state, Dwarf_Frame *frame, int number, const uint64_t *cfa,
                    state_t *caller)
{
    Dwarf_Op memory[3];
    Dwarf_Op *ops = NULL;
    size_t op_count = 0U;
    caller->is_known[number] = false;
    if (dwarf_frame_register(frame, number, memory, &ops, &op_count) != 0) {
        return;
    }
    if ((op_count == 0U) && (ops == NULL)) {  // As it is.
        caller->value[number] = state->value[number];
        caller->is_known[number] = state->is_known[number];
        return;
    }
    bool is_value = false;
    uint64_t result = 0U;
    if (evaluate(state, ops, op_count, cfa, &result, &is_value)) {
        caller->is_known[number] = is_value || load(state, result, &result);
        caller->value[number] = result;
    }
}

// One function back. False if it cannot be told who called.
static bool step(state_t *state, Dwarf_CFI *calls, uint64_t address)
{
    Dwarf_Frame *frame = NULL;
    if (dwarf_cfi_addrframe(calls, address, &frame) != 0) {
        return false;
    }
    Dwarf_Op *ops = NULL;
    size_t op_count = 0U;
    uint64_t cfa = 0U;
    bool is_value = false;
    const bool has_cfa = (dwarf_frame_cfa(frame, &ops, &op_count) == 0) &&
                         evaluate(state, ops, op_count, NULL, &cfa, &is_value);
    state_t caller = *state;
    for (int i = 0; has_cfa && (i <= LR); i++) {
        recover(state, frame, i, &cfa, &caller);
    }
    free(frame);
    // A stack that does not shrink would be walked for ever.
    const bool is_back = has_cfa && caller.is_known[LR] && (cfa > state->value[SP]);
    const bool is_leaf =
        has_cfa && caller.is_known[LR] && (cfa == state->value[SP]) && state->is_known[PC];
    caller.value[SP] = cfa;
    caller.is_known[SP] = true;
    caller.is_known[PC] = false;  // Only the first function can have called none.
    *state = caller;
    return is_back || is_leaf;
}

size_t unwind_thumb(Dwarf_CFI *calls, const uint64_t *words, size_t word_count, uint64_t *frames,
                    size_t frame_count_max)
{
    state_t state = {.words = words + UNWIND_FIRST_WORD,
                     .word_count = word_count - UNWIND_FIRST_WORD,
                     .start = words[1]};
    static const int numbers[] = {SP, FRAME_POINTER, LR, PC};
    for (size_t i = 0U; i < 4U; i++) {
        state.value[numbers[i]] = words[i + 1U];
        state.is_known[numbers[i]] = true;
    }
    size_t count = 0U;
    uint64_t address = state.value[PC] & ~(uint64_t)1U;
    while ((count < frame_count_max) && step(&state, calls, address)) {
        frames[count] = state.value[LR] & ~(uint64_t)1U;
        address = frames[count] - 1U;
        count++;
    }
    return count;
}
