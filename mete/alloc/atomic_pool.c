// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two lists of free blocks, each a stack under one word: the index of its first block, and above that
// a tag. (R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM RJ 5118, 1986; the tag is
// that of IBM's System/370 Principles of Operation.) Whoever takes the first block reads its link and
// then replaces the word, which fails if it is not the word that was read. The tag makes it another
// word when the block was gone in the meantime, and came back with another link behind it. It counts
// frees: a block comes back only by one. So it is a statistic as well.
//
// One link per block does two jobs. For a free block it is the index of the next free block, or the end
// mark. For a block in use it is LINK_LIVE. To free a block is first to replace that mark, which only
// one of several callers can do: that is what makes double-free detection exact. The winner owns the
// link until the block is in the list.
//
// A block is handed out after it was marked, and taken back before: so between the two steps of
// either, it is a free block to everybody else.

#include "mete/alloc/atomic_pool.h"

#include "mete/core/atomic.h"
#include "mete/core/stride.h"

#define LINK_LIVE SIZE_MAX  // Beyond every index and every end mark.

// What is not the index of a block. Both are beyond every mask.
#define NO_BLOCK SIZE_MAX
#define DAMAGED  (SIZE_MAX - 1U)

_Static_assert(sizeof(size_t) == sizeof(uintptr_t), "offsets of blocks are sizes");
_Static_assert((SIZE_MAX >> 16) >= METE_ATOMIC_POOL_BLOCK_COUNT_MAX, "a tag has at least 16 bits");

// Tells the compiler what follows from the limits of a config: then callers need not look again.
#define ASSUME(condition) ((condition) ? (void)0 : __builtin_unreachable())

// Keeps the compiler from mixing the steps before with those behind, which would need more registers.
#define IN_ORDER() __asm__("" ::: "memory")

static inline void *block_at(const mete_atomic_pool_t *pool, size_t index)
{
    return (void *)(pool->blocks + (index * pool->block_size));
}

static inline size_t index_of(const mete_atomic_pool_t *pool, const void *address)
{
    const uintptr_t product = ((uintptr_t)address - pool->blocks) * pool->inverse;
    IN_ORDER();
    return mete_stride_rotate(product, pool->rotation);
}

static inline bool is_live(const mete_atomic_pool_t *pool, size_t index)
{
    return mete_atomic_load_relaxed(&pool->links[index]) == LINK_LIVE;
}

static inline size_t *list_of(mete_atomic_pool_t *pool, size_t index)
{
    return (index < pool->reserved_count) ? &pool->reserved : &pool->common;
}

// ---- Init

static bool is_legal(const mete_atomic_pool_config_t *config)
{
    const bool has_numbers = (config->block_size != 0U) && (config->block_count != 0U) &&
                             (config->block_count <= METE_ATOMIC_POOL_BLOCK_COUNT_MAX) &&
                             (config->reserved_count <= config->block_count) &&
                             (config->block_size <= SIZE_MAX / config->block_count);
    return has_numbers && (config->blocks != NULL) && (config->links != NULL) &&
           (config->block_size * config->block_count <= UINTPTR_MAX - (uintptr_t)config->blocks);
}

// The smallest row of ones that is not below the count, so that it can be the end mark.
static size_t mask_for(size_t block_count)
{
    return SIZE_MAX >> (METE_STRIDE_WORD_BITS - 32U + mete_bits_clz((uint32_t)block_count));
}

// The blocks from `first` up to `end` as a list in this order, with tag 0.
static size_t make_list(const mete_atomic_pool_t *pool, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        pool->links[i] = (i + 1U < end) ? i + 1U : pool->mask;
    }
    return (first < end) ? first : pool->mask;
}

bool mete_atomic_pool_init(mete_atomic_pool_t *pool, const mete_atomic_pool_config_t *config)
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
    pool->reserved_count = config->reserved_count;
    pool->mask = mask_for(config->block_count);
    pool->reserved = make_list(pool, 0U, config->reserved_count);
    pool->common = make_list(pool, config->reserved_count, config->block_count);
    pool->in_use = 0U;
    pool->in_use_peak = 0U;
    pool->refusals = 0U;
    METE_ASSERT(mete_atomic_pool_check(pool));
    return true;
}

// ---- The lists

// Takes the first block of a list. A link that is not one of a free block is damage, but only if the
// block is still on top: else somebody has taken it since, and the link is his. He stores his mark with
// release; looked at once more, with acquire, it does not let us see the list as it was before.
static inline size_t pop(mete_atomic_pool_t *pool, size_t *list)
{
    size_t pauses = 0U;
    size_t top = mete_atomic_load_acquire(list);
    for (;;) {  // Each repeat is another caller's progress.
        const size_t index = top & pool->mask;
        if (index >= pool->block_count) {
            return ((METE_CHECK_LEVEL < 1) || (index == pool->mask)) ? NO_BLOCK : DAMAGED;
        }
        ASSUME(index < DAMAGED);
        const size_t next = mete_atomic_load_relaxed(&pool->links[index]);
        const bool is_free = (METE_CHECK_LEVEL < 1) || (next <= pool->mask);
        if (METE_LIKELY(is_free && mete_atomic_replace_relaxed(list, top, (top - index) + next))) {
            return index;
        }
        const size_t seen = top;
        const bool is_none =
            !is_free && (mete_atomic_load_acquire(&pool->links[index]) > pool->mask);
        mete_atomic_wait(&pauses);
        top = mete_atomic_load_acquire(list);
        if (is_none && (top == seen)) {
            return DAMAGED;
        }
    }
}

// Puts a block on top of the list. Its link is ours, and says what is the index in `top`. In `new_top` the
// tag has gone up by one, and the index is the block's.
static inline void push(mete_atomic_pool_t *pool, size_t *list, size_t *link, size_t index,
                        size_t top, size_t new_top)
{
    size_t pauses = 0U;
    while (!mete_atomic_replace_release(list, top, new_top)) {
        mete_atomic_wait(&pauses);
        top = mete_atomic_load_relaxed(list);  // Another caller's progress.
        mete_atomic_store_relaxed(link, top & pool->mask);
        new_top = (top | pool->mask) + 1U + index;
    }
}

// A reserved block, or any. None only if the reserved list stood empty the whole time that the other
// was looked at: a free in between would have changed its tag.
static size_t pop_either(mete_atomic_pool_t *pool)
{
    for (;;) {  // Each repeat is another caller's progress.
        const size_t reserved = mete_atomic_load_relaxed(&pool->reserved);
        size_t index = pop(pool, &pool->reserved);
        if (index == NO_BLOCK) {
            index = pop(pool, &pool->common);
        }
        if ((index != NO_BLOCK) || (mete_atomic_load_acquire(&pool->reserved) == reserved)) {
            return index;
        }
    }
}

// ---- Counters

static inline void *hand_out(mete_atomic_pool_t *pool, size_t index)
{
    mete_atomic_store_release(&pool->links[index], LINK_LIVE);
    const size_t in_use = mete_atomic_add_relaxed(&pool->in_use, 1U);
    size_t peak = mete_atomic_load_relaxed(&pool->in_use_peak);
    while ((in_use > peak) && !mete_atomic_replace_relaxed(&pool->in_use_peak, peak, in_use)) {
        peak = mete_atomic_load_relaxed(&pool->in_use_peak);  // Another caller's progress.
    }
    return block_at(pool, index);
}

static inline void *refuse(mete_atomic_pool_t *pool)
{
    (void)mete_atomic_add_relaxed(&pool->refusals, 1U);
    return NULL;
}

// ---- What must be true of a block that is taken back. True without a look at level 0.

// `block` is the start of a block, at `index`. An index of NULL is never that of a block.
static inline bool is_ours(const mete_atomic_pool_t *pool, size_t index, const void *block)
{
    return (METE_CHECK_LEVEL < 1) ? (block != NULL) : (index < pool->block_count);
}

// Takes the mark of a live block from it; only one of several callers can. Its link is ours then.
static inline bool claim(size_t *link, size_t next)
{
    if (METE_CHECK_LEVEL < 1) {
        mete_atomic_store_relaxed(link, next);
        return true;
    }
    return mete_atomic_replace_relaxed(link, LINK_LIVE, next);
}

// What is wrong with freeing the block at `index`, which is not live.
__attribute__((unused)) static mete_fault_t fault_of(const mete_atomic_pool_t *pool, size_t index)
{
    if (index >= pool->block_count) {
        return METE_FAULT_FOREIGN;
    }
    const size_t link = mete_atomic_load_relaxed(&pool->links[index]);
    const bool is_sound_link = (link < pool->block_count) || (link == pool->mask) ||
                               (link == LINK_LIVE);  // Handed out just now.
    return is_sound_link ? METE_FAULT_DOUBLE_FREE : METE_FAULT_CORRUPT;
}

// ---- Public functions

METE_DIRECT void *mete_atomic_pool_alloc(mete_atomic_pool_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const size_t index = pop(pool, &pool->common);
    if (METE_LIKELY(index < DAMAGED)) {
        return hand_out(pool, index);
    }
    if (index == DAMAGED) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
        return NULL;
    }
    return refuse(pool);
}

METE_DIRECT void *mete_atomic_pool_alloc_reserved(mete_atomic_pool_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const size_t index = pop_either(pool);
    if (METE_LIKELY(index < DAMAGED)) {
        return hand_out(pool, index);
    }
    if (index == DAMAGED) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
        return NULL;
    }
    return refuse(pool);
}

METE_DIRECT void mete_atomic_pool_free(mete_atomic_pool_t *pool, void *block)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const size_t index = index_of(pool, block);
    if (METE_LIKELY(is_ours(pool, index, block))) {
        size_t *const list = list_of(pool, index);
        const size_t top = mete_atomic_load_relaxed(list);
        const size_t next = top & pool->mask;
        const size_t new_top = (top | pool->mask) + 1U + index;
        size_t *const link = &pool->links[index];
        if (METE_LIKELY(claim(link, next))) {
            (void)mete_atomic_add_relaxed(&pool->in_use, SIZE_MAX);
            push(pool, list, link, index, top, new_top);
            return;
        }
    } else if (block == NULL) {
        return;
    }
    METE_FAULT(fault_of(pool, index), pool, block);
}

bool mete_atomic_pool_owns(const mete_atomic_pool_t *pool, const void *address)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    return (uintptr_t)address - pool->blocks < pool->block_size * pool->block_count;
}

mete_atomic_pool_usage_t mete_atomic_pool_usage(const mete_atomic_pool_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const size_t one = pool->mask + 1U;  // In the place of the tag.
    const size_t in_use = mete_atomic_load_relaxed(&pool->in_use);
    const size_t free_total = (mete_atomic_load_relaxed(&pool->common) / one +
                               mete_atomic_load_relaxed(&pool->reserved) / one);
    const size_t total_max = SIZE_MAX / one;
    const uint32_t whole =
        (pool->block_count != 0U) ? (uint32_t)pool->block_count : 1U;  // 0: it was never made.
    const mete_atomic_pool_usage_t usage = {pool->block_count,
                                            in_use,
                                            mete_atomic_load_relaxed(&pool->in_use_peak),
                                            (free_total + in_use) & total_max,
                                            free_total & total_max,
                                            total_max,
                                            mete_atomic_load_relaxed(&pool->refusals),
                                            (uint16_t)(((uint32_t)in_use * 1000U) / whole)};
    return usage;
}

bool mete_atomic_pool_walk(const mete_atomic_pool_t *pool,
                           bool (*visit)(void *self, const mete_atomic_pool_block_t *block),
                           void *self)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL) && (visit != NULL));
    for (size_t i = 0U; i < pool->block_count; i++) {
        const mete_atomic_pool_block_t block = {block_at(pool, i), pool->block_size,
                                                is_live(pool, i), i < pool->reserved_count};
        if (!visit(self, &block)) {
            return false;
        }
    }
    return true;
}

// ---- Check

// The pool's own copies say what the config says.
static bool agrees_with_config(const mete_atomic_pool_t *pool)
{
    const mete_atomic_pool_config_t *const config = pool->config;
    return (config != NULL) && (pool->blocks == (uintptr_t)config->blocks) &&
           (pool->links == config->links) && (pool->block_size == config->block_size) &&
           (pool->rotation == mete_stride_rotation(config->block_size)) &&
           ((config->block_size >> pool->rotation) * pool->inverse == 1U) &&
           (pool->block_count == config->block_count) &&
           (pool->reserved_count == config->reserved_count) &&
           (pool->mask == mask_for(config->block_count));
}

// The length of a list whose blocks are `first` up to `end`; SIZE_MAX if it is not one of them. Walks no
// further than it can be long, so that a cycle cannot hold us. A live block ends the walk too.
static size_t length_of(const mete_atomic_pool_t *pool, size_t list, size_t first, size_t end)
{
    size_t length = 0U;
    for (size_t i = list & pool->mask; i != pool->mask; i = pool->links[i]) {
        if ((i < first) || (i >= end) || (length == end - first)) {
            return SIZE_MAX;
        }
        length++;
    }
    return length;
}

bool mete_atomic_pool_check(const mete_atomic_pool_t *pool)
{
    METE_ASSERT(pool != NULL);
    if (!agrees_with_config(pool)) {
        return false;
    }
    const size_t reserved_count = pool->reserved_count;
    size_t live_count = 0U;
    for (size_t i = 0U; i < pool->block_count; i++) {
        live_count += is_live(pool, i) ? 1U : 0U;
    }
    const size_t reserved = length_of(pool, pool->reserved, 0U, reserved_count);
    const size_t common = length_of(pool, pool->common, reserved_count, pool->block_count);
    return (reserved != SIZE_MAX) && (common != SIZE_MAX) && (live_count == pool->in_use) &&
           (live_count + reserved + common == pool->block_count) &&
           (pool->in_use <= pool->in_use_peak) && (pool->in_use_peak <= pool->block_count);
}

// ---- The pool as an allocator

// Every block has an alignment only if the first one and the distance between them have it.
static bool can_hold(const mete_atomic_pool_t *pool, size_t size, size_t align)
{
    return (size - 1U < pool->block_size) &&
           mete_align_fits(pool->blocks | pool->block_size, align);
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_atomic_pool_t *const pool = (mete_atomic_pool_t *)self;
    return can_hold(pool, size, align) ? mete_atomic_pool_alloc(pool) : refuse(pool);
}

static void *acquire_reserved(void *self, size_t size, size_t align)
{
    mete_atomic_pool_t *const pool = (mete_atomic_pool_t *)self;
    return can_hold(pool, size, align) ? mete_atomic_pool_alloc_reserved(pool) : refuse(pool);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_atomic_pool_t *const pool = (mete_atomic_pool_t *)self;
    if ((METE_CHECK_LEVEL >= 1) && !can_hold(pool, size, align)) {
        METE_FAULT(METE_FAULT_SIZE, pool, block);
        return;
    }
    mete_atomic_pool_free(pool, block);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_atomic_pool_t *const pool = (const mete_atomic_pool_t *)self;
    const size_t index = index_of(pool, block);
    if ((METE_CHECK_LEVEL >= 1) && ((index >= pool->block_count) || !is_live(pool, index))) {
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
    return mete_atomic_pool_owns((const mete_atomic_pool_t *)self, address);
}

static size_t size_of(const void *self, const void *block)
{
    (void)block;
    return ((const mete_atomic_pool_t *)self)->block_size;
}

mete_alloc_t mete_atomic_pool_as_alloc(mete_atomic_pool_t *pool)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, size_of};
    const mete_alloc_t alloc = {&ops, pool};
    return alloc;
}

mete_alloc_t mete_atomic_pool_as_alloc_reserved(mete_atomic_pool_t *pool)
{
    static const mete_alloc_ops_t ops = {acquire_reserved, release, resize, owns, size_of};
    const mete_alloc_t alloc = {&ops, pool};
    return alloc;
}
