// SPDX-License-Identifier: MIT OR Apache-2.0
//
// RV32IMC, as The RISC-V Instruction Set Manual, Volume I, encodes it (tables of the base opcodes and of RVC).
// A jump through ra or t0 is a return, as its chapter on JALR says of return-address stacks.

#include "tools/lib/flow.h"

enum { RA = 1, T0 = 5 };

static bool is_link(unsigned target)
{
    return (target == RA) || (target == T0);
}

static void lead(flow_insn_t *insn, flow_kind_t kind, int32_t offset)
{
    insn->kind = kind;
    insn->target = (uint32_t)((uint32_t)insn->address + (uint32_t)offset);
}

// To what a register says.
static void lead_by_pointer(flow_insn_t *insn, unsigned link, unsigned base, int32_t offset)
{
    insn->base = base;
    insn->offset = offset;
    if (link != 0U) {
        insn->kind = FLOW_CALL_POINTER;
    } else {
        insn->kind = (is_link(base) && (offset == 0)) ? FLOW_RETURN : FLOW_JUMP_POINTER;
    }
}

// The offset of C.J and C.JAL.
static int32_t short_jump(uint32_t half)
{
    const uint32_t offset = (flow_bits(half, 12U, 12U) << 11) | (flow_bits(half, 11U, 11U) << 4) |
                            (flow_bits(half, 10U, 9U) << 8) | (flow_bits(half, 8U, 8U) << 10) |
                            (flow_bits(half, 7U, 7U) << 6) | (flow_bits(half, 6U, 6U) << 7) |
                            (flow_bits(half, 5U, 3U) << 1) | (flow_bits(half, 2U, 2U) << 5);
    return flow_signed(offset, 11U);
}

// Of C.BEQZ and C.BNEZ.
static int32_t short_branch(uint32_t half)
{
    const uint32_t offset = (flow_bits(half, 12U, 12U) << 8) | (flow_bits(half, 11U, 10U) << 3) |
                            (flow_bits(half, 6U, 5U) << 6) | (flow_bits(half, 4U, 3U) << 1) |
                            (flow_bits(half, 2U, 2U) << 5);
    return flow_signed(offset, 8U);
}

// C.LUI, which may be the first half of a call.
static void decode_short_upper(uint32_t half, flow_insn_t *insn)
{
    const unsigned target = flow_bits(half, 11U, 7U);
    if (target != 2U) {
        insn->upper_in = target;
        insn->upper = (uint32_t)flow_signed(
            (flow_bits(half, 12U, 12U) << 17) | (flow_bits(half, 6U, 2U) << 12), 17U);
    }
}

static void decode_16(uint32_t half, flow_insn_t *insn)
{
    const unsigned source = flow_bits(half, 11U, 7U);
    switch ((flow_bits(half, 1U, 0U) << 3) | flow_bits(half, 15U, 13U)) {
    case 0x00U:
        insn->kind = (half == 0U) ? FLOW_TRAP : FLOW_NEXT;
        break;
    case 0x09U:
        lead(insn, FLOW_CALL, short_jump(half));
        break;
    case 0x0BU:
        decode_short_upper(half, insn);
        break;
    case 0x0DU:
        lead(insn, FLOW_JUMP, short_jump(half));
        break;
    case 0x0EU:
    case 0x0FU:
        lead(insn, FLOW_BRANCH, short_branch(half));
        break;
    case 0x14U:
        if (half == 0x9002U) {
            insn->kind = FLOW_TRAP;  // C.EBREAK
        } else if (flow_bits(half, 6U, 2U) == 0U) {
            lead_by_pointer(insn, flow_bits(half, 12U, 12U), source, 0);
        }
        break;
    default:
        break;
    }
}

static int32_t far_jump(uint32_t word)
{
    const uint32_t offset = (flow_bits(word, 31U, 31U) << 20) | (flow_bits(word, 19U, 12U) << 12) |
                            (flow_bits(word, 20U, 20U) << 11) | (flow_bits(word, 30U, 21U) << 1);
    return flow_signed(offset, 20U);
}

static int32_t far_branch(uint32_t word)
{
    const uint32_t offset = (flow_bits(word, 31U, 31U) << 12) | (flow_bits(word, 7U, 7U) << 11) |
                            (flow_bits(word, 30U, 25U) << 5) | (flow_bits(word, 11U, 8U) << 1);
    return flow_signed(offset, 12U);
}

// EBREAK is a trap, MRET a return; `csrrw x0, cycle, x0` is what assemblers make of unimp.
static flow_kind_t system_kind(uint32_t word)
{
    switch (word) {
    case 0x00100073U:
    case 0xC0001073U:
        return FLOW_TRAP;
    case 0x30200073U:
        return FLOW_RETURN;
    default:
        return FLOW_NEXT;
    }
}

static void decode_32(uint32_t word, flow_insn_t *insn)
{
    const unsigned target = flow_bits(word, 11U, 7U);
    switch (flow_bits(word, 6U, 0U)) {
    case 0x17U:  // AUIPC
        insn->upper_in = target;
        insn->upper = (uint32_t)insn->address + (word & 0xFFFFF000U);
        break;
    case 0x37U:  // LUI
        insn->upper_in = target;
        insn->upper = word & 0xFFFFF000U;
        break;
    case 0x63U:
        lead(insn, FLOW_BRANCH, far_branch(word));
        break;
    case 0x67U:
        lead_by_pointer(insn, target, flow_bits(word, 19U, 15U),
                        flow_signed(flow_bits(word, 31U, 20U), 11U));
        break;
    case 0x6FU:
        lead(insn, (target != 0U) ? FLOW_CALL : FLOW_JUMP, far_jump(word));
        break;
    case 0x73U:
        insn->kind = system_kind(word);
        break;
    default:
        break;
    }
}

bool flow_decode_riscv(const uint8_t *bytes, size_t size, flow_insn_t *insn)
{
    if (size < 2U) {
        return false;
    }
    const uint32_t half = flow_half(bytes);
    insn->size = ((half & 3U) == 3U) ? 4U : 2U;
    if ((insn->size > size) || ((half & 0x1FU) == 0x1FU)) {
        return false;  // Longer ones are of extensions that no such core has.
    }
    if (insn->size == 2U) {
        decode_16(half, insn);
        return true;
    }
    const uint32_t word = half | (flow_half(bytes + 2) << 16);
    insn->is_prelude = (word == 0x01F01013U);  // slli x0, x0, 31, as for semihosting
    decode_32(word, insn);
    return true;
}
