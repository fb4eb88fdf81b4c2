// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLAN_ARMV7M_H
#define METE_PLAN_ARMV7M_H

/// The rules of the ARMv7-M protection unit (Cortex-M3, M4, M7), for mete/protect/plan.h.
///
/// A region is a power of two from 32 bytes on, at a multiple of its size; from 256 bytes on each of its eight parts can
/// be left out. Where regions overlap the one with the highest number decides; where a part is left out, the next lower
/// one. Executing needs the right to read, and both modes may execute or none. Writing needs reading; unprivileged
/// code never may more than privileged code. Device memory is never executed, nor is anything from 0xE0000000 on; the
/// private peripheral bus is not governed by regions at all. (ARMv7-M Architecture Reference Manual, DDI 0403E, B3.5.)
///
/// A wish is covered by a row of regions from its first byte to its last. For each first region the others follow:
/// from where the last one ended the one that reaches farthest, which no row with fewer can beat. O(log(size)) first
/// regions of O(log(size)) looks each, for each region of the row.

#include "mete/protect/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Hands over to mete_plan_config_t.
extern const mete_plan_backend_t mete_plan_armv7m;

#ifdef __cplusplus
}
#endif
#endif
