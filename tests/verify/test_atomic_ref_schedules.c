// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic references' own code in every schedule of two threads, and of three as far as schedules.h says.
// What is expected holds in each: an object ends once, when its last strong reference has been dropped; its
// memory is given back once, when the cleanup has returned and the last weak one has been dropped, and is not
// touched any more; an upgrade succeeds if somebody holds the object all the time; and what get hands out is
// nobody else's. Bugs sown into the atomic operations must be found: so the scenes can find them.

#include "mete/object/atomic_ref.c"

#include "tests/verify/schedules.h"

enum { BOARD_COUNT = 3, KEPT_COUNT = 1 };

typedef struct board {
    mete_ref_header_t header;
    uintptr_t object;
} board_t;

static board_t boards[BOARD_COUNT];
static uintptr_t kept[KEPT_COUNT];
static kind_t kind;

// What the threads know. Nothing of it is a shared access: it changes at once.
static struct {
    bool is_taken[BOARD_COUNT];
    size_t strong[BOARD_COUNT];  // References that threads hold, beyond a doubt: while no call is
    size_t weak[BOARD_COUNT];    // under way that gives them up.
    size_t exclusive[BOARD_COUNT];  // Who has it from get.
    size_t ended[BOARD_COUNT];      // Cleanups.
    size_t taken_count, made_count;
} world;

static size_t board_of(const void *object)
{
    return (size_t)((uintptr_t)object - (uintptr_t)boards) / sizeof boards[0];
}

static void *acquire(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        if (!world.is_taken[i]) {
            world.is_taken[i] = true;
            world.taken_count++;
            world.made_count++;
            world.ended[i] = 0U;
            return &boards[i];
        }
    }
    return NULL;
}

// Whoever still touches it finds no object of the kind.
static void release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    const size_t i = board_of(block);
    if (!world.is_taken[i] || (world.ended[i] != 1U)) {
        explorer_fail("memory is given back twice, or of an object that is not ended");
    }
    if (world.strong[i] + world.weak[i] != 0U) {
        explorer_fail("memory is given back of an object that is held");
    }
    world.is_taken[i] = false;
    world.taken_count--;
    boards[i].header.kind = NULL;
}

// Lets others go on in the middle of it.
static void *cleanup(void *self, void *object)
{
    (void)self;
    const size_t i = board_of(object);
    if ((world.strong[i] != 0U) || (world.ended[i] != 0U)) {
        explorer_fail("an object ends that is held, or has ended");
    }
    world.ended[i]++;
    explorer_step();
    if (world.strong[i] != 0U) {
        explorer_fail("an object is held that ends");
    }
    return NULL;
}

static const mete_ref_config_t config = {sizeof(uintptr_t), sizeof(uintptr_t), cleanup, NULL, kept,
                                         KEPT_COUNT};

// ---- Calls, with what must hold

static void note_faults(void)
{
    if (tap_take_fault() != 0) {
        explorer_fail("what is held was refused");
    }
}

static void take(void *object)
{
    REF(retain)(&kind, object);
    world.strong[board_of(object)]++;
    note_faults();
}

static void give(void *object)
{
    world.strong[board_of(object)]--;
    REF(drop)(&kind, object);
    note_faults();
}

static void take_weakly(void *object)
{
    REF(retain_weak)(&kind, object);
    world.weak[board_of(object)]++;
    note_faults();
}

static void give_weakly(void *object)
{
    world.weak[board_of(object)]--;
    REF(drop_weak)(&kind, object);
    note_faults();
}

// Who holds it while this is called, and after, is no concern of this call: so it must be alive.
static bool try_to_take(void *object)
{
    const size_t i = board_of(object);
    const bool was_ended = world.ended[i] != 0U;
    const bool is_taken = REF(upgrade)(&kind, object);
    if (is_taken && (was_ended || (world.ended[i] != 0U))) {
        explorer_fail("an object is back that has ended");
    }
    if (!is_taken && (world.strong[i] != 0U)) {
        explorer_fail("an object is said to be dead that somebody holds");
    }
    world.strong[i] += is_taken ? 1U : 0U;
    note_faults();
    return is_taken;
}

static void *take_exclusively(void)
{
    void *const object = REF(get)(&kind);
    note_faults();
    if (object != NULL) {
        const size_t i = board_of(object);
        if ((world.exclusive[i]++ != 0U) || (world.strong[i]++ != 0U) || (world.ended[i] != 0U)) {
            explorer_fail("get hands out what somebody has");
        }
    }
    return object;
}

static void give_exclusive(void *object)
{
    if (object != NULL) {
        world.exclusive[board_of(object)]--;
        give(object);
    }
}

// ---- Before and after a run

static void *object_of_all;

static void begin_with(size_t strong, size_t weak)
{
    static const mete_alloc_ops_t ops = {acquire, release, NULL, NULL, NULL};
    memset(&world, 0, sizeof world);
    (void)REF(init)(&kind, (mete_alloc_t){&ops, NULL}, &config);
    object_of_all = REF(alloc)(&kind);
    *counts_of(object_of_all) = ((strong - 1U) * STRONG) + weak + 1U;
    world.strong[board_of(object_of_all)] = strong;
    world.weak[board_of(object_of_all)] = weak;
}

static void begin_two_strong(void)
{
    begin_with(2U, 0U);
}

static void begin_three_strong(void)
{
    begin_with(3U, 0U);
}

static void begin_strong_and_weak(void)
{
    begin_with(1U, 1U);
}

static void begin_strong_and_two_weak(void)
{
    begin_with(1U, 2U);
}

static void begin_nearly_full(void)
{
    begin_with(METE_REF_COUNT_MAX - 1U, 0U);
}

// One object, which is kept, and nobody holds.
static void begin_kept(void)
{
    begin_with(1U, 0U);
    give(object_of_all);
    object_of_all = take_exclusively();
    give_exclusive(object_of_all);
}

static void begin_kept_and_held(void)
{
    begin_kept();
    object_of_all = take_exclusively();
}

static bool is_all_gone(void)
{
    return (world.taken_count == 0U) && (kind.in_use == 0U) && (tap_take_fault() == 0) &&
           REF(check)(&kind);
}

// But for one, that is kept.
static bool is_one_left(void)
{
    return (world.taken_count == 1U) && (kind.in_use == 1U) && (tap_take_fault() == 0) &&
           REF(check)(&kind) && (*counts_of((void *)kept[0]) == ALONE);
}

static bool is_one_left_or_none(void)
{
    return (kept[0] == KEPT_NONE) ? is_all_gone() : is_one_left();
}

static bool is_full_for_ever(void)
{
    return (world.taken_count == 1U) && (tap_take_fault() == 0) &&
           (*counts_of(object_of_all) - SATURATED < STRONG);
}

// ---- What threads do

static void drop_one(size_t thread)
{
    (void)thread;
    give(object_of_all);
}

static void double_and_drop(size_t thread)
{
    (void)thread;
    take(object_of_all);
    give(object_of_all);
    give(object_of_all);
}

static void weaken_and_drop(size_t thread)
{
    (void)thread;
    take_weakly(object_of_all);
    give(object_of_all);
    give_weakly(object_of_all);
}

static void drop_one_weak(size_t thread)
{
    (void)thread;
    give_weakly(object_of_all);
}

static void double_weak(size_t thread)
{
    (void)thread;
    take_weakly(object_of_all);
    give_weakly(object_of_all);
    give_weakly(object_of_all);
}

static void upgrade_and_drop(size_t thread)
{
    (void)thread;
    if (try_to_take(object_of_all)) {
        give(object_of_all);
    }
    give_weakly(object_of_all);
}

static void hurry_to_full(size_t thread)
{
    (void)thread;
    take(object_of_all);
    take(object_of_all);
    give(object_of_all);
    give(object_of_all);
}

static void get_and_drop(size_t thread)
{
    (void)thread;
    give_exclusive(take_exclusively());
}

static void drop_exclusive(size_t thread)
{
    (void)thread;
    give_exclusive(object_of_all);
}

static void purge(size_t thread)
{
    (void)thread;
    (void)REF(purge)(&kind);
    note_faults();
}

static const explorer_scene_t scenes[] = {
    {"both drop their last one", 2U, begin_two_strong, {drop_one, drop_one}, is_all_gone, ALL},
    {"both double theirs",
     2U,
     begin_two_strong,
     {double_and_drop, double_and_drop},
     is_all_gone,
     ALL},
    {"one drops, one upgrades",
     2U,
     begin_strong_and_weak,
     {drop_one, upgrade_and_drop},
     is_all_gone,
     ALL},
    {"the last of each sort",
     2U,
     begin_strong_and_weak,
     {drop_one, drop_one_weak},
     is_all_gone,
     ALL},
    {"one drops, one doubles a weak one",
     2U,
     begin_strong_and_weak,
     {drop_one, double_weak},
     is_all_gone,
     ALL},
    {"both take a weak one",
     2U,
     begin_two_strong,
     {weaken_and_drop, weaken_and_drop},
     is_all_gone,
     ALL},
    {"both reach the highest count",
     2U,
     begin_nearly_full,
     {hurry_to_full, hurry_to_full},
     is_full_for_ever,
     ALL},
    {"both get", 2U, begin_kept, {get_and_drop, get_and_drop}, is_one_left, ALL},
    {"one drops, one gets",
     2U,
     begin_kept_and_held,
     {drop_exclusive, get_and_drop},
     is_one_left,
     ALL},
    {"one gets, one purges", 2U, begin_kept, {get_and_drop, purge}, is_one_left_or_none, ALL},
    {"both purge", 2U, begin_kept, {purge, purge}, is_all_gone, ALL},
    {"one drops, one purges",
     2U,
     begin_kept_and_held,
     {drop_exclusive, purge},
     is_one_left_or_none,
     ALL},
    {"three drop",
     3U,
     begin_three_strong,
     {drop_one, double_and_drop, weaken_and_drop},
     is_all_gone,
     OF_THREE},
    {"one drops, two upgrade",
     3U,
     begin_strong_and_two_weak,
     {drop_one, upgrade_and_drop, upgrade_and_drop},
     is_all_gone,
     OF_THREE},
    {"one drops, one upgrades, one lets go",
     3U,
     begin_strong_and_two_weak,
     {drop_one, upgrade_and_drop, drop_one_weak},
     is_all_gone,
     OF_THREE},
    {"two get, one purges",
     3U,
     begin_kept,
     {get_and_drop, get_and_drop, purge},
     is_one_left_or_none,
     OF_THREE},
    {"one drops, one gets, one purges",
     3U,
     begin_kept_and_held,
     {drop_exclusive, get_and_drop, purge},
     is_one_left_or_none,
     OF_THREE},
};

// ---- Running them

static void test_every_schedule_of_two_and_three_threads_is_good(void)
{
    schedules_run();
}

static void test_a_replace_in_two_steps_is_found_out(void)
{
    EXPECT(schedules_find((explorer_seeds_t){.is_torn = true}));
}

static void test_a_replace_that_does_not_look_at_strong_counts_is_found_out(void)
{
    EXPECT(schedules_find(
        (explorer_seeds_t){.tagless = {&boards[0].header.counts}, .index = WEAK_MAX}));
}

static void test_a_replace_that_does_not_look_at_weak_counts_is_found_out(void)
{
    EXPECT(schedules_find(
        (explorer_seeds_t){.tagless = {&boards[0].header.counts}, .index = ~WEAK_MAX}));
}

static void test_a_claim_that_does_not_look_is_found_out(void)
{
    EXPECT(schedules_find((explorer_seeds_t){.tagless = {&kept[0]}, .index = 0U}));
}

int main(int count, char **arguments)
{
    schedules_init(scenes, sizeof scenes / sizeof scenes[0], count, arguments);
    RUN(test_a_replace_in_two_steps_is_found_out);
    RUN(test_a_replace_that_does_not_look_at_strong_counts_is_found_out);
    RUN(test_a_replace_that_does_not_look_at_weak_counts_is_found_out);
    RUN(test_a_claim_that_does_not_look_is_found_out);
    RUN(test_every_schedule_of_two_and_three_threads_is_good);
    return schedules_finish("atomic_ref.schedules");
}
