// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_WATCHERS_H
#define TOUR_WATCHERS_H

/// Who else watches the memory, if all do: for the topic that shows them.

#include "mete/protect/integrity.h"
#include "mete/system/audit.h"
#include "mete/system/postmortem.h"
#include "mete/wrap/guard.h"
#include "mete/wrap/quota.h"
#include "mete/wrap/timing.h"

enum {
    LIVE_MAX = 17,  // Blocks of the heap at once, says the quota.
    SETTINGS_SIZE = 256,
    SETTINGS_REGION = 1,  // Its number for integrity.
    SLICE_SIZE = 64,
    AUDIT_ENTRY_COUNT = 64
};

typedef struct watchers {
    mete_guard_t *guard;  ///< Of the heap, as are quota and timing.
    const mete_quota_t *quota;
    const mete_timing_t *timing;
    size_t warning_count;  ///< What health has said so far: memory gets scarce,
    size_t relief_count;   ///< and it is no longer.

    mete_integrity_t integrity;
    uint8_t settings[SETTINGS_SIZE];  ///< They change through a gate only.
    mete_audit_t audit;               ///< Of faults, warnings and reliefs.
    mete_audit_entry_t entries[AUDIT_ENTRY_COUNT];
    mete_postmortem_t black_box;

    /// The next fault is made on purpose: it is kept here and in the black box, and the program goes on.
    bool expects_fault;
    struct fault {
        int kind;  ///< A mete_fault_t; 0: nothing was reported.
        const void *object;
        const void *address;
    } fault;
} watchers_t;

/// Opens the black box, as a start does. True if it holds something from before.
bool watchers_open_black_box(watchers_t *watchers);

/// The next fault will be made on purpose.
void watchers_expect(watchers_t *watchers);

/// Logs what was reported since, after `what`, without the end of the line. True if it is what it must be.
bool watchers_is_reported(watchers_t *watchers, const char *what, mete_fault_t fault,
                          const void *object, const void *address);

#endif
