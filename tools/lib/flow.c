// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/flow.h"

bool flow_decode(flow_machine_t machine, const uint8_t *bytes, size_t size, uint64_t address,
                 flow_insn_t *insn)
{
    *insn = (flow_insn_t){.address = address, .kind = FLOW_NEXT};
    const bool is_known = (machine == FLOW_THUMB) ? flow_decode_thumb(bytes, size, insn)
                                                  : flow_decode_riscv(bytes, size, insn);
    for (unsigned i = 0U; is_known && (i < insn->size) && (i < 4U); i++) {
        insn->word |= (uint32_t)bytes[i] << (8U * i);
    }
    return is_known;
}

// A call in two instructions: the upper half of the target into a register, then the jump to it.
static void join(flow_insn_t *insn, const flow_insn_t *before)
{
    if (before->is_prelude && (insn->kind == FLOW_TRAP)) {
        insn->kind = FLOW_NEXT;
    }
    if ((insn->base == 0U) || (before->upper_in != insn->base)) {
        return;
    }
    if (insn->kind == FLOW_CALL_POINTER) {
        insn->kind = FLOW_CALL;
    } else if (insn->kind == FLOW_JUMP_POINTER) {
        insn->kind = FLOW_JUMP;
    } else {
        return;
    }
    insn->target = (uint32_t)(before->upper + (uint32_t)insn->offset);
}

// ARMv6-M cannot pop the return address into PC if arguments lie above it: it pops a register, moves the
// stack pointer and branches there.
static void take_popped(flow_insn_t *insn, const flow_insn_t *before)
{
    if (insn->adds_to_sp) {
        insn->popped = before->popped;
    } else if ((insn->kind == FLOW_JUMP_POINTER) && (before->popped != 0U) &&
               (insn->base + 1U == before->popped)) {
        insn->kind = FLOW_RETURN;
    }
}

void flow_follow(flow_insn_t *insn, const flow_insn_t *before, unsigned *conditional_count)
{
    insn->is_conditional = (*conditional_count > 0U);
    *conditional_count -= insn->is_conditional ? 1U : 0U;
    if (insn->block_count != 0U) {
        *conditional_count = insn->block_count;
    }
    if (before != NULL) {
        take_popped(insn, before);
        join(insn, before);
    }
}
