// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BITS_H
#define METE_BITS_H

/// Counting zero bits, without a loop on any core. No argument may be 0.
///
/// Where the core counts leading zeros in one instruction the compiler's builtin is used. Where it
/// does not (ARMv6-M, RISC-V without Zbb) the builtin would be a call into the compiler's runtime;
/// there the portable form is used instead, which halves the range five times.

#include <stdint.h>

#if defined(__ARM_FEATURE_CLZ) || defined(__riscv_zbb) || defined(__x86_64__) || \
    defined(__i386__) || defined(__aarch64__)
#define METE_BITS_BUILTIN 1
#else
#define METE_BITS_BUILTIN 0
#endif

/// Leading zeros of `value`, which is not 0: 31 for 1, 0 for 0x80000000. Portable form.
static inline unsigned mete_bits_clz_portable(uint32_t value)
{
    unsigned step = (unsigned)(value < 0x10000U) << 4;
    unsigned count = step;
    value <<= step;
    step = (unsigned)(value < 0x1000000U) << 3;
    count += step;
    value <<= step;
    step = (unsigned)(value < 0x10000000U) << 2;
    count += step;
    value <<= step;
    step = (unsigned)(value < 0x40000000U) << 1;
    count += step;
    value <<= step;
    return count + (unsigned)(value < 0x80000000U);
}

/// Trailing zeros of `value`, which is not 0: 0 for 1, 31 for 0x80000000. Portable form.
static inline unsigned mete_bits_ctz_portable(uint32_t value)
{
    return 31U - mete_bits_clz_portable(value & (0U - value));
}

/// Leading zeros of `value`, which is not 0.
static inline unsigned mete_bits_clz(uint32_t value)
{
    return METE_BITS_BUILTIN ? (unsigned)__builtin_clz(value) : mete_bits_clz_portable(value);
}

/// Trailing zeros of `value`, which is not 0.
static inline unsigned mete_bits_ctz(uint32_t value)
{
    return METE_BITS_BUILTIN ? (unsigned)__builtin_ctz(value) : mete_bits_ctz_portable(value);
}

/// Leading zeros of a 64-bit `value`, which is not 0.
static inline unsigned mete_bits_clz64(uint64_t value)
{
    const uint32_t high = (uint32_t)(value >> 32);
    return (high != 0U) ? mete_bits_clz(high) : 32U + mete_bits_clz((uint32_t)value);
}

#endif
