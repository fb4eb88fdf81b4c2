// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The buddy against a model of it. The model is a map of the blocks, a number for each smallest one: who
// holds it, or nobody. A block of 2^k lies at a multiple of 2^k, and all free memory that can be one block
// is one: so the map alone says which free blocks there are, where a request must be served, or that it
// must be refused, and whether a block can be resized. After every call the map and what walk() shows are
// the same.

#include "mete/alloc/buddy.h"
#include "tests/support/paint.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#ifdef __ARM_ARCH_6M__
enum { COUNT_MAX = 100, SLOT_COUNT = 30, STEP_COUNT = 1500 };
#elif defined(__arm__) || defined(__riscv)
enum { COUNT_MAX = 256, SLOT_COUNT = 80, STEP_COUNT = 3000 };
#else
enum { COUNT_MAX = 256, SLOT_COUNT = 80, STEP_COUNT = 20000 };
#endif
enum { BLOCK_SIZE = 8, FREE = 0 };

static _Alignas(64) unsigned char blocks[COUNT_MAX][BLOCK_SIZE];
static uint8_t table[METE_BUDDY_TABLE_SIZE(COUNT_MAX)];

// ---- The model. A block in slot s is number s + 1.

typedef struct slot {
    unsigned char *block;  // NULL: free slot.
    size_t size, count;    // Bytes asked for; smallest blocks it has.
    uint8_t seed;
} slot_t;

static slot_t slots[SLOT_COUNT];
static uint8_t map[COUNT_MAX];
static size_t block_count;
static mete_buddy_config_t config;
static mete_buddy_t buddy;
static size_t in_use, in_use_peak, refusals;
static uint32_t random_state;

static uint32_t pick(uint32_t limit)
{
    return random_below(&random_state, limit);
}

// Smallest blocks for so many bytes: a power of two. More than there are for sizes that cannot be had.
static size_t count_for(size_t size)
{
    size_t count = 1U;
    while ((count <= (size_t)COUNT_MAX) && (count * BLOCK_SIZE < size)) {
        count *= 2U;
    }
    return (size != 0U) ? count : 2U * COUNT_MAX;
}

// All of these are free, and there are so many.
static bool is_free(size_t start, size_t count)
{
    size_t i = start;
    while ((i < start + count) && (i < block_count) && (map[i] == FREE)) {
        i++;
    }
    return i == start + count;
}

// The first place where a request must be served, or block_count.
static size_t place_for(size_t count)
{
    size_t start = 0U;
    while ((start < block_count) && !is_free(start, count)) {
        start += count;
    }
    return (start < block_count) ? start : block_count;
}

// The size of the free block that a free place begins: as large as its place and its neighbours allow.
static size_t free_count_at(size_t start)
{
    size_t count = 1U;
    while ((start % (2U * count) == 0U) && is_free(start, 2U * count)) {
        count *= 2U;
    }
    return count;
}

static size_t index_of(const slot_t *slot)
{
    return (size_t)(slot->block - blocks[0]) / BLOCK_SIZE;
}

static void write_map(const slot_t *slot, uint8_t number)
{
    for (size_t i = 0U; i < slot->count; i++) {
        map[index_of(slot) + i] = number;
    }
}

static uint8_t number_of(const slot_t *slot)
{
    return (uint8_t)(slot - slots + 1);
}

static void note_in_use(size_t count)
{
    in_use = count;
    in_use_peak = (in_use > in_use_peak) ? in_use : in_use_peak;
}

// ---- Contents

static void paint(slot_t *slot)
{
    slot->seed = paint_next(slot->seed);
    paint_bytes(slot->block, slot->size, slot->seed);
}

static bool is_painted(const slot_t *slot, size_t size)
{
    return paint_is_whole(slot->block, size, slot->seed);
}

// ---- What the buddy shows

typedef struct seen {
    size_t index, largest_free;
} seen_t;

static bool see(void *self, const mete_buddy_block_t *shown)
{
    seen_t *const seen = (seen_t *)self;
    const size_t count = shown->size / BLOCK_SIZE;
    if (!EXPECT((shown->block == blocks[seen->index]) && (seen->index + count <= block_count))) {
        return false;
    }
    const uint8_t number = map[seen->index];
    EXPECT(shown->is_live == (number != FREE));
    if (shown->is_live) {
        EXPECT((slots[number - 1U].block == shown->block) && (slots[number - 1U].count == count));
        EXPECT(mete_buddy_size_of(&buddy, shown->block) == shown->size);
    } else {
        EXPECT(free_count_at(seen->index) == count);
        seen->largest_free = (count > seen->largest_free) ? count : seen->largest_free;
    }
    seen->index += count;
    return true;
}

// After every call: nothing was reported, and all views agree.
static void settle(void)
{
    seen_t seen = {0U, 0U};
    EXPECT(tap_take_fault() == 0);
    EXPECT(mete_buddy_walk(&buddy, see, &seen) && (seen.index == block_count));
    const mete_buddy_usage_t usage = mete_buddy_usage(&buddy);
    EXPECT(usage.total_size == block_count * BLOCK_SIZE);
    EXPECT(usage.in_use_size == in_use * BLOCK_SIZE);
    EXPECT(usage.in_use_peak == in_use_peak * BLOCK_SIZE);
    EXPECT(usage.largest_free_size == seen.largest_free * BLOCK_SIZE);
    EXPECT(usage.refusals == refusals);
}

// ---- The calls, each with what must come of it

static size_t random_size(void)
{
    const uint32_t kind = pick(100U);
    if (kind < 70U) {
        return 1U + pick(4U * BLOCK_SIZE);
    }
    if (kind < 96U) {
        return 1U + pick(sizeof blocks / 8U);
    }
    return (kind < 99U) ? pick(sizeof blocks + 100U) : SIZE_MAX - pick(64U);
}

static void do_alloc(slot_t *slot)
{
    const size_t size = random_size();
    const size_t align = (pick(4U) == 0U) ? (size_t)1U << pick(8U) : 1U;
    const size_t count = count_for(((size != 0U) && (size < align)) ? align : size);
    const bool can_align = mete_align_fits((uintptr_t)blocks, align);
    const size_t place = can_align ? place_for(count) : block_count;
    unsigned char *const block = (align == 1U) ? mete_buddy_alloc(&buddy, size)
                                               : mete_buddy_alloc_aligned(&buddy, size, align);
    EXPECT(block == ((place < block_count) ? blocks[place] : NULL));
    if (block == NULL) {
        refusals++;
        return;
    }
    EXPECT(mete_align_fits((uintptr_t)block, align));
    *slot = (slot_t){block, size, count, slot->seed};
    write_map(slot, number_of(slot));
    note_in_use(in_use + count);
    paint(slot);
}

static void do_free(slot_t *slot)
{
    unsigned char *const block = slot->block;
    EXPECT(is_painted(slot, slot->size));
    mete_buddy_free(&buddy, block);
    write_map(slot, FREE);
    note_in_use(in_use - slot->count);
    slot->block = NULL;
    if (pick(16U) == 0U) {
        settle();
        mete_buddy_free(&buddy, block);
        EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    }
}

static bool can_resize(const slot_t *slot, size_t count)
{
    return (count <= slot->count) || ((count <= block_count) && (index_of(slot) % count == 0U) &&
                                      is_free(index_of(slot) + slot->count, count - slot->count));
}

static void do_resize(slot_t *slot)
{
    const size_t size = random_size();
    const size_t count = count_for(size);
    const bool is_possible = can_resize(slot, count);
    EXPECT(mete_buddy_resize(&buddy, slot->block, size) == is_possible);
    EXPECT(is_painted(slot, (is_possible && (size < slot->size)) ? size : slot->size));
    if (is_possible) {
        write_map(slot, FREE);
        note_in_use(in_use + count - slot->count);
        slot->size = size;
        slot->count = count;
        write_map(slot, number_of(slot));
        paint(slot);
    }
}

static void misuse(void)
{
    const size_t offset = pick(sizeof blocks);
    const size_t i = offset / BLOCK_SIZE;
    const uint8_t number = (i < block_count) ? map[i] : (uint8_t)FREE;
    unsigned char *const address = (unsigned char *)blocks + offset;
    if ((number == FREE) || (slots[number - 1U].block != address)) {
        const bool is_double = (i < block_count) && (number == FREE);
        mete_buddy_free(&buddy, address);
        EXPECT(tap_take_fault() == (is_double ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN));
    }
}

static void step(void)
{
    slot_t *const slot = &slots[pick(SLOT_COUNT)];
    if (slot->block == NULL) {
        do_alloc(slot);
    } else if (pick(8U) < 5U) {
        do_free(slot);
    } else {
        do_resize(slot);
    }
    if (pick(4U) == 0U) {
        misuse();
    }
    settle();
}

// ---- Runs

static void run(size_t count, uint32_t seed, size_t step_count)
{
    random_state = seed;
    block_count = count;
    config = (mete_buddy_config_t){blocks, table, BLOCK_SIZE, count};
    EXPECT(mete_buddy_init(&buddy, &config));
    for (size_t i = 0U; i < COUNT_MAX; i++) {
        map[i] = FREE;
    }
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        slots[i].block = NULL;
    }
    in_use = in_use_peak = refusals = 0U;
    settle();
    for (size_t i = 0U; i < step_count; i++) {
        step();
    }
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        if (slots[i].block != NULL) {
            do_free(&slots[i]);
            settle();
        }
    }
    EXPECT(in_use == 0U);
}

static void test_a_power_of_two_agrees_with_the_model(void)
{
    run(64U, 0x1234567U, STEP_COUNT);
}

static void test_as_many_as_there_are_agree_with_the_model(void)
{
    run(COUNT_MAX, 0x2345678U, STEP_COUNT);
}

static void test_any_number_agrees_with_the_model(void)
{
    for (size_t count = 1U; count < COUNT_MAX; count += 1U + (count / 8U)) {
        run(count, 0x3456789U + (uint32_t)count, STEP_COUNT / 40U);
    }
}

int main(void)
{
    RUN(test_a_power_of_two_agrees_with_the_model);
    RUN(test_as_many_as_there_are_agree_with_the_model);
    RUN(test_any_number_agrees_with_the_model);
    return tap_finish();
}
