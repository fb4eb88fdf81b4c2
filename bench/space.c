// SPDX-License-Identifier: MIT OR Apache-2.0
//
// How much memory a recorded program needs: reads a trace from standard input and prints its smallest
// safe arena, for each allocator named. One that the trace does not fit is left out. Built for a
// 32-bit host, so that headers have the sizes they have on a microcontroller.
//
//     zstd -dc TRACE | space BACKEND:SEARCH...      prints "BACKEND SEARCH ARENA PEAK FLOOR" lines

#include "tools/lib/fit.h"

#include <stdlib.h>
#include <string.h>

static bool measure(const trace_t *trace, char *what)
{
    char *const colon = strchr(what, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    const uint32_t search = (uint32_t)strtoul(&colon[1], NULL, 10);
    const replay_options_t options = {.backend = backend_find(what), .search = search};
    if (options.backend == NULL) {
        return false;
    }
    fit_t fit;
    if (fit_find(trace, &options, &fit)) {
        replay_floor_t bound;
        (void)replay_floor_of(trace, options.backend, &bound);
        printf("%s %u %zu %zu %zu\n", what, (unsigned)search, fit.size,
               (size_t)trace->live_size_peak, (size_t)bound.block_size_peak + bound.control_size);
    }
    return true;
}

int main(int count, char *arguments[])
{
    trace_t trace;
    trace_error_t error;
    if (!trace_read(&trace, stdin, &error)) {
        fprintf(stderr, "space: line %zu: %s\n", error.line, error.text);
        return 1;
    }
    bool is_good = true;
    for (int i = 1; is_good && (i < count); i++) {
        is_good = measure(&trace, arguments[i]);
        if (!is_good) {
            fprintf(stderr, "space: no allocator %s\n", arguments[i]);
        }
    }
    trace_free(&trace);
    return is_good ? 0 : 1;
}
