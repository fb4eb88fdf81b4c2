// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware that works a heap while every call is counted: the mixed churn that all allocators of
// docs/costs.md were measured with, and work that aims for the longest paths. Everything is
// repeatable: a phase is a row of the table below, and its random numbers start from its seed.
//
// Arguments: none to run all phases; or PHASE KIND CALL (KIND 1 alloc, 2 free, 3 resize), to run the
// same and describe the state of the heap just before that call.

#include "bench/board.h"
#include "bench/probe.h"
#include "mete/alloc/heap.h"
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
static const mix_t CHURN = {"churn", {{80, 8, 128}, {17, 256, 1500}, {3, 2048, 4096}}};
static const mix_t TINY = {"tiny", {{90, 1, 60}, {10, 61, 100}, {0, 0, 0}}};
static const mix_t ONE_BIN = {"one bin", {{60, 516, 764}, {40, 1, 124}, {0, 0, 0}}};
static const mix_t SPREAD = {"spread", {{60, 1, 200}, {30, 100, 1200}, {10, 1000, 9000}}};
static const mix_t LARGE = {"large", {{30, 1, 52}, {40, 500, 3000}, {30, 3000, 60000}}};

typedef struct phase {
    const mix_t *mix;
    uint32_t arena_size;
    uint32_t search;
    uint32_t fill_percent;  // Of the arena, by live blocks of mean size; 0: as a coin falls.
    uint32_t operations;
} phase_t;

// clang-format off
#define PHASES_WITH(search) \
    {&CHURN, 65536U, (search), 70U, 100000U}, {&CHURN, 262144U, (search), 70U, 100000U}, \
    {&TINY, 1024U, (search), 0U, 20000U}, {&TINY, 8192U, (search), 0U, 20000U}, \
    {&ONE_BIN, 4096U, (search), 0U, 20000U}, {&ONE_BIN, 32768U, (search), 0U, 40000U}, \
    {&SPREAD, 16384U, (search), 0U, 40000U}, {&SPREAD, 65536U, (search), 0U, 40000U}, \
    {&LARGE, 65536U, (search), 0U, 20000U}, {&LARGE, 262144U, (search), 0U, 40000U}
// clang-format on
static const phase_t PHASES[] = {PHASES_WITH(0U), PHASES_WITH(2U)};

typedef struct held {
    void *block;
    uint32_t size;
} held_t;

static uint64_t storage[STORAGE_SIZE / 8];
static held_t held[HELD_MAX];

typedef struct state {
    mete_heap_t *heap;
    uint32_t random;
    uint32_t held_count;
    uint32_t operation;
    uint32_t calls[3];       // By kind.
    uint32_t shown_call[3];  // The call of each kind to describe, 0 for none.
} state_t;

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

// Says which request comes next, if it is the one that was asked for.
static void announce(state_t *state, enum kind kind, const char *request, uint32_t size)
{
    if (++state->calls[kind] != state->shown_call[kind]) {
        return;
    }
    const mete_heap_usage_t usage = mete_heap_usage(state->heap);
    board_print(request, (const uint32_t[]){size});
    board_print(" as operation %: % blocks live, % bytes in use, % free in % blocks\n",
                (const uint32_t[]){state->operation, state->held_count, usage.in_use_size,
                                   usage.total_size - usage.in_use_size, usage.free_count});
}

static void take(state_t *state, uint32_t size)
{
    announce(state, ALLOC, "alloc %", size);
    void *const block = probe_mete_heap_alloc(state->heap, size);
    if (block != NULL) {
        held[state->held_count++] = (held_t){block, size};
    }
}

static void give_back(state_t *state, uint32_t index)
{
    const held_t gone = held[index];
    announce(state, FREE, "free of %", gone.size);
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

static void run(const phase_t *phase, const uint32_t shown_call[3])
{
    const mete_heap_config_t config = {.storage = {storage, phase->arena_size},
                                       .search = phase->search};
    state_t state = {.heap = mete_heap_init(&config), .random = 0x2545F491U};
    state.shown_call[ALLOC] = shown_call[ALLOC];
    state.shown_call[FREE] = shown_call[FREE];
    for (uint32_t i = 0U; i < phase->operations; i++) {
        step(&state, phase);
    }
}

int bench_main(void)
{
    uint32_t arguments[3];
    board_arguments(arguments, 3U);
    for (uint32_t i = 0U; i < sizeof PHASES / sizeof PHASES[0]; i++) {
        const phase_t *const phase = &PHASES[i];
        uint32_t shown_call[3] = {0U, 0U, 0U};
        if (arguments[0] == i + 1U) {
            shown_call[arguments[1] % 3U] = arguments[2];
        }
        bench_phase();
        board_print("phase k% ", &phase->search);
        board_print(phase->mix->name, NULL);
        board_print(" %\n", &phase->arena_size);
        run(phase, shown_call);
    }
    return 0;
}
