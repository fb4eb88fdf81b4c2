// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete: one command, its work in subcommands. Each is a line in the table below and a file here.

#include "tools/mete/command.h"

#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct command {
    const char *name;
    const char *invocation;  // How it names itself in messages.
    int (*run)(int argument_count, char **arguments);
} command_t;

static const command_t commands[] = {
    {"replay", "mete replay", replay_command},
};

static const char description[] =
    "Tools for programs that use the Mete memory-management library.\v"
    "Subcommands:\n"
    "  replay    replay recorded traces on an allocator\n"
    "\n"
    "`mete SUBCOMMAND --help' describes each.";

const char *argp_program_version = "mete " METE_VERSION;

typedef struct choice {
    const command_t *command;
    int first;  // Index of its name among the arguments.
} choice_t;

static const command_t *command_of(const char *name)
{
    for (size_t i = 0U; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    choice_t *const choice = state->input;
    if (key == ARGP_KEY_NO_ARGS) {
        argp_error(state, "found no subcommand, expected one: replay");
        return 0;
    }
    if (key != ARGP_KEY_ARG) {
        return ARGP_ERR_UNKNOWN;
    }
    choice->command = command_of(argument);
    choice->first = state->next - 1;
    if (choice->command == NULL) {
        argp_error(state, "found subcommand '%s', expected one of: replay", argument);
    }
    state->next = state->argc;  // The rest belongs to the subcommand.
    return 0;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    const struct argp argp = {
        .parser = parse, .args_doc = "SUBCOMMAND [ARGUMENT...]", .doc = description};
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
