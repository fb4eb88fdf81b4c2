// SPDX-License-Identifier: MIT OR Apache-2.0
//
// No allocation after start: a controller takes all it needs while it starts and closes the seal. A
// function that allocates later is found the first time it is called: the observer hears of it, then
// METE_FAULT does what it always does, which here is to trap.

#include "mete/wrap/seal.h"
#include "mete/alloc/arena.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

METE_ARENA_DEFINE(start_memory, 1024);

static void on_event(void *self, const mete_event_t *event)
{
    (void)self;
    printf("too late: %zu bytes asked for\n", event->size);
}

static void on_trap(int signal_number)
{
    (void)signal_number;
    _Exit(0);  // A program in the field would report, and reset.
}

static double *start_filter(mete_alloc_t alloc, size_t count)
{
    return mete_acquire_array(alloc, count, sizeof(double), _Alignof(double));
}

static void log_alarm(mete_alloc_t alloc, const char *text)
{
    char *const copy =
        mete_acquire(alloc, 80U, 1U);  // The bug: works in every test without a seal.
    (void)snprintf(copy, 80U, "alarm: %s", text);
    puts(copy);
}

int main(void)
{
    static const mete_seal_config_t config = {.observer = {on_event, NULL}};
    static mete_seal_t seal;
    (void)setvbuf(stdout, NULL, _IONBF, 0U);  // What was said is out before the trap.
    (void)signal(SIGILL, on_trap);
    (void)signal(SIGTRAP, on_trap);
    (void)mete_seal_init(&seal, mete_arena_as_alloc(&start_memory), &config);
    const mete_alloc_t alloc = mete_seal_as_alloc(&seal);

    const double *const filter = start_filter(alloc, 16U);
    log_alarm(alloc, "self test");
    mete_seal_close(&seal);
    printf("started: %zu bytes in use, sealed\n", mete_arena_usage(&start_memory).in_use_size);
    log_alarm(alloc, "temperature");
    return (filter != NULL) ? 1 : 2;
}
