// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BANK_H
#define METE_BANK_H

/// Banks of RAM that can sleep: which there are, how each sleeps now, and what that has taken and saved.
///
/// For parts whose RAM is made of banks with a supply or clock of their own. This module knows the states of each bank and
/// what lies between them, refuses what is illegal, tells the driver, and keeps account of time and energy. It does
/// not know what lies in a bank: a state that does not retain loses it. Who wants a bank emptied before takes
/// mete/power/evacuation.h; who wants to be told which state pays off takes mete/power/optimiser.h.
///
///     static const mete_bank_place_t places[] = {{{sram1, 32768}, &kind}, {{sram2, 16384}, &kind}};
///     static mete_bank_record_t records[2];
///     static const mete_bank_config_t config = {.places = places, .records = records, .bank_count = 2,
///         .clock = mete_clock_ms, .tick_us = 1000, .ram = {&driver_ops, &driver}};
///     static mete_bank_t bank;
///     (void)mete_bank_init(&bank, &config);             // All banks are active.
///     (void)mete_bank_sleep(&bank, 1, METE_RAM_SLEEP);
///     (void)mete_bank_wake(&bank, 1);
///
///   Time     sleep, wake, note: O(banks), for the account, plus what the driver takes. state_of, span, is_awake, awake_set: O(1),
///            inline. find, read, read_total, check: O(banks). init: O(banks^2).
///   Space    One mete_bank_t; a record of 48 bytes for each bank, in the caller's table. Kinds and places are const.
///   Threads  Not synchronised: calls exclude each other. Nobody may use a bank's memory unless it is active.
///   Errors   A change that the kind does not have: METE_FAULT_ORDER with the bank's start, and false. A bank that there is not:
///            METE_FAULT_FOREIGN; of the inline functions an assertion. A record that cannot be: METE_FAULT_CORRUPT. In all of
///            these nothing has changed. A driver that refuses: false, counted, and the bank is as it was.
///
/// The account. Times are those of the clock, in microseconds, 64 bits wide: 584 000 years. The clock has 32, so one of
/// sleep, wake and note must be called before it has gone round; it must not go back. The time that a change takes counts for the state that it
/// leads to; its energy comes on top. Energy is microwatts times microseconds, in nanojoules, rounded down once for each state; what
/// does not fit 64 bits, after 584 years at 1 W, stays at UINT64_MAX.
/// Compared is with all banks active all the time, which nobody needs a bank module for.

#include "mete/core/base.h"
#include "mete/core/observe.h"
#include "mete/core/platform.h"
#include "mete/core/ram.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Most banks: a set of them is a word.
#define METE_BANK_COUNT_MAX 32U

/// What a bank is like in a state.
typedef struct mete_bank_mode {
    uint32_t power_uw;
    bool retains;  ///< Contents are kept. Must be true for ACTIVE.
} mete_bank_mode_t;

/// What a change from one state to another takes.
typedef struct mete_bank_change {
    uint32_t latency_us;  ///< Until it is done.
    uint32_t energy_nj;   ///< Beside the power of the state that it leads to.
    bool is_legal;        ///< A table that is all zero has no legal change.
} mete_bank_change_t;

/// What banks of a make are like. States that no legal change leads to do not exist. Each that does must have a legal change
/// to ACTIVE: so a bank can always be woken.
typedef struct mete_bank_kind {
    mete_bank_mode_t modes[METE_RAM_STATE_COUNT];
    mete_bank_change_t
        changes[METE_RAM_STATE_COUNT]
               [METE_RAM_STATE_COUNT];  ///< [from][to]. Of one to itself: not looked at.
} mete_bank_kind_t;

/// A bank: where it is, and what it is like.
typedef struct mete_bank_place {
    mete_span_t span;
    const mete_bank_kind_t *kind;
} mete_bank_place_t;

/// What is kept of a bank. Private; the table belongs to the module from init on.
typedef struct mete_bank_record {
    uint64_t state_us[METE_RAM_STATE_COUNT];
    uint64_t change_nj;
    uint32_t change_count;
    uint32_t state;  // A mete_ram_state_t.
} mete_bank_record_t;

/// Which banks there are. It must outlive the module; const is best.
typedef struct mete_bank_config {
    const mete_bank_place_t *places;  ///< bank_count of them, which do not overlap, in any order.
    mete_bank_record_t *records;      ///< bank_count of them.
    size_t bank_count;                ///< 1 to METE_BANK_COUNT_MAX.
    mete_ram_t ram;                   ///< Who does it.
    mete_clock_t clock;
    uint32_t tick_us;          ///< Microseconds of a tick of the clock, at least 1.
    mete_observer_t observer;  ///< Hears METE_EVENT_BANK of each change, after it.
} mete_bank_config_t;

/// All banks of a device. The fields are here so that it can be static; use the functions.
typedef struct mete_bank {
    const mete_bank_config_t *config;
    uint64_t total_us;   // Since init, as far as it was noted,
    uint32_t ticks;      // which was then.
    uint32_t awake_set;  // Bit n: bank n is active.
    size_t refusals;
} mete_bank_t;

/// What a bank, or all of them, took since init.
typedef struct {
    uint64_t state_us[METE_RAM_STATE_COUNT];  ///< Time in each state.
    uint64_t change_nj;                       ///< Energy of all changes;
    uint64_t energy_nj;                       ///< of those and of all states: used.
    uint64_t all_on_nj;     ///< What it would have been without any change, active all the time.
    uint32_t change_count;  ///< Wraps.
} mete_bank_usage_t;

/// Takes down that all banks are active, as they are after a reset. Touches no hardware. False, changing nothing, if
/// the config breaks a limit stated above.
bool mete_bank_init(mete_bank_t *bank, const mete_bank_config_t *config);

/// Puts a bank into a state by one change; if it is in that state already, nothing happens and true is returned. Contents are
/// lost if the state does not retain them: the caller knows that nothing lives there.
bool mete_bank_sleep(mete_bank_t *bank, size_t index, mete_ram_state_t state);

/// As mete_bank_sleep() with ACTIVE. If the state that the bank leaves did not retain, its contents are anything.
bool mete_bank_wake(mete_bank_t *bank, size_t index);

/// Takes down the time that has passed. To be called now and then if nothing sleeps or wakes.
void mete_bank_note(mete_bank_t *bank);

/// True if the bank could be put into that state now, or is in it. False also for a bank that there is not.
bool mete_bank_allows(const mete_bank_t *bank, size_t index, mete_ram_state_t state);

/// The bank that has an address, or bank_count if none has.
size_t mete_bank_find(const mete_bank_t *bank, const void *address);

/// What a bank took, up to now. False, leaving `usage` alone: METE_FAULT_FOREIGN or METE_FAULT_CORRUPT.
bool mete_bank_read(const mete_bank_t *bank, size_t index, mete_bank_usage_t *usage);

/// What all banks took: the sums. False, leaving `usage` alone: METE_FAULT_CORRUPT.
bool mete_bank_read_total(const mete_bank_t *bank, mete_bank_usage_t *usage);

/// Changes that the driver refused.
static inline size_t mete_bank_refusals(const mete_bank_t *bank)
{
    return bank->refusals;
}

/// True if every bank's times add up to the same, and its state is one that is there and agrees with the set of those awake.
/// Changes and reports nothing.
bool mete_bank_check(const mete_bank_t *bank);

/// How many banks there are.
static inline size_t mete_bank_count(const mete_bank_t *bank)
{
    return bank->config->bank_count;
}

/// How a bank sleeps now.
static inline mete_ram_state_t mete_bank_state_of(const mete_bank_t *bank, size_t index)
{
    METE_ASSERT(index < bank->config->bank_count);
    return (mete_ram_state_t)bank->config->records[index].state;
}

/// Where a bank is.
static inline mete_span_t mete_bank_span(const mete_bank_t *bank, size_t index)
{
    METE_ASSERT(index < bank->config->bank_count);
    // Field by field: as a whole it may be copied by memcpy(), which is libc.
    mete_span_t span;
    span.start = bank->config->places[index].span.start;
    span.size = bank->config->places[index].span.size;
    return span;
}

/// Bit n: bank n is active.
static inline uint32_t mete_bank_awake_set(const mete_bank_t *bank)
{
    return bank->awake_set;
}

/// True if a bank may be read and written.
static inline bool mete_bank_is_awake(const mete_bank_t *bank, size_t index)
{
    METE_ASSERT(index < bank->config->bank_count);
    return ((bank->awake_set >> index) & 1U) != 0U;
}

/// What a state of a bank with that power takes, in nanojoules, for so many microseconds: rounded down, at most UINT64_MAX.
uint64_t mete_bank_energy_of(uint32_t power_uw, uint64_t time_us);

#ifdef __cplusplus
}
#endif
#endif
