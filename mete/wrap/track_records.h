// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TRACK_RECORDS_H
#define METE_TRACK_RECORDS_H

// A part of track.c: the record in front of a block, when it can be read, and when it can be trusted.
//
// The check word of a record holds together its address, its tracker's, its size and its alignment: one
// compare with what a caller says verifies them all, and the size once more beside it leaves no two ways
// to be right. What the word says beyond that is whether the record is in the list. So blocks that are
// not, and suspects, fail the compare and cost those that pass it nothing.
//
// Links are trusted when the record they lead to lies where records can lie and leads back. That both
// neighbours do so is also what tells a live block from one that is gone.

#include "mete/core/stride.h"
#include "mete/wrap/track.h"

typedef mete_dlist_link_t link_t;
typedef mete_track_record_t record_t;
typedef mete_track_block_t block_t;

enum { ALIGN_MIN = METE_TRACK_ALIGN_MIN, ALIGN_MIN_LOG2 = 3 };

// Trackers that are neighbours shall differ where no alignment does, and a size that changed places with
// its check word shall be noticed.
enum { KEY_ROTATION = 13, SIZE_ROTATION = 16 };

// What a check word says of a record. Any two differ in half of all bits, or in all.
#define STATE_LISTED  ((uintptr_t)0U)
#define STATE_SUSPECT UINTPTR_MAX
#define STATE_LOOSE   (UINTPTR_MAX / 0xFFU * 0x5AU)  // In every byte.

static inline record_t *record_at(const link_t *link)
{
    return (record_t *)(uintptr_t)link;
}

static inline record_t *record_of(const void *block)
{
    return (record_t *)((uintptr_t)block - sizeof(record_t));
}

// ---- The check word

// What tells a record from those elsewhere, and from those of other trackers.
static inline uintptr_t key_of(const mete_track_t *track, const record_t *record)
{
    return (uintptr_t)record ^ mete_stride_rotate((uintptr_t)track, KEY_ROTATION);
}

static inline uintptr_t check_of(const mete_track_t *track, const record_t *record, size_t size,
                                 size_t align, uintptr_t state)
{
    return key_of(track, record) ^ mete_stride_rotate(size, SIZE_ROTATION) ^ align ^ state;
}

// What the check word holds: the alignment, and in which state the record is. 0: neither, it is no record.
static inline size_t align_of(const mete_track_t *track, const record_t *record, uintptr_t *state)
{
    static const uintptr_t states[] = {STATE_LISTED, STATE_SUSPECT, STATE_LOOSE};
    for (size_t i = 0U; i < sizeof states / sizeof states[0]; i++) {
        const size_t align = record->check ^ check_of(track, record, record->size, 0U, states[i]);
        if (mete_align_is_legal(align)) {
            *state = states[i];
            return align;
        }
    }
    return 0U;
}

static inline bool is_recorded(const mete_track_t *track, const record_t *record)
{
    uintptr_t state = STATE_LOOSE;
    return (align_of(track, record, &state) != 0U) && (state != STATE_LOOSE);
}

// ---- What may be read

// True if a record can lie there. Rotated, what is not aligned becomes a large number.
static inline bool is_inside(const mete_track_t *track, const void *address)
{
    return mete_stride_rotate((uintptr_t)address - track->low, ALIGN_MIN_LOG2) < track->extent;
}

static inline bool leads_somewhere(const mete_track_t *track, const link_t *to)
{
    return (to == &track->list) || METE_LIKELY(is_inside(track, to));
}

// True if both neighbours of a record lead back to it.
static inline bool agrees(const mete_track_t *track, const link_t *link)
{
    return leads_somewhere(track, link->next) && leads_somewhere(track, link->previous) &&
           METE_LIKELY(mete_dlist_agrees(link));
}

static inline const void **frames_of(const mete_track_t *track, const record_t *record)
{
    return (const void **)((uintptr_t)record - (track->config->frame_count * sizeof(void *)));
}

#endif
