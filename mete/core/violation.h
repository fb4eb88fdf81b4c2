// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VIOLATION_H
#define METE_VIOLATION_H

/// An access that protection did not let happen, in words that all hardware shares.
///
/// A decoder in port/ makes one of what the processor says: port/cpu/cortex_m_violation.h, riscv_violation.h,
/// port/os/posix_violation.h. Hardware does not know everything. What it cannot know is said to be unknown here,
/// never guessed:
///
///   Cortex-M    Whether it was a load or a store is read from the instruction. If the stack could not take the
///               exception's frame, there is neither an instruction nor, mostly, an address.
///   ARMv8-M     A stack limit (PSPLIM, MSPLIM) that was passed: as above.
///   RISC-V      All is known.
///   Linux       All is known on x86; elsewhere the address alone.

#include "mete/core/access.h"
#include "mete/core/base.h"

/// What the access was for.
typedef enum mete_violation_kind {
    METE_VIOLATION_NONE = 0,  ///< None: protection has nothing to do with this fault.
    METE_VIOLATION_DATA,      ///< A load or a store.
    METE_VIOLATION_FETCH,     ///< An instruction was to be executed.
    METE_VIOLATION_STACK      ///< The processor itself could not use the stack.
} mete_violation_kind_t;

/// What is known of it. Joined with |.
typedef enum mete_violation_known {
    METE_VIOLATION_KNOWS_ADDRESS = 1 << 0,
    METE_VIOLATION_KNOWS_PC = 1 << 1,
    METE_VIOLATION_KNOWS_ACCESS = 1 << 2,
} mete_violation_known_t;

/// What happened. A field that is not known is 0.
typedef struct mete_violation {
    mete_violation_kind_t kind;
    uint8_t known;               ///< mete_violation_known_t values, joined.
    uint8_t access;              ///< A mete_access_t.
    mete_privilege_t privilege;  ///< Of who tried.
    uintptr_t address;           ///< What was to be touched.
    uintptr_t pc;                ///< The instruction that tried.
    uintptr_t cause;             ///< As the hardware says it: CFSR, mcause, the signal.
} mete_violation_t;

/// True if all of `known`, mete_violation_known_t values joined, is known.
METE_INLINE bool mete_violation_knows(const mete_violation_t *violation, uint32_t known)
{
    return (known & ~(uint32_t)violation->known) == 0U;
}

#endif
