// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The pool, tested from inside: this file includes pool.c itself, so that it can spoil the
// bookkeeping on purpose. Each test makes its own pool and states one behaviour.

#include "mete/alloc/pool.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

// A block size that is no power of two and no multiple of a word: nothing may depend on either.
enum { BLOCK_SIZE = 7, BLOCK_COUNT = 5 };

typedef struct fixture {
    unsigned char before[BLOCK_SIZE];
    unsigned char blocks[BLOCK_COUNT][BLOCK_SIZE];
    unsigned char after[BLOCK_SIZE];
    uint16_t links[BLOCK_COUNT];
    mete_pool_config_t config;
    mete_pool_t pool;
} fixture_t;

static mete_pool_t *setup(fixture_t *f)
{
    f->config.blocks = f->blocks;
    f->config.links = f->links;
    f->config.block_size = BLOCK_SIZE;
    f->config.block_count = BLOCK_COUNT;
    EXPECT(mete_pool_init(&f->pool, &f->config));
    EXPECT(mete_pool_check(&f->pool));
    return &f->pool;
}

static size_t in_use(const mete_pool_t *pool)
{
    return mete_pool_usage(pool).in_use;
}

// All blocks out and, but for the first `live_count`, back again, the highest first.
static mete_pool_t *setup_listed(fixture_t *f, size_t live_count)
{
    mete_pool_t *const pool = setup(f);
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        (void)mete_pool_alloc(pool);
    }
    for (size_t i = BLOCK_COUNT; i > live_count; i--) {
        mete_pool_free(pool, f->blocks[i - 1U]);
    }
    return pool;
}

static void test_init_refuses_a_broken_configuration(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    const mete_pool_config_t good = f.config;
    mete_pool_config_t bad[7] = {good, good, good, good, good, good, good};
    bad[0].blocks = NULL;
    bad[1].links = NULL;
    bad[2].block_size = 0U;
    bad[3].block_count = 0U;
    bad[4].block_count = METE_POOL_BLOCK_COUNT_MAX + 1U;
    bad[5].block_size = SIZE_MAX / 2U;
    bad[6].block_size = SIZE_MAX / BLOCK_COUNT;  // Runs past the end of the address space.
    EXPECT(mete_pool_alloc(pool) != NULL);
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_pool_init(pool, &bad[i]));
        EXPECT((in_use(pool) == 1U) && mete_pool_check(pool));
    }
}

static void test_init_refuses_a_missing_configuration(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    EXPECT(mete_pool_alloc(pool) != NULL);
    EXPECT(!mete_pool_init(pool, NULL));
    EXPECT((in_use(pool) == 1U) && mete_pool_check(pool));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_pool_t never = {0};
    EXPECT(!mete_pool_check(&never));
    EXPECT(tap_take_fault() == 0);
}

static void test_init_accepts_blocks_up_to_the_last_address_and_no_further(void)
{
    fixture_t f;
    mete_pool_config_t config = *setup(&f)->config;
    config.blocks = (void *)(UINTPTR_MAX - sizeof f.blocks);
    EXPECT(mete_pool_init(&f.pool, &config));
    config.blocks = (void *)(UINTPTR_MAX - sizeof f.blocks + 1U);
    EXPECT(!mete_pool_init(&f.pool, &config));

    // The largest blocks there can be: two of them, from address 1 on.
    config.block_count = 2U;
    config.block_size = SIZE_MAX / 2U;
    config.blocks = (void *)(uintptr_t)1U;
    EXPECT(mete_pool_init(&f.pool, &config));
    EXPECT((uintptr_t)mete_pool_alloc(&f.pool) == 1U);
    EXPECT((uintptr_t)mete_pool_alloc(&f.pool) == 1U + SIZE_MAX / 2U);
    config.blocks = (void *)(uintptr_t)2U;
    EXPECT(!mete_pool_init(&f.pool, &config));
}

static void test_init_again_resets(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup_listed(&f, 3U);
    setup(&f);
    const mete_pool_usage_t usage = mete_pool_usage(pool);
    EXPECT((usage.in_use == 0U) && (usage.in_use_peak == 0U) && (usage.alloc_total == 0U));
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        EXPECT(mete_pool_alloc(pool) == f.blocks[i]);
    }
}

static void test_init_does_not_write_links_or_blocks(void)
{
    fixture_t f;
    mete_words_fill(f.links, 0x5AU, sizeof f.links);
    setup(&f);
    EXPECT(mete_words_scan(f.links, 0x5AU, sizeof f.links) == sizeof f.links);
}

static void test_links_of_blocks_never_out_mean_nothing(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    for (size_t value = 0U; value <= UINT16_MAX; value += LINK_LIVE / 16U) {
        for (size_t i = 0U; i < BLOCK_COUNT; i++) {
            f.links[i] = (uint16_t)value;
        }
        EXPECT(mete_pool_check(pool) && !is_live(pool, 0U));
        EXPECT(fault_of(pool, 0U) == METE_FAULT_DOUBLE_FREE);
    }
}

static void test_alloc_hands_out_every_block_once_then_null(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        EXPECT(mete_pool_alloc(pool) == f.blocks[i]);
    }
    EXPECT(mete_pool_alloc(pool) == NULL);
    EXPECT(tap_take_fault() == 0);  // Running out is not misuse.
    EXPECT((in_use(pool) == BLOCK_COUNT) && (mete_pool_usage(pool).refusals == 1U));
    EXPECT(mete_pool_check(pool));
}

static void test_alloc_reuses_the_block_freed_last(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    void *const a = mete_pool_alloc(pool);
    void *const b = mete_pool_alloc(pool);
    mete_pool_free(pool, b);
    mete_pool_free(pool, a);
    EXPECT(mete_pool_alloc(pool) == a);
    EXPECT(mete_pool_alloc(pool) == b);
    EXPECT(mete_pool_alloc(pool) == f.blocks[2]);
}

static void test_a_pool_that_was_never_made_is_empty(void)
{
    static const mete_pool_t never = {0};
    if (METE_CHECK_LEVEL < 2) {  // From there on it is a precondition.
        EXPECT((mete_pool_usage(&never).block_count == 0U) &&
               (mete_pool_usage(&never).in_use_permille == 0U));
    }
}

static void test_usage_counts(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup_listed(&f, 2U);
    (void)mete_pool_alloc(pool);
    const mete_pool_usage_t usage = mete_pool_usage(pool);
    EXPECT(usage.block_count == BLOCK_COUNT);
    EXPECT((usage.in_use == 3U) && (usage.in_use_permille == 600U));
    EXPECT(usage.in_use_peak == BLOCK_COUNT);
    EXPECT((usage.alloc_total == 6U) && (usage.free_total == 3U) && (usage.refusals == 0U));
}

static void test_totals_may_wrap(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    pool->alloc_total = SIZE_MAX;
    pool->free_total = SIZE_MAX;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        EXPECT(mete_pool_alloc(pool) == f.blocks[i]);
    }
    EXPECT(mete_pool_alloc(pool) == NULL);
    EXPECT((in_use(pool) == BLOCK_COUNT) && mete_pool_check(pool) && (tap_take_fault() == 0));
}

static void test_blocks_are_never_touched(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    mete_words_fill(f.blocks, 0xA5U, sizeof f.blocks);
    void *many[BLOCK_COUNT];
    mete_pool_free(pool, mete_pool_alloc(pool));
    EXPECT(mete_pool_alloc_many(pool, many, BLOCK_COUNT));
    mete_pool_free_many(pool, many, BLOCK_COUNT);
    EXPECT(mete_pool_check(pool));
    EXPECT(mete_words_scan(f.blocks, 0xA5U, sizeof f.blocks) == sizeof f.blocks);
}

static void test_a_region_that_is_no_multiple_is_not_overrun(void)
{
    // A region of 17 bytes holds two blocks of 7: the third would end past it.
    static unsigned char region[17];
    static uint16_t links[sizeof region / BLOCK_SIZE];
    const mete_pool_config_t config = {region + 1, links, BLOCK_SIZE,
                                       (sizeof region - 1U) / BLOCK_SIZE};
    mete_pool_t pool;
    EXPECT(mete_pool_init(&pool, &config));
    EXPECT(mete_pool_alloc(&pool) == region + 1);
    EXPECT(mete_pool_alloc(&pool) == region + 8);
    EXPECT(mete_pool_alloc(&pool) == NULL);
    EXPECT(!mete_pool_owns(&pool, region + 15) && mete_pool_owns(&pool, region + 14));
}

static void test_free_refuses_what_is_not_a_block(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    void *const held = mete_pool_alloc(pool);
    // One block too low, inside a block at either end, one block too high, and somewhere else.
    void *const foreign[] = {f.before, &f.blocks[0][1], &f.blocks[0][BLOCK_SIZE - 1],
                             f.after,  f.links,         (void *)UINTPTR_MAX};
    for (size_t i = 0U; i < sizeof foreign / sizeof foreign[0]; i++) {
        mete_pool_free(pool, foreign[i]);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        EXPECT((tap_fault_object == pool) && (tap_fault_address == foreign[i]));
        EXPECT((in_use(pool) == 1U) && mete_pool_check(pool));
    }
    mete_pool_free(pool, held);
    EXPECT(tap_take_fault() == 0);
}

static void test_free_refuses_a_free_block(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    mete_pool_free(pool, f.blocks[3]);  // Never handed out.
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    void *const block = mete_pool_alloc(pool);
    mete_pool_free(pool, block);
    EXPECT(tap_take_fault() == 0);
    mete_pool_free(pool, block);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    mete_pool_free(pool, NULL);
    EXPECT(tap_take_fault() == 0);
    EXPECT((in_use(pool) == 0U) && mete_pool_check(pool));
}

static void test_free_reports_a_link_that_is_neither_live_nor_free(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    void *const block = mete_pool_alloc(pool);
    f.links[0] = LINK_LIVE + 1;
    mete_pool_free(pool, block);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    f.links[0] = 1U;  // Block 1 never was out and cannot be next.
    mete_pool_free(pool, block);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(in_use(pool) == 1U);
}

static void test_alloc_many_gives_all_or_none(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    void *blocks[BLOCK_COUNT + 1] = {NULL};
    (void)mete_pool_alloc(pool);
    EXPECT(!mete_pool_alloc_many(pool, blocks, BLOCK_COUNT));
    EXPECT((blocks[0] == NULL) && (in_use(pool) == 1U) && (mete_pool_usage(pool).refusals == 1U));
    EXPECT(!mete_pool_alloc_many(pool, blocks, SIZE_MAX));
    mete_pool_free(pool, f.blocks[0]);
    EXPECT(mete_pool_alloc_many(pool, blocks, BLOCK_COUNT));
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        EXPECT(blocks[i] == f.blocks[i]);  // The one that came back, then those never out.
    }
    EXPECT(blocks[BLOCK_COUNT] == NULL);
    EXPECT(mete_pool_alloc_many(pool, NULL, 0U) && !mete_pool_alloc_many(pool, blocks, 1U));
    EXPECT((in_use(pool) == BLOCK_COUNT) && (tap_take_fault() == 0) && mete_pool_check(pool));
}

static void test_alloc_many_has_no_effect_if_the_list_is_damaged(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup_listed(&f, 1U);  // 1 -> 2 -> 3 -> 4.
    void *blocks[BLOCK_COUNT];
    f.links[3] = 0U;  // Onto the live block.
    EXPECT(!mete_pool_alloc_many(pool, blocks, 4U));
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT((in_use(pool) == 1U) && (pool->first_free == 1U) && (pool->alloc_total == 5U));
    EXPECT((f.links[1] == 2U) && (f.links[2] == 3U) && (f.links[3] == 0U));
    f.links[3] = 4U;
    EXPECT(mete_pool_alloc_many(pool, blocks, 4U) && mete_pool_check(pool));
}

static void test_free_many_takes_all_back(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    void *blocks[BLOCK_COUNT + 1] = {NULL};
    EXPECT(mete_pool_alloc_many(pool, &blocks[1], BLOCK_COUNT));
    mete_pool_free_many(pool, blocks, BLOCK_COUNT + 1U);  // With a NULL in front.
    EXPECT((tap_take_fault() == 0) && (in_use(pool) == 0U) && mete_pool_check(pool));
    EXPECT(mete_pool_alloc(pool) == f.blocks[BLOCK_COUNT - 1]);
}

static void test_free_many_frees_none_if_one_is_wrong(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup_listed(&f, 4U);
    void *const wrong[][4] = {
        {NULL, f.blocks[0], f.blocks[1], f.blocks[0]},
        {f.blocks[0], NULL, f.blocks[1], f.blocks[0]},         // Twice in the batch.
        {f.blocks[0], f.blocks[1], f.blocks[2], f.blocks[4]},  // Free.
        {f.blocks[3], f.blocks[2], NULL, f.after},
        {&f.blocks[0][1], f.blocks[0], f.blocks[1], f.blocks[2]},
    };
    const int fault[] = {METE_FAULT_DOUBLE_FREE, METE_FAULT_DOUBLE_FREE, METE_FAULT_DOUBLE_FREE,
                         METE_FAULT_FOREIGN, METE_FAULT_FOREIGN};
    const size_t at[] = {3U, 3U, 3U, 3U, 0U};
    for (size_t i = 0U; i < 5U; i++) {
        mete_pool_free_many(pool, wrong[i], 4U);
        EXPECT((tap_take_fault() == fault[i]) && (tap_fault_address == wrong[i][at[i]]));
        EXPECT((in_use(pool) == 4U) && (pool->free_total == 1U) && (pool->first_free == 4U));
        EXPECT(mete_pool_check(pool));
    }
}

static void test_owns_every_byte_of_its_blocks_and_no_other(void)
{
    fixture_t f;
    const mete_pool_t *const pool = setup(&f);
    for (size_t i = 0U; i < sizeof f.blocks; i++) {
        EXPECT(mete_pool_owns(pool, &f.blocks[i / BLOCK_SIZE][i % BLOCK_SIZE]));
    }
    EXPECT(!mete_pool_owns(pool, &f.before[BLOCK_SIZE - 1]) && !mete_pool_owns(pool, f.after));
    EXPECT(!mete_pool_owns(pool, NULL));
}

typedef struct walk {
    const fixture_t *f;
    size_t seen_count, live_count, stop_at;
} walk_t;

static bool visit(void *self, const mete_pool_block_t *block)
{
    walk_t *const walk = (walk_t *)self;
    EXPECT((block->block == walk->f->blocks[walk->seen_count]) && (block->size == BLOCK_SIZE));
    walk->seen_count++;
    walk->live_count += block->is_live ? 1U : 0U;
    return walk->seen_count != walk->stop_at;
}

static void test_walk_shows_every_block_in_order(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    (void)mete_pool_alloc(pool);
    (void)mete_pool_alloc(pool);
    mete_pool_free(pool, f.blocks[0]);
    walk_t walk = {&f, 0U, 0U, 0U};
    EXPECT(mete_pool_walk(pool, visit, &walk));
    EXPECT((walk.seen_count == BLOCK_COUNT) && (walk.live_count == 1U));
    walk_t short_walk = {&f, 0U, 0U, 2U};
    EXPECT(!mete_pool_walk(pool, visit, &short_walk) && (short_walk.seen_count == 2U));
}

static void test_view_serves_what_fits_and_refuses_what_does_not(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    const mete_alloc_t view = mete_pool_as_alloc(pool);
    EXPECT(mete_acquire(view, 0U, 1U) == NULL);
    EXPECT(mete_acquire(view, BLOCK_SIZE + 1U, 1U) == NULL);
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
    // Seven bytes apart: no block is promised to be even.
    EXPECT(mete_acquire(view, 1U, 2U) == NULL);
    EXPECT((in_use(pool) == 0U) && (mete_pool_usage(pool).refusals == 3U));
    void *const block = mete_acquire(view, BLOCK_SIZE, 1U);
    EXPECT((block == f.blocks[0]) && view.ops->owns(view.self, block));
    EXPECT(view.ops->size_of(view.self, block) == BLOCK_SIZE);
    mete_release(view, block, BLOCK_SIZE, 1U);
    EXPECT((tap_take_fault() == 0) && (in_use(pool) == 0U));
}

static void test_view_serves_every_alignment_that_all_blocks_have(void)
{
    static uint64_t storage[4 * 4] __attribute__((aligned(32)));
    static uint16_t links[4];
    for (size_t block_size = 1U; block_size <= 32U; block_size++) {
        for (size_t shift = 0U; shift < 8U; shift++) {
            const mete_pool_config_t config = {(unsigned char *)storage + shift, links, block_size,
                                               3U};
            mete_pool_t pool;
            EXPECT(mete_pool_init(&pool, &config));
            for (size_t align = 1U; align <= 4096U; align *= 2U) {
                const bool has_align = (shift % align == 0U) && (block_size % align == 0U);
                void *const block = mete_acquire(mete_pool_as_alloc(&pool), 1U, align);
                EXPECT((block != NULL) == has_align);
                mete_release(mete_pool_as_alloc(&pool), block, 1U, align);
            }
        }
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_view_holds_the_caller_to_size_and_alignment(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    const mete_alloc_t view = mete_pool_as_alloc(pool);
    void *const block = mete_acquire(view, 3U, 1U);
    mete_release(view, block, BLOCK_SIZE + 1U, 1U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, block, 0U, 1U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, block, 3U, 2U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT(!mete_resize(view, block, BLOCK_SIZE + 1U, 1U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT(in_use(pool) == 1U);
}

static void test_view_resizes_up_to_the_block(void)
{
    fixture_t f;
    const mete_alloc_t view = mete_pool_as_alloc(setup(&f));
    void *const block = mete_acquire(view, 3U, 1U);
    EXPECT(mete_resize(view, block, 3U, BLOCK_SIZE, 1U));
    EXPECT(!mete_resize(view, block, BLOCK_SIZE, BLOCK_SIZE + 1U, 1U));
    EXPECT(mete_resize(view, block, BLOCK_SIZE, 1U, 1U) && (tap_take_fault() == 0));
    EXPECT(!mete_resize(view, f.blocks[1], 1U, 2U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(!mete_resize(view, f.after, 1U, 2U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
}

static void test_alloc_never_hands_out_a_live_block(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup_listed(&f, 0U);  // 0 -> 1 -> 2 -> 3 -> 4.
    f.links[1] = 0U;                                 // A cycle: 0 -> 1 -> 0.
    EXPECT(!mete_pool_check(pool));
    EXPECT(mete_pool_alloc(pool) == f.blocks[0]);
    EXPECT(mete_pool_alloc(pool) == f.blocks[1]);
    (void)tap_take_fault();  // Level 3 sees it at once.
    EXPECT(mete_pool_alloc(pool) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(in_use(pool) == 2U);
}

static void test_alloc_never_follows_a_link_out_of_the_pool(void)
{
    static const uint16_t wrong[] = {BLOCK_COUNT, BLOCK_COUNT + 1, LINK_END - 1, LINK_END + 1,
                                     UINT16_MAX};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        fixture_t f;
        mete_pool_t *const pool = setup_listed(&f, 0U);
        f.links[0] = wrong[i];
        EXPECT(mete_pool_alloc(pool) == f.blocks[0]);
        (void)tap_take_fault();
        EXPECT(mete_pool_alloc(pool) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    }
}

static void test_alloc_reports_a_list_that_ends_too_early(void)
{
    // Also while there are blocks that never were out: none of them may be opened.
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    void *blocks[3];
    EXPECT(mete_pool_alloc_many(pool, blocks, 3U));
    mete_pool_free_many(pool, blocks, 3U);  // 2 -> 1 -> 0.
    f.links[2] = LINK_END;
    EXPECT(mete_pool_alloc(pool) == f.blocks[2]);
    (void)tap_take_fault();
    EXPECT(mete_pool_alloc(pool) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT((in_use(pool) == 1U) && (mete_pool_usage(pool).refusals == 0U));
}

static void test_check_sees_every_single_link_spoiled(void)
{
    // Each link in turn takes every value that it should not have. All must show, but for those of
    // block 4, which never was out: nobody reads its link.
    fixture_t f;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        mete_pool_t *const pool = setup(&f);
        void *blocks[BLOCK_COUNT - 1];
        EXPECT(mete_pool_alloc_many(pool, blocks, BLOCK_COUNT - 1U));
        mete_pool_free_many(pool, &blocks[1], BLOCK_COUNT - 2U);
        f.links[BLOCK_COUNT - 1] = LINK_END;
        const uint16_t right = f.links[i];
        for (uint32_t value = 0U; value <= UINT16_MAX; value++) {
            f.links[i] = (uint16_t)value;
            EXPECT(mete_pool_check(pool) == ((value == right) || (i == BLOCK_COUNT - 1U)));
        }
    }
}

static void test_check_sees_every_field_spoiled(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup_listed(&f, 2U);
    size_t *const sizes[] = {&pool->opened,     &pool->first_free, &pool->alloc_total,
                             &pool->block_size, &pool->rotation,   &pool->free_total,
                             &pool->block_count};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t right = *sizes[i];
        for (size_t bit = 0U; bit < 8U * sizeof(size_t); bit++) {
            *sizes[i] = right ^ ((size_t)1U << bit);
            EXPECT(!mete_pool_check(pool));
        }
        *sizes[i] = right;
        EXPECT(mete_pool_check(pool));
    }
    pool->blocks++;
    EXPECT(!mete_pool_check(pool));
    pool->blocks--;
    pool->inverse += 2U;
    EXPECT(!mete_pool_check(pool));
    pool->inverse -= 2U;
    pool->links++;
    EXPECT(!mete_pool_check(pool));
}

static void test_level_3_reports_damage_anywhere_after_every_operation(void)
{
    fixture_t f;
    mete_pool_t *const pool = setup_listed(&f, 3U);  // 3 -> 4.
    void *blocks[1] = {NULL};
    f.links[1] = LINK_LIVE - 1;  // A live block that nobody frees.
    const int expected = (METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0;
    EXPECT((mete_pool_alloc(pool) != NULL) && (tap_take_fault() == expected));
    EXPECT(mete_pool_alloc_many(pool, blocks, 1U) && (tap_take_fault() == expected));
    mete_pool_free_many(pool, blocks, 1U);
    EXPECT(tap_take_fault() == expected);
    mete_pool_free(pool, f.blocks[0]);
    EXPECT(tap_take_fault() == expected);
}

static void test_random_work_agrees_with_a_model(void)
{
    // The model is a flag per block.
    fixture_t f;
    mete_pool_t *const pool = setup(&f);
    bool held[BLOCK_COUNT] = {false};
    size_t held_count = 0U;
    size_t held_peak = 0U;
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 20000U; step++) {
        const size_t pick = random_below(&random, BLOCK_COUNT);
        if ((random & 1U) != 0U) {
            unsigned char *const block = (unsigned char *)mete_pool_alloc(pool);
            EXPECT((block == NULL) == (held_count == BLOCK_COUNT));
            if (block != NULL) {
                const size_t i = (size_t)(block - f.blocks[0]) / BLOCK_SIZE;
                EXPECT(!held[i]);
                held[i] = true;
                held_count++;
                held_peak = (held_count > held_peak) ? held_count : held_peak;
            }
        } else if (held[pick] || (METE_CHECK_LEVEL >= 1)) {
            mete_pool_free(pool, f.blocks[pick]);
            EXPECT(tap_take_fault() == (held[pick] ? 0 : METE_FAULT_DOUBLE_FREE));
            held_count -= held[pick] ? 1U : 0U;
            held[pick] = false;
        }
        EXPECT((in_use(pool) == held_count) && mete_pool_check(pool));
        EXPECT(mete_pool_usage(pool).in_use_peak == held_peak);
    }
}

static void test_define_makes_a_pool(void)
{
    METE_POOL_DEFINE(words, uint32_t, 3);
    EXPECT(mete_pool_init(&words, &words_config));
    uint32_t *const word = (uint32_t *)mete_pool_alloc(&words);
    EXPECT((word == &words_blocks[0]) && (words_config.block_count == 3U));
    EXPECT(words_config.block_size == sizeof(uint32_t));
}

static void run_what_needs_checks(void)
{
    RUN(test_free_refuses_what_is_not_a_block);
    RUN(test_free_refuses_a_free_block);
    RUN(test_free_reports_a_link_that_is_neither_live_nor_free);
    RUN(test_alloc_many_has_no_effect_if_the_list_is_damaged);
    RUN(test_free_many_frees_none_if_one_is_wrong);
    RUN(test_view_holds_the_caller_to_size_and_alignment);
    RUN(test_view_resizes_up_to_the_block);
    RUN(test_alloc_never_hands_out_a_live_block);
    RUN(test_alloc_never_follows_a_link_out_of_the_pool);
    RUN(test_alloc_reports_a_list_that_ends_too_early);
    RUN(test_level_3_reports_damage_anywhere_after_every_operation);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_init_refuses_a_missing_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_init_accepts_blocks_up_to_the_last_address_and_no_further);
    RUN(test_init_again_resets);
    RUN(test_init_does_not_write_links_or_blocks);
    RUN(test_links_of_blocks_never_out_mean_nothing);
    RUN(test_alloc_hands_out_every_block_once_then_null);
    RUN(test_alloc_reuses_the_block_freed_last);
    RUN(test_a_pool_that_was_never_made_is_empty);
    RUN(test_usage_counts);
    RUN(test_totals_may_wrap);
    RUN(test_blocks_are_never_touched);
    RUN(test_a_region_that_is_no_multiple_is_not_overrun);
    RUN(test_alloc_many_gives_all_or_none);
    RUN(test_free_many_takes_all_back);
    RUN(test_owns_every_byte_of_its_blocks_and_no_other);
    RUN(test_walk_shows_every_block_in_order);
    RUN(test_view_serves_what_fits_and_refuses_what_does_not);
    RUN(test_view_serves_every_alignment_that_all_blocks_have);
    RUN(test_check_sees_every_single_link_spoiled);
    RUN(test_check_sees_every_field_spoiled);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_define_makes_a_pool);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}
