// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two heaps behind a route, held to the interface: with their regions known to it, and without.

#include "mete/alloc/heap.h"
#include "mete/alloc/route.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

enum { HALF = SUITE_ARENA_SIZE / 2 };

static mete_heap_config_t heap_configs[2];
static mete_heap_t *heaps[2];
METE_ROUTE_DEFINE(route, 2, METE_REGION_DMA);

static mete_alloc_t make(mete_span_t arena, bool are_known)
{
    mete_route_member_t members[2];
    for (size_t i = 0U; i < 2U; i++) {
        const mete_span_t half = {(unsigned char *)arena.start + (i * HALF), HALF};
        heap_configs[i] = (mete_heap_config_t){.storage = half, .search = 2U};
        heaps[i] = mete_heap_init(&heap_configs[i]);
        members[i].alloc = mete_heap_as_alloc(heaps[i]);
        members[i].region.span = are_known ? half : (mete_span_t){NULL, 0U};
        members[i].region.attributes = METE_REGION_DMA;
    }
    (void)mete_route_init(&route, members, 2U, &route_config);
    return mete_route_as_alloc(&route);
}

static mete_alloc_t make_known(mete_span_t arena)
{
    return make(arena, true);
}

static mete_alloc_t make_unknown(mete_span_t arena)
{
    return make(arena, false);
}

static bool check(void)
{
    return mete_route_check(&route) && mete_heap_check(heaps[0]) && mete_heap_check(heaps[1]);
}

#define SIZE_MAX_OF_BLOCK (HALF - sizeof(mete_heap_t) - 32U)

static const suite_subject_t known = {
    .name = "route of two heaps",
    .make = make_known,
    .check = check,
    .size_max = SIZE_MAX_OF_BLOCK,
    .align_max = SUITE_ALIGN_MAX / 2U,
    .traits = SUITE_ALL & ~(unsigned)SUITE_EXACT_STARTS,
};

static const suite_subject_t unknown = {
    .name = "route that must ask",
    .make = make_unknown,
    .check = check,
    .size_max = SIZE_MAX_OF_BLOCK,
    .align_max = SUITE_ALIGN_MAX / 2U,
    .traits = SUITE_ALL & ~(unsigned)SUITE_EXACT_STARTS,
};

int main(void)
{
    suite_test(&known);
    suite_test(&unknown);
    return tap_finish();
}
