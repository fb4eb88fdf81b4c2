// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware that works a heap while every call is counted: the mixed churn that all allocators of
// docs/costs.md were measured with, and work that aims for the longest paths. Everything is
// repeatable: a phase is a row of the table below, and its random numbers start from its seed.
//
// A file `show` with lines of three numbers, PHASE KIND CALL (from 1; KIND 1 is alloc, 2 free), makes
// it describe the heap just before those calls.

#include "bench/probe.h"
#include "mete/alloc/heap.h"
#include "port/io/semihosting.h"
#include "tests/support/random.h"

PROBE(mete_heap_alloc);
void *probe_mete_heap_alloc(mete_heap_t *heap, size_t size);
PROBE(mete_heap_free);
void probe_mete_heap_free(mete_heap_t *heap, void *block);

enum kind { ALLOC = 1, FREE = 2 };
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
    uint32_t search;
    uint32_t fill_percent;  // Of the arena, by live blocks of mean size; 0: as a coin falls.
    uint32_t operations;
} phase_t;

// clang-format off
#define PHASES_WITH(search) \
    {&churn, 65536U, (search), 70U, 100000U}, {&churn, 262144U, (search), 70U, 100000U}, \
    {&tiny, 1024U, (search), 0U, 20000U}, {&tiny, 8192U, (search), 0U, 20000U}, \
    {&one_bin, 4096U, (search), 0U, 20000U}, {&one_bin, 32768U, (search), 0U, 40000U}, \
    {&spread, 16384U, (search), 0U, 40000U}, {&spread, 65536U, (search), 0U, 40000U}, \
    {&large, 65536U, (search), 0U, 20000U}, {&large, 262144U, (search), 0U, 40000U}, \
    {&huge, 262144U, (search), 100U, 10000U}
// clang-format on
static const phase_t phases[] = {PHASES_WITH(0U), PHASES_WITH(2U)};

typedef struct held {
    void *block;
    uint32_t size;
} held_t;

static uint64_t storage[STORAGE_SIZE / 8];
static held_t held[HELD_MAX];

typedef struct state {
    mete_heap_t *heap;
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

static bool is_shown(const state_t *state, enum kind kind)
{
    for (size_t i = 0U; shown[i][0] != 0U; i++) {
        if ((shown[i][0] == state->phase) && (shown[i][1] == (uint32_t)kind) &&
            (shown[i][2] == state->calls[kind])) {
            return true;
        }
    }
    return false;
}

static void announce(state_t *state, enum kind kind, uint32_t size)
{
    state->calls[kind]++;
    if (!is_shown(state, kind)) {
        return;
    }
    const mete_heap_usage_t usage = mete_heap_usage(state->heap);
    const struct {
        const char *text;
        uint32_t number;
    } words[] = {
        {"show ", state->phase},
        {" ", kind},
        {" operation ", state->operation},
        {(kind == ALLOC) ? ": alloc of " : ": free of ", size},
        {" bytes; ", state->held_count},
        {" blocks live, ", usage.in_use_size},
        {" bytes in use, ", usage.total_size - usage.in_use_size},
        {" free in ", usage.free_count},
    };
    for (size_t i = 0U; i < sizeof words / sizeof words[0]; i++) {
        say(words[i].text);
        say_number(words[i].number);
    }
    say(" blocks\n");
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
    announce(state, ALLOC, size);
    void *const block = probe_mete_heap_alloc(state->heap, size);
    if (block != NULL) {
        held[state->held_count++] = (held_t){block, size};
    }
}

static void give_back(state_t *state, uint32_t index)
{
    const held_t gone = held[index];
    announce(state, FREE, gone.size);
    probe_mete_heap_free(state->heap, gone.block);
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

static void run(const phase_t *phase, uint32_t number)
{
    const mete_heap_config_t config = {.storage = {storage, phase->arena_size},
                                       .search = phase->search};
    state_t state = {
        .heap = mete_heap_init(&config), .phase = number, .random = 0x2545F491U, .operation = 1U};
    for (uint32_t i = 0U; i < phase->operations; i++) {
        step(&state, phase);
    }
}

int main(void)
{
    read_shown();
    for (uint32_t i = 0U; i < sizeof phases / sizeof phases[0]; i++) {
        const phase_t *const phase = &phases[i];
        bench_phase();
        say("phase k");
        say_number(phase->search);
        say(" ");
        say(phase->mix->name);
        say(" ");
        say_number(phase->arena_size);
        say("\n");
        run(phase, i + 1U);
    }
    return 0;
}
