// SPDX-License-Identifier: MIT OR Apache-2.0
//
// How much memory a recorded program needs on the heap: reads a trace from standard input and prints,
// for search 0 and 2, its smallest safe arena. On the narrow heap, or if the trace does not fit there,
// on the wide one. Built for a 32-bit host, so that headers have the sizes they have on a
// microcontroller.
//
//     zstd -dc TRACE | space      prints "SEARCH HEAP ARENA PEAK", a line for each search

#include "tools/lib/fit.h"

static bool measure(const trace_t *trace, const char *name, uint32_t search)
{
    const replay_options_t options = {.backend = backend_find(name), .search = search};
    fit_t fit;
    if (!fit_find(trace, &options, &fit)) {
        return false;
    }
    printf("%u %s %zu %zu\n", (unsigned)search, name, fit.size, (size_t)trace->live_size_peak);
    return true;
}

int main(void)
{
    trace_t trace;
    trace_error_t error;
    if (!trace_read(&trace, stdin, &error)) {
        fprintf(stderr, "space: line %zu: %s\n", error.line, error.text);
        return 1;
    }
    bool has_fitted = true;
    for (uint32_t search = 0U; search <= 2U; search += 2U) {
        has_fitted =
            has_fitted && (measure(&trace, "heap", search) || measure(&trace, "heap_wide", search));
    }
    trace_free(&trace);
    if (!has_fitted) {
        fprintf(stderr, "space: there is no safe arena\n");
    }
    return has_fitted ? 0 : 1;
}
