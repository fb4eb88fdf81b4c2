// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_SPIN_H
#define METE_PORT_SPIN_H

/// A lock for several cores: interrupts masked on this one, the others kept out by turning.
///
/// Cores are served in the order in which they came (a ticket lock: Mellor-Crummey and Scott,
/// "Algorithms for Scalable Synchronization on Shared-Memory Multiprocessors", 1991), so none starves.
/// Needs a core with exclusive or atomic memory access, which ARMv6-M is not: there chips with two cores
/// have a hardware spin lock of their own to be put behind mete_lock_t.
///
///   Time     enter: until those before have left. Interrupts are off from enter to leave, waiting included.
///   Space    One mete_spin_t.
///   Threads  For tasks and interrupts of all cores. The holder must not enter it again.

#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The lock's memory, in RAM that all cores see alike.
typedef struct {
    uint32_t next_ticket;
    uint32_t now_serving;
    uintptr_t state;  // Of the holder's interrupts.
} mete_spin_t;

/// A spin lock. Starts zeroed.
mete_lock_t mete_spin_lock(mete_spin_t *spin);

#ifdef __cplusplus
}
#endif
#endif
