// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_CYCLES_H
#define TOUR_CYCLES_H

/// A clock that is fine enough to time a call: what SysTick counts, as a mete_clock_t. It wraps at 2^32.

#include <stdint.h>

/// Cycles since mete_bare_metal_clock_start(). Right also with interrupts masked, for up to a millisecond.
uint32_t cycles_now(void);

#endif
