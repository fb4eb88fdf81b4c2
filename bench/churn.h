// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BENCH_CHURN_H
#define METE_BENCH_CHURN_H

/// Works a general allocator while every call is counted: the mixed churn that all allocators of
/// docs/costs.md were measured with, and work that aims for the longest paths. Everything is
/// repeatable: a phase is a row of the table below, and its random numbers start from its seed.
///
/// A file `show` with lines of three numbers, PHASE KIND CALL (from 1; KIND 1 is alloc, 2 free), makes
/// it describe the allocator just before those calls.

#include "bench/probe.h"
#include "mete/core/span.h"
#include "port/io/semihosting.h"
#include "tests/support/random.h"

/// The allocator: how it is started on a storage and asked. alloc() and free() call a probe.
typedef struct churn_subject {
    const char *name;  ///< Starts the names of its phases, as "k0 "; may be "".
    void (*start)(mete_span_t storage, uint32_t variant);
    void *(*alloc)(uint32_t size);
    void (*free)(void *block, uint32_t size);
    void (*describe)(void);  ///< Says more about its state; NULL: nothing.
    uint32_t variant;        ///< Handed to start().
} churn_subject_t;

enum churn_kind { CHURN_ALLOC = 1, CHURN_FREE = 2 };
enum { STORAGE_SIZE = 256 * 1024, HELD_MAX = 8192 };

// A share of the requests, in percent, with sizes spread evenly from `min` to `max`.
typedef struct range {
    uint32_t percent, min, max;
} range_t;

typedef struct mix {
    const char *name;
    range_t ranges[3];
} mix_t;

// The churn is the one with which the figures of other allocators were taken.
static const mix_t churn = {"churn", {{80, 8, 128}, {17, 256, 1500}, {3, 2048, 4096}}};
static const mix_t tiny = {"tiny", {{90, 1, 60}, {10, 61, 100}, {0, 0, 0}}};
static const mix_t one_bin = {"one bin", {{60, 516, 764}, {40, 1, 124}, {0, 0, 0}}};
static const mix_t spread = {"spread", {{60, 1, 200}, {30, 100, 1200}, {10, 1000, 9000}}};
static const mix_t large = {"large", {{30, 1, 52}, {40, 500, 3000}, {30, 3000, 60000}}};
static const mix_t huge = {"huge", {{60, 1, 200}, {40, 190000, 260000}, {0, 0, 0}}};

typedef struct phase {
    const mix_t *mix;
    uint32_t arena_size;
    uint32_t fill_percent;  // Of the arena, by live blocks of mean size; 0: as a coin falls.
    uint32_t operations;
} phase_t;

static const phase_t phases[] = {
    {&churn, 65536U, 70U, 100000U}, {&churn, 262144U, 70U, 100000U}, {&tiny, 1024U, 0U, 20000U},
    {&tiny, 8192U, 0U, 20000U},     {&one_bin, 4096U, 0U, 20000U},   {&one_bin, 32768U, 0U, 40000U},
    {&spread, 16384U, 0U, 40000U},  {&spread, 65536U, 0U, 40000U},   {&large, 65536U, 0U, 20000U},
    {&large, 262144U, 0U, 40000U},  {&huge, 262144U, 100U, 10000U},
};
enum { PHASE_COUNT = sizeof phases / sizeof phases[0] };

typedef struct held {
    void *block;
    uint32_t size;
} held_t;

// A power of two in size, at a multiple of itself: what a buddy asks for.
static _Alignas(STORAGE_SIZE) uint64_t storage[STORAGE_SIZE / 8];
static held_t held[HELD_MAX];

typedef struct state {
    const churn_subject_t *subject;
    uint32_t phase;
    uint32_t random;
    uint32_t held_count;
    uint32_t operation;
    uint32_t calls[3];  // By kind.
} state_t;

// ---- Which calls to describe

enum { SHOWN_MAX = 64 };
static uint32_t shown[SHOWN_MAX + 1][3];  // Phase, kind, call. Ends with phase 0.

static void read_shown(void)
{
    static char text[2048];
    mete_semihosting_file_t file;
    if (!mete_semihosting_open(&file, "show", METE_SEMIHOSTING_READ)) {
        return;
    }
    const size_t size = mete_semihosting_read(&file, text, sizeof text);
    (void)mete_semihosting_close(&file);
    uint32_t number = 0U;  // How many numbers came before.
    for (size_t i = 0U; (i < size) && (number < 3U * SHOWN_MAX); i++) {
        if ((text[i] >= '0') && (text[i] <= '9')) {
            uint32_t *const value = &shown[number / 3U][number % 3U];
            *value = (10U * *value) + (uint32_t)(text[i] - '0');
        } else {
            number++;
        }
    }
}

static bool is_shown(const state_t *state, enum churn_kind kind)
{
    for (size_t i = 0U; shown[i][0] != 0U; i++) {
        if ((shown[i][0] == state->phase) && (shown[i][1] == (uint32_t)kind) &&
            (shown[i][2] == state->calls[kind])) {
            return true;
        }
    }
    return false;
}

static void say_both(const char *text, uint32_t number)
{
    say(text);
    say_number(number);
}

static void announce(state_t *state, enum churn_kind kind, uint32_t size)
{
    state->calls[kind]++;
    if (!is_shown(state, kind)) {
        return;
    }
    say_both("show ", state->phase);
    say_both(" ", kind);
    say_both(" operation ", state->operation);
    say_both((kind == CHURN_ALLOC) ? ": alloc of " : ": free of ", size);
    say_both(" bytes; ", state->held_count);
    say(" blocks live");
    if (state->subject->describe != NULL) {
        state->subject->describe();
    }
    say("\n");
}

// ---- Work

static uint32_t size_from(const mix_t *mix, uint32_t *random)
{
    uint32_t percent = random_below(random, 100U);
    const range_t *range = mix->ranges;
    while (percent >= range->percent) {
        percent -= range->percent;
        range++;
    }
    return range->min + random_below(random, range->max - range->min + 1U);
}

static void take(state_t *state, uint32_t size)
{
    announce(state, CHURN_ALLOC, size);
    void *const block = state->subject->alloc(size);
    if (block != NULL) {
        held[state->held_count++] = (held_t){block, size};
    }
}

static void give_back(state_t *state, uint32_t index)
{
    const held_t gone = held[index];
    announce(state, CHURN_FREE, gone.size);
    state->subject->free(gone.block, gone.size);
    held[index] = held[--state->held_count];
}

static uint32_t mean_size(const mix_t *mix)
{
    uint32_t sum = 0U;
    for (uint32_t i = 0U; i < 3U; i++) {
        sum += mix->ranges[i].percent * (mix->ranges[i].min + mix->ranges[i].max) / 2U;
    }
    return sum / 100U;
}

static bool wants_more(state_t *state, const phase_t *phase)
{
    if (phase->fill_percent != 0U) {
        const uint32_t fill = (phase->arena_size / 100U) * phase->fill_percent;
        return state->held_count < fill / mean_size(phase->mix);
    }
    return random_below(&state->random, 16U) < 9U;
}

static void step(state_t *state, const phase_t *phase)
{
    if ((state->held_count == 0U) || ((state->held_count < HELD_MAX) && wants_more(state, phase))) {
        take(state, size_from(phase->mix, &state->random));
    } else {
        give_back(state, random_below(&state->random, state->held_count));
    }
    state->operation++;
}

static void run_phase(const churn_subject_t *subject, const phase_t *phase, uint32_t number)
{
    bench_phase();
    say("phase ");
    say(subject->name);
    say(phase->mix->name);
    say_both(" ", phase->arena_size);
    say("\n");
    subject->start((mete_span_t){storage, phase->arena_size}, subject->variant);
    state_t state = {.subject = subject, .phase = number, .random = 0x2545F491U, .operation = 1U};
    for (uint32_t i = 0U; i < phase->operations; i++) {
        step(&state, phase);
    }
}

/// Runs all phases with each subject. Phases count from 1 over all.
static inline void churn_run(const churn_subject_t *subjects, uint32_t subject_count)
{
    read_shown();
    for (uint32_t s = 0U; s < subject_count; s++) {
        for (uint32_t i = 0U; i < PHASE_COUNT; i++) {
            run_phase(&subjects[s], &phases[i], (s * PHASE_COUNT) + i + 1U);
        }
    }
}

#endif
