// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A step may be interrupted by whoever opens a gate, writes, and closes it again, or interrupt him. So a gate
// counts its turns: a step that finds another number after reading than before has read
// nothing that counts. Whoever closes keeps the gate open until the sums are new.

#include "mete/protect/integrity.h"

#include "mete/core/crc.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// What stands before is done before what stands behind, as far as an interrupt can see.
#define IN_ORDER() __asm__ volatile("" ::: "memory")

typedef mete_integrity_region_t region_t;
typedef mete_integrity_gate_t gate_t;
typedef mete_integrity_slice_t slice_t;

static uint32_t now_of(const mete_integrity_t *integrity)
{
    return (integrity->config->clock != NULL) ? integrity->config->clock() : 0U;
}

// For indexes up to the number of slices; larger ones might overflow. Without a division, which small cores
// have not.
static bool has_slice(const mete_integrity_t *integrity, const region_t *region, size_t index)
{
    return index * integrity->config->slice_size < region->size;
}

static const unsigned char *slice_start(const mete_integrity_t *integrity, const region_t *region,
                                        size_t index)
{
    return (const unsigned char *)region->start + (index * integrity->config->slice_size);
}

// The last slice of a region may be shorter.
static size_t slice_size(const mete_integrity_t *integrity, const region_t *region, size_t index)
{
    const size_t left = region->size - (index * integrity->config->slice_size);
    return (left < integrity->config->slice_size) ? left : integrity->config->slice_size;
}

static uint32_t crc_of(const mete_integrity_t *integrity, const region_t *region, size_t index)
{
    return mete_crc32(0U, slice_start(integrity, region, index),
                      slice_size(integrity, region, index));
}

static bool is_open(const region_t *region)
{
    return (region->gate != NULL) && (*(const volatile uint32_t *)&region->gate->depth != 0U);
}

static uint32_t turn_of(const region_t *region)
{
    return (region->gate != NULL) ? *(const volatile uint32_t *)&region->gate->turn : 0U;
}

static void learn(const mete_integrity_t *integrity, const region_t *region)
{
    const uint32_t now = now_of(integrity);
    for (size_t i = 0U; has_slice(integrity, region, i); i++) {
        region->slices[i].crc = crc_of(integrity, region, i);
        region->slices[i].right_ticks = now;
    }
}

static void shut(gate_t *gate)
{
    IN_ORDER();
    gate->turn++;
    gate->is_overdue = false;
    IN_ORDER();
    gate->depth = 0U;
    IN_ORDER();
}

// ---- Start

static bool is_legal_region(const region_t *region, size_t slice_size_max)
{
    return (region->start != NULL) && (region->slices != NULL) && (region->size != 0U) &&
           (region->size <= UINTPTR_MAX - (uintptr_t)region->start) &&
           (slice_size_max <= SIZE_MAX - region->size);
}

static bool is_legal(const mete_integrity_config_t *config)
{
    bool is_good =
        (config->regions != NULL) && (config->region_count != 0U) && (config->slice_size != 0U);
    for (size_t i = 0U; is_good && (i < config->region_count); i++) {
        is_good = is_legal_region(&config->regions[i], config->slice_size);
    }
    return is_good;
}

bool mete_integrity_init(mete_integrity_t *integrity, const mete_integrity_config_t *config)
{
    METE_ASSERT((integrity != NULL) && (config != NULL));
    if (!is_legal(config)) {
        return false;
    }
    integrity->config = config;
    for (size_t i = 0U; i < config->region_count; i++) {
        learn(integrity, &config->regions[i]);
        if (config->regions[i].gate != NULL) {
            config->regions[i].gate->turn = 0U;
            config->regions[i].gate->opened_ticks = 0U;
            shut(config->regions[i].gate);
        }
    }
    integrity->region_index = 0U;
    integrity->slice_index = 0U;
    integrity->round_ticks = now_of(integrity);
    integrity->is_resting = false;
    integrity->round_count = 0U;
    integrity->late_count = 0U;
    integrity->break_count = 0U;
    return true;
}

// ---- What is wrong

static bool is_last_break(const mete_integrity_t *integrity, size_t region_index,
                          size_t slice_index)
{
    const mete_integrity_break_t *const last = &integrity->last;
    return (integrity->break_count != 0U) && (last->region_index == region_index) &&
           (last->slice_index == slice_index) &&
           (last->right_ticks ==
            integrity->config->regions[region_index].slices[slice_index].right_ticks);
}

// Of the same break the time at which it was first found is kept.
static void note_break(mete_integrity_t *integrity, size_t region_index, size_t slice_index)
{
    const region_t *const region = &integrity->config->regions[region_index];
    mete_integrity_break_t *const last = &integrity->last;
    if (!is_last_break(integrity, region_index, slice_index)) {
        last->region_index = region_index;
        last->slice_index = slice_index;
        last->start = slice_start(integrity, region, slice_index);
        last->size = slice_size(integrity, region, slice_index);
        last->right_ticks = region->slices[slice_index].right_ticks;
        last->wrong_ticks = now_of(integrity);
    }
    integrity->break_count++;
}

// The first slice of a region that is wrong; their number if none is.
static size_t find_wrong(const mete_integrity_t *integrity, const region_t *region)
{
    size_t index = 0U;
    while (has_slice(integrity, region, index) &&
           (crc_of(integrity, region, index) == region->slices[index].crc)) {
        index++;
    }
    return index;
}

// ---- Steps

// Ends the round: the next one begins a period after this one did, or at once if that is past.
static void end_round(mete_integrity_t *integrity)
{
    const uint32_t taken = now_of(integrity) - integrity->round_ticks;
    const bool is_late =
        (integrity->config->clock != NULL) && (taken > integrity->config->period_ticks);
    integrity->round_count++;
    integrity->late_count += is_late ? 1U : 0U;
    integrity->region_index = 0U;
    integrity->slice_index = 0U;
    integrity->is_resting = true;
}

// True if a slice is due. A round that is late moves those after it.
static bool is_due(mete_integrity_t *integrity)
{
    if (!integrity->is_resting) {
        return true;
    }
    const uint32_t period = integrity->config->period_ticks;
    const uint32_t now = now_of(integrity);
    const uint32_t passed = now - integrity->round_ticks;
    if ((integrity->config->clock != NULL) && (passed < period)) {
        return false;
    }
    integrity->round_ticks = (passed - period < period) ? integrity->round_ticks + period : now;
    integrity->is_resting = false;
    return true;
}

static void advance_region(mete_integrity_t *integrity)
{
    integrity->slice_index = 0U;
    integrity->region_index++;
    if (integrity->region_index >= integrity->config->region_count) {
        end_round(integrity);
    }
}

static void advance(mete_integrity_t *integrity, const region_t *region)
{
    integrity->slice_index++;
    if (!has_slice(integrity, region, integrity->slice_index)) {
        advance_region(integrity);
    }
}

static bool is_overdue(const mete_integrity_t *integrity, const gate_t *gate)
{
    const uint32_t limit = integrity->config->open_ticks_max;
    return (limit != 0U) && !gate->is_overdue && (now_of(integrity) - gate->opened_ticks > limit);
}

// A region that is open: all of it is passed over, unless it should have been closed long ago.
static mete_integrity_step_t pass_over(mete_integrity_t *integrity, const region_t *region)
{
    advance_region(integrity);
    if (is_overdue(integrity, region->gate)) {
        region->gate->is_overdue = true;
        METE_FAULT(METE_FAULT_ORDER, integrity, region->start);
        return METE_INTEGRITY_WRONG;
    }
    return METE_INTEGRITY_IDLE;
}

static mete_integrity_step_t check_slice(mete_integrity_t *integrity, const region_t *region)
{
    const size_t region_index = integrity->region_index;
    const size_t index = integrity->slice_index;
    const uint32_t turn = turn_of(region);
    IN_ORDER();
    const bool is_right = crc_of(integrity, region, index) == region->slices[index].crc;
    IN_ORDER();
    if (turn_of(region) != turn) {
        return METE_INTEGRITY_DISTURBED;
    }
    advance(integrity, region);
    if (!is_right) {
        note_break(integrity, region_index, index);
        METE_FAULT(METE_FAULT_CORRUPT, integrity, slice_start(integrity, region, index));
        return METE_INTEGRITY_WRONG;
    }
    region->slices[index].right_ticks = now_of(integrity);
    return METE_INTEGRITY_RIGHT;
}

// What says where to go on lies in memory that may have been hit, too.
static bool is_place_legal(const mete_integrity_t *integrity)
{
    const mete_integrity_config_t *const config = integrity->config;
    if (integrity->region_index >= config->region_count) {
        return false;
    }
    const size_t size = config->regions[integrity->region_index].size;
    return integrity->slice_index < METE_INTEGRITY_SLICE_COUNT(size, config->slice_size);
}

mete_integrity_step_t mete_integrity_check_next(mete_integrity_t *integrity)
{
    METE_ASSERT((integrity != NULL) && (integrity->config != NULL));
    if (IS_CHECKED && !is_place_legal(integrity)) {
        METE_FAULT(METE_FAULT_CORRUPT, integrity, integrity);
        integrity->region_index = 0U;
        integrity->slice_index = 0U;
        return METE_INTEGRITY_WRONG;
    }
    mete_integrity_step_t step = METE_INTEGRITY_IDLE;
    for (size_t i = 0U; (step == METE_INTEGRITY_IDLE) && (i < integrity->config->region_count) &&
                        is_due(integrity);
         i++) {
        const region_t *const region = &integrity->config->regions[integrity->region_index];
        step = is_open(region) ? pass_over(integrity, region) : check_slice(integrity, region);
    }
    return step;
}

// ---- Gates

// NULL, and reported, if there is none.
static const region_t *region_of(const mete_integrity_t *integrity, size_t region_index)
{
    if (IS_CHECKED && (region_index >= integrity->config->region_count)) {
        METE_FAULT(METE_FAULT_FOREIGN, integrity, NULL);
        return NULL;
    }
    return &integrity->config->regions[region_index];
}

bool mete_integrity_open(mete_integrity_t *integrity, size_t region_index)
{
    METE_ASSERT((integrity != NULL) && (integrity->config != NULL));
    const region_t *const region = region_of(integrity, region_index);
    if (region == NULL) {
        return false;
    }
    gate_t *const gate = region->gate;
    if (IS_CHECKED && ((gate == NULL) || (gate->depth == UINT32_MAX))) {
        METE_FAULT(METE_FAULT_ORDER, integrity, region->start);
        return false;
    }
    if (gate->depth != 0U) {
        gate->depth++;
        return true;
    }
    const size_t wrong = find_wrong(integrity, region);
    if (has_slice(integrity, region, wrong)) {
        note_break(integrity, region_index, wrong);
        METE_FAULT(METE_FAULT_CORRUPT, integrity, slice_start(integrity, region, wrong));
        return false;
    }
    gate->opened_ticks = now_of(integrity);
    gate->turn++;
    IN_ORDER();
    gate->depth = 1U;
    IN_ORDER();
    return true;
}

void mete_integrity_close(mete_integrity_t *integrity, size_t region_index)
{
    METE_ASSERT((integrity != NULL) && (integrity->config != NULL));
    const region_t *const region = region_of(integrity, region_index);
    if (region == NULL) {
        return;
    }
    gate_t *const gate = region->gate;
    if (IS_CHECKED && ((gate == NULL) || (gate->depth == 0U))) {
        METE_FAULT(METE_FAULT_ORDER, integrity, region->start);
        return;
    }
    if (gate->depth > 1U) {
        gate->depth--;
        return;
    }
    IN_ORDER();
    learn(integrity, region);
    shut(gate);
}

void mete_integrity_reset(mete_integrity_t *integrity, size_t region_index)
{
    METE_ASSERT((integrity != NULL) && (integrity->config != NULL));
    const region_t *const region = region_of(integrity, region_index);
    if (region == NULL) {
        return;
    }
    learn(integrity, region);
    if (region->gate != NULL) {
        shut(region->gate);
    }
}

// ---- Questions

bool mete_integrity_read_break(const mete_integrity_t *integrity, mete_integrity_break_t *last)
{
    METE_ASSERT((integrity != NULL) && (integrity->config != NULL) && (last != NULL));
    if (integrity->break_count == 0U) {
        return false;
    }
    // Field by field: an assignment may become a call to memcpy(), which is libc.
    last->region_index = integrity->last.region_index;
    last->slice_index = integrity->last.slice_index;
    last->start = integrity->last.start;
    last->size = integrity->last.size;
    last->right_ticks = integrity->last.right_ticks;
    last->wrong_ticks = integrity->last.wrong_ticks;
    return true;
}

mete_integrity_usage_t mete_integrity_usage(const mete_integrity_t *integrity)
{
    METE_ASSERT((integrity != NULL) && (integrity->config != NULL));
    const mete_integrity_usage_t usage = {integrity->round_count, integrity->late_count,
                                          integrity->break_count};
    return usage;
}

bool mete_integrity_check(const mete_integrity_t *integrity)
{
    METE_ASSERT((integrity != NULL) && (integrity->config != NULL));
    bool is_right = true;
    for (size_t i = 0U; is_right && (i < integrity->config->region_count); i++) {
        const region_t *const region = &integrity->config->regions[i];
        is_right = is_open(region) || !has_slice(integrity, region, find_wrong(integrity, region));
    }
    return is_right;
}
