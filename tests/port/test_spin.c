// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Threads stand for cores. Masking interrupts is counted for each, for that is a core's own affair.

#include <stdint.h>

// In place of the platform's, wherever spin.c names them.
#define mete_critical_enter mask
#define mete_critical_leave unmask
#include "port/os/spin.c"

#include "tests/support/tap.h"

#include <pthread.h>

enum { CORE_COUNT = 2, ROUNDS = 300 };

static _Thread_local size_t depth;
static _Thread_local uintptr_t mask_calls;
static mete_spin_t spin;
static volatile size_t counter;  // Not atomic: without exclusion, increments get lost.
static size_t wrong_masks;       // Written by the holder alone.

uintptr_t mask(void)
{
    depth++;
    mask_calls++;
    return (uintptr_t)&depth + mask_calls;
}

void unmask(uintptr_t state)
{
    depth -= (state == (uintptr_t)&depth + mask_calls) ? 1U : 0U;
}

static void *count(void *self)
{
    const mete_lock_t lock = mete_spin_lock(&spin);
    for (size_t i = 0U; i < ROUNDS; i++) {
        lock.ops->enter(lock.self);
        counter++;
        wrong_masks += (depth == 1U) ? 0U : 1U;
        lock.ops->leave(lock.self);
    }
    *(size_t *)self = depth;
    return NULL;
}

static void test_the_lock_excludes_cores_and_each_is_unmasked_as_it_was(void)
{
    pthread_t cores[CORE_COUNT];
    size_t depths[CORE_COUNT] = {0U};
    for (size_t i = 0U; i < CORE_COUNT; i++) {
        EXPECT(pthread_create(&cores[i], NULL, count, &depths[i]) == 0);
    }
    for (size_t i = 0U; i < CORE_COUNT; i++) {
        EXPECT(pthread_join(cores[i], NULL) == 0);
        EXPECT(depths[i] == 0U);
    }
    EXPECT((counter == (size_t)CORE_COUNT * ROUNDS) && (wrong_masks == 0U));
}

static void test_tickets_wrap(void)
{
    spin = (mete_spin_t){UINT32_MAX, UINT32_MAX, 0U};
    const mete_lock_t lock = mete_spin_lock(&spin);
    for (size_t i = 0U; i < 3U; i++) {
        lock.ops->enter(lock.self);
        lock.ops->leave(lock.self);
    }
    EXPECT((spin.next_ticket == 2U) && (spin.now_serving == 2U) && (depth == 0U));
}

static void test_a_core_waits_until_its_ticket_is_called(void)
{
    spin = (mete_spin_t){0U, 0U, 0U};
    const mete_lock_t lock = mete_spin_lock(&spin);
    lock.ops->enter(lock.self);
    EXPECT((spin.next_ticket == 1U) && (spin.now_serving == 0U) && (depth == 1U));
    lock.ops->leave(lock.self);
    EXPECT((spin.now_serving == 1U) && (depth == 0U));
}

int main(void)
{
    RUN(test_the_lock_excludes_cores_and_each_is_unmasked_as_it_was);
    RUN(test_tickets_wrap);
    RUN(test_a_core_waits_until_its_ticket_is_called);
    return tap_finish();
}
