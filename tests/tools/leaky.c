// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A program that leaks, for `mete leaks`: on the host and on emulated boards. It reports three times, as
// text, or as JSON if LEAKY_JSON is defined.

#include "mete/alloc/heap.h"
#include "mete/core/text.h"
#include "mete/wrap/track_report.h"

#if defined(__arm__)
#include "port/cpu/cortex_m.h"
#define TRACE mete_cortex_m_trace
#elif defined(__riscv)
#include "port/cpu/riscv.h"
#define TRACE mete_riscv_trace
#else
#include "port/os/posix.h"

#include <stdio.h>
#define TRACE mete_posix_trace
#endif

#if defined(__arm__) || defined(__riscv)
static mete_sink_t sink_of(void)
{
    return mete_port_console;
}

static mete_span_t stack_of(void)
{
    return mete_port_stack();
}
#else
static size_t write_stdout(void *self, const void *bytes, size_t size)
{
    (void)self;
    return fwrite(bytes, 1U, size, stdout);
}

static mete_sink_t sink_of(void)
{
    return (mete_sink_t){write_stdout, NULL};
}

static mete_span_t stack_of(void)
{
    return (mete_span_t){NULL, 0U};
}
#endif

#ifndef LEAKY_FRAMES
#define LEAKY_FRAMES 64U
#endif

#define NOINLINE __attribute__((noinline))

METE_HEAP_DEFINE(memory, 32768);

static mete_span_t stack;
static const mete_track_config_t config = {.trace = (LEAKY_FRAMES != 0U) ? TRACE : NULL,
                                           .trace_self = &stack,
                                           .frame_count = LEAKY_FRAMES};
static mete_track_t track;
static uint32_t volatile round_number;

// Where it leaks: 24 bytes from each of its callers.
NOINLINE static char *copy_name(mete_alloc_t alloc, char first)
{
    char *const name = mete_acquire(alloc, 24U, 1U);  // Site: name
    if (name != NULL) {
        name[0] = first;
    }
    return name;
}

NOINLINE static bool greet(mete_alloc_t alloc)
{
    char volatile scratch[20];  // So that frames differ in size.
    scratch[3] = 'g';
    char *const name = copy_name(alloc, scratch[3]);  // Site: greet
    return name != NULL;
}

NOINLINE static bool dismiss(mete_alloc_t alloc)
{
    char *const name = copy_name(alloc, 'd');  // Site: dismiss
    return (name != NULL) && (name[0] == 'd');
}

static inline __attribute__((always_inline)) void *open_buffer(mete_alloc_t alloc)
{
    return mete_acquire(alloc, 100U, 8U);  // Site: buffer
}

NOINLINE static bool serve(mete_alloc_t alloc)
{
    bool is_good = dismiss(alloc);  // Site: serve dismisses
    for (uint32_t i = 0U; i < round_number; i++) {
        is_good = greet(alloc) && is_good;  // Site: serve greets
    }
    void *const buffer = (round_number == 1U) ? open_buffer(alloc) : NULL;  // Site: serve opens
    return is_good && ((buffer != NULL) || (round_number != 1U));
}

static void report(mete_sink_t sink)
{
#ifdef LEAKY_JSON
    (void)mete_track_report_write_json(&track, NULL, sink);
#else
    (void)mete_track_report_write(&track, NULL, sink);
#endif
}

int main(void)
{
    stack = stack_of();
    const mete_sink_t sink = sink_of();
    if (!mete_track_init(&track, mete_heap_as_alloc(mete_heap_init(&memory_config)), &config)) {
        return 1;
    }
    bool is_good = true;
    for (round_number = 1U; round_number <= 3U; round_number++) {
        is_good = serve(mete_track_as_alloc(&track)) && is_good;  // Site: main
        mete_text_string(sink, "A line of a log.\n");
        report(sink);
    }
    mete_text_string(sink, is_good ? "PASS\n" : "FAIL\n");
    return is_good ? 0 : 1;
}
