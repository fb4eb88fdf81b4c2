// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_SIMULATED_RAM_H
#define METE_PORT_SIMULATED_RAM_H

/// Banks of RAM that sleep where no hardware does it: a driver for mete/power/bank.h on a host, and on boards that have
/// a protection unit but no such banks.
///
/// It is as bad as a part may be. As a bank enters a state that does not retain, its contents are overwritten with
/// garbage, never twice the same. While it sleeps nobody may touch it: what does is stopped by the protection unit. So
/// a program that keeps something in a sleeping bank finds out on the desk.
///
///     static mete_simulated_ram_t simulated;
///     const mete_ram_t ram = mete_simulated_ram_init(&simulated, mpu);    // Of mete_posix_mprotect_init(), say.
///
/// The unit must be the simulator's alone: it commits one region for each sleeping bank, and a background for all the rest.
/// What can be stopped is for the hardware:
///
///   kind     who is stopped                     a bank must be
///   ARMV7M   everyone, but in handlers of       a power of two, 32 bytes or more, on a multiple of its size
///            hard faults
///   ARMV8M   unprivileged code; and whoever     a multiple of 32 bytes, on one
///            writes
///   PMP      unprivileged code                  a power of two, 8 bytes or more, on a multiple of its size
///   PAGES    everyone                           whole pages in the unit's arena
///
///   Time     change: O(bytes) where contents are lost, else O(sleeping banks).
///   Errors   A bank that cannot be a region, or one more than there are: the change is refused, and nothing was done.

#include "mete/core/mpu.h"
#include "mete/core/ram.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Most banks that sleep at once.
#define METE_SIMULATED_RAM_BANK_MAX 32U

/// The driver. The fields are here so that it can be static.
typedef struct mete_simulated_ram {
    mete_mpu_t mpu;
    uint32_t garbage;
    size_t sleeping_count;
    mete_span_t sleeping[METE_SIMULATED_RAM_BANK_MAX];
    mete_mpu_image_t images[METE_SIMULATED_RAM_BANK_MAX];
} mete_simulated_ram_t;

/// Makes the driver ready; all banks are active. mpu.ops NULL: there is no protection unit, and contents are lost but nobody is stopped.
mete_ram_t mete_simulated_ram_init(mete_simulated_ram_t *simulated, mete_mpu_t mpu);

#ifdef __cplusplus
}
#endif
#endif
