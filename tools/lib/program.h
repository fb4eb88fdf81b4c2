// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_PROGRAM_H
#define METE_TOOLS_PROGRAM_H

/// A linked program for Cortex-M or 32-bit RISC-V, read from its ELF file: its functions, their instructions, and the
/// source they come from.

#include "tools/lib/flow.h"
#include "tools/lib/symbols.h"

typedef struct program_function {
    const char
        *name;  ///< As in the symbol table: the compiler may have added .part.0 and the like.
    uint64_t address;
    uint64_t size;  ///< Bytes.
    const char
        *file;  ///< Of a static one, the file that was compiled, without its folder; else NULL.
} program_function_t;

typedef struct program program_t;

enum { PROGRAM_REASON_SIZE = 512 };

/// Opens a program. NULL, and says why in `reason`, if it cannot be used: no ELF, another machine, stripped.
program_t *program_open(const char *path, char *reason, size_t reason_size);

void program_close(program_t *program);

/// "thumb" or "riscv".
const char *program_machine(const program_t *program);

/// True if an instruction is Thumb, false if it is RISC-V.
bool program_is_thumb(const program_t *program);

/// The functions named "FUNCTION" or "FILE:FUNCTION"; of one that the compiler cloned only the clones may
/// be there. Returns how many and the first in `found`.
size_t program_find(program_t *program, const char *name, const program_function_t **found);

/// The one function of this name; NULL, and says why in `reason`, if there is none or several.
const program_function_t *program_find_one(program_t *program, const char *name, char *reason,
                                           size_t reason_size);

/// The function that starts at an address; NULL: none does.
const program_function_t *program_function_at(const program_t *program, uint64_t address);

/// The instructions of a function, in memory that the caller frees; NULL with a reason if there are bytes that are
/// none.
flow_insn_t *program_list(const program_t *program, const program_function_t *function,
                          size_t *count, char *reason, size_t reason_size);

/// What an address comes from: outermost function first. At least one place.
size_t program_places(program_t *program, const program_function_t *function, uint64_t address,
                      place_t places[PLACE_COUNT_MAX]);

/// True if `name` is a symbol for the function `plain` of the source: the same, or the same and a dot.
bool program_is_named(const char *name, const char *plain, size_t plain_length);

/// Where the caller's stack ends while the instruction at an address is next, by the call frame information: so many
/// bytes above a register, numbered as DWARF does. False if nothing is known.
bool program_frame(program_t *program, uint64_t address, unsigned *base, int64_t *offset);

/// A line of a source file, of which `length` bytes count; NULL: there is none, or no such file.
const char *program_line(program_t *program, const char *file, int line, size_t *length);

/// The last part of a path.
const char *program_base_name(const char *path);

#endif
