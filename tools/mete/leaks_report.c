// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/leaks_report.h"

#include "tools/mete/source.h"

#include <inttypes.h>

static const char *plural(uint64_t count)
{
    return (count == 1U) ? "" : "s";
}

static const leak_report_t *last_of(const leaks_report_t *report)
{
    return &report->series->reports[report->series->report_count - 1U];
}

// ---- Text

static void print_growth(FILE *file, const leak_site_t *site)
{
    if (site->count_count < 2U) {
        return;
    }
    fputs("    blocks over time:", file);
    for (size_t i = 0U; i < site->count_count; i++) {
        fprintf(file, " %zu", site->counts[i]);
    }
    fputs(leak_site_is_growing(site) ? ", growing\n" : "\n", file);
}

static void print_range(FILE *file, const char *name, uint64_t min, uint64_t max)
{
    fprintf(file, ", %s %" PRIu64, name, min);
    if (min != max) {
        fprintf(file, " to %" PRIu64, max);
    }
}

static void print_site(FILE *file, const leaks_report_t *report, const leak_site_t *site)
{
    fprintf(file, "\n%" PRIu64 " byte%s in %zu block%s", site->size, plural(site->size),
            site->count, plural(site->count));
    print_range(file, "age", site->age_min, site->age_max);
    print_range(file, "owner", site->owner_min, site->owner_max);
    if (site->suspect_count != 0U) {
        fprintf(file, ", %zu of them suspected", site->suspect_count);
    }
    fputs("\n", file);
    for (size_t i = 0U; i < site->call_count; i++) {
        (void)source_print(file, report->symbols, site->calls[i], "    ");
    }
    print_growth(file, site);
}

void leaks_report_print(FILE *file, const leaks_report_t *report)
{
    const leak_report_t *const last = last_of(report);
    const size_t site_count = report->sites->site_count;
    fprintf(file, "%" PRIu64 " byte%s in %zu block%s from %zu site%s%s\n", last->size,
            plural(last->size), last->leak_count, plural(last->leak_count), site_count,
            plural(site_count),
            last->is_sound ? "" : "; a record was overwritten, there may be more");
    for (size_t i = 0U; i < site_count; i++) {
        print_site(file, report, &report->sites->sites[i]);
    }
}

// ---- JSON

static json_t *calls_to_json(const leaks_report_t *report, const leak_site_t *site)
{
    json_t *const calls = json_array();
    for (size_t i = 0U; i < site->call_count; i++) {
        source_to_json(calls, report->symbols, site->calls[i]);
    }
    return calls;
}

static json_t *site_to_json(const leaks_report_t *report, const leak_site_t *site)
{
    json_t *const counts = json_array();
    for (size_t i = 0U; i < site->count_count; i++) {
        json_array_append_new(counts, json_integer((json_int_t)site->counts[i]));
    }
    return json_pack("{s:I, s:I, s:I, s:[I,I], s:[I,I], s:o, s:b, s:o}", "size",
                     (json_int_t)site->size, "count", (json_int_t)site->count, "suspects",
                     (json_int_t)site->suspect_count, "age", (json_int_t)site->age_min,
                     (json_int_t)site->age_max, "owner", (json_int_t)site->owner_min,
                     (json_int_t)site->owner_max, "counts", counts, "growing",
                     leak_site_is_growing(site) ? 1 : 0, "calls", calls_to_json(report, site));
}

json_t *leaks_report_to_json(const leaks_report_t *report)
{
    const leak_report_t *const last = last_of(report);
    json_t *const sites = json_array();
    for (size_t i = 0U; i < report->sites->site_count; i++) {
        json_array_append_new(sites, site_to_json(report, &report->sites->sites[i]));
    }
    return json_pack("{s:I, s:I, s:I, s:s, s:o}", "reports",
                     (json_int_t)report->series->report_count, "size", (json_int_t)last->size,
                     "count", (json_int_t)last->leak_count, "records",
                     last->is_sound ? "sound" : "damaged", "sites", sites);
}
