// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_CONFIG_WATCHED_H
#define TOUR_CONFIG_WATCHED_H

// METE_CONFIG_HEADER of the tour with all watchers: a bug that is made on purpose is kept, and the call
// returns; any other is named on the log, then the program ends.

#include <stdint.h>

void tour_fault(int fault, const void *object, const void *address, const void *caller);

#define METE_FAULT(fault, object, address) \
    tour_fault((int)(fault), (object), (address), __builtin_return_address(0))

#endif
