// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Decodes the 32-bit words of standard input, one at each multiple of 4, and prints where each instruction leads: a letter
// and the target.
// usage: flow_list thumb|riscv

#include "tools/lib/flow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const char letters[] = "nbjcpqrtx";  // In the order of flow_kind_t.
    if (argc != 2) {
        return 64;
    }
    const flow_machine_t machine = (strcmp(argv[1], "thumb") == 0) ? FLOW_THUMB : FLOW_RISCV;
    uint8_t bytes[4];
    for (uint64_t address = 0U; fread(bytes, sizeof bytes, 1U, stdin) == 1U; address += 4U) {
        flow_insn_t insn;
        const bool is_known = flow_decode(machine, bytes, sizeof bytes, address, &insn);
        const bool leads = is_known && ((insn.kind == FLOW_BRANCH) || (insn.kind == FLOW_JUMP) ||
                                        (insn.kind == FLOW_CALL));
        printf("%c %" PRIx64 "\n", is_known ? letters[insn.kind] : '?', leads ? insn.target : 0U);
    }
    return 0;
}
