// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The replay engine, held to finding what is wrong with allocators that are wrong in one way each,
// and to what it counts. The reader, the table of back ends and the search for the safe arena too.

#include "mete/alloc/heap_wide.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tools/lib/fit.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_SIZE = 65536 };
static _Alignas(64) unsigned char memory[MEMORY_SIZE];

static trace_t trace_of(const char *text)
{
    trace_t trace;
    trace_error_t error;
    EXPECT(trace_parse(&trace, text, strlen(text), &error));
    return trace;
}

// ---- Allocators that are wrong in one way each: a bump allocator with a flaw.

typedef enum flaw {
    FLAW_NONE,
    FLAW_OVERLAPS,      // Blocks share their last bytes.
    FLAW_MISALIGNED,    // Blocks are 4 bytes off.
    FLAW_OUTSIDE,       // Blocks lie behind the arena.
    FLAW_SMALL,         // Says itself that blocks are smaller than asked for.
    FLAW_SPOILS,        // Writes into the block handed out last when asked for another.
    FLAW_LIES_RESIZED,  // Clears a block that it should only shrink.
    FLAW_FAULTS,        // Reports damage.
    FLAW_FAILS_CHECK,   // Is not consistent.
} flaw_t;

static flaw_t flaw;
static size_t next;
static size_t last;

static void *bump_acquire(void *self, size_t size, size_t align)
{
    (void)self, (void)align;
    const size_t start = next;
    next += (size + 15U) / 8U * 8U - ((flaw == FLAW_OVERLAPS) ? 16U : 0U);
    if (flaw == FLAW_SPOILS) {
        memory[last] ^= 1U;
    }
    if (flaw == FLAW_FAULTS) {
        tap_record_fault(METE_FAULT_CORRUPT, NULL, NULL);
    }
    last = start;
    const size_t offset = (flaw == FLAW_MISALIGNED) ? 4U : (flaw == FLAW_OUTSIDE) ? 32768U : 0U;
    return &memory[start + offset];
}

static void bump_release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)block, (void)size, (void)align;
}

static bool bump_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    (void)self, (void)align;
    const bool lies = (flaw == FLAW_LIES_RESIZED) && (new_size < old_size);
    memset(block, 0, lies ? old_size : 0U);
    return lies;
}

static size_t bump_size_of(const void *self, const void *block)
{
    (void)self, (void)block;
    return (flaw == FLAW_SMALL) ? 23U : 4096U;
}

static bool bump_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    (void)arena, (void)search;
    static const mete_alloc_ops_t ops = {bump_acquire, bump_release, bump_resize, NULL,
                                         bump_size_of};
    state->alloc = (mete_alloc_t){&ops, NULL};
    next = 0U;
    last = 0U;
    return true;
}

static bool bump_check(const backend_state_t *state)
{
    (void)state;
    return flaw != FLAW_FAILS_CHECK;
}

static const char *defect_with(flaw_t wanted)
{
    static const backend_t bump = {
        .name = "bump", .arena_max = MEMORY_SIZE, .init = bump_init, .check = bump_check};
    trace_t trace = trace_of("a 0 24\na 1 40\nr 0 100\na 2 24\nr 2 16\nf 1\nf 0\n");
    const replay_options_t options = {.backend = &bump,
                                      .arena = {memory, MEMORY_SIZE / 2U},
                                      .verifies = true,
                                      .take_fault = tap_take_fault};
    replay_result_t result;
    flaw = wanted;
    const bool is_good = replay_run(&trace, &options, &result);
    EXPECT(is_good == (result.defect == NULL));
    EXPECT(result.failures == 0U);
    trace_free(&trace);
    return (result.defect != NULL) ? result.defect : "";
}

static bool is_text(const char *text, const char *expected)
{
    return strcmp(text, expected) == 0;
}

static void test_nothing_is_found_wrong_with_a_good_allocator(void)
{
    EXPECT(is_text(defect_with(FLAW_NONE), ""));
}

static void test_contents_that_change_are_found(void)
{
    static const char text[] = "the contents of a block changed while it was held";
    EXPECT(is_text(defect_with(FLAW_OVERLAPS), text));
    EXPECT(is_text(defect_with(FLAW_SPOILS), text));
    EXPECT(is_text(defect_with(FLAW_LIES_RESIZED), text));
}

static void test_blocks_in_a_wrong_place_are_found(void)
{
    EXPECT(is_text(defect_with(FLAW_MISALIGNED), "a block is not aligned as asked for"));
    EXPECT(is_text(defect_with(FLAW_OUTSIDE), "a block does not lie in the arena"));
    EXPECT(is_text(defect_with(FLAW_SMALL), "a block is smaller than asked for"));
}

static void test_what_the_allocator_reports_is_found(void)
{
    EXPECT(is_text(defect_with(FLAW_FAULTS), "the allocator reported damaged bookkeeping"));
    EXPECT(is_text(defect_with(FLAW_FAILS_CHECK), "the allocator's own check found damage"));
}

// ---- What is counted

static void test_failures_are_counted_and_the_trace_goes_on(void)
{
    // 1 and 2 do not fit; 1 is resized to what does, 3 to what does not.
    trace_t trace =
        trace_of("a 0 100\na 1 60000\na 2 70000\nr 1 200\nf 2\na 2 8\nr 2 90000\nf 0\n");
    const replay_options_t options = {.backend = backend_find("heap"),
                                      .arena = {memory, 4096U},
                                      .verifies = true,
                                      .take_fault = tap_take_fault};
    replay_result_t result;
    EXPECT(!replay_run(&trace, &options, &result));
    EXPECT((result.op_count == 8U) && (result.defect == NULL));
    EXPECT((result.failures == 3U) && (result.first_failure == 2U));
    trace_free(&trace);
}

static void test_an_arena_too_small_for_the_allocator_is_a_failure(void)
{
    trace_t trace = trace_of("a 0 8\n");
    const replay_options_t options = {.backend = backend_find("heap"), .arena = {memory, 64U}};
    replay_result_t result;
    EXPECT(!replay_run(&trace, &options, &result));
    EXPECT((result.failures == 1U) && (result.op_count == 0U));
    trace_free(&trace);
}

static void test_size_0_is_no_failure_and_no_block(void)
{
    trace_t trace = trace_of("a 0 0\nr 0 16\nr 0 0\nr 0 8\nf 0\n");
    const replay_options_t options = {.backend = backend_find("heap"),
                                      .arena = {memory, 4096U},
                                      .verifies = true,
                                      .take_fault = tap_take_fault};
    replay_result_t result;
    EXPECT(replay_run(&trace, &options, &result));
    EXPECT(trace.live_size_peak == 16U);
    trace_free(&trace);
}

static void test_samples_show_live_bytes_and_the_highest_block(void)
{
    trace_t trace = trace_of("a 0 100\na 1 1000\nf 1\nf 0\n");
    replay_sample_t samples[4] = {{.op_count = 0U}};
    const replay_options_t options = {.backend = backend_find("arena"),
                                      .arena = {memory, 4096U},
                                      .samples = samples,
                                      .sample_count = 4U};
    replay_result_t result;
    EXPECT(replay_run(&trace, &options, &result));
    EXPECT((samples[0].live_size == 100U) && (samples[1].live_size == 1100U));
    EXPECT((samples[2].live_size == 100U) && (samples[3].live_size == 0U));
    const size_t control = sizeof(mete_arena_t);
    EXPECT((samples[0].extent == control + 100U) && (samples[1].extent == control + 1104U));
    EXPECT((samples[2].extent == control + 100U) && (samples[3].extent == 0U));
    EXPECT((result.extent_peak == control + 1104U) && (samples[3].op_count == 4U));
    trace_free(&trace);
}

// ---- Sizes

static void test_block_sizes_in_the_table_are_those_of_the_heaps(void)
{
    const mete_heap_config_t config = {.storage = {memory, MEMORY_SIZE}};
    for (size_t size = 1U; size < 3000U; size++) {
        mete_heap_t *const heap = mete_heap_init(&config);
        EXPECT(mete_heap_alloc(heap, size) != NULL);
        EXPECT(mete_heap_usage(heap).in_use_size == backend_block_size(backend_find("heap"), size));
        mete_heap_wide_t *const wide = mete_heap_wide_init(&config);
        EXPECT(mete_heap_wide_alloc(wide, size) != NULL);
        EXPECT(mete_heap_wide_usage(wide).in_use_size ==
               backend_block_size(backend_find("heap_wide"), size));
    }
}

static void test_the_floor_is_the_peak_of_block_sizes(void)
{
    trace_t trace = trace_of("a 0 1\na 1 5\nr 0 12\nf 1\na 1 3\n");
    replay_floor_t bound;
    EXPECT(replay_floor_of(&trace, backend_find("heap"), &bound));
    EXPECT(bound.block_size_peak == 32U);
    EXPECT((bound.control_size >= sizeof(mete_heap_t)) &&
           (bound.control_size < sizeof(mete_heap_t) + 32U));
    EXPECT(!replay_floor_of(&trace, backend_find("malloc"), &bound));
    trace_free(&trace);
}

// ---- The safe arena

// An allocator that works from 1000 bytes on, but not from 1040 to 1047 and from 1100 to 1103: as if
// blocks fell badly there.
static bool wobbly_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    const bool is_bad = (arena.size < 1000U) || ((arena.size >= 1040U) && (arena.size < 1048U)) ||
                        ((arena.size >= 1100U) && (arena.size < 1104U));
    return !is_bad && bump_init(state, arena, search);
}

static void test_the_safe_arena_has_no_failing_step_above_it(void)
{
    const backend_t wobbly = {
        .name = "wobbly", .arena_max = 4096U, .init = wobbly_init, .granule = 8U, .block_min = 8U};
    trace_t trace = trace_of("a 0 800\n");
    const replay_options_t options = {.backend = &wobbly};
    flaw = FLAW_NONE;
    fit_t fit;
    EXPECT(fit_find(&trace, &options, &fit));
    EXPECT(fit.first_size == 1000U);
    // No tested size is in 1100 ... 1103, for sizes are multiples of 8; 1040 is a step above 1000.
    EXPECT(fit.size == 1048U);
    trace_free(&trace);
}

static void test_steps_are_half_a_percent_and_multiples_of_8(void)
{
    EXPECT((fit_step(1000U, 0U) == 1000U) && (fit_step(1001U, 0U) == 1008U));
    EXPECT((fit_step(160000U, 1U) == 160800U) && (fit_step(160000U, 30U) == 184000U));
}

static void test_there_is_no_safe_arena_if_the_largest_is_too_small(void)
{
    trace_t trace = trace_of("a 0 300000\n");
    const replay_options_t options = {.backend = backend_find("heap")};
    fit_t fit;
    EXPECT(!fit_find(&trace, &options, &fit));
    trace_free(&trace);
}

static void test_a_defect_ends_the_search_for_the_safe_arena(void)
{
    const backend_t wrong = {
        .name = "wrong", .arena_max = 4096U, .init = bump_init, .granule = 8U, .block_min = 8U};
    trace_t trace = trace_of("a 0 800\n");
    const replay_options_t options = {.backend = &wrong, .take_fault = tap_take_fault};
    flaw = FLAW_FAULTS;
    fit_t fit;
    EXPECT(!fit_find(&trace, &options, &fit));
    EXPECT((fit.defect != NULL) && (fit.trial_count == 1U));
    trace_free(&trace);
}

// ---- The reader

static void test_damage_at_any_byte_is_refused_or_still_a_trace(void)
{
    static const char good[] = "# a trace; ops=6;\na 0 24 16\na 1 40\nr 0 100\nf 1\na 1 7\nf 0\n";
    char text[sizeof good];
    uint32_t random = 1U;
    for (size_t round = 0U; round < 20000U; round++) {
        memcpy(text, good, sizeof good);
        const size_t length = 1U + random_below(&random, sizeof good - 1U);
        text[random_below(&random, (uint32_t)length)] = (char)random_below(&random, 256U);
        trace_t trace;
        trace_error_t error;
        const bool is_sound = trace_parse(&trace, text, length, &error);
        EXPECT(is_sound == (trace.op_count != 0U));
        EXPECT(is_sound || ((error.line >= 1U) && (error.line <= 9U) && (error.text[0] != '\0')));
        trace_free(&trace);
    }
}

int main(void)
{
    RUN(test_nothing_is_found_wrong_with_a_good_allocator);
    RUN(test_contents_that_change_are_found);
    RUN(test_blocks_in_a_wrong_place_are_found);
    RUN(test_what_the_allocator_reports_is_found);
    RUN(test_failures_are_counted_and_the_trace_goes_on);
    RUN(test_an_arena_too_small_for_the_allocator_is_a_failure);
    RUN(test_size_0_is_no_failure_and_no_block);
    RUN(test_samples_show_live_bytes_and_the_highest_block);
    RUN(test_block_sizes_in_the_table_are_those_of_the_heaps);
    RUN(test_the_floor_is_the_peak_of_block_sizes);
    RUN(test_the_safe_arena_has_no_failing_step_above_it);
    RUN(test_steps_are_half_a_percent_and_multiples_of_8);
    RUN(test_there_is_no_safe_arena_if_the_largest_is_too_small);
    RUN(test_a_defect_ends_the_search_for_the_safe_arena);
    RUN(test_damage_at_any_byte_is_refused_or_still_a_trace);
    return tap_finish();
}
