// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete replay: reads traces, replays each on an allocator, reports. docs/guide/replay.md describes it.

#include "tools/lib/backend.h"
#include "tools/lib/fault.h"
#include "tools/lib/fit.h"
#include "tools/lib/progress.h"
#include "tools/lib/replayer.h"
#include "tools/lib/trace_zstd.h"
#include "tools/mete/command.h"
#include "tools/mete/replay_report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// Options without a letter.
enum { OPTION_FIT = 256, OPTION_VERIFY, OPTION_FLOOR, OPTION_CHART };

typedef struct settings {
    const char *command_name;
    const backend_t *backend;  // NULL: chosen for each trace.
    uint32_t search;
    size_t arena_size;  // 0: chosen for each trace.
    bool is_fit, is_verify, is_floor, is_json, is_chart;
    char **paths;
    size_t path_count;
} settings_t;

// ---- Command line

static const struct argp_option options[] = {
    {"alloc", 'a', "NAME", 0,
     "Allocator, one of those below. Default: heap if the "
     "trace fits into 256 KiB, else heap_wide",
     0},
    {"search", 'k', "K", 0, "Blocks a heap looks at in each of two bins, 0 to 255. Default: 2", 0},
    {"arena", 's', "BYTES", 0,
     "Size of the memory; K and M mean 1024 and 1024*1024. Default: as "
     "much as the trace needs, 256 KiB for heap",
     0},
    {"fit", OPTION_FIT, NULL, 0, "Find the smallest safe arena, and replay in it", 0},
    {"floor", OPTION_FLOOR, NULL, 0, "Report what perfect compaction would need", 0},
    {"verify", OPTION_VERIFY, NULL, 0, "Write a pattern into every block, and check it", 0},
    {"chart", OPTION_CHART, NULL, 0, "Draw memory over time (text only)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const char description[] =
    "Replays recorded traces on an allocator and reports what it needed. A trace is text, plain or "
    "compressed with zstd; - is standard input.\v"
    "Exit code: 0 every trace was replayed without a failure, 1 requests failed or no arena is "
    "safe, 2 a file could not be read or is damaged, 3 the allocator broke its promise, 64 wrong "
    "usage. Of several, the largest.";

// A number in decimal up to `limit`. False for anything else.
static bool parse_number(const char *text, uint64_t limit, uint64_t *number, const char **end)
{
    uint64_t value = 0U;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++) {
        value = (value * 10U) + (uint64_t)(*at - '0');
        if (value > limit) {
            return false;
        }
    }
    *number = value;
    *end = at;
    return at != text;
}

// Bytes, as 65536, 64K or 1M.
static bool parse_size(const char *text, size_t *size)
{
    const uint64_t limit = SIZE_MAX / 2U;
    uint64_t number = 0U;
    const char *end = NULL;
    if (!parse_number(text, limit, &number, &end)) {
        return false;
    }
    const unsigned shift = (*end == 'K') ? 10U : (*end == 'M') ? 20U : 0U;
    end += (shift != 0U) ? 1 : 0;
    *size = (size_t)(number << shift);
    return (*end == '\0') && (number != 0U) && (number <= limit >> shift);
}

static void parse_search(settings_t *settings, const char *text, const struct argp_state *state)
{
    uint64_t number = 0U;
    const char *end = NULL;
    if (!parse_number(text, 255U, &number, &end) || (*end != '\0')) {
        argp_error(state, "--search: found '%s', expected a number from 0 to 255", text);
    }
    settings->search = (uint32_t)number;
}

// The back ends as text, which the caller frees: for --help a line for each, else the names alone.
// NULL without memory.
static char *backend_list(bool is_help)
{
    char *text = NULL;
    size_t size = 0U;
    FILE *const file = open_memstream(&text, &size);
    if (file == NULL) {
        return NULL;
    }
    fputs(is_help ? "Allocators:\n" : "", file);
    for (size_t i = 0U; i < backend_count; i++) {
        const backend_t *const backend = &backends[i];
        if (is_help) {
            fprintf(file, "  %-10s %s\n", backend->name, backend->summary);
        } else {
            fprintf(file, "%s%s", (i != 0U) ? ", " : "", backend->name);
        }
    }
    fclose(file);
    return text;
}

// What --help says behind the options: argp frees what is returned.
static char *filter_help(int key, const char *text, void *input)
{
    (void)input;
    return (key == ARGP_KEY_HELP_EXTRA) ? backend_list(true) : (char *)(uintptr_t)text;
}

static void parse_backend(settings_t *settings, const char *name, const struct argp_state *state)
{
    settings->backend = backend_find(name);
    if (settings->backend == NULL) {
        char *const names = backend_list(false);
        argp_error(state, "--alloc: found '%s', expected one of: %s", name, names);
        free(names);
    }
}

static void parse_arena(settings_t *settings, const char *text, const struct argp_state *state)
{
    if (!parse_size(text, &settings->arena_size)) {
        argp_error(state, "--arena: found '%s', expected bytes, as 65536, 64K or 1M", text);
    }
}

// Options that exclude each other.
static void expect_sense(const settings_t *settings, const struct argp_state *state)
{
    const bool has_arena = (settings->backend == NULL) || (settings->backend->arena_max != 0U);
    if (settings->is_fit && (settings->arena_size != 0U)) {
        argp_error(state, "--fit finds the arena that --arena gives: expected one of them");
    }
    if (!has_arena && (settings->is_fit || (settings->arena_size != 0U))) {
        argp_error(state, "%s has no arena: expected neither --arena nor --fit",
                   settings->backend->name);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    settings_t *const settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->is_json;
        return 0;
    case 'a':
        parse_backend(settings, argument, state);
        return 0;
    case 'k':
        parse_search(settings, argument, state);
        return 0;
    case 's':
        parse_arena(settings, argument, state);
        return 0;
    case OPTION_FIT:
        settings->is_fit = true;
        return 0;
    case OPTION_FLOOR:
        settings->is_floor = true;
        return 0;
    case OPTION_VERIFY:
        settings->is_verify = true;
        return 0;
    case OPTION_CHART:
        settings->is_chart = true;
        return 0;
    case ARGP_KEY_ARGS:
        settings->paths = state->argv + state->next;
        settings->path_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "found no trace, expected at least one file");
        return 0;
    case ARGP_KEY_END:
        expect_sense(settings, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// ---- One trace

static replay_options_t options_for(const report_t *report)
{
    return (replay_options_t){
        .backend = report->backend, .search = report->search, .take_fault = fault_take};
}

// Replays in an arena of the size in the report. False without memory for it.
static bool replay_once(report_t *report, progress_t *progress)
{
    void *memory = NULL;
    if ((report->arena_size != 0U) && (posix_memalign(&memory, 64U, report->arena_size) != 0)) {
        return TRACE_FAIL(&report->error, 0U, "no memory for an arena of %zu bytes",
                          report->arena_size);
    }
    const size_t op_count = report->trace.op_count;
    replay_options_t how = options_for(report);
    how.arena = (mete_span_t){memory, report->arena_size};
    how.verifies = report->is_verified;
    how.samples = report->samples;
    how.sample_count = (op_count < REPORT_SAMPLE_COUNT) ? op_count : REPORT_SAMPLE_COUNT;
    how.on_progress = progress_show;
    how.on_progress_self = progress;
    (void)replay_run(&report->trace, &how, &report->result);
    report->sample_count = (report->result.op_count == op_count) ? how.sample_count : 0U;
    free(memory);
    return true;
}

// Replays in arenas of growing size until nothing fails. False without memory.
static bool replay_growing(report_t *report, progress_t *progress)
{
    const size_t size_max = report->backend->arena_max;
    const bool is_narrow = (size_max <= ((size_t)256U * 1024U));
    const size_t first = (size_t)((2U * report->trace.live_size_peak + 65536U) / 65536U * 65536U);
    report->arena_size = (is_narrow || (first > size_max)) ? size_max : first;
    while (replay_once(report, progress)) {
        if ((report->result.failures == 0U) || (report->arena_size == size_max)) {
            return true;
        }
        report->arena_size =
            (report->arena_size < size_max / 2U) ? report->arena_size * 2U : size_max;
    }
    return false;
}

static bool find_fit(report_t *report, progress_t *progress)
{
    replay_options_t how = options_for(report);
    how.on_progress = progress_show;
    how.on_progress_self = progress;
    report->has_fit = fit_find(&report->trace, &how, &report->fit);
    report->arena_size = report->has_fit ? report->fit.size : report->backend->arena_max;
    if (report->fit.defect != NULL) {
        report->result = (replay_result_t){.defect = report->fit.defect};
        return true;
    }
    return replay_once(report, progress);
}

// Replays with one back end. False without memory for an arena.
static bool replay_with(report_t *report, const settings_t *settings, const backend_t *backend,
                        progress_t *progress)
{
    report->backend = backend;
    if (settings->is_fit) {
        return find_fit(report, progress);
    }
    if (settings->arena_size != 0U) {
        report->arena_size = settings->arena_size;
        return replay_once(report, progress);
    }
    return replay_growing(report, progress);
}

// True if every request was met, in an arena that is safe if that was asked for.
static bool is_served(const report_t *report)
{
    return (report->result.failures == 0U) && (!report->wants_fit || report->has_fit);
}

static bool replay_trace(report_t *report, const settings_t *settings, progress_t *progress)
{
    if (settings->backend != NULL) {
        return replay_with(report, settings, settings->backend, progress);
    }
    const backend_t *const narrow = backend_find("heap");
    const backend_t *const wide = backend_find("heap_wide");
    if (settings->arena_size != 0U) {
        const bool is_small = (settings->arena_size <= narrow->arena_max);
        return replay_with(report, settings, is_small ? narrow : wide, progress);
    }
    return replay_with(report, settings, narrow, progress) &&
           (is_served(report) || (report->result.defect != NULL) ||
            replay_with(report, settings, wide, progress));
}

static status_t status_of(const report_t *report)
{
    if (report->result.defect != NULL) {
        return STATUS_DEFECT;
    }
    return is_served(report) ? STATUS_OK : STATUS_FAILURES;
}

// Reads, replays and reports one trace; the report is shown now or becomes part of `reports`.
static status_t process(const settings_t *settings, const char *path, report_summary_t *summary,
                        json_t *reports)
{
    report_t report = {.path = path,
                       .search = settings->search,
                       .is_verified = settings->is_verify,
                       .wants_fit = settings->is_fit,
                       .wants_floor = settings->is_floor};
    progress_t progress;
    progress_start(&progress, path);
    const bool is_replayed = trace_load(&report.trace, path, &report.error) &&
                             replay_trace(&report, settings, &progress);
    progress_end(&progress);
    if (is_replayed) {
        report.has_floor = replay_floor_of(&report.trace, report.backend, &report.bound);
    } else {
        command_tell(settings->command_name, path, report.error.line, report.error.text);
        trace_free(&report.trace);
    }
    report_add(summary, &report);
    if (settings->is_json) {
        json_array_append_new(reports, report_to_json(&report));
    } else {
        report_print_text(stdout, &report, settings->is_chart);
    }
    trace_free(&report.trace);
    return is_replayed ? status_of(&report) : STATUS_UNREADABLE;
}

static void finish(const settings_t *settings, const report_summary_t *summary, json_t *reports)
{
    if (settings->is_json) {
        command_print_json(
            json_pack("{s:o, s:o}", "traces", reports, "summary", report_summary_to_json(summary)));
    } else if (summary->trace_count > 1U) {
        report_print_summary(stdout, summary);
    }
}

int replay_command(int argument_count, char **arguments)
{
    const struct argp_child children[] = {{&command_format_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "TRACE...",
                              .doc = description,
                              .children = children,
                              .help_filter = filter_help};
    settings_t settings = {.command_name = arguments[0], .search = 2U};
    if (argp_parse(&argp, argument_count, arguments, 0, NULL, &settings) != 0) {
        return STATUS_UNREADABLE;
    }
    json_t *const reports = settings.is_json ? json_array() : NULL;
    report_summary_t summary = {0};
    status_t worst = STATUS_OK;
    for (size_t i = 0U; i < settings.path_count; i++) {
        const status_t status = process(&settings, settings.paths[i], &summary, reports);
        worst = command_worse(worst, status);
    }
    finish(&settings, &summary, reports);
    return (int)worst;
}
