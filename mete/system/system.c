// SPDX-License-Identifier: MIT OR Apache-2.0
//
// An arena hands the storage out, front to back: the system itself, the two arenas, the pools, the states
// of the parts, and the heap, which may have what is left. A pattern's view is built from its allocator
// outwards.

#include "mete/system/system.h"

typedef const mete_system_config_t *config_t;
typedef mete_system_problem_t problem_t;

// Patterns whose parts can be asked for: VARIABLE and FIXED.
enum { WATCHED_COUNT = 2 };

typedef struct pool {
    mete_pool_t pool;
    mete_pool_config_t config;
} pool_t;

struct mete_system {
    config_t config;
    mete_heap_t *heap;
    mete_heap_config_t heap_config;
    pool_t *pools;
    mete_tier_t tier;
    mete_tier_config_t tier_config;
    mete_arena_t kept;
    mete_arena_t scratch;
    mete_site_t site;
    void *states[WATCHED_COUNT][METE_SYSTEM_PART_COUNT];
    mete_alloc_t views[METE_SYSTEM_PATTERN_COUNT];
    void *beside;  // The first state; the others follow it.
};

const size_t mete_system_size = sizeof(mete_system_t);

// `count` times so many bytes of the storage, from one multiple of 8 to the next. NULL if it has not
// as many left.
static void *take(mete_arena_t *storage, size_t count, size_t size)
{
    size_t total = 0U;
    const bool overflows =
        __builtin_mul_overflow(count, size, &total) || __builtin_add_overflow(total, 7U, &total);
    return mete_acquire(mete_arena_as_alloc(storage), overflows ? SIZE_MAX : total & ~(size_t)7U,
                        8U);
}

static size_t left_in(const mete_arena_t *storage)
{
    const mete_arena_usage_t usage = mete_arena_usage(storage);
    return usage.total_size - usage.in_use_size;
}

// ---- Parts

// The parts that a config names, from the innermost.
static const mete_system_part_t *part_of(config_t config, size_t index)
{
    static const size_t offsets[METE_SYSTEM_PART_COUNT] = {
        offsetof(mete_system_config_t, track),  offsetof(mete_system_config_t, quota),
        offsetof(mete_system_config_t, guard),  offsetof(mete_system_config_t, scrub),
        offsetof(mete_system_config_t, seal),   offsetof(mete_system_config_t, stats),
        offsetof(mete_system_config_t, timing), offsetof(mete_system_config_t, health),
        offsetof(mete_system_config_t, lock)};
    return *(const mete_system_part_t *const *)((uintptr_t)config + offsets[index]);
}

static bool stands_in_front(const mete_system_part_t *part, mete_system_pattern_t pattern)
{
    return (part != NULL) && (((part->patterns >> pattern) & 1U) != 0U);
}

// Who stands beside: those that the config lists and then, as it cannot be taken back, protection. NULL: there is none.
static const mete_system_part_t *beside_of(config_t config, size_t index)
{
    return (index < config->beside_count) ? config->beside[index].part : config->protection;
}

// Bytes that the states of those take that stand beside in front of this index. Once, for nobody is in a hurry.
__attribute__((noinline)) static size_t beside_size_of(config_t config, size_t index)
{
    size_t size = 0U;
    for (size_t i = 0U; i < index; i++) {
        const mete_system_part_t *const part = beside_of(config, i);
        size += (part != NULL) ? mete_align_up(part->state_size, 8U) : 0U;
    }
    return size;
}

// Bytes that the states of all parts take.
static size_t states_size_of(config_t config)
{
    size_t size = beside_size_of(config, config->beside_count + 1U);
    for (size_t i = 0U; i < (size_t)METE_SYSTEM_PART_COUNT * METE_SYSTEM_PATTERN_COUNT; i++) {
        const mete_system_part_t *const part = part_of(config, i / METE_SYSTEM_PATTERN_COUNT);
        const bool stands =
            stands_in_front(part, (mete_system_pattern_t)(i % METE_SYSTEM_PATTERN_COUNT));
        size += stands ? mete_align_up(part->state_size, 8U) : 0U;
    }
    return size;
}

static size_t outermost_of(config_t config, mete_system_pattern_t pattern)
{
    size_t outermost = 0U;
    for (size_t i = 0U; i < METE_SYSTEM_PART_COUNT; i++) {
        outermost = stands_in_front(part_of(config, i), pattern) ? i : outermost;
    }
    return outermost;
}

// Where a part stands. Who called is known behind an outermost part that tells.
static void find_place(mete_system_t *system, mete_system_pattern_t pattern, size_t index,
                       mete_system_place_t *place)
{
    const config_t config = system->config;
    const size_t outermost = outermost_of(config, pattern);
    const bool is_told = part_of(config, outermost)->tells_site;
    place->inner.ops = system->views[pattern].ops;
    place->inner.self = system->views[pattern].self;
    place->config = config;
    place->system = system;
    place->told_site = (is_told && (index == outermost)) ? &system->site : NULL;
    place->known_site = (is_told && (index != outermost)) ? &system->site : NULL;
    place->own = NULL;
}

// Puts the parts in front of the pattern's allocator.
static problem_t put_in_front(mete_system_t *system, mete_arena_t *storage,
                              mete_system_pattern_t pattern)
{
    for (size_t i = 0U; i < METE_SYSTEM_PART_COUNT; i++) {
        const mete_system_part_t *const part = part_of(system->config, i);
        if (!stands_in_front(part, pattern)) {
            continue;
        }
        mete_system_place_t place;
        find_place(system, pattern, i, &place);
        void *const state = take(storage, 1U, part->state_size);
        if (state == NULL) {
            return METE_SYSTEM_STORAGE_SMALL;
        }
        if (!part->init(state, &place, &system->views[pattern])) {
            return METE_SYSTEM_PART_WRONG;
        }
        if ((uint32_t)pattern < WATCHED_COUNT) {
            system->states[pattern][i] = state;
        }
    }
    return METE_SYSTEM_NO_PROBLEM;
}

// ---- Pools

static void *refuse(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    return NULL;
}

static void refuse_release(void *self, void *block, size_t size, size_t align)
{
    (void)size, (void)align;
    METE_FAULT(METE_FAULT_FOREIGN, self, block);
}

static bool owns_none(const void *self, const void *address)
{
    (void)self, (void)address;
    return false;
}

// What parts add to each block of a pool.
static size_t record_size_of(config_t config)
{
    size_t size = 0U;
    for (size_t i = 0U; i < METE_SYSTEM_PART_COUNT; i++) {
        const mete_system_part_t *const part = part_of(config, i);
        size += stands_in_front(part, METE_SYSTEM_FIXED) ? part->record_size : 0U;
    }
    return size;
}

static problem_t open_pool(mete_system_t *system, mete_arena_t *storage, size_t index,
                           size_t block_size)
{
    const mete_system_pool_t *const wanted = &system->config->pools[index];
    pool_t *const pool = &system->pools[index];
    pool->config.block_size = block_size;
    pool->config.block_count = wanted->block_count;
    pool->config.links = take(storage, wanted->block_count, sizeof(uint16_t));
    pool->config.blocks = take(storage, wanted->block_count, block_size);
    if ((pool->config.links == NULL) || (pool->config.blocks == NULL)) {
        return METE_SYSTEM_STORAGE_SMALL;
    }
    return mete_pool_init(&pool->pool, &pool->config) ? METE_SYSTEM_NO_PROBLEM
                                                      : METE_SYSTEM_POOLS_WRONG;
}

static bool are_legal(config_t config)
{
    size_t last = 0U;
    for (size_t i = 0U; i < config->pool_count; i++) {
        const mete_system_pool_t *const pool = &config->pools[i];
        if ((pool->block_size <= last) || (pool->block_size > config->storage.size) ||
            (pool->block_count == 0U) || (pool->block_count > METE_POOL_BLOCK_COUNT_MAX)) {
            return false;
        }
        last = pool->block_size;
    }
    return true;
}

// A tier of pools whose blocks hold block_size bytes and what the parts add.
static problem_t open_pools(mete_system_t *system, mete_arena_t *storage)
{
    static const mete_alloc_ops_t nobody = {refuse, refuse_release, NULL, owns_none, NULL};
    const config_t config = system->config;
    const size_t count = config->pool_count;
    system->views[METE_SYSTEM_FIXED] = (mete_alloc_t){&nobody, system};
    if (count == 0U) {
        return METE_SYSTEM_NO_PROBLEM;
    }
    if (!are_legal(config)) {
        return METE_SYSTEM_POOLS_WRONG;
    }
    system->pools = take(storage, count, sizeof(pool_t));
    size_t *const sizes = take(storage, count, sizeof(size_t));
    mete_alloc_t *const members = take(storage, count, sizeof(mete_alloc_t));
    mete_tier_class_t *const classes = take(storage, count + 1U, sizeof(mete_tier_class_t));
    if ((system->pools == NULL) || (sizes == NULL) || (members == NULL) || (classes == NULL)) {
        return METE_SYSTEM_STORAGE_SMALL;
    }
    for (size_t i = 0U; i < count; i++) {
        sizes[i] = mete_align_up(
            mete_align_up(config->pools[i].block_size, 8U) + record_size_of(config), 8U);
        const problem_t problem = open_pool(system, storage, i, sizes[i]);
        if (problem != METE_SYSTEM_NO_PROBLEM) {
            return problem;
        }
        members[i] = mete_pool_as_alloc(&system->pools[i].pool);
    }
    mete_tier_config_t *const tier = &system->tier_config;
    tier->sizes = sizes;
    tier->counts = NULL;
    tier->class_count = count;
    tier->linear_count = 0U;
    tier->reach = 0U;
    tier->classes = classes;
    if (!mete_tier_init(&system->tier, members, (mete_alloc_t){NULL, NULL}, tier)) {
        return METE_SYSTEM_POOLS_WRONG;
    }
    system->views[METE_SYSTEM_FIXED] = mete_tier_as_alloc(&system->tier);
    return METE_SYSTEM_NO_PROBLEM;
}

// ---- Arenas and heap

// An arena of so many bytes; with 0 one that refuses everything.
static problem_t open_arena(mete_system_t *system, mete_arena_t *arena, mete_arena_t *storage,
                            size_t size, mete_system_pattern_t pattern)
{
    void *const start = (size != 0U) ? take(storage, 1U, size) : system;
    if (start == NULL) {
        return METE_SYSTEM_STORAGE_SMALL;
    }
    arena->refusals = 0U;
    (void)mete_arena_init(arena, (mete_span_t){start, size});
    system->views[pattern] = mete_arena_as_alloc(arena);
    return METE_SYSTEM_NO_PROBLEM;
}

// The heap has what is left, but for the states of its parts, or as much as the config says.
static problem_t open_heap(mete_system_t *system, mete_arena_t *storage)
{
    const config_t config = system->config;
    const size_t states_size = states_size_of(config);
    const size_t left = left_in(storage);
    const size_t size = ((config->heap_size != 0U) || (left < states_size)) ? config->heap_size
                                                                            : left - states_size;
    void *const start = take(storage, 1U, size);
    if (start == NULL) {
        return METE_SYSTEM_STORAGE_SMALL;
    }
    mete_heap_config_t *const heap = &system->heap_config;
    heap->storage.start = start;
    heap->storage.size = size;
    heap->search = config->search;
    heap->on_refusal = NULL;
    heap->on_refusal_self = NULL;
    system->heap = mete_heap_init(heap);
    if (system->heap == NULL) {
        return METE_SYSTEM_HEAP_WRONG;
    }
    system->views[METE_SYSTEM_VARIABLE] = mete_heap_as_alloc(system->heap);
    return METE_SYSTEM_NO_PROBLEM;
}

// ---- init

static problem_t open_allocators(mete_system_t *system, mete_arena_t *storage)
{
    const config_t config = system->config;
    problem_t problem =
        open_arena(system, &system->kept, storage, config->kept_size, METE_SYSTEM_KEPT);
    if (problem == METE_SYSTEM_NO_PROBLEM) {
        problem = open_arena(system, &system->scratch, storage, config->scratch_size,
                             METE_SYSTEM_TEMPORARY);
    }
    if (problem == METE_SYSTEM_NO_PROBLEM) {
        problem = open_pools(system, storage);
    }
    return (problem == METE_SYSTEM_NO_PROBLEM) ? open_heap(system, storage) : problem;
}

static bool are_beside_legal(config_t config)
{
    bool is_legal = (config->beside_count == 0U) || (config->beside != NULL);
    for (size_t i = 0U; is_legal && (i < config->beside_count); i++) {
        const mete_system_part_t *const part = config->beside[i].part;
        is_legal = (part != NULL) && (part->patterns == 0U);
    }
    return is_legal;
}

// In front of nothing: what it is told is what it is made of.
static bool make_beside(mete_system_t *system, const mete_system_part_t *part, const void *own,
                        void *state)
{
    mete_system_place_t place;
    place.inner.ops = NULL;
    place.inner.self = NULL;
    place.config = system->config;
    place.system = system;
    place.told_site = NULL;
    place.known_site = NULL;
    place.own = own;
    return part->init(state, &place, NULL);
}

static void *state_beside(const mete_system_t *system, size_t index)
{
    return (unsigned char *)system->beside + beside_size_of(system->config, index);
}

// All states are taken as one: so the first one's address leads to each.
static problem_t put_beside(mete_system_t *system, mete_arena_t *storage)
{
    const config_t config = system->config;
    const size_t count = config->beside_count;
    const size_t size = beside_size_of(config, count + 1U);
    system->beside = (size != 0U) ? take(storage, 1U, size) : system;
    if (system->beside == NULL) {
        return METE_SYSTEM_STORAGE_SMALL;
    }
    bool is_made = true;
    for (size_t i = 0U; is_made && (i <= count); i++) {
        const mete_system_part_t *const part = beside_of(config, i);
        const void *const own = (i < count) ? config->beside[i].own : config->protection_config;
        is_made = (part == NULL) || make_beside(system, part, own, state_beside(system, i));
    }
    return is_made ? METE_SYSTEM_NO_PROBLEM : METE_SYSTEM_PART_WRONG;
}

static problem_t open_all(mete_system_t *system, mete_arena_t *storage)
{
    problem_t problem = are_beside_legal(system->config) ? open_allocators(system, storage)
                                                         : METE_SYSTEM_PART_WRONG;
    for (int p = 0; (p < METE_SYSTEM_PATTERN_COUNT) && (problem == METE_SYSTEM_NO_PROBLEM); p++) {
        problem = put_in_front(system, storage, (mete_system_pattern_t)p);
    }
    return (problem == METE_SYSTEM_NO_PROBLEM) ? put_beside(system, storage) : problem;
}

mete_system_t *mete_system_init(const mete_system_config_t *config, mete_system_problem_t *problem)
{
    METE_ASSERT(config != NULL);
    problem_t found = METE_SYSTEM_STORAGE_SMALL;
    mete_arena_t storage;
    mete_system_t *const system =
        mete_arena_init(&storage, config->storage) ? take(&storage, 1U, sizeof *system) : NULL;
    if (system != NULL) {
        mete_words_fill(system, 0U, sizeof *system);
        system->config = config;
        found = open_all(system, &storage);
    }
    if (problem != NULL) {
        *problem = found;
    }
    return (found == METE_SYSTEM_NO_PROBLEM) ? system : NULL;
}

// ---- Use

mete_alloc_t mete_system_as_alloc(mete_system_t *system, mete_system_pattern_t pattern)
{
    METE_ASSERT((system != NULL) && ((uint32_t)pattern < METE_SYSTEM_PATTERN_COUNT));
    return system->views[pattern];
}

mete_arena_t *mete_system_scratch(mete_system_t *system)
{
    METE_ASSERT(system != NULL);
    return &system->scratch;
}

const mete_heap_t *mete_system_heap(const mete_system_t *system)
{
    METE_ASSERT(system != NULL);
    return system->heap;
}

const mete_pool_t *mete_system_pool(const mete_system_t *system, size_t index)
{
    METE_ASSERT(system != NULL);
    return (index < system->config->pool_count) ? &system->pools[index].pool : NULL;
}

void *mete_system_state_of(mete_system_t *system, mete_system_pattern_t pattern,
                           const mete_system_part_t *part)
{
    METE_ASSERT((system != NULL) && (part != NULL));
    void *state = NULL;
    for (size_t i = 0U; ((uint32_t)pattern < WATCHED_COUNT) && (i < METE_SYSTEM_PART_COUNT); i++) {
        state = (part_of(system->config, i) == part) ? system->states[pattern][i] : state;
    }
    return state;
}

void *mete_system_beside(const mete_system_t *system, size_t index)
{
    METE_ASSERT(system != NULL);
    return (index < system->config->beside_count) ? state_beside(system, index) : NULL;
}

struct mete_protection *mete_system_protection(const mete_system_t *system)
{
    METE_ASSERT(system != NULL);
    const config_t config = system->config;
    return (config->protection != NULL)
               ? (struct mete_protection *)state_beside(system, config->beside_count)
               : NULL;
}

static void read_pools(const mete_system_t *system, mete_system_usage_t *usage)
{
    usage->pools_total_size = 0U;
    usage->pools_in_use_size = 0U;
    for (size_t i = 0U; i < system->config->pool_count; i++) {
        const mete_pool_usage_t pool = mete_pool_usage(&system->pools[i].pool);
        usage->pools_total_size += pool.block_count * system->pools[i].config.block_size;
        usage->pools_in_use_size += pool.in_use * system->pools[i].config.block_size;
        usage->refusals += pool.refusals;
    }
}

void mete_system_read(const mete_system_t *system, mete_system_usage_t *usage)
{
    METE_ASSERT((system != NULL) && (usage != NULL));
    const mete_heap_usage_t heap = mete_heap_usage(system->heap);
    const mete_arena_usage_t kept = mete_arena_usage(&system->kept);
    const mete_arena_usage_t scratch = mete_arena_usage(&system->scratch);
    usage->heap_total_size = heap.total_size;
    usage->heap_in_use_size = heap.in_use_size;
    usage->kept_total_size = kept.total_size;
    usage->kept_in_use_size = kept.in_use_size;
    usage->scratch_total_size = scratch.total_size;
    usage->scratch_in_use_size = scratch.in_use_size;
    usage->refusals = heap.refusals + kept.refusals + scratch.refusals;
    read_pools(system, usage);
}

bool mete_system_check(const mete_system_t *system)
{
    METE_ASSERT(system != NULL);
    bool is_sound = mete_heap_check(system->heap) && mete_arena_check(&system->kept) &&
                    mete_arena_check(&system->scratch);
    for (size_t i = 0U; (i < system->config->pool_count) && is_sound; i++) {
        is_sound = mete_pool_check(&system->pools[i].pool);
    }
    return is_sound && ((system->config->pool_count == 0U) || mete_tier_check(&system->tier));
}
