// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_REPLAY_REPORT_H
#define METE_TOOLS_REPLAY_REPORT_H

/// What `mete replay` found out about one trace, and how it is shown.

#include "tools/lib/fit.h"
#include "tools/lib/replayer.h"
#include "tools/lib/trace.h"

#include <jansson.h>
#include <stdio.h>

enum { REPORT_SAMPLE_COUNT = 64 };  // At most; as many as the chart has columns.

typedef struct report {
    const char *path;
    trace_t trace;  // Empty if it could not be read; then `error` says why.
    trace_error_t error;
    const backend_t *backend;
    uint32_t search;
    size_t arena_size;  // 0 without an arena.
    bool is_verified;
    replay_result_t result;
    replay_sample_t samples[REPORT_SAMPLE_COUNT];
    size_t sample_count;
    bool wants_fit, has_fit;
    fit_t fit;
    bool wants_floor, has_floor;
    replay_floor_t bound;
} report_t;

/// Of all traces together.
typedef struct report_summary {
    size_t trace_count;
    size_t unreadable_count;
    size_t failed_count;   // Traces with failures, with a defect, or without a safe arena.
    size_t fit_count;      // Traces with a safe arena.
    double ratio_log_sum;  // Of fit / peak live.
    double ratio_max;
} report_summary_t;

/// Safe arena divided by the peak of live requested bytes.
double report_fit_ratio(const report_t *report);

/// Counts one trace more.
void report_add(report_summary_t *summary, const report_t *report);

/// A few lines for reading; a chart of memory over time if `has_chart`.
void report_print_text(FILE *file, const report_t *report, bool has_chart);
void report_print_summary(FILE *file, const report_summary_t *summary);

/// The same as data. The caller owns what is returned. NULL without memory.
json_t *report_to_json(const report_t *report);
json_t *report_summary_to_json(const report_summary_t *summary);

#endif
