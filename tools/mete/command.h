// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_COMMAND_H
#define METE_TOOLS_COMMAND_H

/// Exit codes of every subcommand. Of several, the largest counts. 64 is a wrong command line.
typedef enum status {
    STATUS_OK = 0,
    STATUS_FAILURES = 1,    ///< It worked, and the answer is no: out of memory, or there are leaks.
    STATUS_UNREADABLE = 2,  ///< A file is missing or damaged, or a result could not be written.
    STATUS_DEFECT = 3,      ///< An allocator broke its promise.
} status_t;

/// `mete bound`. Likewise.
int bound_command(int argument_count, char **arguments);

/// `mete replay`. `arguments[0]` is the name to use in messages.
int replay_command(int argument_count, char **arguments);

/// `mete leaks`.
int leaks_command(int argument_count, char **arguments);

/// `mete postmortem`, likewise.
int postmortem_command(int argument_count, char **arguments);

#endif
