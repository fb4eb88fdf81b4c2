// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_HEAP_MODEL_H
#define METE_TEST_HEAP_MODEL_H

/// A model of the heap. It knows which blocks are held and what is in them, nothing else; what is free
/// it reads from walk(), after making sure that walk() agrees with what is held. From the free blocks
/// it derives, by the rules of heap.h alone, whether a request must succeed, must fail, or may do
/// either; and every counter that the heap keeps. All of it after every call: settle().
///
/// The narrow heap's, unless heap_wide.h and its names were included before: test_model_heap_wide.c.

#ifndef METE_HEAP_WIDE_H
#include "mete/alloc/heap.h"
#define HEAP(name) mete_heap_##name
typedef mete_heap_t heap_t;
enum { HEADER_SIZE = 4, GRANULES_MIN = 1, BIN_COUNT = 32 };
#define BYTES_MAX METE_HEAP_BLOCK_SIZE_MAX
#define SIZE_MIN  METE_HEAP_SIZE_MIN
#endif

#include "tests/support/heap_rules.h"
#include "tests/support/paint.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#if defined(__arm__) || defined(__riscv)
#define ON_BOARD
#endif
#ifdef __ARM_ARCH_6M__
enum { MEMORY_SIZE = 4096, SLOT_COUNT = 40, STEP_COUNT = 1500, ALIGN_MAX = 512 };
#elif defined(ON_BOARD)
enum { MEMORY_SIZE = 32768, SLOT_COUNT = 160, STEP_COUNT = 3000, ALIGN_MAX = 4096 };
#else
enum { MEMORY_SIZE = 32768, SLOT_COUNT = 160, STEP_COUNT = 30000, ALIGN_MAX = 4096 };
#endif
enum { GRANULE = 8, SEEN_MAX = 2 * SLOT_COUNT + 8, REGION_MAX = 4 };

static _Alignas(16) unsigned char memory[MEMORY_SIZE + 16];

// ---- What is held

typedef struct slot {
    unsigned char *block;  // NULL: free slot.
    size_t size;
    size_t align;
    uint8_t seed;
} slot_t;

static slot_t slots[SLOT_COUNT];
static uint32_t random_state;
static heap_t *heap;
static mete_heap_config_t config;
static size_t refusals;        // That the heap should have counted.
static size_t in_use_peak;     // In bytes, headers included.
static size_t region_count;    // Now in the heap.
static unsigned misuse_every;  // A double free in so many frees; 0: never.

static uint32_t pick(uint32_t limit)
{
    return random_below(&random_state, limit);
}

static void paint(slot_t *slot)
{
    slot->seed = paint_next(slot->seed);
    paint_bytes(slot->block, slot->size, slot->seed);
}

// The first `size` bytes at `block` are those that were painted in the slot.
static bool is_painted(const slot_t *slot, const unsigned char *block, size_t size)
{
    return paint_is_whole(block, size, slot->seed);
}

// ---- What the heap shows

static struct {
    mete_heap_block_t blocks[SEEN_MAX];
    size_t count;
    size_t region_count;
} seen;

static const unsigned char *end_of(const mete_heap_block_t *block)
{
    return (const unsigned char *)block->block + block->size;
}

// True if the block follows `before` without a gap.
static bool is_adjacent(const mete_heap_block_t *before, const mete_heap_block_t *block)
{
    return end_of(before) + HEADER_SIZE == (const unsigned char *)block->block;
}

static bool see(void *self, const mete_heap_block_t *block)
{
    (void)self;
    if (!EXPECT(seen.count < SEEN_MAX)) {
        return false;
    }
    const mete_heap_block_t *const before =
        &seen.blocks[seen.count - ((seen.count != 0U) ? 1U : 0U)];
    const bool is_joined = (seen.count != 0U) && is_adjacent(before, block);
    EXPECT((seen.count == 0U) || ((uintptr_t)before->block < (uintptr_t)block->block));
    EXPECT(!is_joined || before->is_live || block->is_live);  // Free neighbours are one block.
    seen.region_count += is_joined ? 0U : 1U;
    seen.blocks[seen.count] = *block;
    seen.count++;
    return true;
}

static void look(void)
{
    seen.count = 0U;
    seen.region_count = 0U;
    EXPECT(HEAP(walk)(heap, see, NULL));
}

static size_t granules_of(const mete_heap_block_t *block)
{
    return (block->size + HEADER_SIZE) / GRANULE;
}

// The index in `seen` of the block that starts at an address, or seen.count.
static size_t seen_at(const void *address)
{
    size_t low = 0U;
    size_t high = seen.count;
    while (low < high) {
        const size_t middle = (low + high) / 2U;
        const bool is_below = (uintptr_t)seen.blocks[middle].block < (uintptr_t)address;
        low = is_below ? middle + 1U : low;
        high = is_below ? high : middle;
    }
    return ((low < seen.count) && (seen.blocks[low].block == address)) ? low : seen.count;
}

// ---- What must be

static const heap_rules_t rules = {HEADER_SIZE, GRANULES_MIN, BYTES_MAX, BIN_COUNT};
static size_t granules_for(size_t size)
{
    return heap_granules_for(&rules, size);
}

// What becomes of a request, by the free blocks seen.
static chance_t chance_of(size_t granules)
{
    heap_wish_t wish = heap_wish(&rules, granules, config.search);
    for (size_t i = 0U; i < seen.count; i++) {
        if (!seen.blocks[i].is_live) {
            heap_wish_see(&rules, &wish, granules_of(&seen.blocks[i]));
        }
    }
    return heap_wish_chance(&wish);
}

// ---- The heap's counters, computed anew from what is seen

typedef struct sums {
    uint64_t free;
    uint64_t squares;
    size_t live;
    size_t free_count;
    size_t live_count;
    size_t largest;
} sums_t;

static sums_t sums_of_seen(void)
{
    sums_t sums = {0U, 0U, 0U, 0U, 0U, 0U};
    for (size_t i = 0U; i < seen.count; i++) {
        const size_t granules = granules_of(&seen.blocks[i]);
        if (seen.blocks[i].is_live) {
            sums.live += granules;
            sums.live_count++;
        } else {
            sums.free += granules;
            sums.squares += (uint64_t)granules * granules;
            sums.free_count++;
            sums.largest = (granules > sums.largest) ? granules : sums.largest;
        }
    }
    return sums;
}

static size_t in_use_now(void)
{
    return sums_of_seen().live * GRANULE;
}

static void note_peak(size_t in_use)
{
    in_use_peak = (in_use > in_use_peak) ? in_use : in_use_peak;
}

static void expect_counters(void)
{
    const sums_t sums = sums_of_seen();
    const mete_heap_usage_t usage = HEAP(usage)(heap);
    const mete_frag_t frag = mete_frag_of(sums.free, sums.squares);
    EXPECT(usage.in_use_size == sums.live * GRANULE);
    EXPECT(usage.total_size == (sums.live + sums.free) * GRANULE);
    EXPECT(usage.free_count == sums.free_count);
    EXPECT(usage.refusals == refusals);
    EXPECT(usage.in_use_peak == in_use_peak);
    EXPECT((usage.frag.low_permille == frag.low_permille) &&
           (usage.frag.high_permille == frag.high_permille));
    const uint64_t rest = 1000U * (sums.free - sums.largest);  // The true value, times the sum.
    EXPECT((frag.low_permille * sums.free <= rest) && (frag.high_permille * sums.free >= rest));
}

// Every block held is seen, live, large enough, not much larger; and no other is seen as live.
static void expect_held_blocks(void)
{
    size_t held_count = 0U;
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        const slot_t *const slot = &slots[i];
        if (slot->block != NULL) {
            const size_t at = seen_at(slot->block);
            held_count++;
            if (EXPECT((at < seen.count) && seen.blocks[at].is_live)) {
                const size_t granules = granules_of(&seen.blocks[at]);
                EXPECT(granules - granules_for(slot->size) < (size_t)GRANULES_MIN);
                EXPECT(HEAP(size_of)(heap, slot->block) == seen.blocks[at].size);
            }
        }
    }
    EXPECT(sums_of_seen().live_count == held_count);
    EXPECT(seen.region_count == region_count);
}

// After every call: nothing was reported, and all views agree.
static void settle(void)
{
    EXPECT(tap_take_fault() == 0);
    EXPECT(HEAP(check)(heap));
    look();
    note_peak(in_use_now());
    expect_held_blocks();
    expect_counters();
}

static void expect_contents(void)
{
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        EXPECT((slots[i].block == NULL) || is_painted(&slots[i], slots[i].block, slots[i].size));
    }
}

// ---- The out-of-memory hook

static struct {
    unsigned calls;        // Since the request began.
    bool frees_something;  // Else it only says so, or not.
    bool says_try_again;
    slot_t *keep;  // What the request itself is about.
} hook;

static bool on_refusal(void *self, size_t size)
{
    EXPECT(self == &hook);
    EXPECT(size >= 1U);
    EXPECT(HEAP(check)(heap));
    hook.calls++;
    for (size_t i = 0U; hook.frees_something && (i < SLOT_COUNT); i++) {
        slot_t *const slot = &slots[i];
        if ((slot->block != NULL) && (slot != hook.keep)) {
            HEAP(free)(heap, slot->block);
            slot->block = NULL;
            break;
        }
    }
    look();
    return hook.says_try_again;
}

// ---- The calls, each with what must come of it. All take a size from tiny to impossible.

static size_t random_size(void)
{
    const uint32_t kind = pick(100U);
    if (kind < 60U) {
        return 1U + pick(64U);
    }
    if (kind < 85U) {
        return 1U + pick(MEMORY_SIZE / 16);
    }
    if (kind < 97U) {
        return 1U + pick(MEMORY_SIZE / 4);
    }
    if (kind < 99U) {
        return pick(MEMORY_SIZE + 100);  // 0 and more than there is.
    }
    return SIZE_MAX - pick(64U);
}

static bool is_hook_set(void)
{
    return config.on_refusal != NULL;
}

// Holds the outcome of a request for `granules` against its chance before. The hook may have changed
// what is free; it is asked at most once, and only if there was nothing.
static void expect_outcome(const void *block, size_t granules, chance_t chance)
{
    EXPECT(hook.calls <= 1U);
    EXPECT((hook.calls == 0U) || (chance != MUST_SUCCEED));
    if (hook.calls != 0U) {
        chance = hook.says_try_again ? chance_of(granules) : MUST_FAIL;
    } else if ((block == NULL) && is_hook_set()) {
        EXPECT(granules == SIZE_MAX);  // What no heap has is not worth asking for.
    }
    EXPECT((block != NULL) || (chance != MUST_SUCCEED));
    EXPECT((block == NULL) || (chance != MUST_FAIL));
    refusals += (block == NULL) ? 1U : 0U;
}

static chance_t begin(size_t granules, slot_t *keep)
{
    hook.calls = 0U;
    hook.keep = keep;
    look();
    return chance_of(granules);
}

static void keep_new(slot_t *slot, unsigned char *block, size_t size, size_t align)
{
    slot->block = block;
    slot->size = size;
    slot->align = align;
    if (block != NULL) {
        EXPECT(mete_align_fits((uintptr_t)block, align));
        EXPECT(HEAP(owns)(heap, block) && HEAP(owns)(heap, block + size - 1U));
        paint(slot);
    }
}

static void do_alloc(slot_t *slot)
{
    const size_t size = random_size();
    const chance_t chance = begin(granules_for(size), slot);
    unsigned char *const block = HEAP(alloc)(heap, size);
    expect_outcome(block, granules_for(size), chance);
    keep_new(slot, block, size, GRANULE);
}

static void do_alloc_aligned(slot_t *slot)
{
    const size_t size = random_size();
    size_t align = (size_t)1U << pick(13U);
    align = (align < (size_t)ALIGN_MAX) ? align : (size_t)ALIGN_MAX;
    // What the heap looks for is a block that has room wherever the aligned address comes to lie.
    const size_t gap =
        (align > GRANULE) ? align + (2U * GRANULE * (GRANULES_MIN - 1U)) - GRANULE : 0U;
    const bool is_possible = (size != 0U) && (size < SIZE_MAX - gap);
    const size_t granules = granules_for(is_possible ? size + gap : 0U);
    const chance_t chance = begin(granules, slot);
    unsigned char *const block = HEAP(alloc_aligned)(heap, size, align);
    expect_outcome(block, granules, chance);
    if (block != NULL) {
        // For a moment all of it was in use, or less if a smaller rest was left to the block.
        const size_t peak = HEAP(usage)(heap).in_use_peak;
        EXPECT(peak <= in_use_now() + ((granules + GRANULES_MIN) * GRANULE) || peak == in_use_peak);
        note_peak(peak);
    }
    keep_new(slot, block, size, align);
}

static void do_free(slot_t *slot)
{
    unsigned char *const block = slot->block;
    EXPECT(is_painted(slot, block, slot->size));
    HEAP(free)(heap, block);
    slot->block = NULL;
    if ((misuse_every != 0U) && (pick(misuse_every) == 0U)) {
        EXPECT(tap_take_fault() == 0);
        HEAP(free)(heap, block);
        EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    }
}

// Whether a block can become this large where it stands: shrink, or take a free block behind.
static bool can_resize(const slot_t *slot, size_t size)
{
    const size_t at = seen_at(slot->block);
    const mete_heap_block_t *const block = &seen.blocks[at];
    const mete_heap_block_t *const next = block + 1;
    const bool has_room = (at + 1U < seen.count) && is_adjacent(block, next) && !next->is_live;
    const size_t room = granules_of(block) + (has_room ? granules_of(next) : 0U);
    return (at < seen.count) && (granules_for(size) <= room);
}

static void do_resize(slot_t *slot)
{
    const size_t size = random_size();
    (void)begin(1U, slot);
    const bool is_possible = can_resize(slot, size);
    EXPECT(HEAP(resize)(heap, slot->block, size) == is_possible);
    const size_t kept = (is_possible && (size < slot->size)) ? size : slot->size;
    EXPECT(is_painted(slot, slot->block, kept));
    if (is_possible) {
        slot->size = size;
        paint(slot);
    }
}

static void do_realloc(slot_t *slot)
{
    const size_t size = random_size();
    const chance_t chance = begin(granules_for(size), slot);
    const size_t in_use_before = in_use_now();
    unsigned char *const old = slot->block;
    const bool stays = can_resize(slot, size);
    if (size == 0U) {
        EXPECT(HEAP(realloc)(heap, old, 0U) == NULL);
        slot->block = NULL;
        return;
    }
    unsigned char *const block = HEAP(realloc)(heap, old, size);
    if (stays) {
        EXPECT(block == old);
    } else {
        expect_outcome(block, granules_for(size), chance);
    }
    if (block == NULL) {
        EXPECT(is_painted(slot, old, slot->size));
        return;
    }
    EXPECT(is_painted(slot, block, (size < slot->size) ? size : slot->size));
    if (!stays) {
        // Both blocks were held while the contents moved.
        const size_t peak = HEAP(usage)(heap).in_use_peak;
        const size_t both = in_use_before + ((granules_for(size) + GRANULES_MIN - 1U) * GRANULE);
        EXPECT((peak <= both) || (peak == in_use_peak) || (hook.calls != 0U));
        note_peak(peak);
    }
    keep_new(slot, block, size, GRANULE);
}

static void step(void)
{
    slot_t *const slot = &slots[pick(SLOT_COUNT)];
    const uint32_t kind = pick(8U);
    if (slot->block == NULL) {
        (kind < 6U) ? do_alloc(slot) : do_alloc_aligned(slot);
    } else if (kind < 4U) {
        do_free(slot);
    } else if (kind < 6U) {
        do_resize(slot);
    } else {
        do_realloc(slot);
    }
    settle();
}

#endif
