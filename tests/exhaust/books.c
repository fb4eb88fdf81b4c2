// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/exhaust/books.h"

#include <string.h>

enum { GRANULE = 8, GHOST = 1 };

books_t *books;

held_t *books_find(mete_movable_handle_t handle)
{
    for (size_t i = 0U; i < books->held_count; i++) {
        if (books->held[i].handle.value == handle.value) {
            return &books->held[i];
        }
    }
    return NULL;
}

held_t *books_find_at(int at)
{
    for (size_t i = 0U; i < books->held_count; i++) {
        if (books->held[i].shown_at == at) {
            return &books->held[i];
        }
    }
    return NULL;
}

static size_t rounded(size_t size)
{
    return (size + GRANULE - 1U) / GRANULE * GRANULE;
}

static void look_at_gap(sight_t *sight, const mete_movable_block_t *shown)
{
    if (shown->is_moving) {
        sight->ghost = (mete_span_t){shown->block, shown->size};
    } else if (shown->size / GRANULE > sight->largest_gap) {
        sight->largest_gap = shown->size / GRANULE;
    }
}

static bool look_at(void *self, const mete_movable_block_t *shown)
{
    sight_t *const sight = self;
    held_t *const held = shown->is_live ? books_find(shown->handle) : NULL;
    if (!shown->is_live) {
        look_at_gap(sight, shown);
        return true;
    }
    sight->live_count++;
    sight->is_right = sight->is_right && (held != NULL) && (shown->size == rounded(held->size)) &&
                      (shown->is_pinned == (held->pins != 0U)) &&
                      ((held->pins == 0U) || (exhaust_at(shown->block) == held->shown_at));
    if (held != NULL) {
        held->shown_at = exhaust_at(shown->block);
        held->is_moving = shown->is_moving;
    }
    return true;
}

sight_t books_look(void)
{
    sight_t sight = {0U, 0U, {NULL, 0U}, true};
    EXHAUST_EXPECT(mete_movable_walk(&books->store, look_at, &sight));
    EXHAUST_EXPECT(sight.is_right && (sight.live_count == books->held_count));
    return sight;
}

void books_sort(void)
{
    for (size_t i = 1U; i < books->held_count; i++) {
        for (size_t j = i; (j != 0U) && (books->held[j].shown_at < books->held[j - 1U].shown_at);
             j--) {
            const held_t held = books->held[j];
            books->held[j] = books->held[j - 1U];
            books->held[j - 1U] = held;
        }
    }
}

held_t *books_add(mete_movable_handle_t handle, size_t size)
{
    EXHAUST_EXPECT((books_find(handle) == NULL) && (handle.value != books->freed.value));
    held_t *const held = &books->held[books->held_count];
    *held = (held_t){handle, 0, 0, (uint16_t)size, 0U, true};
    books->held_count++;
    return held;
}

void books_remove(held_t *held)
{
    books->freed = held->handle;
    books->held_count--;
    memmove(held, held + 1, (books->held_count - (size_t)(held - books->held)) * sizeof *held);
    memset(&books->held[books->held_count], 0, sizeof *held);
}

static void mask_store(mete_movable_t *store)
{
    store->unused_least = 0U;
    store->moved_total = 0U;
    store->refusals = 0U;
    store->calls = 0U;
    store->spare_first = 0U;
    store->spare_last = 0U;
    store->moving = (store->moving != 0U) ? 1U : 0U;
    store->move_done = (store->moving != 0U) ? store->move_done : 0U;
    store->move_to = (store->moving != 0U) ? store->move_to : 0U;
}

void books_mask(books_t *masked)
{
    mask_store(&masked->store);
    // Where that slot's block is, instead of which slot it is.
    masked->store.packed =
        (uint16_t)(masked->slots[masked->store.packed].address - masked->store.start);
    const mete_movable_slot_t ghost = masked->slots[GHOST];
    memset(masked->slots, 0, sizeof masked->slots);
    if (masked->store.moving != 0U) {
        masked->slots[GHOST].address = ghost.address;
        masked->slots[GHOST].extent = ghost.extent;
    }
    masked->freed.value = 0U;
    for (size_t i = 0U; i < masked->held_count; i++) {
        masked->held[i].handle.value = 0U;
        masked->held[i].at = 0;
    }
}
