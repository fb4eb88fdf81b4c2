// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_CRC_H
#define METE_CRC_H

/// CRC-32 of ISO 3309 (zlib, Ethernet, zip): shows that bytes changed by accident.
///
/// It finds every change of up to 32 bits in a row, and all but one in 2^32 of any others. It is no
/// protection from someone who means to deceive: he computes it too.
///
///     uint32_t crc = mete_crc32(0U, header, sizeof header);
///     crc = mete_crc32(crc, body, body_size);  // Of both together, as if they were one.

#include <stddef.h>
#include <stdint.h>

/// The CRC of what `crc` is that of, 0 for nothing, with `size` more bytes behind it. O(size): two steps
/// a byte, with a table of 64 bytes.
static inline uint32_t mete_crc32(uint32_t crc, const void *bytes, size_t size)
{
    static const uint32_t remainders[16] = {
        0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU, 0x76DC4190U, 0x6B6B51F4U,
        0x4DB26158U, 0x5005713CU, 0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU,
        0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU,
    };
    const unsigned char *const from = (const unsigned char *)bytes;
    uint32_t rest = ~crc;
    for (size_t i = 0U; i < size; i++) {
        rest ^= from[i];
        rest = (rest >> 4) ^ remainders[rest & 15U];
        rest = (rest >> 4) ^ remainders[rest & 15U];
    }
    return ~rest;
}

#endif
