// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every mistake that only a watcher sees, made on purpose: each must be reported as what it is, and then
// the black box must know of it. What was overwritten is put right as soon as it was reported.

#include "examples/stm32f407/watchers.h"

#include "examples/stm32f407/cycles.h"
#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/core/platform.h"
#include "port/board/board.h"

enum {
    SIZE = 40,
    ALIGN = 8,
    CHECK_COUNT = 32,  // More blocks than there are, those in quarantine included.
    STEP_COUNT = 32,   // More slices than there are.
    FLIP = 1,
    SPOILED_ENTRY = 3
};

// ---- What was reported

void watchers_expect(watchers_t *watchers)
{
    watchers->fault = (struct fault){0, NULL, NULL};
    watchers->expects_fault = true;
}

bool watchers_is_reported(watchers_t *watchers, const char *what, mete_fault_t fault,
                          const void *object, const void *address)
{
    static const char *const names[] = {
        "nothing",     "an assertion", "alignment", "a foreign address",
        "double free", "another size", "order",     "overflow",
        "damage",      "access"};
    watchers->expects_fault = false;
    log_text(what);
    log_text(": reported as ");
    log_text(names[watchers->fault.kind]);
    return (watchers->fault.kind == (int)fault) && (watchers->fault.object == object) &&
           (watchers->fault.address == address);
}

// ---- The guard

static const struct write {
    const char *what;
    ptrdiff_t offset;  // From the start of the block to the byte that is changed.
    mete_guard_side_t side;
    bool is_after_release;
} writes[] = {
    {"Byte past the end", SIZE, METE_GUARD_TAIL, false},
    {"Byte in front of the start", -1, METE_GUARD_HEAD, false},
    {"Byte after release", SIZE / 2, METE_GUARD_CONTENT, true},
};

static bool show_write(memory_t *memory, const struct write *write)
{
    static const char *const names[] = {"nowhere", "head", "tail", "content", "foreign"};
    watchers_t *const watchers = memory->watchers;
    unsigned char *const block = mete_acquire(memory->alloc, SIZE, ALIGN);
    if (block == NULL) {
        return false;
    }
    if (write->is_after_release) {
        mete_release(memory->alloc, block, SIZE, ALIGN);
    }
    block[write->offset] ^= FLIP;
    watchers_expect(watchers);
    (void)mete_guard_check_next(watchers->guard, CHECK_COUNT);
    const mete_guard_damage_t damage = mete_guard_damage_of(watchers->guard, block);
    block[write->offset] ^= FLIP;
    if (!write->is_after_release) {
        mete_release(memory->alloc, block, SIZE, ALIGN);
    }
    const bool is_right =
        watchers_is_reported(watchers, write->what, METE_FAULT_CORRUPT, watchers->guard, block);
    log_text(", ");
    log_text(names[damage.side]);
    log_text((damage.offset < 0) ? ", in front by" : ", at byte");
    LOG(" #\n", (size_t)((damage.offset < 0) ? -damage.offset : damage.offset));
    return is_right && (damage.side == write->side) && (damage.offset == write->offset);
}

static const struct misuse {
    const char *what;
    ptrdiff_t offset;  // From the start of the block to what is released,
    size_t size;       // which is said to have so many bytes.
    bool is_after_release;
    mete_fault_t fault;
} misuses[] = {
    {"Released twice", 0, SIZE, true, METE_FAULT_DOUBLE_FREE},
    {"Released with another size", 0, SIZE + 1, false, METE_FAULT_SIZE},
    {"Released from the middle", ALIGN, SIZE, false, METE_FAULT_FOREIGN},
};

// What is wrong goes straight to the guard: the statistics in front of it would count it.
static bool show_misuse(memory_t *memory, const struct misuse *misuse)
{
    watchers_t *const watchers = memory->watchers;
    unsigned char *const block = mete_acquire(memory->alloc, SIZE, ALIGN);
    if (block == NULL) {
        return false;
    }
    if (misuse->is_after_release) {
        mete_release(memory->alloc, block, SIZE, ALIGN);
    }
    watchers_expect(watchers);
    mete_release(mete_guard_as_alloc(watchers->guard), block + misuse->offset, misuse->size, ALIGN);
    if (!misuse->is_after_release) {
        mete_release(memory->alloc, block, SIZE, ALIGN);
    }
    const bool is_right = watchers_is_reported(watchers, misuse->what, misuse->fault,
                                               watchers->guard, block + misuse->offset);
    log_text("\n");
    return is_right;
}

static bool show_guard(memory_t *memory)
{
    bool is_right = true;
    for (size_t i = 0U; i < sizeof writes / sizeof *writes; i++) {
        is_right = show_write(memory, &writes[i]) && is_right;
    }
    for (size_t i = 0U; i < sizeof misuses / sizeof *misuses; i++) {
        is_right = show_misuse(memory, &misuses[i]) && is_right;
    }
    return is_right;
}

// ---- Integrity

// True if all slices were right.
static bool check_slices(mete_integrity_t *integrity)
{
    bool is_right = true;
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        is_right = (mete_integrity_check_next(integrity) == METE_INTEGRITY_RIGHT) && is_right;
    }
    return is_right;
}

static bool change_through_gate(watchers_t *watchers)
{
    if (!mete_integrity_open(&watchers->integrity, SETTINGS_REGION)) {
        return false;
    }
    watchers->settings[0]++;
    mete_integrity_close(&watchers->integrity, SETTINGS_REGION);
    if (!check_slices(&watchers->integrity)) {
        return false;
    }
    log_text("Settings changed through the gate\n");
    return true;
}

// The step that finds it ends the search: it would be reported again in every round.
static bool change_past_gate(watchers_t *watchers)
{
    enum { OFFSET = 150 };
    watchers->settings[OFFSET] ^= FLIP;
    watchers_expect(watchers);
    size_t left = STEP_COUNT;
    while ((left != 0U) &&
           (mete_integrity_check_next(&watchers->integrity) == METE_INTEGRITY_RIGHT)) {
        left--;
    }
    watchers->settings[OFFSET] ^= FLIP;
    mete_integrity_break_t found = {.slice_index = SIZE_MAX};
    (void)mete_integrity_read_break(&watchers->integrity, &found);
    const bool is_right = watchers_is_reported(
        watchers, "Settings changed past the gate", METE_FAULT_CORRUPT, &watchers->integrity,
        &watchers->settings[OFFSET / SLICE_SIZE * SLICE_SIZE]);
    LOG(", slice #\n", found.slice_index);
    return is_right && (found.region_index == SETTINGS_REGION) &&
           (found.slice_index == OFFSET / SLICE_SIZE);
}

// ---- Quota, timing, health

// True if the quota, and nothing else, has put an end to it.
static bool show_quota(memory_t *memory)
{
    memory_settle(memory);  // Blocks in quarantine count.
    const mete_quota_owner_t *const account = mete_quota_usage(memory->watchers->quota, 0U);
    const size_t room = LIVE_MAX - account->in_use_count;
    const size_t refusals = account->refusals;
    void *blocks[LIVE_MAX];
    size_t count = 0U;
    while (count < LIVE_MAX) {
        blocks[count] = mete_acquire(memory->alloc, SIZE, ALIGN);
        if (blocks[count] == NULL) {
            break;
        }
        count++;
    }
    LOG("Quota: # blocks more, then refused\n", count);
    for (size_t i = 0U; i < count; i++) {
        mete_release(memory->alloc, blocks[i], SIZE, ALIGN);
    }
    return (count == room) && (account->refusals == refusals + 1U);
}

// The clock that it is measured with must go on where nobody counts milliseconds: over the end of one.
static bool is_clock_steady(void)
{
    const uint32_t ms_cycles = mete_board.clock_hz / 1000U;
    const uint32_t ms = mete_clock_ms();
    while (mete_clock_ms() == ms) {
        // It is right for a millisecond without interrupts: from the start of one on, to the next.
    }
    const uintptr_t state = mete_critical_enter();
    uint32_t now = cycles_now();
    uint32_t before = now;
    const uint32_t end = (now / ms_cycles + 1U) * ms_cycles;
    while ((now < end) && (now >= before)) {
        before = now;
        now = cycles_now();
    }
    mete_critical_leave(state);
    return now >= before;
}

static bool show_timing(const mete_timing_t *timing)
{
    const mete_timing_guarantee_t acquire =
        mete_timing_guarantee(timing, METE_TIMING_ACQUIRE, SIZE);
    const mete_timing_guarantee_t release =
        mete_timing_guarantee(timing, METE_TIMING_RELEASE, SIZE);
    LOG("Timing: # bytes were acquired in less than # cycles, released in less than #\n", SIZE,
        acquire.ticks, release.ticks);
    return (acquire.kind == METE_TIMING_LEARNT) && (release.kind == METE_TIMING_LEARNT) &&
           is_clock_steady();
}

// It was scarce when the heap was full, and in pieces when every second block was gone.
static bool show_health(const watchers_t *watchers)
{
    LOG("Health: # warnings, # taken back\n", watchers->warning_count, watchers->relief_count);
    return (watchers->warning_count == 2U) && (watchers->relief_count == 2U);
}

// ---- What is kept

// A log that somebody has changed afterwards shows it.
static bool show_audit(watchers_t *watchers)
{
    const size_t count = mete_audit_count(&watchers->audit);
    const size_t sound = mete_audit_verify(&watchers->audit);
    LOG("Audit: # entries, # sound\n", count, sound);
    watchers->entries[SPOILED_ENTRY].size ^= FLIP;
    const size_t left = mete_audit_verify(&watchers->audit);
    watchers->entries[SPOILED_ENTRY].size ^= FLIP;
    LOG("Audit, with a changed entry: # sound\n", left);
    return (sound == count) && (left == SPOILED_ENTRY);
}

// As the next start sees it.
static bool show_black_box(watchers_t *watchers)
{
    const bool is_kept = watchers_open_black_box(watchers);
    const mete_postmortem_record_t *const record = mete_postmortem_last(&watchers->black_box);
    const mete_postmortem_fault_t *const last =
        &record->faults[(record->fault_total - 1U) % METE_POSTMORTEM_DEPTH];
    LOG("Black box, in start #: # faults, # refusals\n", record->boot, record->fault_total,
        record->refusal_total);
    return is_kept && (last->kind == (size_t)watchers->fault.kind) &&
           (last->address == (uintptr_t)watchers->fault.address);
}

bool watchers_topic(memory_t *memory)
{
    watchers_t *const watchers = memory->watchers;
    log_text("Testing watchers...\n");
    return show_guard(memory) && change_through_gate(watchers) && change_past_gate(watchers) &&
           show_quota(memory) && show_timing(watchers->timing) && show_health(watchers) &&
           show_audit(watchers) && show_black_box(watchers);
}
