// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_FRAG_H
#define METE_FRAG_H

/// How fragmented free memory is, from two sums that an allocator can keep in O(1).
///
/// Fragmentation is 1 - largest / total, over the sizes of the free blocks: 0 if all free memory is
/// one block. The largest block is not known in O(1), but with T the sum of the sizes and Q the sum
/// of their squares it lies between Q/T and the root of Q, because Q <= largest * T and
/// Q >= largest^2. So the fragmentation lies in [1 - sqrt(Q)/T, 1 - Q/T^2].
/// Both ends are rounded outwards, so the true value is never outside. The lower end is the one to
/// act on: it is never an exaggeration. Sizes may be in any unit, the same for both sums.

#include <stdint.h>

typedef struct mete_frag {
    uint16_t low_permille;   ///< 0 ... 1000. The fragmentation is at least this.
    uint16_t high_permille;  ///< 0 ... 1000. And at most this.
} mete_frag_t;

/// The smallest number whose square is not below `value`. 32 steps.
static inline uint64_t mete_frag_root_up(uint64_t value)
{
    uint64_t root = 0U;
    for (uint64_t bit = (uint64_t)1U << 31; bit != 0U; bit >>= 1) {
        const uint64_t trial = root | bit;
        if (trial * trial <= value) {
            root = trial;
        }
    }
    return (root * root < value) ? root + 1U : root;
}

/// value / by, for `by` from 1 to 2^31 - 1. Where a core has no wide division, numbers of 32 bits, which
/// those of a heap in 256 KiB are, take the narrow one, and others 64 steps: the compiler's runtime would
/// bring 700 bytes for them.
static inline uint64_t mete_frag_divide(uint64_t value, uint64_t by)
{
    if (sizeof(void *) >= sizeof(uint64_t)) {
        return value / by;
    }
    if (value <= UINT32_MAX) {
        return (uint32_t)value / (uint32_t)by;
    }
    uint64_t quotient = 0U;
    uint32_t rest = 0U;
    for (uint64_t bit = (uint64_t)1U << 63; bit != 0U; bit >>= 1) {
        rest = (2U * rest) + (((value & bit) != 0U) ? 1U : 0U);
        if (rest >= by) {
            rest -= (uint32_t)by;
            quotient |= bit;
        }
    }
    return quotient;
}

/// The interval for `sum` < 2^31 and `square_sum` <= sum^2. No free memory reads as 0.
static inline mete_frag_t mete_frag_of(uint64_t sum, uint64_t square_sum)
{
    mete_frag_t frag;  // Field by field: clang clears a whole struct by memset(), which is libc.
    frag.low_permille = 0U;
    frag.high_permille = 0U;
    if (sum != 0U) {
        const uint64_t largest_max = 1000U * mete_frag_root_up(square_sum);
        const uint64_t largest_min =
            mete_frag_divide(square_sum, sum);  // Rounded down: the upper end errs upwards.
        frag.low_permille = (uint16_t)(1000U - mete_frag_divide(largest_max + sum - 1U, sum));
        frag.high_permille = (uint16_t)(1000U - mete_frag_divide(1000U * largest_min, sum));
    }
    return frag;
}

#endif
