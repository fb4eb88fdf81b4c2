// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_LEAKS_REPORT_H
#define METE_TOOLS_LEAKS_REPORT_H

/// What `mete leaks` prints.

#include "tools/lib/leak_sites.h"

#include <jansson.h>
#include <stdio.h>

typedef struct leaks_report {
    const leak_series_t *series;
    const leak_sites_t *sites;
    symbols_t *symbols;  ///< NULL: addresses are shown as they are.
} leaks_report_t;

void leaks_report_print(FILE *file, const leaks_report_t *report);

/// The same as an object, which the caller owns. NULL without memory.
json_t *leaks_report_to_json(const leaks_report_t *report);

#endif
