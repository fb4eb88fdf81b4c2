// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_WORDS_H
#define METE_WORDS_H

/// Copy, move, fill and scan memory a machine word at a time, without libc.
///
/// Any address and any size will do; speed comes when addresses are aligned to a word (copy and
/// move: both alike). All are O(size), never read or write a byte outside, and hold no state.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Copies `size` bytes. The two stretches must not overlap.
void mete_words_copy(void *to, const void *from, size_t size);

/// Copies `size` bytes as if by way of a third place: the two stretches may overlap.
void mete_words_move(void *to, const void *from, size_t size);

/// Sets `size` bytes to `byte`.
void mete_words_fill(void *to, uint8_t byte, size_t size);

/// How many bytes from `from` on equal `byte`, at most `size`: stops at the first that differs.
size_t mete_words_scan(const void *from, uint8_t byte, size_t size);

#ifdef __cplusplus
}
#endif
#endif
