// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_UNWIND_H
#define METE_TOOLS_UNWIND_H

/// Unwinds a copied stack of a Cortex-M by the call frame information of its program.

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

/// What a copy begins with: see port/cpu/cortex_m.h.
enum { UNWIND_MARK = 1, UNWIND_FIRST_WORD = 5 };

/// Return addresses, innermost first, without the bit that says Thumb. Returns how many.
size_t unwind_thumb(Dwarf_CFI *calls, const uint64_t *words, size_t word_count, uint64_t *frames,
                    size_t frame_count_max);

#endif
