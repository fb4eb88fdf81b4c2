// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic pool's own code in every schedule of two threads, and of three as far as schedules.h says. What
// is expected holds in each: no block has two owners, of two frees of one block one is refused, NULL is
// returned only if nothing could be had, and at the end lists, links and counters agree. Bugs sown into the
// atomic operations must be found: so the scenes can find them.

#include "mete/alloc/atomic_pool.c"

#include "tests/verify/schedules.h"

enum { BLOCK_COUNT = 3, BLOCK_SIZE = 8 };

static unsigned char blocks[BLOCK_COUNT][BLOCK_SIZE];
static size_t links[BLOCK_COUNT];
static mete_atomic_pool_config_t config = {blocks, links, BLOCK_SIZE, BLOCK_COUNT, 0U};
static mete_atomic_pool_t pool;

// Blocks that lie free whatever the calls now running do: one less for each that may yet take one. And,
// for each thread, the least there was since its call began, its own call apart.
typedef struct spare {
    intptr_t count;
    intptr_t least[EXPLORER_THREADS_MAX];
} spare_t;

// What the threads know. Nothing of it is a shared access: it changes at once.
static struct {
    size_t owner_count[BLOCK_COUNT];
    size_t owned_count;
    spare_t any, common;
    size_t faults, nulls;
} world;

static void spend(spare_t *spare, size_t thread)
{
    for (size_t i = 0U; i < EXPLORER_THREADS_MAX; i++) {
        const bool is_less = (spare->count < spare->least[i]) || (i == thread);
        spare->least[i] = is_less ? spare->count : spare->least[i];
    }
    spare->count--;
}

static void own(size_t index)
{
    if (world.owner_count[index]++ != 0U) {
        explorer_fail("a block has two owners");
    }
    world.owned_count++;
}

static void disown(size_t index)
{
    world.owner_count[index]--;
    world.owned_count--;
}

// ---- Calls, with what must hold

static size_t index_at(const void *block)
{
    return (size_t)((const unsigned char *)block - blocks[0]) / BLOCK_SIZE;
}

static void note_refused(size_t thread, const spare_t *spare)
{
    world.nulls++;
    world.any.count++;
    world.common.count++;
    if (spare->least[thread] > 0) {
        explorer_fail("NULL, though a block lay free all the time");
    }
}

static void *take(size_t thread, const spare_t *spare, void *(*alloc)(mete_atomic_pool_t *pool))
{
    spend(&world.any, thread);
    spend(&world.common, thread);
    void *const block = alloc(&pool);
    if (tap_take_fault() != 0) {
        explorer_fail("alloc reports damage");
    }
    if (block == NULL) {
        note_refused(thread, spare);
        return NULL;
    }
    const size_t index = index_at(block);
    world.common.count += (index < pool.reserved_count) ? 1 : 0;
    own(index);
    return block;
}

static void *take_any(size_t thread)
{
    return take(thread, &world.any, mete_atomic_pool_alloc_reserved);
}

static void *take_common(size_t thread)
{
    return take(thread, &world.common, mete_atomic_pool_alloc);
}

static void note_free(const void *block)
{
    world.any.count++;
    world.common.count += (index_at(block) < pool.reserved_count) ? 0 : 1;
}

static void give_back(void *block)
{
    if (block != NULL) {
        disown(index_at(block));
        mete_atomic_pool_free(&pool, block);
        if (tap_take_fault() != 0) {
            explorer_fail("a block that is held was refused");
        }
        note_free(block);
    }
}

// Frees what another thread frees too, and nobody takes: one of both is refused.
static void give_back_together(void *block)
{
    mete_atomic_pool_free(&pool, block);
    const int fault = tap_take_fault();
    if (fault == 0) {
        disown(index_at(block));
        note_free(block);
    } else if (fault == METE_FAULT_DOUBLE_FREE) {
        world.faults++;
    } else {
        explorer_fail("another fault than a double free");
    }
}

// ---- Before and after a run

static void *held[BLOCK_COUNT];

static void begin_with(size_t block_count, size_t reserved_count, size_t held_count)
{
    config.block_count = block_count;
    config.reserved_count = reserved_count;
    (void)mete_atomic_pool_init(&pool, &config);
    memset(&world, 0, sizeof world);
    world.any.count = (intptr_t)block_count;
    world.common.count = (intptr_t)(block_count - reserved_count);
    for (size_t i = 0U; i < held_count; i++) {
        held[i] = take_any(0U);
    }
}

// The peak has been reached before, so that nobody raises it: schedules are shorter then.
static void begin_busy(size_t block_count, size_t reserved_count, size_t held_count)
{
    begin_with(block_count, reserved_count, held_count);
    pool.in_use_peak = block_count;
}

static bool is_good_with(size_t fault_count)
{
    return mete_atomic_pool_check(&pool) && (pool.in_use == world.owned_count) &&
           (world.faults == fault_count) && (pool.refusals == world.nulls) &&
           (tap_take_fault() == 0);
}

static bool is_good(void)
{
    return is_good_with(0U);
}

static bool is_good_with_one_fault(void)
{
    return is_good_with(1U);
}

// ---- What threads do

static void pair(size_t thread)
{
    give_back(take_common(thread));
}

static void pair_any(size_t thread)
{
    give_back(take_any(thread));
}

static void take_one(size_t thread)
{
    (void)take_common(thread);
}

// Takes two and gives the first back: to whoever has just looked, the same block lies on top again.
static void swap_second(size_t thread)
{
    void *const first = take_common(thread);
    (void)take_common(thread);
    give_back(first);
}

static void two_pairs(size_t thread)
{
    void *const first = take_common(thread);
    void *const second = take_common(thread);
    give_back(first);
    give_back(second);
}

static void free_first_held(size_t thread)
{
    (void)thread;
    give_back_together(held[0]);
}

static void free_second_held(size_t thread)
{
    (void)thread;
    give_back(held[1]);
}

static void free_second_held_and_take(size_t thread)
{
    give_back(held[1]);
    (void)take_common(thread);
}

// Gives the reserved block back, then takes the last common one.
static void trade_reserved(size_t thread)
{
    give_back(held[0]);
    (void)take_common(thread);
}

static void begin_two(void)
{
    begin_with(2U, 0U, 0U);
}

static void begin_one(void)
{
    begin_with(1U, 0U, 0U);
}

static void begin_three(void)
{
    begin_busy(3U, 0U, 0U);
}

static void begin_two_held(void)
{
    begin_busy(3U, 0U, 2U);
}

// The first one held is a reserved one, which who takes a common one does not get.
static void begin_three_reserved_held(void)
{
    begin_busy(3U, 1U, 2U);
}

static void begin_reserved(void)
{
    begin_busy(2U, 1U, 0U);
}

static void begin_reserved_held(void)
{
    begin_busy(2U, 1U, 1U);
}

static const explorer_scene_t scenes[] = {
    {"the same block on top again", 2U, begin_three, {take_one, swap_second}, is_good, ALL},
    {"a pair each, two blocks", 2U, begin_two, {pair, pair}, is_good, ALL},
    {"both raise the peak", 2U, begin_two, {take_one, take_one}, is_good, ALL},
    {"a pair each, one block", 2U, begin_one, {pair, pair}, is_good, ALL},
    {"both free one block",
     2U,
     begin_two_held,
     {free_first_held, free_first_held},
     is_good_with_one_fault,
     ALL},
    {"one frees, one takes", 2U, begin_two_held, {free_second_held, two_pairs}, is_good, ALL},
    {"the reserved one, or any", 2U, begin_reserved, {pair_any, pair_any}, is_good, ALL},
    {"the reserved one comes back",
     2U,
     begin_reserved_held,
     {take_one, trade_reserved},
     is_good,
     ALL},
    {"any, while one comes back and one goes",
     2U,
     begin_reserved_held,
     {pair_any, trade_reserved},
     is_good,
     ALL},
    {"two of three free one block",
     3U,
     begin_three_reserved_held,
     {free_first_held, free_first_held, free_second_held_and_take},
     is_good_with_one_fault,
     OF_THREE},
    {"three with a pair each", 3U, begin_two, {pair, pair, pair}, is_good, OF_THREE},
    {"three, and the same block on top again",
     3U,
     begin_three,
     {take_one, swap_second, pair},
     is_good,
     OF_THREE},
    {"three and a reserved one",
     3U,
     begin_reserved_held,
     {pair_any, trade_reserved, pair},
     is_good,
     OF_THREE},
};

// ---- Running them

static void test_every_schedule_of_two_and_three_threads_is_good(void)
{
    schedules_run();
}

static void test_a_pool_without_a_tag_is_found_out(void)
{
    EXPECT(
        schedules_find((explorer_seeds_t){.tagless = {&pool.common, &pool.reserved}, .index = 3U}));
}

static void test_a_replace_in_two_steps_is_found_out(void)
{
    EXPECT(schedules_find((explorer_seeds_t){.is_torn = true}));
}

int main(int count, char **arguments)
{
    schedules_init(scenes, sizeof scenes / sizeof scenes[0], count, arguments);
    RUN(test_a_pool_without_a_tag_is_found_out);
    RUN(test_a_replace_in_two_steps_is_found_out);
    RUN(test_every_schedule_of_two_and_three_threads_is_good);
    return schedules_finish("atomic_pool.schedules");
}
