// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/inject/faults.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

// What a wild write touched.
typedef struct hit {
    const unsigned char *first;
    size_t size;
} hit_t;

// Another byte: for a negative control, the same. Then nothing is wrong, and nothing must be found.
static void spoil(world_t *world, unsigned char *byte)
{
#ifdef INJECT_NOTHING
    (void)world;
    (void)byte;
#else
    *byte ^= (unsigned char)(1U + random_below(&world->random, 255U));
#endif
}

static bool overlaps(const hit_t *hit, const unsigned char *start, size_t size)
{
    return ((uintptr_t)hit->first < (uintptr_t)start + size) &&
           ((uintptr_t)start < (uintptr_t)hit->first + hit->size);
}

// ---- Asking the guard

typedef struct search {
    const hit_t *hit;
    const void *reported;
    bool is_touched;
} search_t;

// Whether the block that was reported, with what stands in front and behind, was touched.
static bool judge(void *self, const mete_guard_block_t *block)
{
    search_t *const search = self;
    const unsigned char *const start =
        (const unsigned char *)block->block - METE_GUARD_PREFIX_SIZE(WORLD_ALIGN);
    const size_t size = METE_GUARD_PREFIX_SIZE(WORLD_ALIGN) + block->size + METE_GUARD_TAIL_SIZE;
    search->is_touched = search->is_touched ||
                         ((block->block == search->reported) && overlaps(search->hit, start, size));
    return true;
}

// True if a report names what was touched. One byte is of one block. More may be of a neighbour too, or of one whose
// record was hit and that no walk reaches any more; if the guard would look at that one next, it cannot go
// on, and names none.
static bool is_touched(const hit_t *hit, const void *block, const void *reported)
{
    if (hit->size == 1U) {
        return reported == block;
    }
    if (reported == NULL) {
        return true;
    }
    search_t search = {hit, reported, false};
    const unsigned char *const record =
        (const unsigned char *)reported - METE_GUARD_PREFIX_SIZE(WORLD_ALIGN);
    (void)mete_guard_walk(&world_guard, judge, &search);
    return search.is_touched || overlaps(hit, record, METE_GUARD_PREFIX_SIZE(WORLD_ALIGN));
}

// Looks at all blocks, one at a time, as a program does when it is idle.
static void ask_guard(const hit_t *hit, const void *block, mete_guard_damage_t wanted,
                      outcome_t *outcome)
{
    const mete_guard_damage_t found = mete_guard_damage_of(&world_guard, block);
    outcome->is_placed = (found.side == wanted.side) && (found.offset == wanted.offset);
    for (size_t i = 0U; i < 4U * WORLD_LIVE_MAX; i++) {
        if (mete_guard_check_next(&world_guard, 1U)) {
            continue;
        }
        const bool is_right =
            (tap_take_fault() == METE_FAULT_CORRUPT) && is_touched(hit, block, tap_fault_address);
        outcome->is_detected = outcome->is_detected || is_right;
        outcome->misreported += is_right ? 0U : 1U;
    }
}

// Without a guard there may be some who notice, by chance.
static void ask_others(const world_t *world, outcome_t *outcome)
{
    outcome->is_detected =
        !mete_heap_check(world->heap) || (has_track(world) && !mete_track_check(&world_track));
    (void)tap_take_fault();
}

static outcome_t ask(const world_t *world, const hit_t *hit, const void *block,
                     mete_guard_damage_t wanted)
{
    outcome_t outcome = {0};
    if (has_guard(world)) {
        ask_guard(hit, block, wanted, &outcome);
    } else {
        ask_others(world, &outcome);
    }
    return outcome;
}

// ---- Writing where one must not

static outcome_t overflow(world_t *world, size_t count)
{
    const live_t *const live = &world->live[world_pick(world, 1U)];
    const hit_t hit = {live->block + live->size, count};
    for (size_t i = 0U; i < count; i++) {
        spoil(world, live->block + live->size + i);
    }
    return ask(world, &hit, live->block,
               (mete_guard_damage_t){METE_GUARD_TAIL, (ptrdiff_t)live->size});
}

static outcome_t overflow_by_1(world_t *world)
{
    return overflow(world, 1U);
}

static outcome_t overflow_by_64(world_t *world)
{
    return overflow(world, 64U);
}

// A tracker alone sees it as the block is released: its record ends there.
static outcome_t underflow(world_t *world)
{
    const live_t *const live = &world->live[world_pick(world, 1U)];
    const hit_t hit = {live->block - 1, 1U};
    spoil(world, live->block - 1);
    if (world->set != SET_TRACK) {
        return ask(world, &hit, live->block, (mete_guard_damage_t){METE_GUARD_HEAD, -1});
    }
    world_owner = live->owner;
    mete_release(world->view, live->block, live->size, WORLD_ALIGN);
    outcome_t outcome = {.is_detected = (tap_take_fault() == METE_FAULT_CORRUPT)};
    outcome.is_placed = outcome.is_detected && (tap_fault_address == live->block);
    return outcome;
}

static outcome_t write_after_free(world_t *world)
{
    const size_t index = world_pick(world, 1U);
    const live_t gone = world->live[index];
    world_give(world, index);
    const size_t offset = random_below(&world->random, (uint32_t)gone.size);
    const hit_t hit = {gone.block + offset, 1U};
    spoil(world, gone.block + offset);
    return ask(world, &hit, gone.block,
               (mete_guard_damage_t){METE_GUARD_CONTENT, (ptrdiff_t)offset});
}

// ---- Releasing what one must not

static outcome_t release(world_t *world, void *address, size_t size, mete_fault_t fault)
{
    mete_release(world->view, address, size, WORLD_ALIGN);
    const int found = tap_take_fault();
    outcome_t outcome = {.is_detected = (found == (int)fault)};
    outcome.is_placed = outcome.is_detected && (tap_fault_address == address);
    outcome.misreported = ((found != 0) && !outcome.is_detected) ? 1U : 0U;
    return outcome;
}

static outcome_t double_free(world_t *world)
{
    const size_t index = world_pick(world, 1U);
    const live_t gone = world->live[index];
    world_give(world, index);
    return release(world, gone.block, gone.size, METE_FAULT_DOUBLE_FREE);
}

static outcome_t foreign_free(world_t *world)
{
    static uint64_t foreign[WORLD_SIZE_MAX / 4];
    for (size_t i = 0U; i < sizeof foreign / sizeof foreign[0]; i++) {
        foreign[i] = random_next(&world->random);
    }
    const size_t which = random_below(&world->random, sizeof foreign / sizeof foreign[0] / 2U);
    return release(world, &foreign[sizeof foreign / sizeof foreign[0] / 4U + which], 16U,
                   METE_FAULT_FOREIGN);
}

static outcome_t interior_free(world_t *world)
{
    const live_t live = world->live[world_pick(world, 2U * WORLD_ALIGN)];
    const size_t steps = (live.size - 1U) / WORLD_ALIGN;
    const size_t offset = WORLD_ALIGN * (1U + random_below(&world->random, (uint32_t)steps));
    world_owner = live.owner;
    return release(world, live.block + offset, live.size - offset, METE_FAULT_FOREIGN);
}

// A heap alone knows what room a block has, not what was asked for: a size that the room does not fit is wrong.
static outcome_t wrong_size(world_t *world)
{
    const live_t live = world->live[world_pick(world, 1U)];
    const size_t more = 1U + random_below(&world->random, 40U);
    world_owner = live.owner;
    return release(world, live.block, live.size + more + ((world->set == SET_NONE) ? 64U : 0U),
                   METE_FAULT_SIZE);
}

// ---- Leaking

typedef struct leak {
    size_t count;
    mete_track_block_t last;
} leak_t;

static bool note_leak(void *self, const mete_track_block_t *block)
{
    leak_t *const leak = self;
    leak->count++;
    leak->last = *block;
    return true;
}

typedef struct filtered {
    const mete_track_filter_t *filter;
    leak_t leak;
} filtered_t;

static bool note_filtered(void *self, const mete_track_block_t *block)
{
    filtered_t *const filtered = self;
    return !mete_track_fits(&world_track, filtered->filter, block) ||
           note_leak(&filtered->leak, block);
}

static const unsigned char *leaked;

// The one place that forgets.
__attribute__((noinline)) static void leak_here(world_t *world, size_t size, uint32_t owner)
{
    world_owner = owner;
    leaked = mete_acquire(world->view, size, WORLD_ALIGN);
}

// What the filter shows is the leak and nothing else, with all that is known of it.
static outcome_t ask_tracker(const world_t *world, const mete_track_filter_t *filter, size_t size,
                             uint32_t owner)
{
    filtered_t filtered = {filter, {0U, {0}}};
    if (has_guard(world)) {
        (void)mete_guard_purge(&world_guard, SIZE_MAX);  // What it holds back is no leak.
    }
    (void)mete_track_walk(&world_track, note_filtered, &filtered);
    const mete_track_block_t *const found = &filtered.leak.last;
    const unsigned char *const start = (const unsigned char *)found->block + world_front(world);
    outcome_t outcome = {.is_detected = (filtered.leak.count != 0U) && (start == leaked)};
    outcome.misreported = filtered.leak.count - (outcome.is_detected ? 1U : 0U);
    outcome.is_placed = outcome.is_detected && (found->owner == owner) && (found->size >= size) &&
                        (found->caller != NULL) && (found->caller != world->usual_site);
    outcome.misreported += (tap_take_fault() != 0) ? 1U : 0U;
    return outcome;
}

// Everything but the leak goes, and other things come.
static void turn_over(world_t *world)
{
    while (world->live_count != 0U) {
        world_give(world, world->live_count - 1U);
    }
    for (size_t i = 0U; i < WORLD_LIVE_MIN; i++) {
        (void)world_take(world, 1U + random_below(&world->random, WORLD_OWNER_COUNT - 1U));
    }
}

static outcome_t leak_by_age(world_t *world)
{
    static const mete_track_filter_t filter = {.age_min = 1000U};
    const size_t size = 1U + random_below(&world->random, WORLD_SIZE_MAX);
    leak_here(world, size, 1U);
    world_now += 1000U;
    turn_over(world);
    return ask_tracker(world, &filter, size, 1U);
}

static outcome_t leak_by_owner(world_t *world)
{
    static const mete_track_filter_t filter = {.is_of_owner = true, .owner = 0U};
    const size_t size = 1U + random_below(&world->random, WORLD_SIZE_MAX);
    leak_here(world, size, 0U);
    turn_over(world);
    return ask_tracker(world, &filter, size, 0U);
}

static outcome_t leak_by_mark(world_t *world)
{
    const mete_track_filter_t filter = {.since = mete_track_mark(&world_track)};
    const size_t before = world->live_count;
    const size_t size = 1U + random_below(&world->random, WORLD_SIZE_MAX);
    for (size_t i = 0U; (i < 4U) && (world->live_count < WORLD_LIVE_MAX); i++) {
        (void)world_take(world, 1U);
    }
    leak_here(world, size, 2U);
    while (world->live_count > before) {
        world_give(world, world->live_count - 1U);
    }
    return ask_tracker(world, &filter, size, 2U);
}

// ---- All of them

#define WITH(set) (1U << (set))
#define GUARDED   (WITH(SET_GUARD) | WITH(SET_BOTH) | WITH(SET_ALL))
#define TRACKED   (WITH(SET_TRACK) | WITH(SET_BOTH) | WITH(SET_ALL))
#define EVERY     (GUARDED | TRACKED | WITH(SET_NONE))

const fault_kind_t fault_kinds[] = {
    {"overflow by 1", overflow_by_1, GUARDED, 0, false},
    {"overflow by 64", overflow_by_64, GUARDED, 0, false},
    {"underflow by 1", underflow, GUARDED | WITH(SET_TRACK), 1, false},
    {"write after free", write_after_free, GUARDED, 0, false},
    {"double free", double_free, EVERY, 1, true},
    {"foreign free", foreign_free, EVERY, 1, true},
    {"interior free", interior_free, EVERY, 1, true},
    {"wrong size", wrong_size, EVERY, 1, true},
    {"leak by age", leak_by_age, TRACKED, 0, true},
    {"leak by owner", leak_by_owner, TRACKED, 0, true},
    {"leak by mark", leak_by_mark, TRACKED, 0, true},
    {"constant changed", inject_constant, WITH(SET_ALL), 0, true},
    {"variable changed", inject_variable, WITH(SET_ALL), 0, true},
    {"stack overflow", inject_stack, WITH(SET_ALL), 0, true},
};
const size_t fault_kind_count = sizeof fault_kinds / sizeof fault_kinds[0];
