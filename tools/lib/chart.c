// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/chart.h"

enum { EIGHTHS = 8 };  // Parts of a line that a block character can fill.

static uint64_t highest(const chart_t *chart)
{
    uint64_t top = 1U;
    for (size_t i = 0U; i < chart->column_count; i++) {
        top = (chart->columns[i].outer > top) ? chart->columns[i].outer : top;
    }
    return top;
}

// How much of a row a value fills, 0 ... 8. Rows count from 0 at the bottom.
static unsigned filled(const chart_t *chart, uint64_t value, uint64_t top, unsigned row)
{
    const uint64_t height = (value * chart->row_count * EIGHTHS + top - 1U) / top;
    const uint64_t below = (uint64_t)row * EIGHTHS;
    if (height <= below) {
        return 0U;
    }
    return (height - below < EIGHTHS) ? (unsigned)(height - below) : (unsigned)EIGHTHS;
}

// The character of one cell. A cell that is partly filled shows how far, without the shade above.
static const char *cell(const chart_t *chart, unsigned inner, unsigned outer)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (!chart->is_unicode) {
        return (inner >= EIGHTHS / 2U) ? "#" : (outer >= EIGHTHS / 2U) ? "." : " ";
    }
    return (inner != 0U) ? blocks[inner] : (outer >= EIGHTHS / 2U) ? "░" : " ";
}

static void print_row(FILE *file, const chart_t *chart, uint64_t top, unsigned row)
{
    fprintf(file, "%12llu |", (unsigned long long)(top * (row + 1U) / chart->row_count));
    for (size_t i = 0U; i < chart->column_count; i++) {
        const chart_column_t column = chart->columns[i];
        fputs(cell(chart, filled(chart, column.inner, top, row),
                   filled(chart, column.outer, top, row)),
              file);
    }
    fputs("\n", file);
}

void chart_print(FILE *file, const chart_t *chart)
{
    const uint64_t top = highest(chart);
    for (unsigned row = chart->row_count; row-- != 0U;) {
        print_row(file, chart, top, row);
    }
    fprintf(file, "%12d +", 0);
    for (size_t i = 0U; i < chart->column_count; i++) {
        fputs("-", file);
    }
    fprintf(file, "\n%14s%s %s, %s %s\n", "", chart->is_unicode ? "█" : "#", chart->inner_name,
            chart->is_unicode ? "░" : ".", chart->outer_name);
}
