// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_INJECT_FAULTS_H
#define METE_INJECT_FAULTS_H

/// The mistakes, one at a time: each is made in a world that is in order, and then the watchers are asked.

#include "tests/inject/world.h"

/// What came of one.
typedef struct outcome {
    bool is_detected;
    bool is_placed;      ///< And whoever reads the report knows where.
    size_t misreported;  ///< Reports of what was not injected.
} outcome_t;

typedef struct fault_kind {
    const char *name;
    /// Makes the mistake and asks.
    outcome_t (*inject)(world_t *world);
    uint32_t sets;         ///< Bit s: set s must detect and place it, at the levels from
    int level;             ///< this one on.
    bool is_only_if_seen;  ///< Where nobody promises to see it, it is not made: it would do harm.
} fault_kind_t;

extern const fault_kind_t fault_kinds[];
extern const size_t fault_kind_count;

// Those that need no heap, and are no different with other sets.
outcome_t inject_constant(world_t *world);
outcome_t inject_variable(world_t *world);
outcome_t inject_stack(world_t *world);

#endif
