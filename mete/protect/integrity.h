// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_INTEGRITY_H
#define METE_INTEGRITY_H

/// Watches memory that must not change: code and constants, and variables that change through a gate only.
///
/// Each region is cut into slices, and a CRC-32 is kept of every slice. A step checks one slice, so it takes
/// a bounded time and can be called when idle or from a timer; once a period all slices have their turn. What
/// was hit by a stray write, a flipped bit or worn-out flash is found with its place, and with the time when it
/// was last right.
///
///     static mete_integrity_slice_t code_slices[METE_INTEGRITY_SLICE_COUNT(CODE_SIZE, 256)];
///     static mete_integrity_slice_t settings_slices[METE_INTEGRITY_SLICE_COUNT(sizeof settings, 256)];
///     static mete_integrity_gate_t settings_gate;
///     static const mete_integrity_region_t regions[] = {
///         {code_start, CODE_SIZE, code_slices, NULL},
///         {&settings, sizeof settings, settings_slices, &settings_gate},
///     };
///     static const mete_integrity_config_t config = {.regions = regions, .region_count = 2,
///         .slice_size = 256, .clock = mete_clock_ms, .period_ticks = 10000};
///     static mete_integrity_t integrity;
///     (void)mete_integrity_init(&integrity, &config);
///     for (;;) { (void)mete_integrity_check_next(&integrity); sleep_until_interrupt(); }
///
///     if (mete_integrity_open(&integrity, 1)) {  // Elsewhere.
///         settings.speed = 7;
///         mete_integrity_close(&integrity, 1);
///     }
///
///   Time     check_next: O(slice_size), and O(regions) to pass over open ones. open, close, reset: O(size of
///            the region). init, check: O(all bytes). docs/costs.md: instructions a byte.
///   Space    One mete_integrity_t; 8 bytes a slice, 16 a gate, in the caller's tables.
///   Align    None.
///   Threads  check_next holds no interrupts off and may be interrupted by open, close and writes, or
///            interrupt them, on one core: what it read meanwhile it reads anew. Calls of check_next exclude
///            each other; so do open, close and reset of one region.
///   Errors   What has changed: METE_FAULT_CORRUPT with the slice's start; mete_integrity_read_break() tells
///            the rest, also in the handler. METE_FAULT_ORDER: a gate that is closed but not open, that is
///            opened but does not exist, or that stays open for too long.
///
/// A CRC finds every change of up to 32 bits in a row, and of others all but one in 2^32; it is no protection
/// from someone who means to deceive. What is right is what stands there at init: compare code with a CRC from
/// the build first (mete/core/crc.h). A change outside of the gate is found even if the gate is used before its
/// slice has its turn, for open looks first. What is written by mistake while the gate is open is not.

#include "mete/core/base.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is known of a slice. Belongs to the module from init on.
typedef struct mete_integrity_slice {
    uint32_t crc;
    uint32_t right_ticks;  // When it was last found right.
} mete_integrity_slice_t;

/// How many slices a region has.
#define METE_INTEGRITY_SLICE_COUNT(size, slice_size) (((size) + (slice_size)-1U) / (slice_size))

/// The gate of a region with variables. Belongs to the module from init on.
typedef struct mete_integrity_gate {
    uint32_t depth;  // How often it was opened and not closed. 0: closed.
    uint32_t turn;   // Counts openings and closings.
    uint32_t opened_ticks;
    bool is_overdue;  // Was reported.
} mete_integrity_gate_t;

/// A region. Regions may touch, and must not overlap if one has a gate.
typedef struct mete_integrity_region {
    const void *start;
    size_t size;                     ///< Bytes, at least 1.
    mete_integrity_slice_t *slices;  ///< METE_INTEGRITY_SLICE_COUNT(size, slice_size) of them.
    mete_integrity_gate_t *gate;     ///< NULL: it never changes.
} mete_integrity_region_t;

/// What is watched, and how often. It must outlive the module; const is best.
typedef struct mete_integrity_config {
    const mete_integrity_region_t *regions;
    size_t region_count;  ///< At least 1.
    size_t slice_size;    ///< Most bytes that a step looks at; at least 1.
    mete_clock_t clock;   ///< NULL: all times are 0, and every step looks at a slice.
    uint32_t
        period_ticks;  ///< All slices are checked once in this time, if steps come often enough.
    uint32_t open_ticks_max;  ///< A gate that is open for longer was forgotten. 0: none ever is.
} mete_integrity_config_t;

/// Where and since when something is wrong.
typedef struct mete_integrity_break {
    size_t region_index;
    size_t slice_index;
    const void *start;     ///< Of the slice;
    size_t size;           ///< its bytes.
    uint32_t right_ticks;  ///< When it was last found right,
    uint32_t wrong_ticks;  ///< and when it was first found wrong.
} mete_integrity_break_t;

/// The fields are here so that it can be static; use the functions to read them.
typedef struct mete_integrity {
    const mete_integrity_config_t *config;
    size_t region_index;  // Of the slice that is next.
    size_t slice_index;
    uint32_t round_ticks;  // When this round began.
    bool is_resting;       // It has ended.
    uint32_t round_count;
    uint32_t late_count;
    uint32_t break_count;
    mete_integrity_break_t last;
} mete_integrity_t;

/// What a step has done.
typedef enum mete_integrity_step {
    METE_INTEGRITY_RIGHT = 0,  ///< A slice was right.
    METE_INTEGRITY_WRONG,      ///< A slice was not, or a gate was forgotten; it was reported.
    METE_INTEGRITY_DISTURBED,  ///< A gate was used meanwhile: the slice is checked later.
    METE_INTEGRITY_IDLE        ///< Nothing is due.
} mete_integrity_step_t;

/// How it goes. Counts from init; they wrap at 2^32.
typedef struct {
    uint32_t round_count;  ///< Rounds that ended.
    uint32_t late_count;   ///< Of these took longer than the period: steps come too seldom.
    uint32_t break_count;  ///< Slices found wrong, again each time.
} mete_integrity_usage_t;

/// Takes what stands in all regions for right, and closes all gates. Returns false, changing nothing, if the
/// config breaks a limit stated above.
bool mete_integrity_init(mete_integrity_t *integrity, const mete_integrity_config_t *config);

/// One step: checks the next slice, if one is due. A slice that is wrong is reported in every round; the
/// step goes on behind it. Open regions are passed over.
mete_integrity_step_t mete_integrity_check_next(mete_integrity_t *integrity);

/// Opens the gate of a region, after a look whether all of it is right. False if it is not: reported, and
/// the gate stays closed. May be nested: each opening needs its closing, and only the first looks.
bool mete_integrity_open(mete_integrity_t *integrity, size_t region_index);

/// Closes it: with the last closing, what stands there now is right.
void mete_integrity_close(mete_integrity_t *integrity, size_t region_index);

/// Takes what stands in a region now for right, as after a repair, and closes its gate if it has one.
void mete_integrity_reset(mete_integrity_t *integrity, size_t region_index);

/// Copies out what was found wrong last. False if nothing ever was.
bool mete_integrity_read_break(const mete_integrity_t *integrity, mete_integrity_break_t *last);

/// How it goes.
mete_integrity_usage_t mete_integrity_usage(const mete_integrity_t *integrity);

/// True if every region whose gate is closed is right. Changes and reports nothing. O(all bytes).
bool mete_integrity_check(const mete_integrity_t *integrity);

#ifdef __cplusplus
}
#endif
#endif
