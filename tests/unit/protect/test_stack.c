// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Most tests watch a buffer that plays the stack. Two watch the stack they run on.

#include "mete/protect/stack.c"

#include "tests/support/tap.h"

enum { WORD_COUNT = 64, GUARD_COUNT = 4, SIZE = WORD_COUNT * sizeof(uintptr_t) };

static uintptr_t memory[GUARD_COUNT + WORD_COUNT + GUARD_COUNT];
static mete_stack_t stack;

static mete_span_t span_of(void *start, size_t size)
{
    const mete_span_t span = {start, size};
    return span;
}

static unsigned char *setup(void)
{
    mete_words_fill(memory, 0x11U, sizeof memory);
    EXPECT(mete_stack_init(&stack, span_of(&memory[GUARD_COUNT], SIZE)));
    return stack.span.start;
}

static void test_init_refuses_a_span_that_is_too_small_or_not_aligned(void)
{
    unsigned char *const start = setup();
    const size_t word = sizeof(uintptr_t);
    EXPECT(!mete_stack_init(&stack, span_of(NULL, SIZE)));
    EXPECT(!mete_stack_init(&stack, span_of(start, 0U)));
    EXPECT(!mete_stack_init(&stack, span_of(start, METE_STACK_SIZE_MIN - word)));
    EXPECT(!mete_stack_init(&stack, span_of(start + 1, SIZE - word)));
    EXPECT(!mete_stack_init(&stack, span_of(start, SIZE - 1U)));
    EXPECT(!mete_stack_init(&stack, span_of(start, SIZE_MAX - word + 1U)));
    EXPECT((stack.span.start == start) && (stack.span.size == SIZE));  // Nothing changed.
    EXPECT(mete_stack_init(&stack, span_of(start, METE_STACK_SIZE_MIN)));
}

static void test_init_writes_nothing_to_the_stack(void)
{
    setup();
    EXPECT(mete_words_scan(memory, 0x11U, sizeof memory) == sizeof memory);
}

static void test_paint_fills_the_whole_of_a_stack_that_does_not_run_and_nothing_else(void)
{
    unsigned char *const start = setup();
    EXPECT(mete_stack_paint(&stack));
    const size_t rest = SIZE - METE_STACK_CANARY_SIZE;
    EXPECT(mete_words_scan(start + METE_STACK_CANARY_SIZE, METE_STACK_FILL, rest) == rest);
    const size_t guard_size = GUARD_COUNT * sizeof(uintptr_t);
    EXPECT(mete_words_scan(memory, 0x11U, guard_size) == guard_size);
    EXPECT(mete_words_scan(start + SIZE, 0x11U, guard_size) == guard_size);
    EXPECT((mete_stack_in_use_peak(&stack) == 0U) && mete_stack_check(&stack));
}

static void test_the_peak_is_right_to_the_byte(void)
{
    unsigned char *const start = setup();
    EXPECT(mete_stack_paint(&stack));
    for (size_t i = SIZE - 1U; i >= METE_STACK_CANARY_SIZE; i--) {
        start[i] = 0U;
        EXPECT(mete_stack_in_use_peak(&stack) == SIZE - i);
    }
    EXPECT(mete_stack_check(&stack) && (tap_take_fault() == 0));
}

static void test_the_peak_is_the_deepest_byte_even_if_those_above_look_unused(void)
{
    unsigned char *const start = setup();
    EXPECT(mete_stack_paint(&stack));
    start[METE_STACK_CANARY_SIZE + 3U] = 0U;
    EXPECT(mete_stack_in_use_peak(&stack) == SIZE - METE_STACK_CANARY_SIZE - 3U);
    EXPECT(mete_stack_paint(&stack));
    EXPECT(mete_stack_in_use_peak(&stack) == 0U);
}

static void test_every_bit_of_the_canary_reports_an_overflow(void)
{
    unsigned char *const start = setup();
    EXPECT(mete_stack_paint(&stack));
    for (size_t bit = 0U; bit < 8U * METE_STACK_CANARY_SIZE; bit++) {
        start[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(!mete_stack_check(&stack) && (tap_take_fault() == METE_FAULT_OVERFLOW));
        EXPECT((tap_fault_object == &stack) && (tap_fault_address == start));
        EXPECT((mete_stack_in_use_peak(&stack) == SIZE) && (tap_take_fault() == 0));
        start[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(mete_stack_check(&stack) && (tap_take_fault() == 0));
    }
}

static void test_neither_the_pattern_nor_another_stack_passes_for_the_canary(void)
{
    unsigned char *const start = setup();
    mete_words_fill(start, METE_STACK_FILL, SIZE);
    EXPECT(!mete_stack_check(&stack) && (tap_take_fault() == METE_FAULT_OVERFLOW));
    EXPECT(mete_stack_paint(&stack));
    static uintptr_t copy[WORD_COUNT];
    mete_words_copy(copy, start, SIZE);
    EXPECT(mete_stack_init(&stack, span_of(copy, SIZE)));
    EXPECT(!mete_stack_check(&stack) && (tap_take_fault() == METE_FAULT_OVERFLOW));
}

static void test_in_use_is_what_lies_above_the_top(void)
{
    unsigned char *const start = setup();
    EXPECT(mete_stack_in_use(&stack, start + SIZE) == 0U);
    EXPECT(mete_stack_in_use(&stack, start + SIZE - 1) == 1U);
    EXPECT(mete_stack_in_use(&stack, start + 16) == SIZE - 16U);
    EXPECT(mete_stack_in_use(&stack, start) == SIZE);
    EXPECT(mete_stack_in_use(&stack, start - 16) == SIZE + 16U);  // Overflowed.
    EXPECT(mete_stack_in_use(&stack, start + SIZE + 16) == 0U);   // Another stack.
}

static size_t paint_in_slices(size_t size_max, size_t *done)
{
    size_t count = 1U;
    *done = 0U;
    while (mete_stack_paint_next(&stack, done, size_max)) {
        count++;
    }
    return count;
}

static void test_painting_in_slices_paints_the_same(void)
{
    const size_t rest = SIZE - METE_STACK_CANARY_SIZE;
    for (size_t size_max = 1U; size_max <= rest + 1U; size_max += 3U) {
        unsigned char *const start = setup();
        size_t done = 0U;
        EXPECT(paint_in_slices(size_max, &done) == (rest + size_max - 1U) / size_max);
        EXPECT((done == SIZE) && mete_stack_check(&stack));
        EXPECT(mete_words_scan(start + METE_STACK_CANARY_SIZE, METE_STACK_FILL, rest) == rest);
        EXPECT(start[SIZE] == 0x11U);
        EXPECT(!mete_stack_paint_next(&stack, &done, size_max) && (done == SIZE));
    }
}

static void test_a_slice_is_no_larger_than_asked_for(void)
{
    unsigned char *const start = setup();
    size_t done = 0U;
    for (size_t i = 1U; i <= 5U; i++) {
        EXPECT(mete_stack_paint_next(&stack, &done, 13U));
        EXPECT((done == METE_STACK_CANARY_SIZE + (13U * i)) && (start[done] == 0x11U));
    }
    start[METE_STACK_CANARY_SIZE + 3U] = 0U;  // Used in between: it is not painted again.
    while (mete_stack_paint_next(&stack, &done, 13U)) {
    }
    EXPECT(mete_stack_in_use_peak(&stack) == SIZE - METE_STACK_CANARY_SIZE - 3U);
}

static size_t scan_in_slices(size_t size_max, size_t *done)
{
    size_t count = 1U;
    *done = 0U;
    while (mete_stack_scan_next(&stack, done, size_max)) {
        EXPECT(*done == METE_STACK_CANARY_SIZE + (size_max * count));
        count++;
    }
    return count;
}

static void test_measuring_in_slices_gives_the_same_peak(void)
{
    unsigned char *const start = setup();
    EXPECT(mete_stack_paint(&stack));
    start[SIZE] = METE_STACK_FILL;  // What lies above does not count.
    size_t done = 0U;
    for (size_t size_max = 1U; size_max < SIZE; size_max += 7U) {
        const size_t rest = SIZE - METE_STACK_CANARY_SIZE;
        EXPECT(scan_in_slices(size_max, &done) == (rest + size_max - 1U) / size_max);
        EXPECT(done == SIZE);
    }
    for (size_t i = SIZE - 1U; i >= METE_STACK_CANARY_SIZE; i--) {
        start[i] = 0U;
        (void)scan_in_slices(11U, &done);
        EXPECT(SIZE - done == mete_stack_in_use_peak(&stack));
    }
    start[3] ^= 1U;
    EXPECT((scan_in_slices(11U, &done) == 1U) && (SIZE - done == mete_stack_in_use_peak(&stack)));
}

static void test_a_peak_in_slices_is_one_that_the_stack_had(void)
{
    unsigned char *const start = setup();
    EXPECT(mete_stack_paint(&stack));
    start[SIZE - 20] = 0U;
    size_t done = 0U;
    EXPECT(mete_stack_scan_next(&stack, &done, SIZE / 2U));
    start[SIZE / 4] = 0U;  // Where the measurement is past.
    EXPECT(!mete_stack_scan_next(&stack, &done, SIZE) && (SIZE - done == 20U));
    done = 0U;
    EXPECT(mete_stack_scan_next(&stack, &done, 16U));
    start[SIZE / 8] = 0U;
    EXPECT(!mete_stack_scan_next(&stack, &done, SIZE) && (done == SIZE / 8U));
    done = 0U;
    EXPECT(mete_stack_scan_next(&stack, &done, 16U));
    start[0] ^= 1U;  // It ran over meanwhile.
    EXPECT(!mete_stack_scan_next(&stack, &done, SIZE) && (done == 0U) && (tap_take_fault() == 0));
}

// How far below the test's own frame the stack it runs on is watched.
enum { DEPTH = 256 * sizeof(uintptr_t), BURNT = 128 * sizeof(uintptr_t) };

// Uses much stack and says how much was in use then. Not by the sanitizer, which could put the array
// elsewhere.
__attribute__((noinline, no_sanitize("address"))) static size_t burn_stack(void)
{
    unsigned char array[BURNT];
    mete_words_fill(array, 0U, sizeof array);
    return mete_stack_in_use(&stack, array);
}

__attribute__((noinline)) static void test_the_running_stack_is_painted_below_its_frames(void)
{
    const uintptr_t top = (uintptr_t)METE_STACK_TOP();
    const uintptr_t start = mete_align_down(top - DEPTH, sizeof(uintptr_t));
    const uintptr_t end = mete_align_up(top + 64U, sizeof(uintptr_t));
    EXPECT(mete_stack_init(&stack, span_of((void *)start, end - start)));
    EXPECT(mete_stack_in_use(&stack, METE_STACK_TOP()) == end - top);
    volatile uint32_t local = 0x12345678U;
    EXPECT(mete_stack_paint(&stack) && mete_stack_check(&stack));
    EXPECT(local == 0x12345678U);
    const size_t peak = mete_stack_in_use_peak(&stack);
    EXPECT((peak >= end - top + METE_STACK_MARGIN_SIZE) && (peak < end - start - BURNT));
    const size_t deepest = burn_stack();
    EXPECT((deepest >= end - top + BURNT / 2U) && (mete_stack_in_use_peak(&stack) >= deepest));
    EXPECT(mete_stack_check(&stack) && (tap_take_fault() == 0));
}

__attribute__((noinline)) static void test_the_running_stack_is_painted_in_slices_likewise(void)
{
    const uintptr_t top = (uintptr_t)METE_STACK_TOP();
    const uintptr_t start = mete_align_down(top - DEPTH, sizeof(uintptr_t));
    const uintptr_t end = mete_align_up(top + 64U, sizeof(uintptr_t));
    EXPECT(mete_stack_init(&stack, span_of((void *)start, end - start)));
    volatile uint32_t local = 0x12345678U;
    size_t done = 0U;
    EXPECT(paint_in_slices(100U, &done) > 1U);
    EXPECT((local == 0x12345678U) && mete_stack_check(&stack) && (done < top - start));
    const size_t peak = mete_stack_in_use_peak(&stack);
    EXPECT((peak >= end - top + METE_STACK_MARGIN_SIZE) && (peak < end - start - BURNT));
    const size_t in_use_from = end - start - (2U * sizeof(uintptr_t));
    done = in_use_from;  // As if the stack had been less deep before.
    EXPECT(!mete_stack_paint_next(&stack, &done, 1U) && (done == in_use_from));
}

__attribute__((noinline)) static void test_a_slice_needs_room_for_the_canary(void)
{
    const uintptr_t top = (uintptr_t)METE_STACK_TOP();
    size_t refused_count = 0U;
    for (size_t words = 0U; words < 256U; words++) {
        const uintptr_t below = METE_STACK_MARGIN_SIZE + (words * sizeof(uintptr_t));
        const uintptr_t start = mete_align_down(top, sizeof(uintptr_t)) - below;
        EXPECT(mete_stack_init(&stack, span_of((void *)start, below + METE_STACK_SIZE_MIN)));
        size_t done = 0U;
        (void)mete_stack_paint_next(&stack, &done, 1U);
        EXPECT((done == 0U) || (done >= METE_STACK_CANARY_SIZE));
        refused_count += (done == 0U) ? 1U : 0U;
    }
    EXPECT((refused_count > 0U) && (refused_count < 256U));
}

__attribute__((noinline)) static void test_paint_refuses_when_too_little_is_left(void)
{
    const uintptr_t top = (uintptr_t)METE_STACK_TOP();
    const uintptr_t start = mete_align_down(top - METE_STACK_MARGIN_SIZE, sizeof(uintptr_t));
    const size_t size = METE_STACK_MARGIN_SIZE + 16U * sizeof(uintptr_t);
    EXPECT(mete_stack_init(&stack, span_of((void *)start, size)));
    EXPECT(!mete_stack_paint(&stack));
    size_t done = 0U;
    EXPECT(!mete_stack_paint_next(&stack, &done, SIZE) && (done == 0U));
    EXPECT(!mete_stack_check(&stack) && (tap_take_fault() == METE_FAULT_OVERFLOW));
}

int main(void)
{
    RUN(test_init_refuses_a_span_that_is_too_small_or_not_aligned);
    RUN(test_init_writes_nothing_to_the_stack);
    RUN(test_paint_fills_the_whole_of_a_stack_that_does_not_run_and_nothing_else);
    RUN(test_the_peak_is_right_to_the_byte);
    RUN(test_the_peak_is_the_deepest_byte_even_if_those_above_look_unused);
    RUN(test_every_bit_of_the_canary_reports_an_overflow);
    RUN(test_neither_the_pattern_nor_another_stack_passes_for_the_canary);
    RUN(test_in_use_is_what_lies_above_the_top);
    RUN(test_painting_in_slices_paints_the_same);
    RUN(test_a_slice_is_no_larger_than_asked_for);
    RUN(test_measuring_in_slices_gives_the_same_peak);
    RUN(test_a_peak_in_slices_is_one_that_the_stack_had);
    RUN(test_the_running_stack_is_painted_below_its_frames);
    RUN(test_the_running_stack_is_painted_in_slices_likewise);
    RUN(test_a_slice_needs_room_for_the_canary);
    RUN(test_paint_refuses_when_too_little_is_left);
    return tap_finish();
}
