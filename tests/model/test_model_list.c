// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The list against a model of it. The model is a map of the storage, a number for each granule: which
// block lies there, or none. First fit in address order leaves no choice: from the map alone follows
// where a request must be served, or that it must be refused, and whether a block can be resized. After
// every call the map and what walk() shows are the same.

#include "mete/alloc/list.h"
#include "tests/support/paint.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#ifdef __ARM_ARCH_6M__
enum { MEMORY_SIZE = 2048, SLOT_COUNT = 30, STEP_COUNT = 1500 };
#elif defined(__arm__) || defined(__riscv)
enum { MEMORY_SIZE = 8192, SLOT_COUNT = 80, STEP_COUNT = 3000 };
#else
enum { MEMORY_SIZE = 8192, SLOT_COUNT = 80, STEP_COUNT = 30000 };
#endif
enum { HEADER = (int)sizeof(uintptr_t), GRANULE = 2 * HEADER, ALIGN_MAX = 512, FREE = 0 };
enum { MAP_MAX = MEMORY_SIZE / GRANULE };

static _Alignas(16) unsigned char memory[MEMORY_SIZE + 16];

// ---- The model. A block in slot s is number s + 1. The first granule of the map begins with the header
// of the first block.

typedef struct slot {
    unsigned char *block;  // NULL: free slot.
    size_t size, align, granules;
    uint8_t seed;
} slot_t;

static slot_t slots[SLOT_COUNT];
static uint8_t map[MAP_MAX];
static size_t map_count;
static unsigned char *map_start;
static mete_list_t *list;
static size_t search;
static uint32_t random_state;

static uint32_t pick(uint32_t limit)
{
    return random_below(&random_state, limit);
}

static size_t granules_for(size_t size)
{
    const size_t whole =
        (size / GRANULE) + 1U;  // A header and up to GRANULE - HEADER bytes fit one.
    return (size % GRANULE > (size_t)(GRANULE - HEADER)) ? whole + 1U : whole;
}

static size_t map_index(const unsigned char *block)
{
    return (size_t)(block - HEADER - map_start) / GRANULE;
}

static unsigned char *payload_at(size_t index)
{
    return map_start + (index * GRANULE) + HEADER;
}

// Free granules in a row from an index on.
static size_t run_at(size_t index)
{
    size_t count = 0U;
    while ((index + count < map_count) && (map[index + count] == FREE)) {
        count++;
    }
    return count;
}

// The first granule from which so many can be had at this alignment, in a run that starts at `index`
// and has `count`; or map_count.
static size_t place_in(size_t index, size_t count, size_t wanted, size_t align)
{
    for (size_t i = index; i < index + count; i++) {
        if ((uintptr_t)payload_at(i) % align == 0U) {
            return (wanted <= index + count - i) ? i : map_count;
        }
    }
    return map_count;
}

// Where a request must be served, or NULL. One limit applies: so many runs are looked at.
static unsigned char *expected_place(size_t size, size_t align)
{
    size_t looked = 0U;
    for (size_t i = 0U; (i < map_count) && ((search == 0U) || (looked < search)); i++) {
        const size_t count = run_at(i);
        if (count != 0U) {
            const size_t place = place_in(i, count, granules_for(size), align);
            if ((place != map_count) && (size != 0U)) {
                return payload_at(place);
            }
            i += count - 1U;
            looked++;
        }
    }
    return NULL;
}

// What a block gets of so much room: all of it if one granule would be left.
static size_t granules_of(size_t room, size_t wanted)
{
    return (room - wanted == 1U) ? room : wanted;
}

static void write_map(const slot_t *slot, uint8_t number)
{
    for (size_t i = 0U; i < slot->granules; i++) {
        map[map_index(slot->block) + i] = number;
    }
}

static uint8_t number_of(const slot_t *slot)
{
    return (uint8_t)(slot - slots + 1);
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

// ---- What the list shows

typedef struct seen {
    size_t index, free_count, in_use_size, largest_free_size;
} seen_t;

static bool see(void *self, const mete_list_block_t *shown)
{
    seen_t *const seen = (seen_t *)self;
    const unsigned char *const block = (const unsigned char *)shown->block;
    const size_t granules = (shown->size + HEADER) / GRANULE;
    if (!EXPECT((block == payload_at(seen->index)) && (seen->index + granules <= map_count))) {
        return false;
    }
    const uint8_t number = map[seen->index];
    EXPECT(shown->is_live == (number != FREE));
    for (size_t i = 0U; i < granules; i++) {
        EXPECT(map[seen->index + i] == number);
    }
    EXPECT(shown->is_live || (run_at(seen->index) == granules));  // Free neighbours are one block.
    if (shown->is_live && EXPECT(number <= SLOT_COUNT)) {
        EXPECT(slots[number - 1U].block == block);
        EXPECT(granules == slots[number - 1U].granules);
        EXPECT(mete_list_size_of(list, block) == shown->size);
        seen->in_use_size += granules * GRANULE;
    } else {
        seen->free_count++;
        seen->largest_free_size =
            (shown->size > seen->largest_free_size) ? shown->size : seen->largest_free_size;
    }
    seen->index += granules;
    return true;
}

// After every call: nothing was reported, and all views agree.
static void settle(void)
{
    seen_t seen = {0U, 0U, 0U, 0U};
    EXPECT(tap_take_fault() == 0);
    EXPECT(mete_list_check(list));
    EXPECT(mete_list_walk(list, see, &seen) && (seen.index == map_count));
    const mete_list_usage_t usage = mete_list_usage(list);
    EXPECT(usage.total_size == map_count * GRANULE);
    EXPECT((usage.in_use_size == seen.in_use_size) && (usage.free_count == seen.free_count));
    EXPECT(usage.largest_free_size == seen.largest_free_size);
}

// ---- The calls, each with what must come of it

static size_t random_size(void)
{
    const uint32_t kind = pick(100U);
    if (kind < 70U) {
        return 1U + pick(64U);
    }
    if (kind < 96U) {
        return 1U + pick(MEMORY_SIZE / 10);
    }
    return (kind < 99U) ? pick(MEMORY_SIZE + 100) : SIZE_MAX - pick(64U);
}

static void do_alloc(slot_t *slot)
{
    const size_t size = random_size();
    const size_t align = (pick(4U) == 0U) ? (size_t)1U << pick(10U) : (size_t)GRANULE;
    const size_t least = (align < GRANULE) ? (size_t)GRANULE : align;
    unsigned char *const expected = expected_place(size, least);
    unsigned char *const block = (align == GRANULE) ? mete_list_alloc(list, size)
                                                    : mete_list_alloc_aligned(list, size, align);
    EXPECT(block == expected);
    if (block != NULL) {
        EXPECT(mete_list_owns(list, block) && mete_list_owns(list, block + size - 1U));
        slot->block = block;
        slot->size = size;
        slot->align = align;
        slot->granules = granules_of(run_at(map_index(block)), granules_for(size));
        write_map(slot, number_of(slot));
        paint(slot);
    }
}

static void do_free(slot_t *slot)
{
    unsigned char *const block = slot->block;
    EXPECT(is_painted(slot, slot->size));
    mete_list_free(list, block);
    write_map(slot, FREE);
    slot->block = NULL;
    if (pick(16U) == 0U) {
        settle();
        mete_list_free(list, block);
        EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    }
}

static void do_resize(slot_t *slot)
{
    const size_t size = random_size();
    const size_t room = slot->granules + run_at(map_index(slot->block) + slot->granules);
    const bool is_possible = (size != 0U) && (granules_for(size) <= room);
    EXPECT(mete_list_resize(list, slot->block, size) == is_possible);
    EXPECT(is_painted(slot, (is_possible && (size < slot->size)) ? size : slot->size));
    if (is_possible) {
        write_map(slot, FREE);
        slot->size = size;
        slot->granules = granules_of(room, granules_for(size));
        write_map(slot, number_of(slot));
        paint(slot);
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
    settle();
}

// ---- Runs

static void start(size_t limit, size_t offset)
{
    const mete_list_config_t config = {{memory + offset, MEMORY_SIZE}, limit};
    mete_words_fill(memory, 0xA5U, sizeof memory);
    search = limit;
    list = mete_list_init(&config);
    EXPECT(list != NULL);
    map_start = (unsigned char *)list + sizeof(mete_list_t);
    map_count = (size_t)(memory + offset + MEMORY_SIZE - map_start) / GRANULE;
    for (size_t i = 0U; i < map_count; i++) {
        map[i] = FREE;
    }
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        slots[i].block = NULL;
    }
    settle();
}

static void run(size_t limit, uint32_t seed)
{
    random_state = seed;
    start(limit, seed % 16U);
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        step();
    }
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        if (slots[i].block != NULL) {
            do_free(&slots[i]);
            settle();
        }
    }
    EXPECT(mete_list_usage(list).free_count == 1U);
}

static void test_without_a_limit_it_agrees_with_the_model(void)
{
    run(0U, 0x1234567U);
    run(0U, 0x2345678U);
}

static void test_with_a_limit_it_agrees_with_the_model(void)
{
    for (size_t limit = 1U; limit <= 4U; limit++) {
        run(limit, 0x3456789U + (uint32_t)limit);
    }
}

int main(void)
{
    RUN(test_without_a_limit_it_agrees_with_the_model);
    RUN(test_with_a_limit_it_agrees_with_the_model);
    return tap_finish();
}
