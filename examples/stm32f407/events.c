// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/stm32f407/events.h"

#include "examples/stm32f407/log.h"

void events_note(void *self, const mete_event_t *event)
{
    events_t *const events = self;
    if (event->kind == METE_EVENT_MARK) {
        return;
    }
    if (events->count == EVENT_COUNT_MAX) {
        events->missed_count++;
        return;
    }
    events->events[events->count] = (event_t){(uint8_t)event->kind, (uint32_t)event->size};
    events->count++;
}

static const char *text_of(uint8_t kind)
{
    switch (kind) {
    case METE_EVENT_ACQUIRE:
        return " +#";
    case METE_EVENT_RELEASE:
        return " -#";
    case METE_EVENT_RESIZE:
        return " =#";
    default:
        return " !#";
    }
}

void events_flush(events_t *events)
{
    LOG("Heap events: # and # missed:", events->count, events->missed_count);
    for (size_t i = 0U; i < events->count; i++) {
        LOG(text_of(events->events[i].kind), events->events[i].size);
    }
    log_text("\n");
    events->count = 0U;
    events->missed_count = 0U;
}
