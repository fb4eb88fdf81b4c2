// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete leaks: reads what a tracker reported, finds the source, groups, prints. docs/guide/leaks.md
// describes it.

#include "tools/mete/command.h"
#include "tools/mete/leaks_report.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Options without a letter.
enum { OPTION_FORMAT = 256, OPTION_BASE };

typedef struct settings {
    const char *command_name;
    const char *program;  // NULL: none was given.
    uint64_t base;
    bool has_base;
    bool is_json;
    char **paths;
    size_t path_count;
} settings_t;

static const struct argp_option options[] = {
    {"elf", 'e', "FILE", 0, "The program that made the report, compiled with -g", 0},
    {"base", OPTION_BASE, "ADDRESS", 0,
     "Where the program was loaded, as 0x555555554000; for programs that are loaded anywhere", 0},
    {"format", OPTION_FORMAT, "text|json", 0, "How to print. Default: text", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const char description[] =
    "Says where the blocks of a leak report were acquired. A report is what "
    "mete_track_report_write() "
    "or its twin for JSON wrote; other lines of a log are passed over; - is standard input. Of "
    "several reports, in one file or in several in the order of time, the last is shown, and "
    "whether its sites grew.\v"
    "Exit code: 0 there are no leaks, 1 there are, 2 a file could not be read or is damaged, 64 "
    "wrong usage.";

static void parse_base(settings_t *settings, const char *text, const struct argp_state *state)
{
    char *end = NULL;
    errno = 0;
    settings->base = strtoull(text, &end, 16);
    settings->has_base = true;
    if ((strncmp(text, "0x", 2U) != 0) || (text[2] == '\0') || (*end != '\0') || (errno != 0)) {
        argp_error(state, "--base: found '%s', expected an address, as 0x555555554000", text);
    }
}

static void parse_format(settings_t *settings, const char *name, const struct argp_state *state)
{
    settings->is_json = (strcmp(name, "json") == 0);
    if (!settings->is_json && (strcmp(name, "text") != 0)) {
        argp_error(state, "--format: found '%s', expected text or json", name);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    settings_t *const settings = state->input;
    switch (key) {
    case 'e':
        settings->program = argument;
        return 0;
    case OPTION_BASE:
        parse_base(settings, argument, state);
        return 0;
    case OPTION_FORMAT:
        parse_format(settings, argument, state);
        return 0;
    case ARGP_KEY_ARGS:
        settings->paths = state->argv + state->next;
        settings->path_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "found no report, expected at least one file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool read_reports(const settings_t *settings, const char *path, leak_series_t *series)
{
    const bool is_stdin = (strcmp(path, "-") == 0);
    FILE *const file = is_stdin ? stdin : fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s: %s\n", settings->command_name, path, strerror(errno));
        return false;
    }
    leak_error_t error;
    const bool is_read = leak_series_read(series, file, &error);
    if (!is_read && (error.line != 0U)) {
        fprintf(stderr, "%s:%zu: %s\n", path, error.line, error.text);
    } else if (!is_read) {
        fprintf(stderr, "%s: %s: %s\n", settings->command_name, path, error.text);
    }
    if (!is_stdin) {
        fclose(file);
    }
    return is_read;
}

static bool read_all_reports(const settings_t *settings, leak_series_t *series)
{
    for (size_t i = 0U; i < settings->path_count; i++) {
        if (!read_reports(settings, settings->paths[i], series)) {
            return false;
        }
    }
    return true;
}

// NULL, and says why, if the program cannot be used.
static symbols_t *open_program(const settings_t *settings)
{
    char reason[160];
    symbols_t *const symbols = symbols_open(settings->program, reason, sizeof reason);
    if (symbols == NULL) {
        fprintf(stderr, "%s: %s: %s\n", settings->command_name, settings->program, reason);
        return NULL;
    }
    if (symbols_is_movable(symbols) && !settings->has_base) {
        fprintf(stderr,
                "%s: %s: found a program that is loaded anywhere, expected --base ADDRESS: the "
                "first of /proc/PID/maps, as it ran; or a program linked with -no-pie\n",
                settings->command_name, settings->program);
        symbols_close(symbols);
        return NULL;
    }
    return symbols;
}

static void print(const settings_t *settings, const leaks_report_t *report)
{
    if (!settings->is_json) {
        leaks_report_print(stdout, report);
        return;
    }
    json_t *const all = leaks_report_to_json(report);
    json_dumpf(all, stdout, JSON_INDENT(1));
    fputs("\n", stdout);
    json_decref(all);
}

static status_t show(const settings_t *settings, const leak_series_t *series, symbols_t *symbols)
{
    leak_sites_t sites;
    if (!leak_sites_find(&sites, series, symbols, settings->base)) {
        fprintf(stderr, "%s: no memory to group the leaks\n", settings->command_name);
        return STATUS_UNREADABLE;
    }
    const leaks_report_t report = {series, &sites, symbols};
    print(settings, &report);
    const status_t status = (sites.site_count == 0U) ? STATUS_OK : STATUS_FAILURES;
    leak_sites_free(&sites);
    return status;
}

int leaks_command(int argument_count, char **arguments)
{
    const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "REPORT...", .doc = description};
    settings_t settings = {.command_name = arguments[0]};
    if (argp_parse(&argp, argument_count, arguments, 0, NULL, &settings) != 0) {
        return STATUS_UNREADABLE;
    }
    leak_series_t series = {NULL, 0U};
    symbols_t *symbols = NULL;
    status_t status = STATUS_UNREADABLE;
    if (read_all_reports(&settings, &series)) {
        symbols = (settings.program != NULL) ? open_program(&settings) : NULL;
        if ((symbols != NULL) || (settings.program == NULL)) {
            status = show(&settings, &series, symbols);
        }
    }
    symbols_close(symbols);
    leak_series_free(&series);
    return (int)status;
}
