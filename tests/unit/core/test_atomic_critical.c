// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A change in the critical form is one critical section, which is left again with the state that
// entering it gave, and nothing happens outside of it.

#include "mete/core/atomic_critical.h"

#include "tests/support/tap.h"

enum { STATE = 0x5A };

static size_t word;
static size_t enter_count, leave_count, value_at_enter, value_at_leave;

uintptr_t mete_critical_enter(void)
{
    enter_count++;
    value_at_enter = word;
    return STATE;
}

void mete_critical_leave(uintptr_t state)
{
    EXPECT(state == STATE);
    leave_count++;
    value_at_leave = word;
}

static void expect_one_section(size_t before, size_t after)
{
    EXPECT((enter_count == 1U) && (leave_count == 1U));
    EXPECT((value_at_enter == before) && (value_at_leave == after) && (word == after));
    enter_count = 0U;
    leave_count = 0U;
}

static void test_a_change_is_one_critical_section(void)
{
    word = 3U;
    EXPECT(mete_atomic_critical_replace(&word, 3U, 4U));
    expect_one_section(3U, 4U);
    EXPECT(!mete_atomic_critical_replace(&word, 3U, 5U));
    expect_one_section(4U, 4U);
    EXPECT(mete_atomic_critical_add(&word, SIZE_MAX) == 3U);
    expect_one_section(4U, 3U);
}

static void test_load_and_store_mask_nothing(void)
{
    mete_atomic_critical_store(&word, 9U);
    EXPECT((mete_atomic_critical_load(&word) == 9U) && (enter_count == 0U));
}

int main(void)
{
    RUN(test_a_change_is_one_critical_section);
    RUN(test_load_and_store_mask_nothing);
    return tap_finish();
}
