// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Sizes, granules and bins of the wide heap: see heap_sizes.c.

#include "mete/alloc/heap_wide.c"

#define SUBJECT sizes_heap_wide
#define NAME    "heap_wide"

#include "tests/exhaust/heap_sizes.c"
