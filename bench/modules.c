// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware that works the pool, the arena and the wrappers while every call is counted. Which calls
// come in which order hardly matters here: none of them searches. A wrapper's price is what a call
// through it costs more than one to the same pool without it.

#include "bench/probe.h"
#include "mete/alloc/arena.h"
#include "mete/alloc/pool.h"
#include "mete/wrap/lock.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/track.h"
#include "port/os/bare_metal.h"
#include "tests/support/random.h"

enum { BLOCK_SIZE = 72, BLOCK_COUNT = 64, OPERATIONS = 20000, SIZE = 24, ALIGN = 8 };

static uint64_t blocks[BLOCK_COUNT][BLOCK_SIZE / 8];
static uint16_t links[BLOCK_COUNT];
static const mete_pool_config_t config = {blocks, links, BLOCK_SIZE, BLOCK_COUNT};
static mete_pool_t pool;

static void *held[BLOCK_COUNT];

static void start_phase(const char *name)
{
    bench_phase();
    say("phase ");
    say(name);
    say("\n");
}

// ---- Pool

PROBE(mete_pool_alloc);
void *probe_mete_pool_alloc(mete_pool_t *pool);
PROBE(mete_pool_free);
void probe_mete_pool_free(mete_pool_t *pool, void *block);

static void work_pool(void)
{
    start_phase("pool");
    (void)mete_pool_init(&pool, &config);
    uint32_t random = 1U;
    uint32_t count = 0U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const bool wants_more = random_below(&random, 16U) < 9U;
        if (wants_more || (count == 0U)) {
            void *const block = probe_mete_pool_alloc(&pool);
            if (block != NULL) {
                held[count++] = block;
            }
        } else {
            const uint32_t which = random_below(&random, count);
            probe_mete_pool_free(&pool, held[which]);
            held[which] = held[--count];
        }
    }
}

// ---- Arena. Its alloc is inline: what one costs is how much longer a function of eight takes than one
// of four, less the store of its result. Neither knows the size, nor what became of the arena.

METE_INLINE void alloc_one(mete_arena_t *arena, size_t size, void **result)
{
    __asm__ volatile("" : "+r"(size)::"memory");
    *result = mete_arena_alloc(arena, size, ALIGN);
}

METE_INLINE void alloc_four(mete_arena_t *arena, size_t size, void *results[])
{
    alloc_one(arena, size, &results[0]);
    alloc_one(arena, size, &results[1]);
    alloc_one(arena, size, &results[2]);
    alloc_one(arena, size, &results[3]);
}

void arena_four(mete_arena_t *arena, size_t size, void *results[]);
__attribute__((noinline)) void arena_four(mete_arena_t *arena, size_t size, void *results[])
{
    alloc_four(arena, size, results);
}

void arena_eight(mete_arena_t *arena, size_t size, void *results[]);
__attribute__((noinline)) void arena_eight(mete_arena_t *arena, size_t size, void *results[])
{
    alloc_four(arena, size, results);
    alloc_four(arena, size, &results[4]);
}

PROBE(arena_four);
void probe_arena_four(mete_arena_t *arena, size_t size, void *results[]);
PROBE(arena_eight);
void probe_arena_eight(mete_arena_t *arena, size_t size, void *results[]);
PROBE(mete_arena_alloc_checked);
void *probe_mete_arena_alloc_checked(mete_arena_t *arena, size_t size, size_t align);

PROBE(mete_arena_rewind);
void probe_mete_arena_rewind(mete_arena_t *arena, mete_arena_mark_t mark);

static void work_arena(void)
{
    static uint64_t storage[512];
    start_phase("arena");
    mete_arena_t arena;
    (void)mete_arena_init(&arena, (mete_span_t){storage, sizeof storage});
    uint32_t random = 1U;
    for (uint32_t round = 0U; round < OPERATIONS / 100U; round++) {
        const mete_arena_mark_t mark = mete_arena_mark(&arena);
        probe_arena_four(&arena, 1U + random_below(&random, 40U), held);
        probe_arena_eight(&arena, 1U + random_below(&random, 40U), held);
        for (uint32_t align = 1U; align <= 64U; align *= 2U) {
            (void)probe_mete_arena_alloc_checked(&arena, 1U + random_below(&random, 9U), align);
        }
        probe_mete_arena_rewind(&arena, mark);
    }
}

// ---- Views and wrappers

void *acquire(mete_alloc_t alloc, size_t size);
__attribute__((noinline)) void *acquire(mete_alloc_t alloc, size_t size)
{
    return mete_acquire(alloc, size, ALIGN);
}

void release(mete_alloc_t alloc, void *block, size_t size);
__attribute__((noinline)) void release(mete_alloc_t alloc, void *block, size_t size)
{
    mete_release(alloc, block, size, ALIGN);
}

PROBE(acquire);
void *probe_acquire(mete_alloc_t alloc, size_t size);
PROBE(release);
void probe_release(mete_alloc_t alloc, void *block, size_t size);

// Blocks come back in another order than they went out, so that lists are cut in the middle.
static void work_view(const char *name, mete_alloc_t view)
{
    start_phase(name);
    uint32_t random = 1U;
    for (uint32_t round = 0U; round < OPERATIONS / BLOCK_COUNT; round++) {
        for (uint32_t i = 0U; i < BLOCK_COUNT; i++) {
            held[i] = probe_acquire(view, SIZE);
        }
        for (uint32_t left = BLOCK_COUNT; left != 0U; left--) {
            const uint32_t which = random_below(&random, left);
            probe_release(view, held[which], SIZE);
            held[which] = held[left - 1U];
        }
    }
}

static void work_wrappers(void)
{
    static const mete_track_config_t track_config = {.clock = mete_clock_ms};
    static mete_bare_metal_lock_t masked;
    static mete_locked_t locked;
    static mete_stats_t stats;
    static mete_track_t track;
    (void)mete_pool_init(&pool, &config);
    const mete_alloc_t bare = mete_pool_as_alloc(&pool);
    work_view("bare", bare);
    (void)mete_locked_init(&locked, bare, mete_bare_metal_lock(&masked), NULL);
    work_view("lock", mete_locked_as_alloc(&locked));
    (void)mete_stats_init(&stats, bare, NULL);
    work_view("stats", mete_stats_as_alloc(&stats));
    (void)mete_track_init(&track, bare, &track_config);
    work_view("track", mete_track_as_alloc(&track));
}

int main(void)
{
    work_pool();
    work_arena();
    work_wrappers();
    return 0;
}
