// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

#include "port/board/board.h"
#include "port/os/bare_metal.h"

enum { LOOPS_MAX = 100000000 };  // More than any of the machines needs for the few ms we wait.

#ifdef __riscv
static void unmask(void)
{
    __asm volatile("csrsi mstatus, 8");
}

static bool is_masked(void)
{
    uintptr_t mstatus;
    __asm volatile("csrr %0, mstatus" : "=r"(mstatus));
    return (mstatus & 8U) == 0U;
}
#else
static void unmask(void)
{
    __asm volatile("cpsie i");
}

static bool is_masked(void)
{
    uintptr_t primask;
    __asm volatile("mrs %0, primask" : "=r"(primask));
    return primask != 0U;
}
#endif

static void test_a_critical_section_nests(void)
{
    unmask();
    const uintptr_t outer = mete_critical_enter();
    EXPECT(is_masked());
    const uintptr_t inner = mete_critical_enter();
    EXPECT(is_masked());
    mete_critical_leave(inner);
    EXPECT(is_masked());
    mete_critical_leave(outer);
    EXPECT(!is_masked());
}

static void test_the_lock_masks_until_its_last_leave(void)
{
    mete_bare_metal_lock_t state = {0U, 0U};
    const mete_lock_t lock = mete_bare_metal_lock(&state);
    unmask();
    lock.ops->enter(lock.self);
    lock.ops->enter(lock.self);
    lock.ops->leave(lock.self);
    EXPECT(is_masked());
    lock.ops->leave(lock.self);
    EXPECT(!is_masked());
}

static void test_the_lock_leaves_interrupts_masked_if_they_were(void)
{
    mete_bare_metal_lock_t state = {0U, 0U};
    const mete_lock_t lock = mete_bare_metal_lock(&state);
    const uintptr_t outer = mete_critical_enter();
    lock.ops->enter(lock.self);
    lock.ops->leave(lock.self);
    EXPECT(is_masked());
    mete_critical_leave(outer);
}

static void test_the_clock_advances_once_started(void)
{
    EXPECT(mete_clock_ms() == 0U);
    mete_bare_metal_clock_start(mete_board.clock_hz);
    const uint32_t start = mete_clock_ms();
    size_t loops = 0U;
    while ((mete_clock_ms() - start < 5U) && (loops < LOOPS_MAX)) {
        loops++;
    }
    EXPECT(loops < LOOPS_MAX);
    EXPECT(mete_clock_ms() - start < 1000U);
}

static void test_a_signal_stays_set_until_it_is_waited_for(void)
{
    mete_bare_metal_signal_t state = {false};
    const mete_signal_t signal = mete_bare_metal_signal(&state);
    EXPECT(!signal.ops->wait(signal.self, 0U));
    signal.ops->notify(signal.self);
    EXPECT(signal.ops->wait(signal.self, METE_SIGNAL_FOREVER));
    EXPECT(!signal.ops->wait(signal.self, 0U) && !is_masked());
}

static void test_a_wait_ends_when_its_time_has_passed(void)
{
    mete_bare_metal_signal_t state = {false};
    const mete_signal_t signal = mete_bare_metal_signal(&state);
    const uint32_t start = mete_clock_ms();
    EXPECT(!signal.ops->wait(signal.self, 4U));
    EXPECT((mete_clock_ms() - start >= 4U) && !is_masked());
}

int main(void)
{
    RUN(test_a_critical_section_nests);
    RUN(test_the_lock_masks_until_its_last_leave);
    RUN(test_the_lock_leaves_interrupts_masked_if_they_were);
    RUN(test_the_clock_advances_once_started);
    RUN(test_a_signal_stays_set_until_it_is_waited_for);
    RUN(test_a_wait_ends_when_its_time_has_passed);
    return tap_finish();
}
