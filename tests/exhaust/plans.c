// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/exhaust/plans.h"

#include "tests/exhaust/subjects.h"

const exhaust_plan_t exhaust_plans[] = {
    {&exhaust_pool, 7U, 9U, "pool"},
    {&exhaust_arena, 3U, 11U, "arena"},
    {&exhaust_heap_quick, 8U, 14U, "heap"},
    {&exhaust_heap_close, 8U, 14U, "heap"},
    {&exhaust_heap_quick, 24U, 40U, "heap.coarse"},
    {&exhaust_heap_close, 24U, 40U, "heap.coarse"},
    {&exhaust_heap_wide_quick, 10U, 17U, "heap_wide"},
    {&exhaust_heap_wide_close, 10U, 17U, "heap_wide"},
    {&exhaust_list, 8U, 16U, "list"},
    {&exhaust_list_limited, 8U, 16U, "list"},
    {&exhaust_buddy, 9U, 18U, "buddy"},
    {&exhaust_movable, 5U, 9U, "movable"},
    {&exhaust_movable_resting, 5U, 9U, "movable"},
    {&exhaust_partition_by_priority, 2U, 5U, "partition"},
    {&exhaust_partition_in_order, 2U, 5U, "partition"},
    {&exhaust_object_plain, 2U, 4U, "object"},
    {&exhaust_object_made, 2U, 4U, "object"},
    {&exhaust_ref, 2U, 3U, "ref"},
    {&exhaust_ref_full, 1U, 2U, "ref.full"},
    {&exhaust_atomic_ref, 2U, 3U, "atomic_ref"},
    {&exhaust_atomic_ref_full, 1U, 2U, "atomic_ref.full"},
    {&exhaust_cache_same, 4U, 7U, "cache"},
    {&exhaust_cache_near, 3U, 6U, "cache"},
    {&exhaust_cache_coming_back, 4U, 7U, "cache"},
    {&exhaust_cache_pinless, 4U, 7U, "cache"},
    {&exhaust_evacuation, 1U, 2U, "evacuation"},
    {&exhaust_evacuation_shut, 2U, 4U, "evacuation"},
    {&exhaust_buffer, 9U, 15U, "buffer"},
    {&exhaust_buffer_plain, 30U, 56U, "buffer.alone"},
    {&exhaust_buffer_moving, 50U, 112U, "buffer.alone"},
    {&exhaust_netbuf, 2U, 4U, "netbuf"},
    {&exhaust_netbuf_bytes, 2U, 3U, "netbuf"},
};
const size_t exhaust_plan_count = sizeof exhaust_plans / sizeof exhaust_plans[0];
