// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Thumb, as the ARMv7-M and ARMv8-M Architecture Reference Manuals encode it (A5, "The Thumb Instruction Set
// Encoding"). Bits are named as there.

#include "tools/lib/flow.h"

enum { LR = 14, PC = 15, SP = 13 };

static void lead(flow_insn_t *insn, flow_kind_t kind, int32_t offset)
{
    insn->kind = kind;
    insn->target = (uint32_t)((uint32_t)insn->address + 4U + (uint32_t)offset);
}

// MOV or ADD with any register; BX, BLX.
static void decode_high(uint32_t half, flow_insn_t *insn)
{
    const unsigned source = flow_bits(half, 6U, 3U);
    const unsigned target = (flow_bits(half, 7U, 7U) << 3) | flow_bits(half, 2U, 0U);
    switch (flow_bits(half, 9U, 8U)) {
    case 3U:
        insn->base = source;
        insn->kind = (flow_bits(half, 7U, 7U) != 0U) ? FLOW_CALL_POINTER
                     : (source == LR)                ? FLOW_RETURN
                                                     : FLOW_JUMP_POINTER;
        break;
    case 2U:
        insn->kind = (target != PC) ? FLOW_NEXT : (source == LR) ? FLOW_RETURN : FLOW_TABLE;
        break;
    case 0U:
        insn->kind = (target == PC) ? FLOW_TABLE : FLOW_NEXT;
        break;
    default:  // CMP
        break;
    }
}

// If-then, compare and branch, POP.
static void decode_misc(uint32_t half, flow_insn_t *insn)
{
    const uint32_t mask = flow_bits(half, 3U, 0U);
    if ((flow_bits(half, 11U, 8U) == 0xFU) && (mask != 0U)) {
        insn->block_count = 4U - (unsigned)__builtin_ctz(mask);
    } else if ((half & 0x0500U) == 0x0100U) {
        const uint32_t offset = (flow_bits(half, 9U, 9U) << 6) | (flow_bits(half, 7U, 3U) << 1);
        lead(insn, FLOW_BRANCH, (int32_t)offset);
    } else if ((half & 0x0F00U) == 0x0D00U) {
        insn->kind = FLOW_RETURN;
    } else if (((half & 0x0F00U) == 0x0C00U) && ((half & (half - 1U) & 0xFFU) == 0U)) {
        insn->popped = ((half & 0xFFU) != 0U) ? 1U + (unsigned)__builtin_ctz(half & 0xFFU) : 0U;
    } else {
        insn->adds_to_sp = ((half & 0x0F80U) == 0U);
    }
}

static void decode_16(uint32_t half, flow_insn_t *insn)
{
    const uint32_t condition = flow_bits(half, 11U, 8U);
    switch (half >> 12) {
    case 0x4U:
        if (flow_bits(half, 11U, 10U) == 1U) {
            decode_high(half, insn);
        }
        break;
    case 0xBU:
        decode_misc(half, insn);
        break;
    case 0xDU:
        if (condition == 0xEU) {
            insn->kind = FLOW_TRAP;
        } else if (condition != 0xFU) {
            lead(insn, FLOW_BRANCH, flow_signed(flow_bits(half, 7U, 0U) << 1, 8U));
        }
        break;
    case 0xEU:
        lead(insn, FLOW_JUMP, flow_signed(flow_bits(half, 10U, 0U) << 1, 11U));
        break;
    default:
        break;
    }
}

// The offset of B.W and BL.
static int32_t far_offset(uint32_t first, uint32_t second)
{
    const uint32_t sign = flow_bits(first, 10U, 10U);
    const uint32_t i1 = 1U ^ flow_bits(second, 13U, 13U) ^ sign;
    const uint32_t i2 = 1U ^ flow_bits(second, 11U, 11U) ^ sign;
    return flow_signed((sign << 24) | (i1 << 23) | (i2 << 22) | (flow_bits(first, 9U, 0U) << 12) |
                           (flow_bits(second, 10U, 0U) << 1),
                       24U);
}

// Of a branch with a condition.
static int32_t near_offset(uint32_t first, uint32_t second)
{
    return flow_signed((flow_bits(first, 10U, 10U) << 20) | (flow_bits(second, 11U, 11U) << 19) |
                           (flow_bits(second, 13U, 13U) << 18) | (flow_bits(first, 5U, 0U) << 12) |
                           (flow_bits(second, 10U, 0U) << 1),
                       20U);
}

// "Branches and miscellaneous control". False for what no M profile has.
static bool decode_control(uint32_t first, uint32_t second, flow_insn_t *insn)
{
    const uint32_t condition = flow_bits(first, 9U, 6U);
    switch (second & 0xD000U) {
    case 0xD000U:
        lead(insn, FLOW_CALL, far_offset(first, second));
        return true;
    case 0x9000U:
        lead(insn, FLOW_JUMP, far_offset(first, second));
        return true;
    case 0x8000U:
        if (condition < 0xEU) {
            lead(insn, FLOW_BRANCH, near_offset(first, second));
        } else if (((first & 0xFFF0U) == 0xF7F0U) && ((second & 0xF000U) == 0xA000U)) {
            insn->kind = FLOW_TRAP;
        }
        return true;
    default:
        return false;  // Into A32; and loops of ARMv8.1-M.
    }
}

static bool decode_32(uint32_t first, uint32_t second, flow_insn_t *insn)
{
    if (((first & 0xF800U) == 0xF000U) && ((second & 0x8000U) != 0U)) {
        return decode_control(first, second, insn);
    }
    const bool is_load_many = ((first & 0xFFD0U) == 0xE890U) || ((first & 0xFFD0U) == 0xE910U);
    const bool is_load_word = ((first & 0xFF70U) == 0xF850U) && (flow_bits(second, 15U, 12U) == PC);
    // 0xE89F is CLRM of ARMv8.1-M, which clears registers.
    if (is_load_many && ((second & 0x8000U) != 0U) && (first != 0xE89FU)) {
        insn->kind = FLOW_RETURN;
    } else if (is_load_word) {
        const bool pops = ((first & 0xFFFFU) == 0xF850U + SP) && ((second & 0x0D00U) == 0x0900U);
        insn->kind = pops ? FLOW_RETURN : FLOW_TABLE;
    } else if (((first & 0xFFF0U) == 0xE8D0U) && ((second & 0xFFE0U) == 0xF000U)) {
        insn->kind = FLOW_TABLE;
    }
    return true;
}

bool flow_decode_thumb(const uint8_t *bytes, size_t size, flow_insn_t *insn)
{
    if (size < 2U) {
        return false;
    }
    const uint32_t first = flow_half(bytes);
    insn->size = (first >= 0xE800U) ? 4U : 2U;
    if (insn->size > size) {
        return false;
    }
    if (insn->size == 4U) {
        return decode_32(first, flow_half(bytes + 2), insn);
    }
    decode_16(first, insn);
    return true;
}
