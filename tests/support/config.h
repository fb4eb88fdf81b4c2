// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_CONFIG_H
#define METE_TEST_CONFIG_H

// METE_CONFIG_HEADER of the tests: a fault is recorded and the call returns.

#ifdef __cplusplus
extern "C" {
#endif
void tap_record_fault(int fault, const void *object, const void *address);
#ifdef __cplusplus
}
#endif

#define METE_FAULT(fault, object, address) tap_record_fault((int)(fault), (object), (address))

#endif
