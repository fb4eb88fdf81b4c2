// SPDX-License-Identifier: MIT OR Apache-2.0

// What a program finds when main() begins: memory in its initial state, a stack of the size asked for.

#include "tests/support/tap.h"

#include "mete/core/platform.h"
#include "port/cpu/start.h"

static uint32_t initialised[3] = {1U, 2U, 3U};
static uint32_t zeroed[3];
static uint32_t beside[3] __attribute__((section(".ccm")));

static void test_data_has_its_values(void)
{
    for (uint32_t i = 0U; i < 3U; i++) {
        EXPECT(((volatile uint32_t *)initialised)[i] == i + 1U);
    }
}

static void test_bss_and_ccm_are_zero(void)
{
    for (size_t i = 0U; i < 3U; i++) {
        EXPECT(((volatile uint32_t *)zeroed)[i] == 0U);
        EXPECT(((volatile uint32_t *)beside)[i] == 0U);
    }
}

static void test_main_runs_on_the_stack_of_the_linker_script(void)
{
    const mete_span_t stack = mete_port_stack();
    EXPECT(mete_span_has(stack, __builtin_frame_address(0)));
    EXPECT((uintptr_t)stack.start == (uintptr_t)mete_port_ram_start);
    EXPECT(stack.size >= 2048U);
}

static void test_free_ram_lies_behind_everything(void)
{
    const mete_span_t ram = mete_port_ram_free();
    EXPECT(ram.size != 0U);
    EXPECT((uintptr_t)ram.start >= (uintptr_t)(zeroed + 3));
    EXPECT((uintptr_t)ram.start >= (uintptr_t)(initialised + 3));
}

static void test_the_runtime_of_the_compiler_is_linked(void)
{
    volatile uint64_t dividend = 1000000000007U;
    volatile uint64_t divisor = 1000000U;
    EXPECT(dividend / divisor == 1000000U);
    EXPECT(dividend % divisor == 7U);
}

int main(void)
{
    RUN(test_data_has_its_values);
    RUN(test_bss_and_ccm_are_zero);
    RUN(test_main_runs_on_the_stack_of_the_linker_script);
    RUN(test_free_ram_lies_behind_everything);
    RUN(test_the_runtime_of_the_compiler_is_linked);
    return tap_finish();
}
