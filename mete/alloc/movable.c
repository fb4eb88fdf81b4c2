// SPDX-License-Identifier: MIT OR Apache-2.0
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

#include "mete/core/words.h"

enum {
    SENTINEL = 0,
    GHOST = 1,
    FIRST = 2,
    GRANULE = 8,
    SLOT_COUNT_MIN = 4,
    SLOT_COUNT_MAX = 65536
};

// An extent is a number of granules, two bits that vouch for it, and pins if there are more than one.
#define GRANULES_MAX 0x3FFFFFU
#define SEAL         0x400000U   // One of the lower of the two bits.
#define PIN          0x1000000U  // One pin.
#define NOWHERE      SIZE_MAX    // In place of the index of the slot behind which there is room.

_Static_assert(METE_MOVABLE_SIZE_MAX / GRANULE == GRANULES_MAX,
               "a thousand times as many fit a word");
_Static_assert(METE_MOVABLE_PIN_MAX == UINT32_MAX / PIN, "pins fill the rest of an extent");
_Static_assert(METE_MOVABLE_BLOCK_COUNT_MAX == SLOT_COUNT_MAX - FIRST, "an index has 16 bits");

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

// The two bits that vouch for where something begins and how long it is, at the top of a word: a third of
// the sum, in quarters of the range of a word. A power of two more or less in the sum makes between one and
// three quarters there: so whichever single bit of address or size flips, these change.
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

// The handle that a slot's tag was made of, or 0 if it was of none: of the block in it, or of the next.
static uint32_t origin_of(const store_t *store, size_t index)
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
static uint32_t handle_of(const store_t *store, size_t index)
{
    const uint32_t origin = origin_of(store, index);
    return ((index >= FIRST) && ((~at(store, index)->tag != origin) || is_held(store, index)))
               ? origin
               : 0U;
}

// True if a value could be a handle.
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
static size_t pins_of(const store_t *store, size_t index)
{
    if (leads_to(store, 0U - at(store, index)->tag, index)) {
        return 1U;
    }
    return at(store, index)->extent / PIN;
}

// What is wrong with a handle that names no block.
static mete_fault_t fault_of(const store_t *store, handle_t handle)
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
static bool is_placed(const store_t *store, size_t index)
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
static bool is_linked(const store_t *store, size_t index)
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
static bool is_listed(const store_t *store, size_t index)
{
    const size_t before = at(store, index)->previous;
    return is_linked(store, before) && (at(store, before)->next == index) &&
           is_linked(store, index);
}

static inline bool is_place_sound(const store_t *store, size_t index)
{
    return (METE_CHECK_LEVEL < 1) || is_listed(store, index);
}

// The first or the last of the queue of slots without a block, unless that is empty.
static bool is_spare_sound(const store_t *store, size_t index)
{
    return (METE_CHECK_LEVEL < 1) || (store->spare_first == 0U) ||
           ((index < slot_count_of(store)) && is_spare(store, index) &&
            ((at(store, index)->next == 0U) == (index == store->spare_last)));
}

// What the ghost holds is what the block being moved needs besides what it has.
static bool is_move_good(const store_t *store)
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

// Level 3 looks at everything after every operation.
static inline bool is_sound(const store_t *store)
{
    return (METE_CHECK_LEVEL < 3) || mete_movable_check(store);
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
static void occupy(store_t *store, size_t index, size_t before, uintptr_t address,
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
static size_t vacate(store_t *store, size_t index)
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
static void put(store_t *store, size_t index, size_t before, uintptr_t address, uint32_t granules)
{
    const uint32_t pins = at(store, index)->extent / PIN * PIN;
    const size_t own_before = vacate(store, index);
    occupy(store, index, (before == index) ? own_before : before, address, granules);
    at(store, index)->extent += pins;
}

static void note_peak(store_t *store)
{
    const uint32_t unused = store->free_granules + granules_of(at(store, GHOST));
    store->unused_least = (unused < store->unused_least) ? unused : store->unused_least;
}

// ---- Moving a block

static void end_move(store_t *store)
{
    const size_t index = store->moving;
    const size_t before = vacate(store, GHOST);
    put(store, index, before, store->move_to, granules_of(at(store, index)));
    at(store, index)->tag = ~at(store, index)->tag;
    store->moving = 0U;
}

// As if it had not been set out. What was copied so far is lost if the places overlap.
static void give_up_move(store_t *store)
{
    (void)vacate(store, GHOST);
    store->moving = 0U;
}

// Copies at most `budget` bytes of the block being moved, front first if it goes down, else end first.
// Returns how many.
static size_t advance_move(store_t *store, size_t budget)
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

// Sets out to move a block, by at most `budget` bytes for now; returns how many. `ghost`, in the gap behind slot
// `before`, is kept for it: together with what the block has it must hold it at its new place. That is where
// the ghost begins, or, behind the block itself, where it ends.
static size_t begin_move(store_t *store, size_t index, size_t before, range_t ghost, size_t budget)
{
    occupy(store, GHOST, before, ghost.low, (uint32_t)((ghost.high - ghost.low) / GRANULE));
    at(store, index)->tag = ~at(store, index)->tag;
    store->moving = (uint16_t)index;
    store->move_to = (before == index) ? ghost.high - size_of(store, index) : ghost.low;
    store->move_done = 0U;
    return advance_move(store, budget);
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

static inline range_t window_of(const store_t *store)
{
    const range_t window = {store->low, store->high};
    return window;
}

// The slot behind which the first gap is, the ghost, or nothing more; as far as links are sound.
static size_t first_gap(store_t *store)
{
    while (is_link_sound(store, store->packed) && (gap_behind(store, store->packed) == 0U) &&
           (at(store, store->packed)->next >= FIRST)) {
        store->packed = at(store, store->packed)->next;
    }
    return store->packed;
}

// The first slot behind which there is room of so many granules, or NOWHERE. *is_damaged is set if a
// link is.
static size_t find_room(store_t *store, range_t within, uint32_t granules, bool *is_damaged)
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
    } while (index != SENTINEL);
    return NOWHERE;
}

// ---- The pass of compaction: from the first block to the last, each is moved against what lies in front
// of it. In front of one that must stay the gap is filled with others from behind.

typedef struct pass {
    size_t at;        // All up to this slot is done.
    size_t budget;    // Bytes that may yet be moved.
    uint32_t wanted;  // Stop at a room of so many granules; 0: there is no such room.
    size_t stop;      // Stop behind this slot; NOWHERE: at the end.
    bool is_done;     // Nothing is left to be done, or not up to where it should stop.
    bool is_damaged;
} pass_t;

// Field by field: clang sets a whole struct by memset(), which is libc.
static inline pass_t pass_of(size_t budget, uint32_t wanted, size_t stop)
{
    pass_t pass;
    pass.at = SENTINEL;
    pass.budget = budget;
    pass.wanted = wanted;
    pass.stop = stop;
    pass.is_done = false;
    pass.is_damaged = false;
    return pass;
}

// True if a block may be moved down to where a room in front of it begins.
static bool can_slide(const store_t *store, size_t index, range_t room)
{
    return is_resting(store, index) && (room.low < room.high) &&
           (size_of(store, index) <= store->high - room.low);
}

// The largest block behind a slot that may be moved and fits into a room; of several the last. Or 0.
static size_t find_filler(const store_t *store, size_t index, uint32_t granules, bool *is_damaged)
{
    size_t best = 0U;
    uint32_t best_granules = 1U;
    for (size_t i = at(store, index)->next; i != SENTINEL; i = at(store, i)->next) {
        if (!is_link_sound(store, i)) {
            *is_damaged = true;
            return 0U;
        }
        const uint32_t found = granules_of(at(store, i));
        if (is_resting(store, i) && (found >= best_granules) && (found <= granules)) {
            best = i;
            best_granules = found;
        }
    }
    return best;
}

// Moves something into the room behind a slot, if anything can be. Returns its slot; else that of the
// block behind the room.
static size_t fill_room(store_t *store, pass_t *pass, range_t room)
{
    const size_t next = at(store, pass->at)->next;
    const bool slides = can_slide(store, next, room);
    const size_t chosen = slides ? next
                          : (granules_in(room) == 0U)
                              ? 0U
                              : find_filler(store, next, granules_in(room), &pass->is_damaged);
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
static bool step(store_t *store, pass_t *pass)
{
    if (!is_next_sound(store, pass->at)) {
        pass->is_damaged = true;
        return false;
    }
    const range_t room = room_behind(store, pass->at, window_of(store));
    pass->is_done = (at(store, pass->at)->next == SENTINEL) || (pass->at == pass->stop);
    if (pass->is_done || (granules_in(room) >= pass->wanted)) {
        return false;
    }
    const size_t reached = fill_room(store, pass, room);
    pass->at = (reached == NOWHERE) ? pass->at : reached;
    return (reached != NOWHERE) && !pass->is_damaged;
}

// Bytes that may be moved yet by a pass that has come to a slot, or has not begun.
static size_t left_behind(store_t *store, size_t index)
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
static bool go_on_moving(store_t *store, pass_t *pass)
{
    pass->is_damaged = !is_move_sound(store);
    if (!pass->is_damaged && (store->moving != 0U)) {
        pass->budget -= advance_move(store, pass->budget);
    }
    return !pass->is_damaged && (store->moving == 0U);
}

// Goes on with a move that is under way, then with compaction.
static void run(store_t *store, pass_t *pass)
{
    if (!go_on_moving(store, pass)) {
        return;
    }
    pass->at = (pass->stop == NOWHERE) ? first_gap(store) : SENTINEL;
    for (size_t i = slot_count_of(store); (i != 0U) && step(store, pass); i--) {
    }
}

// ---- Compaction by itself

// True if the lower end of the fragmentation is not below the threshold: as mete_frag_of() has it,
// 1000 * root of Q <= (1000 - threshold) * T, without the root.
static bool is_fragmented(const store_t *store)
{
    const uint32_t threshold = store->config->threshold_permille;
    if ((threshold == 0U) || (store->free_granules == 0U)) {
        return false;
    }
    const uint32_t largest = (store->free_granules * (1000U - threshold)) / 1000U;
    return store->free_squares <= (uint64_t)largest * largest;
}

// Counts a call; true if an interval has passed.
static bool is_interval_over(store_t *store)
{
    const mete_movable_config_t *const config = store->config;
    store->calls++;
    const uint32_t now = (config->tick_interval != 0U) ? config->clock() : 0U;
    const bool is_over =
        ((config->call_interval != 0U) && (store->calls >= config->call_interval)) ||
        ((config->tick_interval != 0U) && (now - store->ticks >= config->tick_interval));
    if (is_over) {
        store->calls = 0U;
        store->ticks = now;
    }
    return is_over;
}

// At the end of a call. False if something is damaged.
static bool automate(store_t *store)
{
    const size_t budget = store->config->step_size;
    if ((budget != 0U) && (is_interval_over(store) || is_fragmented(store))) {
        pass_t pass = pass_of(budget, UINT32_MAX, NOWHERE);
        run(store, &pass);
        if (pass.is_damaged) {
            return false;
        }
    }
    return is_sound(store);
}

// ---- A place for a new block

// Moves what `failure_size` allows until there is room somewhere. Returns the slot in front of it, or
// NOWHERE.
static size_t make_room(store_t *store, uint32_t granules, bool *is_damaged)
{
    pass_t pass = pass_of(store->config->failure_size, granules, NOWHERE);
    if ((pass.budget == 0U) || (granules > store->free_granules + granules_of(at(store, GHOST)))) {
        return NOWHERE;
    }
    run(store, &pass);
    *is_damaged = pass.is_damaged;
    return pass.is_damaged ? NOWHERE : find_room(store, window_of(store), granules, is_damaged);
}

// Behind the last block, else where it fits best, else where room can be made.
static size_t find_place(store_t *store, uint32_t granules, bool *is_damaged)
{
    const size_t last = at(store, SENTINEL)->previous;
    if (!is_link_sound(store, last) || (at(store, last)->next != SENTINEL)) {
        *is_damaged = true;
        return NOWHERE;
    }
    const range_t room = {room_start(store, last, store->low), store->high};
    if (METE_LIKELY(granules_in(room) >= granules)) {
        return last;
    }
    const size_t place = (granules <= store->free_granules)
                             ? find_room(store, window_of(store), granules, is_damaged)
                             : NOWHERE;
    return ((place == NOWHERE) && !*is_damaged) ? make_room(store, granules, is_damaged) : place;
}

static handle_t hand_out(store_t *store, size_t before, uint32_t granules)
{
    const size_t index = store->spare_first;
    const uintptr_t address = room_start(store, before, store->low);
    store->spare_first = at(store, index)->next;
    occupy(store, index, before, address, granules);
    at(store, index)->tag = ~at(store, index)->tag;
    store->block_count++;
    note_peak(store);
    const handle_t handle = {at(store, index)->tag};
    return handle;
}

// One try. None if there is no room, or something is damaged.
static handle_t try_alloc(store_t *store, size_t size, bool *is_damaged)
{
    const uint32_t granules = granules_for(size);
    *is_damaged = !is_spare_sound(store, store->spare_first);
    size_t place = NOWHERE;
    if (!*is_damaged && (store->spare_first != 0U)) {
        place = find_place(store, granules, is_damaged);
    }
    return (place == NOWHERE) ? mete_movable_handle_none() : hand_out(store, place, granules);
}

// Counts a refusal. True if something was freed, and a second try may help.
static bool is_helped(store_t *store, size_t size)
{
    const mete_movable_config_t *const config = store->config;
    return (config->on_refusal != NULL) && config->on_refusal(config->on_refusal_self, size);
}

// ---- Public functions

static bool is_legal(const mete_movable_config_t *config)
{
    const size_t count = config->slot_count;
    return mete_span_is_legal(config->storage) && (config->storage.size >= (size_t)2U * GRANULE) &&
           (config->storage.size <= METE_MOVABLE_SIZE_MAX) && (config->slots != NULL) &&
           ((uintptr_t)config->slots % _Alignof(slot_t) == 0U) && mete_align_is_legal(count) &&
           (count >= SLOT_COUNT_MIN) && (count <= SLOT_COUNT_MAX) &&
           (config->threshold_permille <= 1000U) &&
           ((config->tick_interval == 0U) || (config->clock != NULL));
}

static void init_slots(store_t *store)
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

bool mete_movable_init(mete_movable_t *movable, const mete_movable_config_t *config)
{
    METE_ASSERT((movable != NULL) && (config != NULL));
    if (!is_legal(config)) {
        return false;
    }
    // Field by field: a whole-struct assignment may become a call to memset(), which is libc.
    movable->config = config;
    movable->slots = config->slots;
    movable->slot_mask = 2U * (config->slot_count - 1U);
    movable->start = mete_align_up((uintptr_t)config->storage.start, GRANULE);
    movable->end =
        mete_align_down((uintptr_t)config->storage.start + config->storage.size, GRANULE);
    movable->low = movable->start;
    movable->high = movable->end;
    movable->free_granules = 0U;
    movable->free_squares = 0U;
    movable->gap_count = 0U;
    movable->block_count = 0U;
    movable->retired_count = 0U;
    movable->refusals = 0U;
    movable->moved_total = 0U;
    movable->moving = 0U;
    movable->move_done = 0U;
    movable->move_to = 0U;
    movable->calls = 0U;
    movable->ticks = (config->tick_interval != 0U) ? config->clock() : 0U;
    init_slots(movable);
    add_gap(movable, gap_behind(movable, SENTINEL));
    movable->unused_least = movable->free_granules;
    METE_ASSERT(mete_movable_check(movable));
    return true;
}

mete_movable_handle_t mete_movable_alloc(mete_movable_t *movable, size_t size)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    bool is_damaged = false;
    handle_t handle = mete_movable_handle_none();
    if (size != 0U) {
        handle = try_alloc(movable, size, &is_damaged);
        if ((handle.value == 0U) && !is_damaged && is_helped(movable, size)) {
            handle = try_alloc(movable, size, &is_damaged);
        }
        movable->refusals += ((handle.value == 0U) && !is_damaged) ? 1U : 0U;
    }
    if (is_damaged || !automate(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, NULL);
    }
    return handle;
}

// What forbids to free a block.
static mete_fault_t refusal_to_free(const store_t *store, handle_t handle)
{
    if (!is_valid(store, handle)) {
        return fault_of(store, handle);
    }
    const size_t index = index_in(store, handle);
    const bool is_moving = (store->moving == index);
    if ((at(store, index)->tag != handle.value) && !is_moving) {
        return METE_FAULT_ORDER;
    }
    const bool is_good = is_place_sound(store, index) && is_spare_sound(store, store->spare_last) &&
                         (!is_moving || is_move_sound(store));
    return is_good ? (mete_fault_t)0 : METE_FAULT_CORRUPT;
}

// Makes a slot spare for the block that will be next in it, or retires it.
static void retire(store_t *store, size_t index, handle_t handle)
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

static void take_back(store_t *store, handle_t handle)
{
    const size_t index = index_in(store, handle);
    if (store->moving == index) {
        give_up_move(store);
    }
    (void)vacate(store, index);
    store->block_count--;
    retire(store, index, handle);
}

void mete_movable_free(mete_movable_t *movable, mete_movable_handle_t handle)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    if (handle.value == 0U) {
        return;
    }
    const mete_fault_t fault = refusal_to_free(movable, handle);
    if (fault != 0) {
        METE_FAULT(fault, movable, (const void *)(uintptr_t)handle.value);
        return;
    }
    take_back(movable, handle);
    if (!automate(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, NULL);
    }
}

// ---- resize

// True if a block can have so many granules where it is.
static bool fits_in_place(const store_t *store, size_t index, uint32_t granules)
{
    const uint32_t old = granules_of(at(store, index));
    const range_t room = room_behind(store, index, window_of(store));
    return (granules <= old) ||
           ((room.low == end_of(store, index)) && (granules_in(room) >= granules - old));
}

// Moves the blocks behind one up to the end, as far as they can be and the budget allows.
static void slide_up(store_t *store, size_t index, pass_t *pass)
{
    size_t i = at(store, SENTINEL)->previous;
    for (size_t count = slot_count_of(store); (i != index) && (count != 0U); count--) {
        pass->is_damaged = !is_place_sound(store, i) || (i == SENTINEL);
        if (pass->is_damaged) {
            return;
        }
        const range_t room = room_behind(store, i, window_of(store));
        if (is_resting(store, i) && (room.low == end_of(store, i)) && (granules_in(room) != 0U)) {
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

// Moves what `failure_size` allows until a block can grow where it is: itself and all in front of it
// down, then all behind it up.
static void make_room_behind(store_t *store, size_t index, uint32_t granules, bool *is_damaged)
{
    pass_t pass = pass_of(store->config->failure_size, UINT32_MAX, index);
    const uint32_t more = granules - granules_of(at(store, index));
    if (more <= store->free_granules + granules_of(at(store, GHOST))) {
        run(store, &pass);
        if (pass.is_done && !fits_in_place(store, index, granules)) {
            slide_up(store, index, &pass);
        }
    }
    *is_damaged = pass.is_damaged;
}

static bool grow_in_place(store_t *store, size_t index, uint32_t granules)
{
    const bool fits = (store->moving != index) && fits_in_place(store, index, granules);
    if (fits) {
        put(store, index, index, at(store, index)->address, granules);
    }
    return fits;
}

static bool grow_elsewhere(store_t *store, size_t index, uint32_t granules, bool *is_damaged)
{
    if (!is_resting(store, index) || (granules > store->free_granules)) {
        return false;
    }
    const size_t place = find_room(store, window_of(store), granules, is_damaged);
    if (place == NOWHERE) {
        return false;
    }
    const uintptr_t to = room_start(store, place, store->low);
    const size_t size = size_of(store, index);
    mete_words_move((void *)to, (const void *)at(store, index)->address, size);
    store->moved_total += size;
    put(store, index, place, to, granules);
    return true;
}

static bool try_resize(store_t *store, size_t index, size_t size, bool *is_damaged)
{
    const uint32_t granules = granules_for(size);
    if (grow_in_place(store, index, granules) ||
        grow_elsewhere(store, index, granules, is_damaged)) {
        return true;
    }
    if (!*is_damaged && is_resting(store, index)) {
        make_room_behind(store, index, granules, is_damaged);
    }
    return !*is_damaged && (grow_in_place(store, index, granules) ||
                            grow_elsewhere(store, index, granules, is_damaged));
}

// Before a block is touched that is being moved.
static bool finish_move_of(store_t *store, size_t index)
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

bool mete_movable_resize(mete_movable_t *movable, mete_movable_handle_t handle, size_t size)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    const void *const address = (const void *)(uintptr_t)handle.value;
    const size_t index = index_in(movable, handle);
    if (!is_valid(movable, handle)) {
        METE_FAULT(fault_of(movable, handle), movable, address);
        return false;
    }
    if (!finish_move_of(movable, index) || !is_place_sound(movable, index)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, address);
        return false;
    }
    if (size == 0U) {
        return false;
    }
    bool is_damaged = false;
    bool is_done = try_resize(movable, index, size, &is_damaged);
    if (!is_done && !is_damaged && is_helped(movable, size)) {
        // Whoever helps may do anything, even free this block.
        is_done = is_valid(movable, handle) && try_resize(movable, index, size, &is_damaged);
    }
    note_peak(movable);
    movable->refusals += (is_done || is_damaged) ? 0U : 1U;
    if (is_damaged || !automate(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, address);
    }
    return is_done;
}

// ---- Pins

// Counts a pin more. Returns what forbids it.
static mete_fault_t add_pin(store_t *store, handle_t handle)
{
    slot_t *const slot = at(store, index_in(store, handle));
    const size_t pins = pins_of(store, index_in(store, handle));
    if (pins == METE_MOVABLE_PIN_MAX) {
        return METE_FAULT_ORDER;
    }
    if (pins == 0U) {
        slot->tag = 0U - handle.value;
    } else {
        slot->tag = ~handle.value;
        slot->extent += (pins == 1U) ? 2U * PIN : PIN;
    }
    return (mete_fault_t)0;
}

void *mete_movable_pin_checked(mete_movable_t *movable, mete_movable_handle_t handle)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    const size_t index = index_in(movable, handle);
    if (!is_valid(movable, handle)) {
        METE_FAULT(fault_of(movable, handle), movable, (const void *)(uintptr_t)handle.value);
        return NULL;
    }
    const mete_fault_t fault =
        finish_move_of(movable, index) ? add_pin(movable, handle) : METE_FAULT_CORRUPT;
    if (fault != 0) {
        METE_FAULT(fault, movable, (const void *)(uintptr_t)handle.value);
        return NULL;
    }
    return (void *)at(movable, index)->address;
}

// Counts a pin less. False if there is none.
static bool remove_pin(store_t *store, handle_t handle)
{
    slot_t *const slot = at(store, index_in(store, handle));
    const size_t pins = pins_of(store, index_in(store, handle));
    if (pins == 0U) {
        return false;
    }
    if (pins > 2U) {
        slot->extent -= PIN;
    } else {
        slot->extent %= PIN;
        slot->tag = (pins == 2U) ? 0U - handle.value : handle.value;
    }
    return true;
}

void mete_movable_unpin_checked(mete_movable_t *movable, mete_movable_handle_t handle)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    if (!is_valid(movable, handle)) {
        METE_FAULT(fault_of(movable, handle), movable, (const void *)(uintptr_t)handle.value);
    } else if (!remove_pin(movable, handle)) {
        METE_FAULT(METE_FAULT_ORDER, movable, (const void *)(uintptr_t)handle.value);
    }
}

// ---- Questions

void *mete_movable_address(const mete_movable_t *movable, mete_movable_handle_t handle)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    const size_t index = index_in(movable, handle);
    const bool is_good = is_valid(movable, handle);
    if (!is_good || (pins_of(movable, index) == 0U)) {
        METE_FAULT(is_good ? METE_FAULT_ORDER : fault_of(movable, handle), movable,
                   (const void *)(uintptr_t)handle.value);
        return NULL;
    }
    return (void *)at(movable, index)->address;
}

size_t mete_movable_size_of(const mete_movable_t *movable, mete_movable_handle_t handle)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    if (!is_valid(movable, handle)) {
        METE_FAULT(fault_of(movable, handle), movable, (const void *)(uintptr_t)handle.value);
        return 0U;
    }
    return size_of(movable, index_in(movable, handle));
}

bool mete_movable_has(const mete_movable_t *movable, mete_movable_handle_t handle)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    return is_valid(movable, handle);
}

size_t mete_movable_compact(mete_movable_t *movable, size_t step_size)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    pass_t pass = pass_of(step_size, UINT32_MAX, NOWHERE);
    run(movable, &pass);
    if (pass.is_damaged || !is_sound(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, NULL);
    }
    return (pass.is_done || pass.is_damaged) ? 0U : left_behind(movable, pass.at);
}

mete_movable_usage_t mete_movable_usage(const mete_movable_t *movable)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    const size_t total = movable->end - movable->start;
    const size_t free = (size_t)movable->free_granules * GRANULE;
    mete_movable_usage_t usage;
    usage.total_size = total;
    usage.in_use_size = total - free - size_of(movable, GHOST);
    usage.in_use_peak = total - ((size_t)movable->unused_least * GRANULE);
    usage.free_size = free;
    usage.block_count = movable->block_count;
    usage.gap_count = movable->gap_count;
    usage.spare_count =
        slot_count_of(movable) - FIRST - movable->block_count - movable->retired_count;
    usage.retired_count = movable->retired_count;
    usage.moved_total = movable->moved_total;
    usage.refusals = movable->refusals;
    usage.frag = mete_frag_of(movable->free_granules, movable->free_squares);
    return usage;
}

// Shows what is in a slot.
static mete_movable_block_t block_of(const store_t *store, size_t index)
{
    mete_movable_block_t block;
    block.handle.value = handle_of(store, index);
    block.block = (void *)at(store, index)->address;
    block.size = size_of(store, index);
    block.is_live = (index != GHOST);
    block.is_pinned = (pins_of(store, index) != 0U);
    block.is_moving = (index == GHOST) || (index == store->moving);
    return block;
}

static mete_movable_block_t gap_of(const store_t *store, size_t index)
{
    mete_movable_block_t gap;
    gap.handle.value = 0U;
    gap.block = (void *)end_of(store, index);
    gap.size = (size_t)gap_behind(store, index) * GRANULE;
    gap.is_live = false;
    gap.is_pinned = false;
    gap.is_moving = false;
    return gap;
}

bool mete_movable_walk(const mete_movable_t *movable,
                       bool (*visit)(void *self, const mete_movable_block_t *block), void *self)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL) && (visit != NULL));
    size_t index = SENTINEL;
    do {
        const mete_movable_block_t block = block_of(movable, index);
        if (!is_linked(movable, index) || ((index != SENTINEL) && !visit(self, &block))) {
            return false;
        }
        const mete_movable_block_t gap = gap_of(movable, index);
        if ((gap.size != 0U) && !visit(self, &gap)) {
            return false;
        }
        index = at(movable, index)->next;
    } while (index != SENTINEL);
    return true;
}

// ---- check

static bool agrees_with_config(const store_t *store)
{
    const mete_movable_config_t *const config = store->config;
    const uintptr_t start = (uintptr_t)config->storage.start;
    return (store->slots == config->slots) &&
           (store->slot_mask == 2U * (config->slot_count - 1U)) &&
           (store->start == mete_align_up(start, GRANULE)) &&
           (store->end == mete_align_down(start + config->storage.size, GRANULE)) &&
           (store->low >= store->start) && (store->low < store->high) &&
           (store->high <= store->end) && ((store->low | store->high) % GRANULE == 0U);
}

// What the list of blocks says, and what the store says of it.
static bool is_list_good(const store_t *store, size_t *block_count)
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
static bool is_slot_good(const store_t *store, size_t index)
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
static size_t spares_of(const store_t *store)
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

bool mete_movable_check(const mete_movable_t *movable)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    size_t listed_count = 0U;
    if (!agrees_with_config(movable) || !is_list_good(movable, &listed_count)) {
        return false;
    }
    size_t block_count = 0U;
    size_t retired_count = 0U;
    for (size_t i = 0U; i < slot_count_of(movable); i++) {
        if (!is_slot_good(movable, i)) {
            return false;
        }
        block_count += (handle_of(movable, i) != 0U) ? 1U : 0U;
        retired_count += ((i >= FIRST) && is_retired(movable, i)) ? 1U : 0U;
    }
    const size_t others = slot_count_of(movable) - FIRST - block_count - retired_count;
    return (block_count == listed_count) && (block_count == movable->block_count) &&
           (retired_count == movable->retired_count) && (spares_of(movable) == others) &&
           ((movable->moving == 0U) || is_move_good(movable));
}

// ---- The store as a mover

// Bytes of what is in a slot that lie in a span.
static size_t size_within(const store_t *store, size_t index, mete_span_t span)
{
    const uintptr_t span_start = (uintptr_t)span.start;
    const uintptr_t low =
        (start_of(store, index) > span_start) ? start_of(store, index) : span_start;
    const uintptr_t span_end = span_start + span.size;
    const uintptr_t high = (end_of(store, index) < span_end) ? end_of(store, index) : span_end;
    return (low < high) ? high - low : 0U;
}

typedef enum kind { ALL, PINNED, RESTING } kind_t;

// True if what is in a slot is of that kind. The room for a block being moved is live.
static bool is_kind(const store_t *store, size_t index, kind_t kind)
{
    return (kind == ALL) ||
           ((kind == PINNED) ? (pins_of(store, index) != 0U) : is_resting(store, index));
}

// Bytes in a span of blocks of a kind. If one is damaged all bytes count: they must not be lost.
static size_t total_within(const store_t *store, mete_span_t span, kind_t kind, bool *is_damaged)
{
    size_t total = 0U;
    size_t index = SENTINEL;  // Of which nothing lies anywhere.
    do {
        if (!is_link_sound(store, index)) {
            *is_damaged = true;
            return span.size;
        }
        total += is_kind(store, index, kind) ? size_within(store, index, span) : 0U;
        index = at(store, index)->next;
    } while (index != SENTINEL);
    return total;
}

size_t mete_movable_live_size(const mete_movable_t *movable, mete_span_t span)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    bool is_damaged = false;
    const size_t size = total_within(movable, span, ALL, &is_damaged);
    if (is_damaged) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, span.start);
    }
    return size;
}

size_t mete_movable_pinned_size(const mete_movable_t *movable, mete_span_t span)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    bool is_damaged = false;
    const size_t size = total_within(movable, span, PINNED, &is_damaged);
    if (is_damaged) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, span.start);
    }
    return size;
}

// What of a span lies in the storage, in whole granules.
static range_t range_of(const store_t *store, mete_span_t span)
{
    const uintptr_t low = mete_align_up((uintptr_t)span.start, GRANULE);
    const uintptr_t high = mete_align_down((uintptr_t)span.start + span.size, GRANULE);
    const range_t range = {(low > store->start) ? low : store->start,
                           (high < store->end) ? high : store->end};
    return range;
}

bool mete_movable_confine(mete_movable_t *movable, mete_span_t span)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    const range_t range = range_of(movable, span);
    const bool is_good = mete_span_is_legal(span) && (range.low < range.high);
    if (is_good) {
        movable->low = range.low;
        movable->high = range.high;
    }
    return is_good;
}

// Moves the block behind a slot, if it lies in a span and there is room for it elsewhere. Blocks of
// `*too_large` granules and more have found none. Returns the slot to go on from, or NOWHERE.
static size_t evacuate_next(store_t *store, mete_span_t from, range_t to, uint32_t *too_large,
                            pass_t *pass)
{
    const size_t index = at(store, pass->at)->next;
    const uint32_t granules = granules_of(at(store, index));
    if (!is_resting(store, index) || (size_within(store, index, from) == 0U) ||
        (granules >= *too_large)) {
        return index;
    }
    const size_t place = find_room(store, to, granules, &pass->is_damaged);
    if (place == NOWHERE) {
        *too_large = granules;
        return index;
    }
    if (pass->budget < GRANULE) {
        return NOWHERE;
    }
    const uintptr_t start = room_start(store, place, to.low);
    const range_t ghost = {start, start + size_of(store, index)};
    pass->budget -= begin_move(store, index, place, ghost, pass->budget);
    return (store->moving == 0U) ? pass->at : NOWHERE;
}

static void evacuate(store_t *store, mete_span_t from, range_t to, pass_t *pass)
{
    uint32_t too_large = UINT32_MAX;
    // Each turn goes one slot further or moves a block out for good.
    for (size_t turns = 2U * slot_count_of(store); turns != 0U; turns--) {
        pass->is_damaged = pass->is_damaged || !is_next_sound(store, pass->at);
        if (pass->is_damaged || (at(store, pass->at)->next == SENTINEL)) {
            return;
        }
        const size_t reached = evacuate_next(store, from, to, &too_large, pass);
        if (reached == NOWHERE) {
            return;
        }
        pass->at = reached;
    }
}

size_t mete_movable_evacuate(mete_movable_t *movable, mete_span_t from, mete_span_t to,
                             size_t step_size)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    const range_t range = range_of(movable, to);
    pass_t pass = pass_of(step_size, UINT32_MAX, NOWHERE);
    const bool is_apart =
        ((uintptr_t)from.start >= range.high) || ((uintptr_t)from.start + from.size <= range.low);
    if (go_on_moving(movable, &pass) && is_apart) {
        evacuate(movable, from, range, &pass);
    }
    size_t left = pass.is_damaged ? 0U : total_within(movable, from, RESTING, &pass.is_damaged);
    if (movable->moving != 0U) {
        left += size_of(movable, movable->moving) - movable->move_done;
    }
    if (pass.is_damaged || !is_sound(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, from.start);
    }
    return left;
}

static size_t mover_live_size(const void *self, mete_span_t span)
{
    return mete_movable_live_size((const mete_movable_t *)self, span);
}

static size_t mover_pinned_size(const void *self, mete_span_t span)
{
    return mete_movable_pinned_size((const mete_movable_t *)self, span);
}

static bool mover_confine(void *self, mete_span_t span)
{
    return mete_movable_confine((mete_movable_t *)self, span);
}

static size_t mover_evacuate(void *self, mete_span_t from, mete_span_t to, size_t step_size)
{
    return mete_movable_evacuate((mete_movable_t *)self, from, to, step_size);
}

mete_mover_t mete_movable_as_mover(mete_movable_t *movable)
{
    static const mete_mover_ops_t ops = {mover_live_size, mover_pinned_size, mover_confine,
                                         mover_evacuate};
    const mete_mover_t mover = {&ops, movable};
    return mover;
}
