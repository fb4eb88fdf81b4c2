// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BENCH_VIEW_H
#define METE_BENCH_VIEW_H

/// Works any mete_alloc_t while every call is counted: what a wrapper, or an allocator made of others,
/// adds to a call. It sits on the flat allocator, whose calls all take the same number of
/// instructions; so what a call takes more than the phase `bare` is the wrapper's own, exactly.

#include "bench/probe.h"
#include "mete/core/alloc.h"
#include "tests/support/random.h"

enum {
    FLAT_SIZE = 256,
    FLAT_COUNT = 72,
    VIEW_COUNT = 64,
    VIEW_ROUNDS = 300,
    VIEW_SIZE = 24,
    VIEW_ALIGN = 8
};

/// A stack of free blocks of FLAT_SIZE bytes, a few more than are worked with: for wrappers that keep some
/// back. It checks nothing and must not be exhausted.
typedef struct flat {
    uint64_t blocks[FLAT_COUNT][FLAT_SIZE / 8];
    void *free[FLAT_COUNT];
    uint32_t free_count;
} flat_t;

static void *flat_acquire(void *self, size_t size, size_t align)
{
    flat_t *const flat = self;
    (void)size;
    (void)align;
    flat->free_count--;
    return flat->free[flat->free_count];
}

static void flat_release(void *self, void *block, size_t size, size_t align)
{
    flat_t *const flat = self;
    (void)size;
    (void)align;
    flat->free[flat->free_count] = block;
    flat->free_count++;
}

static bool flat_owns(const void *self, const void *address)
{
    const flat_t *const flat = self;
    return ((uintptr_t)address - (uintptr_t)flat->blocks) < sizeof flat->blocks;
}

/// Starts a flat allocator and returns its view.
static inline mete_alloc_t flat_init(flat_t *flat)
{
    static const mete_alloc_ops_t ops = {
        .acquire = flat_acquire, .release = flat_release, .owns = flat_owns};
    flat->free_count = FLAT_COUNT;
    for (uint32_t i = 0U; i < FLAT_COUNT; i++) {
        flat->free[i] = flat->blocks[i];
    }
    return (mete_alloc_t){&ops, flat};
}

void *acquire(mete_alloc_t alloc, size_t size);
__attribute__((noinline)) void *acquire(mete_alloc_t alloc, size_t size)
{
    return mete_acquire(alloc, size, VIEW_ALIGN);
}

void release(mete_alloc_t alloc, void *block, size_t size);
__attribute__((noinline)) void release(mete_alloc_t alloc, void *block, size_t size)
{
    mete_release(alloc, block, size, VIEW_ALIGN);
}

PROBE(acquire);
void *probe_acquire(mete_alloc_t alloc, size_t size);
PROBE(release);
void probe_release(mete_alloc_t alloc, void *block, size_t size);

/// A phase that takes VIEW_COUNT blocks of min ... max bytes and gives them back in another order, so
/// that lists are cut in the middle; many times.
static inline void work_view_sizes(const char *phase, mete_alloc_t view, uint32_t min, uint32_t max)
{
    static void *held[VIEW_COUNT];
    static uint32_t sizes[VIEW_COUNT];
    start_phase(phase);
    uint32_t random = 1U;
    for (uint32_t round = 0U; round < VIEW_ROUNDS; round++) {
        for (uint32_t i = 0U; i < VIEW_COUNT; i++) {
            sizes[i] = min + random_below(&random, max - min + 1U);
            held[i] = probe_acquire(view, sizes[i]);
        }
        for (uint32_t left = VIEW_COUNT; left != 0U; left--) {
            const uint32_t which = random_below(&random, left);
            probe_release(view, held[which], sizes[which]);
            held[which] = held[left - 1U];
            sizes[which] = sizes[left - 1U];
        }
    }
}

/// The same with blocks of VIEW_SIZE bytes.
static inline void work_view(const char *phase, mete_alloc_t view)
{
    work_view_sizes(phase, view, VIEW_SIZE, VIEW_SIZE);
}

#endif
