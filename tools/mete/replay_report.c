// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/replay_report.h"

#include "tools/lib/chart.h"

#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHART_ROWS = 10 };

typedef struct op_counts {
    size_t acquires, resizes, releases;
} op_counts_t;

static op_counts_t count_ops(const trace_t *trace)
{
    op_counts_t counts = {0U, 0U, 0U};
    for (size_t i = 0U; i < trace->op_count; i++) {
        counts.acquires += (trace->ops[i].kind == TRACE_ACQUIRE) ? 1U : 0U;
        counts.resizes += (trace->ops[i].kind == TRACE_RESIZE) ? 1U : 0U;
        counts.releases += (trace->ops[i].kind == TRACE_RELEASE) ? 1U : 0U;
    }
    return counts;
}

static bool is_readable(const report_t *report)
{
    return report->trace.op_count != 0U;
}

// A size as a multiple of the peak of live bytes.
static double ratio_of(const report_t *report, double size)
{
    const uint64_t live = report->trace.live_size_peak;
    return (live != 0U) ? size / (double)live : 0.0;
}

double report_fit_ratio(const report_t *report)
{
    return ratio_of(report, (double)report->fit.size);
}

void report_add(report_summary_t *summary, const report_t *report)
{
    summary->trace_count++;
    if (!is_readable(report)) {
        summary->unreadable_count++;
        return;
    }
    const bool has_failed = (report->result.failures != 0U) || (report->result.defect != NULL) ||
                            (report->wants_fit && !report->has_fit);
    summary->failed_count += has_failed ? 1U : 0U;
    const double ratio = report_fit_ratio(report);
    if (report->has_fit && (ratio > 0.0)) {
        summary->fit_count++;
        summary->ratio_log_sum += log(ratio);
        summary->ratio_max = fmax(summary->ratio_max, ratio);
    }
}

static double ratio_geomean(const report_summary_t *summary)
{
    return exp(summary->ratio_log_sum / (double)summary->fit_count);
}

// ---- Text

static void print_failures(FILE *file, const report_t *report)
{
    const replay_result_t *const result = &report->result;
    if ((result->failures != 0U) && (result->op_count == 0U)) {
        const bool is_large = (report->arena_size > report->backend->arena_max);
        fprintf(file, "  failures       the arena is too %s for the allocator\n",
                is_large ? "large" : "small");
    } else if (result->failures != 0U) {
        fprintf(file, "  failures       %zu requests, the first at operation %zu\n",
                result->failures, result->first_failure);
    } else {
        fprintf(file, "  failures       0\n");
    }
}

static void print_allocator(FILE *file, const report_t *report)
{
    fprintf(file, "  allocator      %s", report->backend->name);
    if (report->backend->frag != NULL) {
        fprintf(file, ", search %u", report->search);
    }
    if (report->arena_size != 0U) {
        fprintf(file, ", in an arena of %zu bytes", report->arena_size);
    }
    fputs("\n", file);
}

// Four moments of the series: after each quarter of the operations.
static void print_fragmentation(FILE *file, const report_t *report)
{
    if ((report->backend->frag == NULL) || (report->sample_count < 4U)) {
        return;
    }
    fprintf(file, "  fragmentation  after each quarter, at least:");
    for (size_t quarter = 1U; quarter <= 4U; quarter++) {
        const replay_sample_t *const at =
            &report->samples[(report->sample_count * quarter / 4U) - 1U];
        fprintf(file, " %.1f %%", at->frag.low_permille / 10.0);
    }
    fputs("\n", file);
}

static void print_fit(FILE *file, const report_t *report)
{
    if (report->wants_fit && report->has_fit) {
        fprintf(file, "  safe arena     %zu bytes, %.3f of peak live, found in %zu replays\n",
                report->fit.size, report_fit_ratio(report), report->fit.trial_count);
    } else if (report->wants_fit && (report->result.defect == NULL)) {
        fprintf(file, "  safe arena     none up to %zu bytes, the largest tried with %s\n",
                report->backend->arena_max, report->backend->name);
    }
}

static void print_floor(FILE *file, const report_t *report)
{
    const uint64_t total = report->bound.block_size_peak + report->bound.control_size;
    if (report->wants_floor && report->has_floor) {
        fprintf(file, "  floor          %llu bytes, %.3f of peak live: blocks %llu, control %zu\n",
                (unsigned long long)total, ratio_of(report, (double)total),
                (unsigned long long)report->bound.block_size_peak, report->bound.control_size);
    } else if (report->wants_floor) {
        fprintf(file, "  floor          not known for %s\n", report->backend->name);
    }
}

static void print_verdict(FILE *file, const report_t *report)
{
    const replay_result_t *const result = &report->result;
    if (result->defect != NULL) {
        fprintf(file, "  DEFECT         %s, at operation %zu\n", result->defect, result->defect_op);
    } else if (report->is_verified) {
        fprintf(file, "  verified       the contents and place of every block\n");
    }
}

static void print_chart(FILE *file, const report_t *report)
{
    chart_column_t columns[REPORT_SAMPLE_COUNT];
    for (size_t i = 0U; i < report->sample_count; i++) {
        const replay_sample_t *const at = &report->samples[i];
        columns[i] = (chart_column_t){at->live_size, at->extent};
    }
    const chart_t chart = {
        .columns = columns,
        .column_count = report->sample_count,
        .row_count = CHART_ROWS,
        .inner_name = "bytes requested and live",
        .outer_name = "up to the end of the highest block",
        .is_unicode = (strcmp(nl_langinfo(CODESET), "UTF-8") == 0),
    };
    chart_print(file, &chart);
}

void report_print_text(FILE *file, const report_t *report, bool has_chart)
{
    if (!is_readable(report)) {
        return;  // The error has been said on standard error.
    }
    const op_counts_t counts = count_ops(&report->trace);
    fprintf(file, "%s\n", report->path);
    fprintf(file, "  operations     %zu: %zu allocate, %zu resize, %zu free\n",
            report->trace.op_count, counts.acquires, counts.resizes, counts.releases);
    print_failures(file, report);
    fprintf(file, "  peak live      %llu bytes, %zu objects, the largest %u\n",
            (unsigned long long)report->trace.live_size_peak, report->trace.id_count,
            report->trace.size_max);
    print_allocator(file, report);
    if (report->arena_size != 0U) {
        fprintf(file, "  peak arena     %zu bytes, %.3f of peak live\n", report->result.extent_peak,
                ratio_of(report, (double)report->result.extent_peak));
    }
    print_fragmentation(file, report);
    print_fit(file, report);
    print_floor(file, report);
    print_verdict(file, report);
    if (has_chart && (report->sample_count != 0U)) {
        print_chart(file, report);
    }
}

void report_print_summary(FILE *file, const report_summary_t *summary)
{
    const size_t good = summary->trace_count - summary->unreadable_count - summary->failed_count;
    fprintf(file, "%zu traces: %zu good, %zu failed, %zu unreadable\n", summary->trace_count, good,
            summary->failed_count, summary->unreadable_count);
    if (summary->fit_count != 0U) {
        fprintf(file, "safe arena / peak live: geometric mean %.4f, max %.4f, of %zu traces\n",
                ratio_geomean(summary), summary->ratio_max, summary->fit_count);
    }
}

// ---- JSON

static json_int_t number(uint64_t value)
{
    return (json_int_t)value;
}

static json_t *samples_to_json(const report_t *report)
{
    json_t *const samples = json_array();
    for (size_t i = 0U; i < report->sample_count; i++) {
        const replay_sample_t *const at = &report->samples[i];
        json_array_append_new(
            samples, json_pack("{s:I, s:I, s:I, s:i, s:i}", "operations", number(at->op_count),
                               "live_size", number(at->live_size), "extent", number(at->extent),
                               "frag_low_permille", (int)at->frag.low_permille,
                               "frag_high_permille", (int)at->frag.high_permille));
    }
    return samples;
}

// NULL, which jansson's '*' leaves out, where a result was not asked for.
static json_t *fit_to_json(const report_t *report)
{
    if (!report->wants_fit) {
        return NULL;
    }
    return !report->has_fit
               ? json_null()
               : json_pack("{s:I, s:f, s:I, s:I}", "size", number(report->fit.size), "ratio",
                           report_fit_ratio(report), "first_size", number(report->fit.first_size),
                           "trials", number(report->fit.trial_count));
}

static json_t *floor_to_json(const report_t *report)
{
    if (!report->wants_floor) {
        return NULL;
    }
    const uint64_t blocks = report->bound.block_size_peak;
    return !report->has_floor
               ? json_null()
               : json_pack("{s:I, s:I, s:I}", "size", number(blocks + report->bound.control_size),
                           "block_size", number(blocks), "control_size",
                           number(report->bound.control_size));
}

static json_t *defect_to_json(const replay_result_t *result)
{
    return (result->defect == NULL) ? NULL
                                    : json_pack("{s:s, s:I}", "text", result->defect, "operation",
                                                number(result->defect_op));
}

// JSON is UTF-8, and a file's name may be anything: then what is not ASCII becomes '?'.
static json_t *text_to_json(const char *text)
{
    json_t *const whole = json_string(text);
    if (whole != NULL) {
        return whole;
    }
    const size_t length = strlen(text);
    char *const ascii = malloc(length + 1U);
    for (size_t i = 0U; (ascii != NULL) && (i <= length); i++) {
        ascii[i] = (char)(((unsigned char)text[i] < 0x80U) ? text[i] : '?');
    }
    json_t *const json = (ascii != NULL) ? json_string(ascii) : NULL;
    free(ascii);
    return json;
}

json_t *report_to_json(const report_t *report)
{
    if (!is_readable(report)) {
        return json_pack("{s:o, s:{s:I, s:o}}", "file", text_to_json(report->path), "error", "line",
                         number(report->error.line), "text", text_to_json(report->error.text));
    }
    const op_counts_t counts = count_ops(&report->trace);
    const replay_result_t *const result = &report->result;
    json_t *const object = json_pack(
        "{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "file", text_to_json(report->path),
        "operations", number(report->trace.op_count), "allocates", number(counts.acquires),
        "resizes", number(counts.resizes), "frees", number(counts.releases), "live_size_peak",
        number(report->trace.live_size_peak), "live_count_peak", number(report->trace.id_count),
        "size_max", number(report->trace.size_max));
    json_t *const outcome =
        json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:b, s:o*, s:o*, s:o*, s:o}", "allocator",
                  report->backend->name, "search", (int)report->search, "arena_size",
                  number(report->arena_size), "failures", number(result->failures), "first_failure",
                  number(result->first_failure), "arena_peak", number(result->extent_peak),
                  "verified", (int)(report->is_verified && (result->defect == NULL)), "defect",
                  defect_to_json(result), "fit", fit_to_json(report), "floor",
                  floor_to_json(report), "samples", samples_to_json(report));
    json_object_update(object, outcome);
    json_decref(outcome);
    return object;
}

json_t *report_summary_to_json(const report_summary_t *summary)
{
    json_t *const object =
        json_pack("{s:I, s:I, s:I}", "traces", number(summary->trace_count), "failed",
                  number(summary->failed_count), "unreadable", number(summary->unreadable_count));
    if (summary->fit_count != 0U) {
        json_object_set_new(object, "fit_count", json_integer(number(summary->fit_count)));
        json_object_set_new(object, "fit_ratio_geomean", json_real(ratio_geomean(summary)));
        json_object_set_new(object, "fit_ratio_max", json_real(summary->ratio_max));
    }
    return object;
}
