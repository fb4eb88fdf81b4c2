// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The heap at twice the width: see heap.c, which this compiles under other names.

#include "mete/alloc/heap_wide.h"

#define HEAP(name) mete_heap_wide_##name
typedef mete_heap_wide_t heap_t;
typedef uint32_t half_t;
typedef uint64_t map_t;
typedef uint64_t slack_t;
typedef uint64_t squares_t;
typedef uint64_t reach_t;
enum {
    WORD = 8,
    MIN = 2,
    BIN_COUNT = 64,
};
// Of a payload: by the sizes that a header can tell, and on 32-bit targets by size_t.
#define SIZE_LIMIT     (((SIZE_MAX / 8U < 0x7FFFFFFFU) ? SIZE_MAX / 8U - 1U : 0x7FFFFFFEU) * 8U)
#define first_bin(map) mete_bits_clz64(map)

#include "mete/alloc/heap.c"
