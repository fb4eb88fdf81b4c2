// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_EVENTS_H
#define METE_EXHAUST_EVENTS_H

/// What happens behind a subject during one call, in order: callbacks, and what is asked of the allocator
/// behind. One list is written by what happens, another by the model.

#include "tests/exhaust/exhaust.h"

enum { EVENTS_MAX = 32 };

typedef struct events {
    size_t count;
    struct {
        uint8_t what;  ///< The subject says what that is,
        uint8_t on;    ///< and on which object or block.
    } all[EVENTS_MAX];
} events_t;

static inline void events_add(events_t *events, unsigned what, size_t on)
{
    if (EXHAUST_EXPECT(events->count < EVENTS_MAX)) {
        events->all[events->count].what = (uint8_t)what;
        events->all[events->count].on = (uint8_t)on;
        events->count++;
    }
}

/// How many there were of these.
static inline size_t events_count(const events_t *events, unsigned what)
{
    size_t count = 0U;
    for (size_t i = 0U; i < events->count; i++) {
        count += (events->all[i].what == what) ? 1U : 0U;
    }
    return count;
}

static inline bool events_are_equal(const events_t *a, const events_t *b)
{
    size_t i = 0U;
    while ((i < a->count) && (i < b->count) && (a->all[i].what == b->all[i].what) &&
           (a->all[i].on == b->all[i].on)) {
        i++;
    }
    return (i == a->count) && (i == b->count);
}

#endif
