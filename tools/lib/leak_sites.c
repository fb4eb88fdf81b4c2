// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/leak_sites.h"

#include <stdlib.h>
#include <string.h>

enum { CALL_COUNT_MAX = 64, GROWING_REPORTS = 3 };

typedef struct leak_entry {
    uint64_t *calls;
    size_t call_count;
    size_t report;
    const leak_t *leak;
} entry_t;

// Sorts by calls, then by report.
static int compare_entries(const void *a, const void *b)
{
    const entry_t *const left = a;
    const entry_t *const right = b;
    for (size_t i = 0U; (i < left->call_count) && (i < right->call_count); i++) {
        if (left->calls[i] != right->calls[i]) {
            return (left->calls[i] < right->calls[i]) ? -1 : 1;
        }
    }
    if (left->call_count != right->call_count) {
        return (left->call_count < right->call_count) ? -1 : 1;
    }
    return (left->report > right->report) - (left->report < right->report);
}

static int compare_sites(const void *a, const void *b)
{
    const leak_site_t *const left = a;
    const leak_site_t *const right = b;
    if (left->size != right->size) {
        return (left->size < right->size) ? 1 : -1;
    }
    return (left->calls[0] > right->calls[0]) - (left->calls[0] < right->calls[0]);
}

// The call that acquired, and behind it the callers: of the frames those behind the one that the call
// returns to, for those before it are the library's own.
static size_t list_calls(const leak_t *leak, symbols_t *symbols, uint64_t base, uint64_t *calls)
{
    uint64_t unwound[CALL_COUNT_MAX];
    const uint64_t *frames = leak->frames;
    size_t frame_count = leak->frame_count;
    if (symbols_is_stack(frames, frame_count)) {
        frame_count = (symbols != NULL)
                          ? symbols_unwind(symbols, frames, frame_count, unwound, CALL_COUNT_MAX)
                          : 0U;
        frames = unwound;
    }
    size_t at = 0U;
    while ((at < frame_count) && (symbols_call_before(frames[at]) != leak->call)) {
        at++;
    }
    calls[0] = leak->call - base;
    size_t count = 1U;
    for (size_t i = at + 1U; (i < frame_count) && (count < CALL_COUNT_MAX); i++) {
        calls[count] = symbols_call_before(frames[i]) - base;
        count++;
    }
    return count;
}

static size_t count_leaks(const leak_series_t *series)
{
    size_t count = 0U;
    for (size_t i = 0U; i < series->report_count; i++) {
        count += series->reports[i].leak_count;
    }
    return count;
}

// An entry for each leak of each report.
static bool list_entries(leak_sites_t *sites, const leak_series_t *series, symbols_t *symbols,
                         uint64_t base)
{
    for (size_t r = 0U; r < series->report_count; r++) {
        for (size_t i = 0U; i < series->reports[r].leak_count; i++) {
            const leak_t *const leak = &series->reports[r].leaks[i];
            uint64_t calls[CALL_COUNT_MAX];
            const size_t count = list_calls(leak, symbols, base, calls);
            uint64_t *const copy = malloc(count * sizeof *copy);
            if (copy == NULL) {
                return false;
            }
            memcpy(copy, calls, count * sizeof *copy);
            sites->entries[sites->entry_count] = (entry_t){copy, count, r, leak};
            sites->entry_count++;
        }
    }
    return true;
}

static bool has_same_calls(const entry_t *a, const entry_t *b)
{
    return (a->call_count == b->call_count) &&
           (memcmp(a->calls, b->calls, a->call_count * sizeof *a->calls) == 0);
}

static void add_leak(leak_site_t *site, const leak_t *leak)
{
    const bool is_first = (site->count == 0U);
    site->count++;
    site->size += leak->size;
    site->suspect_count += (leak->suspect != 0U) ? 1U : 0U;
    site->age_min = (is_first || (leak->age < site->age_min)) ? leak->age : site->age_min;
    site->age_max = (is_first || (leak->age > site->age_max)) ? leak->age : site->age_max;
    site->owner_min = (is_first || (leak->owner < site->owner_min)) ? leak->owner : site->owner_min;
    site->owner_max = (is_first || (leak->owner > site->owner_max)) ? leak->owner : site->owner_max;
}

// Entries that stand together and have the same calls are a site, if any is in the last report.
static void group(leak_sites_t *sites, size_t report_count)
{
    size_t first = 0U;
    while (first < sites->entry_count) {
        const entry_t *const entry = &sites->entries[first];
        size_t *const counts = &sites->counts[sites->site_count * report_count];
        leak_site_t site = {.calls = entry->calls,
                            .call_count = entry->call_count,
                            .counts = counts,
                            .count_count = report_count};
        memset(counts, 0, report_count * sizeof *counts);
        while ((first < sites->entry_count) && has_same_calls(entry, &sites->entries[first])) {
            const entry_t *const one = &sites->entries[first];
            counts[one->report]++;
            if (one->report + 1U == report_count) {
                add_leak(&site, one->leak);
            }
            first++;
        }
        if (site.count != 0U) {
            sites->sites[sites->site_count] = site;
            sites->site_count++;
        }
    }
    qsort(sites->sites, sites->site_count, sizeof *sites->sites, compare_sites);
}

static size_t count_sites(const leak_sites_t *sites)
{
    size_t count = 0U;
    for (size_t i = 0U; i < sites->entry_count; i++) {
        const bool is_new =
            (i == 0U) || !has_same_calls(&sites->entries[i - 1U], &sites->entries[i]);
        count += is_new ? 1U : 0U;
    }
    return count;
}

bool leak_sites_find(leak_sites_t *sites, const leak_series_t *series, symbols_t *symbols,
                     uint64_t base)
{
    *sites = (leak_sites_t){NULL, 0U, NULL, 0U, NULL};
    sites->entries = calloc(count_leaks(series) + 1U, sizeof *sites->entries);
    if ((sites->entries == NULL) || !list_entries(sites, series, symbols, base)) {
        leak_sites_free(sites);
        return false;
    }
    qsort(sites->entries, sites->entry_count, sizeof *sites->entries, compare_entries);
    const size_t site_count = count_sites(sites) + 1U;
    sites->sites = calloc(site_count, sizeof *sites->sites);
    sites->counts = calloc(site_count * series->report_count, sizeof *sites->counts);
    if ((sites->sites == NULL) || (sites->counts == NULL)) {
        leak_sites_free(sites);
        return false;
    }
    group(sites, series->report_count);
    return true;
}

void leak_sites_free(leak_sites_t *sites)
{
    for (size_t i = 0U; (sites->entries != NULL) && (i < sites->entry_count); i++) {
        free(sites->entries[i].calls);
    }
    free(sites->entries);
    free(sites->sites);
    free(sites->counts);
    *sites = (leak_sites_t){NULL, 0U, NULL, 0U, NULL};
}

bool leak_site_is_growing(const leak_site_t *site)
{
    const size_t count = site->count_count;
    if (count < GROWING_REPORTS) {
        return false;
    }
    for (size_t i = count - GROWING_REPORTS + 1U; i < count; i++) {
        if (site->counts[i] <= site->counts[i - 1U]) {
            return false;
        }
    }
    return true;
}
