// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The arena. Its alloc is inline: what one costs is how much longer a function of eight takes than one
// of four, less the store of its result. Neither knows the size, nor what became of the arena.

#include "mete/alloc/arena.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { ROUNDS = 200, ALIGN = 8 };

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

int main(void)
{
    static uint64_t storage[512];
    void *held[8];
    start_phase("arena");
    mete_arena_t arena;
    (void)mete_arena_init(&arena, (mete_span_t){storage, sizeof storage});
    uint32_t random = 1U;
    for (uint32_t round = 0U; round < ROUNDS; round++) {
        const mete_arena_mark_t mark = mete_arena_mark(&arena);
        probe_arena_four(&arena, 1U + random_below(&random, 40U), held);
        probe_arena_eight(&arena, 1U + random_below(&random, 40U), held);
        for (uint32_t align = 1U; align <= 64U; align *= 2U) {
            (void)probe_mete_arena_alloc_checked(&arena, 1U + random_below(&random, 9U), align);
        }
        probe_mete_arena_rewind(&arena, mark);
    }
    return 0;
}
