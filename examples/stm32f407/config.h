// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_CONFIG_H
#define TOUR_CONFIG_H

// METE_CONFIG_HEADER of the tour: a bug is named on the log, then the program ends.

#include <stdint.h>

__attribute__((noreturn)) void tour_fault(int fault, const void *object, const void *address,
                                          const void *caller);

#define METE_FAULT(fault, object, address) \
    tour_fault((int)(fault), (object), (address), __builtin_return_address(0))

#endif
