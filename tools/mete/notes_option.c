// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/notes_option.h"

#include "tools/mete/bound_notes.h"

#include <string.h>

// Without a letter, and none of a subcommand's own.
enum { OPTION_NOTES = 0x1100, OPTION_BARE };

static const struct argp_option options[] = {
    {"notes", OPTION_NOTES, "FILE", 0,
     "Notes on what the machine code does not say, beside those on Mete's own modules. May be "
     "repeated",
     0},
    {"bare", OPTION_BARE, NULL, 0, "Without the notes on Mete's own modules", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    notes_option_t *const option = state->input;
    if (key == OPTION_BARE) {
        option->is_bare = true;
        return 0;
    }
    if (key != OPTION_NOTES) {
        return ARGP_ERR_UNKNOWN;
    }
    if (option->file_count == NOTES_OPTION_FILE_MAX) {
        argp_error(state, "--notes: found more than %d files, expected fewer",
                   NOTES_OPTION_FILE_MAX);
        return 0;
    }
    option->files[option->file_count++] = argument;
    return 0;
}

const struct argp notes_option_argp = {.options = options, .parser = parse};

bool notes_option_read(const notes_option_t *option, char *reason, size_t reason_size)
{
    bool is_read = option->is_bare || notes_parse(option->notes, bound_notes, strlen(bound_notes),
                                                  "mete", reason, reason_size);
    for (size_t i = 0U; is_read && (i < option->file_count); i++) {
        is_read = notes_read(option->notes, option->files[i], reason, reason_size);
    }
    return is_read;
}
