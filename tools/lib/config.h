// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_CONFIG_H
#define METE_TOOLS_CONFIG_H

// METE_CONFIG_HEADER of the host tools: what an allocator reports is remembered and becomes part of
// the tool's own report. The call returns, refused.

void fault_record(int fault);

#define METE_FAULT(fault, object, address) \
    ((void)(object), (void)(address), fault_record((int)(fault)))

#endif
