// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_MOVABLE_SLOTS_H
#define METE_MOVABLE_SLOTS_H

// A part of movable.c: the table of slots. It knows where blocks are, which handles are good and how
// often a block is pinned. Memory it neither reads nor writes.
//
// Slots are a list in address order, and a gap is what lies between two of them: so nothing need be
// written into free memory, and gaps merge by themselves. Slot 0 is the list's own link: the start of
// the storage as a predecessor, its end as a successor. Slot 1 is the ghost: it holds the room that a
// block being moved will take, so that to everything else a move is one more block.
//
// A tag is the one word that says what a slot holds, and whether a handle is good. With h the handle
// of the slot's block:
//      h   a block that is not pinned. The only one that may be moved.
//     -h   a block pinned once.
//     ~h   a block pinned more than once, or being moved; without granules: h will be the next block's.
//          With generation 0, which no handle has: a slot whose generations are used up.
// A handle is its generation, the index of its slot, and a 1 as the lowest bit. So -h and ~h have the
// complement of the index and lead to another slot: there is no handle, not even a forged one, that
// finds a tag that it equals, or whose negative it equals, unless that is what it should find.

#include "mete/alloc/movable.h"

enum { SENTINEL = 0, GHOST = 1, FIRST = 2 };  // Indices of slots.
enum { GRANULE = 8 };

// An extent is a number of granules, two bits that vouch for it, and pins if there are more than one.
#define GRANULES_MAX 0x3FFFFFU
#define SEAL         0x400000U   // The lower of the two bits.
#define PIN          0x1000000U  // One pin.

typedef mete_movable_t store_t;
typedef mete_movable_slot_t slot_t;
typedef mete_movable_handle_t handle_t;

// Memory from one address to another.
typedef struct range {
    uintptr_t low, high;
} range_t;

// ---- Slots

static inline slot_t *at(const store_t *store, size_t index)
{
    return &store->slots[index];
}

static inline size_t slot_count_of(const store_t *store)
{
    return (store->slot_mask / 2U) + 1U;
}

static inline uint32_t granules_of(const slot_t *slot)
{
    return slot->extent & GRANULES_MAX;
}

// The two bits that vouch for where something begins and how long it is, at the top of a word: a
// third of the sum, in quarters of what a word can hold. A power of two more or less in the sum makes
// one to three quarters there: so whichever single bit of address or size flips, these change.
static inline uint32_t seal_of(uintptr_t offset, uint32_t granules)
{
    return ((uint32_t)offset + granules) * 0x55555555U;
}

static inline uint32_t extent_of(uintptr_t offset, uint32_t granules)
{
    return granules + ((seal_of(offset, granules) >> 30) * SEAL);
}

static inline size_t size_of(const store_t *store, size_t index)
{
    return (size_t)granules_of(at(store, index)) * GRANULE;
}

// Granules for a block of so many bytes; more than any store has for sizes that none has.
static inline uint32_t granules_for(size_t size)
{
    return (size <= METE_MOVABLE_SIZE_MAX) ? (uint32_t)((size + GRANULE - 1U) / GRANULE)
                                           : GRANULES_MAX + 1U;
}

// Where what is in a slot begins and ends. The sentinel begins at the end and ends at the start.
static inline uintptr_t start_of(const store_t *store, size_t index)
{
    return (index == SENTINEL) ? store->end : at(store, index)->address;
}

static inline uintptr_t end_of(const store_t *store, size_t index)
{
    return at(store, index)->address + size_of(store, index);
}

static inline uint32_t gap_behind(const store_t *store, size_t index)
{
    return (uint32_t)((start_of(store, at(store, index)->next) - end_of(store, index)) / GRANULE);
}

// ---- Handles

// The first generation as a handle has it: the bit above the index.
static inline uint32_t generation_one(const store_t *store)
{
    return (uint32_t)store->slot_mask + 2U;
}

static inline size_t index_in(const store_t *store, handle_t handle)
{
    return (handle.value & store->slot_mask) / 2U;
}

// True if a handle of that value would lead to the slot.
static inline bool leads_to(const store_t *store, uint32_t value, size_t index)
{
    return (value & (store->slot_mask | 1U)) == (2U * index) + 1U;
}

static inline bool is_resting(const store_t *store, size_t index)
{
    return leads_to(store, at(store, index)->tag, index);
}

// A block pinned more than once or being moved.
static inline bool is_held(const store_t *store, size_t index)
{
    return leads_to(store, ~at(store, index)->tag, index) && (at(store, index)->extent != 0U);
}

static inline bool is_spare(const store_t *store, size_t index)
{
    const uint32_t next = ~at(store, index)->tag;
    return leads_to(store, next, index) && (next >= generation_one(store)) &&
           (at(store, index)->extent == 0U);
}

static inline bool is_retired(const store_t *store, size_t index)
{
    return at(store, index)->tag == ~(uint32_t)(2U * index + 1U);
}

// The handle that a slot's tag was made of: of the block in it, or the next one. 0: of none.
static inline uint32_t origin_of(const store_t *store, size_t index)
{
    const uint32_t tag = at(store, index)->tag;
    if (leads_to(store, tag, index)) {
        return tag;
    }
    if (leads_to(store, 0U - tag, index)) {
        return 0U - tag;
    }
    return leads_to(store, ~tag, index) ? ~tag : 0U;
}

// The handle of the block in a slot, or 0 if there is none.
static inline uint32_t handle_of(const store_t *store, size_t index)
{
    const uint32_t origin = origin_of(store, index);
    return ((index >= FIRST) && ((~at(store, index)->tag != origin) || is_held(store, index)))
               ? origin
               : 0U;
}

// True if a value can be a handle's. Without the 1, -h less 1 would be taken for ~h.
static inline bool is_handle(const store_t *store, uint32_t value)
{
    return ((value & 1U) != 0U) && (value >= generation_one(store));
}

// True if a handle names a block.
static inline bool is_valid(const store_t *store, handle_t handle)
{
    const uint32_t value = handle.value;
    const slot_t *const slot = at(store, index_in(store, handle));
    return is_handle(store, value) && ((slot->tag == value) || (slot->tag == 0U - value) ||
                                       ((slot->tag == ~value) && (slot->extent != 0U)));
}

// Pins of a block.
static inline size_t pins_of(const store_t *store, size_t index)
{
    if (leads_to(store, 0U - at(store, index)->tag, index)) {
        return 1U;
    }
    return at(store, index)->extent / PIN;
}

// What is wrong with a handle that names no block.
static inline mete_fault_t fault_of(const store_t *store, handle_t handle)
{
    const size_t index = index_in(store, handle);
    if ((index < FIRST) || !is_handle(store, handle.value)) {
        return METE_FAULT_FOREIGN;
    }
    const uint32_t known = origin_of(store, index);
    if (known == 0U) {
        return METE_FAULT_CORRUPT;
    }
    const bool is_old = (handle.value < known) || is_retired(store, index);
    return is_old ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN;
}

// ---- What must be true before a link is followed. True without a look at level 0.

// There is such a slot, and what is in it lies in the storage. The sentinel has no granules.
static inline bool is_placed(const store_t *store, size_t index)
{
    if (index >= slot_count_of(store)) {
        return false;
    }
    const uintptr_t offset = at(store, index)->address - store->start;
    const size_t room = store->end - store->start;
    const uint32_t granules = granules_of(at(store, index));
    return (offset <= room) && (offset % GRANULE == 0U) &&
           ((size_t)granules * GRANULE <= room - offset) &&
           ((granules != 0U) || (index == SENTINEL)) &&
           ((seal_of(offset, granules) ^ (at(store, index)->extent << 8)) >> 30 == 0U);
}

// The slot behind agrees that it is, and lies behind. So addresses rise along the list, and it ends.
static inline bool is_linked(const store_t *store, size_t index)
{
    if (!is_placed(store, index) || !is_placed(store, at(store, index)->next)) {
        return false;
    }
    const size_t next = at(store, index)->next;
    return (at(store, next)->previous == index) && (end_of(store, index) <= start_of(store, next));
}

static inline bool is_link_sound(const store_t *store, size_t index)
{
    return (METE_CHECK_LEVEL < 1) || is_linked(store, index);
}

// What is behind a slot may be taken out of the list.
static inline bool is_next_sound(const store_t *store, size_t index)
{
    return is_link_sound(store, index) && is_link_sound(store, at(store, index)->next);
}

// Both neighbours of a slot agree with it.
static inline bool is_listed(const store_t *store, size_t index)
{
    const size_t before = at(store, index)->previous;
    return is_linked(store, before) && (at(store, before)->next == index) &&
           is_linked(store, index);
}

static inline bool is_place_sound(const store_t *store, size_t index)
{
    return (METE_CHECK_LEVEL < 1) || is_listed(store, index);
}

// Slots without a block, as the counters have it.
static inline size_t spare_count_of(const store_t *store)
{
    return slot_count_of(store) - FIRST - store->block_count - store->retired_count;
}

// The first or the last of the queue of slots without a block; or that is empty, and should be.
static inline bool is_spare_sound(const store_t *store, size_t index)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    if (store->spare_first == 0U) {
        return spare_count_of(store) == 0U;
    }
    return (index < slot_count_of(store)) && is_spare(store, index) &&
           ((at(store, index)->next == 0U) == (index == store->spare_last));
}

// ---- Putting into the list and taking out. Nothing here may fail.

static inline void add_gap(store_t *store, uint32_t granules)
{
    store->free_granules += granules;
    store->free_squares += (uint64_t)granules * granules;
    store->gap_count += (granules != 0U) ? 1U : 0U;
}

static inline void remove_gap(store_t *store, uint32_t granules)
{
    store->free_granules -= granules;
    store->free_squares -= (uint64_t)granules * granules;
    store->gap_count -= (granules != 0U) ? 1U : 0U;
}

// Puts a slot into the gap behind another.
static inline void occupy(store_t *store, size_t index, size_t before, uintptr_t address,
                          uint32_t granules)
{
    slot_t *const slot = at(store, index);
    const size_t next = at(store, before)->next;
    const uint32_t gap = gap_behind(store, before);
    const uint32_t front = (uint32_t)((address - end_of(store, before)) / GRANULE);
    remove_gap(store, gap);
    add_gap(store, front);
    add_gap(store, gap - front - granules);
    slot->address = address;
    slot->extent = extent_of(address - store->start, granules);
    slot->next = (uint16_t)next;
    slot->previous = (uint16_t)before;
    at(store, before)->next = (uint16_t)index;
    at(store, next)->previous = (uint16_t)index;
}

// Takes a slot out. Returns the one in front.
static inline size_t vacate(store_t *store, size_t index)
{
    slot_t *const slot = at(store, index);
    const size_t before = slot->previous;
    if (slot->address <= at(store, store->packed)->address) {
        store->packed = (uint16_t)before;
    }
    const uint32_t front = gap_behind(store, before);
    const uint32_t behind = gap_behind(store, index);
    remove_gap(store, front);
    remove_gap(store, behind);
    add_gap(store, front + granules_of(slot) + behind);
    at(store, before)->next = slot->next;
    at(store, slot->next)->previous = (uint16_t)before;
    slot->address = 0U;
    slot->extent = 0U;
    return before;
}

// Takes a block out and puts it, with so many granules, behind another slot or where itself was.
static inline void put(store_t *store, size_t index, size_t before, uintptr_t address,
                       uint32_t granules)
{
    const uint32_t pins = at(store, index)->extent / PIN * PIN;
    const size_t own_before = vacate(store, index);
    occupy(store, index, (before == index) ? own_before : before, address, granules);
    at(store, index)->extent += pins;
}

// Takes slots that are neighbours out of the list, behind `before`, and puts them behind `place`. The order of
// the four links matters where `place` is next to them.
static inline void link_run(store_t *store, size_t before, size_t first, size_t last, size_t place)
{
    const uint16_t behind = at(store, last)->next;
    at(store, before)->next = behind;
    at(store, behind)->previous = (uint16_t)before;
    const uint16_t next = at(store, place)->next;
    at(store, place)->next = (uint16_t)first;
    at(store, first)->previous = (uint16_t)place;
    at(store, last)->next = next;
    at(store, next)->previous = (uint16_t)last;
}

static inline void note_peak(store_t *store)
{
    const uint32_t unused = store->free_granules + granules_of(at(store, GHOST));
    store->unused_least = (unused < store->unused_least) ? unused : store->unused_least;
}

// ---- The queue of slots without a block

static inline void init_slots(store_t *store)
{
    const size_t count = slot_count_of(store);
    for (size_t i = 0U; i < count; i++) {
        slot_t *const slot = at(store, i);
        const uint32_t generation = (i >= FIRST) ? generation_one(store) : 0U;
        slot->tag = ~(generation | (uint32_t)(2U * i + 1U));
        slot->address = (i == SENTINEL) ? store->start : 0U;
        slot->extent = 0U;
        slot->next = (uint16_t)(((i < FIRST) || (i + 1U == count)) ? 0U : i + 1U);
        slot->previous = 0U;
    }
    store->packed = SENTINEL;
    store->spare_first = FIRST;
    store->spare_last = (uint16_t)(count - 1U);
}

// Makes a slot spare for the block that will be next in it, or retires it.
static inline void retire(store_t *store, size_t index, handle_t handle)
{
    const uint32_t one = generation_one(store);
    uint32_t value = handle.value + one;
    if ((value < one) && store->config->recycles) {  // Wrapped around, to generation 0.
        value += one;
    }
    at(store, index)->tag = ~value;
    if (value < one) {
        store->retired_count++;
        return;
    }
    at(store, index)->next = 0U;
    if (store->spare_first == 0U) {
        store->spare_first = (uint16_t)index;
    } else {
        at(store, store->spare_last)->next = (uint16_t)index;
    }
    store->spare_last = (uint16_t)index;
}

// ---- What check() asks

// What the list of blocks says, and what the store says of it.
static inline bool is_list_good(const store_t *store, size_t *block_count)
{
    store_t sums;
    sums.free_granules = 0U;
    sums.free_squares = 0U;
    sums.gap_count = 0U;
    bool has_ghost = false;
    bool has_packed = false;
    *block_count = 0U;
    size_t index = SENTINEL;
    do {
        if (!is_linked(store, index) || ((index >= FIRST) && (handle_of(store, index) == 0U))) {
            return false;
        }
        has_packed = has_packed || (index == store->packed);
        if (!has_packed && (gap_behind(store, index) != 0U)) {
            return false;
        }
        add_gap(&sums, gap_behind(store, index));
        *block_count += (index >= FIRST) ? 1U : 0U;
        has_ghost = has_ghost || (index == GHOST);
        index = at(store, index)->next;
    } while (index != SENTINEL);
    return has_packed && (has_ghost == (store->moving != 0U)) &&
           (sums.free_granules == store->free_granules) &&
           (sums.free_squares == store->free_squares) && (sums.gap_count == store->gap_count);
}

// True if the fields of a slot agree with each other.
static inline bool is_slot_good(const store_t *store, size_t index)
{
    const slot_t *const slot = at(store, index);
    const uint32_t pins = slot->extent / PIN;
    if (index < FIRST) {
        return is_retired(store, index) && (pins == 0U) &&
               ((index == GHOST) || (slot->address == store->start)) &&
               ((index != GHOST) || ((slot->extent != 0U) == (store->moving != 0U)));
    }
    if (is_held(store, index)) {
        return (pins >= 2U) || ((pins == 0U) && (store->moving == index));
    }
    const bool is_block = (handle_of(store, index) != 0U);
    const bool is_empty = is_spare(store, index) || is_retired(store, index);
    return (is_block && (pins == 0U) && (slot->extent != 0U)) ||
           (is_empty && (slot->extent == 0U) && (slot->address == 0U));
}

// Slots without a block, as the queue of them has it; or SIZE_MAX if the queue is damaged.
static inline size_t spares_of(const store_t *store)
{
    size_t count = 0U;
    size_t last = 0U;
    for (size_t i = store->spare_first; i != 0U; i = at(store, i)->next) {
        if ((i >= slot_count_of(store)) || !is_spare(store, i) || (count == slot_count_of(store))) {
            return SIZE_MAX;
        }
        last = i;
        count++;
    }
    return ((count == 0U) || (last == store->spare_last)) ? count : SIZE_MAX;
}

#endif
