// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLAN_PMP_H
#define METE_PLAN_PMP_H

/// The rules of RISC-V physical memory protection, for mete/protect/plan.h.
///
/// An entry is a power of two from 4 bytes on, at a multiple of its size (NA4, NAPOT), or goes up to its address from that
/// of the entry before it (TOR), even if that is off; both from a multiple of 4. The lowest-numbered entry that
/// has a byte of an access decides, and denies it if it has not all of them. Where there is none, unprivileged code may
/// nothing, and M-mode everything. M-mode is held to locked entries only, and these have the same rights for both. Writing
/// needs reading. Memory types are the bus's. (The RISC-V Instruction Set Manual, Volume II, 3.7.)
///
/// A wish takes one entry if it is a power of two, or may be rounded up to one, or another entry is on top of what
/// is too much; else two. Wishes that touch take one each, and one more, as each goes on where the one before it ends.

#include "mete/protect/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Without locks: M-mode may do everything, whatever is wished for it.
extern const mete_plan_backend_t mete_plan_pmp;

/// With a lock where a wish does not leave everything to M-mode: both modes have the same rights there, until reset. So
/// M-mode can be stopped at NULL, say. No commit writes over a locked entry: commit one such plan, once.
extern const mete_plan_backend_t mete_plan_pmp_locked;

#ifdef __cplusplus
}
#endif
#endif
