// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_NOTES_OPTION_H
#define METE_TOOLS_NOTES_OPTION_H

/// The options --notes and --bare of subcommands that read machine code.

#include "tools/lib/notes.h"

#include <argp.h>

enum { NOTES_OPTION_FILE_MAX = 16 };

typedef struct notes_option {
    notes_t *notes;
    const char *files[NOTES_OPTION_FILE_MAX];
    size_t file_count;
    bool is_bare;
} notes_option_t;

/// For the children of a subcommand's parser; its input is a notes_option_t.
extern const struct argp notes_option_argp;

/// Reads the notes, those on Mete's own modules first. False, with a reason, if they are damaged.
bool notes_option_read(const notes_option_t *option, char *reason, size_t reason_size);

#endif
