// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_SIZES_H
#define METE_EXHAUST_SIZES_H

/// How a module gets from a size to a class of sizes, compared with the plainest definition there is.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sizes_subject {
    const char *name;
    /// One size: by a definition that is a loop.
    bool (*is_right)(size_t size);
    /// All 2^32 of them, and what lies beyond: by stepping from class to class.
    bool (*are_all_right)(void);
    /// The largest size of a class, from 0 on; 0 if there is none.
    size_t (*edge)(size_t number);
} sizes_subject_t;

extern const sizes_subject_t sizes_heap;
extern const sizes_subject_t sizes_heap_wide;
extern const sizes_subject_t sizes_buddy;
extern const sizes_subject_t sizes_tier;

#endif
