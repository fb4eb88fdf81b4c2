// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_COMMAND_H
#define METE_TOOLS_COMMAND_H

/// The subcommands, and what they have in common: exit codes, how errors are told, files opened, formats chosen.

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// Exit codes of every subcommand. Of several, the largest counts. 64 is a wrong command line.
typedef enum status {
    STATUS_OK = 0,
    STATUS_FAILURES = 1,    ///< It worked, and the answer is no: out of memory, or there are leaks.
    STATUS_UNREADABLE = 2,  ///< A file is missing or damaged, or a result could not be written.
    STATUS_DEFECT = 3,      ///< An allocator broke its promise.
} status_t;

/// A subcommand. `arguments[0]` is the name to use in messages.
int bound_command(int argument_count, char **arguments);
int leaks_command(int argument_count, char **arguments);
int postmortem_command(int argument_count, char **arguments);
int replay_command(int argument_count, char **arguments);
int stack_command(int argument_count, char **arguments);

status_t command_worse(status_t a, status_t b);

/// Tells what is wrong with `path`, on standard error. The place is the line of the file, from 1, or, with line 0,
/// the file as a whole.
void command_tell(const char *command_name, const char *path, size_t line, const char *text);

/// Opens a file to read; - is standard input. NULL, with errno set, if it cannot be.
FILE *command_open(const char *path);

/// Closes what command_open() opened.
void command_close(FILE *file);

/// The option --format, for the children of a subcommand's parser; its input is a bool, true for JSON.
extern const struct argp command_format_argp;

/// An address, as 0x08001234. False for anything else.
bool command_address(const char *text, uint64_t *address);

/// Prints an object and gives it up.
void command_print_json(json_t *object);

#endif
