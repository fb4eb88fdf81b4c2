// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Evacuation as a subject of exhaustion: blocks of a movable store lie in a few banks, which are emptied a granule at a
// time, sleep and are woken. What is in a bank while it sleeps is kept elsewhere, or lost: where it was lies a pattern that nobody
// may read or write.

#include "mete/power/evacuation.h"

#include "tests/exhaust/books.h"
#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum { GRANULE = 8, BANK_MAX = 3, STORAGE_MAX = 72, STEP_MAX = 1000, ASLEEP = 0xEE, LOST = 0xDE };

enum {
    ALLOC = EXHAUST_OWN,
    FREE,
    PIN,
    UNPIN,
    COMMIT,
    RUN,
    MOVE,
    SLEEP,
    STOP,
    SLEEP_BANK,
    WAKE_BANK
};
static const char *const verbs[] = {"alloc", "free",  "pin",  "unpin",      "commit",   "run",
                                    "move",  "sleep", "stop", "sleep bank", "wake bank"};

typedef struct layout {
    books_t books;
    mete_bank_t bank;
    mete_bank_record_t records[BANK_MAX];
    mete_evacuation_t evacuation;
    mete_evacuation_load_t loads[BANK_MAX];
    mete_span_t order[METE_EVACUATION_ORDER_COUNT(BANK_MAX)];
    unsigned char behind[STORAGE_MAX];  // What is in banks that sleep.
    _Alignas(GRANULE) unsigned char storage[];
} layout_t;

static layout_t *layout;
static mete_bank_t *bank;
static mete_evacuation_t *evacuation;

static size_t bank_count;
static size_t bank_size;
static bool is_waking;  // The store's hook wakes banks, and compacts before.
static mete_movable_config_t store_config;
static mete_bank_config_t bank_config;
static mete_bank_place_t places[BANK_MAX];
static mete_evacuation_config_t config;

static const mete_bank_kind_t kind = {
    .modes = {[METE_RAM_ACTIVE] = {100U, true},
              [METE_RAM_SLEEP] = {10U, true},
              [METE_RAM_DEEP_SLEEP] = {1U, false}},
    .changes = {[METE_RAM_ACTIVE] =
                    {[METE_RAM_SLEEP] = {1U, 1U, true}, [METE_RAM_DEEP_SLEEP] = {1U, 1U, true}},
                [METE_RAM_SLEEP] = {[METE_RAM_ACTIVE] = {1U, 1U, true}},
                [METE_RAM_DEEP_SLEEP] = {[METE_RAM_ACTIVE] = {1U, 1U, true}}}};

static uint32_t read_clock(void)
{
    return 0U;
}

// ---- Banks

static bool has(uint32_t set, size_t index)
{
    return ((set >> index) & 1U) != 0U;
}

static uint32_t all_banks(void)
{
    return (1U << bank_count) - 1U;
}

static size_t size_of_set(uint32_t set)
{
    return (size_t)__builtin_popcount(set);
}

static unsigned char *behind(size_t index)
{
    return layout->behind + (index * bank_size);
}

static bool is_filled(const unsigned char *bytes, unsigned char value)
{
    size_t i = 0U;
    while ((i < bank_size) && (bytes[i] == value)) {
        i++;
    }
    return i == bank_size;
}

// Contents come back, if nobody has touched where they were.
static void reveal(size_t index)
{
    EXHAUST_EXPECT(is_filled(places[index].span.start, ASLEEP));
    memcpy(places[index].span.start, behind(index), bank_size);
}

static void hide(size_t index)
{
    memcpy(behind(index), places[index].span.start, bank_size);
    memset(places[index].span.start, ASLEEP, bank_size);
}

static bool drive(void *self, const mete_ram_change_t *change)
{
    (void)self;
    if (change->to == METE_RAM_ACTIVE) {
        reveal(change->index);
        memset(behind(change->index), 0, bank_size);
        return true;
    }
    if (!change->retains) {
        memset(change->span.start, LOST, bank_size);
    }
    hide(change->index);
    return true;
}

static const mete_ram_ops_t ram_ops = {drive};

// ---- init

static void set_banks(void)
{
    for (size_t i = 0U; i < bank_count; i++) {
        places[i] = (mete_bank_place_t){{layout->storage + (i * bank_size), bank_size}, &kind};
    }
    bank_config = (mete_bank_config_t){.places = places,
                                       .records = layout->records,
                                       .bank_count = bank_count,
                                       .ram = {&ram_ops, NULL},
                                       .clock = read_clock,
                                       .tick_us = 1U};
    EXHAUST_EXPECT(mete_bank_init(bank, &bank_config));
}

static exhaust_offer_t begin(mete_span_t arena, size_t banks, size_t granules, bool wakes)
{
    layout = arena.start;
    books = &layout->books;
    bank = &layout->bank;
    evacuation = &layout->evacuation;
    bank_count = banks;
    bank_size = granules * GRANULE;
    is_waking = wakes;
    store_config = (mete_movable_config_t){.storage = {layout->storage, banks * bank_size},
                                           .slots = books->slots,
                                           .slot_count = BOOKS_SLOT_COUNT,
                                           .failure_size = wakes ? SIZE_MAX : 0U,
                                           .on_refusal = wakes ? mete_evacuation_wake : NULL,
                                           .on_refusal_self = evacuation};
    config = (mete_evacuation_config_t){.bank = bank,
                                        .mover = mete_movable_as_mover(&books->store),
                                        .loads = layout->loads,
                                        .order = layout->order,
                                        .step_size = GRANULE,
                                        .state = METE_RAM_DEEP_SLEEP};
    set_banks();
    EXHAUST_EXPECT(mete_movable_init(&books->store, &store_config));
    EXHAUST_EXPECT(mete_evacuation_init(evacuation, &config));
    return (exhaust_offer_t){
        {NULL, NULL}, store_config.storage, offsetof(layout_t, storage) + (banks * bank_size)};
}

static exhaust_offer_t begin_waking(mete_span_t arena, size_t granules)
{
    return begin(arena, 3U, granules, true);
}

static exhaust_offer_t begin_shut(mete_span_t arena, size_t granules)
{
    return begin(arena, 2U, granules, false);
}

// ---- What is where, as the subject knows it

static size_t granules_for(size_t size)
{
    return (size + GRANULE - 1U) / GRANULE;
}

// From the start of the storage, in granules.
typedef struct piece {
    size_t first, end;
    bool is_pinned;
} piece_t;

typedef struct view {
    piece_t pieces[BOOKS_HELD_MAX + 1];  // Blocks, and the room for one that is being moved.
    size_t count;
} view_t;

static piece_t piece_of(const void *start, size_t size, bool is_pinned)
{
    const size_t first = (size_t)((const unsigned char *)start - layout->storage) / GRANULE;
    return (piece_t){first, first + granules_for(size), is_pinned};
}

static view_t look(void)
{
    const sight_t sight = books_look();
    view_t view = {.count = 0U};
    for (size_t i = 0U; i < books->held_count; i++) {
        const held_t *const held = &books->held[i];
        view.pieces[view.count] =
            piece_of(exhaust_address(held->shown_at), held->size, held->pins != 0U);
        view.count++;
    }
    if (sight.ghost.size != 0U) {
        view.pieces[view.count] = piece_of(sight.ghost.start, sight.ghost.size, false);
        view.count++;
    }
    return view;
}

static size_t bank_granules(void)
{
    return bank_size / GRANULE;
}

static bool is_in(const piece_t *piece, size_t granule)
{
    return (granule >= piece->first) && (granule < piece->end);
}

// The piece that a granule belongs to, or NULL.
static const piece_t *piece_around(const view_t *view, size_t granule)
{
    for (size_t i = 0U; i < view->count; i++) {
        if (is_in(&view->pieces[i], granule)) {
            return &view->pieces[i];
        }
    }
    return NULL;
}

typedef struct load {
    size_t live, pinned;  // Granules.
} load_t;

static load_t load_of(const view_t *view, uint32_t set)
{
    load_t load = {0U, 0U};
    for (size_t g = 0U; g < bank_count * bank_granules(); g++) {
        const piece_t *const piece = has(set, g / bank_granules()) ? piece_around(view, g) : NULL;
        load.live += (piece != NULL) ? 1U : 0U;
        load.pinned += ((piece != NULL) && piece->is_pinned) ? 1U : 0U;
    }
    return load;
}

// All banks from the first byte to the last of what must be moved out of one.
static uint32_t reach_of(const view_t *view, size_t index)
{
    size_t first = SIZE_MAX;
    size_t end = 0U;
    for (size_t g = index * bank_granules(); g < (index + 1U) * bank_granules(); g++) {
        const piece_t *const piece = piece_around(view, g);
        if ((piece != NULL) && !piece->is_pinned) {
            first = (piece->first < first) ? piece->first : first;
            end = (piece->end > end) ? piece->end : end;
        }
    }
    uint32_t set = 0U;
    for (size_t g = first; g < end; g++) {
        set |= 1U << (g / bank_granules());
    }
    return set;
}

static uint32_t awake_set(void)
{
    return mete_bank_awake_set(bank);
}

static uint32_t open_set(void)
{
    return awake_set() & ~mete_evacuation_target_set(evacuation);
}

static bool is_any_pinned(void)
{
    size_t pins = 0U;
    for (size_t i = 0U; i < books->held_count; i++) {
        pins += books->held[i].pins;
    }
    return pins != 0U;
}

// The largest gap, and the most that is free, in neighbours of a set.
typedef struct room {
    size_t gap, total;  // Granules.
} room_t;

static room_t room_in(const view_t *view, uint32_t set)
{
    room_t room = {0U, 0U};
    size_t gap = 0U;
    size_t total = 0U;
    for (size_t g = 0U; g < bank_count * bank_granules(); g++) {
        const bool is_open = has(set, g / bank_granules());
        const bool is_free = is_open && (piece_around(view, g) == NULL);
        gap = is_free ? gap + 1U : 0U;
        total = is_free ? total + 1U : is_open ? total : 0U;
        room.gap = (gap > room.gap) ? gap : room.gap;
        room.total = (total > room.total) ? total : room.total;
    }
    return room;
}

// ---- After a call

// Every block has its content, those in banks that sleep, too; and is where it may be. Then it is written anew, for this place.
static void settle(void)
{
    (void)books_look();
    const uint32_t asleep = all_banks() & ~awake_set();
    for (size_t i = 0U; i < bank_count; i++) {
        if (has(asleep, i)) {
            reveal(i);
        }
    }
    for (size_t i = 0U; i < books->held_count; i++) {
        held_t *const held = &books->held[i];
        if (!held->is_moving) {
            EXHAUST_EXPECT(exhaust_is_painted(held->shown_at, held->at, held->size));
            exhaust_paint(held->shown_at, held->size);
            held->at = held->shown_at;
        }
    }
    for (size_t i = 0U; i < bank_count; i++) {
        if (has(asleep, i)) {
            hide(i);
        }
    }
    books_sort();
}

// ---- Blocks

static chance_t may_alloc(size_t granules)
{
    const view_t view = look();
    const size_t room = (bank_count * bank_granules()) - load_of(&view, all_banks()).live;
    const uint32_t open = open_set();
    const size_t ghost = view.count - books->held_count;  // It may be gone by then.
    if ((books->held_count == BOOKS_HELD_MAX) || ((ghost == 0U) && (granules > room))) {
        return MUST_FAIL;
    }
    if ((room_in(&view, open).gap >= granules) || (is_waking && (ghost == 0U) && !is_any_pinned() &&
                                                   (open == all_banks()) && (granules <= room))) {
        return MUST_SUCCEED;
    }
    return is_waking ? MAY_SUCCEED : MUST_FAIL;
}

static void expect_open(const held_t *held)
{
    const piece_t piece = piece_of(exhaust_address(held->shown_at), held->size, false);
    for (size_t g = piece.first; g < piece.end; g++) {
        EXHAUST_EXPECT(has(open_set(), g / bank_granules()));
    }
}

static void alloc(size_t size)
{
    const chance_t chance = may_alloc(granules_for(size));
    const mete_movable_handle_t handle = mete_movable_alloc(&books->store, size);
    exhaust_chance(handle.value != 0U, chance);
    if (handle.value != 0U) {
        held_t *const held = books_add(handle, size);
        (void)books_look();
        held->at = held->shown_at;
        expect_open(held);
        exhaust_paint(held->at, size);
    }
    settle();
}

static void free_block(held_t *held)
{
    mete_movable_free(&books->store, held->handle);
    books_remove(held);
    settle();
}

static void pin(held_t *held)
{
    const void *const address = mete_movable_pin(&books->store, held->handle);
    held->shown_at = exhaust_at(address);
    held->pins++;
    settle();
}

static void unpin(held_t *held)
{
    mete_movable_unpin(&books->store, held->handle);
    held->pins--;
    settle();
}

// ---- Plans

static void expect_plan(const mete_evacuation_plan_t *plan)
{
    const view_t view = look();
    const load_t load = load_of(&view, plan->target_set);
    const uint32_t kept = awake_set() & ~plan->target_set;
    uint32_t pinned_set = 0U;
    uint32_t wake_set = 0U;
    for (size_t i = 0U; i < bank_count; i++) {
        const bool is_target = has(plan->target_set, i);
        pinned_set |= (is_target && (load_of(&view, 1U << i).pinned != 0U)) ? 1U << i : 0U;
        wake_set |= is_target ? reach_of(&view, i) : 0U;
    }
    EXHAUST_EXPECT(plan->move_size == (load.live - load.pinned) * GRANULE);
    EXHAUST_EXPECT(plan->pinned_size == load.pinned * GRANULE);
    EXHAUST_EXPECT(plan->pinned_set == pinned_set);
    EXHAUST_EXPECT(plan->wake_set == (wake_set & ~awake_set()));
    EXHAUST_EXPECT(plan->room_size ==
                   (size_of_set(kept) * bank_size) - (load_of(&view, kept).live * GRANULE));
    EXHAUST_EXPECT(plan->fits == (plan->room_size >= plan->move_size));
}

static mete_evacuation_plan_t plan_for(uint32_t target_set)
{
    mete_evacuation_plan_t plan;
    memset(&plan, 0, sizeof plan);
    EXHAUST_EXPECT(mete_evacuation_plan(evacuation, target_set, &plan));
    EXHAUST_EXPECT(plan.target_set == target_set);
    expect_plan(&plan);
    return plan;
}

// Tried out: no set of banks that holds all that is pinned, and has room for all that is live, is smaller.
static size_t fewest(void)
{
    const view_t view = look();
    const size_t live = load_of(&view, awake_set()).live;
    size_t best = SIZE_MAX;
    for (uint32_t kept = 0U; kept <= all_banks(); kept++) {
        const bool is_enough = ((kept & ~awake_set()) == 0U) &&
                               (load_of(&view, awake_set() & ~kept).pinned == 0U) &&
                               (size_of_set(kept) * bank_granules() >= live);
        best = (is_enough && (size_of_set(kept) < best)) ? size_of_set(kept) : best;
    }
    return best;
}

static mete_evacuation_plan_t plan_fewest(void)
{
    mete_evacuation_plan_t plan;
    mete_evacuation_plan_fewest(evacuation, &plan);
    EXHAUST_EXPECT((plan.target_set & ~awake_set()) == 0U);
    EXHAUST_EXPECT(size_of_set(awake_set() & ~plan.target_set) == fewest());
    expect_plan(&plan);
    return plan;
}

// ---- Steps

// Returns false when all is done.
static bool move(void)
{
    const size_t moved = books->store.moved_total;
    const bool goes_on = mete_evacuation_move_next(evacuation);
    EXHAUST_EXPECT(books->store.moved_total - moved <= (size_t)GRANULE);
    settle();
    return goes_on;
}

static void sleep(void)
{
    const uint32_t targets = mete_evacuation_target_set(evacuation);
    const uint32_t asleep = mete_evacuation_sleep(evacuation);
    const view_t view = look();
    EXHAUST_EXPECT(asleep == (targets & ~awake_set()));
    for (size_t i = 0U; i < bank_count; i++) {
        EXHAUST_EXPECT(!has(targets & awake_set(), i) || (load_of(&view, 1U << i).live != 0U));
    }
    settle();
}

// A plan from its beginning to its end: in so many steps as it says. If nothing was in the way the fewest banks are awake.
static void run_out(void)
{
    const bool is_free =
        (awake_set() == all_banks()) && !is_any_pinned() && (books->store.moving == 0U);
    const mete_evacuation_plan_t plan = plan_fewest();
    uint32_t steps = 1U;
    mete_evacuation_commit(evacuation, &plan);
    while (move() && EXHAUST_EXPECT(steps < STEP_MAX)) {
        steps++;
    }
    EXHAUST_EXPECT(steps <= plan.step_max);
    sleep();
    EXHAUST_EXPECT(!is_free || (awake_set() == (all_banks() & ~plan.target_set)));
}

static void sleep_bank(size_t index)
{
    const bool is_done = mete_evacuation_sleep_bank(evacuation, index, METE_RAM_SLEEP);
    EXHAUST_EXPECT(is_done && !has(awake_set(), index) && (books->store.moving == 0U));
    settle();
}

static void wake_bank(size_t index)
{
    EXHAUST_EXPECT(mete_evacuation_wake_span(evacuation, places[index].span));
    EXHAUST_EXPECT(has(awake_set(), index));
    settle();
}

static void perform_on_banks(const exhaust_op_t *op)
{
    mete_evacuation_plan_t plan;
    switch (op->verb) {
    case COMMIT:
        plan = plan_for(op->size);
        mete_evacuation_commit(evacuation, &plan);
        EXHAUST_EXPECT(mete_evacuation_target_set(evacuation) == op->size);
        break;
    case RUN:
        run_out();
        break;
    case MOVE:
        (void)move();
        break;
    case SLEEP:
        sleep();
        break;
    case STOP:
        mete_evacuation_stop(evacuation);
        EXHAUST_EXPECT(mete_evacuation_target_set(evacuation) == 0U);
        break;
    case SLEEP_BANK:
        sleep_bank(op->size);
        break;
    default:
        wake_bank(op->size);
        break;
    }
}

static void perform(const exhaust_op_t *op)
{
    held_t *const held = books_find_at(op->at);
    if ((op->verb > ALLOC) && (op->verb <= UNPIN) && !EXHAUST_EXPECT(held != NULL)) {
        return;
    }
    switch (op->verb) {
    case ALLOC:
        alloc(op->size);
        break;
    case FREE:
        free_block(held);
        break;
    case PIN:
        pin(held);
        break;
    case UNPIN:
        unpin(held);
        break;
    default:
        perform_on_banks(op);
        break;
    }
}

static void list(exhaust_ops_t *ops)
{
    for (size_t granules = 1U; granules <= bank_count * bank_granules(); granules++) {
        exhaust_add_op(ops, ALLOC, 0, granules * GRANULE, 0U);
    }
    for (size_t i = 0U; i < books->held_count; i++) {
        const held_t *const held = &books->held[i];
        exhaust_add_op(ops, (held->pins == 0U) ? FREE : UNPIN, held->shown_at, 0U, 0U);
        if (held->pins == 0U) {
            exhaust_add_op(ops, PIN, held->shown_at, 0U, 0U);
        }
    }
    for (uint32_t targets = 0U; targets <= all_banks(); targets++) {
        exhaust_add_op(ops, COMMIT, 0, targets, 0U);
    }
    for (uint32_t verb = RUN; verb <= (uint32_t)STOP; verb++) {
        exhaust_add_op(ops, (uint8_t)verb, 0, 0U, 0U);
    }
    for (size_t i = 0U; i < bank_count; i++) {
        exhaust_add_op(ops, has(awake_set(), i) ? SLEEP_BANK : WAKE_BANK, 0, i, 0U);
    }
}

// ---- What holds in every state

static bool is_sound(void)
{
    return mete_movable_check(&books->store) && mete_bank_check(bank) &&
           mete_evacuation_check(evacuation) &&
           (mete_movable_usage(&books->store).block_count == books->held_count);
}

static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    books_mask(&masked->books);
    for (size_t i = 0U; i < bank_count; i++) {
        masked->records[i].change_nj = 0U;
        masked->records[i].change_count = 0U;
    }
    memset(masked->loads, 0, sizeof masked->loads);
    const size_t count = masked->evacuation.order_count;
    memset(&masked->order[count], 0, sizeof masked->order - (count * sizeof masked->order[0]));
    memset(masked->behind, 0, sizeof masked->behind);
    memset(copy + offsetof(layout_t, storage), 0, bank_count * bank_size);
}

// ---- Misuse

static void misuse(void)
{
    const uint32_t foreign = 1U << bank_count;
    mete_evacuation_plan_t plan;
    exhaust_doing(COMMIT, 0, foreign, 0U);
    EXHAUST_EXPECT(!mete_evacuation_plan(evacuation, foreign, &plan));
    exhaust_refused(1U << METE_FAULT_FOREIGN);
    plan.target_set = foreign;
    mete_evacuation_commit(evacuation, &plan);
    exhaust_refused(1U << METE_FAULT_FOREIGN);
    exhaust_doing(SLEEP_BANK, 0, bank_count, 0U);
    EXHAUST_EXPECT(!mete_evacuation_sleep_bank(evacuation, bank_count, METE_RAM_SLEEP));
    exhaust_refused(1U << METE_FAULT_FOREIGN);
    const view_t view = look();
    for (size_t i = 0U; (i < bank_count) && (books->store.moving == 0U); i++) {
        if (load_of(&view, 1U << i).live != 0U) {
            exhaust_doing(SLEEP_BANK, 0, i, METE_RAM_DEEP_SLEEP);
            EXHAUST_EXPECT(!mete_evacuation_sleep_bank(evacuation, i, METE_RAM_DEEP_SLEEP));
            exhaust_refused(1U << METE_FAULT_ORDER);
        }
    }
}

#define EVACUATION_SUBJECT(variant, label, start) \
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

EVACUATION_SUBJECT(exhaust_evacuation, "evacuation", begin_waking);
EVACUATION_SUBJECT(exhaust_evacuation_shut, "evacuation.shut", begin_shut);
