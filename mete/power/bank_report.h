// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BANK_REPORT_H
#define METE_BANK_REPORT_H

/// What banks of RAM have taken and saved, as text: where each is, how it sleeps, for how long it did, and its energy.
///
///     (void)mete_bank_report_write(&bank, log_sink);
///
/// Text is one line a bank, in the order of the table, and one with the sums of these:
///
///     bank index=0 start=0x10000000 size=32768 state=active active_us=9000 standby_us=0 sleep_us=0 deep_sleep_us=0 changes=0 change_nj=0 energy_nj=2700 all_on_nj=2700 saved_nj=0
///     bank index=1 start=0x10008000 size=32768 state=sleep active_us=1000 standby_us=0 sleep_us=8000 deep_sleep_us=0 changes=1 change_nj=20 energy_nj=416 all_on_nj=2700 saved_nj=2284
///     banks count=2 awake=1 changes=1 refusals=0 change_nj=20 energy_nj=3116 all_on_nj=5400 saved_nj=2284 records=sound
///
/// `energy_nj` is what was used, that of changes included; `all_on_nj` what it would have been awake all the time; `saved_nj`
/// the difference: "-12" if sleeping took more than it saved. Whole numbers, of 64 bits each on every processor.
///
/// Of records that were overwritten only the last line is written: "banks count=2 records=damaged".
///
///   Time     O(banks), and what the sink takes: about 200 bytes a bank. No division but of words.
///   Space    None but the stack.
///   Threads  As the banks. Time goes on while lines are written: each counts up to when it is.
///   Errors   None of its own. A sink that takes less loses the rest.

#include "mete/core/sink.h"
#include "mete/power/bank.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Writes the report. True if the records are sound.
bool mete_bank_report_write(const mete_bank_t *bank, mete_sink_t sink);

/// One account as a line, for who has names for banks, or adds up several: "bank active_us=... saved_nj=... name=radio". The name may
/// have spaces; NULL: there is none.
void mete_bank_report_write_usage(const char *name, const mete_bank_usage_t *usage,
                                  mete_sink_t sink);

#ifdef __cplusplus
}
#endif
#endif
