// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/progress.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DELAY_MS = 1000, INTERVAL_MS = 100, WIDTH = 40 };

static struct timespec now(void)
{
    struct timespec time = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

static int64_t ms_between(struct timespec from, struct timespec to)
{
    return (((int64_t)to.tv_sec - from.tv_sec) * 1000) +
           (((int64_t)to.tv_nsec - from.tv_nsec) / 1000000);
}

void progress_start(progress_t *progress, const char *label)
{
    progress->label = label;
    progress->start = now();
    progress->shown = progress->start;
    progress->is_wanted = (isatty(STDERR_FILENO) == 1);
    progress->is_shown = false;
}

void progress_bar(char *text, size_t size, unsigned width, size_t done, size_t total)
{
    const uint64_t part = (done < total) ? done : total;
    const unsigned filled = (total != 0U) ? (unsigned)(part * width / total) : 0U;
    const unsigned percent = (total != 0U) ? (unsigned)(part * 100U / total) : 0U;
    char cells[101] = {0};
    for (unsigned i = 0U; (i < width) && (i < sizeof cells - 1U); i++) {
        cells[i] = (i < filled) ? '#' : '.';
    }
    snprintf(text, size, "[%s] %3u %%", cells, percent);
}

void progress_show(void *self, size_t done, size_t total)
{
    progress_t *const progress = self;
    const struct timespec time = now();
    if (!progress->is_wanted || (ms_between(progress->start, time) < DELAY_MS) ||
        (ms_between(progress->shown, time) < INTERVAL_MS)) {
        return;
    }
    char bar[128];
    progress_bar(bar, sizeof bar, WIDTH, done, total);
    fprintf(stderr, "\r%s %s", bar, progress->label);
    fflush(stderr);
    progress->shown = time;
    progress->is_shown = true;
}

void progress_end(progress_t *progress)
{
    if (progress->is_shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    progress->is_shown = false;
}
