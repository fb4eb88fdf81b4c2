// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ACCESS_H
#define METE_ACCESS_H

/// Who may do what with memory: the words that maps, protection plans and drivers share.
///
///     static const mete_rights_t of_a_task = {METE_ACCESS_READ | METE_ACCESS_WRITE,
///                                             METE_ACCESS_READ | METE_ACCESS_WRITE};

#include <stdint.h>

/// What is done, or may be done. Joined with |.
typedef enum mete_access {
    METE_ACCESS_READ = 1 << 0,     ///< Load.
    METE_ACCESS_WRITE = 1 << 1,    ///< Store.
    METE_ACCESS_EXECUTE = 1 << 2,  ///< Fetch instructions.
} mete_access_t;

/// All three.
#define METE_ACCESS_ALL 0x7U

/// In which mode the processor does it.
typedef enum mete_privilege {
    METE_UNPRIVILEGED = 0,  ///< Cortex-M: unprivileged thread mode. RISC-V: U.
    METE_PRIVILEGED = 1,    ///< Cortex-M: handlers and privileged threads. RISC-V: M.
} mete_privilege_t;

/// What each mode may do: mete_access_t values, joined.
typedef struct mete_rights {
    uint8_t unprivileged;
    uint8_t privileged;
} mete_rights_t;

#endif
