// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Finds a leak: a server that forgets a buffer whenever a request is bad. The report names the call
// that acquired it; `mete leaks --elf example_leaks REPORT` turns that into function and line.

#include "mete/alloc/heap.h"
#include "mete/wrap/track_report.h"

#include <stdio.h>

METE_HEAP_DEFINE(server, 16384);

static uint32_t seconds;  // A clock that stands still between requests, so that ages are the same.

static uint32_t read_seconds(void)
{
    return seconds;
}

static bool serve(mete_alloc_t alloc, const char *request)
{
    char *const copy = mete_acquire(alloc, 64U, 1U);
    if ((copy == NULL) || (request[0] != '/')) {
        return false;  // The bug: here nobody gives the copy back.
    }
    mete_release(alloc, copy, 64U, 1U);
    return true;
}

// Prints the report, but no addresses: they differ from run to run.
static size_t print(void *self, const void *bytes, size_t size)
{
    (void)self;
    const char *const text = bytes;
    const bool is_address = (size > 2U) && (text[0] == '0') && (text[1] == 'x');
    return is_address ? fwrite("0x...", 1U, 5U, stdout) : fwrite(text, 1U, size, stdout);
}

int main(void)
{
    static const char *const requests[] = {"/", "?", "/status", "/log", "", "/"};
    static const mete_track_config_t config = {.clock = read_seconds};
    static mete_track_t track;
    (void)mete_track_init(&track, mete_heap_as_alloc(mete_heap_init(&server_config)), &config);
    const mete_alloc_t alloc = mete_track_as_alloc(&track);

    void *const settings = mete_acquire(alloc, 200U, 8U);  // Held for ever: not a leak.
    const mete_track_filter_t since_start = {.since = mete_track_mark(&track)};
    for (size_t i = 0U; i < sizeof requests / sizeof requests[0]; i++) {
        seconds += 10U;
        printf("\"%s\" %s\n", requests[i], serve(alloc, requests[i]) ? "served" : "refused");
    }
    const mete_sink_t console = {print, NULL};
    const mete_track_total_t leaks = mete_track_report_write(&track, &since_start, console);
    printf("Detected %zu memory leaks\n", leaks.count);
    mete_release(alloc, settings, 200U, 8U);
    return 0;
}
