// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_LEAK_REPORT_H
#define METE_TOOLS_LEAK_REPORT_H

/// Leak reports as mete/wrap/track_report.h writes them, read back.
///
/// A file is a log: lines that begin with "leak ", "leaks " or "{" are a report's, whatever stands between
/// them. A report ends with its line of totals, and more may follow: what a device said over time. Damage is refused
/// with the line where it shows.
///
///     leak_series_t series = {NULL, 0};
///     leak_error_t error;
///     if (!leak_series_read(&series, file, &error)) {
///         fprintf(stderr, "%s:%zu: %s\n", path, error.line, error.text);
///     }
///     leak_series_free(&series);

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// A block, in the words of mete/wrap/track.h. What a line does not say is 0.
typedef struct leak {
    uint64_t block;
    uint64_t size;
    uint64_t sequence;
    uint64_t age;
    uint64_t owner;
    uint64_t suspect;  ///< 0 or 1.
    uint64_t call;
    uint64_t *frames;
    size_t frame_count;
} leak_t;

typedef struct leak_report {
    leak_t *leaks;
    size_t leak_count;
    uint64_t size;  ///< Bytes in all.
    bool is_sound;
} leak_report_t;

typedef struct leak_series {
    leak_report_t *reports;
    size_t report_count;
} leak_series_t;

/// Where reading stopped, and why: "found X, expected Y".
typedef struct leak_error {
    size_t line;  ///< 1 for the first; 0 if the file as a whole is meant.
    char text[200];
} leak_error_t;

/// Adds the reports of a file, at least one, to a series. False if it is damaged: what was read before the
/// damage is added.
bool leak_series_read(leak_series_t *series, FILE *file, leak_error_t *error);

/// Frees what a series holds and leaves it empty.
void leak_series_free(leak_series_t *series);

#endif
