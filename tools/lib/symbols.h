// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_SYMBOLS_H
#define METE_TOOLS_SYMBOLS_H

/// Which source an address belongs to, from a program's debug information; and who called, from a copy of
/// its stack. For ELF files of every machine that libdw knows.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct symbols symbols_t;

/// A function at an address. Where calls were inlined there are several, innermost first.
typedef struct place {
    const char *function;  ///< Or NULL. As file, it lasts as long as the symbols.
    const char *file;      ///< Or NULL.
    int line;              ///< 0: unknown.
    bool is_inlined;       ///< Into the next one.
    const char *home;      ///< The file that the function is written in; or NULL.
} place_t;

enum { PLACE_COUNT_MAX = 32 };

/// Opens a program. NULL, and says why in `reason`, if it cannot be used: no ELF, no debug information.
symbols_t *symbols_open(const char *path, char *reason, size_t reason_size);

void symbols_close(symbols_t *symbols);

/// True if the program is loaded wherever there is room, so that its addresses say nothing of themselves.
bool symbols_is_movable(const symbols_t *symbols);

/// Bytes in an address of the program: 4 or 8.
unsigned symbols_word_size(const symbols_t *symbols);

/// Memory of the program, as its ELF file describes it.
typedef struct symbols_memory {
    uint64_t address;
    uint64_t size;  ///< Bytes.
} symbols_memory_t;

/// The section of a name. False: there is none in memory.
bool symbols_section(const symbols_t *symbols, const char *name, symbols_memory_t *memory);

/// The variable of a name. Returns how many have it; of several, `memory` is the last.
size_t symbols_variable(const symbols_t *symbols, const char *name, symbols_memory_t *memory);

/// The first instructions of the program, at most `size_max` bytes of them, which last as long as the symbols. NULL:
/// it has none.
const void *symbols_code(const symbols_t *symbols, size_t size_max, symbols_memory_t *memory);

/// What was inlined, and into what, at an address inside an instruction. Returns how many; 0: unknown.
size_t symbols_find(symbols_t *symbols, uint64_t address, place_t places[PLACE_COUNT_MAX]);

/// An address inside the call that returns to `address`. A return address lies behind its call, perhaps in another line;
/// bit 0 may say Thumb.
uint64_t symbols_call_before(uint64_t address);

/// The return addresses on a copied stack of a Cortex-M, innermost first. `words` are as mete_cortex_m_trace()
/// of port/cpu/cortex_m.h writes them. Returns how many, at most `frame_count_max`: it stops where the copy or
/// the information ends.
size_t symbols_unwind(symbols_t *symbols, const uint64_t *words, size_t word_count,
                      uint64_t *frames, size_t frame_count_max);

/// True if words are such a copy.
bool symbols_is_stack(const uint64_t *words, size_t word_count);

#endif
