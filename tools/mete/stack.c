// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete stack: how much stack functions of a program take at most, beside what was seen. docs/guide/stack.md
// describes it.

#include "tools/mete/command.h"
#include "tools/mete/notes_option.h"
#include "tools/mete/stack_report.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *command_name;
    notes_option_t notes;
    bool is_json;
    char **arguments;  // The program, then the functions.
    size_t argument_count;
} settings_t;

// ---- Command line

static const char description[] =
    "Bounds the stack that functions of a program take: the deepest chain of calls, with the "
    "frames "
    "that the compiler made. For Cortex-M and 32-bit RISC-V. A function is FUNCTION or "
    "FILE:FUNCTION; without any, main. Behind it may stand the most that was ever seen in use, and "
    "the size of its stack: worker=480/1024. Then the gap is told.\v"
    "The program must have symbols and debug information (-g). What cannot be bounded is refused, "
    "with its place: recursion, a call through a pointer of which no note speaks, a frame whose "
    "size is known only at run time. What interrupts push comes on top.\n\n"
    "Exit code: 0 every function has a bound and fits its stack, 1 one does not, 2 a file could "
    "not be read or is damaged, 64 wrong usage. Of several, the largest.";

// A number of bytes, from 1, up to `end`; 0: there is none.
static uint64_t bytes_of(const char *text, const char **end)
{
    char *behind = NULL;
    errno = 0;
    const unsigned long long value =
        isdigit((unsigned char)text[0]) ? strtoull(text, &behind, 10) : 0U;
    *end = (behind != NULL) ? behind : text;
    return ((errno == 0) && (value <= UINT32_MAX)) ? value : 0U;
}

// FUNCTION[=SEEN][/SIZE]; cuts the text behind the function. False if it is something else.
static bool parse_question(char *text, stack_question_t *question)
{
    *question = (stack_question_t){.name = text};
    char *const equals = strchr(text, '=');
    if (equals == NULL) {
        return text[0] != '\0';
    }
    const char *at = equals + 1;
    *equals = '\0';
    if (*at != '/') {
        question->seen = bytes_of(at, &at);
        if (question->seen == 0U) {
            return false;
        }
    }
    if (*at == '/') {
        question->size = bytes_of(at + 1, &at);
        if (question->size == 0U) {
            return false;
        }
    }
    return (text[0] != '\0') && (*at == '\0');
}

static void check_questions(const settings_t *settings, const struct argp_state *state)
{
    for (size_t i = 1U; i < settings->argument_count; i++) {
        stack_question_t question;
        char *const copy = strdup(settings->arguments[i]);
        const bool is_right = (copy != NULL) && parse_question(copy, &question);
        free(copy);
        if (!is_right) {
            argp_error(state, "found '%s', expected FUNCTION[=SEEN][/SIZE], in bytes from 1",
                       settings->arguments[i]);
        }
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    settings_t *const settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->notes;
        state->child_inputs[1] = &settings->is_json;
        return 0;
    case ARGP_KEY_ARGS:
        settings->arguments = state->argv + state->next;
        settings->argument_count = (size_t)(state->argc - state->next);
        check_questions(settings, state);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "found no program, expected an ELF file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// ---- One function

static bool keep_used(stack_answer_t *answer, const depths_t *depths, const notes_t *notes)
{
    answer->used = (const note_t **)calloc(notes_count(notes) + 1U, sizeof(void *));
    size_t count = 0U;
    for (size_t i = 0U; (answer->used != NULL) && (i < notes_count(notes)); i++) {
        if (depths_used(depths, i)) {
            answer->used[count++] = notes_at(notes, i);
        }
    }
    return answer->used != NULL;
}

static void measure(stack_answer_t *answer, depths_t *depths, program_t *program,
                    const notes_t *notes)
{
    const program_function_t *const function =
        program_find_one(program, answer->question.name, answer->reason, sizeof answer->reason);
    if (function == NULL) {
        return;
    }
    place_t places[PLACE_COUNT_MAX];
    (void)program_places(program, function, function->address, places);
    answer->place = places[0];
    answer->depth = depths_of(depths, function, answer->reason, sizeof answer->reason);
    if (!keep_used(answer, depths, notes)) {
        answer->depth = NULL;
    }
}

static status_t report(const settings_t *settings, program_t *program, stack_question_t question,
                       json_t *reports)
{
    stack_answer_t answer = {.question = question};
    depths_t *const depths = depths_new(program, settings->notes.notes);
    if (depths == NULL) {
        (void)snprintf(answer.reason, sizeof answer.reason, "%s: no memory", question.name);
    } else {
        measure(&answer, depths, program, settings->notes.notes);
    }
    if (settings->is_json) {
        json_array_append_new(reports, stack_to_json(&answer));
    } else {
        stack_print_text(stdout, settings->command_name, &answer);
    }
    const bool is_right = (answer.depth != NULL) && stack_fits(&answer);
    free((void *)answer.used);
    depths_free(depths);
    return is_right ? STATUS_OK : STATUS_FAILURES;
}

// ---- All of it

static status_t run(const settings_t *settings, program_t *program)
{
    json_t *const reports = settings->is_json ? json_array() : NULL;
    status_t worst = STATUS_OK;
    for (size_t i = 1U; i < settings->argument_count; i++) {
        stack_question_t question;
        (void)parse_question(settings->arguments[i], &question);
        worst = command_worse(worst, report(settings, program, question, reports));
    }
    if (settings->argument_count == 1U) {
        worst = report(settings, program, (stack_question_t){.name = "main"}, reports);
    }
    if (settings->is_json) {
        command_print_json(json_pack("{s:s, s:s, s:o}", "program", settings->arguments[0],
                                     "machine", program_machine(program), "functions", reports));
    }
    return worst;
}

int stack_command(int argument_count, char **arguments)
{
    const struct argp_child children[] = {
        {&notes_option_argp, 0, NULL, 0}, {&command_format_argp, 0, NULL, 0}, {NULL, 0, NULL, 0}};
    const struct argp argp = {.parser = parse,
                              .args_doc = "ELF [FUNCTION[=SEEN][/SIZE]...]",
                              .doc = description,
                              .children = children};
    settings_t settings = {.command_name = arguments[0], .notes = {.notes = notes_new()}};
    status_t status = STATUS_UNREADABLE;
    if ((settings.notes.notes == NULL) ||
        (argp_parse(&argp, argument_count, arguments, 0, NULL, &settings) != 0)) {
        return (int)status;
    }
    char reason[PROGRAM_REASON_SIZE] = "";
    program_t *program = NULL;
    if (!notes_option_read(&settings.notes, reason, sizeof reason)) {
        fprintf(stderr, "%s: %s\n", settings.command_name, reason);
    } else if ((program = program_open(settings.arguments[0], reason, sizeof reason)) == NULL) {
        command_tell(settings.command_name, settings.arguments[0], 0U, reason);
    } else {
        status = run(&settings, program);
    }
    program_close(program);
    notes_free(settings.notes.notes);
    return (int)status;
}
