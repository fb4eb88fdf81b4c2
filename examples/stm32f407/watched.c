// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One config says what the memory consists of, and that everybody watches. What they tell arrives in
// on_event(), what they find wrong in tour_fault().

#include "examples/stm32f407/cycles.h"
#include "examples/stm32f407/log.h"
#include "examples/stm32f407/memory.h"
#include "examples/stm32f407/watchers.h"
#include "mete/system/system.h"
#include "port/cpu/start.h"

enum {
    HEAP_SIZE = 32768,
    PACKET_COUNT = 16,
    ALIGN = 8,
    GUARD_SIZE = METE_GUARD_PREFIX_SIZE(ALIGN) + METE_GUARD_TAIL_SIZE,
    QUOTA_SIZE = METE_QUOTA_PREFIX_SIZE(ALIGN)
};

static watchers_t watchers;
static events_t events;

// ---- The memory system

static void on_event(void *self, const mete_event_t *event);

static uint64_t memory_storage[36864 / sizeof(uint64_t)] __attribute__((section(".ccm")));
static const mete_system_pool_t pools[] = {
    {.block_size = sizeof(packet_t), .block_count = PACKET_COUNT}};
static const mete_health_config_t health_config = {.interval = 1U, .observer = {on_event, NULL}};
static mete_timing_class_t timing_classes[8];
static const mete_timing_config_t timing_config = {
    .clock = cycles_now, .classes = timing_classes, .class_count = 8U, .first_size = 16U};
static const mete_guard_config_t guard_config = {
    .seed = 0x5EEDU,
    .quarantine_size = 1024U,
    .fills_acquired = true,
    .acquired_fill = 0xAC,
    .fills_released = true,
    .released_fill = 0xDD,
};
static const mete_system_config_t system_config = {
    .storage = {memory_storage, sizeof memory_storage},
    .heap_size = HEAP_SIZE,
    .search = 2U,
    .pools = pools,
    .pool_count = 1U,
    .lock = &mete_system_with_critical,
    .health = &mete_system_with_health,
    .timing = &mete_system_with_timing,
    .stats = &mete_system_with_stats,
    .guard = &mete_system_with_guard,
    .quota = &mete_system_with_quota,
    .track = &mete_system_with_track,
    .live_max = LIVE_MAX,
    .clock = mete_clock_ms,
    .health_config = &health_config,
    .guard_config = &guard_config,
    .timing_config = &timing_config,
    .observer = {on_event, NULL},
};
static mete_system_t *memory_system;

// ---- Beside it

static const mete_audit_config_t audit_config = {
    .entries = watchers.entries,
    .entry_count = AUDIT_ENTRY_COUNT,
    .kinds = (1U << METE_EVENT_FAULT) | (1U << METE_EVENT_THRESHOLD) | (1U << METE_EVENT_RELIEF),
    .clock = mete_clock_ms,
};

METE_POSTMORTEM_PLACE static mete_postmortem_store_t black_box_store;
static const mete_postmortem_config_t black_box_config = {.store = &black_box_store,
                                                          .clock = mete_clock_ms};

static mete_integrity_slice_t
    config_slices[METE_INTEGRITY_SLICE_COUNT(sizeof system_config, SLICE_SIZE)];
static mete_integrity_slice_t
    settings_slices[METE_INTEGRITY_SLICE_COUNT(SETTINGS_SIZE, SLICE_SIZE)];
static mete_integrity_gate_t settings_gate;
static const mete_integrity_region_t regions[] = {
    {&system_config, sizeof system_config, config_slices, NULL},
    [SETTINGS_REGION] = {watchers.settings, SETTINGS_SIZE, settings_slices, &settings_gate},
};
static const mete_integrity_config_t integrity_config = {
    .regions = regions, .region_count = sizeof regions / sizeof *regions, .slice_size = SLICE_SIZE};

// ---- What they say

static void *state_of(mete_system_pattern_t pattern, const mete_system_part_t *part)
{
    return mete_system_state_of(memory_system, pattern, part);
}

// Of the heap: its tracker says what came and went, its quota what was refused, for this reason or that.
// Guard and quota ask for more than the program did: that is taken off.
static void note_on_heap(const mete_event_t *event)
{
    const bool is_refusal = event->kind == METE_EVENT_REFUSE;
    const mete_system_part_t *const teller =
        is_refusal ? &mete_system_with_quota : &mete_system_with_track;
    if (event->source != state_of(METE_SYSTEM_VARIABLE, teller)) {
        return;
    }
    mete_event_t seen = *event;
    seen.size -= is_refusal ? GUARD_SIZE : GUARD_SIZE + QUOTA_SIZE;
    events_note(&events, &seen);
    if (is_refusal) {
        mete_postmortem_note_refusal(&watchers.black_box, seen.size, seen.caller);
    }
}

static void on_event(void *self, const mete_event_t *event)
{
    (void)self;
    watchers.warning_count += (event->kind == METE_EVENT_THRESHOLD) ? 1U : 0U;
    watchers.relief_count += (event->kind == METE_EVENT_RELIEF) ? 1U : 0U;
    mete_audit_note(&watchers.audit, event);
    if (event->kind <= METE_EVENT_REFUSE) {
        note_on_heap(event);
    }
}

void tour_fault(int fault, const void *object, const void *address, const void *caller)
{
    const mete_event_t event = {METE_EVENT_FAULT, object, address, (size_t)fault, caller};
    mete_audit_note(&watchers.audit, &event);
    mete_postmortem_note_fault(&watchers.black_box, (mete_fault_t)fault, object, address, caller);
    if (!watchers.expects_fault) {
        mete_fault_report((mete_fault_t)fault, object, address, caller);
    }
    watchers.expects_fault = false;
    watchers.fault = (struct fault){fault, object, address};
}

// ---- init

bool watchers_open_black_box(watchers_t *of)
{
    return mete_postmortem_init(&of->black_box, &black_box_config);
}

static bool open_beside(void)
{
    (void)watchers_open_black_box(&watchers);
    return mete_audit_init(&watchers.audit, &audit_config) &&
           mete_integrity_init(&watchers.integrity, &integrity_config);
}

static void name_parts(memory_t *memory)
{
    memory->alloc = mete_system_as_alloc(memory_system, METE_SYSTEM_VARIABLE);
    memory->packets = mete_system_as_alloc(memory_system, METE_SYSTEM_FIXED);
    memory->stats = state_of(METE_SYSTEM_VARIABLE, &mete_system_with_stats);
    memory->track = state_of(METE_SYSTEM_VARIABLE, &mete_system_with_track);
    memory->heap = mete_system_heap(memory_system);
    memory->pool = mete_system_pool(memory_system, 0U);
    memory->events = &events;
    memory->front_size = METE_GUARD_PREFIX_SIZE(ALIGN) + QUOTA_SIZE;
    memory->added_size = GUARD_SIZE + QUOTA_SIZE;
    memory->watchers = &watchers;
    watchers.guard = state_of(METE_SYSTEM_VARIABLE, &mete_system_with_guard);
    watchers.quota = state_of(METE_SYSTEM_VARIABLE, &mete_system_with_quota);
    watchers.timing = state_of(METE_SYSTEM_VARIABLE, &mete_system_with_timing);
}

bool memory_init(memory_t *memory)
{
    if (!mete_stack_init(&memory->stack, mete_port_stack()) || !mete_stack_paint(&memory->stack) ||
        !open_beside()) {
        return false;
    }
    memory_system = mete_system_init(&system_config, NULL);
    if (memory_system == NULL) {
        return false;
    }
    name_parts(memory);
    LOG("Heap initialized: # bytes\n", system_config.heap_size);
    LOG("Memory pool initialized: # blocks\n", mete_pool_usage(memory->pool).block_count);
    log_text("Leak detector initialized\n");
    log_text("All watchers initialized\n");
    return true;
}

// ---- Use

// What the guards hold in quarantine is live for all behind them.
void memory_settle(memory_t *memory)
{
    (void)mete_guard_purge(memory->watchers->guard, SIZE_MAX);
    (void)mete_guard_purge(state_of(METE_SYSTEM_FIXED, &mete_system_with_guard), SIZE_MAX);
}

static bool check_in_front_of(mete_system_pattern_t pattern)
{
    return mete_guard_check(state_of(pattern, &mete_system_with_guard)) &&
           mete_track_check(state_of(pattern, &mete_system_with_track));
}

bool memory_check(const memory_t *memory)
{
    return mete_system_check(memory_system) && check_in_front_of(METE_SYSTEM_VARIABLE) &&
           check_in_front_of(METE_SYSTEM_FIXED) && mete_quota_check(watchers.quota) &&
           mete_timing_check(watchers.timing) &&
           mete_health_check(state_of(METE_SYSTEM_VARIABLE, &mete_system_with_health)) &&
           mete_integrity_check(&watchers.integrity) && mete_audit_check(&watchers.audit) &&
           mete_postmortem_check(&watchers.black_box) && mete_stack_check(&memory->stack);
}
