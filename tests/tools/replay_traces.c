// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Replays a recorded trace, plain text on standard input, on both heaps and with movable
// blocks, and verifies every block. It needs no library but libc, so it also runs with -m32. The 80 %
// arena makes requests fail, which must harm nothing.
//
// usage: zstd -dc FILE | replay_traces

#include "tests/support/tap.h"
#include "tools/lib/replayer.h"

#include <stdlib.h>

static trace_t trace;

// Replays with verification in an arena of that size. Returns how many requests failed.
static size_t failures_in(const backend_t *backend, uint32_t search, size_t size)
{
    void *memory = NULL;
    EXPECT(posix_memalign(&memory, 64U, size) == 0);
    const replay_options_t options = {.backend = backend,
                                      .arena = {memory, size},
                                      .search = search,
                                      .verifies = true,
                                      .take_fault = tap_take_fault};
    replay_result_t result;
    (void)replay_run(&trace, &options, &result);
    free(memory);
    EXPECT(result.defect == NULL);
    EXPECT(result.op_count == trace.op_count);
    return result.failures;
}

static size_t floor_of(const backend_t *backend)
{
    replay_floor_t bound;
    EXPECT(replay_floor_of(&trace, backend, &bound));
    return (size_t)bound.block_size_peak + bound.control_size;
}

static void replay_on(const char *name, uint32_t search)
{
    const backend_t *const backend = backend_find(name);
    const size_t least = floor_of(backend);
    const size_t size_max = backend->arena_max;
    const size_t roomy = (2U * least < size_max) ? 2U * least : size_max;
    const size_t failures = failures_in(backend, search, roomy);
    EXPECT((failures == 0U) || (least > size_max / 8U * 7U));
    const size_t tight = least / 5U * 4U;
    EXPECT(failures_in(backend, search, (tight < size_max) ? tight : size_max) != 0U);
}

static void test_trace_on_the_narrow_heap_without_search(void)
{
    replay_on("heap", 0U);
}

static void test_trace_on_the_narrow_heap_with_search(void)
{
    replay_on("heap", 2U);
}

static void test_trace_on_the_wide_heap_without_search(void)
{
    replay_on("heap_wide", 0U);
}

static void test_trace_on_the_wide_heap_with_search(void)
{
    replay_on("heap_wide", 2U);
}

// One per cent above the least that is possible, nothing fails.
static void test_trace_in_a_store_of_movable_blocks(void)
{
    const backend_t *const backend = backend_find("movable");
    const size_t least = floor_of(backend);
    EXPECT(failures_in(backend, 0U, least + (least / 100U)) == 0U);
    EXPECT(failures_in(backend, 0U, least - 8U) != 0U);
    EXPECT(failures_in(backend, 0U, least / 5U * 4U) != 0U);
}

int main(void)
{
    trace_error_t error;
    if (!trace_read(&trace, stdin, &error)) {
        fprintf(stderr, "stdin:%zu: %s\n", error.line, error.text);
        return 1;
    }
    RUN(test_trace_on_the_narrow_heap_without_search);
    RUN(test_trace_on_the_narrow_heap_with_search);
    RUN(test_trace_on_the_wide_heap_without_search);
    RUN(test_trace_on_the_wide_heap_with_search);
    RUN(test_trace_in_a_store_of_movable_blocks);
    trace_free(&trace);
    return tap_finish();
}
