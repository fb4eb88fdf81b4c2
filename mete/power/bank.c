// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One moment is kept for all banks: when something changes, the time since then is added to the state in which each bank
// was. So the times of every bank add up to the same, which check() looks at.

#include "mete/power/bank.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

enum { ACTIVE = METE_RAM_ACTIVE, STATES = METE_RAM_STATE_COUNT };

typedef mete_bank_record_t record_t;

// ---- Energy

// A thousandth, digit by digit of base 65536: small cores divide words, or not even those.
static uint64_t thousandth(uint64_t value)
{
    uint64_t quotient = 0U;
    uint32_t rest = 0U;
    for (unsigned shift = 64U; shift != 0U;) {
        shift -= 16U;
        const uint32_t digit = (rest << 16) | ((uint32_t)(value >> shift) & 0xFFFFU);
        quotient |= (uint64_t)(digit / 1000U) << shift;
        rest = digit % 1000U;
    }
    return quotient;
}

// What 64 bits cannot say is the largest number there is: less would be a lie that looks good.
static uint64_t sum_of(uint64_t a, uint64_t b)
{
    const uint64_t sum = a + b;
    return (sum >= a) ? sum : UINT64_MAX;
}

// Microwatts times milliseconds are nanojoules. Of the rest of a millisecond the product fits in any case.
uint64_t mete_bank_energy_of(uint32_t power_uw, uint64_t time_us)
{
    const uint64_t time_ms = thousandth(time_us);
    const uint32_t rest_us = (uint32_t)(time_us - (time_ms * 1000U));
    const uint64_t low = (uint64_t)(uint32_t)time_ms * power_uw;
    const uint64_t high = ((time_ms >> 32) * power_uw) + (low >> 32);
    if ((high >> 32) != 0U) {
        return UINT64_MAX;
    }
    return sum_of((high << 32) | (uint32_t)low, thousandth((uint64_t)rest_us * power_uw));
}

// ---- init

// Every state that can be entered can be left for ACTIVE.
static bool is_kind_legal(const mete_bank_kind_t *kind)
{
    for (size_t from = 0U; from < (size_t)STATES; from++) {
        for (size_t to = 0U; to < (size_t)STATES; to++) {
            const bool is_way = (from != to) && kind->changes[from][to].is_legal;
            if (is_way && (to != (size_t)ACTIVE) && !kind->changes[to][ACTIVE].is_legal) {
                return false;
            }
        }
    }
    return kind->modes[ACTIVE].retains;
}

static bool overlap(mete_span_t a, mete_span_t b)
{
    return mete_span_has(a, b.start) || mete_span_has(b, a.start);
}

static bool is_place_legal(const mete_bank_config_t *config, size_t index)
{
    const mete_bank_place_t *const place = &config->places[index];
    if (!mete_span_is_legal(place->span) || (place->span.size == 0U) || (place->kind == NULL) ||
        !is_kind_legal(place->kind)) {
        return false;
    }
    for (size_t i = 0U; i < index; i++) {
        if (overlap(config->places[i].span, place->span)) {
            return false;
        }
    }
    return true;
}

static bool is_legal(const mete_bank_config_t *config)
{
    if ((config->places == NULL) || (config->records == NULL) || (config->bank_count == 0U) ||
        (config->bank_count > METE_BANK_COUNT_MAX) || (config->ram.ops == NULL) ||
        (config->ram.ops->change == NULL) || (config->clock == NULL) || (config->tick_us == 0U)) {
        return false;
    }
    for (size_t i = 0U; i < config->bank_count; i++) {
        if (!is_place_legal(config, i)) {
            return false;
        }
    }
    return true;
}

bool mete_bank_init(mete_bank_t *bank, const mete_bank_config_t *config)
{
    METE_ASSERT((bank != NULL) && (config != NULL));
    if (!is_legal(config)) {
        return false;
    }
    bank->config = config;
    bank->total_us = 0U;
    bank->ticks = config->clock();
    bank->awake_set = UINT32_MAX >> (METE_BANK_COUNT_MAX - config->bank_count);
    bank->refusals = 0U;
    for (size_t i = 0U; i < config->bank_count; i++) {
        record_t *const record = &config->records[i];
        for (size_t state = 0U; state < (size_t)STATES; state++) {
            record->state_us[state] = 0U;
        }
        record->change_nj = 0U;
        record->change_count = 0U;
        record->state = ACTIVE;
    }
    METE_ASSERT(mete_bank_check(bank));
    return true;
}

// ---- Changes

static bool has(const mete_bank_t *bank, size_t index)
{
    return index < bank->config->bank_count;
}

// A state that there is, and the set of those awake says the same.
static bool is_record_sound(const mete_bank_t *bank, size_t index)
{
    const uint32_t state = bank->config->records[index].state;
    return (state < (uint32_t)STATES) &&
           ((state == (uint32_t)ACTIVE) == mete_bank_is_awake(bank, index));
}

static bool are_records_sound(const mete_bank_t *bank)
{
    for (size_t i = 0U; i < bank->config->bank_count; i++) {
        if (!is_record_sound(bank, i)) {
            return false;
        }
    }
    return true;
}

static uint64_t passed_us(const mete_bank_t *bank, uint32_t now)
{
    return (uint64_t)(now - bank->ticks) * bank->config->tick_us;
}

static void note(mete_bank_t *bank)
{
    const uint32_t now = bank->config->clock();
    const uint64_t passed = passed_us(bank, now);
    for (size_t i = 0U; i < bank->config->bank_count; i++) {
        record_t *const record = &bank->config->records[i];
        record->state_us[record->state] += passed;
    }
    bank->total_us += passed;
    bank->ticks = now;
}

static const mete_bank_change_t *change_of(const mete_bank_t *bank, size_t index, uint32_t to)
{
    return &bank->config->places[index].kind->changes[bank->config->records[index].state][to];
}

// METE_FAULT_ASSERT: nothing speaks against it.
static mete_fault_t judge(const mete_bank_t *bank, size_t index, uint32_t state)
{
    if (!has(bank, index)) {
        return METE_FAULT_FOREIGN;
    }
    if (!are_records_sound(bank)) {
        return METE_FAULT_CORRUPT;
    }
    const bool is_there = (bank->config->records[index].state == state);
    const bool is_legal_change =
        (state < (uint32_t)STATES) && (is_there || change_of(bank, index, state)->is_legal);
    return is_legal_change ? METE_FAULT_ASSERT : METE_FAULT_ORDER;
}

// Where the bank starts that a fault is about.
static const void *start_of(const mete_bank_t *bank, size_t index)
{
    return has(bank, index) ? bank->config->places[index].span.start : NULL;
}

static bool tell_driver(const mete_bank_t *bank, size_t index, mete_ram_state_t state)
{
    const mete_bank_place_t *const place = &bank->config->places[index];
    mete_ram_change_t
        change;  // Field by field: an initializer may become a call to memset(), which is libc.
    change.index = index;
    change.span.start = place->span.start;
    change.span.size = place->span.size;
    change.from = (mete_ram_state_t)bank->config->records[index].state;
    change.to = state;
    change.retains = place->kind->modes[state].retains;
    return bank->config->ram.ops->change(bank->config->ram.self, &change);
}

static void take_down(mete_bank_t *bank, size_t index, mete_ram_state_t state)
{
    record_t *const record = &bank->config->records[index];
    const uint32_t bit = (uint32_t)1U << index;
    record->change_nj =
        sum_of(record->change_nj, change_of(bank, index, (uint32_t)state)->energy_nj);
    record->change_count++;
    record->state = (uint32_t)state;
    bank->awake_set =
        (state == METE_RAM_ACTIVE) ? (bank->awake_set | bit) : (bank->awake_set & ~bit);
}

// The time of the change itself counts for the state that it leads to: what was before is noted before.
static bool change(mete_bank_t *bank, size_t index, mete_ram_state_t state)
{
    if (bank->config->records[index].state == (uint32_t)state) {
        return true;
    }
    note(bank);
    if (!tell_driver(bank, index, state)) {
        bank->refusals++;
        return false;
    }
    take_down(bank, index, state);
    METE_ASSERT((METE_CHECK_LEVEL < 3) || mete_bank_check(bank));
    mete_event_t event;
    event.kind = METE_EVENT_BANK;
    event.source = bank;
    event.block = start_of(bank, index);
    event.size = (size_t)state;
    event.caller = NULL;
    mete_observe(bank->config->observer, &event);
    return true;
}

bool mete_bank_sleep(mete_bank_t *bank, size_t index, mete_ram_state_t state)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL));
    const mete_fault_t fault = IS_CHECKED ? judge(bank, index, (uint32_t)state) : METE_FAULT_ASSERT;
    if (fault != METE_FAULT_ASSERT) {
        METE_FAULT(fault, (const void *)bank, start_of(bank, index));
        return false;
    }
    return change(bank, index, state);
}

bool mete_bank_wake(mete_bank_t *bank, size_t index)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL));
    const mete_fault_t fault = IS_CHECKED ? judge(bank, index, ACTIVE) : METE_FAULT_ASSERT;
    if (fault != METE_FAULT_ASSERT) {
        METE_FAULT(fault, (const void *)bank, start_of(bank, index));
        return false;
    }
    return change(bank, index, METE_RAM_ACTIVE);
}

void mete_bank_note(mete_bank_t *bank)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL));
    if (IS_CHECKED && !are_records_sound(bank)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)bank, (const void *)bank->config->records);
        return;
    }
    note(bank);
}

// ---- Questions

bool mete_bank_allows(const mete_bank_t *bank, size_t index, mete_ram_state_t state)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL));
    return judge(bank, index, (uint32_t)state) == METE_FAULT_ASSERT;
}

size_t mete_bank_find(const mete_bank_t *bank, const void *address)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL));
    size_t index = 0U;
    while (has(bank, index) && !mete_span_has(bank->config->places[index].span, address)) {
        index++;
    }
    return index;
}

static void clear(mete_bank_usage_t *usage)
{
    for (size_t state = 0U; state < (size_t)STATES; state++) {
        usage->state_us[state] = 0U;
    }
    usage->change_nj = 0U;
    usage->energy_nj = 0U;
    usage->all_on_nj = 0U;
    usage->change_count = 0U;
}

static void add_usage(const mete_bank_t *bank, size_t index, uint32_t now, mete_bank_usage_t *sum)
{
    const record_t *const record = &bank->config->records[index];
    const mete_bank_kind_t *const kind = bank->config->places[index].kind;
    const uint64_t passed = passed_us(bank, now);
    for (uint32_t state = 0U; state < (uint32_t)STATES; state++) {
        const uint64_t time_us = record->state_us[state] + ((state == record->state) ? passed : 0U);
        sum->state_us[state] += time_us;
        sum->energy_nj =
            sum_of(sum->energy_nj, mete_bank_energy_of(kind->modes[state].power_uw, time_us));
    }
    sum->change_nj = sum_of(sum->change_nj, record->change_nj);
    sum->energy_nj = sum_of(sum->energy_nj, record->change_nj);
    sum->all_on_nj = sum_of(
        sum->all_on_nj, mete_bank_energy_of(kind->modes[ACTIVE].power_uw, bank->total_us + passed));
    sum->change_count += record->change_count;
}

bool mete_bank_read(const mete_bank_t *bank, size_t index, mete_bank_usage_t *usage)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL) && (usage != NULL));
    if (IS_CHECKED && !(has(bank, index) && are_records_sound(bank))) {
        METE_FAULT(has(bank, index) ? METE_FAULT_CORRUPT : METE_FAULT_FOREIGN, (const void *)bank,
                   start_of(bank, index));
        return false;
    }
    clear(usage);
    add_usage(bank, index, bank->config->clock(), usage);
    return true;
}

bool mete_bank_read_total(const mete_bank_t *bank, mete_bank_usage_t *usage)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL) && (usage != NULL));
    if (IS_CHECKED && !are_records_sound(bank)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)bank, (const void *)bank->config->records);
        return false;
    }
    const uint32_t now = bank->config->clock();
    clear(usage);
    for (size_t i = 0U; i < bank->config->bank_count; i++) {
        add_usage(bank, i, now, usage);
    }
    return true;
}

// ---- check

// After a reset it is active; into any other state leads a change.
static bool exists(const mete_bank_kind_t *kind, uint32_t state)
{
    bool is_there = (state == (uint32_t)ACTIVE);
    for (uint32_t from = 0U; !is_there && (from < (uint32_t)STATES); from++) {
        is_there = (from != state) && kind->changes[from][state].is_legal;
    }
    return is_there;
}

bool mete_bank_check(const mete_bank_t *bank)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL));
    for (size_t i = 0U; i < bank->config->bank_count; i++) {
        uint64_t sum = 0U;
        for (size_t state = 0U; state < (size_t)STATES; state++) {
            sum += bank->config->records[i].state_us[state];
        }
        if ((sum != bank->total_us) || !is_record_sound(bank, i) ||
            !exists(bank->config->places[i].kind, bank->config->records[i].state)) {
            return false;
        }
    }
    return (bank->awake_set >> 1 >> (bank->config->bank_count - 1U)) == 0U;
}
