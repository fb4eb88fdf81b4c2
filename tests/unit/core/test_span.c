// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/span.h"

#include "tests/support/tap.h"

static unsigned char bytes[16];

static void test_has_every_byte_and_no_other(void)
{
    const mete_span_t span = {&bytes[3], 7U};
    for (size_t i = 0U; i < sizeof bytes; i++) {
        EXPECT(mete_span_has(span, &bytes[i]) == ((i >= 3U) && (i < 10U)));
    }
    EXPECT(!mete_span_has(span, NULL) && !mete_span_has(span, (void *)UINTPTR_MAX));
}

static void test_an_empty_span_has_nothing(void)
{
    const mete_span_t span = {&bytes[3], 0U};
    for (size_t i = 0U; i < sizeof bytes; i++) {
        EXPECT(!mete_span_has(span, &bytes[i]));
    }
    EXPECT(mete_span_is_legal(span));
}

static void test_a_span_may_reach_the_last_address_but_not_past_it(void)
{
    mete_span_t span = {(void *)(UINTPTR_MAX - 7U), 7U};
    EXPECT(mete_span_is_legal(span) && mete_span_has(span, (void *)(UINTPTR_MAX - 1U)));
    EXPECT(!mete_span_has(span, (void *)UINTPTR_MAX));
    span.size = 8U;
    EXPECT(!mete_span_is_legal(span));
    span.size = SIZE_MAX;
    EXPECT(!mete_span_is_legal(span));
}

static void test_null_is_not_legal(void)
{
    const mete_span_t span = {NULL, 16U};
    EXPECT(!mete_span_is_legal(span));
}

int main(void)
{
    RUN(test_has_every_byte_and_no_other);
    RUN(test_an_empty_span_has_nothing);
    RUN(test_a_span_may_reach_the_last_address_but_not_past_it);
    RUN(test_null_is_not_legal);
    return tap_finish();
}
