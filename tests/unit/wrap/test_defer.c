// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What an interrupt may do at any moment is done here between any two calls, and in the middle of one:
// when a critical section ends.

#include <stdint.h>

// In place of the platform's, wherever defer.c names them.
#define mete_critical_enter enter_section
#define mete_critical_leave leave_section
#include "mete/wrap/defer.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static size_t depth;
static void (*at_next_leave)(void);  // The interrupt that is pending while they are masked.

uintptr_t enter_section(void)
{
    depth++;
    return depth;
}

void leave_section(uintptr_t state)
{
    EXPECT(state == depth);
    depth--;
    void (*const interrupt)(void) = at_next_leave;
    if ((depth == 0U) && (interrupt != NULL)) {
        at_next_leave = NULL;
        interrupt();
    }
}

static inner_t inner;
static mete_defer_t defer;
static mete_defer_config_t config;
static mete_alloc_t tasks;
static mete_alloc_t interrupts;
static size_t woken;

static void wake(void *self)
{
    *(size_t *)self += 1U;
    EXPECT(depth == 0U);
}

static void setup(size_t drain_max)
{
    config = (mete_defer_config_t){drain_max, wake, &woken};
    woken = 0U;
    depth = 0U;
    at_next_leave = NULL;
    EXPECT(mete_defer_init(&defer, inner_setup(&inner, INNER_ALL), &config));
    tasks = mete_defer_as_alloc(&defer);
    interrupts = mete_defer_as_alloc_for_interrupts(&defer);
}

static void *take(size_t size)
{
    void *const block = mete_acquire(tasks, size, 8U);
    EXPECT(block != NULL);
    return block;
}

static void test_init_refuses_what_it_cannot_work_with(void)
{
    const mete_alloc_t view = inner_setup(&inner, INNER_ALL);
    config = (mete_defer_config_t){0U, NULL, NULL};
    defer.config = NULL;
    EXPECT(!mete_defer_init(&defer, view, &config));
    config.drain_max = 1U;
    EXPECT(!mete_defer_init(&defer, view, NULL));
    EXPECT(!mete_defer_init(&defer, (mete_alloc_t){NULL, NULL}, &config));
    EXPECT(defer.config == NULL);  // Nothing changed.
    EXPECT(mete_defer_init(&defer, view, &config));
}

static void test_a_release_by_an_interrupt_reaches_the_allocator_with_the_next_call_of_a_task(void)
{
    setup(4U);
    void *const a = take(100U);
    void *const b = take(100U);
    const size_t calls = inner.calls;
    mete_release(interrupts, a, 100U, 8U);
    EXPECT((inner.calls == calls) && (inner_live_count(&inner) == 2U));
    mete_release(tasks, b, 100U, 8U);
    EXPECT((inner_live_count(&inner) == 0U) && (inner.complaints == 0U));
}

static void test_every_kind_of_call_hands_back(void)
{
    setup(4U);
    void *const kept = take(100U);
    mete_release(interrupts, take(100U), 100U, 8U);
    void *const another = take(8U);
    EXPECT(inner_live_count(&inner) == 2U);
    mete_release(interrupts, another, 8U, 8U);
    EXPECT(mete_resize(tasks, kept, 100U, 90U, 8U) && (inner_live_count(&inner) == 1U));
    EXPECT(inner.complaints == 0U);
}

static void test_one_call_hands_back_no_more_than_drain_max(void)
{
    setup(2U);
    void *blocks[7];
    for (size_t i = 0U; i < 7U; i++) {
        blocks[i] = take(50U);
    }
    for (size_t i = 0U; i < 6U; i++) {
        mete_release(interrupts, blocks[i], 50U, 8U);
    }
    EXPECT(mete_resize(tasks, blocks[6], 50U, 50U, 8U) && (inner_live_count(&inner) == 5U));
    void *const more = take(50U);
    EXPECT(inner_live_count(&inner) == 4U);
    mete_release(tasks, more, 50U, 8U);
    EXPECT((inner_live_count(&inner) == 1U) && (inner.complaints == 0U));
}

static void test_an_acquire_is_not_refused_while_blocks_wait_to_be_handed_back(void)
{
    setup(1U);
    const size_t size = INNER_SIZE / INNER_BLOCK_COUNT - 8U;
    void *blocks[INNER_BLOCK_COUNT];
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        blocks[i] = take(size);
    }
    EXPECT(mete_acquire(tasks, 8U, 8U) == NULL);
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        mete_release(interrupts, blocks[i], size, 8U);
    }
    EXPECT(mete_acquire(tasks, INNER_SIZE - 8U, 8U) != NULL);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 1U));
}

static void test_small_blocks_have_room_for_the_link(void)
{
    setup(4U);
    void *const small = mete_acquire(tasks, 1U, 1U);
    EXPECT(inner.blocks[0].size == METE_DEFER_SIZE_MIN);
    EXPECT(inner.blocks[0].align == _Alignof(mete_defer_record_t));
    EXPECT(mete_resize(tasks, small, 1U, 3U, 1U));
    mete_release(interrupts, small, 3U, 1U);
    mete_release(tasks, take(METE_DEFER_SIZE_MIN + 1U), METE_DEFER_SIZE_MIN + 1U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_the_interrupts_view_refuses_to_hand_out(void)
{
    setup(4U);
    EXPECT(mete_acquire(interrupts, 8U, 8U) == NULL);
    EXPECT((inner.calls == 0U) && (interrupts.ops->resize == NULL));
}

static void test_each_release_by_an_interrupt_wakes_whoever_is_named(void)
{
    setup(4U);
    void *const a = take(20U);
    mete_release(interrupts, a, 20U, 8U);
    EXPECT(woken == 1U);
    mete_release(interrupts, a, 20U, 8U);  // Refused.
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (woken == 1U));
    setup(4U);
    config.wake = NULL;
    mete_release(interrupts, take(20U), 20U, 8U);
    EXPECT(woken == 0U);
}

static void *by_interrupt;

static void release_by_interrupt(void)
{
    mete_release(interrupts, by_interrupt, 30U, 8U);
}

static void test_an_interrupt_in_the_middle_of_handing_back_loses_nothing(void)
{
    setup(4U);
    void *const a = take(30U);
    void *const b = take(30U);
    by_interrupt = take(30U);
    mete_release(interrupts, a, 30U, 8U);
    mete_release(interrupts, b, 30U, 8U);
    at_next_leave = release_by_interrupt;
    void *const c = take(30U);
    EXPECT((at_next_leave == NULL) && (inner_live_count(&inner) == 1U));
    mete_release(tasks, c, 30U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_an_interrupt_between_push_and_return_loses_nothing(void)
{
    setup(8U);
    void *const a = take(30U);
    by_interrupt = take(30U);
    at_next_leave = release_by_interrupt;
    mete_release(interrupts, a, 30U, 8U);
    EXPECT((at_next_leave == NULL) && (woken == 2U));
    mete_release(tasks, take(30U), 30U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_a_second_release_of_the_same_block_is_refused(void)
{
    setup(4U);
    void *const a = take(30U);
    void *const b = take(30U);
    mete_release(interrupts, a, 30U, 8U);
    mete_release(interrupts, b, 30U, 8U);
    mete_release(interrupts, a, 30U, 8U);
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (tap_fault_address == a));
    EXPECT(tap_fault_object == &defer);
    mete_release(tasks, take(30U), 30U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_a_block_may_be_released_again_once_it_was_handed_out_again(void)
{
    setup(4U);
    void *const a = take(30U);
    mete_release(interrupts, a, 30U, 8U);
    void *const again = take(30U);
    EXPECT(again == a);
    mete_release(interrupts, again, 30U, 8U);
    EXPECT(tap_take_fault() == 0);
}

// What the last init's list has left in memory, each where a block will start again.
static void test_a_fresh_block_does_not_look_released_after_another_init(void)
{
    setup(4U);
    void *const old[] = {take(30U), take(30U), take(30U)};
    for (size_t i = 0U; i < 3U; i++) {
        mete_release(interrupts, old[i], 30U, 8U);
    }
    setup(4U);
    for (size_t i = 0U; i < 3U; i++) {
        EXPECT(take(30U) == old[i]);
    }
    for (size_t i = 0U; i < 3U; i++) {
        mete_release(interrupts, old[i], 30U, 8U);
        EXPECT(tap_take_fault() == 0);
    }
    mete_release(tasks, take(30U), 30U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_an_address_where_no_block_starts_is_refused(void)
{
    setup(4U);
    unsigned char *const a = take(60U);
    mete_release(interrupts, a + 1, 30U, 1U);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (defer.first == 0U) && (woken == 0U));
    mete_release(interrupts, a + 8, 30U, 64U);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (defer.first == 0U));
}

// Each bit of a record that waits, spoilt: no call of a task may follow it or have an effect.
static void test_a_record_that_was_written_to_is_reported_and_not_followed(void)
{
    for (size_t bit = 0U; bit < 8U * sizeof(mete_defer_record_t); bit++) {
        setup(4U);
        void *const kept = take(40U);
        unsigned char *const bytes = take(sizeof(mete_defer_record_t));
        mete_release(interrupts, bytes, sizeof(mete_defer_record_t), 8U);
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        const size_t calls = inner.calls;
        EXPECT(mete_acquire(tasks, 10U, 8U) == NULL);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == bytes));
        mete_release(tasks, kept, 40U, 8U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        EXPECT(!mete_resize(tasks, kept, 40U, 30U, 8U));
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (inner.calls == calls));
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));  // Nothing was changed meanwhile.
        mete_release(tasks, kept, 40U, 8U);
        EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
    }
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_defer_init(&defer, inner_setup(&inner, abilities), &config));
        inner_expect_same_abilities(mete_defer_as_alloc(&defer), abilities);
    }
}

// Random work of a task and of interrupts that come at random: in the end nothing is missing.
static void test_random_work_loses_nothing(void)
{
    setup(3U);
    void *held[12] = {NULL};
    size_t sizes[12] = {0U};
    uint32_t seed = 7U;
    for (size_t i = 0U; i < 4000U; i++) {
        const size_t which = random_below(&seed, 12U);
        if (held[which] == NULL) {
            sizes[which] = 1U + random_below(&seed, 200U);
            held[which] = mete_acquire(tasks, sizes[which], 4U);
            EXPECT(held[which] != NULL);
            continue;
        }
        mete_words_fill(held[which], (uint8_t)i, sizes[which]);
        mete_release((random_below(&seed, 2U) == 0U) ? tasks : interrupts, held[which],
                     sizes[which], 4U);
        held[which] = NULL;
    }
    for (size_t i = 0U; i < 12U; i++) {
        mete_release(interrupts, held[i], sizes[i], 4U);
    }
    void *const last = take(8U);  // Hands back three at a time.
    for (size_t i = 0U; i < 12U; i++) {
        EXPECT(mete_resize(tasks, last, 8U, 8U, 8U));
    }
    mete_release(tasks, last, 8U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
    EXPECT(tap_take_fault() == 0);
}

int main(void)
{
    RUN(test_init_refuses_what_it_cannot_work_with);
    RUN(test_a_release_by_an_interrupt_reaches_the_allocator_with_the_next_call_of_a_task);
    RUN(test_every_kind_of_call_hands_back);
    RUN(test_one_call_hands_back_no_more_than_drain_max);
    RUN(test_an_acquire_is_not_refused_while_blocks_wait_to_be_handed_back);
    RUN(test_small_blocks_have_room_for_the_link);
    RUN(test_the_interrupts_view_refuses_to_hand_out);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_each_release_by_an_interrupt_wakes_whoever_is_named);
        RUN(test_a_second_release_of_the_same_block_is_refused);
        RUN(test_an_address_where_no_block_starts_is_refused);
        RUN(test_a_record_that_was_written_to_is_reported_and_not_followed);
    }
    RUN(test_a_block_may_be_released_again_once_it_was_handed_out_again);
    RUN(test_a_fresh_block_does_not_look_released_after_another_init);
    RUN(test_an_interrupt_in_the_middle_of_handing_back_loses_nothing);
    RUN(test_an_interrupt_between_push_and_return_loses_nothing);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    RUN(test_random_work_loses_nothing);
    return tap_finish();
}
