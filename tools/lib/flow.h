// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_FLOW_H
#define METE_TOOLS_FLOW_H

/// Where machine instructions lead: of what an instruction does, only whether the next one follows, another,
/// or a call. For Thumb (ARMv6-M, ARMv7-M, ARMv8-M Baseline and Mainline) and for RV32IMC.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum flow_machine { FLOW_THUMB, FLOW_RISCV } flow_machine_t;

typedef enum flow_kind {
    FLOW_NEXT,          ///< To the next one.
    FLOW_BRANCH,        ///< To the target, or to the next one.
    FLOW_JUMP,          ///< To the target.
    FLOW_CALL,          ///< Calls the target.
    FLOW_CALL_POINTER,  ///< Calls what a register says.
    FLOW_JUMP_POINTER,  ///< Goes where a register says: a call in place of a return.
    FLOW_RETURN,
    FLOW_TABLE,  ///< Goes where a table in memory says.
    FLOW_TRAP    ///< Nowhere.
} flow_kind_t;

typedef struct flow_insn {
    uint64_t address;
    uint64_t target;  ///< Of a branch, a jump or a call.
    uint32_t word;    ///< As it stands in memory, the first byte lowest.
    flow_kind_t kind;
    unsigned size;        ///< Bytes.
    bool is_conditional;  ///< It may do nothing: then the next one follows.

    // What connects an instruction with the next.
    unsigned block_count;  // Thumb: as many as follow are conditional.
    unsigned popped;       // Thumb: 1 + the register that alone was popped right before; 0: none.
    bool adds_to_sp;       // Thumb: what was popped before counts behind it as well.
    uint32_t upper;        // RISC-V: what is in register `upper_in` now, if that is not 0.
    unsigned upper_in;
    bool is_prelude;  // RISC-V: a trap right behind it is a call of the debugger, and returns.
    unsigned base;    // RISC-V: the pointer is in this register,
    int32_t offset;   // and so far from the target.
} flow_insn_t;

/// Decodes the instruction that `bytes` starts with. False if there is none, or it is not whole. Does not know
/// what stands in front of it: flow_follow() does.
bool flow_decode(flow_machine_t machine, const uint8_t *bytes, size_t size, uint64_t address,
                 flow_insn_t *insn);

/// Completes an instruction by those before it in the same function: `conditional_count` counts down the rest of
/// a conditional block and starts at 0, `before` is the previous one or NULL.
void flow_follow(flow_insn_t *insn, const flow_insn_t *before, unsigned *conditional_count);

// One machine each.
bool flow_decode_thumb(const uint8_t *bytes, size_t size, flow_insn_t *insn);
bool flow_decode_riscv(const uint8_t *bytes, size_t size, flow_insn_t *insn);

static inline uint32_t flow_half(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8);
}

/// Bits `low` ... `high` of a word.
static inline uint32_t flow_bits(uint32_t word, unsigned high, unsigned low)
{
    return (word >> low) & ((2U << (high - low)) - 1U);
}

/// A number whose sign is in bit `top`, as 32 bits.
static inline int32_t flow_signed(uint32_t number, unsigned top)
{
    const uint32_t sign = 1U << top;
    return (int32_t)((number ^ sign) - sign);
}

#endif
