// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_FAULT_H
#define METE_TOOLS_FAULT_H

/// What the allocators of a tool reported. See tools/lib/config.h. One for the process, no threads.

/// The first fault since the last call, a mete_fault_t, or 0; forgets it.
int fault_take(void);

#endif
