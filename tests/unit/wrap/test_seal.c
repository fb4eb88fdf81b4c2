// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/seal.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static inner_t inner;
static mete_seal_t seal;
static mete_seal_config_t config;
static mete_alloc_t view;
static mete_event_t heard;
static size_t heard_count;

static void hear(void *self, const mete_event_t *event)
{
    (void)self;
    heard = *event;
    heard_count++;
}

static void setup(bool allows_release)
{
    config = (mete_seal_config_t){allows_release, NULL, {hear, NULL}};
    heard_count = 0U;
    EXPECT(mete_seal_init(&seal, inner_setup(&inner, INNER_ALL), &config));
    view = mete_seal_as_alloc(&seal);
}

// That the last call came too late, and everybody was told so.
static void expect_refused(const void *block, size_t size, uint32_t refusals)
{
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (tap_fault_object == &seal));
    EXPECT((tap_fault_address == block) && (heard_count == refusals));
    EXPECT((heard.kind == METE_EVENT_REFUSE) && (heard.source == &seal));
    EXPECT((heard.block == block) && (heard.size == size) && (heard.caller != NULL));
    EXPECT(mete_seal_refusals(&seal) == refusals);
}

static void test_init_refuses_a_missing_allocator_or_config(void)
{
    setup(false);
    mete_seal_close(&seal);
    EXPECT(!mete_seal_init(&seal, (mete_alloc_t){NULL, NULL}, &config));
    EXPECT(!mete_seal_init(&seal, view, NULL) && mete_seal_is_closed(&seal));
}

static void test_an_open_seal_lets_everything_through(void)
{
    setup(false);
    void *const block = mete_acquire(view, 40U, 8U);
    EXPECT((block != NULL) && mete_resize(view, block, 40U, 60U, 8U));
    EXPECT(mete_resize(view, block, 60U, 20U, 8U) && !mete_seal_is_closed(&seal));
    mete_release(view, block, 20U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
    EXPECT((heard_count == 0U) && (mete_seal_refusals(&seal) == 0U));
}

static void test_a_closed_seal_refuses_and_reports_acquires(void)
{
    setup(true);
    mete_seal_close(&seal);
    mete_seal_close(&seal);
    EXPECT(mete_seal_is_closed(&seal));
    EXPECT(mete_acquire(view, 40U, 8U) == NULL);
    expect_refused(NULL, 40U, 1U);
    EXPECT(mete_acquire(view, 41U, 8U) == NULL);
    expect_refused(NULL, 41U, 2U);
    EXPECT(inner.calls == 0U);
}

static void test_a_closed_seal_refuses_to_grow(void)
{
    setup(true);
    void *const block = mete_acquire(view, 40U, 8U);
    mete_seal_close(&seal);
    EXPECT(!mete_resize(view, block, 40U, 41U, 8U));
    expect_refused(block, 41U, 1U);
    EXPECT((inner.calls == 1U) && mete_resize(view, block, 40U, 40U, 8U));
    EXPECT(heard_count == 1U);
}

static void test_a_closed_seal_refuses_to_give_back(void)
{
    setup(false);
    void *const block = mete_acquire(view, 40U, 8U);
    mete_seal_close(&seal);
    mete_release(view, block, 40U, 8U);
    expect_refused(block, 40U, 1U);
    EXPECT(!mete_resize(view, block, 40U, 30U, 8U));
    expect_refused(block, 30U, 2U);
    EXPECT((inner.calls == 1U) && mete_resize(view, block, 40U, 40U, 8U));
}

static void test_unless_the_config_allows_it(void)
{
    setup(true);
    void *const block = mete_acquire(view, 40U, 8U);
    mete_seal_close(&seal);
    EXPECT(mete_resize(view, block, 40U, 30U, 8U));
    mete_release(view, block, 30U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U) && (heard_count == 0U));
}

static void test_the_event_names_the_program(void)
{
    static mete_site_t site = {&config};
    setup(false);
    config.site = &site;
    mete_seal_close(&seal);
    EXPECT((mete_acquire(view, 1U, 1U) == NULL) && (heard.caller == &config));
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
}

static void test_whatever_overwrites_the_state_closes_the_seal(void)
{
    for (size_t bit = 0U; bit < 32U; bit++) {
        setup(false);
        seal.state ^= 1U << bit;
        EXPECT(mete_seal_is_closed(&seal) && (mete_acquire(view, 8U, 8U) == NULL));
        EXPECT(tap_take_fault() == METE_FAULT_ORDER);
        mete_seal_close(&seal);
        seal.state ^= 1U << bit;
        EXPECT(mete_seal_is_closed(&seal));
    }
}

static void test_the_count_of_refusals_stops(void)
{
    setup(false);
    mete_seal_close(&seal);
    seal.refusals = UINT32_MAX;
    EXPECT((mete_acquire(view, 8U, 8U) == NULL) && (mete_seal_refusals(&seal) == UINT32_MAX));
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        EXPECT(mete_seal_init(&seal, inner_setup(&inner, abilities), &config));
        inner_expect_same_abilities(mete_seal_as_alloc(&seal), abilities);
    }
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator_or_config);
    RUN(test_an_open_seal_lets_everything_through);
    RUN(test_a_closed_seal_refuses_and_reports_acquires);
    RUN(test_a_closed_seal_refuses_to_grow);
    RUN(test_a_closed_seal_refuses_to_give_back);
    RUN(test_unless_the_config_allows_it);
    RUN(test_the_event_names_the_program);
    RUN(test_whatever_overwrites_the_state_closes_the_seal);
    RUN(test_the_count_of_refusals_stops);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    return tap_finish();
}
