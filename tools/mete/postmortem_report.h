// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_POSTMORTEM_REPORT_H
#define METE_TOOLS_POSTMORTEM_REPORT_H

/// What `mete postmortem` says of a record.

#include "tools/lib/remains.h"
#include "tools/mete/source.h"

typedef struct postmortem_report {
    const remains_t *remains;
    const source_t *source;
    uint64_t address;      ///< Of the first byte that was searched; 0 for a dump.
    size_t known_count;    ///< Filled in: callers that lie in the program,
    size_t unknown_count;  ///< and those that do not.
} postmortem_report_t;

void postmortem_report_print(FILE *file, postmortem_report_t *report);

#endif
