// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/power/bank_report.h"

#include "mete/core/text.h"

enum { STATES = METE_RAM_STATE_COUNT, DIGITS_MAX = 20 };  // Of UINT64_MAX.

// The sink by pointer: some compilers copy it with memcpy() for each call it is passed to.
static void write_text(const mete_sink_t *sink, const char *text)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, text);
}

static void write_number(const mete_sink_t *sink, const char *before, size_t value)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, before);
    mete_text_decimal(by_value, value);
}

static void write_address(const mete_sink_t *sink, const char *before, const void *address)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, before);
    mete_text_hex(by_value, (uintptr_t)address);
}

// Digit by digit of base 65536: small cores divide words, or not even those.
static uint64_t tenth(uint64_t value, uint32_t *rest)
{
    uint64_t quotient = 0U;
    *rest = 0U;
    for (unsigned shift = 64U; shift != 0U;) {
        shift -= 16U;
        const uint32_t digit = (*rest << 16) | ((uint32_t)(value >> shift) & 0xFFFFU);
        quotient |= (uint64_t)(digit / 10U) << shift;
        *rest = digit % 10U;
    }
    return quotient;
}

// Energies and times have 64 bits, also where a size_t has 32.
static void write_wide(const mete_sink_t *sink, const char *before, uint64_t value)
{
    char digits[DIGITS_MAX];
    size_t first = DIGITS_MAX;
    do {
        uint32_t digit;
        value = tenth(value, &digit);
        first--;
        digits[first] = (char)('0' + digit);
    } while (value != 0U);
    write_text(sink, before);
    (void)mete_sink_write(*sink, &digits[first], DIGITS_MAX - first);
}

static void write_energy(const mete_sink_t *sink, const mete_bank_usage_t *usage)
{
    write_wide(sink, " change_nj=", usage->change_nj);
    write_wide(sink, " energy_nj=", usage->energy_nj);
    write_wide(sink, " all_on_nj=", usage->all_on_nj);
    if (usage->energy_nj > usage->all_on_nj) {
        write_wide(sink, " saved_nj=-", usage->energy_nj - usage->all_on_nj);
    } else {
        write_wide(sink, " saved_nj=", usage->all_on_nj - usage->energy_nj);
    }
}

static void write_usage(const mete_sink_t *sink, const mete_bank_usage_t *usage)
{
    static const char *const times[] = {[METE_RAM_ACTIVE] = " active_us=",
                                        [METE_RAM_STANDBY] = " standby_us=",
                                        [METE_RAM_SLEEP] = " sleep_us=",
                                        [METE_RAM_DEEP_SLEEP] = " deep_sleep_us="};
    _Static_assert(sizeof times / sizeof times[0] == STATES, "every state has a name");
    for (size_t state = 0U; state < (size_t)STATES; state++) {
        write_wide(sink, times[state], usage->state_us[state]);
    }
    write_number(sink, " changes=", usage->change_count);
    write_energy(sink, usage);
}

static void write_place(const mete_sink_t *sink, const mete_bank_t *bank, size_t index)
{
    static const char *const states[] = {[METE_RAM_ACTIVE] = " state=active",
                                         [METE_RAM_STANDBY] = " state=standby",
                                         [METE_RAM_SLEEP] = " state=sleep",
                                         [METE_RAM_DEEP_SLEEP] = " state=deep_sleep"};
    _Static_assert(sizeof states / sizeof states[0] == STATES, "every state has a name");
    write_number(sink, "bank index=", index);
    write_address(sink, " start=", mete_bank_span(bank, index).start);
    write_number(sink, " size=", mete_bank_span(bank, index).size);
    write_text(sink, states[mete_bank_state_of(bank, index)]);
}

// As the banks' own: what 64 bits cannot say is the largest number there is.
static uint64_t sum_of(uint64_t a, uint64_t b)
{
    const uint64_t sum = a + b;
    return (sum >= a) ? sum : UINT64_MAX;
}

// What stands in the lines adds up, though time goes on while they are written.
static void add(mete_bank_usage_t *sum, const mete_bank_usage_t *usage)
{
    sum->change_count += usage->change_count;
    sum->change_nj = sum_of(sum->change_nj, usage->change_nj);
    sum->energy_nj = sum_of(sum->energy_nj, usage->energy_nj);
    sum->all_on_nj = sum_of(sum->all_on_nj, usage->all_on_nj);
}

static void write_banks(const mete_sink_t *sink, const mete_bank_t *bank)
{
    size_t awake_count = 0U;
    mete_bank_usage_t sum;  // Times of banks are not added up.
    sum.change_count = 0U;
    sum.change_nj = 0U;
    sum.energy_nj = 0U;
    sum.all_on_nj = 0U;
    for (size_t i = 0U; i < mete_bank_count(bank); i++) {
        mete_bank_usage_t usage;
        (void)mete_bank_read(bank, i, &usage);
        write_place(sink, bank, i);
        write_usage(sink, &usage);
        write_text(sink, "\n");
        add(&sum, &usage);
        awake_count += mete_bank_is_awake(bank, i) ? 1U : 0U;
    }
    write_number(sink, "banks count=", mete_bank_count(bank));
    write_number(sink, " awake=", awake_count);
    write_number(sink, " changes=", sum.change_count);
    write_number(sink, " refusals=", mete_bank_refusals(bank));
    write_energy(sink, &sum);
    write_text(sink, " records=sound\n");
}

bool mete_bank_report_write(const mete_bank_t *bank, mete_sink_t sink)
{
    METE_ASSERT((bank != NULL) && (bank->config != NULL));
    const bool is_sound = mete_bank_check(bank);
    if (is_sound) {
        write_banks(&sink, bank);
    } else {
        write_number(&sink, "banks count=", mete_bank_count(bank));
        write_text(&sink, " records=damaged\n");
    }
    return is_sound;
}

void mete_bank_report_write_usage(const char *name, const mete_bank_usage_t *usage,
                                  mete_sink_t sink)
{
    METE_ASSERT(usage != NULL);
    write_text(&sink, "bank");
    write_usage(&sink, usage);
    if (name != NULL) {
        write_text(&sink, " name=");
        write_text(&sink, name);
    }
    write_text(&sink, "\n");
}
