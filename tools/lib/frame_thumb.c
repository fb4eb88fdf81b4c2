// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Thumb, as the ARMv7-M and ARMv8-M Architecture Reference Manuals encode it (A5). `first` and `second` are
// the halves of an instruction of 32 bits.

#include "tools/lib/frame.h"

enum { SP = 13, WORD = 4 };

static frame_effect_t takes(int32_t bytes)
{
    return (frame_effect_t){FRAME_TAKES, bytes, 0U};
}

static frame_effect_t sets(unsigned base)
{
    return (base == SP) ? takes(0) : (frame_effect_t){FRAME_SETS, 0, base};
}

static frame_effect_t loses(void)
{
    return (frame_effect_t){FRAME_LOSES, 0, 0U};
}

static int32_t words_of(uint32_t registers)
{
    return WORD * __builtin_popcount(registers);
}

static frame_effect_t effect_16(uint32_t half)
{
    const int32_t listed = words_of(half & 0x1FFU);  // Bit 8 is LR or PC.
    const int32_t offset = WORD * (int32_t)flow_bits(half, 6U, 0U);
    switch (half & 0xFE00U) {
    case 0xB400U:  // PUSH
        return takes(listed);
    case 0xBC00U:  // POP
        return takes(-listed);
    default:
        break;
    }
    if ((half & 0xFF00U) == 0xB000U) {  // ADD, SUB (SP and immediate)
        return takes((flow_bits(half, 7U, 7U) != 0U) ? offset : -offset);
    }
    if ((half & 0xFF87U) == 0x4685U) {  // MOV SP, Rm
        return sets(flow_bits(half, 6U, 3U));
    }
    return ((half & 0xFF87U) == 0x4485U) ? loses() : takes(0);  // ADD SP, Rm
}

// Loads and stores that write the stack pointer back.
static frame_effect_t effect_of_access(uint32_t first, uint32_t second)
{
    const int32_t byte = (int32_t)flow_bits(second, 7U, 0U);
    if (first == 0xE92DU) {  // STMDB SP!
        return takes(words_of(second));
    }
    if (first == 0xE8BDU) {  // LDMIA SP!
        return takes(-words_of(second));
    }
    if (((first & 0xFFEFU) == 0xF84DU) && ((second & 0x0900U) == 0x0900U)) {  // STR, LDR
        return takes((flow_bits(second, 9U, 9U) != 0U) ? -byte : byte);
    }
    if ((first & 0xFE6FU) == 0xE86DU) {  // STRD, LDRD
        return takes((flow_bits(first, 7U, 7U) != 0U) ? -WORD * byte : WORD * byte);
    }
    if (((first & 0xFFBFU) == 0xED2DU) && ((second & 0x0E00U) == 0x0A00U)) {  // VPUSH
        return takes(WORD * byte);
    }
    if (((first & 0xFFBFU) == 0xECBDU) && ((second & 0x0E00U) == 0x0A00U)) {  // VPOP
        return takes(-WORD * byte);
    }
    const bool loads_sp = ((first & 0xFF70U) == 0xF850U) && (flow_bits(second, 15U, 12U) == SP);
    return loads_sp ? loses() : takes(0);
}

// ThumbExpandImm, without the carry.
static uint32_t expand(uint32_t immediate)
{
    const uint32_t byte = flow_bits(immediate, 7U, 0U);
    switch (flow_bits(immediate, 11U, 8U)) {
    case 0U:
        return byte;
    case 1U:
        return (byte << 16) | byte;
    case 2U:
        return (byte << 24) | (byte << 8);
    case 3U:
        return byte * 0x01010101U;
    default:
        break;
    }
    const uint32_t value = 0x80U | flow_bits(immediate, 6U, 0U);
    return value << (32U - flow_bits(immediate, 11U, 7U));
}

// ADD and SUB with an immediate, whose target is the stack pointer.
static frame_effect_t effect_of_sum(uint32_t first, uint32_t second)
{
    const uint32_t plain = (flow_bits(first, 10U, 10U) << 11) | (flow_bits(second, 14U, 12U) << 8) |
                           flow_bits(second, 7U, 0U);
    const bool is_plain = (flow_bits(first, 9U, 9U) != 0U);
    const bool subtracts = (flow_bits(first, 7U, 7U) != 0U);
    const int32_t bytes = (int32_t)(is_plain ? plain : expand(plain));
    if (flow_bits(first, 3U, 0U) != SP) {
        return sets(flow_bits(first, 3U, 0U));
    }
    return takes(subtracts ? bytes : -bytes);
}

static frame_effect_t effect_32(uint32_t first, uint32_t second)
{
    const bool is_to_sp = (flow_bits(second, 11U, 8U) == SP);
    const uint32_t operation = first & 0xFBE0U;
    if (is_to_sp && ((operation == 0xF100U) || (operation == 0xF1A0U) ||
                     ((first & 0xFBF0U) == 0xF200U) || ((first & 0xFBF0U) == 0xF2A0U))) {
        return effect_of_sum(first, second);
    }
    if (is_to_sp && ((first & 0xFFEFU) == 0xEA4FU) && ((second & 0x70F0U) == 0U)) {  // MOV.W
        return sets(flow_bits(second, 3U, 0U));
    }
    if (is_to_sp && ((first & 0xFE00U) == 0xEA00U)) {  // Anything else on registers.
        return loses();
    }
    return effect_of_access(first, second);
}

frame_effect_t frame_effect_thumb(uint32_t word, unsigned size)
{
    return (size == 2U) ? effect_16(word & 0xFFFFU) : effect_32(word & 0xFFFFU, word >> 16);
}
