// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_OBSERVE_H
#define METE_OBSERVE_H

/// One vocabulary for what happens to memory, and how to listen to it.
///
/// A module that can be watched has an observer in its config. It calls it after the fact, in the
/// context of the call that caused it; the observer must be short and must not call back into the
/// module that it watches.

#include <stddef.h>
#include <stdint.h>

typedef enum mete_event_kind {
    METE_EVENT_ACQUIRE = 1,  ///< block, size: a block was handed out.
    METE_EVENT_RELEASE,      ///< block, size: a block came back.
    METE_EVENT_RESIZE,       ///< block, size: a block was resized in place; the new size.
    METE_EVENT_REFUSE,       ///< size: a request could not be met.
    METE_EVENT_MARK,         ///< size: the number of a mark that was set.
    METE_EVENT_THRESHOLD,  ///< size: how much is in use of the source, now that a limit was passed.
    METE_EVENT_RELIEF,     ///< size: likewise, now that it is below the limit again.
    METE_EVENT_SWITCH,     ///< size: the number of the owner or domain that runs from now on.
    METE_EVENT_FAULT,      ///< block, size: the address a fault was about, and the mete_fault_t.
    METE_EVENT_BANK  ///< block, size: where a bank of RAM starts, and its new mete_ram_state_t.
} mete_event_kind_t;

typedef struct mete_event {
    mete_event_kind_t kind;
    const void *source;  ///< The module that reports, such as a mete_track_t.
    const void *block;   ///< The block, or NULL.
    size_t size;         ///< Bytes, or what the kind says.
    const void *caller;  ///< Where the program called from, or NULL if unknown.
} mete_event_t;

/// Who listens. on_event NULL: nobody.
typedef struct mete_observer {
    void (*on_event)(void *self, const mete_event_t *event);
    void *self;
} mete_observer_t;

static inline void mete_observe(mete_observer_t observer, const mete_event_t *event)
{
    if (observer.on_event != NULL) {
        observer.on_event(observer.self, event);
    }
}

#endif
