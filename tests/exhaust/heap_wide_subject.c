// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wide heap as a subject of exhaustion: see heap_subject.c.

#include "mete/alloc/heap_wide.c"

#define SUBJECT(variant) exhaust_heap_wide_##variant
#define NAME             "heap_wide"

#include "tests/exhaust/heap_subject.c"
