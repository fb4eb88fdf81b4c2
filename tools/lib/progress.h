// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_PROGRESS_H
#define METE_TOOLS_PROGRESS_H

/// A progress bar on standard error, for work that takes longer than a second.
///
/// Nothing is shown in the first second, nor if standard error is no terminal. What was shown is
/// wiped at the end, so that reports stay clean.

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

typedef struct progress {
    const char *label;
    struct timespec start;
    struct timespec shown;  // When the bar was last drawn.
    bool is_wanted;
    bool is_shown;
} progress_t;

/// Begins work of that name.
void progress_start(progress_t *progress, const char *label);

/// Says how much is done; draws at most ten times a second. `self` is a progress_t.
void progress_show(void *self, size_t done, size_t total);

/// Ends the work and wipes the bar.
void progress_end(progress_t *progress);

/// The bar as text: at most `width` cells of `done` / `total`, then the percentage.
void progress_bar(char *text, size_t size, unsigned width, size_t done, size_t total);

#endif
