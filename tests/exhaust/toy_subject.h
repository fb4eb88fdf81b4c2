// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_TOY_H
#define METE_EXHAUST_TOY_H

#include "tests/exhaust/exhaust.h"

/// What the toy does wrong while two blocks are held.
typedef enum toy_bug {
    TOY_NONE,
    TOY_OVERLAPS,   ///< A gap is taken for one cell longer.
    TOY_MISALIGNS,  ///< A block does not start where its cell does.
    TOY_REFUSES,    ///< A block of one cell is not to be had.
    TOY_LEAKS,      ///< Of two cells given back one is lost.
    TOY_SPOILS,     ///< A refusal writes into the first block.
    TOY_ACCEPTS,    ///< An address inside a first cell is taken for the block's.
    TOY_WRITES,     ///< A release that is refused is counted.
    TOY_BUG_COUNT
} toy_bug_t;

extern toy_bug_t toy_bug;

/// Scale: cells. Of n cells there are as many states as the Fibonacci number 2n + 1.
extern const exhaust_subject_t toy_subject;

#endif
