// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Stacks of real threads, in memory of our own.

#include "mete/protect/stack.c"

#include "tests/support/tap.h"

#include <pthread.h>

enum { SIZE = 512 * 1024, BURNT = 50000 };

static _Alignas(4096) unsigned char memory[SIZE];
static mete_stack_t stack;

// Uses much stack and says how much was in use then. Not by the sanitizer, which could put the array
// elsewhere.
__attribute__((noinline, no_sanitize("address"))) static size_t burn_stack(void)
{
    unsigned char array[BURNT];
    mete_words_fill(array, 0U, sizeof array);
    return mete_stack_in_use(&stack, array);
}

// What a thread found, looking at its own stack.
static size_t in_use_before;
static size_t in_use_deepest;
static size_t peak_before;

static void *use_stack(void *argument)
{
    (void)argument;
    in_use_before = mete_stack_in_use(&stack, METE_STACK_TOP());
    peak_before = mete_stack_in_use_peak(&stack);
    in_use_deepest = burn_stack();
    return NULL;
}

static void *paint_then_use_stack(void *argument)
{
    (void)burn_stack();
    EXPECT(mete_stack_paint(&stack));
    return use_stack(argument);
}

static void run_thread(void *(*work)(void *argument))
{
    pthread_t thread;
    pthread_attr_t attributes;
    EXPECT(pthread_attr_init(&attributes) == 0);
    EXPECT(pthread_attr_setstack(&attributes, memory, sizeof memory) == 0);
    EXPECT(pthread_create(&thread, &attributes, work, NULL) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(pthread_attr_destroy(&attributes) == 0);
}

// Watches the upper `size` bytes of the thread's stack.
static void watch(size_t size)
{
    const mete_span_t span = {memory + (sizeof memory - size), size};
    EXPECT(mete_stack_init(&stack, span));
}

static void test_the_peak_of_a_thread_covers_its_deepest_call(void)
{
    watch(sizeof memory);
    EXPECT(mete_stack_paint(&stack));
    run_thread(use_stack);
    const size_t peak = mete_stack_in_use_peak(&stack);
    EXPECT((in_use_before > 0U) && (in_use_deepest > in_use_before + BURNT - 512U));
    EXPECT((peak_before >= in_use_before) && (peak >= in_use_deepest) && (peak < SIZE / 2U));
    EXPECT(mete_stack_check(&stack) && (tap_take_fault() == 0));
}

static void test_a_thread_can_paint_its_own_stack_and_go_on(void)
{
    watch(sizeof memory);
    run_thread(paint_then_use_stack);
    EXPECT((peak_before >= in_use_before) && (peak_before < in_use_deepest));
    EXPECT((mete_stack_in_use_peak(&stack) >= in_use_deepest) && mete_stack_check(&stack));
}

static void test_a_thread_that_runs_over_the_watched_part_is_reported(void)
{
    watch(BURNT / 16U * 16U);
    EXPECT(mete_stack_paint(&stack));
    run_thread(use_stack);
    EXPECT(in_use_deepest > stack.span.size);
    EXPECT(mete_stack_in_use_peak(&stack) == stack.span.size);
    EXPECT(!mete_stack_check(&stack) && (tap_take_fault() == METE_FAULT_OVERFLOW));
}

int main(void)
{
    RUN(test_the_peak_of_a_thread_covers_its_deepest_call);
    RUN(test_a_thread_can_paint_its_own_stack_and_go_on);
    RUN(test_a_thread_that_runs_over_the_watched_part_is_reported);
    return tap_finish();
}
