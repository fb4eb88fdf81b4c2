// SPDX-License-Identifier: MIT OR Apache-2.0
//
// In each slab stand the links, then the blocks. One link per block does two jobs, as in a pool: for a
// free block it is the index of the next free block of its slab, or LINK_END; for a block in use it is
// LINK_LIVE. The links grow downwards from the first block, so that one address finds both.
//
// Everything else is in the caller's table, sorted by address, one entry a slab. So no address is
// followed that was read from a slab, and whether an address is ours is decided before anything is
// read there.
//
// Slabs that have a free block form a list by index, with `current` at its head. Only the head can
// become full by an alloc; it stays where it is until the next alloc moves on. A slab that was full
// and gets a block back goes behind the head. Indices change only when slabs are added or given back;
// then the list is made anew.
//
// How many blocks of a single slab are in use is not kept: the links tell whoever asks.

#include "mete/alloc/slab.h"

#include "mete/core/stride.h"

enum {
    LINK_END = METE_SLAB_BLOCK_COUNT_MAX,
    LINK_LIVE = 0xFF00,
    NO_SLAB = 0xFFFF,
};

_Static_assert((int)LINK_END < (int)LINK_LIVE, "a block index must not read as a mark");
_Static_assert(METE_SLAB_COUNT_MAX < (int)NO_SLAB, "a slab index must not read as none");

// What became of the attempt to find a free block.
typedef enum room { ROOM_FOUND, ROOM_NONE, ROOM_DAMAGED } room_t;

// The link of a block. ~index is -1 - index.
static inline uint16_t *link_of(const mete_slab_entry_t *slab, size_t index)
{
    return (uint16_t *)(slab->start + (~index * sizeof(uint16_t)));
}

static inline void *block_at(const mete_slab_t *cache, const mete_slab_entry_t *slab, size_t index)
{
    return (void *)(slab->start + (index * cache->block_size));
}

static size_t free_count(const mete_slab_t *cache)
{
    return (cache->slab_count * cache->block_count) - cache->in_use;
}

// ---- Sizes, all fixed by the config

// A slab's alignment: that of its blocks and of the links, which end where the blocks start.
static size_t slab_align(const mete_slab_config_t *config)
{
    return (config->align > sizeof(uint16_t)) ? config->align : sizeof(uint16_t);
}

static size_t links_size(const mete_slab_config_t *config)
{
    return mete_align_up(config->block_count * sizeof(uint16_t), slab_align(config));
}

static size_t slab_size(const mete_slab_config_t *config)
{
    return links_size(config) + (config->block_size * config->block_count);
}

// ---- The table

// Keeps the compiler from working out a value before it knows whether it is needed, which would cost
// one more instruction.
#define ON_THIS_PATH(value) __asm__("" : "+r"(value))

// The last slab that starts at or below an address; the first if there is none.
//
// Of n slabs let k be the largest power of two below n, or 1. The first compare decides between the
// first k and the last k of them, which start at `upper`; from there on there are k, which halve evenly.
static inline mete_slab_entry_t *slab_of(const mete_slab_t *cache, const void *address)
{
    mete_slab_entry_t *const upper = cache->upper;
    mete_slab_entry_t *slab = ((uintptr_t)address >= upper->start) ? upper : cache->table;
    for (size_t step = cache->step; step != 0U; step /= 2U) {
        if ((uintptr_t)address >= slab[step].start) {
            ON_THIS_PATH(step);
            slab += step;
        }
    }
    return slab;
}

static inline size_t index_of(const mete_slab_t *cache, const mete_slab_entry_t *slab,
                              const void *block)
{
    return mete_stride_index((uintptr_t)block - slab->start, cache->inverse, cache->rotation);
}

// The k of slab_of().
static size_t even_count(size_t slab_count)
{
    size_t power = 1U;
    while (2U * power < slab_count) {  // At most 16 times.
        power *= 2U;
    }
    return power;
}

static mete_slab_entry_t *upper_of(const mete_slab_t *cache)
{
    const size_t count = cache->slab_count;
    return &cache->table[(count != 0U) ? count - even_count(count) : 0U];
}

// Makes the list anew, in address order, and with it all that depends on where slabs stand in the table.
// Lower slabs serve first, so that the higher ones have a chance to become empty.
static void relink(mete_slab_t *cache)
{
    size_t next = NO_SLAB;
    for (size_t i = cache->slab_count; i != 0U; i--) {
        if (cache->table[i - 1U].first_free != LINK_END) {
            cache->table[i - 1U].next = (uint16_t)next;
            next = i - 1U;
        }
    }
    if (next == NO_SLAB) {  // One of the full is the head.
        cache->table[0].next = NO_SLAB;
        next = 0U;
    }
    cache->current = &cache->table[next];
    cache->step = even_count(cache->slab_count) / 2U;
    cache->upper = upper_of(cache);
}

// Without slabs, the first entry stands for one that has no blocks.
static void clear_table(mete_slab_t *cache)
{
    cache->slab_count = 0U;
    cache->block_count = 0U;
    cache->table[0].start = 0U;
    cache->table[0].first_free = LINK_END;
}

static void swap(mete_slab_entry_t *a, mete_slab_entry_t *b)
{
    const mete_slab_entry_t kept = *a;
    *a = *b;
    *b = kept;
}

// Where in the table a new slab belongs.
static size_t position_of(const mete_slab_t *cache, uintptr_t start)
{
    const mete_slab_entry_t *const below = slab_of(cache, (const void *)start);
    const size_t index = (size_t)(below - cache->table);
    return ((cache->slab_count != 0U) && (start >= below->start)) ? index + 1U : index;
}

// True if a slab that starts there shares no byte with those next to it in the table.
static bool is_apart(const mete_slab_t *cache, size_t position, uintptr_t start)
{
    const size_t size = slab_size(cache->config);
    const mete_slab_entry_t *const table = cache->table;
    return ((position == 0U) || (start - table[position - 1U].start >= size)) &&
           ((position == cache->slab_count) || (table[position].start - start >= size));
}

// ---- Adding slabs and giving them back

static void make_blocks(const mete_slab_t *cache, const mete_slab_entry_t *slab)
{
    const mete_slab_config_t *const config = cache->config;
    for (size_t i = 0U; i < config->block_count; i++) {
        const bool is_last = i + 1U == config->block_count;
        *link_of(slab, i) = (uint16_t)(is_last ? (size_t)LINK_END : i + 1U);
        if (config->construct != NULL) {
            config->construct(config->self, block_at(cache, slab, i));
        }
    }
}

// Puts a slab behind all others and brings it to its place.
static void insert(mete_slab_t *cache, const mete_slab_entry_t *slab, size_t position)
{
    const size_t last = cache->slab_count;
    cache->table[last] = *slab;
    for (size_t i = last; i > position; i--) {
        swap(&cache->table[i], &cache->table[i - 1U]);
    }
    cache->slab_count = last + 1U;
    cache->block_count = cache->config->block_count;
    if (cache->slab_count > cache->slab_count_peak) {
        cache->slab_count_peak = cache->slab_count;
    }
}

static room_t add_slab(mete_slab_t *cache)
{
    const mete_slab_config_t *const config = cache->config;
    if (cache->slab_count == config->slab_count) {
        return ROOM_NONE;
    }
    // The allocator behind may, to find memory, have this cache purged: nothing is known across the call.
    const uintptr_t memory = (uintptr_t)cache->backing.ops->acquire(
        cache->backing.self, slab_size(config), slab_align(config));
    if (memory == 0U) {
        return ROOM_NONE;
    }
    const mete_slab_entry_t slab = {memory + links_size(config), 0U, NO_SLAB};
    const size_t position = position_of(cache, slab.start);
    if ((METE_CHECK_LEVEL >= 1) && !is_apart(cache, position, slab.start)) {
        return ROOM_DAMAGED;
    }
    make_blocks(cache, &slab);
    insert(cache, &slab, position);
    relink(cache);
    return ROOM_FOUND;
}

static void give_back(mete_slab_t *cache, const mete_slab_entry_t *slab)
{
    const mete_slab_config_t *const config = cache->config;
    for (size_t i = 0U; (config->destruct != NULL) && (i < config->block_count); i++) {
        config->destruct(config->self, block_at(cache, slab, i));
    }
    cache->purge_total++;
    cache->backing.ops->release(cache->backing.self, (void *)(slab->start - links_size(config)),
                                slab_size(config), slab_align(config));
}

// ---- What must be true before a link is followed. True without a look at level 0.

static inline bool has_room(const mete_slab_t *cache, const mete_slab_entry_t *slab)
{
    return slab->first_free < cache->block_count;
}

static inline bool is_live(const mete_slab_t *cache, const mete_slab_entry_t *slab, size_t index)
{
    return (index < cache->block_count) && (*link_of(slab, index) == LINK_LIVE);
}

static size_t live_count(const mete_slab_t *cache, const mete_slab_entry_t *slab)
{
    size_t count = 0U;
    for (size_t i = 0U; i < cache->block_count; i++) {
        count += is_live(cache, slab, i) ? 1U : 0U;
    }
    return count;
}

// `block`, at `index` of its slab, can be freed. An index of NULL is never that of a block.
static inline bool is_held(const mete_slab_t *cache, const mete_slab_entry_t *slab, size_t index,
                           const void *block)
{
    return (METE_CHECK_LEVEL < 1) ? (block != NULL) : is_live(cache, slab, index);
}

// What is wrong with freeing the block at `index` of a slab.
__attribute__((unused)) static mete_fault_t fault_of(const mete_slab_t *cache,
                                                     const mete_slab_entry_t *slab, size_t index)
{
    if (index >= cache->block_count) {
        return METE_FAULT_FOREIGN;
    }
    const size_t link = *link_of(slab, index);
    return ((link < cache->block_count) || (link == LINK_END)) ? METE_FAULT_DOUBLE_FREE
                                                               : METE_FAULT_CORRUPT;
}

// Level 3 looks at everything after every operation.
static inline bool is_sound(const mete_slab_t *cache)
{
    return (METE_CHECK_LEVEL < 3) || mete_slab_check(cache);
}

// ---- The moves of a block

// The head of the list has no free block: moves on to the next slab, or adds one.
static room_t find_room(mete_slab_t *cache)
{
    const mete_slab_entry_t *const full = cache->current;
    const size_t next = full->next;
    if ((METE_CHECK_LEVEL >= 1) && (full->first_free != LINK_END)) {
        return ROOM_DAMAGED;
    }
    if (next == NO_SLAB) {
        const bool are_all_full = free_count(cache) == 0U;
        return ((METE_CHECK_LEVEL < 1) || are_all_full) ? add_slab(cache) : ROOM_DAMAGED;
    }
    mete_slab_entry_t *const slab = &cache->table[next];
    if ((METE_CHECK_LEVEL >= 1) && ((next >= cache->slab_count) || !has_room(cache, slab))) {
        return ROOM_DAMAGED;
    }
    cache->current = slab;
    return ROOM_FOUND;
}

static inline void *pop(mete_slab_t *cache, mete_slab_entry_t *slab, uint16_t *link)
{
    const size_t index = slab->first_free;
    slab->first_free = *link;
    *link = LINK_LIVE;
    cache->alloc_total++;
    const size_t in_use = cache->in_use + 1U;
    cache->in_use = in_use;
    if (in_use > cache->in_use_peak) {
        cache->in_use_peak = in_use;
    }
    return block_at(cache, slab, index);
}

// A slab that was full has a free block again: if it is not the head it goes behind it.
static inline void rejoin(mete_slab_t *cache, mete_slab_entry_t *slab)
{
    mete_slab_entry_t *const head = cache->current;
    if (slab != head) {
        slab->next = head->next;
        head->next = (uint16_t)(slab - cache->table);
    }
}

static inline void push(mete_slab_t *cache, mete_slab_entry_t *slab, size_t index)
{
    const uint16_t next = slab->first_free;
    *link_of(slab, index) = next;
    slab->first_free = (uint16_t)index;
    cache->in_use--;
    if (next == LINK_END) {
        rejoin(cache, slab);
    }
}

// ---- Public functions

static bool is_legal(const mete_slab_config_t *config)
{
    const bool has_numbers = (config->block_count - 1U < METE_SLAB_BLOCK_COUNT_MAX) &&
                             (config->slab_count - 1U < METE_SLAB_COUNT_MAX) &&
                             mete_align_is_legal(config->align) &&
                             (config->align <= SIZE_MAX / 8U) && (config->block_size != 0U) &&
                             mete_align_fits(config->block_size, config->align);
    return has_numbers && (config->table != NULL) &&
           (config->block_size <= (SIZE_MAX - links_size(config)) / config->block_count);
}

bool mete_slab_init(mete_slab_t *cache, mete_alloc_t backing, const mete_slab_config_t *config)
{
    METE_ASSERT(cache != NULL);
    if ((backing.ops == NULL) || (config == NULL) || !is_legal(config)) {
        return false;
    }
    cache->config = config;
    cache->backing = backing;
    cache->table = config->table;
    cache->block_size = config->block_size;
    cache->rotation = mete_stride_rotation(config->block_size);
    cache->inverse = mete_stride_inverse(config->block_size >> cache->rotation);
    cache->in_use = 0U;
    cache->in_use_peak = 0U;
    cache->alloc_total = 0U;
    cache->slab_count_peak = 0U;
    cache->purge_total = 0U;
    cache->refusals = 0U;
    clear_table(cache);
    relink(cache);
    METE_ASSERT(mete_slab_check(cache));
    return true;
}

METE_DIRECT void *mete_slab_alloc(mete_slab_t *cache)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    if (!METE_LIKELY(has_room(cache, cache->current))) {
        const room_t room = find_room(cache);
        if (room != ROOM_FOUND) {
            cache->refusals += (room == ROOM_NONE) ? 1U : 0U;
            if (room == ROOM_DAMAGED) {
                METE_FAULT(METE_FAULT_CORRUPT, cache, NULL);
            }
            return NULL;
        }
    }
    mete_slab_entry_t *const slab = cache->current;
    uint16_t *const link = link_of(slab, slab->first_free);
    if ((METE_CHECK_LEVEL >= 1) && !METE_LIKELY(*link != LINK_LIVE)) {
        METE_FAULT(METE_FAULT_CORRUPT, cache, NULL);
        return NULL;
    }
    void *const block = pop(cache, slab, link);
    if (!is_sound(cache)) {
        METE_FAULT(METE_FAULT_CORRUPT, cache, NULL);
    }
    return block;
}

METE_DIRECT void mete_slab_free(mete_slab_t *cache, void *block)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    mete_slab_entry_t *const slab = slab_of(cache, block);
    const size_t index = index_of(cache, slab, block);
    if (METE_LIKELY(is_held(cache, slab, index, block))) {
        push(cache, slab, index);
    } else if (block != NULL) {
        METE_FAULT(fault_of(cache, slab, index), cache, block);
        return;
    }
    if (!is_sound(cache)) {
        METE_FAULT(METE_FAULT_CORRUPT, cache, NULL);
    }
}

bool mete_slab_reserve(mete_slab_t *cache, size_t block_count)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    room_t room = ROOM_FOUND;
    // Counted: if the allocator behind has purged what was just added, this would not end.
    for (size_t left = cache->config->slab_count;
         (left != 0U) && (room == ROOM_FOUND) && (free_count(cache) < block_count); left--) {
        room = add_slab(cache);
    }
    if ((room == ROOM_DAMAGED) || !is_sound(cache)) {
        METE_FAULT(METE_FAULT_CORRUPT, cache, NULL);
        return false;
    }
    const bool has_enough = free_count(cache) >= block_count;
    cache->refusals += has_enough ? 0U : 1U;
    return has_enough;
}

size_t mete_slab_purge(mete_slab_t *cache)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    if ((METE_CHECK_LEVEL >= 1) && !mete_slab_check(cache)) {
        METE_FAULT(METE_FAULT_CORRUPT, cache, NULL);
        return 0U;
    }
    const size_t count = cache->slab_count;
    size_t kept = 0U;
    for (size_t i = 0U; i < count; i++) {
        if (live_count(cache, &cache->table[i]) == 0U) {
            give_back(cache, &cache->table[i]);
        } else {
            swap(&cache->table[kept], &cache->table[i]);
            kept++;
        }
    }
    cache->slab_count = kept;
    if (kept == 0U) {
        clear_table(cache);
    }
    relink(cache);
    METE_ASSERT(mete_slab_check(cache));
    return count - kept;
}

bool mete_slab_owns(const mete_slab_t *cache, const void *address)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    const uintptr_t start = slab_of(cache, address)->start;
    return (uintptr_t)address - start < cache->block_size * cache->block_count;
}

// The whole is divided first where the product might not fit 32 bits.
static uint16_t permille_of(size_t part, size_t whole)
{
    if (whole == 0U) {
        return 0U;
    }
    return (uint16_t)((whole < 4000000U) ? (part * 1000U) / whole
                                         : part / ((whole + 999U) / 1000U));
}

mete_slab_usage_t mete_slab_usage(const mete_slab_t *cache)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    mete_slab_usage_t usage;
    usage.slab_count = cache->slab_count;
    usage.slab_count_peak = cache->slab_count_peak;
    usage.purge_total = cache->purge_total;
    usage.block_count = cache->slab_count * cache->block_count;
    usage.in_use = cache->in_use;
    usage.in_use_peak = cache->in_use_peak;
    usage.alloc_total = cache->alloc_total;
    usage.free_total = cache->alloc_total - cache->in_use;
    usage.refusals = cache->refusals;
    usage.in_use_permille = permille_of(usage.in_use, usage.block_count);
    return usage;
}

mete_slab_one_t mete_slab_usage_one(const mete_slab_t *cache, size_t index)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL));
    const bool is_there = index < cache->slab_count;
    const mete_slab_entry_t *const slab = &cache->table[is_there ? index : 0U];
    mete_slab_one_t one;
    one.start = is_there ? block_at(cache, slab, 0U) : NULL;
    one.block_count = is_there ? cache->block_count : 0U;
    one.in_use = is_there ? live_count(cache, slab) : 0U;
    one.in_use_permille = permille_of(one.in_use, one.block_count);
    return one;
}

bool mete_slab_walk(const mete_slab_t *cache,
                    bool (*visit)(void *self, const mete_slab_block_t *block), void *self)
{
    METE_ASSERT((cache != NULL) && (cache->config != NULL) && (visit != NULL));
    for (size_t at = 0U; at < cache->slab_count; at++) {
        const mete_slab_entry_t *const slab = &cache->table[at];
        for (size_t i = 0U; i < cache->block_count; i++) {
            const mete_slab_block_t block = {block_at(cache, slab, i), cache->block_size,
                                             is_live(cache, slab, i)};
            if (!visit(self, &block)) {
                return false;
            }
        }
    }
    return true;
}

// ---- check(): every truth that stands in two places

// The cache's own copies say what the config and the number of slabs say.
static bool agrees_with_config(const mete_slab_t *cache)
{
    const mete_slab_config_t *const config = cache->config;
    const size_t block_count = (cache->slab_count != 0U) ? config->block_count : 0U;
    return (cache->table == config->table) && (cache->block_size == config->block_size) &&
           (cache->block_count == block_count) && (cache->slab_count <= config->slab_count) &&
           (cache->rotation == mete_stride_rotation(config->block_size)) &&
           ((config->block_size >> cache->rotation) * cache->inverse == 1U) &&
           (cache->step == even_count(cache->slab_count) / 2U) && (cache->upper == upper_of(cache));
}

static bool is_table_sorted(const mete_slab_t *cache)
{
    const mete_slab_entry_t *const table = cache->table;
    size_t i = 1U;
    while ((i < cache->slab_count) && (table[i].start > table[i - 1U].start) &&
           (table[i].start - table[i - 1U].start >= slab_size(cache->config))) {
        i++;
    }
    return i >= cache->slab_count;
}

// Walks a slab's free list no further than it can be long, so that a cycle cannot hold us. A live block
// in the list ends the walk too: LINK_LIVE is beyond every index.
static bool is_slab_sound(const mete_slab_t *cache, const mete_slab_entry_t *slab)
{
    size_t count = 0U;
    for (size_t i = slab->first_free; i != LINK_END; i = *link_of(slab, i)) {
        if ((i >= cache->block_count) || (count == cache->block_count)) {
            return false;
        }
        count++;
    }
    return live_count(cache, slab) + count == cache->block_count;
}

// Counts the slabs of the list behind its head, all of which have room; more than there are if the list
// is not sound.
static size_t listed_count(const mete_slab_t *cache)
{
    size_t count = 0U;
    size_t i = cache->current->next;
    while ((i < cache->slab_count) && (count < cache->slab_count) &&
           has_room(cache, &cache->table[i])) {
        i = cache->table[i].next;
        count++;
    }
    return (i == NO_SLAB) ? count : cache->slab_count + 1U;
}

// The list holds its head and all others that have room.
static bool is_list_sound(const mete_slab_t *cache)
{
    const size_t head = (size_t)(cache->current - cache->table);
    if (head >= cache->slab_count + ((cache->slab_count == 0U) ? 1U : 0U)) {
        return false;
    }
    size_t room_count = 0U;
    for (size_t i = 0U; i < cache->slab_count; i++) {
        room_count += ((i != head) && has_room(cache, &cache->table[i])) ? 1U : 0U;
    }
    return listed_count(cache) == room_count;
}

bool mete_slab_check(const mete_slab_t *cache)
{
    METE_ASSERT(cache != NULL);
    if ((cache->config == NULL) || !agrees_with_config(cache) || !is_table_sorted(cache) ||
        !is_list_sound(cache)) {
        return false;
    }
    size_t in_use = 0U;
    size_t i = 0U;
    while ((i < cache->slab_count) && is_slab_sound(cache, &cache->table[i])) {
        in_use += live_count(cache, &cache->table[i]);
        i++;
    }
    return (i == cache->slab_count) && (in_use == cache->in_use) &&
           (in_use <= cache->in_use_peak) && (i <= cache->slab_count_peak);
}

// ---- The cache as an allocator

static bool can_hold(const mete_slab_t *cache, size_t size, size_t align)
{
    return (size - 1U < cache->block_size) && (align <= cache->config->align);
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_slab_t *const cache = (mete_slab_t *)self;
    if (!can_hold(cache, size, align)) {
        cache->refusals++;
        return NULL;
    }
    return mete_slab_alloc(cache);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_slab_t *const cache = (mete_slab_t *)self;
    if ((METE_CHECK_LEVEL >= 1) && !can_hold(cache, size, align)) {
        METE_FAULT(METE_FAULT_SIZE, cache, block);
        return;
    }
    mete_slab_free(cache, block);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_slab_t *const cache = (const mete_slab_t *)self;
    const mete_slab_entry_t *const slab = slab_of(cache, block);
    const size_t index = index_of(cache, slab, block);
    if ((METE_CHECK_LEVEL >= 1) && !is_live(cache, slab, index)) {
        METE_FAULT(fault_of(cache, slab, index), cache, block);
        return false;
    }
    if ((METE_CHECK_LEVEL >= 1) && !can_hold(cache, old_size, align)) {
        METE_FAULT(METE_FAULT_SIZE, cache, block);
        return false;
    }
    return new_size <= cache->block_size;
}

static bool owns(const void *self, const void *address)
{
    return mete_slab_owns((const mete_slab_t *)self, address);
}

static size_t size_of(const void *self, const void *block)
{
    (void)block;
    return ((const mete_slab_t *)self)->block_size;
}

mete_alloc_t mete_slab_as_alloc(mete_slab_t *cache)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, size_of};
    const mete_alloc_t alloc = {&ops, cache};
    return alloc;
}
