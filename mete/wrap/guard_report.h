// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_GUARD_REPORT_H
#define METE_GUARD_REPORT_H

/// Says of a block that mete/wrap/guard.h found damaged what is known of it, as text: what is wrong with
/// it, the blocks nearest below and above, who owns it if somebody knows, and the bytes around the damage.
///
///     guard block=0x20000428 size=24 align=8 state=live damage=tail offset=24
///     guard below=0x20000400 size=16 state=quarantined
///     guard above=none
///     guard dump 0x20000428 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11
///     guard dump 0x20000438 11 11 11 11 11 11 11 11 00 9f 4e 21
///
/// A guard knows no owners. A tracker does: `describer` asks it, and its lines stand before the dump.
/// Below, the guard is in front of the tracker, so the guard's block lies in the tracker's; where the tracker
/// is in front, its block starts METE_TRACK_PREFIX_SIZE(align) behind the guard's.
///
///     static bool show_owner(void *self, const mete_track_block_t *tracked) {
///         const search_t *const search = self;
///         if ((uintptr_t)search->block - (uintptr_t)tracked->block < tracked->size) {
///             mete_text_string(*search->sink, "owner call="); ...
///
///   Time     O(blocks), and the size of the block if it is in quarantine and filled.
///   Space    A few words of stack; no memory of its own.
///   Threads  As the guard. May be called from the handler of METE_FAULT, on the guard that reports.
///   Errors   None. Nothing is read outside of what the guard acquired: of a block whose record was
///            overwritten that is as much as a block of one byte takes.

#include "mete/core/sink.h"
#include "mete/wrap/guard.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Who else knows something of a block: describe() writes it as lines of text. `block` is what the guard
/// handed out.
typedef struct mete_guard_describer {
    void (*describe)(void *self, const void *block, const mete_sink_t *sink);
    void *self;
} mete_guard_describer_t;

/// Writes the report on `block`, the address that the fault named; NULL is allowed. `describer` NULL: nobody
/// knows more. offset is bytes from the start of the block, see mete_guard_damage_t.
void mete_guard_report_write(const mete_guard_t *guard, const void *block,
                             const mete_guard_describer_t *describer, mete_sink_t sink);

#ifdef __cplusplus
}
#endif
#endif
