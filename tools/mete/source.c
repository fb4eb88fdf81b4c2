// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- The program

enum { OPTION_BASE = 0x1100 };  // Without a letter, and none of a subcommand's own.

static const struct argp_option options[] = {
    {"elf", 'e', "FILE", 0, "The program that the addresses are of, compiled with -g", 0},
    {"base", OPTION_BASE, "ADDRESS", 0,
     "Where the program was loaded, as 0x555555554000; for programs that are loaded anywhere", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static void parse_base(source_t *source, const char *text, const struct argp_state *state)
{
    source->has_base = command_address(text, &source->base);
    if (!source->has_base) {
        argp_error(state, "--base: found '%s', expected an address, as 0x555555554000", text);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    source_t *const source = state->input;
    switch (key) {
    case 'e':
        source->path = argument;
        return 0;
    case OPTION_BASE:
        parse_base(source, argument, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp source_argp = {.options = options, .parser = parse};

bool source_open(source_t *source, const char *command_name)
{
    char reason[160];
    if (source->path == NULL) {
        return true;
    }
    source->symbols = symbols_open(source->path, reason, sizeof reason);
    if (source->symbols == NULL) {
        command_tell(command_name, source->path, 0U, reason);
        return false;
    }
    if (symbols_is_movable(source->symbols) && !source->has_base) {
        command_tell(
            command_name, source->path, 0U,
            "found a program that is loaded anywhere, expected --base ADDRESS: the first of "
            "/proc/PID/maps, as it ran; or a program linked with -no-pie");
        source_close(source);
        return false;
    }
    return true;
}

void source_close(source_t *source)
{
    symbols_close(source->symbols);
    source->symbols = NULL;
}

// ---- Places

// A path below the current folder as seen from there.
static const char *short_path(const char *path)
{
    static char here[4096];
    const size_t length = (getcwd(here, sizeof here) != NULL) ? strlen(here) : 0U;
    const bool is_below =
        (length != 0U) && (strncmp(path, here, length) == 0) && (path[length] == '/');
    const char *const below = is_below ? path + length + 1U : path;
    return (strncmp(below, "./", 2U) == 0) ? below + 2 : below;
}

static size_t find(symbols_t *symbols, uint64_t address, place_t *places)
{
    return (symbols != NULL) ? symbols_find(symbols, address, places) : 0U;
}

static void print_place(FILE *file, const place_t *place, const char *indent)
{
    fprintf(file, "%s%s", indent, (place->function != NULL) ? place->function : "?");
    if (place->file != NULL) {
        fprintf(file, " at %s:%d", short_path(place->file), place->line);
    }
    fputs(place->is_inlined ? ", inlined\n" : "\n", file);
}

bool source_print(FILE *file, symbols_t *symbols, uint64_t address, const char *indent)
{
    place_t places[PLACE_COUNT_MAX];
    const size_t count = find(symbols, address, places);
    for (size_t i = 0U; i < count; i++) {
        print_place(file, &places[i], indent);
    }
    if (count == 0U) {
        fprintf(file, "%s0x%08" PRIx64 "\n", indent, address);
    }
    return count != 0U;
}

static json_t *place_to_json(uint64_t address, const place_t *place)
{
    char text[24];
    (void)snprintf(text, sizeof text, "0x%08" PRIx64, address);
    return json_pack("{s:s, s:s?, s:s?, s:i, s:b}", "address", text, "function", place->function,
                     "file", place->file, "line", place->line, "inlined",
                     place->is_inlined ? 1 : 0);
}

void source_to_json(json_t *array, symbols_t *symbols, uint64_t address)
{
    place_t places[PLACE_COUNT_MAX];
    const size_t found = find(symbols, address, places);
    if (found == 0U) {
        places[0] = (place_t){NULL, NULL, 0, false, NULL};
    }
    for (size_t i = 0U; i < ((found != 0U) ? found : 1U); i++) {
        json_array_append_new(array, place_to_json(address, &places[i]));
    }
}
