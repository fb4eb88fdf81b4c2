// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the program calls: where a new block goes, and when others are moved for it. How the table of
// slots says where blocks are and which handles are good is in movable_slots.h, how a block is moved in
// movable_moves.h. Both are parts of this file: nobody else includes them.

#include "mete/alloc/movable.h"

#include "mete/alloc/movable_moves.h"
#include "mete/alloc/movable_slots.h"
#include "mete/core/words.h"

enum { SLOT_COUNT_MIN = 4, SLOT_COUNT_MAX = 65536 };

_Static_assert(METE_MOVABLE_SIZE_MAX / GRANULE == GRANULES_MAX,
               "a thousand times as many fit a word");
_Static_assert(METE_MOVABLE_PIN_MAX == UINT32_MAX / PIN, "pins fill the rest of an extent");
_Static_assert(METE_MOVABLE_BLOCK_COUNT_MAX == SLOT_COUNT_MAX - FIRST, "an index has 16 bits");

// Level 3 looks at everything after every operation.
static inline bool is_sound(const store_t *store)
{
    return (METE_CHECK_LEVEL < 3) || mete_movable_check(store);
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
        pass_t pass = pass_of(store, budget, UINT32_MAX, NOWHERE);
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
static size_t make_room(store_t *store, uint32_t granules, uintptr_t *low, bool *is_damaged)
{
    pass_t pass = pass_of(store, store->config->failure_size, granules, NOWHERE);
    if ((pass.budget == 0U) || (granules > store->free_granules + granules_of(at(store, GHOST)))) {
        return NOWHERE;
    }
    run(store, &pass);
    *is_damaged = pass.is_damaged;
    return pass.is_damaged ? NOWHERE : find_preferred(store, granules, low, is_damaged);
}

static handle_t hand_out(store_t *store, size_t before, uintptr_t low, uint32_t granules)
{
    const size_t index = store->spare_first;
    const uintptr_t address = room_start(store, before, low);
    store->spare_first = at(store, index)->next;
    occupy(store, index, before, address, granules);
    at(store, index)->tag = ~at(store, index)->tag;
    store->block_count++;
    note_peak(store);
    const handle_t handle = {at(store, index)->tag};
    return handle;
}

// In the first gap that fits, in the order of preference, else where room can be made. Not inlined: the common way in
// try_alloc() stays short, and can be told from this one.
__attribute__((noinline)) static size_t place_elsewhere(store_t *store, uint32_t granules,
                                                        uintptr_t *low, bool *is_damaged)
{
    const size_t place = (granules <= store->free_granules)
                             ? find_preferred(store, granules, low, is_damaged)
                             : NOWHERE;
    return ((place == NOWHERE) && !*is_damaged) ? make_room(store, granules, low, is_damaged)
                                                : place;
}

// One try: behind the last block, unless there are places to prefer; else elsewhere. None if there is no room, or
// something is damaged.
static handle_t try_alloc(store_t *store, size_t size, bool *is_damaged)
{
    const uint32_t granules = granules_for(size);
    size_t place = at(store, SENTINEL)->previous;
    *is_damaged = !is_spare_sound(store, store->spare_first) || !is_link_sound(store, place) ||
                  (at(store, place)->next != SENTINEL);
    if (*is_damaged || (store->spare_first == 0U)) {
        return mete_movable_handle_none();
    }
    uintptr_t low = store->low;
    const range_t room = {room_start(store, place, low), store->high};
    if (!METE_LIKELY((granules_in(room) >= granules) && (store->place_count == 0U))) {
        place = place_elsewhere(store, granules, &low, is_damaged);
    }
    return (place == NOWHERE) ? mete_movable_handle_none() : hand_out(store, place, low, granules);
}

// Asks the hook. True if something was freed, and a second try may help.
static bool is_helped(store_t *store, size_t size)
{
    const mete_movable_config_t *const config = store->config;
    return (config->on_refusal != NULL) && config->on_refusal(config->on_refusal_self, size);
}

// ---- init, alloc and free

static bool is_legal(const mete_movable_config_t *config)
{
    const size_t count = config->slot_count;
    return mete_span_is_legal(config->storage) && (config->storage.size >= METE_MOVABLE_SIZE_MIN) &&
           (config->storage.size <= METE_MOVABLE_SIZE_MAX) && (config->slots != NULL) &&
           ((uintptr_t)config->slots % _Alignof(slot_t) == 0U) && mete_align_is_legal(count) &&
           (count >= SLOT_COUNT_MIN) && (count <= SLOT_COUNT_MAX) &&
           (config->threshold_permille <= 1000U) &&
           ((config->tick_interval == 0U) || (config->clock != NULL));
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
    movable->places = NULL;
    movable->place_count = 0U;
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
    const range_t room = room_behind(store, index, range_holding(store, index));
    return (granules <= old) ||
           ((room.low == end_of(store, index)) && (granules_in(room) >= granules - old));
}

// Moves what `failure_size` allows until a block can grow where it is: itself and all in front of it
// down, then all behind it up.
static void make_room_behind(store_t *store, size_t index, uint32_t granules, bool *is_damaged)
{
    pass_t pass = pass_of(store, store->config->failure_size, UINT32_MAX, index);
    const uint32_t more = granules - granules_of(at(store, index));
    if (store->place_count != 0U) {
        keep_within(&pass, range_holding(store, index));
    }
    if ((more <= store->free_granules + granules_of(at(store, GHOST))) &&
        go_on_moving(store, &pass)) {
        run_once(store, &pass);
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
    uintptr_t low = store->low;
    const size_t place = find_preferred(store, granules, &low, is_damaged);
    if (place == NOWHERE) {
        return false;
    }
    const uintptr_t to = room_start(store, place, low);
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

// What a pass has left to do, for its caller.
static size_t left_of(mete_movable_t *movable, const pass_t *pass)
{
    return (pass->is_done || pass->is_damaged) ? 0U : left_behind(movable, pass->at);
}

size_t mete_movable_compact(mete_movable_t *movable, size_t step_size)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    pass_t pass = pass_of(movable, step_size, UINT32_MAX, NOWHERE);
    run(movable, &pass);
    if (pass.is_damaged || !is_sound(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, NULL);
    }
    return left_of(movable, &pass);
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
    usage.spare_count = spare_count_of(movable);
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
    return (block_count == listed_count) && (block_count == movable->block_count) &&
           (retired_count == movable->retired_count) &&
           (spares_of(movable) == spare_count_of(movable)) &&
           ((movable->moving == 0U) || is_move_good(movable));
}

// ---- The store as a mover

typedef enum kind { ALL, PINNED } kind_t;

// True if what is in a slot is of that kind. The room for a block being moved is live.
static bool is_kind(const store_t *store, size_t index, kind_t kind)
{
    return (kind == ALL) || (pins_of(store, index) != 0U);
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
    } while (!is_beyond(store, index, span));
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

// From the first byte of what in a span is not pinned to the last. If something is damaged all is.
static range_t reach_of(const store_t *store, mete_span_t span, bool *is_damaged)
{
    range_t reach = {store->end, store->start};
    size_t index = SENTINEL;  // Of which nothing lies anywhere.
    do {
        if (!is_link_sound(store, index)) {
            *is_damaged = true;
            reach.low = store->start;
            reach.high = store->end;
            return reach;
        }
        if (!is_kind(store, index, PINNED) && (size_within(store, index, span) != 0U)) {
            const uintptr_t low = start_of(store, index);
            reach.low = (low < reach.low) ? low : reach.low;
            reach.high = end_of(store, index);
        }
        index = at(store, index)->next;
    } while (!is_beyond(store, index, span));
    return reach;
}

mete_span_t mete_movable_reach(const mete_movable_t *movable, mete_span_t span)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    bool is_damaged = false;
    const range_t range = reach_of(movable, span, &is_damaged);
    if (is_damaged) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, span.start);
    }
    mete_span_t reach;
    reach.start = (void *)range.low;
    reach.size = (range.low < range.high) ? range.high - range.low : 0U;
    return reach;
}

void mete_movable_settle(mete_movable_t *movable)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    if ((movable->moving != 0U) && !finish_move_of(movable, movable->moving)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, NULL);
    }
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

size_t mete_movable_evacuate(mete_movable_t *movable, mete_span_t from, mete_span_t to,
                             size_t step_size)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    pass_t pass = pass_of(movable, step_size, UINT32_MAX, NOWHERE);
    keep_within(&pass, range_of(movable, to));
    const bool is_apart =
        mete_span_is_legal(from) && (((uintptr_t)from.start >= pass.within.high) ||
                                     ((uintptr_t)from.start + from.size <= pass.within.low));
    if (go_on_moving(movable, &pass) && is_apart) {
        evacuate(movable, from, &pass);
    }
    const size_t left = left_of_evacuation(movable, from, &pass);
    if (pass.is_damaged || !is_sound(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, from.start);
    }
    return pass.is_damaged ? 0U : left;
}

void mete_movable_prefer(mete_movable_t *movable, const mete_span_t *spans, size_t span_count)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    METE_ASSERT((spans != NULL) || (span_count == 0U));
    movable->places = spans;
    movable->place_count = span_count;
}

size_t mete_movable_compact_span(mete_movable_t *movable, mete_span_t from, mete_span_t to,
                                 size_t step_size)
{
    METE_ASSERT((movable != NULL) && (movable->config != NULL));
    pass_t pass = pass_of(movable, step_size, UINT32_MAX, NOWHERE);
    const range_t reach = range_of(movable, from);
    keep_within(&pass, range_of(movable, to));
    pass.reach.low = reach.low;
    pass.reach.high = reach.high;
    if (go_on_moving(movable, &pass)) {
        run_once(movable, &pass);
    }
    if (pass.is_damaged || !is_sound(movable)) {
        METE_FAULT(METE_FAULT_CORRUPT, movable, from.start);
    }
    return left_of(movable, &pass);
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

static void mover_prefer(void *self, const mete_span_t *spans, size_t span_count)
{
    mete_movable_prefer((mete_movable_t *)self, spans, span_count);
}

static size_t mover_compact(void *self, mete_span_t from, mete_span_t to, size_t step_size)
{
    return mete_movable_compact_span((mete_movable_t *)self, from, to, step_size);
}

static mete_span_t mover_reach(const void *self, mete_span_t span)
{
    return mete_movable_reach((const mete_movable_t *)self, span);
}

static void mover_settle(void *self)
{
    mete_movable_settle((mete_movable_t *)self);
}

static size_t mover_moved_total(const void *self)
{
    return ((const mete_movable_t *)self)->moved_total;
}

mete_mover_t mete_movable_as_mover(mete_movable_t *movable)
{
    static const mete_mover_ops_t ops = {mover_live_size, mover_pinned_size, mover_confine,
                                         mover_evacuate,  mover_prefer,      mover_compact,
                                         mover_reach,     mover_settle,      mover_moved_total};
    const mete_mover_t mover = {&ops, movable};
    return mover;
}
