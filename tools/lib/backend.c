// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/backend.h"

#include "mete/alloc/heap_wide.h"
#include "mete/alloc/list.h"

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

// ---- list: `search` is for heaps; here it would limit all of the list.

static bool list_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    (void)search;
    const mete_list_config_t config = {.storage = arena};
    mete_list_t *const list = mete_list_init(&config);
    state->allocator = list;
    state->alloc = (list != NULL) ? mete_list_as_alloc(list) : (mete_alloc_t){NULL, NULL};
    return list != NULL;
}

static size_t list_total_size(const backend_state_t *state)
{
    return mete_list_usage(state->allocator).total_size;
}

static bool list_check(const backend_state_t *state)
{
    return mete_list_check(state->allocator);
}

// ---- buddy: its control structure lies at the start of the memory and its table at the end, so that
// they count as well. In between, as aligned as the memory is, the blocks.

enum { BUDDY_BLOCK_SIZE = 32, BUDDY_CONTROL_SIZE = 64 };
_Static_assert(sizeof(mete_buddy_t) <= BUDDY_CONTROL_SIZE, "blocks keep the memory's alignment");

// As many smallest blocks as fit with their table.
static size_t buddy_block_count(size_t size)
{
    size_t low = 0U;
    size_t high = size / BUDDY_BLOCK_SIZE;
    while (low < high) {
        const size_t middle = high - ((high - low) / 2U);
        const bool fits = (middle * BUDDY_BLOCK_SIZE) + METE_BUDDY_TABLE_SIZE(middle) <= size;
        low = fits ? middle : low;
        high = fits ? high : middle - 1U;
    }
    return low;
}

static bool buddy_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    (void)search;
    unsigned char *const blocks = (unsigned char *)arena.start + BUDDY_CONTROL_SIZE;
    const size_t size = (arena.size > BUDDY_CONTROL_SIZE) ? arena.size - BUDDY_CONTROL_SIZE : 0U;
    const size_t count = buddy_block_count(size);
    state->buddy_config =
        (mete_buddy_config_t){blocks, blocks + (count * BUDDY_BLOCK_SIZE), BUDDY_BLOCK_SIZE, count};
    state->allocator = arena.start;
    state->alloc = mete_buddy_as_alloc(arena.start);
    return (count != 0U) && mete_buddy_init(arena.start, &state->buddy_config);
}

// The table grows with the blocks, as headers would.
static size_t buddy_total_size(const backend_state_t *state)
{
    const size_t count = state->buddy_config.block_count;
    return (count * BUDDY_BLOCK_SIZE) + METE_BUDDY_TABLE_SIZE(count);
}

static bool buddy_check(const backend_state_t *state)
{
    return mete_buddy_check(state->allocator);
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

// ---- movable: blocks are named by their handles. What it keeps lies at the start of the memory too.

static void *movable_acquire(void *self, size_t size, size_t align)
{
    return (align <= 8U) ? (void *)(uintptr_t)mete_movable_alloc(self, size).value : NULL;
}

static mete_movable_handle_t handle_from(const void *block)
{
    return (mete_movable_handle_t){(uint32_t)(uintptr_t)block};
}

static void movable_release(void *self, void *block, size_t size, size_t align)
{
    (void)size, (void)align;
    mete_movable_free(self, handle_from(block));
}

static bool movable_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    (void)old_size, (void)align;
    return mete_movable_resize(self, handle_from(block), new_size);
}

static size_t movable_size_of(const void *self, const void *block)
{
    return mete_movable_size_of(self, handle_from(block));
}

static void *movable_locate(const backend_state_t *state, void *block)
{
    void *const address = mete_movable_pin(state->allocator, handle_from(block));
    mete_movable_unpin(state->allocator, handle_from(block));
    return address;
}

static bool movable_init(backend_state_t *state, mete_span_t arena, uint32_t search)
{
    (void)search;
    static const mete_alloc_ops_t ops = {movable_acquire, movable_release, movable_resize, NULL,
                                         movable_size_of};
    const size_t slot_count = METE_MOVABLE_SLOT_COUNT(state->block_count_max);
    const size_t control_size = sizeof(mete_movable_t) + (slot_count * sizeof(mete_movable_slot_t));
    if ((arena.size <= control_size) || (state->block_count_max > METE_MOVABLE_BLOCK_COUNT_MAX)) {
        return false;
    }
    unsigned char *const start = arena.start;
    state->movable_config = (mete_movable_config_t){
        .storage = {start + control_size, arena.size - control_size},
        .slots = (mete_movable_slot_t *)(void *)(start + sizeof(mete_movable_t)),
        .slot_count = slot_count,
        .failure_size = SIZE_MAX};
    state->allocator = arena.start;
    state->alloc = (mete_alloc_t){&ops, state->allocator};
    return mete_movable_init(state->allocator, &state->movable_config);
}

static size_t movable_total_size(const backend_state_t *state)
{
    return mete_movable_usage(state->allocator).total_size;
}

static mete_frag_t movable_frag(const backend_state_t *state)
{
    return mete_movable_usage(state->allocator).frag;
}

static bool movable_check(const backend_state_t *state)
{
    return mete_movable_check(state->allocator);
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
    {"heap", "narrow heap, at most 256 KiB", 256U * KIB, heap_init, heap_total_size, NULL,
     heap_frag, heap_check, 4U, 8U, 8U},
    {"heap_wide", "wide heap, for larger memory", 1024U * MIB, wide_init, wide_total_size, NULL,
     wide_frag, wide_check, 8U, 8U, 16U},
    {"list", "first fit, at most 512 KiB", METE_LIST_SIZE_MAX, list_init, list_total_size, NULL,
     NULL, list_check, sizeof(uintptr_t), 2U * sizeof(uintptr_t), 2U * sizeof(uintptr_t)},
    {"buddy", "blocks of 32 bytes, 64, 128 and so on", 128U * MIB, buddy_init, buddy_total_size,
     NULL, NULL, buddy_check, 0U, BUDDY_BLOCK_SIZE, BUDDY_BLOCK_SIZE},
    {"arena", "takes back only the block handed out last", 1024U * MIB, arena_init,
     arena_total_size, NULL, NULL, arena_check, 0U, 8U, 8U},
    {"movable", "blocks held by handle, compacted when memory is short", METE_MOVABLE_SIZE_MAX,
     movable_init, movable_total_size, movable_locate, movable_frag, movable_check, 0U, 8U, 8U},
    {"malloc", "malloc of this host, for comparison", 0U, malloc_init, NULL, NULL, NULL, NULL, 0U,
     0U, 0U},
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
