// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The list, held to the interface: with no limit to its search, and with one that is never reached.

#include "mete/alloc/list.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

static mete_list_t *list;

static mete_alloc_t make(mete_span_t arena, size_t search)
{
    const mete_list_config_t config = {arena, search};
    list = mete_list_init(&config);
    return mete_list_as_alloc(list);
}

static mete_alloc_t make_unlimited(mete_span_t arena)
{
    return make(arena, 0U);
}

static mete_alloc_t make_limited(mete_span_t arena)
{
    return make(arena, 1000U);
}

static bool check(void)
{
    return mete_list_check(list);
}

// The control block, the first header and what is lost to alignment are taken from the arena.
#define SIZE_MAX_OF_BLOCK (SUITE_ARENA_SIZE - sizeof(mete_list_t) - (3U * sizeof(uintptr_t)))

static const suite_subject_t subjects[] = {
    {"list", make_unlimited, check, SIZE_MAX_OF_BLOCK, SUITE_ALIGN_MAX, SUITE_ALL, NULL},
    {"list, limit 1000", make_limited, check, SIZE_MAX_OF_BLOCK, SUITE_ALIGN_MAX, SUITE_ALL, NULL},
};

int main(void)
{
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        suite_test(&subjects[i]);
    }
    return tap_finish();
}
