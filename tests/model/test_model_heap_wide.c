// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wide heap against the model: see test_model_heap.c.

#include "mete/alloc/heap_wide.h"

#define HEAP(name) mete_heap_wide_##name
typedef mete_heap_wide_t heap_t;
enum { HEADER_SIZE = 8, GRANULES_MIN = 2, BIN_COUNT = 64 };
#define BYTES_MAX \
    (((SIZE_MAX / 8U < 0x7FFFFFFFU) ? (size_t)(SIZE_MAX / 8U) - 1U : (size_t)0x7FFFFFFE) * 8U)
#define SIZE_MIN METE_HEAP_WIDE_SIZE_MIN

#include "tests/model/test_model_heap.c"
