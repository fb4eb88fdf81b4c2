// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A program with every allocator of Mete, as a user of `mete bound` might have it. It is linked, and never run.

#include "mete/alloc/arena.h"
#include "mete/alloc/atomic_pool.h"
#include "mete/alloc/buddy.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/heap_wide.h"
#include "mete/alloc/list.h"
#include "mete/alloc/movable.h"
#include "mete/alloc/pool.h"
#include "mete/alloc/slab.h"

METE_HEAP_DEFINE(heap, 4096);
METE_HEAP_WIDE_DEFINE(wide, 4096);
METE_LIST_DEFINE(list, 4096);
METE_ARENA_DEFINE(arena, 1024);

mete_pool_t pool;
mete_atomic_pool_t atomic_pool;
mete_slab_t slab;
mete_buddy_t buddy;
mete_movable_t movable;
mete_alloc_t views[8];

int main(void)
{
    views[0] = mete_heap_as_alloc(mete_heap_init(&heap_config));
    views[1] = mete_heap_wide_as_alloc(mete_heap_wide_init(&wide_config));
    views[2] = mete_list_as_alloc(mete_list_init(&list_config));
    views[3] = mete_arena_as_alloc(&arena);
    views[4] = mete_pool_as_alloc(&pool);
    views[5] = mete_atomic_pool_as_alloc(&atomic_pool);
    views[6] = mete_slab_as_alloc(&slab);
    views[7] = mete_buddy_as_alloc(&buddy);
    mete_movable_free(&movable, mete_movable_alloc(&movable, 8U));
    return 0;
}

uint32_t mete_clock_ms(void);
uint32_t mete_clock_ms(void)
{
    return 0U;
}
uintptr_t mete_critical_enter(void);
uintptr_t mete_critical_enter(void)
{
    return 0U;
}
void mete_critical_leave(uintptr_t state);
void mete_critical_leave(uintptr_t state)
{
    (void)state;
}
