// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/backend.h"

#include "mete/alloc/heap_wide.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// ---- heap

static mete_heap_config_t *configure(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    state->heap_config = (mete_heap_config_t){.storage = arena, .search = search};
    return &state->heap_config;
}

static bool heap_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    mete_heap_t *const heap = mete_heap_init(configure(state, arena, search));
    state->allocator = heap;
    state->alloc = (heap != NULL) ? mete_heap_as_alloc(heap) : (mete_alloc_t){NULL, NULL};
    return heap != NULL;
}

static size_t heap_total_size(const backend_state_t *state)
{
    return mete_heap_usage(state->allocator).total_size;
}

static mete_frag_t heap_frag(const backend_state_t *state)
{
    return mete_heap_usage(state->allocator).frag;
}

static bool heap_check(const backend_state_t *state)
{
    return mete_heap_check(state->allocator);
}

// ---- heap_wide

static bool wide_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    mete_heap_wide_t *const heap = mete_heap_wide_init(configure(state, arena, search));
    state->allocator = heap;
    state->alloc = (heap != NULL) ? mete_heap_wide_as_alloc(heap) : (mete_alloc_t){NULL, NULL};
    return heap != NULL;
}

static size_t wide_total_size(const backend_state_t *state)
{
    return mete_heap_wide_usage(state->allocator).total_size;
}

static mete_frag_t wide_frag(const backend_state_t *state)
{
    return mete_heap_wide_usage(state->allocator).frag;
}

static bool wide_check(const backend_state_t *state)
{
    return mete_heap_wide_check(state->allocator);
}

// ---- arena: its control structure lies at the start of the memory, so that it counts as well.

static bool arena_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    (void)search;
    if (arena.size <= sizeof(mete_arena_t)) {
        return false;
    }
    const mete_span_t storage = {(unsigned char *)arena.start + sizeof(mete_arena_t),
                                 arena.size - sizeof(mete_arena_t)};
    state->allocator = arena.start;
    state->alloc = mete_arena_as_alloc(arena.start);
    return mete_arena_init(arena.start, storage);
}

static size_t arena_total_size(const backend_state_t *state)
{
    return mete_arena_usage(state->allocator).total_size;
}

static bool arena_check(const backend_state_t *state)
{
    return mete_arena_check(state->allocator);
}

// ---- malloc of the host

static void *malloc_acquire(void *self, size_t size, size_t align)
{
    (void)self;
    void *block = NULL;
    const size_t least = (align < sizeof(void *)) ? sizeof(void *) : align;
    return (posix_memalign(&block, least, size) == 0) ? block : NULL;
}

static void malloc_release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    free(block);
}

static size_t malloc_size_of(const void *self, const void *block)
{
    (void)self;
    return malloc_usable_size((void *)(uintptr_t)block);
}

static bool malloc_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    (void)arena, (void)search;
    static const mete_alloc_ops_t ops = {malloc_acquire, malloc_release, NULL, NULL,
                                         malloc_size_of};
    state->allocator = NULL;
    state->alloc = (mete_alloc_t){&ops, NULL};
    return true;
}

// ---- The table

#define KIB ((size_t)1024)
#define MIB (1024U * KIB)

const backend_t backends[] = {
    {"heap", "narrow heap, at most 256 KiB", 256U * KIB, heap_init, heap_total_size, heap_frag,
     heap_check, 4U, 8U, 8U},
    {"heap_wide", "wide heap, for larger memory", 1024U * MIB, wide_init, wide_total_size,
     wide_frag, wide_check, 8U, 8U, 16U},
    {"arena", "takes back only the block handed out last", 1024U * MIB, arena_init,
     arena_total_size, NULL, arena_check, 0U, 8U, 8U},
    {"malloc", "malloc of this host, for comparison", 0U, malloc_init, NULL, NULL, NULL, 0U, 0U,
     0U},
};
const size_t backend_count = sizeof backends / sizeof backends[0];

const backend_t *backend_find(const char *name)
{
    for (size_t i = 0U; i < backend_count; i++) {
        if (strcmp(backends[i].name, name) == 0) {
            return &backends[i];
        }
    }
    return NULL;
}

uint64_t backend_block_size(const backend_t *backend, uint64_t size)
{
    if ((size == 0U) || (backend->granule == 0U)) {
        return 0U;
    }
    const uint64_t granule = backend->granule;
    const uint64_t block = (size + backend->header + granule - 1U) / granule * granule;
    return (block < backend->block_min) ? backend->block_min : block;
}
