// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_CHART_H
#define METE_TOOLS_CHART_H

/// A bar chart in text: one column for each moment, two quantities in it, one standing in the other.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct chart_column {
    uint64_t inner;  ///< Filled part, from the bottom.
    uint64_t outer;  ///< At least `inner`: the shaded part ends here.
} chart_column_t;

typedef struct chart {
    const chart_column_t *columns;
    size_t column_count;
    unsigned row_count;  ///< Height in lines.
    const char *inner_name;
    const char *outer_name;
    bool is_unicode;  ///< Blocks in eighths of a line; else '#' and '.'.
} chart_t;

/// Draws the chart, its scale in bytes on the left, and a line that explains it.
void chart_print(FILE *file, const chart_t *chart);

#endif
