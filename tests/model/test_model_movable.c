// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The store of movable blocks against a model of it. The model knows which blocks are held, how often
// each is pinned and what is in them; what is free it reads from walk(), after making sure that walk()
// agrees with that. From it follows whether a request must succeed, and every counter. All of it after
// every call; contents of all blocks now and then, and always of the one that a call was about.

#include "mete/alloc/movable.h"
#include "tests/support/paint.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#ifdef __ARM_ARCH_6M__
enum { MEMORY_SIZE = 2048, SLOT_COUNT = 32, STEP_COUNT = 1500 };
#elif defined(__arm__) || defined(__riscv)
enum { MEMORY_SIZE = 8192, SLOT_COUNT = 64, STEP_COUNT = 3000 };
#else
enum { MEMORY_SIZE = 8192, SLOT_COUNT = 64, STEP_COUNT = 40000 };
#endif
enum { BLOCK_COUNT = SLOT_COUNT - 2, SEEN_MAX = 2 * SLOT_COUNT + 2 };

static unsigned char memory[MEMORY_SIZE + 16] __attribute__((aligned(8)));
static mete_movable_slot_t slots[SLOT_COUNT];
static mete_movable_config_t config;
static mete_movable_t store;
static uint32_t random_state;

typedef struct held {
    mete_movable_handle_t handle;  // None: nothing is held here.
    size_t size;
    size_t pins;
    unsigned char *address;  // While it is pinned.
    uint8_t seed;
} held_t;

static held_t all[BLOCK_COUNT];
static mete_movable_handle_t stale[16];  // Handles of blocks that were freed.
static size_t refusals;
static size_t peak;
static size_t pin_share;  // Of 100 choices: to pin.

static uint32_t pick(uint32_t limit)
{
    return random_below(&random_state, limit);
}

static size_t rounded(size_t size)
{
    return (size + 7U) / 8U * 8U;
}

// ---- Contents

static void paint(held_t *held)
{
    unsigned char *const bytes = mete_movable_pin(&store, held->handle);
    held->seed = paint_next(held->seed);
    paint_bytes(bytes, held->size, held->seed);
    mete_movable_unpin(&store, held->handle);
}

// The first `size` bytes are those painted. Looking does not finish a move: the address is from walk().
static bool is_painted(const held_t *held, const unsigned char *bytes, size_t size)
{
    return paint_is_whole(bytes, size, held->seed);
}

// ---- What the store shows

static mete_movable_block_t seen[SEEN_MAX];
static size_t seen_count;

static bool see(void *self, const mete_movable_block_t *block)
{
    (void)self;
    if (!EXPECT(seen_count < SEEN_MAX)) {
        return false;
    }
    const unsigned char *const end =
        (seen_count != 0U)
            ? (unsigned char *)seen[seen_count - 1U].block + seen[seen_count - 1U].size
            : memory + ((8U - ((uintptr_t)config.storage.start % 8U)) % 8U) +
                  ((unsigned char *)config.storage.start - memory);
    EXPECT(block->block == end);  // Neither a hole nor an overlap.
    EXPECT((block->size != 0U) && (block->size % 8U == 0U));
    seen[seen_count] = *block;
    seen_count++;
    return true;
}

static const mete_movable_block_t *find_seen(mete_movable_handle_t handle)
{
    for (size_t i = 0U; i < seen_count; i++) {
        if (seen[i].is_live && (seen[i].handle.value == handle.value)) {
            return &seen[i];
        }
    }
    return NULL;
}

typedef struct sums {
    uint64_t squares;
    size_t free, gap_count, live, live_count, largest, reserved, pinned_count;
} sums_t;

static sums_t sums_of_seen(void)
{
    sums_t sums = {0};
    for (size_t i = 0U; i < seen_count; i++) {
        const size_t size = seen[i].size;
        if (seen[i].is_live) {
            sums.live += size;
            sums.live_count++;
            sums.pinned_count += seen[i].is_pinned ? 1U : 0U;
        } else if (seen[i].is_moving) {
            sums.reserved += size;
        } else {
            sums.free += size;
            sums.squares += (uint64_t)(size / 8U) * (size / 8U);
            sums.gap_count++;
            sums.largest = (size > sums.largest) ? size : sums.largest;
        }
    }
    return sums;
}

static void expect_counters(void)
{
    const sums_t sums = sums_of_seen();
    const mete_movable_usage_t usage = mete_movable_usage(&store);
    EXPECT(usage.total_size == sums.live + sums.free + sums.reserved);
    EXPECT((usage.in_use_size == sums.live) && (usage.free_size == sums.free));
    EXPECT((usage.block_count == sums.live_count) && (usage.gap_count == sums.gap_count));
    EXPECT(usage.spare_count + usage.retired_count == BLOCK_COUNT - sums.live_count);
    EXPECT(usage.refusals == refusals);
    peak = (sums.live > peak) ? sums.live : peak;
    EXPECT(usage.in_use_peak == peak);
    const mete_frag_t frag = mete_frag_of(sums.free / 8U, sums.squares);
    EXPECT((usage.frag.low_permille == frag.low_permille) &&
           (usage.frag.high_permille == frag.high_permille));
}

static void expect_blocks(bool looks_inside)
{
    size_t count = 0U;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        const held_t *const held = &all[i];
        if (held->handle.value == 0U) {
            continue;
        }
        count++;
        const mete_movable_block_t *const block = find_seen(held->handle);
        if (EXPECT(block != NULL)) {
            EXPECT(block->size == rounded(held->size));
            EXPECT(block->is_pinned == (held->pins != 0U));
            EXPECT((held->pins == 0U) || (block->block == held->address));
            // What is being moved is in two places.
            EXPECT(!looks_inside || block->is_moving || is_painted(held, block->block, held->size));
        }
    }
    EXPECT(sums_of_seen().live_count == count);
}

static void settle(void)
{
    EXPECT(tap_take_fault() == 0);
    EXPECT(mete_movable_check(&store));
    seen_count = 0U;
    EXPECT(mete_movable_walk(&store, see, NULL));
    expect_counters();
    expect_blocks(pick(16U) == 0U);
}

// ---- The calls, each with what must come of it

static size_t random_size(void)
{
    const uint32_t kind = pick(100U);
    if (kind < 70U) {
        return 1U + pick(96U);
    }
    if (kind < 95U) {
        return 1U + pick(MEMORY_SIZE / 8U);
    }
    return (kind < 99U) ? 1U + pick(MEMORY_SIZE + 64U) : SIZE_MAX - pick(64U);
}

// `more` bytes are wanted, or a block of `size` elsewhere. With unlimited compaction and no pins what
// counts is how much is free in all; else there must be a gap.
static bool must_succeed(size_t more, size_t size)
{
    const sums_t sums = sums_of_seen();
    const size_t free = sums.free + sums.reserved;
    return ((config.failure_size == SIZE_MAX) && (sums.pinned_count == 0U) && (more <= free)) ||
           (size <= sums.largest);
}

static bool must_fail(size_t more)
{
    const sums_t sums = sums_of_seen();
    return more > sums.free + sums.reserved;
}

static void do_alloc(held_t *held)
{
    const size_t size = random_size();
    const size_t need = (size > MEMORY_SIZE + 64U) ? SIZE_MAX : rounded(size);
    const bool must = must_succeed(need, need);
    const bool must_not = must_fail(need);
    held->handle = mete_movable_alloc(&store, size);
    EXPECT(!must || (held->handle.value != 0U));
    EXPECT(!must_not || (held->handle.value == 0U));
    held->size = size;
    held->pins = 0U;
    refusals += (held->handle.value == 0U) ? 1U : 0U;
    if (held->handle.value != 0U) {
        for (size_t i = 0U; i < BLOCK_COUNT; i++) {
            EXPECT((&all[i] == held) || (all[i].handle.value != held->handle.value));
        }
        paint(held);
    }
}

static void do_free(held_t *held)
{
    mete_movable_free(&store, held->handle);
    if (held->pins != 0U) {
        EXPECT(tap_take_fault() == METE_FAULT_ORDER);
        return;
    }
    stale[pick(16U)] = held->handle;
    held->handle = METE_MOVABLE_NONE;
}

static void do_resize(held_t *held)
{
    const size_t size = random_size();
    const size_t old = rounded(held->size);
    const size_t need = (size > MEMORY_SIZE + 64U) ? SIZE_MAX : rounded(size);
    const size_t more = (need > old) ? need - old : 0U;
    const bool must = (more == 0U) || ((held->pins == 0U) && must_succeed(more, need));
    const bool must_not = (more != 0U) && must_fail(more);
    const bool is_done = mete_movable_resize(&store, held->handle, size);
    EXPECT(!must || is_done);
    EXPECT(!must_not || !is_done);
    refusals += is_done ? 0U : 1U;
    const size_t kept = (size < held->size) ? size : held->size;
    unsigned char *const bytes = mete_movable_pin(&store, held->handle);
    EXPECT(is_painted(held, bytes, is_done ? kept : held->size));
    EXPECT((held->pins == 0U) || (bytes == held->address));
    mete_movable_unpin(&store, held->handle);
    if (is_done) {
        held->size = size;
        paint(held);
    }
}

static void do_pin(held_t *held)
{
    unsigned char *const bytes = mete_movable_pin(&store, held->handle);
    EXPECT((held->pins == 0U) || (bytes == held->address));
    EXPECT(mete_movable_address(&store, held->handle) == bytes);
    EXPECT(is_painted(held, bytes, held->size));
    held->address = bytes;
    held->pins++;
}

static void do_unpin(held_t *held)
{
    mete_movable_unpin(&store, held->handle);
    EXPECT(tap_take_fault() == ((held->pins != 0U) ? 0 : METE_FAULT_ORDER));
    held->pins -= (held->pins != 0U) ? 1U : 0U;
}

static void do_compact(void)
{
    const size_t step = (pick(8U) == 0U) ? SIZE_MAX : pick(200U);
    const size_t before = store.moved_total;
    const size_t left = mete_movable_compact(&store, step);
    EXPECT(store.moved_total - before <= step);
    if (left == 0U) {
        const size_t moved = store.moved_total;
        EXPECT((mete_movable_compact(&store, SIZE_MAX) == 0U) && (store.moved_total == moved));
        seen_count = 0U;
        (void)mete_movable_walk(&store, see, NULL);
        const sums_t sums = sums_of_seen();
        EXPECT((sums.pinned_count != 0U) || (sums.gap_count <= 1U));
    }
}

static void expect_stale_is_refused(void)
{
    const mete_movable_handle_t handle = stale[pick(16U)];
    if (handle.value == 0U) {
        return;
    }
    EXPECT(!mete_movable_has(&store, handle) && (tap_take_fault() == 0));
    EXPECT(mete_movable_pin(&store, handle) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    mete_movable_unpin(&store, handle);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    mete_movable_free(&store, handle);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(!mete_movable_resize(&store, handle, 8U));
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(mete_movable_size_of(&store, handle) == 0U);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
}

static void do_something(void)
{
    held_t *const held = &all[pick(BLOCK_COUNT)];
    const uint32_t choice = pick(100U);
    if (held->handle.value == 0U) {
        do_alloc(held);
    } else if (choice < 35U) {
        do_free(held);
    } else if (choice < 60U) {
        do_resize(held);
    } else if (choice < 60U + pin_share) {
        do_pin(held);
    } else if (choice < 60U + (3U * pin_share)) {
        do_unpin(held);
    } else if (choice < 97U) {
        do_compact();
    } else {
        expect_stale_is_refused();
    }
}

static void begin(size_t failure_size, size_t offset)
{
    config = (mete_movable_config_t){0};
    config.storage = (mete_span_t){memory + offset, MEMORY_SIZE};
    config.slots = slots;
    config.slot_count = SLOT_COUNT;
    config.failure_size = failure_size;
    random_state = 0x9E3779B9U;
    refusals = 0U;
    peak = 0U;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        all[i].handle = METE_MOVABLE_NONE;
    }
    for (size_t i = 0U; i < 16U; i++) {
        stale[i] = METE_MOVABLE_NONE;
    }
    EXPECT(mete_movable_init(&store, &config));
    settle();
}

static void work(void)
{
    for (size_t step = 0U; step < STEP_COUNT; step++) {
        do_something();
        settle();
    }
    EXPECT(refusals != 0U);
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        while (all[i].pins != 0U) {
            do_unpin(&all[i]);
        }
        mete_movable_free(&store, all[i].handle);
        all[i].handle = METE_MOVABLE_NONE;
        all[i].pins = 0U;
    }
    settle();
    EXPECT((store.gap_count == 1U) && (store.block_count == 0U));
}

static void test_without_pins_whatever_is_free_can_be_had(void)
{
    begin(SIZE_MAX, 0U);
    pin_share = 0U;
    work();
}

static void test_with_pins_it_agrees_with_the_model(void)
{
    begin(SIZE_MAX, 3U);
    pin_share = 6U;
    work();
}

static void test_without_compaction_it_agrees_with_the_model(void)
{
    begin(0U, 7U);
    pin_share = 2U;
    work();
}

static void test_with_little_compaction_it_agrees_with_the_model(void)
{
    begin(100U, 0U);
    pin_share = 3U;
    work();
}

static void test_with_automatic_steps_it_agrees_with_the_model(void)
{
    begin(SIZE_MAX, 0U);
    config.step_size = 40U;
    config.threshold_permille = 100U;
    config.call_interval = 5U;
    pin_share = 4U;
    work();
}

int main(void)
{
    RUN(test_without_pins_whatever_is_free_can_be_had);
    RUN(test_with_pins_it_agrees_with_the_model);
    RUN(test_without_compaction_it_agrees_with_the_model);
    RUN(test_with_little_compaction_it_agrees_with_the_model);
    RUN(test_with_automatic_steps_it_agrees_with_the_model);
    return tap_finish();
}
