// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_RAM_H
#define METE_RAM_H

/// Banks of RAM that can be put to sleep: what those who decide and the driver that does it agree on.
///
/// Like a mete_alloc_t, a mete_ram_t is two words, passed by value. mete/power/bank.h knows which changes are legal, what
/// they take and who must be told; a driver in port/ writes the registers of a part, or simulates banks.

#include "mete/core/base.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How deeply a bank sleeps. What a part calls its states is its own matter; here they stand in the order of power.
/// Memory may be read and written in ACTIVE alone.
typedef enum mete_ram_state {
    METE_RAM_ACTIVE = 0,
    METE_RAM_STANDBY,    ///< Nearly awake: a clock is off, say.
    METE_RAM_SLEEP,      ///< Less power. Most parts keep contents here.
    METE_RAM_DEEP_SLEEP  ///< The least power. Most parts lose contents here.
} mete_ram_state_t;

/// How many states there are.
#define METE_RAM_STATE_COUNT 4U

/// What a driver is asked to do.
typedef struct mete_ram_change {
    size_t index;      ///< Of the bank.
    mete_span_t span;  ///< Its memory.
    mete_ram_state_t from;
    mete_ram_state_t to;
    bool retains;  ///< Contents are kept in `to`.
} mete_ram_change_t;

typedef struct mete_ram_ops {
    /// Returns when the bank is in `to`, and can be used if that is ACTIVE. False: the hardware does not do it, and the bank
    /// is in `from` as before. The caller has checked that the change is legal.
    bool (*change)(void *self, const mete_ram_change_t *change);
} mete_ram_ops_t;

/// A driver.
typedef struct mete_ram {
    const mete_ram_ops_t *ops;
    void *self;
} mete_ram_t;

#ifdef __cplusplus
}
#endif
#endif
