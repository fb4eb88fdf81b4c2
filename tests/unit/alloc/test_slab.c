// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The slab cache, tested from inside: this file includes slab.c itself. What becomes of damage is in
// test_slab_damage.c.

#include "mete/alloc/slab.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/alloc/shelf.h"

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    mete_slab_t *const cache = setup_with(1U);
    const mete_alloc_t backing = {&shelf_ops, &fixture.shelf};
    const mete_slab_config_t good = fixture.config;
    mete_slab_config_t bad[] = {good, good, good, good, good, good, good, good, good, good, good};
    bad[0].table = NULL;
    bad[1].block_size = 0U;
    bad[2].block_count = 0U;
    bad[3].block_count = METE_SLAB_BLOCK_COUNT_MAX + 1U;
    bad[4].slab_count = 0U;
    bad[5].slab_count = METE_SLAB_COUNT_MAX + 1U;
    bad[6].align = 3U;
    bad[7].block_size = BLOCK_SIZE + 2U;  // No multiple of the alignment.
    bad[8].block_size = ((SIZE_MAX / PER_SLAB) & ~(size_t)3U) + 4U;
    bad[9].align = (SIZE_MAX / 2U) + 1U;
    bad[9].block_size = bad[9].align;
    bad[10].align =
        (SIZE_MAX / 8U) + 1U;  // A slab of one block and its link would still have a size.
    bad[10].block_size = bad[10].align;
    bad[10].block_count = 1U;
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_slab_init(cache, backing, &bad[i]));
        EXPECT((in_use(cache) == 1U) && mete_slab_check(cache));
    }
    EXPECT(!mete_slab_init(cache, (mete_alloc_t){NULL, NULL}, &good));
    EXPECT((in_use(cache) == 1U) && mete_slab_check(cache));
}

static void test_init_refuses_a_missing_configuration(void)
{
    mete_slab_t *const cache = setup_with(1U);
    const mete_alloc_t backing = {&shelf_ops, &fixture.shelf};
    EXPECT(!mete_slab_init(cache, backing, NULL));
    EXPECT((in_use(cache) == 1U) && mete_slab_check(cache));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_slab_t never = {0};
    EXPECT(!mete_slab_check(&never));
    EXPECT(tap_take_fault() == 0);
}

static void test_init_asks_for_nothing(void)
{
    const mete_slab_t *const cache = setup();
    EXPECT((fixture.shelf.acquire_count == 0U) && (slab_count(cache) == 0U));
    EXPECT((mete_slab_usage(cache).in_use_permille == 0U) && !mete_slab_owns(cache, NULL));
    EXPECT(!mete_slab_owns(cache, fixture.shelf.boards[0]) && (cache->upper == cache->table));
}

// ---- alloc

static void test_alloc_adds_a_slab_only_when_all_blocks_are_in_use(void)
{
    mete_slab_t *const cache = setup();
    for (size_t i = 0U; i < BLOCK_MAX; i++) {
        EXPECT(mete_slab_alloc(cache) != NULL);
        EXPECT(fixture.shelf.acquire_count == (i / PER_SLAB) + 1U);
        EXPECT((slab_count(cache) == (i / PER_SLAB) + 1U) && mete_slab_check(cache));
    }
}

static void test_alloc_gives_null_when_no_slab_may_be_added(void)
{
    mete_slab_t *const cache = setup_with(BLOCK_MAX);
    EXPECT(mete_slab_alloc(cache) == NULL);
    EXPECT((tap_take_fault() == 0) && (mete_slab_usage(cache).refusals == 1U));
    EXPECT(fixture.shelf.acquire_count == SLAB_MAX);  // The allocator behind was not bothered.
    mete_slab_free(cache, held[17]);
    EXPECT((mete_slab_alloc(cache) == held[17]) && mete_slab_check(cache));
}

static void test_alloc_gives_null_at_every_acquire_that_is_refused_and_goes_on(void)
{
    for (size_t n = 1U; n <= SLAB_MAX; n++) {
        mete_slab_t *const cache = setup();
        fixture.shelf.refuse_at = n;
        size_t refused_count = 0U;
        for (size_t i = 0U; i < BLOCK_MAX + 1U; i++) {
            void *const block = mete_slab_alloc(cache);
            refused_count += (block == NULL) ? 1U : 0U;
            EXPECT((block == NULL) == (i == (n - 1U) * PER_SLAB));
            EXPECT(mete_slab_check(cache));
        }
        EXPECT((refused_count == 1U) && (tap_take_fault() == 0));
        EXPECT((mete_slab_usage(cache).refusals == 1U) && (in_use(cache) == BLOCK_MAX));
    }
}

static void test_blocks_are_aligned_apart_and_inside_their_slab(void)
{
    (void)setup_with(BLOCK_MAX);
    for (size_t i = 0U; i < BLOCK_MAX; i++) {
        const size_t offset = (size_t)(held[i] - fixture.shelf.boards[0]);
        const size_t inside = offset % sizeof fixture.shelf.boards[0];
        EXPECT(((uintptr_t)held[i] % ALIGN == 0U) && (inside >= LINKS_SIZE));
        EXPECT(inside + BLOCK_SIZE <= SLAB_SIZE);
        for (size_t j = 0U; j < i; j++) {
            EXPECT((held[i] >= held[j] + BLOCK_SIZE) || (held[j] >= held[i] + BLOCK_SIZE));
        }
    }
}

static void test_alloc_reuses_the_block_freed_last(void)
{
    mete_slab_t *const cache = setup_with(4U);
    mete_slab_free(cache, held[1]);
    mete_slab_free(cache, held[2]);
    EXPECT(mete_slab_alloc(cache) == held[2]);
    EXPECT(mete_slab_alloc(cache) == held[1]);
}

static void test_alloc_finds_every_free_block_before_it_adds_a_slab(void)
{
    mete_slab_t *const cache = setup_with(BLOCK_MAX - PER_SLAB);
    // One block of each slab, and all of one.
    for (size_t i = 0U; i < BLOCK_MAX - PER_SLAB; i++) {
        if ((i % PER_SLAB == 3U) || (i / PER_SLAB == 4U)) {
            mete_slab_free(cache, held[i]);
            EXPECT(mete_slab_check(cache));
        }
    }
    const size_t free_blocks = SLAB_MAX - 2U + PER_SLAB;
    for (size_t i = 0U; i < free_blocks; i++) {
        EXPECT((mete_slab_alloc(cache) != NULL) && mete_slab_check(cache));
    }
    EXPECT(slab_count(cache) == SLAB_MAX - 1U);
    EXPECT((mete_slab_alloc(cache) != NULL) && (slab_count(cache) == SLAB_MAX));
}

// ---- free

static void test_every_block_can_be_freed_with_any_number_of_slabs(void)
{
    for (size_t count = 1U; count <= BLOCK_MAX; count++) {
        mete_slab_t *const cache = setup_with(count);
        for (size_t i = 0U; i < count; i++) {
            mete_slab_free(cache, held[(i * 7U) % count]);  // Some twice, if 7 divides the count.
            EXPECT((tap_take_fault() == 0) || (count % 7U == 0U));
        }
        if (count % 7U != 0U) {
            EXPECT((in_use(cache) == 0U) && mete_slab_check(cache));
        }
    }
}

static void test_free_refuses_what_is_not_a_block(void)
{
    for (size_t slabs = 0U; slabs <= SLAB_MAX; slabs++) {
        mete_slab_t *const cache = setup_with(slabs * PER_SLAB);
        const unsigned char *const from = (const unsigned char *)&fixture.shelf - 64;
        for (size_t offset = 0U; offset < sizeof fixture.shelf.boards + 128U; offset++) {
            bool is_block = false;
            for (size_t i = 0U; i < slabs * PER_SLAB; i++) {
                is_block |= held[i] == from + offset;
            }
            if (!is_block) {
                mete_slab_free(cache, (void *)(uintptr_t)(from + offset));
                EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
                EXPECT((tap_fault_object == cache) && (tap_fault_address == from + offset));
            }
        }
        mete_slab_free(cache, (void *)1U);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        mete_slab_free(cache, (void *)UINTPTR_MAX);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        mete_slab_free(cache, NULL);
        EXPECT(tap_take_fault() == 0);
        EXPECT((in_use(cache) == slabs * PER_SLAB) && mete_slab_check(cache));
    }
}

static void test_free_refuses_a_free_block(void)
{
    mete_slab_t *const cache = setup_with(7U);
    unsigned char *const never_out = held[6] + BLOCK_SIZE;
    mete_slab_free(cache, never_out);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    mete_slab_free(cache, held[2]);
    EXPECT(tap_take_fault() == 0);
    mete_slab_free(cache, held[2]);
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (tap_fault_address == held[2]));
    EXPECT((in_use(cache) == 6U) && mete_slab_check(cache));
}

static void test_free_refuses_a_block_of_a_slab_given_back(void)
{
    mete_slab_t *const cache = setup_with(1U);
    mete_slab_free(cache, held[0]);
    EXPECT(mete_slab_purge(cache) == 1U);
    mete_slab_free(cache, held[0]);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && mete_slab_check(cache));
}

// ---- Construction

static void test_blocks_are_constructed_once_and_alloc_and_free_leave_them_alone(void)
{
    mete_slab_t *const cache = setup_with(1U);
    EXPECT(fixture.constructed == PER_SLAB);
    EXPECT(mete_words_scan(held[0], 0xC0U, BLOCK_SIZE) == BLOCK_SIZE);
    mete_words_fill(held[0], 0x77U, BLOCK_SIZE);
    mete_slab_free(cache, held[0]);
    EXPECT(mete_slab_alloc(cache) == held[0]);
    EXPECT(mete_words_scan(held[0], 0x77U, BLOCK_SIZE) == BLOCK_SIZE);
    EXPECT((fixture.constructed == PER_SLAB) && (fixture.destructed == 0U));
}

static void test_blocks_are_destructed_before_their_slab_is_given_back(void)
{
    mete_slab_t *const cache = setup_with(PER_SLAB + 1U);
    mete_slab_free(cache, held[PER_SLAB]);
    EXPECT((mete_slab_purge(cache) == 1U) && (fixture.destructed == PER_SLAB));
    EXPECT(mete_words_scan(held[PER_SLAB], 0xDEU, BLOCK_SIZE) == BLOCK_SIZE);
    EXPECT(mete_words_scan(held[0], 0xC0U, BLOCK_SIZE) == BLOCK_SIZE);
}

// ---- reserve and purge

static void test_reserve_makes_sure_that_so_many_can_be_had(void)
{
    mete_slab_t *const cache = setup_with(3U);
    EXPECT(mete_slab_reserve(cache, 2U) && (slab_count(cache) == 1U));
    EXPECT(mete_slab_reserve(cache, 13U) && (slab_count(cache) == 4U) && mete_slab_check(cache));
    const size_t acquire_count = fixture.shelf.acquire_count;
    for (size_t i = 0U; i < 13U; i++) {
        EXPECT(mete_slab_alloc(cache) != NULL);
    }
    EXPECT((fixture.shelf.acquire_count == acquire_count) && mete_slab_check(cache));
    EXPECT(mete_slab_reserve(cache, BLOCK_MAX - 16U) && (slab_count(cache) == SLAB_MAX));
    EXPECT(mete_slab_usage(cache).refusals == 0U);
}

static void test_reserve_says_when_it_cannot_and_keeps_what_it_has(void)
{
    mete_slab_t *const cache = setup();
    fixture.shelf.refuse_at = 3U;
    EXPECT(!mete_slab_reserve(cache, 3U * PER_SLAB) && (slab_count(cache) == 2U));
    EXPECT(!mete_slab_reserve(cache, BLOCK_MAX + 1U) && (slab_count(cache) == SLAB_MAX));
    EXPECT(!mete_slab_reserve(cache, SIZE_MAX) && (mete_slab_usage(cache).refusals == 3U));
    EXPECT((tap_take_fault() == 0) && mete_slab_check(cache));
    EXPECT(mete_slab_reserve(cache, BLOCK_MAX) && mete_slab_reserve(cache, 0U));
}

static void test_purge_gives_back_what_is_empty_and_nothing_else(void)
{
    mete_slab_t *const cache = setup_with(BLOCK_MAX);
    EXPECT(mete_slab_purge(cache) == 0U);
    for (size_t i = 0U; i < BLOCK_MAX; i++) {
        const size_t slab = i / PER_SLAB;
        if ((slab % 3U != 1U) || (i % PER_SLAB == 2U)) {
            mete_slab_free(cache, held[i]);
        }
    }
    EXPECT((mete_slab_purge(cache) == 6U) && mete_slab_check(cache));
    EXPECT((fixture.shelf.taken_count == 3U) && (mete_slab_usage(cache).purge_total == 6U));
    for (size_t i = 0U; i < BLOCK_MAX; i++) {
        if ((i / PER_SLAB % 3U == 1U) && (i % PER_SLAB != 2U)) {
            EXPECT(mete_slab_owns(cache, held[i]));
            mete_slab_free(cache, held[i]);
        }
    }
    EXPECT((tap_take_fault() == 0) && (mete_slab_purge(cache) == 3U));
    EXPECT((fixture.shelf.taken_count == 0U) && mete_slab_check(cache));
    EXPECT((mete_slab_alloc(cache) != NULL) && (slab_count(cache) == 1U));
}

static void test_an_emptied_cache_may_get_any_of_its_slabs_again(void)
{
    for (size_t which = 0U; which < 2U; which++) {
        mete_slab_t *const cache = setup_with(2U * PER_SLAB);
        const uintptr_t start = cache->table[which].start;
        for (size_t i = 0U; i < 2U * PER_SLAB; i++) {
            mete_slab_free(cache, held[i]);
        }
        EXPECT((mete_slab_purge(cache) == 2U) && (slab_count(cache) == 0U));
        fixture.shelf.is_taken[fixture.shelf.order[0]] = (which != 0U);
        EXPECT((mete_slab_alloc(cache) != NULL) && (tap_take_fault() == 0));
        EXPECT((cache->table[0].start == start) && (slab_count(cache) == 1U) &&
               mete_slab_check(cache));
    }
}

static void test_purge_from_within_an_acquire_does_no_harm(void)
{
    mete_slab_t *const cache = setup_with(2U * PER_SLAB);
    for (size_t i = PER_SLAB; i < 2U * PER_SLAB; i++) {
        mete_slab_free(cache, held[i]);
    }
    fixture.shelf.purge_first = cache;
    EXPECT(!mete_slab_reserve(cache, 2U * PER_SLAB) && mete_slab_check(cache));  // And it ends.
    EXPECT(in_use(cache) == PER_SLAB);
    for (size_t i = PER_SLAB; i < BLOCK_MAX; i++) {
        EXPECT(mete_slab_alloc(cache) != NULL);
    }
    EXPECT((in_use(cache) == BLOCK_MAX) && mete_slab_check(cache) && (tap_take_fault() == 0));
}

// ---- Numbers

static void test_usage_counts(void)
{
    mete_slab_t *const cache = setup_with(13U);
    for (size_t i = 0U; i < 6U; i++) {
        mete_slab_free(cache, held[i]);
    }
    (void)mete_slab_purge(cache);
    const mete_slab_usage_t usage = mete_slab_usage(cache);
    EXPECT((usage.slab_count == 2U) && (usage.slab_count_peak == 3U) && (usage.purge_total == 1U));
    EXPECT((usage.block_count == 10U) && (usage.in_use == 7U) && (usage.in_use_permille == 700U));
    EXPECT((usage.in_use_peak == 13U) && (usage.alloc_total == 13U) && (usage.free_total == 6U));
    EXPECT(usage.refusals == 0U);
}

static void test_usage_of_one_slab(void)
{
    mete_slab_t *const cache = setup_with(13U);
    mete_slab_free(cache, held[0]);
    size_t sum = 0U;
    const void *before = NULL;
    for (size_t i = 0U; i < 3U; i++) {
        const mete_slab_one_t one = mete_slab_usage_one(cache, i);
        EXPECT((one.block_count == PER_SLAB) && ((uintptr_t)one.start > (uintptr_t)before));
        EXPECT(one.in_use_permille == one.in_use * 200U);
        EXPECT(one.start == (void *)cache->table[i].start);
        EXPECT((one.start != (void *)cache->current->start) || (one.in_use == 3U));
        sum += one.in_use;
        before = one.start;
    }
    EXPECT(sum == 12U);
    EXPECT((mete_slab_usage_one(cache, 3U).start == NULL) &&
           (mete_slab_usage_one(cache, SIZE_MAX).block_count == 0U));
    EXPECT(mete_slab_usage_one(cache, 3U).in_use == 0U);
}

static void test_permille_of_many(void)
{
    EXPECT((permille_of(0U, 0U) == 0U) && (permille_of(1U, 3U) == 333U));
    EXPECT((permille_of(3999999U, 3999999U) == 1000U) && (permille_of(3999998U, 3999999U) == 999U));
    EXPECT((permille_of(4000000U, 4000000U) == 1000U) && (permille_of(2000000U, 4000001U) <= 500U));
    const size_t most = (size_t)METE_SLAB_BLOCK_COUNT_MAX * METE_SLAB_COUNT_MAX;
    EXPECT((permille_of(most, most) <= 1000U) && (permille_of(most / 2U, most) <= 500U));
}

static void test_owns_every_byte_of_its_blocks_and_no_other(void)
{
    const mete_slab_t *const cache = setup_with(BLOCK_MAX - 2U);
    for (size_t board = 0U; board < BOARD_COUNT; board++) {
        for (size_t i = 0U; i < sizeof fixture.shelf.boards[0]; i++) {
            const bool is_ours =
                fixture.shelf.is_taken[board] && (i >= LINKS_SIZE) && (i < SLAB_SIZE);
            EXPECT(mete_slab_owns(cache, &fixture.shelf.boards[board][i]) == is_ours);
        }
    }
    EXPECT(!mete_slab_owns(cache, NULL) && !mete_slab_owns(cache, (void *)UINTPTR_MAX));
}

typedef struct walk {
    size_t seen_count, live_count, stop_at;
    const void *last;
} walk_t;

static bool visit(void *self, const mete_slab_block_t *block)
{
    walk_t *const walk = (walk_t *)self;
    EXPECT(((uintptr_t)block->block > (uintptr_t)walk->last) && (block->size == BLOCK_SIZE));
    walk->last = block->block;
    walk->seen_count++;
    walk->live_count += block->is_live ? 1U : 0U;
    return walk->seen_count != walk->stop_at;
}

static void test_walk_shows_every_block_in_order(void)
{
    mete_slab_t *const cache = setup_with(13U);
    mete_slab_free(cache, held[4]);
    walk_t walk = {0U, 0U, 0U, NULL};
    EXPECT(mete_slab_walk(cache, visit, &walk));
    EXPECT((walk.seen_count == 15U) && (walk.live_count == 12U));
    walk_t short_walk = {0U, 0U, 7U, NULL};
    EXPECT(!mete_slab_walk(cache, visit, &short_walk) && (short_walk.seen_count == 7U));
}

// ---- The view

static void test_view_serves_what_fits_and_refuses_what_does_not(void)
{
    mete_slab_t *const cache = setup();
    const mete_alloc_t view = mete_slab_as_alloc(cache);
    EXPECT(mete_acquire(view, 0U, 1U) == NULL);
    EXPECT(mete_acquire(view, BLOCK_SIZE + 1U, 1U) == NULL);
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
    EXPECT(mete_acquire(view, 1U, 2U * ALIGN) == NULL);
    EXPECT((slab_count(cache) == 0U) && (mete_slab_usage(cache).refusals == 3U));
    void *const block = mete_acquire(view, BLOCK_SIZE, ALIGN);
    EXPECT((block != NULL) && view.ops->owns(view.self, block));
    EXPECT(view.ops->size_of(view.self, block) == BLOCK_SIZE);
    mete_release(view, block, BLOCK_SIZE, ALIGN);
    EXPECT((tap_take_fault() == 0) && (in_use(cache) == 0U));
}

static void test_view_holds_the_caller_to_size_and_alignment(void)
{
    mete_slab_t *const cache = setup();
    const mete_alloc_t view = mete_slab_as_alloc(cache);
    void *const block = mete_acquire(view, 3U, 1U);
    mete_release(view, block, BLOCK_SIZE + 1U, 1U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, block, 0U, 1U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, block, 3U, 2U * ALIGN);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT(!mete_resize(view, block, BLOCK_SIZE + 1U, 1U, 1U));
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && (in_use(cache) == 1U));
}

static void test_view_resizes_up_to_the_block(void)
{
    mete_slab_t *const cache = setup_with(2U);
    const mete_alloc_t view = mete_slab_as_alloc(cache);
    EXPECT(mete_resize(view, held[0], 3U, BLOCK_SIZE, 1U));
    EXPECT(!mete_resize(view, held[0], BLOCK_SIZE, BLOCK_SIZE + 1U, 1U));
    EXPECT(mete_resize(view, held[0], BLOCK_SIZE, 1U, 1U) && (tap_take_fault() == 0));
    mete_slab_free(cache, held[1]);
    EXPECT(!mete_resize(view, held[1], 1U, 2U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(!mete_resize(view, fixture.shelf.boards, 1U, 2U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
}

// ---- Against a model: a flag a block of every board, and which boards are taken.

static struct {
    bool is_held[BOARD_COUNT][PER_SLAB];
    size_t held_count, held_peak;
} model;

static size_t empty_boards(void)
{
    size_t count = 0U;
    for (size_t board = 0U; board < BOARD_COUNT; board++) {
        const size_t free_size = mete_words_scan(model.is_held[board], 0U, PER_SLAB);
        count += (fixture.shelf.is_taken[board] && (free_size == PER_SLAB)) ? 1U : 0U;
    }
    return count;
}

// A block is served as long as there can be one, by a new slab only if all blocks are in use.
static void alloc_like_the_model(mete_slab_t *cache)
{
    const size_t taken_count = fixture.shelf.taken_count;
    const bool must_serve = model.held_count < BLOCK_MAX;
    const bool must_grow = must_serve && (model.held_count == taken_count * PER_SLAB);
    const unsigned char *const block = (const unsigned char *)mete_slab_alloc(cache);
    EXPECT((block != NULL) == must_serve);
    EXPECT(fixture.shelf.taken_count == taken_count + (must_grow ? 1U : 0U));
    if (block != NULL) {
        const size_t offset = (size_t)(block - fixture.shelf.boards[0]);
        const size_t board = offset / sizeof fixture.shelf.boards[0];
        const size_t inside = (offset % sizeof fixture.shelf.boards[0]) - LINKS_SIZE;
        bool *const is_held = &model.is_held[board][inside / BLOCK_SIZE];
        EXPECT(fixture.shelf.is_taken[board] && (inside % BLOCK_SIZE == 0U) && !*is_held);
        *is_held = true;
        model.held_count++;
        model.held_peak = (model.held_count > model.held_peak) ? model.held_count : model.held_peak;
    }
}

static void free_like_the_model(mete_slab_t *cache, size_t board, size_t index)
{
    bool *const is_held = &model.is_held[board][index];
    const int wrong = fixture.shelf.is_taken[board] ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN;
    if (*is_held || (METE_CHECK_LEVEL >= 1)) {
        mete_slab_free(cache, &fixture.shelf.boards[board][LINKS_SIZE + (index * BLOCK_SIZE)]);
        EXPECT(tap_take_fault() == (*is_held ? 0 : wrong));
        model.held_count -= *is_held ? 1U : 0U;
        *is_held = false;
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    mete_slab_t *const cache = setup();
    mete_words_fill(&model, 0U, sizeof model);
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 12000U; step++) {
        const size_t board = random_below(&random, BOARD_COUNT);
        const size_t index = random_below(&random, PER_SLAB);
        const uint32_t choice = random_below(&random, 100U);
        const bool is_growing = (step / 500U) % 2U == 0U;
        if (choice == 0U) {
            const size_t empty_count = empty_boards();
            EXPECT(mete_slab_purge(cache) == empty_count);
        } else if (choice < (is_growing ? 60U : 25U)) {
            alloc_like_the_model(cache);
        } else {
            free_like_the_model(cache, board, index);
        }
        EXPECT((in_use(cache) == model.held_count) && mete_slab_check(cache));
        EXPECT((mete_slab_usage(cache).in_use_peak == model.held_peak) &&
               (slab_count(cache) == fixture.shelf.taken_count));
    }
    EXPECT(model.held_peak == BLOCK_MAX);
}

// Hands memory out from front to back and forgets what comes back.
static struct {
    unsigned char *next;
    size_t left;
} bump;

static void *bump_acquire(void *self, size_t size, size_t align)
{
    (void)self;
    const size_t gap = (0U - (uintptr_t)bump.next) & (align - 1U);
    if (size + gap > bump.left) {
        return NULL;
    }
    unsigned char *const block = bump.next + gap;
    bump.next = block + size;
    bump.left -= size + gap;
    return block;
}

static void bump_release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)block, (void)size, (void)align;
}

static mete_alloc_t bump_over(unsigned char *start, size_t size)
{
    static const mete_alloc_ops_t ops = {bump_acquire, bump_release, NULL, NULL, NULL};
    bump.next = start;
    bump.left = size;
    return (mete_alloc_t){&ops, &bump};
}

static void test_define_makes_a_cache(void)
{
    typedef struct session {
        uint64_t number;
        uint16_t port;
    } session_t;
    METE_SLAB_DEFINE(sessions, session_t, 3, 2, NULL);
    static unsigned char memory[256] __attribute__((aligned(16)));
    EXPECT(mete_slab_init(&sessions, bump_over(memory, sizeof memory), &sessions_config));
    for (size_t i = 0U; i < 6U; i++) {
        const void *const one = mete_slab_alloc(&sessions);
        EXPECT((one != NULL) && ((uintptr_t)one % __alignof__(session_t) == 0U));
    }
    EXPECT((mete_slab_alloc(&sessions) == NULL) &&
           (sessions_config.block_size == sizeof(session_t)));
}

static void run_what_needs_checks(void)
{
    RUN(test_free_refuses_what_is_not_a_block);
    RUN(test_free_refuses_a_free_block);
    RUN(test_free_refuses_a_block_of_a_slab_given_back);
    RUN(test_every_block_can_be_freed_with_any_number_of_slabs);
    RUN(test_view_holds_the_caller_to_size_and_alignment);
    RUN(test_view_resizes_up_to_the_block);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_init_refuses_a_missing_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_init_asks_for_nothing);
    RUN(test_alloc_adds_a_slab_only_when_all_blocks_are_in_use);
    RUN(test_alloc_gives_null_when_no_slab_may_be_added);
    RUN(test_alloc_gives_null_at_every_acquire_that_is_refused_and_goes_on);
    RUN(test_blocks_are_aligned_apart_and_inside_their_slab);
    RUN(test_alloc_reuses_the_block_freed_last);
    RUN(test_alloc_finds_every_free_block_before_it_adds_a_slab);
    RUN(test_blocks_are_constructed_once_and_alloc_and_free_leave_them_alone);
    RUN(test_blocks_are_destructed_before_their_slab_is_given_back);
    RUN(test_reserve_makes_sure_that_so_many_can_be_had);
    RUN(test_reserve_says_when_it_cannot_and_keeps_what_it_has);
    RUN(test_purge_gives_back_what_is_empty_and_nothing_else);
    RUN(test_an_emptied_cache_may_get_any_of_its_slabs_again);
    RUN(test_purge_from_within_an_acquire_does_no_harm);
    RUN(test_usage_counts);
    RUN(test_usage_of_one_slab);
    RUN(test_permille_of_many);
    RUN(test_owns_every_byte_of_its_blocks_and_no_other);
    RUN(test_walk_shows_every_block_in_order);
    RUN(test_view_serves_what_fits_and_refuses_what_does_not);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_define_makes_a_cache);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}
