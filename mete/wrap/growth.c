// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A hash table with open addressing whose entries never leave: a program has only so many call sites.
// An entry is taken once it has a mark or a block, which no site loses again but by init.

#include "mete/wrap/growth.h"

#include "mete/core/align.h"
#include "mete/core/text.h"

typedef mete_growth_site_t site_t;

static bool is_taken(const site_t *site)
{
    return (site->mark_count != 0U) || (site->new_count != 0U);
}

// Where to look first. Callers are near each other: the multiplication (Knuth, "The Art of Computer
// Programming", volume 3, section 6.4) spreads them over the upper bits.
static size_t start_of(const mete_growth_t *growth, const void *caller)
{
    const uint32_t spread = (uint32_t)(uintptr_t)caller * 0x9E3779B1U;
    return (size_t)(spread ^ (spread >> 16)) & (growth->site_max - 1U);
}

// The entry of a caller, or one that is free; NULL if neither is left.
static site_t *find(const mete_growth_t *growth, const void *caller)
{
    size_t index = start_of(growth, caller);
    for (size_t i = 0U; i < growth->site_max; i++) {
        site_t *const site = &growth->sites[index];
        if (!is_taken(site) || (site->caller == caller)) {
            return site;
        }
        index = (index + 1U) & (growth->site_max - 1U);
    }
    return NULL;
}

static void clear(site_t *site)
{
    site->caller = NULL;
    site->count = 0U;
    site->size = 0U;
    site->new_count = 0U;
    site->new_size = 0U;
    site->mark_count = 0U;
}

bool mete_growth_init(mete_growth_t *growth, mete_growth_site_t *sites, size_t site_max)
{
    METE_ASSERT(growth != NULL);
    if ((sites == NULL) || (site_max < 2U) || !mete_align_is_legal(site_max)) {
        return false;
    }
    growth->sites = sites;
    growth->site_max = site_max;
    growth->lost_count = 0U;
    growth->new_lost_count = 0U;
    for (size_t i = 0U; i < site_max; i++) {
        clear(&sites[i]);
    }
    return true;
}

bool mete_growth_add(mete_growth_t *growth, const void *caller, size_t size)
{
    METE_ASSERT((growth != NULL) && (growth->sites != NULL));
    site_t *const site = find(growth, caller);
    if (site == NULL) {
        growth->new_lost_count++;
        return false;
    }
    site->caller = caller;
    site->new_count++;
    site->new_size += size;
    return true;
}

static void end_count(site_t *site)
{
    const bool has_grown = (site->mark_count != 0U) && (site->new_count > site->count);
    site->mark_count = has_grown ? site->mark_count + 1U : 1U;
    site->count = site->new_count;
    site->size = site->new_size;
    site->new_count = 0U;
    site->new_size = 0U;
}

void mete_growth_mark(mete_growth_t *growth)
{
    METE_ASSERT((growth != NULL) && (growth->sites != NULL));
    for (size_t i = 0U; i < growth->site_max; i++) {
        if (is_taken(&growth->sites[i])) {
            end_count(&growth->sites[i]);
        }
    }
    growth->lost_count = growth->new_lost_count;
    growth->new_lost_count = 0U;
}

bool mete_growth_walk(const mete_growth_t *growth, uint32_t mark_min,
                      bool (*visit)(void *self, const mete_growth_site_t *site), void *self)
{
    METE_ASSERT((growth != NULL) && (growth->sites != NULL) && (visit != NULL));
    for (size_t i = 0U; i < growth->site_max; i++) {
        const site_t *const site = &growth->sites[i];
        if ((site->mark_count != 0U) && (site->mark_count >= mark_min) && !visit(self, site)) {
            return false;
        }
    }
    return true;
}

typedef struct report {
    const mete_sink_t *sink;  // By pointer: some compilers copy it with memcpy().
    size_t count;
} report_t;

static void write_number(const mete_sink_t *sink, const char *before, size_t value)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, before);
    mete_text_decimal(by_value, value);
}

// As in the tracker's report: one byte before where the call returns to, and without the bit for Thumb.
static uintptr_t call_before(const void *caller)
{
    return (caller != NULL) ? ((uintptr_t)caller & ~(uintptr_t)1U) - 1U : 0U;
}

static bool write_site(void *self, const mete_growth_site_t *site)
{
    report_t *const report = self;
    const mete_sink_t sink = {report->sink->write, report->sink->self};
    mete_text_string(sink, "growth call=");
    mete_text_hex(sink, call_before(site->caller));
    write_number(report->sink, " count=", site->count);
    write_number(report->sink, " size=", site->size);
    write_number(report->sink, " marks=", site->mark_count);
    mete_text_string(sink, "\n");
    report->count++;
    return true;
}

size_t mete_growth_report(const mete_growth_t *growth, uint32_t mark_min, mete_sink_t sink)
{
    report_t report = {&sink, 0U};
    (void)mete_growth_walk(growth, mark_min, write_site, &report);
    write_number(&sink, "growth sites=", report.count);
    write_number(&sink, " lost=", growth->lost_count);
    mete_text_string(sink, "\n");
    return report.count;
}
