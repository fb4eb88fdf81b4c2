// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_MOVABLE_MOVES_H
#define METE_MOVABLE_MOVES_H

// A part of movable.c: how blocks are moved, a budget of bytes at a time. Down against each other, up
// to make room behind one, or out of a span.

#include "mete/alloc/movable.h"
#include "mete/alloc/movable_slots.h"
#include "mete/core/words.h"

#define NOWHERE SIZE_MAX  // In place of the index of a slot.

// ---- Moving a block

// What the ghost holds is what the block being moved needs besides what it has.
static inline bool is_move_good(const store_t *store)
{
    const size_t moving = store->moving;
    if ((moving < FIRST) || (moving >= slot_count_of(store)) || !is_held(store, moving) ||
        (pins_of(store, moving) != 0U) || !is_listed(store, moving) || !is_listed(store, GHOST)) {
        return false;
    }
    const size_t size = size_of(store, moving);
    const bool is_elsewhere = (size_of(store, GHOST) == size);
    const bool is_down = (store->move_to == start_of(store, GHOST)) &&
                         (is_elsewhere || (end_of(store, GHOST) == start_of(store, moving)));
    const bool is_up = (store->move_to + size == end_of(store, GHOST)) &&
                       (end_of(store, moving) == start_of(store, GHOST));
    return (is_down || is_up) && (store->move_done < size);
}

static inline bool is_move_sound(const store_t *store)
{
    return (METE_CHECK_LEVEL < 1) || (store->moving == 0U) || is_move_good(store);
}

static inline void end_move(store_t *store)
{
    const size_t index = store->moving;
    const size_t before = vacate(store, GHOST);
    put(store, index, before, store->move_to, granules_of(at(store, index)));
    at(store, index)->tag = ~at(store, index)->tag;
    store->moving = 0U;
}

// As if it had not been set out. What was copied so far is lost if the places overlap.
static inline void give_up_move(store_t *store)
{
    (void)vacate(store, GHOST);
    store->moving = 0U;
}

// Copies at most `budget` bytes of the block being moved, front first if it goes down, else end first.
// Returns how many.
static inline size_t advance_move(store_t *store, size_t budget)
{
    const uintptr_t from = at(store, store->moving)->address;
    const size_t left = size_of(store, store->moving) - store->move_done;
    const size_t size = (budget < left) ? budget - (budget % GRANULE) : left;
    const size_t offset = (store->move_to < from) ? store->move_done : left - size;
    mete_words_move((void *)(store->move_to + offset), (const void *)(from + offset), size);
    store->move_done += size;
    store->moved_total += size;
    if (size == left) {
        end_move(store);
    }
    return size;
}

// Sets out to move a block, by at most `budget` bytes for now; returns how many. `ghost`, in the gap
// behind slot `before`, is kept for it: together with what the block has it must hold it at its new
// place. That is where the ghost begins or, if it lies behind the block itself, where it ends.
static inline size_t begin_move(store_t *store, size_t index, size_t before, range_t ghost,
                                size_t budget)
{
    occupy(store, GHOST, before, ghost.low, (uint32_t)((ghost.high - ghost.low) / GRANULE));
    at(store, index)->tag = ~at(store, index)->tag;
    store->moving = (uint16_t)index;
    store->move_to = (before == index) ? ghost.high - size_of(store, index) : ghost.low;
    store->move_done = 0U;
    return advance_move(store, budget);
}

// Before a block is touched that is being moved.
static inline bool finish_move_of(store_t *store, size_t index)
{
    const bool is_moving = (store->moving == index);
    if (is_moving && !is_move_sound(store)) {
        return false;
    }
    if (is_moving) {
        (void)advance_move(store, SIZE_MAX);
    }
    return true;
}

// ---- Room

// Where the room behind a slot begins, if nothing may be put below an address.
static inline uintptr_t room_start(const store_t *store, size_t index, uintptr_t low)
{
    const uintptr_t end = end_of(store, index);
    return (end > low) ? end : low;
}

// Of the gap behind a slot, what lies in a range. Empty: low is not below high.
static inline range_t room_behind(const store_t *store, size_t index, range_t within)
{
    const uintptr_t high = start_of(store, at(store, index)->next);
    const range_t room = {room_start(store, index, within.low),
                          (high < within.high) ? high : within.high};
    return room;
}

static inline uint32_t granules_in(range_t room)
{
    return (room.low < room.high) ? (uint32_t)((room.high - room.low) / GRANULE) : 0U;
}

// What of a span lies in the storage, in whole granules.
static inline range_t range_of(const store_t *store, mete_span_t span)
{
    const uintptr_t low = mete_align_up((uintptr_t)span.start, GRANULE);
    const uintptr_t high = mete_align_down((uintptr_t)span.start + span.size, GRANULE);
    const range_t range = {(low > store->start) ? low : store->start,
                           (high < store->end) ? high : store->end};
    return range;
}

// ---- Where blocks may be put: the window, or of that the places that are preferred, in this order.

static inline size_t range_count_of(const store_t *store)
{
    return (store->place_count != 0U) ? store->place_count : 1U;
}

static inline range_t range_at(const store_t *store, size_t number)
{
    const range_t window = {store->low, store->high};
    if (store->place_count == 0U) {
        return window;
    }
    const range_t place = range_of(store, store->places[number]);
    const range_t range = {(place.low > window.low) ? place.low : window.low,
                           (place.high < window.high) ? place.high : window.high};
    return range;
}

// True if what is in a slot lies in a range.
static inline bool is_within(const store_t *store, size_t index, range_t range)
{
    return (start_of(store, index) >= range.low) && (end_of(store, index) <= range.high);
}

// The window, or the last place that a block lies in: behind single banks there may be runs of them.
// Empty if it lies in none.
static inline range_t range_holding(const store_t *store, size_t index)
{
    for (size_t i = range_count_of(store); i != 0U; i--) {
        const range_t range = range_at(store, i - 1U);
        if ((store->place_count == 0U) || is_within(store, index, range)) {
            return range;
        }
    }
    range_t none;
    none.low = 0U;
    none.high = 0U;
    return none;
}

// The slot behind which the first gap is, the ghost, or nothing more; as far as links are sound.
static inline size_t first_gap(store_t *store)
{
    while (is_link_sound(store, store->packed) && (gap_behind(store, store->packed) == 0U) &&
           (at(store, store->packed)->next >= FIRST)) {
        store->packed = at(store, store->packed)->next;
    }
    return store->packed;
}

// The first slot behind which there is room of so many granules, or NOWHERE. *is_damaged is set if a
// link is.
static inline size_t find_room(store_t *store, range_t within, uint32_t granules, bool *is_damaged)
{
    size_t index = first_gap(store);
    do {
        if (!is_link_sound(store, index)) {
            *is_damaged = true;
            return NOWHERE;
        }
        if (granules_in(room_behind(store, index, within)) >= granules) {
            return index;
        }
        index = at(store, index)->next;
    } while ((index != SENTINEL) && (at(store, index)->address < within.high));
    return NOWHERE;
}

// The first place, in the order of preference, that has room: the slot in front of it, or NOWHERE. `*low`
// is where the place begins.
static inline size_t find_preferred(store_t *store, uint32_t granules, uintptr_t *low,
                                    bool *is_damaged)
{
    for (size_t i = 0U; i < range_count_of(store); i++) {
        const range_t range = range_at(store, i);
        const size_t index = find_room(store, range, granules, is_damaged);
        if ((index != NOWHERE) || *is_damaged) {
            *low = range.low;
            return index;
        }
    }
    return NOWHERE;
}

// ---- The pass of compaction: from the first block to the last, each is moved against what lies in front
// of it. In front of one that must stay the gap is filled with others from behind.

typedef struct pass {
    size_t at;        // All up to this slot is done.
    size_t budget;    // Bytes that may yet be moved.
    uint32_t wanted;  // Stop at a room of so many granules; UINT32_MAX: never.
    size_t stop;      // Stop behind this slot; NOWHERE: at the end.
    range_t within;   // Where blocks are put,
    range_t reach;    // and where they must lie to be moved.
    size_t left;      // Of evacuation: bytes passed that found no room.
    bool is_done;     // Nothing is left to be done, or not up to where it should stop.
    bool is_damaged;
} pass_t;

// Field by field: clang sets a whole struct by memset(), which is libc.
static inline pass_t pass_of(const store_t *store, size_t budget, uint32_t wanted, size_t stop)
{
    pass_t pass;
    pass.at = SENTINEL;
    pass.budget = budget;
    pass.wanted = wanted;
    pass.stop = stop;
    pass.within.low = store->low;
    pass.within.high = store->high;
    pass.reach.low = 0U;
    pass.reach.high = UINTPTR_MAX;
    pass.left = 0U;
    pass.is_done = false;
    pass.is_damaged = false;
    return pass;
}

// From now on a pass moves blocks within a range, and no others. Field by field: as a whole they may be copied by
// memcpy(), which is libc.
static inline void keep_within(pass_t *pass, range_t range)
{
    pass->within.low = range.low;
    pass->within.high = range.high;
    pass->reach.low = range.low;
    pass->reach.high = range.high;
}

// True if a pass may move a block.
static inline bool can_move(const store_t *store, size_t index, const pass_t *pass)
{
    return is_resting(store, index) && is_within(store, index, pass->reach);
}

// True if a block may be moved down to where a room in front of it begins.
static inline bool can_slide(const store_t *store, size_t index, range_t room, const pass_t *pass)
{
    return can_move(store, index, pass) && (room.low < room.high) &&
           (size_of(store, index) <= pass->within.high - room.low);
}

// The largest block behind a slot that may be moved and fits into a room; of several the last. Or 0.
static inline size_t find_filler(const store_t *store, size_t index, uint32_t granules,
                                 pass_t *pass)
{
    size_t best = 0U;
    uint32_t best_granules = 1U;
    for (size_t i = at(store, index)->next; i != SENTINEL; i = at(store, i)->next) {
        if (!is_link_sound(store, i)) {
            pass->is_damaged = true;
            return 0U;
        }
        const uint32_t found = granules_of(at(store, i));
        if (can_move(store, i, pass) && (found >= best_granules) && (found <= granules)) {
            best = i;
            best_granules = found;
        }
    }
    return best;
}

// Moves something into the room behind a slot, if anything can be. Returns its slot; else that of the
// block behind the room.
static inline size_t fill_room(store_t *store, pass_t *pass, range_t room)
{
    const size_t next = at(store, pass->at)->next;
    const bool slides = can_slide(store, next, room, pass);
    const size_t chosen = slides ? next
                          : (granules_in(room) == 0U)
                              ? 0U
                              : find_filler(store, next, granules_in(room), pass);
    if (chosen == 0U) {
        return next;
    }
    if (pass->budget < GRANULE) {
        return NOWHERE;
    }
    const range_t ghost = {room.low,
                           slides ? start_of(store, next) : room.low + size_of(store, chosen)};
    pass->budget -= begin_move(store, chosen, pass->at, ghost, pass->budget);
    return (store->moving == 0U) ? chosen : NOWHERE;
}

// One slot further. False if the pass is over.
static inline bool step(store_t *store, pass_t *pass)
{
    if (!is_next_sound(store, pass->at)) {
        pass->is_damaged = true;
        return false;
    }
    const range_t room = room_behind(store, pass->at, pass->within);
    pass->is_done = (at(store, pass->at)->next == SENTINEL) || (pass->at == pass->stop);
    if (pass->is_done || (granules_in(room) >= pass->wanted)) {
        return false;
    }
    const size_t reached = fill_room(store, pass, room);
    pass->at = (reached == NOWHERE) ? pass->at : reached;
    return (reached != NOWHERE) && !pass->is_damaged;
}

// Bytes that may be moved yet by a pass that has come to a slot, or has not begun.
static inline size_t left_behind(store_t *store, size_t index)
{
    index = (index != SENTINEL) ? index : first_gap(store);
    size_t left = (store->moving != 0U) ? size_of(store, store->moving) - store->move_done : 0U;
    while (is_link_sound(store, index) && (at(store, index)->next != SENTINEL)) {
        index = at(store, index)->next;
        left += is_resting(store, index) ? size_of(store, index) : 0U;
    }
    return left;
}

// Goes on with a move that is under way. True if none is now, so that a pass can begin.
static inline bool go_on_moving(store_t *store, pass_t *pass)
{
    pass->is_damaged = !is_move_sound(store);
    if (!pass->is_damaged && (store->moving != 0U)) {
        pass->budget -= advance_move(store, pass->budget);
    }
    return !pass->is_damaged && (store->moving == 0U);
}

static inline void run_once(store_t *store, pass_t *pass)
{
    pass->at = (pass->stop == NOWHERE) ? first_gap(store) : (size_t)SENTINEL;
    for (size_t i = slot_count_of(store); (i != 0U) && step(store, pass); i--) {
    }
}

// Goes on with a move that is under way, then with compaction: in the window, or in each place by itself.
static inline void run(store_t *store, pass_t *pass)
{
    bool goes_on = go_on_moving(store, pass);
    for (size_t i = 0U; goes_on && (i < range_count_of(store)); i++) {
        if (store->place_count != 0U) {
            keep_within(pass, range_at(store, i));
        }
        run_once(store, pass);
        goes_on = pass->is_done && !pass->is_damaged;
    }
}

// Moves the blocks behind one up to the end, as far as they can be and the budget allows.
static inline void slide_up(store_t *store, size_t index, pass_t *pass)
{
    size_t i = at(store, SENTINEL)->previous;
    for (size_t count = slot_count_of(store); (i != index) && (count != 0U); count--) {
        pass->is_damaged = !is_place_sound(store, i) || (i == SENTINEL);
        if (pass->is_damaged) {
            return;
        }
        const range_t room = room_behind(store, i, pass->within);
        if (can_move(store, i, pass) && (room.low == end_of(store, i)) &&
            (granules_in(room) != 0U)) {
            if (pass->budget < GRANULE) {
                return;
            }
            pass->budget -= begin_move(store, i, i, room, pass->budget);
            if (store->moving != 0U) {
                return;
            }
        }
        i = at(store, i)->previous;
    }
}

// ---- Out of a span

// Bytes of what is in a slot that lie in a span.
static inline size_t size_within(const store_t *store, size_t index, mete_span_t span)
{
    const uintptr_t low = start_of(store, index);
    const uintptr_t span_low = (uintptr_t)span.start;
    // As offsets: a span may reach beyond the last address.
    const uintptr_t skipped = (span_low > low) ? span_low - low : 0U;
    const uintptr_t ahead = (low > span_low) ? low - span_low : 0U;
    const size_t size = size_of(store, index);
    if ((skipped >= size) || (ahead >= span.size)) {
        return 0U;
    }
    return (size - skipped < span.size - ahead) ? size - skipped : span.size - ahead;
}

// True if a slot, and so all behind it, lies behind a span, or is the sentinel.
static inline bool is_beyond(const store_t *store, size_t index, mete_span_t span)
{
    const uintptr_t start = start_of(store, index);
    return (index == SENTINEL) ||
           ((start >= (uintptr_t)span.start) && (start - (uintptr_t)span.start >= span.size));
}

// A block of a run, and what is behind it: looked at once, used when it is moved and for the next.
typedef struct runner {
    slot_t *slot;
    slot_t *follower;
    size_t next;        // Its slot's index.
    uintptr_t address;  // Of the block.
    size_t size;
    size_t gap;  // Behind it.
} runner_t;

// Looks at the block in a slot, which leads to it, and at the slot behind. False if it is not sound: the
// follower agrees, lies behind, and the two bits vouch for where. That says as much as is_linked(), for where the
// block lies is known.
static inline bool look_at(const store_t *store, size_t index, slot_t *slot, runner_t *runner)
{
    runner->slot = slot;
    runner->address = slot->address;
    runner->size = (size_t)granules_of(slot) * GRANULE;
    runner->next = slot->next;
    const uintptr_t end = runner->address + runner->size;
    if ((METE_CHECK_LEVEL >= 1) && (runner->next > store->slot_mask / 2U)) {
        return false;
    }
    slot_t *const follower = at(store, runner->next);
    runner->follower = follower;
    if ((METE_CHECK_LEVEL >= 1) && (follower->previous != index)) {
        return false;
    }
    const uintptr_t behind = METE_LIKELY(runner->next != SENTINEL) ? follower->address : store->end;
    runner->gap = behind - end;
    const uint32_t seal = seal_of(follower->address - store->start, granules_of(follower));
    return (METE_CHECK_LEVEL < 1) ||
           ((behind >= end) && ((seal ^ (follower->extent << 8)) >> 30 == 0U));
}

// Moves the blocks of a run to where a room begins: the first, which fits, and each behind it that begins below an
// address, may be moved and fits. Returns the last one. The gaps behind them are no longer accounted for. By
// itself, not inlined: so the loop has the registers to itself. The sentinel never rests.
__attribute__((noinline)) static size_t move_blocks(store_t *store, size_t first, uintptr_t limit,
                                                    range_t *room)
{
    runner_t runner;
    uintptr_t to = room->low;
    slot_t *last = at(store, first);
    bool goes_on = look_at(store, first, last, &runner);
    while (goes_on) {
        if (!METE_LIKELY(runner.gap == 0U)) {
            remove_gap(store, (uint32_t)(runner.gap / GRANULE));
        }
        mete_words_copy((void *)to, (const void *)runner.address, runner.size);
        last = runner.slot;
        last->address = to;
        last->extent = extent_of(to - store->start, (uint32_t)(runner.size / GRANULE));
        to += runner.size;
        const size_t index = runner.next;
        slot_t *const slot = runner.follower;
        goes_on = METE_LIKELY(
            (slot->address < limit) && ((size_t)granules_of(slot) * GRANULE <= room->high - to) &&
            leads_to(store, slot->tag, index) && look_at(store, index, slot, &runner));
    }
    room->low = to;
    return (size_t)(last - store->slots);
}

// Where blocks of a run must begin below: the end of the span, or the slot in front of their room, which stays.
static inline uintptr_t limit_of_run(const store_t *store, size_t first, size_t place,
                                     mete_span_t from)
{
    const uintptr_t end = (uintptr_t)from.start + from.size;
    const uintptr_t limit = (end < store->end) ? end : store->end;
    const uintptr_t start = at(store, place)->address;
    return ((start > at(store, first)->address) && (start < limit)) ? start : limit;
}

// Moves a run of blocks behind slot `pass->at` to a room behind slot `place`, which is none of them: the
// first, which fits, and others as long as each is the next. Links between them stay as they are, and gaps
// are counted anew where the run was and where it goes: so a block costs little besides its bytes. Returns
// the slot to go on from.
static inline size_t move_run(store_t *store, size_t place, range_t room, mete_span_t from,
                              pass_t *pass)
{
    const size_t before = pass->at;
    const size_t first = at(store, before)->next;
    const uintptr_t start = room.low;
    range_t paid;
    paid.low = start;
    paid.high = (room.high - start > pass->budget) ? start + pass->budget : room.high;
    if (at(store, first)->address <= at(store, store->packed)->address) {
        store->packed = (uint16_t)before;
    }
    remove_gap(store, gap_behind(store, before));
    remove_gap(store, (place != before) ? gap_behind(store, place) : 0U);
    const size_t last = move_blocks(store, first, limit_of_run(store, first, place, from), &paid);
    if (place != before) {
        link_run(store, before, first, last, place);
        add_gap(store, gap_behind(store, place));
    }
    add_gap(store, gap_behind(store, before));
    add_gap(store, gap_behind(store, last));
    pass->budget -= paid.low - start;
    store->moved_total += paid.low - start;
    return (place == before) ? last : before;
}

// True if something of a block lies in a span, and it can be moved.
static inline bool is_ahead(const store_t *store, size_t index, mete_span_t span)
{
    return is_resting(store, index) && (size_within(store, index, span) != 0U);
}

// Moves the block behind a slot, if it lies in a span and there is room for it elsewhere, and those behind
// it that can follow. Blocks of `*too_large` granules and more have found no room. Returns the slot to go on
// from, or NOWHERE.
static inline size_t evacuate_next(store_t *store, mete_span_t from, uint32_t *too_large,
                                   pass_t *pass)
{
    const size_t index = at(store, pass->at)->next;
    const uint32_t granules = granules_of(at(store, index));
    if (!is_ahead(store, index, from)) {
        return index;
    }
    const size_t place = (granules < *too_large)
                             ? find_room(store, pass->within, granules, &pass->is_damaged)
                             : NOWHERE;
    if (place == NOWHERE) {
        *too_large = (granules < *too_large) ? granules : *too_large;
        pass->left += size_of(store, index);
        return index;
    }
    if (pass->budget < GRANULE) {
        return NOWHERE;
    }
    const range_t room = room_behind(store, place, pass->within);
    if ((pass->budget >= size_of(store, index)) && (place != index)) {
        return move_run(store, place, room, from, pass);
    }
    const range_t ghost = {room.low, room.low + size_of(store, index)};
    pass->budget -= begin_move(store, index, place, ghost, pass->budget);
    return (store->moving == 0U) ? pass->at : NOWHERE;
}

static inline void evacuate(store_t *store, mete_span_t from, pass_t *pass)
{
    uint32_t too_large = UINT32_MAX;
    // Each turn passes a block or moves some out for good, and needs to do so once for each.
    for (size_t turns = slot_count_of(store); turns != 0U; turns--) {
        pass->is_damaged = pass->is_damaged || !is_next_sound(store, pass->at);
        if (pass->is_damaged || is_beyond(store, at(store, pass->at)->next, from)) {
            return;
        }
        const size_t reached = evacuate_next(store, from, &too_large, pass);
        if (reached == NOWHERE) {
            return;
        }
        pass->at = reached;
    }
}

// Bytes of blocks in a span that an evacuation has yet to move: what it passed, what lies ahead, and the rest of a
// move under way. If something is damaged it says so.
static inline size_t left_of_evacuation(const store_t *store, mete_span_t from, pass_t *pass)
{
    size_t left = pass->left;
    size_t index = pass->at;
    while (is_link_sound(store, index) && !is_beyond(store, at(store, index)->next, from)) {
        index = at(store, index)->next;
        left += is_ahead(store, index, from) ? size_of(store, index) : 0U;
    }
    pass->is_damaged = pass->is_damaged || !is_link_sound(store, index);
    return left + ((store->moving != 0U) ? size_of(store, store->moving) - store->move_done : 0U);
}

#endif
