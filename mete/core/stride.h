// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_STRIDE_H
#define METE_STRIDE_H

/// From an offset to the index of an element, without a division, which many small cores lack.
///
/// Let w be the bits of a word, size = 2^r * d with d odd, and e the inverse of d: d * e = 1 modulo
/// 2^w. For an offset x take q(x) = x * e modulo 2^w, rotated right by r bits. If `count` elements fit
/// into an address space, q(x) < count exactly if x is the start of one of them, and q(x) is its index:
///   For element k, x * e = k * 2^r * d * e = k * 2^r, which does not exceed a word because
///   size * count <= 2^w. Rotated, that is k.
///   Multiplying by an odd number and rotating are both one-to-one on words. The numbers below count
///   are taken by the starts of elements, so no other offset can reach one.
/// This is the test for divisibility of Granlund and Montgomery, "Division by Invariant Integers using
/// Multiplication" (1994), section 9. Offsets below 0 wrap and are refused alike.

#include "mete/core/bits.h"

#include <stddef.h>

/// Bits of a word.
#define METE_STRIDE_WORD_BITS (8U * sizeof(uintptr_t))

/// r: the trailing zeros of `size`, which is not 0.
static inline size_t mete_stride_rotation(size_t size)
{
    const uint32_t low = (uint32_t)size;
    return (low != 0U) ? mete_bits_ctz(low) : 32U + mete_bits_ctz((uint32_t)((uint64_t)size >> 32));
}

/// e: the inverse of the odd number d. Newton's iteration: the first guess is right in 5 bits, each
/// step doubles that.
static inline uintptr_t mete_stride_inverse(uintptr_t odd)
{
    uintptr_t inverse = (3U * odd) ^ 2U;
    for (size_t good_bits = 5U; good_bits < METE_STRIDE_WORD_BITS; good_bits *= 2U) {
        inverse *= 2U - (odd * inverse);
    }
    return inverse;
}

/// The second half of mete_stride_index(): `product` is x * e. For callers that load r after multiplying.
static inline size_t mete_stride_rotate(uintptr_t product, size_t rotation)
{
    return (product >> rotation) |
           (product << ((METE_STRIDE_WORD_BITS - rotation) % METE_STRIDE_WORD_BITS));
}

/// q(offset): the index of the element that starts there, or a number not below their count.
static inline size_t mete_stride_index(uintptr_t offset, uintptr_t inverse, size_t rotation)
{
    return mete_stride_rotate(offset * inverse, rotation);
}

#endif
