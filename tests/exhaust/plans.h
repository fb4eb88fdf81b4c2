// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_PLANS_H
#define METE_EXHAUST_PLANS_H

/// What is explored: each subject in a short form, which a test has time for, and in a long one.

#include "tests/exhaust/explore.h"

typedef struct exhaust_plan {
    const exhaust_subject_t *subject;
    size_t short_scale, long_scale;
    const char
        *figure;  ///< Under which the states are published, with others of this name the fewest.
} exhaust_plan_t;

extern const exhaust_plan_t exhaust_plans[];
extern const size_t exhaust_plan_count;

#endif
