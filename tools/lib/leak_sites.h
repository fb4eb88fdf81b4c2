// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_LEAK_SITES_H
#define METE_TOOLS_LEAK_SITES_H

/// Leaks by where they were acquired: blocks with the same call, reached by the same calls, are one site.

#include "tools/lib/leak_report.h"
#include "tools/lib/symbols.h"

typedef struct leak_site {
    const uint64_t *calls;  ///< Addresses inside calls: the one that acquired, then its callers.
    size_t call_count;      ///< At least 1.
    size_t count;           ///< Blocks in the last report.
    uint64_t size;          ///< Bytes in them.
    size_t suspect_count;
    uint64_t age_min, age_max;
    uint64_t owner_min, owner_max;
    const size_t *counts;  ///< Blocks in each report of the series, oldest first.
    size_t count_count;
} leak_site_t;

typedef struct leak_sites {
    leak_site_t *sites;  ///< Those with the most bytes first.
    size_t site_count;
    struct leak_entry *entries;
    size_t entry_count;
    size_t *counts;
} leak_sites_t;

/// Groups the leaks of a series, which must outlast the sites. `symbols` unwinds copied stacks; NULL: their
/// calls stay unknown. `base` is where the program was loaded. False without memory; then there are none.
bool leak_sites_find(leak_sites_t *sites, const leak_series_t *series, symbols_t *symbols,
                     uint64_t base);

void leak_sites_free(leak_sites_t *sites);

/// True if the number of blocks rose from each of the last reports to the next, of which there are three or
/// more.
bool leak_site_is_growing(const leak_site_t *site);

#endif
