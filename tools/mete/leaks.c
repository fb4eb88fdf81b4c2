// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete leaks: reads what a tracker reported, finds the source, groups, prints. docs/guide/leaks.md
// describes it.

#include "tools/mete/command.h"
#include "tools/mete/leaks_report.h"
#include "tools/mete/source.h"

#include <errno.h>
#include <string.h>

typedef struct settings {
    const char *command_name;
    source_t source;
    bool is_json;
    char **paths;
    size_t path_count;
} settings_t;

static const char description[] =
    "Says where the blocks of a leak report were acquired. A report is what "
    "mete_track_report_write() "
    "or its twin for JSON wrote; other lines of a log are passed over; - is standard input. Of "
    "several reports, in one file or in several in the order of time, the last is shown, and "
    "whether its sites grew.\v"
    "Exit code: 0 there are no leaks, 1 there are, 2 a file could not be read or is damaged, 64 "
    "wrong usage.";

static error_t parse(int key, char *argument, struct argp_state *state)
{
    settings_t *const settings = state->input;
    (void)argument;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->source;
        state->child_inputs[1] = &settings->is_json;
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
    FILE *const file = command_open(path);
    if (file == NULL) {
        command_tell(settings->command_name, path, 0U, strerror(errno));
        return false;
    }
    leak_error_t error;
    const bool is_read = leak_series_read(series, file, &error);
    if (!is_read) {
        command_tell(settings->command_name, path, error.line, error.text);
    }
    command_close(file);
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

static status_t show(const settings_t *settings, const leak_series_t *series)
{
    symbols_t *const symbols = settings->source.symbols;
    leak_sites_t sites;
    if (!leak_sites_find(&sites, series, symbols, settings->source.base)) {
        fprintf(stderr, "%s: no memory to group the leaks\n", settings->command_name);
        return STATUS_UNREADABLE;
    }
    const leaks_report_t report = {series, &sites, symbols};
    if (settings->is_json) {
        command_print_json(leaks_report_to_json(&report));
    } else {
        leaks_report_print(stdout, &report);
    }
    const status_t status = (sites.site_count == 0U) ? STATUS_OK : STATUS_FAILURES;
    leak_sites_free(&sites);
    return status;
}

int leaks_command(int argument_count, char **arguments)
{
    const struct argp_child children[] = {
        {&source_argp, 0, NULL, 0}, {&command_format_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};
    const struct argp argp = {
        .parser = parse, .args_doc = "REPORT...", .doc = description, .children = children};
    settings_t settings = {.command_name = arguments[0]};
    if (argp_parse(&argp, argument_count, arguments, 0, NULL, &settings) != 0) {
        return STATUS_UNREADABLE;
    }
    leak_series_t series = {NULL, 0U};
    status_t status = STATUS_UNREADABLE;
    if (read_all_reports(&settings, &series) &&
        source_open(&settings.source, settings.command_name)) {
        status = show(&settings, &series);
        source_close(&settings.source);
    }
    leak_series_free(&series);
    return (int)status;
}
