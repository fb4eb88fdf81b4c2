// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_BOOKS_H
#define METE_EXHAUST_BOOKS_H

/// A movable store as a subject has it: with what is held of it, in the order of places. In which slots
/// blocks are, and which generation their handles have, is masked: it decides nothing but the handles' values.

#include "mete/alloc/movable.h"

#include "tests/exhaust/exhaust.h"

enum { BOOKS_SLOT_COUNT = 8, BOOKS_HELD_MAX = 6 };

typedef struct held {
    mete_movable_handle_t handle;
    int16_t at;        // Where it was when its content was written.
    int16_t shown_at;  // Where it is.
    uint16_t size;
    uint8_t pins;
    bool is_moving;
} held_t;

/// In the arena.
typedef struct books {
    mete_movable_t store;
    mete_movable_slot_t slots[BOOKS_SLOT_COUNT];
    held_t held[BOOKS_HELD_MAX];  // By where they are.
    size_t held_count;
    mete_movable_handle_t freed;  // The one freed last.
} books_t;

extern books_t *books;

/// What a look around shows besides what is held.
typedef struct sight {
    size_t live_count;
    size_t largest_gap;  // In granules.
    mete_span_t ghost;   // Room kept for a block that is being moved, if there is one.
    bool is_right;
} sight_t;

held_t *books_find(mete_movable_handle_t handle);
held_t *books_find_at(int at);

/// Takes down where everything is now; what is held must be there, and nothing else.
sight_t books_look(void);
/// By where they are.
void books_sort(void);

/// A block that was handed out, without content yet. Where it is shows the next look.
held_t *books_add(mete_movable_handle_t handle, size_t size);
void books_remove(held_t *held);

/// Clears in a copy what does not matter.
void books_mask(books_t *masked);

#endif
