// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SOAK_CONFIG_H
#define SOAK_CONFIG_H

// METE_CONFIG_HEADER of the soak: a fault is compared with what was injected, and the call returns.

void soak_fault(int fault, const void *object, const void *address);

#define METE_FAULT(fault, object, address) soak_fault((int)(fault), (object), (address))

#endif
