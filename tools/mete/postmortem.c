// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete postmortem: says in words what the record in a dump, or in a device, holds. docs/guide/postmortem.md describes
// it.

#include "tools/lib/gdb_remote.h"
#include "tools/mete/command.h"
#include "tools/mete/postmortem_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DUMP_SIZE_MAX = 256 * 1024 * 1024, CODE_SIZE_MAX = 256 };

typedef struct settings {
    const char *command_name;
    const char *path;   // Of a dump; NULL: `place`.
    const char *place;  // Of a GDB server.
    const char *at;     // Where the store lies; NULL: in the section that the header names.
    bool stays_halted;
    source_t source;
} settings_t;

// Memory, and where it was.
typedef struct memory {
    unsigned char *bytes;
    size_t size;
    uint64_t address;
} memory_t;

// ---- Command line

enum { OPTION_GDB = 256, OPTION_AT, OPTION_HALTED };  // Without a letter.

static const struct argp_option options[] = {
    {"gdb", OPTION_GDB, "HOST:PORT", 0,
     "Read the device through a GDB server, not a dump: a debug probe's, or an emulator's", 0},
    {"at", OPTION_AT, "PLACE", 0,
     "Where the store lies in the device: a variable of the program, or an address, as 0x20000000. "
     "Default: the program's section .noinit",
     0},
    {"halted", OPTION_HALTED, NULL, 0, "The device was halted before, and shall stay so", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const char description[] =
    "Explains what mete_postmortem has kept: DUMP is raw memory that holds its store, or a whole "
    "RAM; - is standard input. With --elf the callers become functions and lines of their source.\v"
    "A GDB server halts the device when somebody connects, and cannot say whether it ran before. "
    "So it is let go on at the end, also after an error, unless --halted says that it was halted. "
    "Nothing is written to it; but servers may drop the breakpoints of a debugger before. With "
    "--elf "
    "the code in the device is compared with the program's, its first 256 bytes.\n\n"
    "Exit code: 0 a record was found, 1 one was found but none of its callers lies in the program, "
    "2 there is no whole record, no file, no device or another program, 64 wrong usage.";

static void take_dump(settings_t *settings, const char *path, const struct argp_state *state)
{
    if (settings->path != NULL) {
        argp_error(state, "found '%s', expected one DUMP", path);
    }
    settings->path = path;
}

// Options that need or exclude each other.
static void expect_sense(const settings_t *settings, const struct argp_state *state)
{
    uint64_t address = 0U;
    if ((settings->path == NULL) == (settings->place == NULL)) {
        argp_error(state, "found %s, expected one of DUMP and --gdb",
                   (settings->path == NULL) ? "neither" : "both");
    }
    if ((settings->path != NULL) && ((settings->at != NULL) || settings->stays_halted)) {
        argp_error(state, "found a DUMP, expected neither --at nor --halted with it");
    }
    if ((settings->place != NULL) && (settings->source.path == NULL) &&
        ((settings->at == NULL) || !command_address(settings->at, &address))) {
        argp_error(state, "found --gdb without --elf, expected --at with an address");
    }
    if ((settings->at != NULL) && (strncmp(settings->at, "0x", 2U) == 0) &&
        !command_address(settings->at, &address)) {
        argp_error(state, "--at: found '%s', expected an address, as 0x20000000", settings->at);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    settings_t *const settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->source;
        return 0;
    case OPTION_GDB:
        settings->place = argument;
        return 0;
    case OPTION_AT:
        settings->at = argument;
        return 0;
    case OPTION_HALTED:
        settings->stays_halted = true;
        return 0;
    case ARGP_KEY_ARG:
        take_dump(settings, argument, state);
        return 0;
    case ARGP_KEY_END:
        expect_sense(settings, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// ---- From a dump

// All of an open file. False, with errno set, if it cannot be read; either way the caller frees the bytes.
static bool read_all(FILE *file, memory_t *memory)
{
    size_t room = 0U;
    bool is_over = false;
    while (!is_over) {
        room = (room != 0U) ? 2U * room : 65536U;
        unsigned char *const more = (room <= DUMP_SIZE_MAX) ? realloc(memory->bytes, room) : NULL;
        if (more == NULL) {
            errno = (room <= DUMP_SIZE_MAX) ? ENOMEM : EFBIG;
            return false;
        }
        memory->bytes = more;
        memory->size += fread(memory->bytes + memory->size, 1U, room - memory->size, file);
        is_over = memory->size < room;
    }
    return ferror(file) == 0;
}

static bool read_dump(const settings_t *settings, memory_t *memory)
{
    FILE *const file = command_open(settings->path);
    const bool is_read = (file != NULL) && read_all(file, memory);
    if (!is_read) {
        command_tell(settings->command_name, settings->path, 0U, strerror(errno));
    }
    if (file != NULL) {
        command_close(file);
    }
    return is_read;
}

// ---- From a device

// Where the store lies. False, and says why, if that is not known.
static bool locate(const settings_t *settings, symbols_memory_t *store)
{
    const source_t *const source = &settings->source;
    char text[200];
    *store = (symbols_memory_t){0U, 0U};
    if (settings->at == NULL) {
        (void)snprintf(text, sizeof text, "found no section .noinit, expected --at PLACE");
        if (symbols_section(source->symbols, ".noinit", store)) {
            store->address += source->base;
            return true;
        }
    } else if (command_address(settings->at, &store->address)) {
        const unsigned word_size =
            (source->symbols != NULL) ? symbols_word_size(source->symbols) : 4U;
        store->size = (uint64_t)2U * REMAINS_WORD_COUNT * word_size;
        return true;
    } else {
        const size_t count = symbols_variable(source->symbols, settings->at, store);
        (void)snprintf(text, sizeof text,
                       "found %zu variables of the name '%.80s', expected one; or --at ADDRESS",
                       count, settings->at);
        store->address += source->base;
        if (count == 1U) {
            return true;
        }
    }
    command_tell(settings->command_name, source->path, 0U, text);
    return false;
}

// True if the device runs the program that explains it.
static bool runs_program(gdb_remote_t *gdb, const source_t *source)
{
    unsigned char there[CODE_SIZE_MAX];
    symbols_memory_t where;
    const void *const here =
        (source->symbols != NULL) ? symbols_code(source->symbols, sizeof there, &where) : NULL;
    if (here == NULL) {
        return true;
    }
    const uint64_t address = where.address + source->base;
    if (!gdb_read(gdb, address, there, (size_t)where.size)) {
        return false;
    }
    if (memcmp(here, there, (size_t)where.size) != 0) {
        (void)snprintf(gdb->reason, sizeof gdb->reason,
                       "found other code at 0x%" PRIx64 " than in the program, expected --elf with "
                       "what runs there",
                       address);
        return false;
    }
    return true;
}

static bool read_store(gdb_remote_t *gdb, const symbols_memory_t *store, bool knows_size,
                       memory_t *memory)
{
    memory->bytes = malloc((2U * (size_t)store->size) + 1U);
    if (memory->bytes == NULL) {
        (void)snprintf(gdb->reason, sizeof gdb->reason, "no memory");
        return false;
    }
    if (!gdb_read(gdb, store->address, memory->bytes, (size_t)store->size)) {
        return false;
    }
    memory->address = store->address;
    memory->size = (size_t)store->size;
    // Without a program, a 64-bit core's store is twice as large; behind a smaller one there may be nothing.
    if (!knows_size && gdb_read(gdb, store->address + store->size, memory->bytes + store->size,
                                (size_t)store->size)) {
        memory->size *= 2U;
    }
    return true;
}

static bool read_device(const settings_t *settings, memory_t *memory)
{
    gdb_remote_t gdb;
    symbols_memory_t store;
    if (!locate(settings, &store)) {
        return false;
    }
    if (store.size > DUMP_SIZE_MAX) {
        command_tell(settings->command_name, settings->source.path, 0U, strerror(EFBIG));
        return false;
    }
    const bool is_read = gdb_open(&gdb, settings->place) && runs_program(&gdb, &settings->source) &&
                         read_store(&gdb, &store, settings->source.symbols != NULL, memory);
    gdb_close(&gdb, !settings->stays_halted);
    if (!is_read) {
        command_tell(settings->command_name, settings->place, 0U, gdb.reason);
    }
    return is_read;
}

// ---- All of it

static status_t explain(const settings_t *settings, const memory_t *memory)
{
    const char *const from = (settings->path != NULL) ? settings->path : settings->place;
    symbols_t *const symbols = settings->source.symbols;
    char text[200];
    remains_t remains;
    remains_find(memory->bytes, memory->size, &remains);
    if (remains.word_size == 0U) {
        (void)snprintf(text, sizeof text,
                       "no whole record in %zu bytes, %zu broken; is the store in it?",
                       memory->size, remains.broken_count);
        command_tell(settings->command_name, from, 0U, text);
        return STATUS_UNREADABLE;
    }
    if ((symbols != NULL) && (symbols_word_size(symbols) != remains.word_size)) {
        (void)snprintf(text, sizeof text,
                       "found a program of %u bits, expected one of %u, as the record's core",
                       8U * symbols_word_size(symbols), 8U * remains.word_size);
        command_tell(settings->command_name, settings->source.path, 0U, text);
        return STATUS_UNREADABLE;
    }
    postmortem_report_t report = {&remains, &settings->source, memory->address, 0U, 0U};
    postmortem_report_print(stdout, &report);
    if ((report.known_count == 0U) && (report.unknown_count != 0U)) {
        command_tell(settings->command_name, settings->source.path, 0U,
                     "found none of the callers in it, expected the program that ran");
        return STATUS_FAILURES;
    }
    return STATUS_OK;
}

int postmortem_command(int argument_count, char **arguments)
{
    settings_t settings = {.command_name = arguments[0]};
    const struct argp_child children[] = {{&source_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "DUMP\n--gdb HOST:PORT",
                              .doc = description,
                              .children = children};
    if (argp_parse(&argp, argument_count, arguments, 0, NULL, &settings) != 0) {
        return STATUS_UNREADABLE;
    }
    memory_t memory = {NULL, 0U, 0U};
    status_t status = STATUS_UNREADABLE;
    if (source_open(&settings.source, settings.command_name) &&
        ((settings.path != NULL) ? read_dump(&settings, &memory)
                                 : read_device(&settings, &memory))) {
        status = explain(&settings, &memory);
    }
    free(memory.bytes);
    source_close(&settings.source);
    return (int)status;
}
