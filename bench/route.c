// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a route adds: requests that the first member serves, the second after one was asked, the third
// after two; and one where a member without the attributes comes first. What members take that refuse is
// counted apart: it is theirs.

#include "mete/alloc/route.h"
#include "bench/view.h"

enum { MEMBER_COUNT = 3 };

static flat_t flat;
static mete_route_hop_t hops[MEMBER_COUNT + 1];
static mete_route_t route;
static mete_route_config_t config;

// Members that are asked in vain. Their regions are those of nobody.
static unsigned char elsewhere[MEMBER_COUNT];

void *acquire_none(void *self, size_t size, size_t align);
__attribute__((noinline)) void *acquire_none(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    return NULL;
}

PROBE(acquire_none);
void *probe_acquire_none(void *self, size_t size, size_t align);

static bool owns_none(const void *self, const void *address)
{
    (void)self, (void)address;
    return false;
}

// The flat allocator behind `passed` members that have nothing.
static mete_alloc_t route_of(size_t passed, uint32_t required, bool is_known)
{
    static const mete_alloc_ops_t none = {.acquire = acquire_none, .owns = owns_none};
    mete_route_member_t members[MEMBER_COUNT];
    for (size_t i = 0U; i < passed; i++) {
        members[i] = (mete_route_member_t){{&none, NULL}, {{&elsewhere[i], 1U}, METE_REGION_FAST}};
    }
    members[passed] = (mete_route_member_t){
        flat_init(&flat), {{flat.blocks, is_known ? sizeof flat.blocks : 0U}, METE_REGION_DMA}};
    config = (mete_route_config_t){hops, MEMBER_COUNT + 1, required};
    (void)mete_route_init(&route, members, passed + 1U, &config);
    return mete_route_as_alloc(&route);
}

int main(void)
{
    work_view("bare", flat_init(&flat));
    work_view("first", route_of(0U, 0U, true));
    (void)probe_acquire_none(NULL, VIEW_SIZE, VIEW_ALIGN);
    work_view("second", route_of(1U, 0U, true));
    work_view("third", route_of(2U, 0U, true));
    work_view("unfit", route_of(2U, METE_REGION_DMA, true));
    work_view("asked", route_of(0U, 0U, false));
    return 0;
}
