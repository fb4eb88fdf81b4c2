// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_POSTMORTEM_H
#define METE_POSTMORTEM_H

/// Post-mortem: what went wrong with memory, kept where a reset does not reach.
///
/// A device in the field resets itself, and what led to it is gone with its RAM's contents, unless it lies in
/// memory that start-up leaves alone. Here that is a record of the last faults, the last refused requests with
/// the largest block that was free then, peaks, and the call sites that held most. The program looks at it after the next start, or whoever
/// has the device dumps the memory: `mete postmortem DUMP` on the host, or `mete postmortem --gdb HOST:PORT` through a
/// debugger's port, says in words what it holds, and where in the source.
///
///     METE_POSTMORTEM_PLACE static mete_postmortem_store_t store;
///     static const mete_postmortem_config_t config = {.store = &store, .clock = mete_clock_ms};
///     if (mete_postmortem_init(&postmortem, &config)) {  // At start.
///         send(mete_postmortem_last(&postmortem));
///     }
///     ...
///     mete_postmortem_note_fault(&postmortem, fault, object, address, caller);  // In your METE_FAULT.
///
/// The record exists twice. A change is written to the older one, and only its last word makes it valid: a
/// reset in the middle loses the change, and nothing else.
///
///   Time     A note, init: O(1), one pass over the record to verify it and one to seal it, each of about ten
///            instructions a byte. last: O(1).
///   Space    Twice METE_POSTMORTEM_RECORD_SIZE in memory that is not initialised, and one mete_postmortem_t.
///   Threads  Not synchronised. Notes must exclude each other. One that comes in the middle of another, from
///            a fault handler say, makes that one be lost.
///   Errors   A record that was overwritten is never taken for a valid one: it is dropped, and that is counted.
///            Nothing here faults, for it is called by fault handlers.
///
/// With a data cache the store must lie where it does not reach, or be cleaned before the reset.

#include "mete/core/observe.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_POSTMORTEM_DEPTH      4U  ///< Faults and refusals that are kept.
#define METE_POSTMORTEM_PEAK_COUNT 4U
#define METE_POSTMORTEM_SITE_COUNT 4U
#define METE_POSTMORTEM_MAGIC      0x4D505431U  ///< The first word of a record.

/// Where the store lies, so that start-up leaves it alone: port/board/sections.ld has such a section.
#define METE_POSTMORTEM_PLACE __attribute__((section(".noinit")))

// All numbers are words, so that the host can read the record of any core.

/// A fault, as METE_FAULT was told.
typedef struct mete_postmortem_fault {
    size_t kind;  ///< A mete_fault_t.
    size_t object;
    size_t address;
    size_t caller;
    size_t tick;  ///< When, by the config's clock,
    size_t boot;  ///< after so many starts.
} mete_postmortem_fault_t;

/// A request that could not be met.
typedef struct mete_postmortem_refusal {
    size_t size;
    size_t caller;             ///< 0: unknown.
    size_t largest_free_size;  ///< Then, in bytes; SIZE_MAX: unknown.
    size_t tick;
    size_t boot;
} mete_postmortem_refusal_t;

/// A call site that held much, and how much when it held most.
typedef struct mete_postmortem_site {
    size_t caller;  ///< 0: unknown.
    size_t count;   ///< Blocks.
    size_t size;    ///< Bytes in them; 0: this entry is free.
} mete_postmortem_site_t;

/// What is kept. The newest of the faults is faults[(fault_total - 1) % METE_POSTMORTEM_DEPTH], and so on.
typedef struct mete_postmortem_record {
    size_t magic;
    size_t word_size;     ///< Bytes in a word.
    size_t sequence;      ///< Changes ever made.
    size_t boot;          ///< Starts since the record is kept.
    size_t damage_total;  ///< Times that a record was dropped because it was overwritten.
    size_t fault_total;
    size_t refusal_total;
    mete_postmortem_fault_t faults[METE_POSTMORTEM_DEPTH];
    mete_postmortem_refusal_t refusals[METE_POSTMORTEM_DEPTH];
    size_t peaks[METE_POSTMORTEM_PEAK_COUNT];
    mete_postmortem_site_t sites[METE_POSTMORTEM_SITE_COUNT];  ///< In no order.
    size_t crc;  ///< CRC-32 of all between it and the magic number.
} mete_postmortem_record_t;

#define METE_POSTMORTEM_RECORD_SIZE (sizeof(mete_postmortem_record_t))

typedef struct mete_postmortem_store {
    mete_postmortem_record_t records[2];
} mete_postmortem_store_t;

/// It must outlive the module; const is best.
typedef struct mete_postmortem_config {
    mete_postmortem_store_t *store;  ///< In memory that survives.
    mete_clock_t clock;              ///< NULL: all ticks are 0.

    /// The largest free block now, in bytes, or about; NULL: unknown. It may be called in the middle of a
    /// refused request: it must only look.
    size_t (*largest_free)(const void *self);
    const void *largest_free_self;
} mete_postmortem_config_t;

/// The fields are here so that it can be static.
typedef struct mete_postmortem {
    const mete_postmortem_config_t *config;
    size_t current;  // Index of the newest record.
} mete_postmortem_t;

/// Goes on with the record in the store, or starts one if there is none. Returns true if one was there: what
/// it holds is from before this start.
bool mete_postmortem_init(mete_postmortem_t *postmortem, const mete_postmortem_config_t *config);

/// The record as it is now. Valid until something is noted.
const mete_postmortem_record_t *mete_postmortem_last(const mete_postmortem_t *postmortem);

void mete_postmortem_note_fault(mete_postmortem_t *postmortem, mete_fault_t fault,
                                const void *object, const void *address, const void *caller);

void mete_postmortem_note_refusal(mete_postmortem_t *postmortem, size_t size, const void *caller);

/// Remembers `value`, of whatever the program calls peak `index`, if it is the highest so far; index <
/// METE_POSTMORTEM_PEAK_COUNT. For a timer, not for every call.
void mete_postmortem_note_peak(mete_postmortem_t *postmortem, size_t index, size_t value);

/// Remembers that `count` blocks of `size` bytes in all were acquired by one call site, if that is the most it ever
/// had and it is among those that had most. For a timer that goes through all sites, with mete_growth_walk() say.
void mete_postmortem_note_site(mete_postmortem_t *postmortem, const void *caller, size_t count,
                               size_t size);

/// A listener that notes METE_EVENT_REFUSE and METE_EVENT_FAULT, for the configs of other modules.
mete_observer_t mete_postmortem_as_observer(mete_postmortem_t *postmortem);

/// Forgets everything but how many starts there were: it has been read.
void mete_postmortem_reset(mete_postmortem_t *postmortem);

/// True if the newest record is whole. Changes nothing.
bool mete_postmortem_check(const mete_postmortem_t *postmortem);

#ifdef __cplusplus
}
#endif
#endif
