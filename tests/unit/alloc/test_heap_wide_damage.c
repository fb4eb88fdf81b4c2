// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wide heap under the damage of the narrow one.

#include "mete/alloc/heap_wide.c"

#include "tests/unit/alloc/test_heap_damage.c"
