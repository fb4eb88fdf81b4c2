// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_EVENTS_H
#define TOUR_EVENTS_H

/// What happened on the heap since the last report: enough to recompute its statistics.

#include "mete/core/observe.h"

enum { EVENT_COUNT_MAX = 48 };

typedef struct event {
    uint8_t kind;
    uint32_t size;
} event_t;

/// Events in their order. Starts zeroed.
typedef struct events {
    event_t events[EVENT_COUNT_MAX];
    size_t count;         // Kept, at most EVENT_COUNT_MAX.
    size_t missed_count;  // Not kept, for want of room.
} events_t;

/// Keeps an event. The function of an observer whose self is an events_t.
void events_note(void *self, const mete_event_t *event);

/// Logs the events in one line and forgets them: +16 acquired, -16 released, =32 resized to this,
/// !99 refused.
void events_flush(events_t *events);

#endif
