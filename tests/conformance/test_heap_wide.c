// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wide heap, held to the interface: see test_heap.c.

#include "mete/alloc/heap_wide.h"

#define HEAP(name) mete_heap_wide_##name
#define HEAP_NAME  "heap_wide"

#include "tests/conformance/test_heap.c"
