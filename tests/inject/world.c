// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/inject/world.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { HEAP_SIZE = 16384, OPERATIONS = 60 };

mete_guard_t world_guard;
mete_track_t world_track;
uint32_t world_now;
uint32_t world_owner;

static uint32_t storage[(HEAP_SIZE + WORLD_MARGIN) / 4U];
static mete_site_t site;
static mete_stats_t stats;

static uint32_t clock(void)
{
    return world_now;
}

static uint32_t owner(void *self)
{
    (void)self;
    return world_owner;
}

// ---- The chain

static mete_alloc_t with_track(mete_alloc_t inner, bool is_told)
{
    static mete_track_config_t config;
    config = (mete_track_config_t){.site = is_told ? &site : NULL, .clock = clock, .owner = owner};
    (void)mete_track_init(&world_track, inner, &config);
    return mete_track_as_alloc(&world_track);
}

static mete_alloc_t with_guard(mete_alloc_t inner, bool tells)
{
    static mete_guard_config_t config;
    config = (mete_guard_config_t){.seed = 0x5EEDU,
                                   .quarantine_size = WORLD_QUARANTINE,
                                   .fills_released = true,
                                   .released_fill = 0xDDU,
                                   .site = tells ? &site : NULL};
    (void)mete_guard_init(&world_guard, inner, &config);
    return mete_guard_as_alloc(&world_guard);
}

static mete_alloc_t with_quota(mete_alloc_t inner)
{
    static const mete_quota_limit_t limits[WORLD_OWNER_COUNT] = {
        {.size_max = SIZE_MAX, .count_max = SIZE_MAX},
        {.size_max = SIZE_MAX, .count_max = SIZE_MAX},
        {.size_max = SIZE_MAX, .count_max = SIZE_MAX}};
    static mete_quota_owner_t owners[WORLD_OWNER_COUNT];
    static const mete_quota_config_t config = {.limits = limits,
                                               .owners = owners,
                                               .owner_count = WORLD_OWNER_COUNT,
                                               .capacity_size = SIZE_MAX,
                                               .owner = owner};
    static mete_quota_t quota;
    (void)mete_quota_init(&quota, inner, &config);
    return mete_quota_as_alloc(&quota);
}

static mete_alloc_t with_counts(mete_alloc_t inner)
{
    static mete_timing_class_t classes[8];
    static const mete_timing_config_t timing_config = {
        .clock = clock, .classes = classes, .class_count = 8U, .first_size = 8U};
    static mete_timing_t timing;
    (void)mete_stats_init(&stats, inner, NULL);
    (void)mete_timing_init(&timing, mete_stats_as_alloc(&stats), &timing_config);
    return mete_timing_as_alloc(&timing);
}

static mete_alloc_t with_health(const world_t *world, mete_alloc_t inner)
{
    static mete_health_t health;
    static mete_health_source_t sources[2];
    static const mete_health_config_t config = {0};
    sources[0] = (mete_health_source_t){mete_health_read_heap, world->heap};
    sources[1] = (mete_health_source_t){mete_health_read_stats, &stats};
    (void)mete_health_init(&health, inner, sources, 2U, &config);
    return mete_health_as_alloc(&health);
}

static void pass(void *self)
{
    (void)self;
}

static mete_alloc_t with_lock(mete_alloc_t inner)
{
    static const mete_lock_ops_t ops = {pass, pass};
    static mete_locked_t locked;
    (void)mete_locked_init(&locked, inner, (mete_lock_t){&ops, NULL}, &site);
    return mete_locked_as_alloc(&locked);
}

static mete_alloc_t with_all(const world_t *world, mete_alloc_t heap)
{
    const mete_alloc_t guarded = with_guard(with_quota(with_track(heap, true)), false);
    return with_lock(with_health(world, with_counts(guarded)));
}

static mete_alloc_t chain(const world_t *world)
{
    const mete_alloc_t heap = mete_heap_as_alloc(world->heap);
    switch (world->set) {
    case SET_GUARD:
        return with_guard(heap, false);
    case SET_TRACK:
        return with_track(heap, false);
    case SET_BOTH:
        return with_guard(with_track(heap, true), true);
    case SET_ALL:
        return with_all(world, heap);
    case SET_NONE:
    default:
        return heap;
    }
}

// ---- Working

void world_listen(world_t *world)
{
    world->unexpected += (tap_take_fault() != 0) ? 1U : 0U;
}

// Blocks hold nothing that bookkeeping could be taken for.
static void fill(world_t *world, unsigned char *block, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        block[i] = (unsigned char)(0x40U | random_below(&world->random, 0x20U));
    }
}

__attribute__((noinline)) live_t *world_take(world_t *world, uint32_t of)
{
    const size_t size = 1U + random_below(&world->random, WORLD_SIZE_MAX);
    world_owner = of;
    unsigned char *const block = mete_acquire(world->view, size, WORLD_ALIGN);
    world_listen(world);
    if (block == NULL) {
        return NULL;
    }
    fill(world, block, size);
    world->live[world->live_count] = (live_t){block, size, of};
    world->live_count++;
    return &world->live[world->live_count - 1U];
}

void world_give(world_t *world, size_t index)
{
    const live_t gone = world->live[index];
    world->live_count--;
    world->live[index] = world->live[world->live_count];
    world_owner = gone.owner;
    mete_release(world->view, gone.block, gone.size, WORLD_ALIGN);
    world_listen(world);
}

static void resize(world_t *world, size_t index)
{
    live_t *const live = &world->live[index];
    const size_t size = 1U + random_below(&world->random, WORLD_SIZE_MAX);
    world_owner = live->owner;
    if (mete_resize(world->view, live->block, live->size, size, WORLD_ALIGN)) {
        fill(world, live->block, size);
        live->size = size;
    }
    world_listen(world);
}

size_t world_pick(world_t *world, size_t size_min)
{
    size_t index = random_below(&world->random, (uint32_t)world->live_count);
    while (world->live[index].size < size_min) {
        index = (index + 1U) % world->live_count;
    }
    return index;
}

static void operate(world_t *world)
{
    world_now += random_below(&world->random, 3U);
    const uint32_t what = random_below(&world->random, 8U);
    if ((world->live_count == WORLD_LIVE_MAX) ||
        ((what < 3U) && (world->live_count > WORLD_LIVE_MIN))) {
        world_give(world, random_below(&world->random, (uint32_t)world->live_count));
    } else if ((what == 3U) && (world->live_count != 0U)) {
        resize(world, random_below(&world->random, (uint32_t)world->live_count));
    } else {
        (void)world_take(world, random_below(&world->random, WORLD_OWNER_COUNT));
    }
}

void world_build(world_t *world, set_t set, uint32_t seed)
{
    static mete_heap_config_t config;
    (void)tap_take_fault();
    *world = (world_t){.set = set, .random = seed};
    world_now = 0U;
    for (size_t i = 0U; i < sizeof storage / sizeof storage[0]; i++) {
        storage[i] = random_next(&world->random);
    }
    config = (mete_heap_config_t){.storage = {storage, HEAP_SIZE}, .search = seed % 2U * 2U};
    world->heap = mete_heap_init(&config);
    world->view = chain(world);
    mete_track_block_t record;
    const live_t *const first = world_take(world, 0U);
    if (has_track(world) && (first != NULL) &&
        mete_track_read(&world_track, first->block - world_front(world), &record)) {
        world->usual_site = record.caller;
    }
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        operate(world);
    }
    while (world->live_count < WORLD_LIVE_MIN) {
        operate(world);
    }
}
