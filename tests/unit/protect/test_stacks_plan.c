// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Stacks from real allocators, and their guards in the plans of all hardware: what the kernel of a system with memory
// protection puts together.
//
// A host's memory may lie above 4 GiB, where Cortex-M has nothing. So the plan is told of the same places at 0x20000000,
// which is a multiple of whatever the memory is aligned to.

#include "mete/alloc/heap_wide.h"
#include "mete/alloc/pool.h"
#include "mete/protect/stacks.h"
#include "mete/wrap/fail.h"
#include "tests/unit/protect/plan_fixture.h"

enum { TASK_COUNT = 3, PAGE = 4096, BASE = 0x20000000 };

typedef struct hardware {
    const mete_plan_backend_t *backend;
    size_t image_max;
    size_t guard_size;
    size_t align;
    size_t size;
    size_t region_max;          // That a guard and its stack may take.
    uint32_t guard_privileged;  // ARMv8-M can keep privileged code from writing only.
} hardware_t;

static const hardware_t all[] = {
    {&mete_plan_armv7m, 8U, 32U, 32U, 1024U, 5U, 0U},
    {&mete_plan_armv7m, 8U, 32U, 1024U, 1024U, 2U, 0U},
    {&mete_plan_armv7m, 8U, 64U, 64U, 960U, 5U, 0U},
    {&mete_plan_armv7m, 8U, 256U, 256U, 1280U, 3U, 0U},
    {&mete_plan_armv8m, 8U, 32U, 32U, 1024U, 2U, R},
    {&mete_plan_armv8m, 8U, 96U, 32U, 992U, 2U, R},
    {&mete_plan_pmp, 16U, 32U, 32U, 1024U, 3U, 0U},
    {&mete_plan_pmp, 16U, 64U, 64U, 960U, 3U, 0U},
    {&mete_plan_pages, 32U, PAGE, PAGE, 2U * PAGE, 2U, 0U},
};

static _Alignas(PAGE) unsigned char memory[10 * PAGE];
static mete_stacks_record_t records[TASK_COUNT];
static mete_stacks_config_t stacks_config;
static mete_stacks_t stacks;
static int tasks[TASK_COUNT];

static uintptr_t told(const void *address)
{
    return ((uintptr_t)address - (uintptr_t)memory) + BASE;
}

static void wish_for(mete_span_t span, uint32_t unprivileged, uint32_t privileged)
{
    const uintptr_t first = told(span.start);
    wish(first, first + (span.size - 1U), unprivileged, privileged);
}

static mete_alloc_t make_heap(void)
{
    static mete_heap_config_t heap_config;
    heap_config = (mete_heap_config_t){.storage = {memory, sizeof memory}};
    return mete_heap_wide_as_alloc(mete_heap_wide_init(&heap_config));
}

static void setup_stacks(mete_alloc_t alloc, size_t guard_size, size_t align)
{
    stacks_config = (mete_stacks_config_t){.alloc = alloc,
                                           .records = records,
                                           .record_max = TASK_COUNT,
                                           .guard_size = guard_size,
                                           .align = align,
                                           .margin_size = 64U};
    EXPECT(mete_stacks_init(&stacks, &stacks_config));
}

static bool may(const void *address, uint32_t kind)
{
    const access_t access = {told(address), 1U, kind, false};
    const bool is_allowed = mete_plan_allows(&plan, told(address), 1U, kind, METE_UNPRIVILEGED);
    EXPECT(is_allowed == ref_allows(&plan, &access));
    return is_allowed;
}

// Where the hardware holds privileged code to the rights, the guard stops the kernel, too.
static void expect_kernel_held(const mete_stacks_record_t *running)
{
    const bool is_held = config.backend->rules.holds_privilege;
    const mete_span_t guard = mete_stacks_guard(&stacks, running);
    EXPECT(mete_plan_allows(&plan, told(guard.start), 1U, W, METE_PRIVILEGED) == !is_held);
    EXPECT(mete_plan_allows(&plan, told(mete_stacks_top(running)) - 1U, 1U, W, METE_PRIVILEGED));
}

// The task that runs has its own stack, and of the others not a byte.
static void expect_protected(const mete_stacks_record_t *running)
{
    for (size_t i = 0U; i < TASK_COUNT; i++) {
        const unsigned char *const start = mete_stacks_span(&records[i]).start;
        const unsigned char *const top = mete_stacks_top(&records[i]);
        const bool is_own = &records[i] == running;
        EXPECT((may(start, W) == is_own) && (may(top - 1, W) == is_own));
        EXPECT((may(start + 100, R) == is_own) && !may(start + 100, X));
        const mete_span_t guard = mete_stacks_guard(&stacks, &records[i]);
        const unsigned char *const low = guard.start;
        for (size_t at = 0U; at < guard.size; at += 4U) {
            EXPECT(!may(low + at, R) && !may(low + at, W) && !may(low + at, X));
            EXPECT(mete_stacks_find(&stacks, low + at) == &records[i]);
        }
    }
}

static void test_guard_and_stack_fit_the_plan_of_every_hardware(void)
{
    for (size_t i = 0U; i < sizeof all / sizeof all[0]; i++) {
        setup_stacks(make_heap(), all[i].guard_size, all[i].align);
        for (size_t task = 0U; task < TASK_COUNT; task++) {
            EXPECT(mete_stacks_alloc(&stacks, &tasks[task], "task", all[i].size) != NULL);
        }
        for (size_t task = 0U; task < TASK_COUNT; task++) {
            setup(all[i].backend, all[i].image_max, true);
            wish_for(mete_stacks_guard(&stacks, &records[task]), 0U, all[i].guard_privileged);
            wish_for(mete_stacks_span(&records[task]), RW, RW);
            EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
            EXPECT((shares[0].waste_size == 0U) && (shares[1].waste_size == 0U));
            EXPECT(mete_plan_usage(&plan).region_count <= all[i].region_max);
            expect_protected(&records[task]);
            expect_kernel_held(&records[task]);
        }
        for (size_t task = 0U; task < TASK_COUNT; task++) {
            mete_stacks_free(&stacks, &records[task]);
        }
        EXPECT(mete_stacks_purge(&stacks) == TASK_COUNT * all[i].size);
        EXPECT(tap_take_fault() == 0);
    }
}

static void test_a_guard_alone_is_one_region(void)
{
    for (size_t i = 0U; i < sizeof all / sizeof all[0]; i++) {
        setup_stacks(make_heap(), all[i].guard_size, all[i].align);
        EXPECT(mete_stacks_alloc(&stacks, &tasks[0], "task", all[i].size) == &records[0]);
        setup(all[i].backend, all[i].image_max, true);
        wish_for(mete_stacks_guard(&stacks, &records[0]), 0U, all[i].guard_privileged);
        EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
        EXPECT(mete_plan_usage(&plan).region_count == 1U);
    }
}

static void test_stacks_from_a_pool(void)
{
    enum { BLOCK = 1024, BLOCK_COUNT = 2 };
    static uint16_t links[BLOCK_COUNT];
    static mete_pool_t pool;
    static const mete_pool_config_t pool_config = {
        .blocks = memory, .links = links, .block_size = BLOCK, .block_count = BLOCK_COUNT};
    EXPECT(mete_pool_init(&pool, &pool_config));
    setup_stacks(mete_pool_as_alloc(&pool), 32U, 32U);
    EXPECT(mete_stacks_alloc(&stacks, &tasks[0], "a", BLOCK) == &records[0]);
    EXPECT(mete_stacks_alloc(&stacks, &tasks[1], "b", BLOCK - 100) == &records[1]);
    EXPECT(mete_stacks_alloc(&stacks, &tasks[2], "c", 512U) == NULL);
    mete_stacks_free(&stacks, &records[1]);
    EXPECT(mete_stacks_alloc(&stacks, &tasks[2], "c", BLOCK) == NULL);  // The one kept is smaller;
    EXPECT(mete_stacks_purge(&stacks) == 928U);                         // 924, rounded up.
    EXPECT(mete_stacks_alloc(&stacks, &tasks[2], "c", BLOCK) == &records[1]);
    EXPECT(mete_stacks_check(&stacks) && (tap_take_fault() == 0));
}

static bool start_all(size_t *started)
{
    *started = 0U;
    for (size_t i = 0U; i < TASK_COUNT; i++) {
        if (mete_stacks_alloc(&stacks, &tasks[i], "task", 512U * (i + 1U)) == NULL) {
            return false;
        }
        (*started)++;
    }
    return true;
}

static void test_a_heap_that_fails_at_the_nth_request_loses_nothing(void)
{
    static mete_fail_t fail;
    bool is_well = false;
    for (size_t nth = 1U; !is_well && (nth < 10U); nth++) {
        const mete_alloc_t heap = make_heap();
        const mete_fail_plan_t failing = {.nth = nth};
        EXPECT(mete_fail_init(&fail, heap, &failing));
        setup_stacks(mete_fail_as_alloc(&fail), 32U, 32U);
        size_t started = 0U;
        is_well = start_all(&started);
        EXPECT((started == nth - 1U) && (is_well == (nth == TASK_COUNT + 1U)));
        for (size_t i = 0U; i < started; i++) {
            mete_stacks_free(&stacks, &records[i]);
        }
        EXPECT(mete_stacks_purge(&stacks) == 256U * started * (started + 1U));
        EXPECT(mete_acquire(heap, 9U * PAGE, 8U) != NULL);  // In one piece.
    }
    EXPECT(is_well && (tap_take_fault() == 0));
}

int main(void)
{
    RUN(test_guard_and_stack_fit_the_plan_of_every_hardware);
    RUN(test_a_guard_alone_is_one_region);
    RUN(test_stacks_from_a_pool);
    RUN(test_a_heap_that_fails_at_the_nth_request_loses_nothing);
    return tap_finish();
}
