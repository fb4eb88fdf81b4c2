// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic pool, tested from inside, by one caller at a time: this file includes atomic_pool.c itself,
// so that it can spoil the bookkeeping on purpose. Several callers at a time are the matter of
// tests/verify.

#include "mete/alloc/atomic_pool.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

// A block size that is no power of two and no multiple of a word: nothing may depend on either.
enum { BLOCK_SIZE = 7, BLOCK_COUNT = 6, RESERVED_COUNT = 2, COMMON_COUNT = 4 };

typedef struct fixture {
    unsigned char before[BLOCK_SIZE];
    unsigned char blocks[BLOCK_COUNT][BLOCK_SIZE];
    unsigned char after[BLOCK_SIZE];
    size_t links[BLOCK_COUNT];
    mete_atomic_pool_config_t config;
    mete_atomic_pool_t pool;
} fixture_t;

static mete_atomic_pool_t *setup_reserved(fixture_t *f, size_t reserved_count)
{
    f->config.blocks = f->blocks;
    f->config.links = f->links;
    f->config.block_size = BLOCK_SIZE;
    f->config.block_count = BLOCK_COUNT;
    f->config.reserved_count = reserved_count;
    EXPECT(mete_atomic_pool_init(&f->pool, &f->config));
    EXPECT(mete_atomic_pool_check(&f->pool));
    return &f->pool;
}

static mete_atomic_pool_t *setup(fixture_t *f)
{
    return setup_reserved(f, RESERVED_COUNT);
}

static size_t in_use(const mete_atomic_pool_t *pool)
{
    return mete_atomic_pool_usage(pool).in_use;
}

// All common blocks are held.
static mete_atomic_pool_t *setup_held(fixture_t *f)
{
    mete_atomic_pool_t *const pool = setup(f);
    for (size_t i = 0U; i < COMMON_COUNT; i++) {
        EXPECT(mete_atomic_pool_alloc(pool) == f->blocks[RESERVED_COUNT + i]);
    }
    return pool;
}

// ---- Init

static void test_init_refuses_a_broken_configuration(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    const mete_atomic_pool_config_t good = f.config;
    mete_atomic_pool_config_t bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].blocks = NULL;
    bad[1].links = NULL;
    bad[2].block_size = 0U;
    bad[3].block_count = 0U;
    bad[4].block_count = METE_ATOMIC_POOL_BLOCK_COUNT_MAX + 1U;
    bad[5].block_size = SIZE_MAX / 2U;
    bad[6].block_size = SIZE_MAX / BLOCK_COUNT;  // Runs past the end of the address space.
    bad[7].reserved_count = BLOCK_COUNT + 1U;
    EXPECT(mete_atomic_pool_alloc(pool) != NULL);
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_atomic_pool_init(pool, &bad[i]));
        EXPECT((in_use(pool) == 1U) && mete_atomic_pool_check(pool));
    }
}

static void test_init_refuses_a_missing_configuration(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    EXPECT(mete_atomic_pool_alloc(pool) != NULL);
    EXPECT(!mete_atomic_pool_init(pool, NULL));
    EXPECT((in_use(pool) == 1U) && mete_atomic_pool_check(pool));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_atomic_pool_t never = {0};
    EXPECT(!mete_atomic_pool_check(&never));
    EXPECT(tap_take_fault() == 0);
}

static void test_init_accepts_blocks_up_to_the_last_address_and_no_further(void)
{
    fixture_t f;
    mete_atomic_pool_config_t config = *setup(&f)->config;
    config.blocks = (void *)(UINTPTR_MAX - sizeof f.blocks);
    EXPECT(mete_atomic_pool_init(&f.pool, &config));
    config.blocks = (void *)(UINTPTR_MAX - sizeof f.blocks + 1U);
    EXPECT(!mete_atomic_pool_init(&f.pool, &config));

    // The largest blocks there can be: two of them, from address 1 on.
    config.block_count = 2U;
    config.reserved_count = 0U;
    config.block_size = SIZE_MAX / 2U;
    config.blocks = (void *)(uintptr_t)1U;
    EXPECT(mete_atomic_pool_init(&f.pool, &config));
    EXPECT((uintptr_t)mete_atomic_pool_alloc(&f.pool) == 1U);
    EXPECT((uintptr_t)mete_atomic_pool_alloc(&f.pool) == 1U + SIZE_MAX / 2U);
    config.block_size++;
    EXPECT(!mete_atomic_pool_init(&f.pool, &config));
}

static void test_a_pool_may_have_a_single_block(void)
{
    fixture_t f;
    mete_atomic_pool_config_t config = *setup(&f)->config;
    config.block_count = 1U;
    config.reserved_count = 0U;
    EXPECT(mete_atomic_pool_init(&f.pool, &config));
    EXPECT(mete_atomic_pool_alloc(&f.pool) == f.blocks[0]);
    EXPECT(mete_atomic_pool_usage(&f.pool).in_use_permille == 1000U);
    EXPECT((mete_atomic_pool_alloc(&f.pool) == NULL) && mete_atomic_pool_check(&f.pool));
    mete_atomic_pool_free(&f.pool, f.blocks[0]);
    EXPECT((in_use(&f.pool) == 0U) && mete_atomic_pool_check(&f.pool));
}

static void test_init_again_resets(void)
{
    fixture_t f;
    (void)setup_held(&f);
    mete_atomic_pool_t *const pool = setup(&f);
    const mete_atomic_pool_usage_t usage = mete_atomic_pool_usage(pool);
    EXPECT((usage.in_use == 0U) && (usage.in_use_peak == 0U) && (usage.alloc_total == 0U));
    EXPECT(mete_atomic_pool_alloc(pool) == f.blocks[RESERVED_COUNT]);
}

static void test_mask_is_the_smallest_that_has_an_end_mark(void)
{
    for (size_t count = 1U; count <= METE_ATOMIC_POOL_BLOCK_COUNT_MAX; count++) {
        const size_t mask = mask_for(count);
        if (((mask & (mask + 1U)) != 0U) || (mask < count) || (mask / 2U >= count)) {
            EXPECT(count == 0U);
        }
    }
    EXPECT((mask_for(63U) == 63U) && (mask_for(64U) == 127U));
}

static void test_tag_has_at_least_16_bits(void)
{
    static mete_atomic_pool_t pool;
    pool.block_count = METE_ATOMIC_POOL_BLOCK_COUNT_MAX;
    pool.mask = mask_for(pool.block_count);
    pool.config = &(const mete_atomic_pool_config_t){0};
    EXPECT(mete_atomic_pool_usage(&pool).total_max >= 65535U);
    EXPECT(mete_atomic_pool_usage(&pool).total_max == SIZE_MAX >> 16);
}

// ---- Alloc

static void test_alloc_hands_out_every_common_block_once_then_null(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    EXPECT(mete_atomic_pool_alloc(pool) == NULL);
    EXPECT(tap_take_fault() == 0);  // Running out is not misuse.
    EXPECT((in_use(pool) == COMMON_COUNT) && (mete_atomic_pool_usage(pool).refusals == 1U));
    EXPECT(mete_atomic_pool_check(pool));
}

static void test_alloc_reserved_takes_reserved_blocks_first_then_common_ones(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        EXPECT(mete_atomic_pool_alloc_reserved(pool) == f.blocks[i]);
    }
    EXPECT(mete_atomic_pool_alloc_reserved(pool) == NULL);
    EXPECT((tap_take_fault() == 0) && (mete_atomic_pool_usage(pool).refusals == 1U));
    EXPECT((in_use(pool) == BLOCK_COUNT) && mete_atomic_pool_check(pool));
}

static void test_reserved_blocks_come_back_to_the_reserve(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    void *const first = mete_atomic_pool_alloc_reserved(pool);
    void *const second = mete_atomic_pool_alloc_reserved(pool);
    EXPECT((first == f.blocks[0]) && (second == f.blocks[1]));
    mete_atomic_pool_free(pool, first);
    EXPECT(mete_atomic_pool_alloc(pool) == NULL);
    EXPECT(mete_atomic_pool_alloc_reserved(pool) == first);
    mete_atomic_pool_free(pool, f.blocks[RESERVED_COUNT]);
    EXPECT(mete_atomic_pool_alloc(pool) == f.blocks[RESERVED_COUNT]);
    EXPECT(mete_atomic_pool_check(pool) && (tap_take_fault() == 0));
}

static void test_all_or_none_may_be_reserved(void)
{
    fixture_t f;
    mete_atomic_pool_t *pool = setup_reserved(&f, BLOCK_COUNT);
    EXPECT(mete_atomic_pool_alloc(pool) == NULL);
    EXPECT(mete_atomic_pool_alloc_reserved(pool) == f.blocks[0]);
    pool = setup_reserved(&f, 0U);
    EXPECT(mete_atomic_pool_alloc(pool) == f.blocks[0]);
    EXPECT(mete_atomic_pool_alloc_reserved(pool) == f.blocks[1]);
    EXPECT(mete_atomic_pool_check(pool));
}

static void test_alloc_reuses_the_block_freed_last(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    void *const a = mete_atomic_pool_alloc(pool);
    void *const b = mete_atomic_pool_alloc(pool);
    mete_atomic_pool_free(pool, b);
    mete_atomic_pool_free(pool, a);
    EXPECT(mete_atomic_pool_alloc(pool) == a);
    EXPECT(mete_atomic_pool_alloc(pool) == b);
    EXPECT(mete_atomic_pool_alloc(pool) == f.blocks[RESERVED_COUNT + 2]);
}

static void test_every_free_makes_another_word_of_the_same_list(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    size_t seen = pool->common;
    for (size_t i = 0U; i < 100U; i++) {
        mete_atomic_pool_free(pool, mete_atomic_pool_alloc(pool));
        EXPECT((pool->common & pool->mask) == RESERVED_COUNT);
        EXPECT(pool->common == seen + pool->mask + 1U);
        seen = pool->common;
    }
    EXPECT(pool->reserved == 0U);
}

static void test_the_tag_may_come_round(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    pool->common |= ~pool->mask;
    void *const block = mete_atomic_pool_alloc(pool);
    EXPECT(block == f.blocks[RESERVED_COUNT]);
    mete_atomic_pool_free(pool, block);
    EXPECT((tap_take_fault() == 0) && (pool->common == RESERVED_COUNT));
    EXPECT(mete_atomic_pool_check(pool) && (mete_atomic_pool_usage(pool).free_total == 0U));
}

static void test_usage_counts(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    mete_atomic_pool_free(pool, f.blocks[2]);
    mete_atomic_pool_free(pool, f.blocks[3]);
    (void)mete_atomic_pool_alloc_reserved(pool);
    const mete_atomic_pool_usage_t usage = mete_atomic_pool_usage(pool);
    EXPECT((usage.block_count == BLOCK_COUNT) && (usage.refusals == 0U));
    EXPECT((usage.in_use == 3U) && (usage.in_use_permille == 500U));
    EXPECT(usage.in_use_peak == COMMON_COUNT);
    EXPECT((usage.alloc_total == 5U) && (usage.free_total == 2U));
    EXPECT(usage.total_max == SIZE_MAX / 8U);  // Six blocks need three bits.
}

static void test_blocks_are_never_touched(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    mete_words_fill(f.blocks, 0xA5U, sizeof f.blocks);
    mete_atomic_pool_free(pool, mete_atomic_pool_alloc(pool));
    mete_atomic_pool_free(pool, mete_atomic_pool_alloc_reserved(pool));
    EXPECT(mete_atomic_pool_check(pool));
    EXPECT(mete_words_scan(f.blocks, 0xA5U, sizeof f.blocks) == sizeof f.blocks);
}

// ---- Free

static void test_free_refuses_what_is_not_a_block(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    void *const held = mete_atomic_pool_alloc(pool);
    // One block too low, inside a block at either end, one block too high, and somewhere else.
    void *const foreign[] = {f.before, &f.blocks[2][1], &f.blocks[2][BLOCK_SIZE - 1],
                             f.after,  f.links,         (void *)UINTPTR_MAX};
    for (size_t i = 0U; i < sizeof foreign / sizeof foreign[0]; i++) {
        mete_atomic_pool_free(pool, foreign[i]);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        EXPECT((tap_fault_object == pool) && (tap_fault_address == foreign[i]));
        EXPECT((in_use(pool) == 1U) && mete_atomic_pool_check(pool));
    }
    mete_atomic_pool_free(pool, held);
    EXPECT(tap_take_fault() == 0);
}

static void test_free_refuses_a_free_block(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    mete_atomic_pool_free(pool, f.blocks[BLOCK_COUNT - 1]);  // The last: its link is the end mark.
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    void *const block = mete_atomic_pool_alloc(pool);
    mete_atomic_pool_free(pool, block);
    EXPECT(tap_take_fault() == 0);
    mete_atomic_pool_free(pool, block);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT((in_use(pool) == 0U) && mete_atomic_pool_check(pool));
}

static void test_free_of_null_does_nothing(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    mete_atomic_pool_free(pool, NULL);
    EXPECT((tap_take_fault() == 0) && (in_use(pool) == COMMON_COUNT));
    EXPECT(mete_atomic_pool_check(pool));
}

static void test_free_reports_a_link_that_is_neither_live_nor_free(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    const size_t wrong[] = {BLOCK_COUNT, pool->mask + 1U, LINK_LIVE - 1U, LINK_LIVE / 2U};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        f.links[3] = wrong[i];
        mete_atomic_pool_free(pool, f.blocks[3]);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        EXPECT((in_use(pool) == COMMON_COUNT) && (f.links[3] == wrong[i]));
    }
}

// ---- Damage

static void test_alloc_never_hands_out_a_live_block(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    f.links[3] = 2U;  // A cycle: 2 -> 3 -> 2.
    EXPECT(!mete_atomic_pool_check(pool));
    EXPECT(mete_atomic_pool_alloc(pool) == f.blocks[2]);
    EXPECT(mete_atomic_pool_alloc(pool) == f.blocks[3]);
    EXPECT((tap_take_fault() == 0) && (mete_atomic_pool_alloc(pool) == NULL));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_object == pool));
    EXPECT((in_use(pool) == 2U) && (mete_atomic_pool_usage(pool).refusals == 0U));
}

static void test_alloc_never_follows_a_link_out_of_the_pool(void)
{
    fixture_t f;
    mete_atomic_pool_t *pool = setup(&f);
    const size_t wrong[] = {pool->mask + 1U, LINK_LIVE - 1U, LINK_LIVE / 2U};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        pool = setup(&f);
        f.links[2] = wrong[i];
        EXPECT((mete_atomic_pool_alloc(pool) == NULL) && (pool->common == 2U));
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    }
    pool = setup(&f);
    f.links[2] = BLOCK_COUNT;  // Fits the word, but is no block.
    EXPECT(mete_atomic_pool_alloc(pool) == f.blocks[2]);
    EXPECT((tap_take_fault() == 0) && (mete_atomic_pool_alloc(pool) == NULL));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (in_use(pool) == 1U));
}

static void test_alloc_reserved_reports_damage_of_either_list(void)
{
    fixture_t f;
    mete_atomic_pool_t *pool = setup(&f);
    f.links[0] = LINK_LIVE;
    EXPECT(mete_atomic_pool_alloc_reserved(pool) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (mete_atomic_pool_alloc(pool) != NULL));
    pool = setup_reserved(&f, 0U);
    f.links[0] = LINK_LIVE;
    EXPECT(mete_atomic_pool_alloc_reserved(pool) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (in_use(pool) == 0U));
}

static void test_check_sees_every_single_link_spoiled(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    mete_atomic_pool_free(pool, f.blocks[5]);
    mete_atomic_pool_free(pool, f.blocks[3]);  // 3 -> 5, reserved 0 -> 1, live 2 and 4.
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        const size_t right = f.links[i];
        for (size_t value = 0U; value <= pool->mask + 1U; value++) {
            f.links[i] = value;
            EXPECT(mete_atomic_pool_check(pool) == (value == right));
        }
        for (size_t bit = 0U; bit < METE_STRIDE_WORD_BITS; bit++) {
            f.links[i] = right ^ ((size_t)1U << bit);
            EXPECT(!mete_atomic_pool_check(pool));
        }
        f.links[i] = right;
    }
    EXPECT(mete_atomic_pool_check(pool));
}

// Any tag is right, and any number of refusals.
static void test_check_sees_every_field_spoiled(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    mete_atomic_pool_free(pool, f.blocks[5]);
    size_t *const sizes[] = {&pool->common,      &pool->reserved,   &pool->in_use,
                             &pool->mask,        &pool->rotation,   &pool->reserved_count,
                             &pool->block_count, &pool->block_size, &pool->in_use_peak};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t right = *sizes[i];
        for (size_t bit = 0U; bit < METE_STRIDE_WORD_BITS; bit++) {
            *sizes[i] = right ^ ((size_t)1U << bit);
            const bool is_tag = (i < 2U) && (((size_t)1U << bit) > pool->mask);
            const bool is_a_higher_peak = (sizes[i] == &pool->in_use_peak) &&
                                          (*sizes[i] >= pool->in_use) && (*sizes[i] <= BLOCK_COUNT);
            EXPECT(mete_atomic_pool_check(pool) == (is_tag || is_a_higher_peak));
        }
        *sizes[i] = right;
        EXPECT(mete_atomic_pool_check(pool));
    }
    pool->blocks++;
    EXPECT(!mete_atomic_pool_check(pool));
    pool->blocks--;
    pool->inverse += 2U;
    EXPECT(!mete_atomic_pool_check(pool));
    pool->inverse -= 2U;
    pool->links++;
    EXPECT(!mete_atomic_pool_check(pool));
}

static void test_check_sees_a_block_in_the_wrong_list(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    f.links[1] = 2U;  // All in the list of the reserved ones, the common one is empty.
    pool->common = pool->mask;
    EXPECT(!mete_atomic_pool_check(pool));
    f.links[1] = pool->mask;
    f.links[5] = 0U;
    pool->common = 2U;
    pool->reserved = pool->mask;
    EXPECT(!mete_atomic_pool_check(pool));
}

// ---- Looking

static void test_owns_every_byte_of_its_blocks_and_no_other(void)
{
    fixture_t f;
    const mete_atomic_pool_t *const pool = setup(&f);
    for (size_t i = 0U; i < sizeof f.blocks; i++) {
        EXPECT(mete_atomic_pool_owns(pool, &f.blocks[i / BLOCK_SIZE][i % BLOCK_SIZE]));
    }
    EXPECT(!mete_atomic_pool_owns(pool, &f.before[BLOCK_SIZE - 1]));
    EXPECT(!mete_atomic_pool_owns(pool, f.after) && !mete_atomic_pool_owns(pool, NULL));
}

typedef struct walk {
    const fixture_t *f;
    size_t seen_count, live_count, reserved_count, stop_at;
} walk_t;

static bool visit(void *self, const mete_atomic_pool_block_t *block)
{
    walk_t *const walk = (walk_t *)self;
    EXPECT((block->block == walk->f->blocks[walk->seen_count]) && (block->size == BLOCK_SIZE));
    walk->seen_count++;
    walk->live_count += block->is_live ? 1U : 0U;
    walk->reserved_count += block->is_reserved ? 1U : 0U;
    return walk->seen_count != walk->stop_at;
}

static void test_walk_shows_every_block_in_order(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    mete_atomic_pool_free(pool, f.blocks[4]);
    walk_t walk = {&f, 0U, 0U, 0U, 0U};
    EXPECT(mete_atomic_pool_walk(pool, visit, &walk));
    EXPECT((walk.seen_count == BLOCK_COUNT) && (walk.live_count == COMMON_COUNT - 1U));
    EXPECT(walk.reserved_count == RESERVED_COUNT);
    walk_t short_walk = {&f, 0U, 0U, 0U, 2U};
    EXPECT(!mete_atomic_pool_walk(pool, visit, &short_walk) && (short_walk.seen_count == 2U));
}

// ---- The views

static void test_view_serves_what_fits_and_refuses_what_does_not(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    const mete_alloc_t views[] = {mete_atomic_pool_as_alloc(pool),
                                  mete_atomic_pool_as_alloc_reserved(pool)};
    for (size_t i = 0U; i < 2U; i++) {
        const mete_alloc_t view = views[i];
        EXPECT(mete_acquire(view, 0U, 1U) == NULL);
        EXPECT(mete_acquire(view, BLOCK_SIZE + 1U, 1U) == NULL);
        EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
        EXPECT(mete_acquire(view, 1U, 2U) == NULL);  // Seven bytes apart: no block need be even.
        EXPECT((in_use(pool) == 0U) && (mete_atomic_pool_usage(pool).refusals == 3U * (i + 1U)));
        void *const block = mete_acquire(view, BLOCK_SIZE, 1U);
        EXPECT((block == f.blocks[(i == 0U) ? RESERVED_COUNT : 0U]));
        EXPECT(view.ops->owns(view.self, block));
        EXPECT(view.ops->size_of(view.self, block) == BLOCK_SIZE);
        mete_release(views[1U - i], block, BLOCK_SIZE, 1U);
        EXPECT((tap_take_fault() == 0) && (in_use(pool) == 0U));
    }
}

static void test_only_the_view_for_interrupts_uses_the_reserve(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup_held(&f);
    EXPECT(mete_acquire(mete_atomic_pool_as_alloc(pool), 1U, 1U) == NULL);
    EXPECT(mete_acquire(mete_atomic_pool_as_alloc_reserved(pool), 1U, 1U) == f.blocks[0]);
}

static void test_view_holds_the_caller_to_size_and_alignment(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    const mete_alloc_t view = mete_atomic_pool_as_alloc(pool);
    void *const block = mete_acquire(view, 3U, 1U);
    const size_t wrong[][2] = {{BLOCK_SIZE + 1U, 1U}, {0U, 1U}, {3U, 2U}};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        mete_release(view, block, wrong[i][0], wrong[i][1]);
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    }
    EXPECT(!mete_resize(view, block, BLOCK_SIZE + 1U, 1U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT(in_use(pool) == 1U);
}

static void test_view_resizes_up_to_the_block(void)
{
    fixture_t f;
    const mete_alloc_t view = mete_atomic_pool_as_alloc(setup(&f));
    void *const block = mete_acquire(view, 3U, 1U);
    EXPECT(mete_resize(view, block, 3U, BLOCK_SIZE, 1U));
    EXPECT(!mete_resize(view, block, BLOCK_SIZE, BLOCK_SIZE + 1U, 1U));
    EXPECT(mete_resize(view, block, BLOCK_SIZE, 1U, 1U) && (tap_take_fault() == 0));
    EXPECT(!mete_resize(view, f.blocks[1], 1U, 2U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(!mete_resize(view, f.after, 1U, 2U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
}

// ---- All together

typedef struct model {
    bool held[BLOCK_COUNT];
    size_t held_count, held_peak, common_count, reserved_count;  // The last two: free ones.
} model_t;

static void model_take(model_t *model, const fixture_t *f, unsigned char *block, bool may_be_either)
{
    const bool must_serve =
        (model->common_count != 0U) || (may_be_either && (model->reserved_count != 0U));
    if (!EXPECT((block != NULL) == must_serve) || (block == NULL)) {
        return;
    }
    const size_t i = (size_t)(block - f->blocks[0]) / BLOCK_SIZE;
    EXPECT(!model->held[i] && (may_be_either || (i >= RESERVED_COUNT)));
    EXPECT((i < RESERVED_COUNT) || !may_be_either || (model->reserved_count == 0U));
    model->held[i] = true;
    model->held_count++;
    model->held_peak =
        (model->held_count > model->held_peak) ? model->held_count : model->held_peak;
    *((i < RESERVED_COUNT) ? &model->reserved_count : &model->common_count) -= 1U;
}

static void model_give_back(model_t *model, size_t i)
{
    EXPECT(tap_take_fault() == (model->held[i] ? 0 : METE_FAULT_DOUBLE_FREE));
    if (model->held[i]) {
        model->held[i] = false;
        model->held_count--;
        *((i < RESERVED_COUNT) ? &model->reserved_count : &model->common_count) += 1U;
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    fixture_t f;
    mete_atomic_pool_t *const pool = setup(&f);
    model_t model = {.common_count = COMMON_COUNT, .reserved_count = RESERVED_COUNT};
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 20000U; step++) {
        const size_t pick = random_below(&random, BLOCK_COUNT);
        const uint32_t choice = random_below(&random, 5U);
        if (choice == 0U) {
            unsigned char *const block = (unsigned char *)mete_atomic_pool_alloc_reserved(pool);
            model_take(&model, &f, block, true);
        } else if (choice < 3U) {
            unsigned char *const block = (unsigned char *)mete_atomic_pool_alloc(pool);
            model_take(&model, &f, block, false);
        } else if (model.held[pick] || (METE_CHECK_LEVEL >= 1)) {
            mete_atomic_pool_free(pool, f.blocks[pick]);
            model_give_back(&model, pick);
        }
        EXPECT((in_use(pool) == model.held_count) && mete_atomic_pool_check(pool));
        EXPECT(mete_atomic_pool_usage(pool).in_use_peak == model.held_peak);
    }
}

static void test_define_makes_a_pool(void)
{
    METE_ATOMIC_POOL_DEFINE(words, uint32_t, 3, 1);
    EXPECT(mete_atomic_pool_init(&words, &words_config));
    EXPECT(mete_atomic_pool_alloc(&words) == &words_blocks[1]);
    EXPECT(mete_atomic_pool_alloc_reserved(&words) == &words_blocks[0]);
    EXPECT((words_config.block_size == sizeof(uint32_t)) && (words_config.block_count == 3U));
}

static void run_what_needs_checks(void)
{
    RUN(test_free_refuses_what_is_not_a_block);
    RUN(test_free_refuses_a_free_block);
    RUN(test_free_reports_a_link_that_is_neither_live_nor_free);
    RUN(test_alloc_never_hands_out_a_live_block);
    RUN(test_alloc_never_follows_a_link_out_of_the_pool);
    RUN(test_alloc_reserved_reports_damage_of_either_list);
    RUN(test_view_holds_the_caller_to_size_and_alignment);
    RUN(test_view_resizes_up_to_the_block);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_init_refuses_a_missing_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_init_accepts_blocks_up_to_the_last_address_and_no_further);
    RUN(test_a_pool_may_have_a_single_block);
    RUN(test_init_again_resets);
    RUN(test_mask_is_the_smallest_that_has_an_end_mark);
    RUN(test_tag_has_at_least_16_bits);
    RUN(test_alloc_hands_out_every_common_block_once_then_null);
    RUN(test_alloc_reserved_takes_reserved_blocks_first_then_common_ones);
    RUN(test_reserved_blocks_come_back_to_the_reserve);
    RUN(test_all_or_none_may_be_reserved);
    RUN(test_alloc_reuses_the_block_freed_last);
    RUN(test_every_free_makes_another_word_of_the_same_list);
    RUN(test_the_tag_may_come_round);
    RUN(test_usage_counts);
    RUN(test_blocks_are_never_touched);
    RUN(test_free_of_null_does_nothing);
    RUN(test_check_sees_every_single_link_spoiled);
    RUN(test_check_sees_every_field_spoiled);
    RUN(test_check_sees_a_block_in_the_wrong_list);
    RUN(test_owns_every_byte_of_its_blocks_and_no_other);
    RUN(test_walk_shows_every_block_in_order);
    RUN(test_view_serves_what_fits_and_refuses_what_does_not);
    RUN(test_only_the_view_for_interrupts_uses_the_reserve);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_define_makes_a_pool);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}
