// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/symbols.h"

#include "tools/lib/unwind.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbols {
    int file;
    Elf *elf;
    Dwarf *dwarf;
    Dwarf_CFI *calls;     // Of .debug_frame, or else of .eh_frame; NULL: neither.
    Dwarf_CFI *eh_calls;  // The latter: only this is ours to end.
    unsigned word_size;
    bool is_movable;
    Dwarf_Die unit;      // Of the last address that was looked up,
    Dwarf_Die function;  // and where it lies there,
    uint64_t start;      // in a part that begins here.
    bool has_function;
};

// ---- Opening

__attribute__((format(printf, 3, 4))) static void say(char *reason, size_t size, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, size, format, arguments);
    va_end(arguments);
}

static bool has_units(Dwarf *dwarf)
{
    Dwarf_CU *unit = NULL;
    return (dwarf != NULL) && (dwarf_get_units(dwarf, NULL, &unit, NULL, NULL, NULL, NULL) == 0);
}

// True if the file, which is open, can be used.
static bool prepare(symbols_t *symbols, char *reason, size_t size)
{
    GElf_Ehdr header;
    if ((elf_kind(symbols->elf) != ELF_K_ELF) || (gelf_getehdr(symbols->elf, &header) == NULL)) {
        say(reason, size, "found no ELF file, expected the program that ran");
        return false;
    }
    symbols->is_movable = (header.e_type == ET_DYN);
    symbols->word_size = (header.e_ident[EI_CLASS] == ELFCLASS32) ? 4U : 8U;
    symbols->dwarf = dwarf_begin_elf(symbols->elf, DWARF_C_READ, NULL);
    if (!has_units(symbols->dwarf)) {
        say(reason, size, "found no debug information, expected a program compiled with -g");
        return false;
    }
    symbols->calls = dwarf_getcfi(symbols->dwarf);
    if (symbols->calls == NULL) {
        symbols->eh_calls = dwarf_getcfi_elf(symbols->elf);
        symbols->calls = symbols->eh_calls;
    }
    return true;
}

symbols_t *symbols_open(const char *path, char *reason, size_t reason_size)
{
    (void)elf_version(EV_CURRENT);
    symbols_t *const symbols = calloc(1U, sizeof *symbols);
    if (symbols == NULL) {
        say(reason, reason_size, "no memory");
        return NULL;
    }
    symbols->file = open(path, O_RDONLY | O_CLOEXEC);
    if (symbols->file < 0) {
        say(reason, reason_size, "%s", strerror(errno));
        free(symbols);
        return NULL;
    }
    symbols->elf = elf_begin(symbols->file, ELF_C_READ, NULL);
    if (!prepare(symbols, reason, reason_size)) {
        symbols_close(symbols);
        return NULL;
    }
    return symbols;
}

void symbols_close(symbols_t *symbols)
{
    if (symbols != NULL) {
        (void)dwarf_cfi_end(symbols->eh_calls);
        (void)dwarf_end(symbols->dwarf);
        (void)elf_end(symbols->elf);
        (void)close(symbols->file);
        free(symbols);
    }
}

bool symbols_is_movable(const symbols_t *symbols)
{
    return symbols->is_movable;
}

// ---- Memory

unsigned symbols_word_size(const symbols_t *symbols)
{
    return symbols->word_size;
}

// The next section, and what it is; NULL behind the last.
static Elf_Scn *next_section(const symbols_t *symbols, Elf_Scn *section, GElf_Shdr *header)
{
    Elf_Scn *next = section;
    do {
        next = elf_nextscn(symbols->elf, next);
    } while ((next != NULL) && (gelf_getshdr(next, header) == NULL));
    return next;
}

bool symbols_section(const symbols_t *symbols, const char *name, symbols_memory_t *memory)
{
    GElf_Shdr header;
    size_t names = 0U;
    (void)elf_getshdrstrndx(symbols->elf, &names);
    for (Elf_Scn *at = NULL; (at = next_section(symbols, at, &header)) != NULL;) {
        const char *const found = elf_strptr(symbols->elf, names, header.sh_name);
        if ((found != NULL) && (strcmp(found, name) == 0) && (header.sh_flags & SHF_ALLOC) != 0U) {
            *memory = (symbols_memory_t){header.sh_addr, header.sh_size};
            return true;
        }
    }
    return false;
}

// Those in one table.
static size_t count_variables(const symbols_t *symbols, Elf_Scn *section, const GElf_Shdr *header,
                              const char *name, symbols_memory_t *memory)
{
    size_t count = 0U;
    GElf_Sym symbol;
    Elf_Data *const table = elf_getdata(section, NULL);
    for (int i = 0; (table != NULL) && (gelf_getsym(table, i, &symbol) != NULL); i++) {
        const char *const found = elf_strptr(symbols->elf, header->sh_link, symbol.st_name);
        if ((GELF_ST_TYPE(symbol.st_info) == STT_OBJECT) && (found != NULL) &&
            (strcmp(found, name) == 0)) {
            *memory = (symbols_memory_t){symbol.st_value, symbol.st_size};
            count++;
        }
    }
    return count;
}

size_t symbols_variable(const symbols_t *symbols, const char *name, symbols_memory_t *memory)
{
    size_t count = 0U;
    GElf_Shdr header;
    for (Elf_Scn *at = NULL; (at = next_section(symbols, at, &header)) != NULL;) {
        if (header.sh_type == SHT_SYMTAB) {
            count += count_variables(symbols, at, &header, name, memory);
        }
    }
    return count;
}

const void *symbols_code(const symbols_t *symbols, size_t size_max, symbols_memory_t *memory)
{
    GElf_Shdr header;
    for (Elf_Scn *at = NULL; (at = next_section(symbols, at, &header)) != NULL;) {
        const Elf_Data *const bytes =
            (header.sh_type == SHT_PROGBITS) && ((header.sh_flags & SHF_EXECINSTR) != 0U)
                ? elf_rawdata(at, NULL)
                : NULL;
        if ((bytes != NULL) && (bytes->d_buf != NULL) && (bytes->d_size != 0U)) {
            *memory = (symbols_memory_t){header.sh_addr,
                                         (bytes->d_size < size_max) ? bytes->d_size : size_max};
            return bytes->d_buf;
        }
    }
    return NULL;
}

// ---- Source

// What is looked for, and the function found so far: the one of those that hold the address that begins last. What the
// linker left out still stands there, from address 0 on.
typedef struct search {
    uint64_t address;
    uint64_t start;
    Dwarf_Die function;
    bool is_found;
} search_t;

static int look_at_function(Dwarf_Die *function, void *self)
{
    search_t *const search = self;
    Dwarf_Addr base = 0U;
    Dwarf_Addr start = 0U;
    Dwarf_Addr end = 0U;
    for (ptrdiff_t i = 0; (i = dwarf_ranges(function, i, &base, &start, &end)) > 0;) {
        if ((search->address >= start) && (search->address < end) &&
            (!search->is_found || (start > search->start))) {
            search->function = *function;
            search->start = start;
            search->is_found = true;
        }
    }
    return DWARF_CB_OK;
}

// The unit that holds an address, and the function in it, if there is one. Compilers need not write a table of units,
// so all are asked.
static bool unit_of(Dwarf *dwarf, search_t *search, Dwarf_Die *unit)
{
    Dwarf_CU *next = NULL;
    Dwarf_Die sub;
    Dwarf_Die one;
    uint8_t type = 0U;
    bool has_unit = false;
    while (dwarf_get_units(dwarf, next, &next, NULL, &type, &one, &sub) == 0) {
        if ((type != DW_UT_compile) || (dwarf_haspc(&one, search->address) <= 0)) {
            continue;
        }
        const uint64_t start = search->start;
        const bool was_found = search->is_found;
        (void)dwarf_getfuncs(&one, look_at_function, search, 0);
        const bool is_better = (search->is_found != was_found) || (search->start != start);
        *unit = (is_better || !has_unit) ? one : *unit;
        has_unit = true;
    }
    return has_unit;
}

static bool is_function(Dwarf_Die *die)
{
    const int tag = dwarf_tag(die);
    return (tag == DW_TAG_subprogram) || (tag == DW_TAG_inlined_subroutine);
}

// Where the call stands that was inlined here.
static void find_call(Dwarf_Die *inlined, Dwarf_Files *files, place_t *caller)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0U;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &number) == 0) {
        caller->file = dwarf_filesrc(files, number, NULL, NULL);
    }
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) == 0) {
        caller->line = (int)number;
    }
}

static const char *name_of(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
}

// From the innermost scope outwards.
static size_t list_functions(Dwarf_Die *scopes, int scope_count, Dwarf_Files *files,
                             place_t *places)
{
    size_t count = 0U;
    for (int i = 0; (i < scope_count) && (count < PLACE_COUNT_MAX); i++) {
        if (!is_function(&scopes[i])) {
            continue;
        }
        place_t *const place = &places[count];
        place->function = name_of(&scopes[i]);
        place->home = dwarf_decl_file(&scopes[i]);
        place->is_inlined = (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine);
        count++;
        if (!place->is_inlined) {
            break;
        }
        if (count < PLACE_COUNT_MAX) {
            places[count] = (place_t){NULL, NULL, 0, false, NULL};
            find_call(&scopes[i], files, &places[count]);
        }
    }
    return count;
}

// Finds unit and function of an address, unless they are those of the last one: all units are searched.
static bool find_function(symbols_t *symbols, uint64_t address)
{
    if (symbols->has_function && (address >= symbols->start) &&
        (dwarf_haspc(&symbols->function, address) > 0)) {
        return true;
    }
    search_t search = {.address = address};
    const bool has_unit = unit_of(symbols->dwarf, &search, &symbols->unit);
    symbols->function = search.function;
    symbols->start = search.start;
    symbols->has_function = search.is_found;
    return has_unit;
}

// The part of a scope that holds an address. False: there is none.
static bool find_inner(Dwarf_Die *scope, uint64_t address, Dwarf_Die *inner)
{
    int found = dwarf_child(scope, inner);
    while ((found == 0) && (dwarf_haspc(inner, address) <= 0)) {
        found = dwarf_siblingof(inner, inner);
    }
    return found == 0;
}

enum { SCOPE_COUNT_MAX = 256 };

// The scopes from the innermost outwards to the function: of `scopes` the last so many.
static int list_scopes(symbols_t *symbols, uint64_t address, Dwarf_Die scopes[SCOPE_COUNT_MAX])
{
    int count = 0;
    Dwarf_Die scope = symbols->function;
    bool is_inside = symbols->has_function;
    while (is_inside && (count < SCOPE_COUNT_MAX)) {
        count++;
        scopes[SCOPE_COUNT_MAX - count] = scope;
        is_inside = find_inner(&scopes[SCOPE_COUNT_MAX - count], address, &scope);
    }
    return count;
}

size_t symbols_find(symbols_t *symbols, uint64_t address, place_t places[PLACE_COUNT_MAX])
{
    if (!find_function(symbols, address)) {
        return 0U;
    }
    Dwarf_Files *files = NULL;
    size_t file_count = 0U;
    (void)dwarf_getsrcfiles(&symbols->unit, &files, &file_count);
    Dwarf_Die scopes[SCOPE_COUNT_MAX];
    const int scope_count = list_scopes(symbols, address, scopes);
    places[0] = (place_t){NULL, NULL, 0, false, NULL};
    const size_t count =
        list_functions(scopes + SCOPE_COUNT_MAX - scope_count, scope_count, files, places);
    Dwarf_Line *const line = dwarf_getsrc_die(&symbols->unit, address);
    if (line != NULL) {
        places[0].file = dwarf_linesrc(line, NULL, NULL);
        (void)dwarf_lineno(line, &places[0].line);
    }
    return (count != 0U) ? count : ((line != NULL) ? 1U : 0U);
}

// ---- Calls

uint64_t symbols_call_before(uint64_t address)
{
    return (address & ~(uint64_t)1U) - 1U;
}

bool symbols_is_stack(const uint64_t *words, size_t word_count)
{
    return (word_count > UNWIND_FIRST_WORD) && (words[0] == UNWIND_MARK);
}

size_t symbols_unwind(symbols_t *symbols, const uint64_t *words, size_t word_count,
                      uint64_t *frames, size_t frame_count_max)
{
    return symbols_is_stack(words, word_count) && (symbols->calls != NULL)
               ? unwind_thumb(symbols->calls, words, word_count, frames, frame_count_max)
               : 0U;
}
