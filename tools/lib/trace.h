// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_TRACE_H
#define METE_TOOLS_TRACE_H

/// A recorded trace, read from text: what a real program allocated, resized and freed, in order.
///
/// The format is that of tests/traces/README.md. A trace that was read is sound: every resize and
/// free names a live object, ids are dense, and the count "ops=N" of a comment is true.
/// So whoever replays it need not check again. Damage is refused with the line where it shows.
///
///     trace_t trace;
///     trace_error_t error;
///     if (!trace_read(&trace, stdin, &error)) {
///         fprintf(stderr, "stdin:%zu: %s\n", error.line, error.text);
///     }
///     trace_free(&trace);
///
/// No compression here: tools/lib/trace_zstd.h reads compressed files. Time and space: O(size).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum trace_kind { TRACE_ACQUIRE, TRACE_RESIZE, TRACE_RELEASE } trace_kind_t;

/// Alignment of a request that names none.
#define TRACE_ALIGN 8U

typedef struct trace_op {
    trace_kind_t kind;
    uint32_t id;     ///< Below id_count. In use again after a release.
    uint32_t size;   ///< Bytes; 0 is possible. 0 for a release.
    uint32_t align;  ///< A power of two, of the acquire. 0 for others.
} trace_op_t;

typedef struct trace {
    trace_op_t *ops;
    size_t op_count;          ///< At least 1.
    size_t id_count;          ///< Ids are below this: the most objects live at once.
    uint64_t live_size_peak;  ///< The most bytes requested and not yet freed.
    uint32_t size_max;        ///< The largest request in bytes.
} trace_t;

/// Where reading stopped, and why: "found X, expected Y".
typedef struct trace_error {
    size_t line;  ///< 1 for the first; 0 if the file as a whole is meant.
    char text[160];
} trace_error_t;

/// Reads a trace from `size` bytes of text. False, with `trace` empty, if it is damaged.
bool trace_parse(trace_t *trace, const char *text, size_t size, trace_error_t *error);

/// The same from where `file` stands to its end.
bool trace_read(trace_t *trace, FILE *file, trace_error_t *error);

/// Frees what a trace holds and leaves it empty. An empty one may be freed.
void trace_free(trace_t *trace);

/// All bytes of a file, in memory that the caller frees, and their count; or NULL with the error.
char *trace_slurp(FILE *file, size_t *size, trace_error_t *error);

/// Fills in an error: the line, and a text made as by printf(). Gives false.
#define TRACE_FAIL(error, at_line, ...) \
    ((error)->line = (at_line), (void)snprintf((error)->text, sizeof((error)->text), __VA_ARGS__), \
     false)

#endif
