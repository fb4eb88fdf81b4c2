// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_REMAINS_H
#define METE_TOOLS_REMAINS_H

/// Finds the record of mete/system/postmortem.h in a dump of memory: of the store alone, or of a whole RAM;
/// of a core with words of 32 or of 64 bits, lowest byte first.

#include "mete/system/postmortem.h"

/// All fields of a mete_postmortem_record_t are words, in the same order on every core.
enum { REMAINS_WORD_COUNT = sizeof(mete_postmortem_record_t) / sizeof(size_t) };

/// The index of a field among the words.
#define REMAINS_INDEX(field) (offsetof(mete_postmortem_record_t, field) / sizeof(size_t))

typedef struct remains {
    uint64_t words[REMAINS_WORD_COUNT];  ///< Of the newest whole record.
    unsigned word_size;                  ///< 4 or 8; 0: there is none.
    size_t offset;                       ///< Where it lies in the dump.
    size_t whole_count;                  ///< Records that are whole,
    size_t broken_count;                 ///< and those that only begin like one.
} remains_t;

/// Looks for records in `size` bytes.
void remains_find(const unsigned char *bytes, size_t size, remains_t *remains);

#endif
