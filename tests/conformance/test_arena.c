// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The arena, held to the interface: it takes back only the block handed out last.

#include "mete/alloc/arena.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

static mete_arena_t arena_of_test;

static mete_alloc_t make(mete_span_t arena)
{
    (void)mete_arena_init(&arena_of_test, arena);
    return mete_arena_as_alloc(&arena_of_test);
}

static bool check(void)
{
    return mete_arena_check(&arena_of_test);
}

static const suite_subject_t subject = {
    .name = "arena",
    .make = make,
    .check = check,
    .size_max = SUITE_ARENA_SIZE,
    .align_max = SUITE_ALIGN_MAX,
    .traits = SUITE_MIXED | SUITE_REUSES_LAST | SUITE_COALESCES | SUITE_RESIZES | SUITE_SEAMLESS |
              SUITE_OWNS | SUITE_SIZE_ABOVE | SUITE_ALIGN | SUITE_FOREIGN,
};

int main(void)
{
    suite_test(&subject);
    return tap_finish();
}
