// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef ISOLATION_CONFIG_H
#define ISOLATION_CONFIG_H

// METE_CONFIG_HEADER of the example: a fault that a task provokes is counted, and the call returns, for the others go on.

void kernel_note_fault(int fault, const void *object, const void *address);

#define METE_FAULT(fault, object, address) kernel_note_fault((int)(fault), (object), (address))

#endif
