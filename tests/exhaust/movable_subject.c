// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The movable store as a subject of exhaustion: blocks are moved, whole and in parts, pinned ones not at
// all, and every handle that names no block is refused.

#include "mete/alloc/movable.h"

#include "tests/exhaust/books.h"
#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum { GRANULE = 8, PIN_MAX = 2, VALUE_MAX = 320 };

enum { ALLOC = EXHAUST_OWN, FREE, RESIZE, PIN, UNPIN, COMPACT };
static const char *const verbs[] = {"alloc", "free", "resize", "pin", "unpin", "compact"};

typedef struct layout {
    books_t books;
    _Alignas(GRANULE) unsigned char storage[];
} layout_t;

static layout_t *layout;
static mete_movable_config_t config;
static size_t scale;  // Granules in all.

static exhaust_offer_t begin(mete_span_t arena, size_t granules, size_t failure_size)
{
    layout = arena.start;
    books = &layout->books;
    scale = granules;
    config = (mete_movable_config_t){.storage = {layout->storage, granules * GRANULE},
                                     .slots = books->slots,
                                     .slot_count = BOOKS_SLOT_COUNT,
                                     .failure_size = failure_size};
    EXHAUST_EXPECT(mete_movable_init(&books->store, &config));
    return (exhaust_offer_t){
        {NULL, NULL}, config.storage, offsetof(layout_t, storage) + config.storage.size};
}

static exhaust_offer_t begin_moving(mete_span_t arena, size_t granules)
{
    return begin(arena, granules, SIZE_MAX);
}

static exhaust_offer_t begin_resting(mete_span_t arena, size_t granules)
{
    return begin(arena, granules, 0U);
}

// ---- What is where

static size_t granules_for(size_t size)
{
    return (size + GRANULE - 1U) / GRANULE;
}

// Holds all blocks where they are now. What is being moved is neither here nor there.
static void hold_all(void)
{
    exhaust_forget_all();
    for (size_t i = 0U; i < books->held_count; i++) {
        held_t *const held = &books->held[i];
        (void)exhaust_hold(exhaust_address(held->shown_at), held->is_moving ? 0U : held->size,
                           GRANULE);
        if (!held->is_moving) {
            held->at = held->shown_at;
        }
    }
}

// After a call: blocks may have been moved, with their contents.
static void settle(void)
{
    (void)books_look();
    for (size_t i = 0U; i < books->held_count; i++) {
        const held_t *const held = &books->held[i];
        EXHAUST_EXPECT(held->is_moving || exhaust_is_painted(held->shown_at, held->at, held->size));
    }
    books_sort();
    hold_all();
}

// ---- What must be

static size_t free_granules(void)
{
    size_t used = 0U;
    for (size_t i = 0U; i < books->held_count; i++) {
        used += granules_for(books->held[i].size);
    }
    return scale - used;
}

static bool is_any_pinned(void)
{
    size_t pins = 0U;
    for (size_t i = 0U; i < books->held_count; i++) {
        pins += books->held[i].pins;
    }
    return pins != 0U;
}

static bool may_move(void)
{
    return config.failure_size != 0U;
}

static chance_t may_alloc(size_t granules)
{
    if ((granules > free_granules()) || (books->held_count == BOOKS_HELD_MAX)) {
        return MUST_FAIL;
    }
    if ((books_look().largest_gap >= granules) || (may_move() && !is_any_pinned())) {
        return MUST_SUCCEED;
    }
    return (may_move() || (books->store.moving != 0U)) ? MAY_SUCCEED : MUST_FAIL;
}

// How far a block could reach where it is.
static int reach_of(const held_t *held)
{
    const size_t next = (size_t)(held - books->held) + 1U;
    return (next < books->held_count) ? books->held[next].shown_at
                                      : exhaust_at(layout->storage) + ((int)scale * GRANULE);
}

static chance_t may_resize(const held_t *held, size_t granules)
{
    const size_t own = granules_for(held->size);
    const bool has_room = held->shown_at + ((int)granules * GRANULE) <= reach_of(held);
    if (granules > free_granules() + own) {
        return MUST_FAIL;
    }
    if ((granules <= own) || (has_room && (books->store.moving == 0U)) ||
        (may_move() && !is_any_pinned() && (granules <= free_granules()))) {
        return MUST_SUCCEED;
    }
    return ((held->pins != 0U) && !may_move() && (books->store.moving == 0U)) ? MUST_FAIL
                                                                              : MAY_SUCCEED;
}

// ---- Calls

static void alloc(size_t size)
{
    const chance_t chance = may_alloc(granules_for(size));
    const mete_movable_handle_t handle = mete_movable_alloc(&books->store, size);
    exhaust_chance(handle.value != 0U, chance);
    if (handle.value == 0U) {
        settle();
        return;
    }
    held_t *const held = books_add(handle, size);
    (void)books_look();
    held->at = held->shown_at;
    exhaust_forget_all();
    EXHAUST_EXPECT(!held->is_moving);
    exhaust_paint(held->at, held->size);
    settle();
}

static void free_block(held_t *held)
{
    EXHAUST_EXPECT(held->is_moving || exhaust_is_painted(held->at, held->at, held->size));
    mete_movable_free(&books->store, held->handle);
    books_remove(held);
    settle();
}

static void resize(held_t *held, size_t size)
{
    const mete_movable_handle_t handle = held->handle;
    const size_t old_size = held->size;
    const chance_t chance = may_resize(held, granules_for(size));
    const bool is_done = mete_movable_resize(&books->store, handle, size);
    exhaust_chance(is_done, chance);
    if (is_done) {
        held->size = (uint16_t)size;
        (void)books_look();
        EXHAUST_EXPECT(!held->is_moving && exhaust_is_painted(held->shown_at, held->at,
                                                              (size < old_size) ? size : old_size));
        held->at = held->shown_at;
        exhaust_paint(held->at, size);
    }
    settle();
}

static void pin(held_t *held)
{
    const void *const address = mete_movable_pin(&books->store, held->handle);
    held->shown_at = exhaust_at(address);
    held->pins++;
    EXHAUST_EXPECT(mete_movable_address(&books->store, held->handle) == address);
    settle();
}

static void compact(size_t step_size)
{
    const size_t left = mete_movable_compact(&books->store, step_size);
    settle();
    if ((left == 0U) && !is_any_pinned()) {
        EXHAUST_EXPECT(books_look().largest_gap == free_granules());
    }
    EXHAUST_EXPECT((step_size != UINT16_MAX) || (left == 0U));
}

static void perform(const exhaust_op_t *op)
{
    held_t *const held = books_find_at(op->at);
    if ((op->verb != ALLOC) && (op->verb != COMPACT) && !EXHAUST_EXPECT(held != NULL)) {
        return;
    }
    switch (op->verb) {
    case ALLOC:
        alloc(op->size);
        break;
    case FREE:
        free_block(held);
        break;
    case RESIZE:
        resize(held, op->size);
        break;
    case PIN:
        pin(held);
        break;
    case UNPIN:
        mete_movable_unpin(&books->store, held->handle);
        held->pins--;
        settle();
        break;
    default:
        compact(op->size);
        break;
    }
}

static void list_for(exhaust_ops_t *ops, const held_t *held)
{
    for (size_t granules = 1U; granules <= free_granules() + granules_for(held->size) + 1U;
         granules++) {
        exhaust_add_op(ops, RESIZE, held->shown_at, granules * GRANULE, 0U);
    }
    exhaust_add_op(ops, (held->pins == 0U) ? FREE : UNPIN, held->shown_at, 0U, 0U);
    if (held->pins < PIN_MAX) {
        exhaust_add_op(ops, PIN, held->shown_at, 0U, 0U);
    }
}

static void list(exhaust_ops_t *ops)
{
    for (size_t granules = 1U; granules <= free_granules() + 1U; granules++) {
        exhaust_add_op(ops, ALLOC, 0, granules * GRANULE, 0U);
    }
    for (size_t i = 0U; i < books->held_count; i++) {
        list_for(ops, &books->held[i]);
    }
    exhaust_add_op(ops, COMPACT, 0, GRANULE, 0U);
    exhaust_add_op(ops, COMPACT, 0, UINT16_MAX, 0U);
}

// ---- What holds in every state

static bool is_sound(void)
{
    const mete_movable_usage_t usage = mete_movable_usage(&books->store);
    const bool is_moving = books->store.moving != 0U;
    return mete_movable_check(&books->store) && (usage.block_count == books->held_count) &&
           (usage.spare_count == BOOKS_HELD_MAX - books->held_count) &&
           (usage.retired_count == 0U) &&
           (is_moving || (usage.free_size == free_granules() * GRANULE)) &&
           (is_moving || (usage.in_use_size == (scale - free_granules()) * GRANULE));
}

static void mask(unsigned char *copy)
{
    books_mask((books_t *)(void *)copy);
    memset(copy + offsetof(layout_t, storage), 0, scale * GRANULE);
}

// ---- Misuse

static void misuse_value(uint32_t value)
{
    const unsigned faults = (1U << METE_FAULT_FOREIGN) | (1U << METE_FAULT_DOUBLE_FREE);
    const mete_movable_handle_t handle = {value};
    mete_movable_t *const store = &books->store;
    if (books_find(handle) != NULL) {
        return;
    }
    exhaust_doing(FREE, 0, value & UINT16_MAX, 0U);
    EXHAUST_EXPECT(!mete_movable_has(store, handle));
    mete_movable_free(store, handle);
    exhaust_refused((value != 0U) ? faults : 0U);
    exhaust_doing(PIN, 0, value & UINT16_MAX, 0U);
    EXHAUST_EXPECT(mete_movable_pin(store, handle) == NULL);
    exhaust_refused(faults);
    exhaust_doing(UNPIN, 0, value & UINT16_MAX, 0U);
    mete_movable_unpin(store, handle);
    exhaust_refused(faults);
    if (value % VALUE_MAX < 32U) {
        exhaust_doing(RESIZE, 0, value & UINT16_MAX, 0U);
        EXHAUST_EXPECT(!mete_movable_resize(store, handle, GRANULE));
        exhaust_refused(faults);
        EXHAUST_EXPECT(mete_movable_size_of(store, handle) == 0U);
        exhaust_refused(faults);
    }
}

static void misuse_held(const held_t *held)
{
    const unsigned order = 1U << METE_FAULT_ORDER;
    mete_movable_t *const store = &books->store;
    exhaust_doing((held->pins != 0U) ? FREE : UNPIN, held->shown_at, 0U, 0U);
    if (held->pins != 0U) {
        mete_movable_free(store, held->handle);
        exhaust_refused(order);
    } else {
        mete_movable_unpin(store, held->handle);
        exhaust_refused(order);
        EXHAUST_EXPECT(mete_movable_address(store, held->handle) == NULL);
        exhaust_refused(order);
    }
    misuse_value(0U - held->handle.value);
    misuse_value(~held->handle.value);
}

static void misuse(void)
{
    for (uint32_t value = 0U; value < (uint32_t)VALUE_MAX; value++) {
        misuse_value(value);
    }
    for (size_t i = 0U; i < books->held_count; i++) {
        misuse_held(&books->held[i]);
    }
    misuse_value(books->freed.value);
}

#define MOVABLE_SUBJECT(variant, label, start) \
    const exhaust_subject_t variant = { \
        .name = (label), \
        .verbs = verbs, \
        .init = (start), \
        .list = list, \
        .perform = perform, \
        .is_sound = is_sound, \
        .mask = mask, \
        .misuse = misuse, \
    }

MOVABLE_SUBJECT(exhaust_movable, "movable", begin_moving);
MOVABLE_SUBJECT(exhaust_movable_resting, "movable.resting", begin_resting);
