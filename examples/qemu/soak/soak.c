// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A memory system with all its watchers, used at random for SOAK_OPERATIONS operations; now and then a
// mistake is made on purpose. Each must be reported once, as what it is and with its place, and nothing
// else may be: the exit code says whether that held.
//
// At most one mistake is open at a time, so that every report can be held against the one it must be
// about. What was hit is put right as soon as it was reported. From time to time all is given back, what
// was not is held against the leaks that were made, and a new system is built.

#include "mete/system/audit.h"
#include "mete/system/postmortem.h"
#include "mete/system/system.h"

#include "mete/core/text.h"
#include "mete/protect/integrity.h"
#include "mete/wrap/quota.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/track.h"
#include "port/board/board.h"
#include "port/io/semihosting.h"
#include "port/os/bare_metal.h"

#ifndef SOAK_OPERATIONS
#define SOAK_OPERATIONS 20000
#endif

enum {
    SLOT_COUNT = 128,     // Blocks that the program holds at most: in even slots of the heap,
    PATTERN_COUNT = 2,    // in odd ones of the pools.
    HEAP_SIZE_MAX = 300,  // Bytes of a block.
    POOL_SIZE_MAX = 64,
    LEAK_COUNT_MAX = 32,   // In one round.
    ROUND_LENGTH = 4000,   // Operations with one system.
    FAULT_DISTANCE = 48,   // Operations between two mistakes, on average.
    OPEN_MAX = 1000,       // Operations in which a mistake must be found.
    CHECKED_PER_STEP = 4,  // Blocks looked at in an operation.
    SLICE_SIZE = 64,
    ALIGN = 8
};

typedef enum kind {
    OVERFLOW,
    UNDERFLOW,
    WRITE_AFTER_FREE,
    INTEGRITY,
    DOUBLE_FREE,
    FOREIGN_FREE,
    WRONG_SIZE,
    LEAK,
    KIND_COUNT
} kind_t;

static const char *const kind_names[KIND_COUNT] = {"overflow",   "underflow",   "write after free",
                                                   "integrity",  "double free", "foreign free",
                                                   "wrong size", "leak"};

// A block that the program holds.
typedef struct slot {
    uint8_t *block;  // NULL: none.
    size_t size;
    uint32_t sequence;  // The tracker's.
    uint8_t mark;       // What its first and its last byte are.
} slot_t;

static struct counts {
    uint32_t injected;
    uint32_t reported;
    uint32_t misplaced;
} counts[KIND_COUNT];
static uint32_t unexpected_count;

// The mistake that is open.
static struct mistake {
    bool is_open;
    bool is_found;
    kind_t kind;
    size_t pattern;
    slot_t slot;       // The block it was made with,
    ptrdiff_t offset;  // how far from its start,
    uint8_t *byte;     // and what was changed: put right by `flip`. NULL: nothing was.
    uint8_t flip;
    const void *address;  // That the report must name.
    uint32_t operation;
} mistake;

static uint32_t operation;
static struct calls {
    size_t acquires;
    size_t refusals;
    size_t releases;
} calls[PATTERN_COUNT];         // In this round.
static size_t unknown_count;    // Live blocks that are no leaks.
static const void *last_fault;  // The address that was reported last.

// ---- What is watched

static uint32_t operation_clock(void)
{
    return operation;
}

static uint64_t storage[24576];
static const mete_system_pool_t pools[] = {
    {.block_size = 24, .block_count = 64},
    {.block_size = POOL_SIZE_MAX, .block_count = 96},
};
static mete_timing_class_t timing_classes[8];
static const mete_timing_config_t timing_config = {
    .clock = operation_clock, .classes = timing_classes, .class_count = 8, .first_size = 16};
static const mete_guard_config_t guard_config = {
    .seed = 0x5EEDU,
    .quarantine_size = 2048,
    .fills_acquired = true,
    .acquired_fill = 0xAC,
    .fills_released = true,
    .released_fill = 0xDD,
};

static void on_event(void *self, const mete_event_t *event);

static const mete_system_config_t system_config = {
    .storage = {storage, sizeof storage},
    .search = 2,
    .pools = pools,
    .pool_count = sizeof pools / sizeof *pools,
    .lock = &mete_system_with_critical,
    .health = &mete_system_with_health,
    .timing = &mete_system_with_timing,
    .stats = &mete_system_with_stats,
    .guard = &mete_system_with_guard,
    .quota = &mete_system_with_quota,
    .track = &mete_system_with_track,
    .live_max = 1000,
    .clock = operation_clock,
    .guard_config = &guard_config,
    .timing_config = &timing_config,
    .observer = {on_event, NULL},
};

static mete_audit_entry_t audit_entries[64];
static const mete_audit_config_t audit_config = {
    .entries = audit_entries, .entry_count = 64, .clock = operation_clock};
static mete_audit_t audit;

METE_POSTMORTEM_PLACE static mete_postmortem_store_t store;
static const mete_postmortem_config_t postmortem_config = {.store = &store,
                                                           .clock = operation_clock};
static mete_postmortem_t postmortem;

// Variables that change through a gate only.
static uint8_t settings[512];
static mete_integrity_slice_t slices[METE_INTEGRITY_SLICE_COUNT(sizeof settings, SLICE_SIZE)];
static mete_integrity_gate_t gate;
static const mete_integrity_region_t regions[] = {{settings, sizeof settings, slices, &gate}};
static const mete_integrity_config_t integrity_config = {
    .regions = regions, .region_count = 1, .slice_size = SLICE_SIZE};
static mete_integrity_t integrity;

static mete_system_t *memory;
static mete_alloc_t allocs[PATTERN_COUNT];
static mete_guard_t *guards[PATTERN_COUNT];
static mete_track_t *tracks[PATTERN_COUNT];
static slot_t slots[SLOT_COUNT];
static slot_t leaks[PATTERN_COUNT][LEAK_COUNT_MAX];
static size_t leak_counts[PATTERN_COUNT];

static void on_event(void *self, const mete_event_t *event)
{
    (void)self;
    mete_audit_note(&audit, event);
}

// ---- Reports

// The guard stands in front of quota, which pools have none of, and tracker: this is the tracker's block.
static const void *tracked(size_t pattern, const uint8_t *block)
{
    const uintptr_t prefix = METE_GUARD_PREFIX_SIZE(ALIGN);
    const uintptr_t quota = (pattern == METE_SYSTEM_VARIABLE) ? METE_QUOTA_PREFIX_SIZE(ALIGN) : 0U;
    return block - prefix - quota;
}

// What the tracker knows of the block is of the acquire that it came from.
static bool is_traced(size_t pattern, const slot_t *slot)
{
    mete_track_block_t record;
    return mete_track_read(tracks[pattern], tracked(pattern, slot->block), &record) &&
           (record.sequence == slot->sequence) && (record.caller != NULL);
}

static bool is_damage_placed(void)
{
    static const mete_guard_side_t sides[] = {METE_GUARD_TAIL, METE_GUARD_HEAD, METE_GUARD_CONTENT};
    const mete_guard_damage_t damage =
        mete_guard_damage_of(guards[mistake.pattern], mistake.slot.block);
    return (damage.side == sides[mistake.kind]) && (damage.offset == mistake.offset) &&
           is_traced(mistake.pattern, &mistake.slot);
}

static bool is_slice_placed(void)
{
    mete_integrity_break_t found;
    return mete_integrity_read_break(&integrity, &found) && (found.region_index == 0U) &&
           (found.slice_index == (size_t)mistake.offset / SLICE_SIZE) &&
           (found.start == mistake.address);
}

static bool is_placed(int fault, const void *object, const void *address)
{
    static const mete_fault_t faults[] = {
        METE_FAULT_CORRUPT,     METE_FAULT_CORRUPT, METE_FAULT_CORRUPT, METE_FAULT_CORRUPT,
        METE_FAULT_DOUBLE_FREE, METE_FAULT_FOREIGN, METE_FAULT_SIZE};
    if ((fault != (int)faults[mistake.kind]) || (address != mistake.address)) {
        return false;
    }
    if (mistake.kind == INTEGRITY) {
        return (object == &integrity) && is_slice_placed();
    }
    return (object == guards[mistake.pattern]) &&
           ((mistake.kind > INTEGRITY) || is_damage_placed());
}

void soak_fault(int fault, const void *object, const void *address)
{
    const mete_event_t event = {METE_EVENT_FAULT, object, address, (size_t)fault, NULL};
    mete_audit_note(&audit, &event);
    mete_postmortem_note_fault(&postmortem, (mete_fault_t)fault, object, address, NULL);
    last_fault = address;
    if (!mistake.is_open || mistake.is_found) {
        unexpected_count++;
        return;
    }
    mistake.is_found = true;
    if (is_placed(fault, object, address)) {
        counts[mistake.kind].reported++;
    } else {
        counts[mistake.kind].misplaced++;
    }
}

// The black box has what was reported last, and it is whole.
static bool is_noted(void)
{
    const mete_postmortem_record_t *const record = mete_postmortem_last(&postmortem);
    return mete_postmortem_check(&postmortem) &&
           (record->faults[(record->fault_total - 1U) % METE_POSTMORTEM_DEPTH].address ==
            (size_t)mistake.address);
}

// Puts right what was reported. What was not in time is missed, and put right as well.
static void settle(void)
{
    if (!mistake.is_open || (!mistake.is_found && (operation - mistake.operation < OPEN_MAX))) {
        return;
    }
    if (mistake.byte != NULL) {
        *mistake.byte ^= mistake.flip;
    }
    unexpected_count += (mistake.is_found && !is_noted()) ? 1U : 0U;
    mistake.is_open = false;
}

static void expect(bool holds)
{
    unexpected_count += holds ? 0U : 1U;
}

// ---- Chance

static uint32_t random_state = 0x2545F491U;

static uint32_t random_below(uint32_t end)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return (uint32_t)(((uint64_t)random_state * end) >> 32);
}

// ---- What the program does

static size_t pattern_of(size_t index)
{
    return (index % 2U == 0U) ? METE_SYSTEM_VARIABLE : METE_SYSTEM_FIXED;
}

static void paint(slot_t *slot)
{
    slot->block[0] = slot->mark;
    slot->block[slot->size - 1U] = slot->mark;
}

static bool is_painted(const slot_t *slot)
{
    return (slot->block[0] == slot->mark) && (slot->block[slot->size - 1U] == slot->mark);
}

// True if the slot has a block now.
static bool fill(size_t index)
{
    slot_t *const slot = &slots[index];
    const size_t pattern = pattern_of(index);
    const bool is_too_much = random_below(512U) == 0U;
    slot->size =
        1U + random_below((pattern == METE_SYSTEM_VARIABLE) ? HEAP_SIZE_MAX : POOL_SIZE_MAX);
    slot->block = mete_acquire(allocs[pattern], is_too_much ? sizeof storage : slot->size, ALIGN);
    if (slot->block == NULL) {
        calls[pattern].refusals++;
        mete_postmortem_note_refusal(&postmortem, slot->size, NULL);
        expect(is_too_much);
        settle();
        return false;
    }
    calls[pattern].acquires++;
    slot->sequence = mete_track_mark(tracks[pattern]);
    slot->mark = (uint8_t)operation;
    paint(slot);
    expect(!is_too_much);
    return true;
}

static void give_back(size_t index, void *block, size_t size)
{
    calls[pattern_of(index)].releases++;
    mete_release(allocs[pattern_of(index)], block, size, ALIGN);
}

// Releasing a block that was damaged is refused, and done once the damage is put right.
static slot_t empty(size_t index)
{
    const slot_t slot = slots[index];
    expect(is_painted(&slot));
    last_fault = NULL;
    give_back(index, slot.block, slot.size);
    const bool is_refused = last_fault == slot.block;
    settle();
    if (is_refused) {
        give_back(index, slot.block, slot.size);
    }
    slots[index].block = NULL;
    return slot;
}

static void change_size(size_t index)
{
    slot_t *const slot = &slots[index];
    const size_t new_size = 1U + random_below(HEAP_SIZE_MAX);
    expect(is_painted(slot));
    if (mete_resize(allocs[pattern_of(index)], slot->block, slot->size, new_size, ALIGN)) {
        slot->size = new_size;
        paint(slot);
    }
    settle();
}

static void change_settings(void)
{
    if (mete_integrity_open(&integrity, 0U)) {
        settings[random_below(sizeof settings)] = (uint8_t)operation;
        mete_integrity_close(&integrity, 0U);
    }
    settle();
}

// ---- What it does wrong

static void make(kind_t kind, size_t pattern, const slot_t *slot, const void *address)
{
    counts[kind].injected++;
    mistake = (struct mistake){.is_open = true,
                               .kind = kind,
                               .pattern = pattern,
                               .slot = *slot,
                               .address = address,
                               .operation = operation};
}

static void damage(uint8_t *byte, ptrdiff_t offset)
{
    mistake.byte = byte;
    mistake.offset = offset;
    mistake.flip = (uint8_t)(1U + random_below(255U));
    *byte ^= mistake.flip;
}

static void overflow(size_t index)
{
    const slot_t *const slot = &slots[index];
    make(OVERFLOW, pattern_of(index), slot, slot->block);
    damage(slot->block + slot->size, (ptrdiff_t)slot->size);
}

static void underflow(size_t index)
{
    const slot_t *const slot = &slots[index];
    make(UNDERFLOW, pattern_of(index), slot, slot->block);
    damage(slot->block - 1, -1);
}

static void write_after_free(size_t index)
{
    const slot_t slot = empty(index);
    const size_t offset = random_below((uint32_t)slot.size);
    make(WRITE_AFTER_FREE, pattern_of(index), &slot, slot.block);
    damage(slot.block + offset, (ptrdiff_t)offset);
}

static void change_region(size_t index)
{
    const size_t offset = random_below(sizeof settings);
    make(INTEGRITY, 0U, &slots[index], &settings[offset / SLICE_SIZE * SLICE_SIZE]);
    damage(&settings[offset], (ptrdiff_t)offset);
}

// Of what is found in the call itself, or not at all.
static void end_misuse(void)
{
    settle();
    mistake.is_open = false;
}

static void release_twice(size_t index)
{
    const slot_t slot = empty(index);
    make(DOUBLE_FREE, pattern_of(index), &slot, slot.block);
    give_back(index, slot.block, slot.size);
    end_misuse();
}

// Inside of a block of its own, or somewhere else.
static void release_foreign(size_t index)
{
    static uint64_t elsewhere[8];
    const slot_t *const slot = &slots[index];
    uint8_t *const inside = slot->block + ALIGN;
    uint8_t *const address =
        ((slot->size > ALIGN) && (random_below(2U) == 0U)) ? inside : (uint8_t *)&elsewhere[4];
    make(FOREIGN_FREE, pattern_of(index), slot, address);
    give_back(index, address, slot->size);
    end_misuse();
}

static void release_with_wrong_size(size_t index)
{
    const slot_t *const slot = &slots[index];
    make(WRONG_SIZE, pattern_of(index), slot, slot->block);
    give_back(index, slot->block, slot->size + 1U);
    end_misuse();
}

static void leak(size_t index)
{
    const size_t pattern = pattern_of(index);
    if (leak_counts[pattern] < LEAK_COUNT_MAX) {
        leaks[pattern][leak_counts[pattern]++] = slots[index];
        slots[index].block = NULL;
        counts[LEAK].injected++;
    }
}

static void do_wrong(size_t index)
{
    static void (*const acts[KIND_COUNT])(size_t index) = {
        overflow,      underflow,       write_after_free,        change_region,
        release_twice, release_foreign, release_with_wrong_size, leak};
    acts[random_below(KIND_COUNT)](index);
}

// ---- Rounds

static void operate(void)
{
    const size_t index = random_below(SLOT_COUNT);
    const uint32_t chance = random_below(FAULT_DISTANCE);
    if (slots[index].block == NULL) {
        (void)fill(index);
    } else if ((chance == 0U) && !mistake.is_open) {
        do_wrong(index);
    } else if (chance % 4U == 1U) {
        change_size(index);
    } else if (chance == 2U) {
        change_settings();
    } else {
        (void)empty(index);
    }
    settle();
    (void)mete_guard_check_next(guards[operation % PATTERN_COUNT], CHECKED_PER_STEP);
    settle();
    (void)mete_integrity_check_next(&integrity);
    settle();
}

static bool open_round(void)
{
    memory = mete_system_init(&system_config, NULL);
    if (memory == NULL) {
        return false;
    }
    for (size_t p = 0U; p < PATTERN_COUNT; p++) {
        const mete_system_pattern_t pattern = (mete_system_pattern_t)p;
        allocs[p] = mete_system_as_alloc(memory, pattern);
        guards[p] = mete_system_state_of(memory, pattern, &mete_system_with_guard);
        tracks[p] = mete_system_state_of(memory, pattern, &mete_system_with_track);
        leak_counts[p] = 0U;
        calls[p] = (struct calls){0U, 0U, 0U};
    }
    return true;
}

// What the tracker still shows, against what was leaked.
static bool visit_leak(void *self, const mete_track_block_t *block)
{
    const size_t pattern = *(const size_t *)self;
    for (size_t i = 0U; i < leak_counts[pattern]; i++) {
        const slot_t *const slot = &leaks[pattern][i];
        if (block->sequence == slot->sequence) {
            const bool is_placed_right = block->block == tracked(pattern, slot->block);
            counts[LEAK].reported += is_placed_right ? 1U : 0U;
            counts[LEAK].misplaced += is_placed_right ? 0U : 1U;
            return true;
        }
    }
    unknown_count++;
    return true;
}

// Blocks that were written to after their release are withheld, and so are live for the tracker.
static void find_leaks(size_t pattern)
{
    for (size_t i = 0U; i < 2U; i++) {  // It ends with the first that is damaged.
        (void)mete_guard_purge(guards[pattern], SIZE_MAX);
        settle();
    }
    unknown_count = 0U;
    expect(mete_track_walk(tracks[pattern], visit_leak, &pattern));
    expect(unknown_count == mete_guard_usage(guards[pattern]).withheld_count);
}

static void check_pattern(size_t pattern)
{
    const mete_stats_t *const stats =
        mete_system_state_of(memory, (mete_system_pattern_t)pattern, &mete_system_with_stats);
    const mete_stats_usage_t usage = mete_stats_usage(stats);
    expect(usage.acquires == calls[pattern].acquires);
    expect(usage.refusals == calls[pattern].refusals);
    expect(usage.releases == calls[pattern].releases);  // Refused ones too.
    expect(mete_guard_check(guards[pattern]) && mete_track_check(tracks[pattern]));
}

static void check_all(void)
{
    expect(mete_timing_check(
        mete_system_state_of(memory, METE_SYSTEM_VARIABLE, &mete_system_with_timing)));
    expect(mete_quota_check(
        mete_system_state_of(memory, METE_SYSTEM_VARIABLE, &mete_system_with_quota)));
    expect(mete_health_check(
        mete_system_state_of(memory, METE_SYSTEM_VARIABLE, &mete_system_with_health)));
    expect(mete_system_check(memory) && mete_integrity_check(&integrity) &&
           mete_audit_check(&audit));
    for (size_t p = 0U; p < PATTERN_COUNT; p++) {
        check_pattern(p);
    }
}

static void close_round(void)
{
    for (size_t i = 0U; i < SLOT_COUNT; i++) {
        if (slots[i].block != NULL) {
            (void)empty(i);
        }
    }
    for (size_t p = 0U; p < PATTERN_COUNT; p++) {
        find_leaks(p);
    }
    for (size_t i = 0U; i < sizeof slices / sizeof *slices; i++) {
        (void)mete_integrity_check_next(&integrity);
        settle();
    }
    mistake.is_open = false;
    check_all();
}

// ---- Summary

static void say(const char *text)
{
    mete_text_string((mete_sink_t){mete_semihosting_write_text, NULL}, text);
}

static void say_number(const char *text, size_t value)
{
    say(text);
    mete_text_decimal((mete_sink_t){mete_semihosting_write_text, NULL}, value);
}

static bool summarize(void)
{
    bool is_right = unexpected_count == 0U;
    say_number("operations ", operation);
    for (size_t k = 0U; k < KIND_COUNT; k++) {
        say("\n");
        say(kind_names[k]);
        say_number(": injected ", counts[k].injected);
        say_number(", reported ", counts[k].reported);
        say_number(", misplaced ", counts[k].misplaced);
        is_right = is_right && (counts[k].injected != 0U) &&
                   (counts[k].reported == counts[k].injected) && (counts[k].misplaced == 0U);
    }
    say_number("\nunexpected ", unexpected_count);
    say(is_right ? "\nPASS\n" : "\nFAIL\n");
    return is_right;
}

int main(void)
{
    mete_bare_metal_clock_start(mete_board.clock_hz);
    (void)mete_postmortem_init(&postmortem, &postmortem_config);
    bool runs = mete_audit_init(&audit, &audit_config) &&
                mete_integrity_init(&integrity, &integrity_config);
    while (runs && (operation < SOAK_OPERATIONS)) {
        runs = open_round();
        for (uint32_t i = 0U; runs && (i < ROUND_LENGTH) && (operation < SOAK_OPERATIONS); i++) {
            operation++;
            operate();
        }
        if (runs) {
            close_round();
        }
    }
    return (summarize() && runs) ? 0 : 1;
}
