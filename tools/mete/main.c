// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete: one command, its work in subcommands. Each is a line in the table below and a file here.

#include "tools/mete/command.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct command {
    const char *name;
    const char *invocation;  // How it names itself in messages.
    const char *summary;
    int (*run)(int argument_count, char **arguments);
} command_t;

static const command_t commands[] = {
    {"bound", "mete bound", "bound the instructions that functions take", bound_command},
    {"replay", "mete replay", "replay recorded traces on an allocator", replay_command},
    {"leaks", "mete leaks", "say where the blocks of a leak report were acquired", leaks_command},
    {"postmortem", "mete postmortem", "explain what a device noted before it was reset",
     postmortem_command},
    {"stack", "mete stack", "bound the stack that functions take", stack_command},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

const char *argp_program_version = "mete " METE_VERSION;

typedef struct choice {
    const command_t *command;
    int first;  // Index of its name among the arguments.
} choice_t;

static const command_t *command_of(const char *name)
{
    for (size_t i = 0U; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

// Ends the program: what was found is no subcommand, or nothing was (NULL).
static void refuse(const struct argp_state *state, const char *found)
{
    char names[256] = "";
    for (size_t i = 0U; i < COMMAND_COUNT; i++) {
        const size_t length = strlen(names);
        (void)snprintf(names + length, sizeof names - length, "%s%s", (i != 0U) ? ", " : "",
                       commands[i].name);
    }
    const char *const quote = (found != NULL) ? "'" : "";
    argp_error(state, "found %s%s%s, expected a subcommand: %s", quote,
               (found != NULL) ? found : "no argument", quote, names);
}

// The part of --help behind the options: argp frees what is returned.
static char *help_filter(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) {
        return (char *)(uintptr_t)text;
    }
    char *help = NULL;
    size_t size = 0U;
    FILE *const file = open_memstream(&help, &size);
    if (file == NULL) {
        return NULL;
    }
    fputs("Subcommands:\n", file);
    for (size_t i = 0U; i < COMMAND_COUNT; i++) {
        fprintf(file, "  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n`mete SUBCOMMAND --help' describes each.", file);
    fclose(file);
    return help;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    choice_t *const choice = state->input;
    if (key == ARGP_KEY_NO_ARGS) {
        refuse(state, NULL);
        return 0;
    }
    if (key != ARGP_KEY_ARG) {
        return ARGP_ERR_UNKNOWN;
    }
    choice->command = command_of(argument);
    choice->first = state->next - 1;
    if (choice->command == NULL) {
        refuse(state, argument);
    }
    state->next = state->argc;  // The rest belongs to the subcommand.
    return 0;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    const struct argp argp = {.parser = parse,
                              .args_doc = "SUBCOMMAND [ARGUMENT...]",
                              .doc = "Tools for programs that use the Mete memory-management "
                                     "library.\v ",
                              .help_filter = help_filter};
    choice_t choice = {NULL, 0};
    if ((argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice) != 0) ||
        (choice.command == NULL)) {
        return EXIT_FAILURE;
    }
    char *const name = strdup(choice.command->invocation);
    argv[choice.first] = name;
    int status = choice.command->run(argc - choice.first, argv + choice.first);
    free(name);
    // A report that did not reach its file must not look like success.
    if ((fflush(stdout) != 0) || ferror(stdout)) {
        perror("mete: the report could not be written");
        status = (status < STATUS_UNREADABLE) ? STATUS_UNREADABLE : status;
    }
    return status;
}
