// SPDX-License-Identifier: MIT OR Apache-2.0
//
// RV32IMC, as The RISC-V Instruction Set Manual, volume I, encodes it (chapters 2 and 16, and the listings).

#include "tools/lib/frame.h"

enum { SP = 2 };

static frame_effect_t adds(int32_t bytes)
{
    return (frame_effect_t){FRAME_TAKES, -bytes, 0U};
}

static frame_effect_t sets(unsigned base)
{
    return (frame_effect_t){FRAME_SETS, 0, base};
}

static frame_effect_t loses(void)
{
    return (frame_effect_t){FRAME_LOSES, 0, 0U};
}

// C.ADDI16SP: imm[9] at 12, imm[4|6|8:7|5] at 6 to 2.
static int32_t sixteens(uint32_t half)
{
    const uint32_t offset = (flow_bits(half, 12U, 12U) << 9) | (flow_bits(half, 4U, 3U) << 7) |
                            (flow_bits(half, 5U, 5U) << 6) | (flow_bits(half, 2U, 2U) << 5) |
                            (flow_bits(half, 6U, 6U) << 4);
    return flow_signed(offset, 9U);
}

// Instructions of 16 bits whose target, at 11 to 7, is the stack pointer.
static frame_effect_t effect_16(uint32_t half)
{
    const uint32_t byte = (flow_bits(half, 12U, 12U) << 5) | flow_bits(half, 6U, 2U);
    switch (8U * flow_bits(half, 1U, 0U) + flow_bits(half, 15U, 13U)) {  // Quadrant and funct3
    case 8U:                                                             // C.ADDI
        return adds(flow_signed(byte, 5U));
    case 8U + 3U:  // C.ADDI16SP
        return adds(sixteens(half));
    case 16U + 4U:  // C.MV, C.ADD; with no source C.JR and C.JALR, which have no target
        if (flow_bits(half, 6U, 2U) == 0U) {
            return adds(0);
        }
        return (flow_bits(half, 12U, 12U) == 0U) ? sets(flow_bits(half, 6U, 2U)) : loses();
    case 8U + 2U:   // C.LI
    case 16U:       // C.SLLI
    case 16U + 2U:  // C.LWSP
        return loses();
    default:
        return adds(0);
    }
}

// Instructions of 32 bits whose target is the stack pointer, unless they are branches or stores.
static frame_effect_t effect_32(uint32_t word)
{
    const uint32_t opcode = flow_bits(word, 6U, 0U);
    if ((opcode == 0x63U) || (opcode == 0x23U)) {
        return adds(0);
    }
    if ((opcode != 0x13U) || (flow_bits(word, 14U, 12U) != 0U)) {
        return loses();
    }
    const unsigned source = flow_bits(word, 19U, 15U);  // ADDI
    return (source == SP) ? adds(flow_signed(flow_bits(word, 31U, 20U), 11U)) : sets(source);
}

frame_effect_t frame_effect_riscv(uint32_t word, unsigned size)
{
    if (flow_bits(word, 11U, 7U) != SP) {
        return adds(0);
    }
    return (size == 2U) ? effect_16(word & 0xFFFFU) : effect_32(word);
}
