// SPDX-License-Identifier: MIT OR Apache-2.0
//
// From sizes to orders of the buddy, from inside.

#include "mete/alloc/buddy.c"

#include "tests/exhaust/sizes.h"

enum { SMALLEST = 16, ORDER_MAX = 25 };  // An order is one more than the level.

static const mete_buddy_t buddy = {.half_shift = 3U};  // As for smallest blocks of 16 bytes.

static bool is_right(size_t bytes)
{
    uint32_t order = 1U;
    uint64_t block_size = SMALLEST;
    while ((block_size < bytes) && (order <= (uint32_t)ORDER_MAX)) {
        block_size *= 2U;
        order++;
    }
    const bool can_be = (bytes != 0U) && (order <= (uint32_t)ORDER_MAX);
    return can_be ? (order_for(&buddy, bytes) == order)
                  : (order_for(&buddy, bytes) > (uint32_t)ORDER_MAX);
}

static bool are_all_right(void)
{
    uint32_t order = 1U;
    uint64_t block_size = SMALLEST;
    bool is_good = order_for(&buddy, 0U) > (uint32_t)ORDER_MAX;
    for (uint64_t bytes = 1U; bytes <= UINT32_MAX; bytes++) {
        if (bytes > block_size) {
            block_size *= 2U;
            order++;
        }
        is_good = is_good && (order_for(&buddy, (size_t)bytes) == order);
    }
    return is_good;
}

static size_t edge(size_t number)
{
    return (number < (size_t)ORDER_MAX) ? (size_t)SMALLEST << number : 0U;
}

const sizes_subject_t sizes_buddy = {
    .name = "buddy",
    .is_right = is_right,
    .are_all_right = are_all_right,
    .edge = edge,
};
