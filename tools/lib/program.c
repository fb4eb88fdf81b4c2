// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/program.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Where code ends and data begins, or the other way round. ARM and RISC-V name such places $t and $x, $d.
typedef struct mapping {
    uint64_t address;
    bool is_data;
} mapping_t;

// A source file, read once.
typedef struct source {
    struct source *next;
    char *path;
    char *text;  // NULL: it cannot be read.
    size_t size;
    size_t *starts;  // Of each line.
    size_t line_count;
} source_t;

// What an address comes from, looked up once: that takes as long as its unit is large.
typedef struct located {
    struct located *next;
    uint64_t address;
    size_t count;
    place_t places[];
} located_t;

enum { LOCATED_COUNT = 4096 };

struct program {
    Dwarf *dwarf;
    const char *
        *folders;  // Where the compiler ran, each once: names of sources may be relative to them.
    size_t folder_count;
    int file;
    Elf *elf;
    Dwarf_CFI *eh_frames;  // Beside those of .debug_frame, which belong to `dwarf`.
    symbols_t *symbols;
    flow_machine_t machine;
    program_function_t *functions;  // By address.
    size_t function_count;
    mapping_t *mappings;  // By address.
    size_t mapping_count;
    source_t *sources;
    located_t *located[LOCATED_COUNT];  // By address, hashed.
};

#define SAY(reason, size, ...) ((void)snprintf((reason), (size), __VA_ARGS__))

// ---- Opening

static bool grow(void **items, size_t count, size_t item_size)
{
    if ((count & (count - 1U)) != 0U) {
        return true;  // Room is doubled at powers of two.
    }
    void *const larger = realloc(*items, (count == 0U ? 1U : 2U * count) * item_size);
    *items = (larger != NULL) ? larger : *items;
    return larger != NULL;
}

static bool is_mapping(const char *name)
{
    return (name[0] == '$') && (strchr("tdax", name[1]) != NULL) && (name[1] != '\0') &&
           ((name[2] == '\0') || (name[2] == '.') || (name[1] == 'x'));
}

static bool add_symbol(program_t *program, const GElf_Sym *symbol, const char *name,
                       const char *file)
{
    if (is_mapping(name)) {
        if (!grow((void **)&program->mappings, program->mapping_count, sizeof(mapping_t))) {
            return false;
        }
        program->mappings[program->mapping_count++] = (mapping_t){symbol->st_value, name[1] == 'd'};
    } else if ((GELF_ST_TYPE(symbol->st_info) == STT_FUNC) && (symbol->st_shndx != SHN_UNDEF)) {
        if (!grow((void **)&program->functions, program->function_count,
                  sizeof(program_function_t))) {
            return false;
        }
        const uint64_t address =
            (program->machine == FLOW_THUMB) ? symbol->st_value & ~(uint64_t)1U : symbol->st_value;
        program->functions[program->function_count++] =
            (program_function_t){name, address, symbol->st_size,
                                 (GELF_ST_BIND(symbol->st_info) == STB_LOCAL) ? file : NULL};
    }
    return true;
}

static int by_address(const void *a, const void *b)
{
    const program_function_t *const left = a;
    const program_function_t *const right = b;
    if (left->address != right->address) {
        return (left->address < right->address) ? -1 : 1;
    }
    return strcmp(left->name, right->name);
}

static int mapping_by_address(const void *a, const void *b)
{
    const mapping_t *const left = a;
    const mapping_t *const right = b;
    return (left->address < right->address) ? -1 : (left->address > right->address) ? 1 : 0;
}

// Functions of assembly may not say their size: they end where the next one starts, or the section.
static void complete_sizes(program_t *program)
{
    for (size_t i = 0U; i < program->function_count; i++) {
        program_function_t *const function = &program->functions[i];
        for (size_t k = i + 1U; (function->size == 0U) && (k < program->function_count); k++) {
            function->size = program->functions[k].address - function->address;
        }
    }
}

// The symbols of one table. Those of a file follow its name.
static bool read_table(program_t *program, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *const data = elf_getdata(section, NULL);
    const size_t count = (header->sh_entsize != 0U) ? header->sh_size / header->sh_entsize : 0U;
    const char *file = NULL;
    for (size_t i = 0U; (data != NULL) && (i < count); i++) {
        GElf_Sym symbol;
        const char *const name = (gelf_getsym(data, (int)i, &symbol) != NULL)
                                     ? elf_strptr(program->elf, header->sh_link, symbol.st_name)
                                     : NULL;
        if ((name != NULL) && (GELF_ST_TYPE(symbol.st_info) == STT_FILE)) {
            file = (name[0] != '<') ? program_base_name(name) : NULL;
        }
        if ((name != NULL) && !add_symbol(program, &symbol, name, file)) {
            return false;
        }
    }
    return true;
}

static bool read_symbols(program_t *program, char *reason, size_t size)
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(program->elf, section)) != NULL) {
        GElf_Shdr header;
        if ((gelf_getshdr(section, &header) != NULL) && (header.sh_type == SHT_SYMTAB) &&
            !read_table(program, section, &header)) {
            SAY(reason, size, "no memory");
            return false;
        }
    }
    if (program->function_count == 0U) {
        SAY(reason, size, "found no symbols of functions, expected a program that is not stripped");
        return false;
    }
    qsort(program->functions, program->function_count, sizeof(program_function_t), by_address);
    if (program->mapping_count != 0U) {
        qsort(program->mappings, program->mapping_count, sizeof(mapping_t), mapping_by_address);
    }
    complete_sizes(program);
    return true;
}

static bool has_folder(const program_t *program, const char *folder)
{
    for (size_t i = 0U; i < program->folder_count; i++) {
        if (strcmp(program->folders[i], folder) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_folders(program_t *program)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    Dwarf_Attribute attribute;
    program->dwarf = dwarf_begin_elf(program->elf, DWARF_C_READ, NULL);
    program->eh_frames = dwarf_getcfi_elf(program->elf);
    while ((program->dwarf != NULL) &&
           (dwarf_get_units(program->dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0)) {
        const char *const folder = dwarf_formstring(dwarf_attr(&die, DW_AT_comp_dir, &attribute));
        if ((folder == NULL) || has_folder(program, folder)) {
            continue;
        }
        if (!grow((void **)&program->folders, program->folder_count, sizeof(const char *))) {
            return false;
        }
        program->folders[program->folder_count++] = folder;
    }
    return true;
}

static bool read_header(program_t *program, char *reason, size_t size)
{
    GElf_Ehdr header;
    if ((elf_kind(program->elf) != ELF_K_ELF) || (gelf_getehdr(program->elf, &header) == NULL)) {
        SAY(reason, size, "found no ELF file, expected a linked program");
        return false;
    }
    if ((header.e_ident[EI_CLASS] != ELFCLASS32) || (header.e_ident[EI_DATA] != ELFDATA2LSB) ||
        ((header.e_machine != EM_ARM) && (header.e_machine != EM_RISCV))) {
        SAY(reason, size, "found machine %u, %s bits, expected ARM or RISC-V of 32 bits",
            header.e_machine, (header.e_ident[EI_CLASS] == ELFCLASS64) ? "64" : "32");
        return false;
    }
    if (header.e_type != ET_EXEC) {
        SAY(reason, size, "found a file that is not linked, expected a program");
        return false;
    }
    program->machine = (header.e_machine == EM_ARM) ? FLOW_THUMB : FLOW_RISCV;
    return true;
}

program_t *program_open(const char *path, char *reason, size_t reason_size)
{
    (void)elf_version(EV_CURRENT);
    program_t *const program = calloc(1U, sizeof *program);
    if (program == NULL) {
        SAY(reason, reason_size, "no memory");
        return NULL;
    }
    program->file = open(path, O_RDONLY | O_CLOEXEC);
    if (program->file < 0) {
        SAY(reason, reason_size, "%s", strerror(errno));
        free(program);
        return NULL;
    }
    program->elf = elf_begin(program->file, ELF_C_READ, NULL);
    if (read_header(program, reason, reason_size) && read_symbols(program, reason, reason_size) &&
        read_folders(program)) {
        program->symbols = symbols_open(path, reason, reason_size);
    }
    if (program->symbols == NULL) {
        program_close(program);
        return NULL;
    }
    return program;
}

void program_close(program_t *program)
{
    if (program == NULL) {
        return;
    }
    while (program->sources != NULL) {
        source_t *const source = program->sources;
        program->sources = source->next;
        free(source->path);
        free(source->text);
        free(source->starts);
        free(source);
    }
    for (size_t i = 0U; i < LOCATED_COUNT; i++) {
        while (program->located[i] != NULL) {
            located_t *const located = program->located[i];
            program->located[i] = located->next;
            free(located);
        }
    }
    symbols_close(program->symbols);
    free(program->functions);
    free(program->mappings);
    free((void *)program->folders);
    (void)dwarf_cfi_end(program->eh_frames);
    (void)dwarf_end(program->dwarf);
    (void)elf_end(program->elf);
    (void)close(program->file);
    free(program);
}

const char *program_machine(const program_t *program)
{
    return program_is_thumb(program) ? "thumb" : "riscv";
}

bool program_is_thumb(const program_t *program)
{
    return program->machine == FLOW_THUMB;
}

// ---- Functions

const char *program_base_name(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return (slash != NULL) ? slash + 1 : path;
}

bool program_is_named(const char *name, const char *plain, size_t plain_length)
{
    return (strncmp(name, plain, plain_length) == 0) &&
           ((name[plain_length] == '\0') || (name[plain_length] == '.'));
}

// True if the file that a function was compiled from has this name, or the one it is written in.
static bool is_in_file(program_t *program, const program_function_t *function, const char *file,
                       size_t file_length)
{
    if (function->file != NULL) {
        return (strlen(function->file) == file_length) &&
               (strncmp(function->file, file, file_length) == 0);
    }
    place_t places[PLACE_COUNT_MAX];
    const size_t count = program_places(program, function, function->address, places);
    for (size_t i = 0U; i < count; i++) {
        const char *const base = (places[i].file != NULL) ? program_base_name(places[i].file) : "";
        if ((strlen(base) == file_length) && (strncmp(base, file, file_length) == 0)) {
            return true;
        }
    }
    return false;
}

static size_t count_named(program_t *program, const char *name, bool allows_clones,
                          const program_function_t **found)
{
    const char *const colon = strchr(name, ':');
    const char *const plain = (colon != NULL) ? colon + 1 : name;
    const size_t length = strlen(plain);
    size_t count = 0U;
    uint64_t last = 0U;
    for (size_t i = 0U; i < program->function_count; i++) {
        const program_function_t *const function = &program->functions[i];
        const bool fits = allows_clones ? program_is_named(function->name, plain, length)
                                        : (strcmp(function->name, plain) == 0);
        if (!fits || ((count != 0U) && (function->address == last)) ||
            ((colon != NULL) && !is_in_file(program, function, name, (size_t)(colon - name)))) {
            continue;
        }
        *found = (count == 0U) ? function : *found;
        last = function->address;
        count++;
    }
    return count;
}

size_t program_find(program_t *program, const char *name, const program_function_t **found)
{
    const size_t count = count_named(program, name, false, found);
    return (count != 0U) ? count : count_named(program, name, true, found);
}

const program_function_t *program_find_one(program_t *program, const char *name, char *reason,
                                           size_t reason_size)
{
    const program_function_t *function = NULL;
    const size_t found = program_find(program, name, &function);
    if (found != 1U) {
        SAY(reason, reason_size, "%s: found %zu functions of this name, expected one%s", name,
            found, (found > 1U) ? ": FILE:FUNCTION says which" : "");
    }
    return (found == 1U) ? function : NULL;
}

const program_function_t *program_function_at(const program_t *program, uint64_t address)
{
    size_t low = 0U;
    size_t high = program->function_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2U;
        if (program->functions[middle].address < address) {
            low = middle + 1U;
        } else {
            high = middle;
        }
    }
    const bool is_there =
        (low < program->function_count) && (program->functions[low].address == address);
    return is_there ? &program->functions[low] : NULL;
}

// ---- Instructions

// The bytes of the program from `address` on, and how many of them there are.
static const uint8_t *bytes_at(const program_t *program, uint64_t address, size_t *size)
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(program->elf, section)) != NULL) {
        GElf_Shdr header;
        if ((gelf_getshdr(section, &header) == NULL) || ((header.sh_flags & SHF_ALLOC) == 0U) ||
            (header.sh_type == SHT_NOBITS) || (address < header.sh_addr) ||
            (address - header.sh_addr >= header.sh_size)) {
            continue;
        }
        Elf_Data *const data = elf_rawdata(section, NULL);
        const uint64_t offset = address - header.sh_addr;
        if ((data != NULL) && (data->d_buf != NULL) && (offset < data->d_size)) {
            *size = data->d_size - (size_t)offset;
            return (const uint8_t *)data->d_buf + offset;
        }
    }
    *size = 0U;
    return NULL;
}

static bool is_data(const program_t *program, uint64_t address)
{
    bool found = false;
    for (size_t i = 0U; i < program->mapping_count; i++) {
        if (program->mappings[i].address > address) {
            break;
        }
        found = program->mappings[i].is_data;
    }
    return found;
}

flow_insn_t *program_list(const program_t *program, const program_function_t *function,
                          size_t *count, char *reason, size_t reason_size)
{
    size_t size = 0U;
    const uint8_t *const bytes = bytes_at(program, function->address, &size);
    const size_t wanted =
        ((function->size != 0U) && (function->size < size)) ? (size_t)function->size : size;
    flow_insn_t *const list = malloc((wanted / 2U + 1U) * sizeof *list);
    unsigned conditional_count = 0U;
    *count = 0U;
    size_t at = 0U;
    while ((list != NULL) && (at + 1U < wanted)) {
        if (is_data(program, function->address + at)) {
            at += 2U;
            continue;
        }
        flow_insn_t *const insn = &list[*count];
        if (!flow_decode(program->machine, bytes + at, wanted - at, function->address + at, insn)) {
            SAY(reason, reason_size, "%s: found at %#llx what is no instruction of this machine",
                function->name, (unsigned long long)(function->address + at));
            free(list);
            return NULL;
        }
        flow_follow(insn, (*count != 0U) ? insn - 1 : NULL, &conditional_count);
        at += insn->size;
        (*count)++;
    }
    if ((list == NULL) || (*count == 0U)) {
        SAY(reason, reason_size, "%s: found no instructions", function->name);
        free(list);
        return NULL;
    }
    return list;
}

// ---- Frames

// What one source of call frame information says of an address.
static bool read_frame(Dwarf_CFI *source, uint64_t address, unsigned *base, int64_t *offset)
{
    Dwarf_Frame *frame = NULL;
    if ((source == NULL) || (dwarf_cfi_addrframe(source, address, &frame) != 0)) {
        return false;
    }
    Dwarf_Op *ops = NULL;
    size_t op_count = 0U;
    bool is_known = (dwarf_frame_cfa(frame, &ops, &op_count) == 0) && (op_count == 1U);
    if (is_known && (ops[0].atom == DW_OP_bregx)) {
        *base = (unsigned)ops[0].number;
        *offset = (int64_t)ops[0].number2;
    } else if (is_known && (ops[0].atom >= DW_OP_breg0) && (ops[0].atom <= DW_OP_breg31)) {
        *base = (unsigned)(ops[0].atom - DW_OP_breg0);
        *offset = (int64_t)ops[0].number;
    } else {
        is_known = false;
    }
    free(frame);
    return is_known;
}

bool program_frame(program_t *program, uint64_t address, unsigned *base, int64_t *offset)
{
    return read_frame(dwarf_getcfi(program->dwarf), address, base, offset) ||
           read_frame(program->eh_frames, address, base, offset);
}

// ---- Source

// True if a function in the debug information is this one. Of assembly, it may say that it is the one before.
static bool is_name_of(const program_t *program, const program_function_t *function,
                       const char *name)
{
    const program_function_t *const first = program_function_at(program, function->address);
    const program_function_t *const end = program->functions + program->function_count;
    for (const program_function_t *alias = first;
         (alias != NULL) && (alias < end) && (alias->address == function->address); alias++) {
        if (program_is_named(alias->name, name, strlen(name))) {
            return true;
        }
    }
    return false;
}

// Without memory it is looked up again.
static void keep_located(located_t **bucket, uint64_t address, const place_t *places, size_t count)
{
    located_t *const located = malloc(sizeof *located + count * sizeof *places);
    if (located != NULL) {
        located->next = *bucket;
        located->address = address;
        located->count = count;
        memcpy(located->places, places, count * sizeof *places);
        *bucket = located;
    }
}

static size_t look_up(program_t *program, uint64_t address, place_t places[PLACE_COUNT_MAX])
{
    located_t **const bucket = &program->located[(address / 2U) % LOCATED_COUNT];
    for (const located_t *located = *bucket; located != NULL; located = located->next) {
        if (located->address == address) {
            memcpy(places, located->places, located->count * sizeof *places);
            return located->count;
        }
    }
    const size_t count = symbols_find(program->symbols, address, places);
    keep_located(bucket, address, places, count);
    return count;
}

size_t program_places(program_t *program, const program_function_t *function, uint64_t address,
                      place_t places[PLACE_COUNT_MAX])
{
    size_t count = look_up(program, address, places);
    if (count == 0U) {
        places[0] = (place_t){NULL, NULL, 0, false, NULL};
        count = 1U;
    }
    for (size_t i = 0U; i < count / 2U; i++) {  // Outermost first.
        const place_t inner = places[i];
        places[i] = places[count - 1U - i];
        places[count - 1U - i] = inner;
    }
    if ((places[0].function == NULL) || !is_name_of(program, function, places[0].function)) {
        places[0].function = function->name;
    }
    for (size_t i = 1U; i < count; i++) {
        places[i].function = (places[i].function != NULL) ? places[i].function : "?";
    }
    return count;
}

static void find_lines(source_t *source)
{
    size_t count = 1U;
    for (size_t i = 0U; i < source->size; i++) {
        count += (source->text[i] == '\n') ? 1U : 0U;
    }
    source->starts = malloc(count * sizeof(size_t));
    for (size_t i = 0U; (source->starts != NULL) && (i < source->size); i++) {
        if ((i == 0U) || (source->text[i - 1U] == '\n')) {
            source->starts[source->line_count++] = i;
        }
    }
}

// Opens a source: a relative name in the folders where the compiler ran, then here.
static FILE *open_source(const program_t *program, const char *path)
{
    for (size_t i = 0U; (path[0] != '/') && (i < program->folder_count); i++) {
        char *whole = NULL;
        if (asprintf(&whole, "%s/%s", program->folders[i], path) < 0) {
            return NULL;
        }
        FILE *const file = fopen(whole, "re");
        free(whole);
        if (file != NULL) {
            return file;
        }
    }
    return fopen(path, "re");
}

static void read_source(const program_t *program, source_t *source)
{
    FILE *const file = open_source(program, source->path);
    if (file == NULL) {
        return;
    }
    if ((fseek(file, 0, SEEK_END) == 0) && (ftell(file) > 0)) {
        const size_t size = (size_t)ftell(file);
        rewind(file);
        source->text = malloc(size);
        source->size = (source->text != NULL) ? fread(source->text, 1U, size, file) : 0U;
    }
    (void)fclose(file);
    find_lines(source);
}

static source_t *source_of(program_t *program, const char *path)
{
    for (source_t *source = program->sources; source != NULL; source = source->next) {
        if (strcmp(source->path, path) == 0) {
            return source;
        }
    }
    source_t *const source = calloc(1U, sizeof *source);
    char *const copy = strdup(path);
    if ((source == NULL) || (copy == NULL)) {
        free(source);
        free(copy);
        return NULL;
    }
    source->path = copy;
    source->next = program->sources;
    program->sources = source;
    read_source(program, source);
    return source;
}

const char *program_line(program_t *program, const char *file, int line, size_t *length)
{
    source_t *const source = (file != NULL) ? source_of(program, file) : NULL;
    if ((source == NULL) || (line < 1) || ((size_t)line > source->line_count)) {
        return NULL;
    }
    const size_t start = source->starts[line - 1];
    const char *const end = memchr(source->text + start, '\n', source->size - start);
    *length = (end != NULL) ? (size_t)(end - (source->text + start)) : source->size - start;
    return source->text + start;
}
