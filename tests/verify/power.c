// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A recorded program, plain text on standard input, in eight simulated banks of RAM that sleep whenever they are empty:
// pages that nobody may touch then, and whose contents are garbage afterwards. 200 times on its way the program idles.
//
// Before it idles, live blocks are moved to the fewest banks; counted is how often that is as few as their bytes
// need. Some of these evacuations are followed step by step: at every step a copy of the process lets the banks that are empty by then
// lose power, and looks at all blocks. And the energy is compared with that of the same store without evacuation, where
// only banks that happen to be empty sleep deeply while the program idles, and the others keep their contents.
//
// Time goes on while blocks are moved, with all that is awake then, and the processor takes energy for it. What the questions of a plan
// take, O(blocks) each, is not counted: with thousands of blocks that is more than the moves.
// Banks are emptied before every idle time, however short: a program that moves many small blocks may lose by it. All programs
// together must save: bench/targets.tsv says how much.
//
//     zstd -dc FILE | power      prints: # power: MOMENTS; MINIMAL; STEPS; LOST; NANOJOULES WITHOUT; WITH; ALL ON

#include "mete/alloc/movable.h"
#include "mete/power/evacuation.h"
#include "port/board/simulated_ram.h"
#include "port/os/posix_mprotect.h"
#include "tests/support/paint.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tools/lib/trace.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BANKS = 8,
    PAGE = 4096,
    SLOTS = 65536,
    MOMENTS = 200,
    CUT_EVERY = 4,  // Of the moments: one is followed step by step.
    STEP = 512,     // Bytes.
    OP_US = 20,     // Time of a request.
};

// What moving takes: a processor of 32 MHz that copies a word in two and a half cycles, and runs some 60 instructions for each
// block and 160 for each step besides. Meanwhile it takes 25 mW; the banks, what they take in the state they are in.
enum { MOVE_NS_PER_KIB = 20000, MOVE_NS_PER_BLOCK = 2000, STEP_NS = 5000, NJ_PER_US = 25 };

// Numbers as data sheets have them for banks of 32 KiB: the energies are all that matters here.
static const mete_bank_kind_t kind = {
    .modes = {{300U, true}, {0U, false}, {12U, true}, {0U, false}},
    .changes = {{{0U, 0U, false}, {0U, 0U, false}, {2U, 20U, true}, {2U, 20U, true}},
                {{0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{5U, 100U, true}, {0U, 0U, false}, {0U, 0U, false}, {2U, 20U, true}},
                {{20U, 300U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};

static trace_t trace;
static size_t bank_size;
static unsigned char *arena;
static mete_posix_mprotect_t unit;
static mete_simulated_ram_t simulated;
static mete_bank_place_t places[BANKS];
static mete_bank_record_t records[BANKS];
static mete_bank_t bank;
static mete_movable_slot_t slots[SLOTS];
static mete_movable_t store;
static mete_evacuation_load_t loads[BANKS];
static mete_span_t order[METE_EVACUATION_ORDER_COUNT(BANKS)];
static mete_evacuation_t evacuation;
static uint32_t now_us;

typedef struct object {
    mete_movable_handle_t handle;
    size_t size;
    uint8_t seed;
} object_t;

static object_t *objects;
static size_t moment_count, minimal_count, step_count, lost_count, refused_count;

static uint32_t read_clock(void)
{
    return now_us;
}

// ---- The time of moves

static uint64_t moving_us;   // In all,
static uint32_t rest_ns;     // and what is no whole microsecond yet.
static size_t moved_before;  // Bytes whose time has passed.

// Where a block was when it was looked at last.
typedef struct seen {
    mete_movable_handle_t handle;
    const void *place;
} seen_t;

static seen_t seen_blocks[SLOTS];  // By the slot that the handle names.

static void pass(uint64_t time_ns)
{
    const uint64_t sum_ns = rest_ns + time_ns;
    rest_ns = (uint32_t)(sum_ns % 1000U);
    moving_us += sum_ns / 1000U;
    now_us += (uint32_t)(sum_ns / 1000U);
}

// The bytes that were moved since the last time.
static void pass_for_bytes(void)
{
    pass((uint64_t)(store.moved_total - moved_before) * MOVE_NS_PER_KIB / 1024U);
    moved_before = store.moved_total;
}

static void see(mete_movable_handle_t handle, const void *block)
{
    seen_blocks[handle.value % (2U * SLOTS) / 2U] = (seen_t){handle, block};
}

static bool see_block(void *self, const mete_movable_block_t *block)
{
    (void)self;
    if (block->is_live) {
        const seen_t *const seen = &seen_blocks[block->handle.value % (2U * SLOTS) / 2U];
        const bool is_moved =
            (seen->handle.value == block->handle.value) && (seen->place != block->block);
        pass(is_moved ? MOVE_NS_PER_BLOCK : 0U);
        see(block->handle, block->block);
    }
    return true;
}

// The blocks that are not where they were the last time.
static void pass_for_blocks(void)
{
    (void)mete_movable_walk(&store, see_block, NULL);
}

// ---- The store in its banks

static bool wake_more(void *self, size_t size)
{
    return mete_evacuation_wake(self, size);
}

static void set_up(bool evacuates)
{
    static mete_bank_config_t bank_config;
    static mete_movable_config_t store_config;
    static mete_evacuation_config_t config;
    moving_us = 0U;
    rest_ns = 0U;
    moved_before = 0U;
    const mete_mpu_t mpu = mete_posix_mprotect_init(&unit, (mete_span_t){arena, BANKS * bank_size});
    for (size_t i = 0U; i < BANKS; i++) {
        places[i] = (mete_bank_place_t){{arena + i * bank_size, bank_size}, &kind};
    }
    bank_config = (mete_bank_config_t){.places = places,
                                       .records = records,
                                       .bank_count = BANKS,
                                       .ram = mete_simulated_ram_init(&simulated, mpu),
                                       .clock = read_clock,
                                       .tick_us = 1U};
    store_config = (mete_movable_config_t){.storage = {arena, BANKS * bank_size},
                                           .slots = slots,
                                           .slot_count = SLOTS,
                                           .failure_size = SIZE_MAX,
                                           .on_refusal = evacuates ? wake_more : NULL,
                                           .on_refusal_self = &evacuation};
    config = (mete_evacuation_config_t){.bank = &bank,
                                        .mover = mete_movable_as_mover(&store),
                                        .loads = loads,
                                        .order = order,
                                        .step_size = STEP,
                                        .state = METE_RAM_DEEP_SLEEP,
                                        .move_us_per_kib = 20U,
                                        .step_us = 5U};
    EXPECT(mete_bank_init(&bank, &bank_config) && mete_movable_init(&store, &store_config));
    EXPECT(!evacuates || mete_evacuation_init(&evacuation, &config));
    for (size_t i = 0U; i < trace.id_count; i++) {
        objects[i] = (object_t){.size = 0U};
    }
}

static bool is_whole(const object_t *object)
{
    const void *const block = mete_movable_pin(&store, object->handle);
    const bool is_good = paint_is_whole(block, object->size, object->seed);
    mete_movable_unpin(&store, object->handle);
    return is_good;
}

static void paint(object_t *object, size_t size)
{
    object->size = size;
    object->seed = paint_next(object->seed);
    void *const block = mete_movable_pin(&store, object->handle);
    paint_bytes(block, size, object->seed);
    see(object->handle, block);
    mete_movable_unpin(&store, object->handle);
}

static void request(const trace_op_t *op)
{
    object_t *const object = &objects[op->id];
    const size_t size = (op->size != 0U) ? op->size : 1U;
    if ((op->kind != TRACE_ACQUIRE) && (object->handle.value != 0U)) {
        lost_count += is_whole(object) ? 0U : 1U;
    }
    if (op->kind == TRACE_ACQUIRE) {
        object->handle = mete_movable_alloc(&store, size);
    } else if (op->kind == TRACE_RELEASE) {
        mete_movable_free(&store, object->handle);
        object->handle = METE_MOVABLE_NONE;
        return;
    } else if (!mete_movable_resize(&store, object->handle, size)) {
        refused_count++;
        return;
    }
    if (object->handle.value != 0U) {
        paint(object, size);
    } else {
        refused_count++;
    }
}

static size_t count_lost(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < trace.id_count; i++) {
        count += ((objects[i].handle.value != 0U) && !is_whole(&objects[i])) ? 1U : 0U;
    }
    return count;
}

// ---- Power cuts

// What would be lost now: tried by a copy of the process, which ends there. A touch of a bank that sleeps ends it, too.
static void cut_power(void)
{
    const pid_t child = fork();
    if (child == 0) {
        (void)mete_evacuation_sleep(&evacuation);
        mete_evacuation_stop(&evacuation);
        const bool is_sound = mete_movable_check(&store) && mete_evacuation_check(&evacuation);
        _exit((is_sound && (count_lost() == 0U)) ? 0 : 1);
    }
    int status = 0;
    EXPECT((child > 0) && (waitpid(child, &status, 0) == child));
    step_count++;
    lost_count += (status != 0) ? 1U : 0U;
}

// ---- Moments at which the program idles

static void evacuate(bool is_followed)
{
    mete_evacuation_plan_t plan;
    mete_evacuation_plan_fewest(&evacuation, &plan);
    mete_evacuation_commit(&evacuation, &plan);
    bool is_over;
    do {
        if (is_followed) {
            cut_power();
        }
        is_over = !mete_evacuation_move_next(&evacuation);
        pass(STEP_NS);
        pass_for_bytes();
    } while (!is_over);
    if (is_followed) {
        cut_power();
    }
    pass_for_blocks();
    (void)mete_evacuation_sleep(&evacuation);
    const size_t live = mete_movable_usage(&store).in_use_size;
    const size_t awake = (size_t)__builtin_popcount(mete_bank_awake_set(&bank));
    moment_count++;
    minimal_count += (awake == (live + bank_size - 1U) / bank_size) ? 1U : 0U;
}

// 1 ms to 4 s, short ones as often as long ones. What was awake keeps its contents, unless there are none.
static void idle(uint32_t *random)
{
    const uint32_t awake = mete_bank_awake_set(&bank);
    for (size_t i = 0U; i < BANKS; i++) {
        if (((awake >> i) & 1U) != 0U) {
            const bool is_empty = mete_movable_live_size(&store, places[i].span) == 0U;
            (void)mete_bank_sleep(&bank, i, is_empty ? METE_RAM_DEEP_SLEEP : METE_RAM_SLEEP);
        }
    }
    now_us += 1000U << random_below(random, 13U);
    for (size_t i = 0U; i < BANKS; i++) {
        if (((awake >> i) & 1U) != 0U) {
            (void)mete_bank_wake(&bank, i);
        }
    }
}

// Replays all of it. Returns the energy in nanojoules.
static uint64_t replay(bool evacuates, uint64_t *all_on_nj)
{
    set_up(evacuates);
    uint32_t random = 1U;
    size_t moment = 0U;
    for (size_t i = 0U; i < trace.op_count; i++) {
        request(&trace.ops[i]);
        if (store.moved_total != moved_before) {  // To make room, or to grow.
            pass_for_bytes();
            pass_for_blocks();
        }
        now_us += OP_US;
        if ((i + 1U) * MOMENTS / trace.op_count > moment) {
            moment++;
            if (evacuates) {
                evacuate(moment % CUT_EVERY == 0U);
            }
            idle(&random);
            if (evacuates) {
                mete_evacuation_prefer(&evacuation);
            }
        }
    }
    EXPECT(mete_movable_check(&store) && mete_bank_check(&bank) && (tap_take_fault() == 0));
    lost_count += count_lost();
    mete_bank_usage_t usage;
    (void)mete_bank_read_total(&bank, &usage);
    *all_on_nj = usage.all_on_nj;
    mete_mpu_disable((mete_mpu_t){simulated.mpu.ops, simulated.mpu.self});
    return usage.energy_nj + moving_us * NJ_PER_US;
}

static uint64_t without_nj, with_nj, all_on_nj;

static void test_without_evacuation_all_is_whole_and_banks_that_are_empty_sleep(void)
{
    without_nj = replay(false, &all_on_nj);
    EXPECT((lost_count == 0U) && (refused_count == 0U));
}

static void test_evacuation_loses_nothing_and_leaves_the_fewest_banks_awake(void)
{
    with_nj = replay(true, &all_on_nj);
    EXPECT((moment_count == MOMENTS) && (step_count > 0U));
    EXPECT((lost_count == 0U) && (refused_count == 0U));
    EXPECT(minimal_count * 100U >= moment_count * 95U);
}

int main(void)
{
    trace_error_t error;
    if (!trace_read(&trace, stdin, &error)) {
        fprintf(stderr, "stdin:%zu: %s\n", error.line, error.text);
        return 1;
    }
    // An eighth more than what lives at most, for what rounding up to 8 bytes takes.
    bank_size = ((size_t)(trace.live_size_peak * 9U / 8U / BANKS) / PAGE + 2U) * PAGE;
    objects = calloc(trace.id_count, sizeof *objects);
    if ((objects == NULL) || (posix_memalign((void **)&arena, PAGE, BANKS * bank_size) != 0)) {
        return 1;
    }
    RUN(test_without_evacuation_all_is_whole_and_banks_that_are_empty_sleep);
    RUN(test_evacuation_loses_nothing_and_leaves_the_fewest_banks_awake);
    printf("# power: %zu; %zu; %zu; %zu; %llu; %llu; %llu\n", moment_count, minimal_count,
           step_count, lost_count, (unsigned long long)without_nj, (unsigned long long)with_nj,
           (unsigned long long)all_on_nj);
    free(arena);
    free(objects);
    trace_free(&trace);
    return tap_finish();
}
