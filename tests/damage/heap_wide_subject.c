// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wide heap as a subject of the damage campaign: see heap_subject.c.

#include "mete/alloc/heap_wide.c"

#define SUBJECT damage_heap_wide
#define NAME    "heap_wide"

#include "tests/damage/heap_subject.c"
