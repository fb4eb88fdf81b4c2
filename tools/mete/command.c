// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

status_t command_worse(status_t a, status_t b)
{
    return (a > b) ? a : b;
}

void command_tell(const char *command_name, const char *path, size_t line, const char *text)
{
    if (line != 0U) {
        fprintf(stderr, "%s:%zu: %s\n", path, line, text);
    } else {
        fprintf(stderr, "%s: %s: %s\n", command_name, path, text);
    }
}

FILE *command_open(const char *path)
{
    return (strcmp(path, "-") == 0) ? stdin : fopen(path, "rbe");
}

void command_close(FILE *file)
{
    if (file != stdin) {
        (void)fclose(file);
    }
}

enum { OPTION_FORMAT = 0x1000 };  // Without a letter, and none of a subcommand's own.

static error_t parse_format(int key, char *argument, struct argp_state *state)
{
    bool *const is_json = state->input;
    if (key != OPTION_FORMAT) {
        return ARGP_ERR_UNKNOWN;
    }
    *is_json = (strcmp(argument, "json") == 0);
    if (!*is_json && (strcmp(argument, "text") != 0)) {
        argp_error(state, "--format: found '%s', expected text or json", argument);
    }
    return 0;
}

static const struct argp_option format_options[] = {
    {"format", OPTION_FORMAT, "text|json", 0, "How to report. Default: text", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

const struct argp command_format_argp = {.options = format_options, .parser = parse_format};

bool command_address(const char *text, uint64_t *address)
{
    char *end = NULL;
    errno = 0;
    *address = strtoull(text, &end, 16);
    return (strncmp(text, "0x", 2U) == 0) && isxdigit((unsigned char)text[2]) && (*end == '\0') &&
           (errno == 0);
}

void command_print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    fputs("\n", stdout);
    json_decref(object);
}
