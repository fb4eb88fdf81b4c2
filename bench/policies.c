// SPDX-License-Identifier: MIT OR Apache-2.0
//
// How much memory a recorded program needs with the placement rules of other allocators, without their
// code: block sizes, free lists, which free block is taken, when one is split. The bookkeeping lies
// outside the memory, what the allocator itself would keep in front of it is subtracted, and every
// block is aligned to 8. So the smallest safe arena is found as it is for our own (bench/space.c).
//
//     zstd -dc TRACE | policies      prints "ARENA PEAK NAME" lines

#include "tools/lib/fit.h"

#include <stdlib.h>

typedef enum choice {
    GOOD,   // The head of the first list all of whose blocks fit.
    BEST,   // The smallest that fits.
    FIRST,  // The first in address order that fits.
    TRIES,  // One of the next three of the matching list that fits, else as GOOD.
} choice_t;

// Sizes are bytes. Lists are one for each multiple of 8 below 2^exact of them, then 2^split for each
// power of two.
typedef struct policy {
    const char *name;
    choice_t choice;
    unsigned exact, split;
    size_t control, header, block_min, rest_min;
    bool rounds;   // Block sizes are powers of two.
    bool is_fifo;  // Free blocks come last into their list.
    bool resizes;  // Shrinks and grows in place.
} policy_t;

static const policy_t policies[] = {
    {"o1heap", GOOD, 0U, 0U, 160U, 16U, 32U, 32U, true, false, false},
    {"Zephyr sys_heap (small)", TRIES, 0U, 0U, 88U, 4U, 8U, 8U, false, true, true},
    {"TLSF (2020)", GOOD, 5U, 5U, 3188U, 4U, 16U, 16U, false, false, true},
    {"TLSF, Espressif", GOOD, 3U, 3U, 852U, 4U, 16U, 16U, false, false, true},
    {"tlsf-bsd (two lines mended)", GOOD, 4U, 4U, 1876U, 4U, 16U, 16U, false, false, true},
    {"FreeRTOS heap_4", FIRST, 5U, 5U, 40U, 8U, 16U, 24U, false, false, false},
    {"umm_malloc best fit", BEST, 5U, 5U, 28U, 4U, 8U, 8U, false, false, true},
};

// ---- The memory, in units of 8 bytes

enum { UNIT = 8, LIST_MAX = 1024 };
#define NONE UINT32_MAX

typedef struct cell {
    uint32_t size, before;  // Units in the block that starts here, and in the one in front of it.
    uint32_t next, back;    // In the list of free blocks, which is a ring.
    bool is_live;
} cell_t;

static const policy_t *policy;
static cell_t *cells;
static uint32_t unit_count;
static uint32_t lists[LIST_MAX];
static unsigned char *origin;  // Where the payload of the block at unit 0 starts.

static unsigned log2_of(uint32_t number)
{
    return 31U - (unsigned)__builtin_clz(number);
}

static uint32_t list_of(uint32_t size)
{
    const unsigned octave = log2_of(size);
    if (octave < policy->exact) {
        return size;
    }
    const uint32_t part = (size >> (octave - policy->split)) & ((1U << policy->split) - 1U);
    return (1U << policy->exact) + ((octave - policy->exact) << policy->split) + part;
}

static void put(uint32_t block)
{
    uint32_t *const head = &lists[list_of(cells[block].size)];
    cells[block].is_live = false;
    if (*head == NONE) {
        cells[block].next = cells[block].back = *head = block;
        return;
    }
    cells[block].next = *head;
    cells[block].back = cells[*head].back;
    cells[cells[block].back].next = block;
    cells[*head].back = block;
    *head = policy->is_fifo ? *head : block;
}

static void take(uint32_t block)
{
    uint32_t *const head = &lists[list_of(cells[block].size)];
    const uint32_t next = cells[block].next;
    cells[block].is_live = true;
    cells[next].back = cells[block].back;
    cells[cells[block].back].next = next;
    if (next == block) {
        *head = NONE;
    } else if ((*head == block) || policy->is_fifo) {
        *head = next;
    }
}

static void set_size(uint32_t block, uint32_t size)
{
    cells[block].size = size;
    if (block + size < unit_count) {
        cells[block + size].before = size;
    }
}

static bool is_free(uint32_t block)
{
    return (block < unit_count) && !cells[block].is_live;
}

// ---- Choice

static uint32_t head_from(uint32_t list)
{
    while ((list < LIST_MAX) && (lists[list] == NONE)) {
        list++;
    }
    return (list < LIST_MAX) ? lists[list] : NONE;
}

static uint32_t find_good(uint32_t size)
{
    const unsigned octave = log2_of(size);
    const uint32_t rounding = (octave < policy->exact) ? 0U : (1U << (octave - policy->split)) - 1U;
    return head_from(list_of(size + rounding));
}

static uint32_t smallest_of(uint32_t head, uint32_t size)
{
    uint32_t best = NONE;
    uint32_t block = head;
    do {
        if ((cells[block].size >= size) &&
            ((best == NONE) || (cells[block].size < cells[best].size))) {
            best = block;
        }
        block = cells[block].next;
    } while (block != head);
    return best;
}

static uint32_t find_best(uint32_t size)
{
    for (uint32_t list = list_of(size); list < LIST_MAX; list++) {
        const uint32_t best = (lists[list] != NONE) ? smallest_of(lists[list], size) : NONE;
        if (best != NONE) {
            return best;
        }
    }
    return NONE;
}

static uint32_t find_first(uint32_t size)
{
    uint32_t block = 0U;
    while ((block < unit_count) && (cells[block].is_live || (cells[block].size < size))) {
        block += cells[block].size;
    }
    return (block < unit_count) ? block : NONE;
}

static uint32_t find_by_trying(uint32_t size)
{
    uint32_t *const head = &lists[list_of(size)];
    for (unsigned i = 0U; (i < 3U) && (*head != NONE); i++) {
        if (cells[*head].size >= size) {
            return *head;
        }
        *head = cells[*head].next;
    }
    return head_from(list_of(size) + 1U);
}

static uint32_t find(uint32_t size)
{
    switch (policy->choice) {
    case GOOD:
        return find_good(size);
    case BEST:
        return find_best(size);
    case FIRST:
        return find_first(size);
    default:
        return find_by_trying(size);
    }
}

// ---- Operations

// Units of a block for `size` bytes.
static uint32_t units_for(size_t size)
{
    size_t bytes = size + policy->header;
    bytes = (bytes < policy->block_min) ? policy->block_min : bytes;
    uint32_t units = (uint32_t)((bytes + UNIT - 1U) / UNIT);
    if (policy->rounds && ((units & (units - 1U)) != 0U)) {
        units = 2U << log2_of(units);
    }
    return units;
}

static void join(uint32_t block)
{
    const uint32_t after = block + cells[block].size;
    if (is_free(after)) {
        take(after);
        set_size(block, cells[block].size + cells[after].size);
    }
}

// Gives back what a live block has beyond `size`, if that can be a block.
static void trim(uint32_t block, uint32_t size)
{
    const uint32_t rest = cells[block].size - size;
    if (rest * UNIT >= policy->rest_min) {
        set_size(block, size);
        set_size(block + size, rest);
        join(block + size);
        put(block + size);
    }
}

static void *acquire(void *self, size_t size, size_t align)
{
    (void)self;
    const uint32_t units = units_for(size);
    const uint32_t block = find(units);
    if ((block == NONE) || (align > UNIT)) {
        return NULL;
    }
    take(block);
    trim(block, units);
    return origin + ((size_t)block * UNIT);
}

static uint32_t index_of(const void *block)
{
    return (uint32_t)(((uintptr_t)block - (uintptr_t)origin) / UNIT);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    uint32_t index = index_of(block);
    join(index);
    const uint32_t in_front = index - cells[index].before;
    if ((index != 0U) && is_free(in_front)) {
        take(in_front);
        set_size(in_front, cells[in_front].size + cells[index].size);
        index = in_front;
    }
    put(index);
}

static bool resize(void *self, void *block, size_t old_size, size_t size, size_t align)
{
    (void)self, (void)old_size, (void)align;
    const uint32_t index = index_of(block);
    const uint32_t units = units_for(size);
    const uint32_t after = index + cells[index].size;
    if (units > cells[index].size) {
        if (!is_free(after) || (cells[index].size + cells[after].size < units)) {
            return false;
        }
        join(index);
    }
    trim(index, units);
    return true;
}

// ---- As a back end

static bool init(backend_state_t *state, mete_span_t arena, uint32_t which)
{
    static const mete_alloc_ops_t fixed = {.acquire = acquire, .release = release};
    static const mete_alloc_ops_t resizable = {
        .acquire = acquire, .release = release, .resize = resize};
    policy = &policies[which];
    const size_t lead = policy->control + policy->header;
    if (arena.size < lead + (4U * UNIT)) {
        return false;
    }
    origin = (unsigned char *)arena.start + ((lead + UNIT - 1U) / UNIT * UNIT);
    const size_t before = (size_t)(origin - (unsigned char *)arena.start) - policy->header;
    unit_count = (uint32_t)((arena.size - before) / UNIT);
    free(cells);
    cells = calloc(unit_count, sizeof *cells);
    for (size_t i = 0U; i < LIST_MAX; i++) {
        lists[i] = NONE;
    }
    state->allocator = arena.start;
    state->alloc = (mete_alloc_t){policy->resizes ? &resizable : &fixed, NULL};
    if (cells == NULL) {
        return false;
    }
    set_size(0U, unit_count);
    put(0U);
    return true;
}

int main(void)
{
    trace_t trace;
    trace_error_t error;
    if (!trace_read(&trace, stdin, &error)) {
        fprintf(stderr, "policies: line %zu: %s\n", error.line, error.text);
        return 1;
    }
    bool is_good = true;
    for (uint32_t i = 0U; i < sizeof policies / sizeof policies[0]; i++) {
        const backend_t backend = {.name = policies[i].name,
                                   .arena_max = (size_t)1 << 26,
                                   .init = init,
                                   .header = policies[i].header,
                                   .granule = UNIT,
                                   .block_min = policies[i].block_min};
        const replay_options_t options = {.backend = &backend, .search = i};
        fit_t fit;
        if (fit_find(&trace, &options, &fit)) {
            printf("%zu %zu %s\n", fit.size, (size_t)trace.live_size_peak, policies[i].name);
        } else {
            fprintf(stderr, "policies: no safe arena for %s\n", policies[i].name);
            is_good = false;
        }
    }
    trace_free(&trace);
    return is_good ? 0 : 1;
}
