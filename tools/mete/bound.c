// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete bound: how many instructions functions of a program take at most. docs/guide/bound.md describes it.

#include "tools/mete/bound_report.h"
#include "tools/mete/command.h"
#include "tools/mete/notes_option.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Options without a letter.
enum { OPTION_CASE = 256, OPTION_SET, OPTION_PATH, OPTION_HEADER };

typedef struct settings {
    const char *command_name;
    notes_option_t notes;
    const char *case_name;    // NULL: that of the function.
    const char *header_path;  // NULL: none is written.
    bool is_json, shows_path;
    char **arguments;  // The program, then the functions.
    size_t argument_count;
} settings_t;

// ---- Command line

static const struct argp_option options[] = {
    {"case", OPTION_CASE, "NAME", 0, "The case that notes with `cases` speak of", 0},
    {"set", OPTION_SET, "NAME=NUMBER", 0, "A parameter of the notes, as buddy.levels=8", 0},
    {"path", OPTION_PATH, NULL, 0, "Print the longest path, by source line (text only)", 0},
    {"header", OPTION_HEADER, "FILE", 0,
     "Write a C header with the bounds of all allocators in the program, for mete/wrap/timing.h",
     0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const char description[] =
    "Bounds the instructions that functions of a program execute until they return: the longest "
    "path "
    "through their machine code, with everything they call. For Cortex-M and 32-bit RISC-V. A "
    "function is "
    "FUNCTION or FILE:FUNCTION; without any, those of Mete that are in the program.\v"
    "The program must have symbols and debug information (-g). Notes need the sources, where it "
    "was "
    "compiled from. What cannot be bounded is refused, with its place: a loop without a stated "
    "bound, "
    "recursion, a jump through a table, a call through a pointer.\n\n"
    "Exit code: 0 every function has a bound, 1 one was refused, 2 a file could not be read or is "
    "damaged, "
    "64 wrong usage. Of several, the largest.";

static void parse_set(const settings_t *settings, char *text, const struct argp_state *state)
{
    char *const equals = strchr(text, '=');
    char *end = NULL;
    errno = 0;
    const unsigned long long value = (equals != NULL) ? strtoull(equals + 1, &end, 10) : 0U;
    if ((equals == NULL) || (equals == text) || !isdigit((unsigned char)equals[1]) ||
        (*end != '\0') || (errno != 0) || (value == 0U) || (value > UINT32_MAX)) {
        argp_error(state, "--set: found '%s', expected NAME=NUMBER, from 1", text);
        return;
    }
    *equals = '\0';
    if (!notes_set(settings->notes.notes, text, value)) {
        argp_failure(state, STATUS_UNREADABLE, 0, "no memory");
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    settings_t *const settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->notes;
        state->child_inputs[1] = &settings->is_json;
        return 0;
    case OPTION_CASE:
        settings->case_name = argument;
        return 0;
    case OPTION_SET:
        parse_set(settings, argument, state);
        return 0;
    case OPTION_PATH:
        settings->shows_path = true;
        return 0;
    case OPTION_HEADER:
        settings->header_path = argument;
        return 0;
    case ARGP_KEY_ARGS:
        settings->arguments = state->argv + state->next;
        settings->argument_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "found no program, expected an ELF file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// ---- One function

static const char *case_of(const settings_t *settings, const char *name)
{
    return (settings->case_name != NULL) ? settings->case_name
                                         : notes_default_case(settings->notes.notes, name);
}

static bool keep_path(bound_answer_t *answer, const bound_t *bound)
{
    free(answer->path);
    answer->path = malloc((bound->path_count + 1U) * sizeof *answer->path);
    if (answer->path != NULL) {
        memcpy(answer->path, bound->path, bound->path_count * sizeof *answer->path);
        answer->path_count = bound->path_count;
        answer->length = bound->length;
    }
    return answer->path != NULL;
}

// Bounds a function in one part of a case, and keeps the larger.
static bool answer_part(bound_answer_t *answer, program_t *program, const notes_t *notes,
                        const program_function_t *function, const char *part, bool *used)
{
    bounds_t *const bounds = bounds_new(program, notes, part);
    const bound_t *const bound =
        (bounds != NULL) ? bounds_of(bounds, function, answer->reason, sizeof answer->reason)
                         : NULL;
    bool is_done = (bound != NULL);
    if (is_done && ((answer->path == NULL) || (bound->length > answer->length))) {
        is_done = keep_path(answer, bound);
    }
    for (size_t i = 0U; is_done && (i < notes_count(notes)); i++) {
        used[i] = used[i] || bounds_used(bounds, i);
    }
    bounds_free(bounds);
    return is_done;
}

static bool keep_used(bound_answer_t *answer, const notes_t *notes, const bool *used)
{
    answer->used = (const note_t **)calloc(notes_count(notes) + 1U, sizeof(void *));
    size_t count = 0U;
    for (size_t i = 0U; (answer->used != NULL) && (i < notes_count(notes)); i++) {
        if (used[i]) {
            answer->used[count++] = notes_at(notes, i);
        }
    }
    return answer->used != NULL;
}

static void locate(bound_answer_t *answer, program_t *program, const program_function_t *function)
{
    place_t places[PLACE_COUNT_MAX];
    (void)program_places(program, function, function->address, places);
    answer->address = function->address;
    answer->file = places[0].file;
    answer->line = places[0].line;
}

// All parts of the case.
static bound_answer_t answer_of(const settings_t *settings, program_t *program, const char *name)
{
    const notes_t *const notes = settings->notes.notes;
    bound_answer_t answer = {.name = name, .case_name = case_of(settings, name)};
    const program_function_t *const function =
        program_find_one(program, name, answer.reason, sizeof answer.reason);
    if (function == NULL) {
        answer.is_refused = true;
        return answer;
    }
    bool *const used = calloc(notes_count(notes) + 1U, sizeof *used);
    bool is_done = (used != NULL);
    for (size_t i = 0U; is_done && (notes_part(notes, answer.case_name, i) != NULL); i++) {
        is_done = answer_part(&answer, program, notes, function,
                              notes_part(notes, answer.case_name, i), used);
    }
    is_done = is_done && keep_used(&answer, notes, used);
    free(used);
    locate(&answer, program, function);
    answer.is_refused = !is_done;
    return answer;
}

static status_t report(const settings_t *settings, program_t *program, const char *name,
                       json_t *reports)
{
    bound_answer_t answer = answer_of(settings, program, name);
    if (settings->is_json) {
        json_array_append_new(reports, bound_to_json(&answer));
    } else {
        bound_print_text(stdout, settings->command_name, &answer);
        if (settings->shows_path && !answer.is_refused) {
            bound_print_path(stdout, program, &answer);
        }
    }
    const bool is_refused = answer.is_refused;
    bound_answer_free(&answer);
    return is_refused ? STATUS_FAILURES : STATUS_OK;
}

// What was asked for; or all of Mete that the program has.
static status_t report_all(const settings_t *settings, program_t *program, json_t *reports)
{
    status_t worst = STATUS_OK;
    for (size_t i = 1U; i < settings->argument_count; i++) {
        const status_t status = report(settings, program, settings->arguments[i], reports);
        worst = command_worse(worst, status);
    }
    const char *name = NULL;
    for (size_t i = 0U; (settings->argument_count == 1U) &&
                        ((name = notes_default_function(settings->notes.notes, i)) != NULL);
         i++) {
        const program_function_t *function = NULL;
        if (program_find(program, name, &function) != 0U) {
            const status_t status = report(settings, program, name, reports);
            worst = command_worse(worst, status);
        }
    }
    return worst;
}

// ---- The header

// True if the file holds just this text: then it stays as it is, and nothing need be compiled again.
static bool is_same(const char *path, const char *text)
{
    FILE *const file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    const char *at = text;
    int c = 0;
    while (((c = fgetc(file)) != EOF) && (*at != '\0') && ((unsigned char)*at == c)) {
        at++;
    }
    (void)fclose(file);
    return (c == EOF) && (*at == '\0');
}

static status_t write_text(const settings_t *settings, const char *text)
{
    if (is_same(settings->header_path, text)) {
        return STATUS_OK;
    }
    FILE *const file = fopen(settings->header_path, "we");
    const bool is_written = (file != NULL) && (fputs(text, file) >= 0);
    if ((file == NULL) || (fclose(file) != 0) || !is_written) {
        command_tell(settings->command_name, settings->header_path, 0U, strerror(errno));
        return STATUS_UNREADABLE;
    }
    return STATUS_OK;
}

enum { HEADER_LINES_MAX = 64 };

typedef struct header {
    bound_answer_t answers[HEADER_LINES_MAX][3];
    bound_line_t lines[HEADER_LINES_MAX];
    size_t count;
} header_t;

// Bounds an allocator's operations, if the program has it.
static void add_line(header_t *header, const settings_t *settings, program_t *program,
                     const note_allocator_t *allocator)
{
    const program_function_t *function = NULL;
    if ((header->count == HEADER_LINES_MAX) ||
        (program_find(program, allocator->functions[0], &function) == 0U)) {
        return;
    }
    bound_line_t *const line = &header->lines[header->count];
    line->name = allocator->name;
    for (size_t i = 0U; i < 3U; i++) {
        bound_answer_t *const answer = &header->answers[header->count][i];
        line->answers[i] = NULL;
        if (allocator->functions[i] != NULL) {
            *answer = answer_of(settings, program, allocator->functions[i]);
            line->answers[i] = answer;
        }
    }
    header->count++;
}

static status_t write_header(const settings_t *settings, program_t *program)
{
    header_t *const header = calloc(1U, sizeof *header);
    const note_allocator_t *allocator = NULL;
    for (size_t i = 0U;
         (header != NULL) && ((allocator = notes_allocator(settings->notes.notes, i)) != NULL);
         i++) {
        add_line(header, settings, program, allocator);
    }
    char *const text = (header != NULL) ? bound_header(program_base_name(settings->arguments[0]),
                                                       header->lines, header->count)
                                        : NULL;
    status_t status = STATUS_UNREADABLE;
    if (text != NULL) {
        status = write_text(settings, text);
    }
    for (size_t i = 0U; (header != NULL) && (i < header->count); i++) {
        for (size_t k = 0U; k < 3U; k++) {
            bound_answer_free(&header->answers[i][k]);
        }
    }
    free(text);
    free(header);
    return status;
}

// ---- All of it

static bool read_notes(const settings_t *settings)
{
    char reason[PROGRAM_REASON_SIZE] = "";
    bool is_read = notes_option_read(&settings->notes, reason, sizeof reason);
    if (is_read && (settings->case_name != NULL) && (settings->case_name[0] != '\0') &&
        !notes_know_case(settings->notes.notes, settings->case_name)) {
        (void)snprintf(reason, sizeof reason,
                       "--case: found '%s', expected a case that the notes speak of",
                       settings->case_name);
        is_read = false;
    }
    if (!is_read) {
        fprintf(stderr, "%s: %s\n", settings->command_name, reason);
    }
    return is_read;
}

static status_t run(const settings_t *settings, program_t *program)
{
    json_t *const reports = settings->is_json ? json_array() : NULL;
    status_t status = report_all(settings, program, reports);
    if (settings->header_path != NULL) {
        const status_t written = write_header(settings, program);
        status = command_worse(status, written);
    }
    if (settings->is_json) {
        json_t *const all = json_pack("{s:s, s:s, s:o}", "program", settings->arguments[0],
                                      "machine", program_machine(program), "functions", reports);
        command_print_json(all);
    }
    return status;
}

int bound_command(int argument_count, char **arguments)
{
    const struct argp_child children[] = {
        {&notes_option_argp, 0, NULL, 0}, {&command_format_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "ELF [FUNCTION...]",
                              .doc = description,
                              .children = children};
    settings_t settings = {.command_name = arguments[0], .notes = {.notes = notes_new()}};
    status_t status = STATUS_UNREADABLE;
    if ((settings.notes.notes == NULL) ||
        (argp_parse(&argp, argument_count, arguments, 0, NULL, &settings) != 0)) {
        return (int)status;
    }
    char reason[PROGRAM_REASON_SIZE] = "";
    program_t *const program =
        read_notes(&settings) ? program_open(settings.arguments[0], reason, sizeof reason) : NULL;
    if (program != NULL) {
        status = run(&settings, program);
    } else if (reason[0] != '\0') {
        command_tell(settings.command_name, settings.arguments[0], 0U, reason);
    }
    program_close(program);
    notes_free(settings.notes.notes);
    return (int)status;
}
