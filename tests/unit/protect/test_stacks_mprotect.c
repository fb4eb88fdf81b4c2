// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Real threads on stacks with real guards: the page below each is made inaccessible, a thread runs over, and the handler
// of the signal finds out whose stack it was.

#include "mete/alloc/heap_wide.h"
#include "mete/protect/stacks.h"
#include "tests/support/tap.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KIB = 1024, GUARD = 64 * KIB, SIZE = 512 * KIB, STACK_COUNT = 2, BURNT = 100 * KIB };

// The guard is larger than any page that Linux has.
static _Alignas(GUARD) unsigned char memory[4 * SIZE];
static mete_stacks_record_t records[STACK_COUNT];
static mete_stacks_config_t config;
static mete_stacks_t stacks;
static int tasks[STACK_COUNT];
static sigjmp_buf before_fault;
static const mete_stacks_record_t *volatile hit;
static const void *volatile hit_address;

static void guard_all(int rights)
{
    for (size_t i = 0U; i < STACK_COUNT; i++) {
        const mete_span_t guard = mete_stacks_guard(&stacks, &records[i]);
        EXPECT(mprotect(guard.start, guard.size, rights) == 0);
    }
}

static void setup(void)
{
    static mete_heap_config_t heap_config;
    heap_config = (mete_heap_config_t){.storage = {memory, sizeof memory}};
    config =
        (mete_stacks_config_t){.alloc = mete_heap_wide_as_alloc(mete_heap_wide_init(&heap_config)),
                               .records = records,
                               .record_max = STACK_COUNT,
                               .guard_size = GUARD,
                               .align = GUARD};
    EXPECT(mete_stacks_init(&stacks, &config));
    for (size_t i = 0U; i < STACK_COUNT; i++) {
        EXPECT(mete_stacks_alloc(&stacks, &tasks[i], "thread", SIZE) == &records[i]);
    }
    guard_all(PROT_NONE);
    hit = NULL;
}

// Before the memory goes back: the heap writes to it.
static void end(void)
{
    guard_all(PROT_READ | PROT_WRITE);
    for (size_t i = 0U; i < STACK_COUNT; i++) {
        mete_stacks_free(&stacks, &records[i]);
    }
    EXPECT(mete_stacks_purge(&stacks) == (size_t)STACK_COUNT * SIZE);
    EXPECT(tap_take_fault() == 0);
}

static void on_fault(int number, siginfo_t *info, void *frame)
{
    (void)number;
    (void)frame;
    hit_address = info->si_addr;
    hit = mete_stacks_find(&stacks, info->si_addr);
    siglongjmp(before_fault, 1);
}

// From the top down, so that the guard is what it meets first. Not by the sanitizer, which could put the array elsewhere.
#define BURN(name, size) \
    __attribute__((noinline, no_sanitize("address"))) static unsigned char name(void) \
    { \
        volatile unsigned char array[size]; \
        for (size_t i = (size); i > 0U; i--) { \
            array[i - 1U] = 1U; \
        } \
        return array[0]; \
    }
BURN(burn_all, SIZE)
BURN(burn_some, BURNT)

static void *run_over(void *argument)
{
    static unsigned char handler_stack[64 * KIB];
    const stack_t other = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    stack_t before;
    EXPECT(sigaltstack(&other, &before) == 0);
    if (sigsetjmp(before_fault, 1) == 0) {
        EXPECT(burn_all() == 0U);  // It does not come here.
    }
    EXPECT(sigaltstack(&before, NULL) == 0);
    return argument;
}

static void *stay_within(void *argument)
{
    const mete_stacks_record_t *const own = mete_stacks_find(&stacks, METE_STACK_TOP());
    EXPECT((own != NULL) && (own->task == argument));
    EXPECT(mete_stacks_check_switch(&stacks, own, METE_STACK_TOP()));
    EXPECT(burn_some() == 1U);
    return argument;
}

static void run_thread(const mete_stacks_record_t *own, void *(*work)(void *argument))
{
    pthread_t thread;
    pthread_attr_t attributes;
    const mete_span_t span = mete_stacks_span(own);
    EXPECT(pthread_attr_init(&attributes) == 0);
    EXPECT(pthread_attr_setstack(&attributes, span.start, span.size) == 0);
    EXPECT(pthread_create(&thread, &attributes, work, &tasks[own - records]) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(pthread_attr_destroy(&attributes) == 0);
}

static void test_a_thread_that_runs_over_is_stopped_at_its_guard(void)
{
    for (size_t i = 0U; i < STACK_COUNT; i++) {
        setup();
        run_thread(&records[i], run_over);
        const mete_span_t guard = mete_stacks_guard(&stacks, &records[i]);
        EXPECT((hit == &records[i]) && mete_span_has(guard, (const void *)hit_address));
        mete_stacks_note_overflow(&stacks, hit, (const void *)hit_address);
        EXPECT((records[i].is_overrun == 1U) && (records[1U - i].is_overrun == 0U));
        EXPECT(mete_stacks_usage(&stacks).overflow_count == 1U);
        EXPECT(mete_stack_is_whole(&records[1U - i].stack));
        end();
    }
}

static void test_a_thread_finds_its_stack_and_leaves_a_watermark(void)
{
    setup();
    run_thread(&records[1], stay_within);
    const size_t peak = mete_stacks_in_use_peak(&stacks, &records[1]);
    EXPECT((peak >= BURNT) && (peak < SIZE - GUARD) && (hit == NULL));
    EXPECT((mete_stacks_in_use_peak(&stacks, &records[0]) == 0U) && mete_stacks_check(&stacks));
    EXPECT(mete_stacks_recommended_size(&stacks, &records[1]) >= GUARD + BURNT);
    end();
}

int main(void)
{
    const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    EXPECT((sigaction(SIGSEGV, &action, NULL) == 0) && (sysconf(_SC_PAGESIZE) <= GUARD));
    RUN(test_a_thread_that_runs_over_is_stopped_at_its_guard);
    RUN(test_a_thread_finds_its_stack_and_leaves_a_watermark);
    return tap_finish();
}
