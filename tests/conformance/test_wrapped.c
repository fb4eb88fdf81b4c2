// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Wrappers, held to the interface: in front of one they must behave as an allocator does, alone and
// in a chain.

#include "mete/alloc/arena.h"
#include "mete/alloc/atomic_pool.h"
#include "mete/alloc/buddy.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/list.h"
#include "mete/alloc/pool.h"
#include "mete/alloc/route.h"
#include "mete/alloc/slab.h"
#include "mete/alloc/tier.h"
#include "mete/system/health_sources.h"
#include "mete/wrap/critical.h"
#include "mete/wrap/defer.h"
#include "mete/wrap/dma.h"
#include "mete/wrap/fail.h"
#include "mete/wrap/guard.h"
#include "mete/wrap/lock.h"
#include "mete/wrap/quota.h"
#include "mete/wrap/scrub.h"
#include "mete/wrap/seal.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/timing.h"
#include "mete/wrap/track.h"
#include "mete/wrap/wait.h"
#include "tests/conformance/suite.h"
#include "tests/support/tap.h"

// ---- What stands behind

enum { BLOCK_COUNT = 30, BLOCK_SIZE = 128, PER_SLAB = 6, SLAB_MAX = 5 };

static mete_heap_config_t heap_config;
static mete_heap_t *heap;
static mete_list_t *list;
static uint8_t buddy_table[METE_BUDDY_TABLE_SIZE(SUITE_ARENA_SIZE / 16U)];
static mete_buddy_config_t buddy_config;
static mete_buddy_t buddy;
static mete_pool_config_t pool_config;
static uint16_t pool_links[BLOCK_COUNT];
static mete_pool_t pool;
static mete_arena_t arena_behind;
static mete_slab_entry_t slab_table[SLAB_MAX];
static mete_slab_t slab;
static mete_tier_class_t tier_classes[2];
static mete_tier_t tier;

static mete_alloc_t make_heap(mete_span_t arena)
{
    heap_config = (mete_heap_config_t){.storage = arena, .search = 2U};
    heap = mete_heap_init(&heap_config);
    return mete_heap_as_alloc(heap);
}

static mete_alloc_t make_list(mete_span_t arena)
{
    const mete_list_config_t config = {.storage = arena};
    list = mete_list_init(&config);
    return mete_list_as_alloc(list);
}

static mete_alloc_t make_buddy(mete_span_t arena)
{
    buddy_config = (mete_buddy_config_t){arena.start, buddy_table, 16U, arena.size / 16U};
    (void)mete_buddy_init(&buddy, &buddy_config);
    return mete_buddy_as_alloc(&buddy);
}

static mete_alloc_t make_pool(mete_span_t arena)
{
    pool_config = (mete_pool_config_t){arena.start, pool_links, BLOCK_SIZE, BLOCK_COUNT};
    (void)mete_pool_init(&pool, &pool_config);
    return mete_pool_as_alloc(&pool);
}

static mete_atomic_pool_config_t atomic_pool_config;
static size_t atomic_pool_links[BLOCK_COUNT];
static mete_atomic_pool_t atomic_pool;

static mete_alloc_t make_atomic_pool(mete_span_t arena)
{
    atomic_pool_config =
        (mete_atomic_pool_config_t){arena.start, atomic_pool_links, BLOCK_SIZE, BLOCK_COUNT, 3U};
    (void)mete_atomic_pool_init(&atomic_pool, &atomic_pool_config);
    return mete_atomic_pool_as_alloc(&atomic_pool);
}

// Over a heap.
static mete_alloc_t make_slab(mete_span_t arena)
{
    static const mete_slab_config_t config = {BLOCK_SIZE, 64U,  PER_SLAB, SLAB_MAX,
                                              slab_table, NULL, NULL,     NULL};
    (void)mete_slab_init(&slab, make_heap(arena), &config);
    return mete_slab_as_alloc(&slab);
}

enum { TIER_SIZE = 32, TIER_COUNT = 9 };

// A pool and a heap behind a tier, in one arena.
static mete_alloc_t make_tier(mete_span_t arena)
{
    static const size_t sizes[] = {TIER_SIZE};
    static const mete_tier_config_t config = {sizes, NULL, 1U, 0U, 0U, tier_classes};
    unsigned char *const start = arena.start;
    pool_config = (mete_pool_config_t){start, pool_links, TIER_SIZE, TIER_COUNT};
    (void)mete_pool_init(&pool, &pool_config);
    const mete_alloc_t behind = make_heap(
        (mete_span_t){start + (TIER_SIZE * TIER_COUNT), arena.size - (TIER_SIZE * TIER_COUNT)});
    const mete_alloc_t members[] = {mete_pool_as_alloc(&pool)};
    (void)mete_tier_init(&tier, members, behind, &config);
    return mete_tier_as_alloc(&tier);
}

METE_ROUTE_DEFINE(route, 2, 0);

// Two heaps in one arena; the second is the one that check_heap() looks at.
static mete_alloc_t make_route(mete_span_t arena)
{
    static mete_heap_config_t first_config;
    static const size_t half = SUITE_ARENA_SIZE / 2U;
    const mete_span_t spans[] = {{arena.start, half}, {(unsigned char *)arena.start + half, half}};
    first_config = (mete_heap_config_t){.storage = spans[0], .search = 2U};
    const mete_route_member_t members[] = {
        {mete_heap_as_alloc(mete_heap_init(&first_config)), {spans[0], METE_REGION_FAST}},
        {make_heap(spans[1]), {spans[1], METE_REGION_DMA}},
    };
    (void)mete_route_init(&route, members, 2U, &route_config);
    return mete_route_as_alloc(&route);
}

static mete_alloc_t make_arena(mete_span_t arena)
{
    (void)mete_arena_init(&arena_behind, arena);
    return mete_arena_as_alloc(&arena_behind);
}

// ---- The wrappers

static size_t depth;  // Of the lock.
static bool was_unbalanced;

static void enter(void *self)
{
    (void)self;
    was_unbalanced |= (depth != 0U);
    depth++;
}

static void leave(void *self)
{
    (void)self;
    was_unbalanced |= (depth != 1U);
    depth--;
}

static mete_stats_t stats;
static mete_track_t track;
static mete_locked_t locked;
static mete_site_t site;

static mete_alloc_t with_stats(mete_alloc_t inner)
{
    (void)mete_stats_init(&stats, inner, NULL);
    return mete_stats_as_alloc(&stats);
}

static mete_alloc_t with_track(mete_alloc_t inner)
{
    static const mete_track_config_t config = {.site = &site};
    (void)mete_track_init(&track, inner, &config);
    return mete_track_as_alloc(&track);
}

static mete_health_t health;

// It judges every call, finds the heap fragmented most of the time, and can do nothing about it.
static mete_alloc_t with_health(mete_alloc_t inner)
{
    static const mete_health_rule_t rule = {METE_HEALTH_FRAGMENTATION, 2U, 1U, METE_HEALTH_COMPACT,
                                            0U};
    static const mete_health_config_t config = {.rules = &rule, .rule_count = 1U, .interval = 1U};
    static mete_health_source_t source;
    source.read = mete_health_read_heap;
    source.self = heap;
    (void)mete_health_init(&health, inner, &source, 1U, &config);
    return mete_health_as_alloc(&health);
}

static mete_guard_t guard;

static mete_alloc_t with_guard(mete_alloc_t inner)
{
    static const mete_guard_config_t config = {.seed = 20U, .fills_acquired = true};
    (void)mete_guard_init(&guard, inner, &config);
    return mete_guard_as_alloc(&guard);
}

// With a quarantine that holds a tenth of all memory.
static mete_alloc_t with_quarantine(mete_alloc_t inner)
{
    static const mete_guard_config_t config = {.seed = 20U,
                                               .quarantine_size = SUITE_ARENA_SIZE / 10U,
                                               .fills_released = true,
                                               .released_fill = 0xDDU};
    (void)mete_guard_init(&guard, inner, &config);
    return mete_guard_as_alloc(&guard);
}

static mete_critical_t critical;
static mete_defer_t defer;
static mete_wait_t waiting;

static mete_alloc_t with_critical(mete_alloc_t inner)
{
    (void)mete_critical_init(&critical, inner, &site);
    return mete_critical_as_alloc(&critical);
}

static mete_alloc_t with_defer(mete_alloc_t inner)
{
    static const mete_defer_config_t config = {.drain_max = 2U};
    (void)mete_defer_init(&defer, inner, &config);
    return mete_defer_as_alloc(&defer);
}

static mete_alloc_t with_wait(mete_alloc_t inner)
{
    (void)mete_wait_init(&waiting, inner);
    return mete_wait_as_alloc(&waiting);
}

static mete_dma_t dma;
static mete_seal_t seal;
static mete_fail_t fail;
static mete_scrub_t scrub;

enum { LINE_SIZE = 32 };

static mete_alloc_t with_dma(mete_alloc_t inner)
{
    static const mete_dma_config_t config = {.line_size = LINE_SIZE};
    (void)mete_dma_init(&dma, inner, &config);
    return mete_dma_as_alloc(&dma);
}

static mete_alloc_t with_seal(mete_alloc_t inner)
{
    static const mete_seal_config_t config = {.site = &site};
    (void)mete_seal_init(&seal, inner, &config);
    return mete_seal_as_alloc(&seal);
}

static mete_quota_t quota;

// One owner, who may have everything.
static mete_alloc_t with_quota(mete_alloc_t inner)
{
    static const mete_quota_limit_t limit = {.size_max = SIZE_MAX, .count_max = SIZE_MAX};
    static mete_quota_owner_t owner;
    static const mete_quota_config_t config = {.limits = &limit,
                                               .owners = &owner,
                                               .owner_count = 1U,
                                               .capacity_size = SIZE_MAX,
                                               .site = &site};
    (void)mete_quota_init(&quota, inner, &config);
    return mete_quota_as_alloc(&quota);
}

static mete_alloc_t with_fail(mete_alloc_t inner)
{
    static const mete_fail_plan_t plan = {0};
    (void)mete_fail_init(&fail, inner, &plan);
    return mete_fail_as_alloc(&fail);
}

static mete_alloc_t with_scrub(mete_alloc_t inner)
{
    (void)mete_scrub_init(&scrub, inner, 0xEEU);
    return mete_scrub_as_alloc(&scrub);
}

static mete_timing_t timing;

static uint32_t tick(void)
{
    static uint32_t now;
    return ++now;
}

// Refuses what was late: nothing is, with this clock.
static mete_alloc_t with_timing(mete_alloc_t inner)
{
    static const mete_timing_costs_t limits = {100U, 100U, 100U};
    static mete_timing_class_t classes[4];
    static const mete_timing_config_t config = {.clock = tick,
                                                .classes = classes,
                                                .class_count = 4U,
                                                .first_size = 16U,
                                                .limits = &limits,
                                                .limit_count = 1U,
                                                .policy = METE_TIMING_REFUSES_LATE,
                                                .site = &site};
    (void)mete_timing_init(&timing, inner, &config);
    return mete_timing_as_alloc(&timing);
}

static mete_alloc_t with_lock(mete_alloc_t inner)
{
    static const mete_lock_ops_t ops = {enter, leave};
    depth = 0U;
    was_unbalanced = false;
    (void)mete_locked_init(&locked, inner, (mete_lock_t){&ops, NULL}, &site);
    return mete_locked_as_alloc(&locked);
}

// ---- The subjects

static mete_alloc_t make_stats_heap(mete_span_t arena)
{
    return with_stats(make_heap(arena));
}

static mete_alloc_t make_health_heap(mete_span_t arena)
{
    return with_health(make_heap(arena));
}

static mete_alloc_t make_lock_heap(mete_span_t arena)
{
    return with_lock(make_heap(arena));
}

static mete_alloc_t make_track_heap(mete_span_t arena)
{
    return with_track(make_heap(arena));
}

static mete_alloc_t make_track_list(mete_span_t arena)
{
    return with_track(make_list(arena));
}

static mete_alloc_t make_track_buddy(mete_span_t arena)
{
    return with_track(make_buddy(arena));
}

static mete_alloc_t make_stats_buddy(mete_span_t arena)
{
    return with_stats(make_buddy(arena));
}

static mete_alloc_t make_stats_list(mete_span_t arena)
{
    return with_stats(make_list(arena));
}

static mete_alloc_t make_track_pool(mete_span_t arena)
{
    return with_track(make_pool(arena));
}

static mete_alloc_t make_track_arena(mete_span_t arena)
{
    return with_track(make_arena(arena));
}

static mete_alloc_t make_stats_pool(mete_span_t arena)
{
    return with_stats(make_pool(arena));
}

static mete_alloc_t make_critical_heap(mete_span_t arena)
{
    return with_critical(make_heap(arena));
}

static mete_alloc_t make_critical_pool(mete_span_t arena)
{
    return with_critical(make_pool(arena));
}

static mete_alloc_t make_defer_heap(mete_span_t arena)
{
    return with_defer(make_heap(arena));
}

static mete_alloc_t make_defer_pool(mete_span_t arena)
{
    return with_defer(make_pool(arena));
}

static mete_alloc_t make_wait_heap(mete_span_t arena)
{
    return with_wait(make_heap(arena));
}

static mete_alloc_t make_dma_heap(mete_span_t arena)
{
    return with_dma(make_heap(arena));
}

static mete_alloc_t make_dma_pool(mete_span_t arena)
{
    return with_dma(make_pool(arena));
}

static mete_alloc_t make_seal_heap(mete_span_t arena)
{
    return with_seal(make_heap(arena));
}

static mete_alloc_t make_quota_heap(mete_span_t arena)
{
    return with_quota(make_heap(arena));
}

static mete_alloc_t make_quota_pool(mete_span_t arena)
{
    return with_quota(make_pool(arena));
}

static mete_alloc_t make_fail_heap(mete_span_t arena)
{
    return with_fail(make_heap(arena));
}

static mete_alloc_t make_scrub_heap(mete_span_t arena)
{
    return with_scrub(make_heap(arena));
}

static mete_alloc_t make_scrub_pool(mete_span_t arena)
{
    return with_scrub(make_pool(arena));
}

static mete_alloc_t make_timing_heap(mete_span_t arena)
{
    return with_timing(make_heap(arena));
}

static mete_alloc_t make_timing_pool(mete_span_t arena)
{
    return with_timing(make_pool(arena));
}

static mete_alloc_t make_stats_atomic_pool(mete_span_t arena)
{
    return with_stats(make_atomic_pool(arena));
}

static mete_alloc_t make_track_atomic_pool(mete_span_t arena)
{
    return with_track(make_atomic_pool(arena));
}

static mete_alloc_t make_lock_atomic_pool(mete_span_t arena)
{
    return with_lock(make_atomic_pool(arena));
}

static mete_alloc_t make_stats_slab(mete_span_t arena)
{
    return with_stats(make_slab(arena));
}

static mete_alloc_t make_track_slab(mete_span_t arena)
{
    return with_track(make_slab(arena));
}

static mete_alloc_t make_stats_tier(mete_span_t arena)
{
    return with_stats(make_tier(arena));
}

static mete_alloc_t make_track_tier(mete_span_t arena)
{
    return with_track(make_tier(arena));
}

static mete_alloc_t make_stats_route(mete_span_t arena)
{
    return with_stats(make_route(arena));
}

static mete_alloc_t make_track_route(mete_span_t arena)
{
    return with_track(make_route(arena));
}

static mete_alloc_t make_guard_heap(mete_span_t arena)
{
    return with_guard(make_heap(arena));
}

static mete_alloc_t make_guard_list(mete_span_t arena)
{
    return with_guard(make_list(arena));
}

static mete_alloc_t make_guard_buddy(mete_span_t arena)
{
    return with_guard(make_buddy(arena));
}

static mete_alloc_t make_guard_pool(mete_span_t arena)
{
    return with_guard(make_pool(arena));
}

static mete_alloc_t make_guard_atomic_pool(mete_span_t arena)
{
    return with_guard(make_atomic_pool(arena));
}

static mete_alloc_t make_guard_slab(mete_span_t arena)
{
    return with_guard(make_slab(arena));
}

static mete_alloc_t make_guard_tier(mete_span_t arena)
{
    return with_guard(make_tier(arena));
}

static mete_alloc_t make_guard_route(mete_span_t arena)
{
    return with_guard(make_route(arena));
}

static mete_alloc_t make_guard_arena(mete_span_t arena)
{
    return with_guard(make_arena(arena));
}

static mete_alloc_t make_quarantine_heap(mete_span_t arena)
{
    return with_quarantine(make_heap(arena));
}

static mete_alloc_t make_quarantine_pool(mete_span_t arena)
{
    return with_quarantine(make_pool(arena));
}

static mete_alloc_t make_guard_chain(mete_span_t arena)
{
    return with_lock(with_stats(with_quarantine(with_track(make_heap(arena)))));
}

static mete_alloc_t make_track_guard(mete_span_t arena)
{
    return with_track(with_guard(make_heap(arena)));
}

static mete_alloc_t make_chain(mete_span_t arena)
{
    return with_lock(with_stats(with_track(make_heap(arena))));
}

// All of them, in the order that docs/guide/watching.md gives.
static mete_alloc_t make_all(mete_span_t arena)
{
    const mete_alloc_t counted = with_quota(with_fail(with_track(make_heap(arena))));
    const mete_alloc_t shaped = with_stats(with_dma(with_seal(with_scrub(with_guard(counted)))));
    return with_lock(with_wait(with_defer(with_health(with_timing(shaped)))));
}

static bool check_heap(void)
{
    return mete_heap_check(heap);
}

static bool check_health_heap(void)
{
    return mete_heap_check(heap) && mete_health_check(&health);
}

static bool check_lock_heap(void)
{
    return mete_heap_check(heap) && (depth == 0U) && !was_unbalanced;
}

static bool check_track_heap(void)
{
    return mete_heap_check(heap) && mete_track_check(&track);
}

static bool check_list(void)
{
    return mete_list_check(list);
}

static bool check_buddy(void)
{
    return mete_buddy_check(&buddy);
}

static bool check_track_buddy(void)
{
    return mete_buddy_check(&buddy) && mete_track_check(&track);
}

static bool check_track_list(void)
{
    return mete_list_check(list) && mete_track_check(&track);
}

static bool check_track(void)
{
    return mete_track_check(&track);
}

static bool check_pool(void)
{
    return mete_pool_check(&pool);
}

static bool check_atomic_pool(void)
{
    return mete_atomic_pool_check(&atomic_pool);
}

static bool check_track_atomic_pool(void)
{
    return mete_atomic_pool_check(&atomic_pool) && mete_track_check(&track);
}

static bool check_slab(void)
{
    return mete_slab_check(&slab) && mete_heap_check(heap);
}

static bool check_track_slab(void)
{
    return check_slab() && mete_track_check(&track);
}

static bool check_quota_heap(void)
{
    return mete_heap_check(heap) && mete_quota_check(&quota);
}

static bool check_quota_pool(void)
{
    return mete_pool_check(&pool) && mete_quota_check(&quota);
}

static bool check_timing_heap(void)
{
    return mete_heap_check(heap) && mete_timing_check(&timing);
}

static bool check_timing_pool(void)
{
    return mete_pool_check(&pool) && mete_timing_check(&timing);
}

static bool check_tier(void)
{
    return mete_tier_check(&tier) && mete_pool_check(&pool) && mete_heap_check(heap);
}

static bool check_track_tier(void)
{
    return check_tier() && mete_track_check(&track);
}

static bool check_route(void)
{
    return mete_route_check(&route) && mete_heap_check(heap);
}

static bool check_track_route(void)
{
    return check_route() && mete_track_check(&track);
}

static bool check_guard(void)
{
    return mete_guard_check(&guard) && mete_guard_check_next(&guard, 3U);
}

static bool check_guard_heap(void)
{
    return mete_heap_check(heap) && check_guard();
}

static bool check_guard_list(void)
{
    return mete_list_check(list) && check_guard();
}

static bool check_guard_buddy(void)
{
    return mete_buddy_check(&buddy) && check_guard();
}

static bool check_guard_pool(void)
{
    return mete_pool_check(&pool) && check_guard();
}

static bool check_guard_atomic_pool(void)
{
    return mete_atomic_pool_check(&atomic_pool) && check_guard();
}

static bool check_guard_slab(void)
{
    return check_slab() && check_guard();
}

static bool check_guard_tier(void)
{
    return check_tier() && check_guard();
}

static bool check_guard_route(void)
{
    return check_route() && check_guard();
}

static bool check_track_guard(void)
{
    return check_track_heap() && check_guard();
}

static bool check_guard_chain(void)
{
    return check_lock_heap() && mete_track_check(&track) && check_guard();
}

static bool check_chain(void)
{
    return check_lock_heap() && mete_track_check(&track);
}

static bool check_all(void)
{
    return check_chain() && mete_quota_check(&quota) && mete_timing_check(&timing) &&
           mete_health_check(&health) && check_guard();
}

#define HEAP_SIZE    (SUITE_ARENA_SIZE - sizeof(mete_heap_t) - 32U)
#define LIST_SIZE    (SUITE_ARENA_SIZE - sizeof(mete_list_t) - (3U * sizeof(uintptr_t)))
#define BUDDY_TRAITS (SUITE_ALL & ~(unsigned)SUITE_SEAMLESS)
#define HEAP_TRAITS  (SUITE_ALL & ~(unsigned)SUITE_EXACT_STARTS)
#define GUARD_SIZE   (METE_GUARD_PREFIX_SIZE(8U) + METE_GUARD_TAIL_SIZE)
// Blocks in quarantine lie between the others, and behind them, until nothing else is left to be had.
#define QUARANTINE_TRAITS (HEAP_TRAITS & ~(unsigned)(SUITE_REUSES | SUITE_SEAMLESS | SUITE_RESIZES))
#define ROUTE_SIZE_MAX    (HEAP_SIZE - (SUITE_ARENA_SIZE / 2U))
#define TIER_SIZE_MAX     (HEAP_SIZE - (TIER_SIZE * TIER_COUNT))
#define TIER_TRAITS       (HEAP_TRAITS & ~(unsigned)(SUITE_SIZE_ABOVE | SUITE_SIZE_BELOW | SUITE_RESIZES))
#define POOL_TRAITS       (SUITE_ALL & ~(unsigned)(SUITE_MIXED | SUITE_SIZE_BELOW))
#define ARENA_TRAITS      (SUITE_MIXED | SUITE_REUSES_LAST | SUITE_RESIZES | SUITE_SEAMLESS | SUITE_OWNS)

static const suite_subject_t subjects[] = {
    {"stats over heap", make_stats_heap, check_heap, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS, NULL},
    {"health over heap", make_health_heap, check_health_heap, HEAP_SIZE, SUITE_ALIGN_MAX,
     HEAP_TRAITS, NULL},
    {"lock over heap", make_lock_heap, check_lock_heap, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS,
     NULL},
    {"stats over list", make_stats_list, check_list, LIST_SIZE, SUITE_ALIGN_MAX, SUITE_ALL, NULL},
    {"track over list", make_track_list, check_track_list, LIST_SIZE - METE_TRACK_PREFIX_SIZE(8U),
     SUITE_ALIGN_MAX / 2U, HEAP_TRAITS, NULL},
    {"stats over buddy", make_stats_buddy, check_buddy, SUITE_ARENA_SIZE, SUITE_ARENA_ALIGN,
     BUDDY_TRAITS, NULL},
    {"track over buddy", make_track_buddy, check_track_buddy,
     (SUITE_ARENA_SIZE / 2U) - METE_TRACK_PREFIX_SIZE(8U), SUITE_ARENA_ALIGN / 2U,
     BUDDY_TRAITS & ~(unsigned)SUITE_EXACT_STARTS, NULL},
    {"stats over pool", make_stats_pool, check_pool, BLOCK_SIZE, 64U, POOL_TRAITS, NULL},
    {"track over heap", make_track_heap, check_track_heap, HEAP_SIZE - METE_TRACK_PREFIX_SIZE(8U),
     SUITE_ALIGN_MAX / 2U, HEAP_TRAITS, NULL},
    {"track over pool", make_track_pool, check_track, BLOCK_SIZE - METE_TRACK_PREFIX_SIZE(8U), 16U,
     POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"stats over slab over heap", make_stats_slab, check_slab, BLOCK_SIZE, 64U, POOL_TRAITS, NULL},
    {"track over slab over heap", make_track_slab, check_track_slab,
     BLOCK_SIZE - METE_TRACK_PREFIX_SIZE(8U), 16U, POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"stats over tier", make_stats_tier, check_tier, TIER_SIZE_MAX, SUITE_ALIGN_MAX / 2U,
     TIER_TRAITS, NULL},
    {"track over tier", make_track_tier, check_track_tier,
     TIER_SIZE_MAX - METE_TRACK_PREFIX_SIZE(8U), SUITE_ALIGN_MAX / 4U,
     TIER_TRAITS | SUITE_SIZE_ABOVE | SUITE_SIZE_BELOW, NULL},
    {"stats over route", make_stats_route, check_route, ROUTE_SIZE_MAX, SUITE_ALIGN_MAX / 2U,
     HEAP_TRAITS, NULL},
    {"track over route", make_track_route, check_track_route,
     ROUTE_SIZE_MAX - METE_TRACK_PREFIX_SIZE(8U), SUITE_ALIGN_MAX / 4U, HEAP_TRAITS, NULL},
    {"track over arena", make_track_arena, check_track,
     SUITE_ARENA_SIZE - METE_TRACK_PREFIX_SIZE(8U), SUITE_ALIGN_MAX / 2U,
     ARENA_TRAITS | SUITE_SIZE_OF | SUITE_SIZE_ABOVE | SUITE_SIZE_BELOW | SUITE_ALIGN |
         SUITE_FOREIGN | SUITE_DOUBLE_FREE | SUITE_INTERIOR,
     NULL},
    {"critical over heap", make_critical_heap, check_heap, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS,
     NULL},
    {"critical over pool", make_critical_pool, check_pool, BLOCK_SIZE, 64U, POOL_TRAITS, NULL},
    {"defer over heap", make_defer_heap, check_heap, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS, NULL},
    {"defer over pool", make_defer_pool, check_pool, BLOCK_SIZE, 64U, POOL_TRAITS, NULL},
    {"wait over heap", make_wait_heap, check_heap, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS, NULL},
    {"dma over heap", make_dma_heap, check_heap, HEAP_SIZE - 2U * LINE_SIZE, SUITE_ALIGN_MAX,
     HEAP_TRAITS, NULL},
    {"dma over pool", make_dma_pool, check_pool, BLOCK_SIZE, 64U, POOL_TRAITS, NULL},
    {"seal over heap", make_seal_heap, check_heap, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS, NULL},
    {"quota over heap", make_quota_heap, check_quota_heap, HEAP_SIZE - METE_QUOTA_PREFIX_SIZE(8U),
     SUITE_ALIGN_MAX / 2U, HEAP_TRAITS, NULL},
    {"quota over pool", make_quota_pool, check_quota_pool, BLOCK_SIZE - METE_QUOTA_PREFIX_SIZE(8U),
     16U, POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"fail over heap", make_fail_heap, check_heap, HEAP_SIZE, SUITE_ALIGN_MAX, HEAP_TRAITS, NULL},
    {"scrub over heap", make_scrub_heap, check_heap, HEAP_SIZE, SUITE_ALIGN_MAX,
     HEAP_TRAITS & ~(unsigned)SUITE_RESIZES, NULL},
    {"scrub over pool", make_scrub_pool, check_pool, BLOCK_SIZE, 64U,
     POOL_TRAITS & ~(unsigned)SUITE_RESIZES, NULL},
    {"timing over heap", make_timing_heap, check_timing_heap, HEAP_SIZE, SUITE_ALIGN_MAX,
     HEAP_TRAITS, NULL},
    {"timing over pool", make_timing_pool, check_timing_pool, BLOCK_SIZE, 64U, POOL_TRAITS, NULL},
    {"all over heap", make_all, check_all,
     HEAP_SIZE - METE_TRACK_PREFIX_SIZE(LINE_SIZE) - METE_QUOTA_PREFIX_SIZE(LINE_SIZE) -
         METE_GUARD_PREFIX_SIZE(LINE_SIZE) - METE_GUARD_TAIL_SIZE - 2U * LINE_SIZE,
     SUITE_ALIGN_MAX / 2U, HEAP_TRAITS & ~(unsigned)SUITE_RESIZES, NULL},
    {"lock over atomic pool", make_lock_atomic_pool, check_atomic_pool, BLOCK_SIZE, 64U,
     POOL_TRAITS, NULL},
    {"stats over atomic pool", make_stats_atomic_pool, check_atomic_pool, BLOCK_SIZE, 64U,
     POOL_TRAITS, NULL},
    {"track over atomic pool", make_track_atomic_pool, check_track_atomic_pool,
     BLOCK_SIZE - METE_TRACK_PREFIX_SIZE(8U), 16U, POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"guard over heap", make_guard_heap, check_guard_heap, HEAP_SIZE - GUARD_SIZE,
     SUITE_ALIGN_MAX / 2U, HEAP_TRAITS, NULL},
    {"guard over list", make_guard_list, check_guard_list, LIST_SIZE - GUARD_SIZE,
     SUITE_ALIGN_MAX / 2U, HEAP_TRAITS, NULL},
    {"guard over buddy", make_guard_buddy, check_guard_buddy, (SUITE_ARENA_SIZE / 2U) - GUARD_SIZE,
     SUITE_ARENA_ALIGN / 2U, BUDDY_TRAITS & ~(unsigned)SUITE_EXACT_STARTS, NULL},
    {"guard over pool", make_guard_pool, check_guard_pool, BLOCK_SIZE - GUARD_SIZE, 32U,
     POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"guard over atomic pool", make_guard_atomic_pool, check_guard_atomic_pool,
     BLOCK_SIZE - GUARD_SIZE, 32U, POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"guard over slab over heap", make_guard_slab, check_guard_slab, BLOCK_SIZE - GUARD_SIZE, 32U,
     POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"guard over tier", make_guard_tier, check_guard_tier, TIER_SIZE_MAX - GUARD_SIZE,
     SUITE_ALIGN_MAX / 4U, TIER_TRAITS | SUITE_SIZE_ABOVE | SUITE_SIZE_BELOW, NULL},
    {"guard over route", make_guard_route, check_guard_route, ROUTE_SIZE_MAX - GUARD_SIZE,
     SUITE_ALIGN_MAX / 4U, HEAP_TRAITS, NULL},
    // What alignment leaves over between blocks an arena does not take back.
    {"guard over arena", make_guard_arena, check_guard, SUITE_ARENA_SIZE - GUARD_SIZE,
     SUITE_ALIGN_MAX / 2U,
     (ARENA_TRAITS & ~(unsigned)(SUITE_REUSES_LAST | SUITE_RESIZES)) | SUITE_SIZE_OF |
         SUITE_SIZE_ABOVE | SUITE_SIZE_BELOW | SUITE_ALIGN | SUITE_FOREIGN | SUITE_DOUBLE_FREE |
         SUITE_INTERIOR,
     NULL},
    {"guard with quarantine over heap", make_quarantine_heap, check_guard_heap,
     HEAP_SIZE - GUARD_SIZE, SUITE_ALIGN_MAX / 2U, QUARANTINE_TRAITS, NULL},
    {"guard with quarantine over pool", make_quarantine_pool, check_guard_pool,
     BLOCK_SIZE - GUARD_SIZE, 32U, POOL_TRAITS | SUITE_SIZE_BELOW, NULL},
    {"track over guard over heap", make_track_guard, check_track_guard,
     HEAP_SIZE - GUARD_SIZE - METE_TRACK_PREFIX_SIZE(8U), SUITE_ALIGN_MAX / 4U, HEAP_TRAITS, NULL},
    {"lock over stats over guard with quarantine over track over heap", make_guard_chain,
     check_guard_chain, HEAP_SIZE - GUARD_SIZE - METE_TRACK_PREFIX_SIZE(8U), SUITE_ALIGN_MAX / 4U,
     QUARANTINE_TRAITS, NULL},
    {"lock over stats over track over heap", make_chain, check_chain,
     HEAP_SIZE - METE_TRACK_PREFIX_SIZE(8U), SUITE_ALIGN_MAX / 2U, HEAP_TRAITS, NULL},
};

int main(void)
{
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        suite_test(&subjects[i]);
    }
    return tap_finish();
}
