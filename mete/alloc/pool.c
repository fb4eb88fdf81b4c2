// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One link per block does two jobs. For a free block it is the index of the next free block, or
// LINK_END. For a block in use it is LINK_LIVE. Hence freeing can tell a live block from a free
// one in one read, which is what makes double-free detection exact rather than probable.
//
// Only blocks that came back are in the list. Those that never were out follow behind `opened`, in
// order, and one of them is opened only when the list is empty. So init need not write the links,
// and whenever a block is opened all that were opened before are in use: `opened` is the peak, and
// a list that ends at any other time is damaged.

#include "mete/alloc/pool.h"

#include "mete/core/stride.h"

enum {
    LINK_END = METE_POOL_BLOCK_COUNT_MAX,
    LINK_LIVE = 0xFF00,  // Both are numbers that Thumb-2 compares with in one instruction.
};

// Keeps the compiler from mixing the steps before with those behind. Mixed they need one register
// more than a call may use freely, and to save it costs more than is won.
#define IN_ORDER() __asm__("" ::: "memory")

_Static_assert((int)LINK_END < (int)LINK_LIVE, "a block index must not read as a mark");
_Static_assert(sizeof(size_t) == sizeof(uintptr_t), "offsets of blocks are sizes");

static inline size_t in_use_of(const mete_pool_t *pool)
{
    return pool->alloc_total - pool->free_total;
}

static inline void *block_at(const mete_pool_t *pool, size_t index)
{
    return (void *)(pool->blocks + (index * pool->block_size));
}

// The index of the block that starts at `address`; of no block: a number not below their count.
static inline size_t index_of(const mete_pool_t *pool, const void *address)
{
    const uintptr_t product = ((uintptr_t)address - pool->blocks) * pool->inverse;
    IN_ORDER();
    return mete_stride_rotate(product, pool->rotation);
}

static bool is_legal(const mete_pool_config_t *config)
{
    const bool has_numbers = (config->block_size != 0U) && (config->block_count != 0U) &&
                             (config->block_count <= METE_POOL_BLOCK_COUNT_MAX) &&
                             (config->block_size <= SIZE_MAX / config->block_count);
    return has_numbers && (config->blocks != NULL) && (config->links != NULL) &&
           (config->block_size * config->block_count <= UINTPTR_MAX - (uintptr_t)config->blocks);
}

bool mete_pool_init(mete_pool_t *pool, const mete_pool_config_t *config)
{
    METE_ASSERT(pool != NULL);
    if ((config == NULL) || !is_legal(config)) {
        return false;
    }
    // Field by field: a whole-struct assignment may become a call to memset(), which is libc.
    pool->config = config;
    pool->blocks = (uintptr_t)config->blocks;
    pool->block_size = config->block_size;
    pool->rotation = mete_stride_rotation(config->block_size);
    pool->inverse = mete_stride_inverse(config->block_size >> pool->rotation);
    pool->links = config->links;
    pool->block_count = config->block_count;
    pool->first_free = LINK_END;
    pool->opened = 0U;
    pool->alloc_total = 0U;
    pool->free_total = 0U;
    pool->refusals = 0U;
    METE_ASSERT(mete_pool_check(pool));
    return true;
}

// ---- What must be true before a link is followed. True without a look at level 0.

static inline bool has_listed(const mete_pool_t *pool)
{
    return pool->first_free < pool->opened;
}

// The first block of the list is free; or the list ends because nothing is left in it.
static inline bool is_list_sound(const mete_pool_t *pool)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    return has_listed(pool) ? (pool->links[pool->first_free] != LINK_LIVE)
                            : ((pool->first_free == LINK_END) && (in_use_of(pool) == pool->opened));
}

static inline bool is_live(const mete_pool_t *pool, size_t index)
{
    return (index < pool->opened) && (pool->links[index] == LINK_LIVE);
}

// `block`, at `index`, can be freed. An index of NULL is never that of a block.
static inline bool is_held(const mete_pool_t *pool, size_t index, const void *block)
{
    return (METE_CHECK_LEVEL < 1) ? (block != NULL) : is_live(pool, index);
}

// What is wrong with freeing the block at `index`. A live one occurred twice in a batch.
__attribute__((unused)) static mete_fault_t fault_of(const mete_pool_t *pool, size_t index)
{
    if (index >= pool->block_count) {
        return METE_FAULT_FOREIGN;
    }
    const size_t link = pool->links[index];
    const bool is_sound_link = (link < pool->opened) || (link == LINK_END) || (link == LINK_LIVE);
    return ((index >= pool->opened) || is_sound_link) ? METE_FAULT_DOUBLE_FREE : METE_FAULT_CORRUPT;
}

// Level 3 looks at everything after every operation.
static inline bool is_sound(const mete_pool_t *pool)
{
    return (METE_CHECK_LEVEL < 3) || mete_pool_check(pool);
}

// ---- The moves of a block

static inline void *hand_out(mete_pool_t *pool, size_t index)
{
    pool->links[index] = LINK_LIVE;
    IN_ORDER();
    pool->alloc_total++;
    IN_ORDER();
    return block_at(pool, index);
}

static inline void *pop(mete_pool_t *pool)
{
    const size_t index = pool->first_free;
    pool->first_free = pool->links[index];
    return hand_out(pool, index);
}

// Hands out a block that never was out, or refuses if there is none.
static inline void *open_next(mete_pool_t *pool)
{
    const size_t index = pool->opened;
    if (index >= pool->block_count) {
        pool->refusals++;
        return NULL;
    }
    pool->opened = index + 1U;
    IN_ORDER();
    return hand_out(pool, index);
}

static inline void push(mete_pool_t *pool, size_t index)
{
    pool->links[index] = (uint16_t)pool->first_free;
    pool->first_free = index;
    pool->free_total++;
}

// Puts what the last `count` calls of pop() handed out back, last first: as if nothing had happened.
// No block was opened among them: the list comes first, and it is the list that is damaged.
static void undo_pop_many(mete_pool_t *pool, void *const blocks[], size_t count)
{
    for (size_t i = count; i != 0U; i--) {
        const size_t index = index_of(pool, blocks[i - 1U]);
        pool->links[index] = (uint16_t)pool->first_free;
        pool->first_free = index;
    }
    pool->alloc_total -= count;
}

// Takes what was pushed for the first `count` of `blocks` back from the list, last first.
static void undo_push_many(mete_pool_t *pool, void *const blocks[], size_t count)
{
    for (size_t i = count; i != 0U; i--) {
        if (blocks[i - 1U] != NULL) {
            const size_t index = pool->first_free;
            pool->first_free = pool->links[index];
            pool->links[index] = LINK_LIVE;
            pool->free_total--;
        }
    }
}

// ---- Public functions

METE_DIRECT void *mete_pool_alloc(mete_pool_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    if (!METE_LIKELY(is_list_sound(pool))) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
        return NULL;
    }
    void *const block = METE_LIKELY(has_listed(pool)) ? pop(pool) : open_next(pool);
    if (!is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
    }
    return block;
}

METE_DIRECT void mete_pool_free(mete_pool_t *pool, void *block)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const size_t index = index_of(pool, block);
    if (METE_LIKELY(is_held(pool, index, block))) {
        push(pool, index);
    } else if (block != NULL) {
        METE_FAULT(fault_of(pool, index), pool, block);
        return;
    }
    if (!is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
    }
}

METE_DIRECT bool mete_pool_alloc_many(mete_pool_t *pool, void *blocks[], size_t count)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL) && ((blocks != NULL) || (count == 0U)));
    if (count > pool->block_count - in_use_of(pool)) {
        pool->refusals++;
        return false;
    }
    for (size_t i = 0U; i < count; i++) {
        if (!is_list_sound(pool)) {
            undo_pop_many(pool, blocks, i);
            METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
            return false;
        }
        blocks[i] = has_listed(pool) ? pop(pool) : open_next(pool);
    }
    if (!is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
    }
    return true;
}

METE_DIRECT void mete_pool_free_many(mete_pool_t *pool, void *const blocks[], size_t count)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL) && ((blocks != NULL) || (count == 0U)));
    for (size_t i = 0U; i < count; i++) {
        const size_t index = index_of(pool, blocks[i]);
        if (is_held(pool, index, blocks[i])) {
            push(pool, index);
        } else if (blocks[i] != NULL) {
            undo_push_many(pool, blocks, i);
            METE_FAULT(fault_of(pool, index), pool, blocks[i]);
            return;
        }
    }
    if (!is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
    }
}

bool mete_pool_owns(const mete_pool_t *pool, const void *address)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    return (uintptr_t)address - pool->blocks < pool->block_size * pool->block_count;
}

mete_pool_usage_t mete_pool_usage(const mete_pool_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const size_t in_use = in_use_of(pool);
    const size_t block_count = pool->block_count;
    const uint32_t whole =
        (block_count != 0U) ? (uint32_t)block_count : 1U;  // 0: it was never made.
    const uint16_t permille = (uint16_t)(((uint32_t)in_use * 1000U) / whole);
    const mete_pool_usage_t usage = {block_count,       in_use,           pool->opened,
                                     pool->alloc_total, pool->free_total, pool->refusals,
                                     permille};
    return usage;
}

bool mete_pool_walk(const mete_pool_t *pool,
                    bool (*visit)(void *self, const mete_pool_block_t *block), void *self)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL) && (visit != NULL));
    for (size_t i = 0U; i < pool->block_count; i++) {
        const mete_pool_block_t block = {block_at(pool, i), pool->block_size, is_live(pool, i)};
        if (!visit(self, &block)) {
            return false;
        }
    }
    return true;
}

// The pool's own copies say what the config says.
static bool agrees_with_config(const mete_pool_t *pool)
{
    const mete_pool_config_t *const config = pool->config;
    return (config != NULL) && (pool->blocks == (uintptr_t)config->blocks) &&
           (pool->links == config->links) && (pool->block_size == config->block_size) &&
           (pool->rotation == mete_stride_rotation(config->block_size)) &&
           ((config->block_size >> pool->rotation) * pool->inverse == 1U) &&
           (pool->block_count == config->block_count) && (pool->opened <= pool->block_count);
}

bool mete_pool_check(const mete_pool_t *pool)
{
    METE_ASSERT(pool != NULL);
    if (!agrees_with_config(pool)) {
        return false;
    }
    size_t live_count = 0U;
    for (size_t i = 0U; i < pool->opened; i++) {
        live_count += is_live(pool, i) ? 1U : 0U;
    }
    // Walk the free list no further than it can be long, so that a cycle cannot hold us. A live
    // block in the list ends the walk too: LINK_LIVE is beyond every index.
    size_t free_count = 0U;
    for (size_t i = pool->first_free; i != LINK_END; i = pool->links[i]) {
        if ((i >= pool->opened) || (free_count == pool->opened)) {
            return false;
        }
        free_count++;
    }
    return (live_count == in_use_of(pool)) && (live_count + free_count == pool->opened);
}

// ---- The pool as an allocator

// Every block has an alignment only if the first one and the distance between them have it.
static bool can_hold(const mete_pool_t *pool, size_t size, size_t align)
{
    return (size - 1U < pool->block_size) &&
           mete_align_fits(pool->blocks | pool->block_size, align);
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_pool_t *const pool = (mete_pool_t *)self;
    if (!can_hold(pool, size, align)) {
        pool->refusals++;
        return NULL;
    }
    return mete_pool_alloc(pool);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_pool_t *const pool = (mete_pool_t *)self;
    if ((METE_CHECK_LEVEL >= 1) && !can_hold(pool, size, align)) {
        METE_FAULT(METE_FAULT_SIZE, pool, block);
        return;
    }
    mete_pool_free(pool, block);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_pool_t *const pool = (const mete_pool_t *)self;
    const size_t index = index_of(pool, block);
    if ((METE_CHECK_LEVEL >= 1) && !is_live(pool, index)) {
        METE_FAULT(fault_of(pool, index), pool, block);
        return false;
    }
    if ((METE_CHECK_LEVEL >= 1) && !can_hold(pool, old_size, align)) {
        METE_FAULT(METE_FAULT_SIZE, pool, block);
        return false;
    }
    return new_size <= pool->block_size;
}

static bool owns(const void *self, const void *address)
{
    return mete_pool_owns((const mete_pool_t *)self, address);
}

static size_t size_of(const void *self, const void *block)
{
    (void)block;
    return ((const mete_pool_t *)self)->block_size;
}

mete_alloc_t mete_pool_as_alloc(mete_pool_t *pool)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, size_of};
    const mete_alloc_t alloc = {&ops, pool};
    return alloc;
}
