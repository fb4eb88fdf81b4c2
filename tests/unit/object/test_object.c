// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The object pool, tested from inside: this file includes object.c itself.

#include "mete/object/object.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

// An object whose size is odd, so that a byte lies between it and its hint.
enum { OBJECT_SIZE = 13, ALIGN = 4, OBJECT_MAX = 7, KEPT_MAX = 5, BOARD_COUNT = 9 };
enum { BLOCK_SIZE = 16, BOARD_SIZE = 20 };
enum { MADE = 0xC0, RESET = 0x5E };

// What stands behind the pool: equal boards, handed out in an order that is neither up nor down.
typedef struct shelf {
    _Alignas(8) unsigned char boards[BOARD_COUNT][BOARD_SIZE];
    bool is_taken[BOARD_COUNT];
    size_t acquire_count, taken_count;
    size_t refuse_at;  // The acquire that is refused, counted from 1; 0: none.
    struct mete_object
        *shrink_first;  // Shrunk in every acquire: what a hook for hard times may do.
} shelf_t;

static struct {
    shelf_t shelf;
    mete_object_slot_t table[OBJECT_MAX];
    mete_object_config_t config;
    mete_object_t pool;
    size_t constructed, reset, destructed;
    size_t refuse_construct_at;
} fixture;

static void *take_board(void *self, size_t size, size_t align)
{
    shelf_t *const shelf = (shelf_t *)self;
    EXPECT((size == BLOCK_SIZE) && (align == ALIGN));
    shelf->acquire_count++;
    if (shelf->shrink_first != NULL) {
        (void)mete_object_shrink(shelf->shrink_first, 0U);
    }
    for (size_t i = 0U; (i < BOARD_COUNT) && (shelf->acquire_count != shelf->refuse_at); i++) {
        const size_t board = (4U + (i * 5U)) % BOARD_COUNT;
        if (!shelf->is_taken[board]) {
            shelf->is_taken[board] = true;
            shelf->taken_count++;
            return shelf->boards[board];
        }
    }
    return NULL;
}

static void return_board(void *self, void *block, size_t size, size_t align)
{
    shelf_t *const shelf = (shelf_t *)self;
    const size_t board = (size_t)((unsigned char *)block - shelf->boards[0]) / BOARD_SIZE;
    EXPECT((board < BOARD_COUNT) && (block == shelf->boards[board]) && shelf->is_taken[board]);
    EXPECT((size == BLOCK_SIZE) && (align == ALIGN));
    shelf->is_taken[board] = false;
    shelf->taken_count--;
}

static const mete_alloc_ops_t shelf_ops = {take_board, return_board, NULL, NULL, NULL};

static bool make(void *self, void *object)
{
    EXPECT(self == &fixture);
    fixture.constructed++;
    mete_words_fill(object, MADE, OBJECT_SIZE);
    return fixture.constructed != fixture.refuse_construct_at;
}

static void make_as_new(void *self, void *object)
{
    EXPECT((self == &fixture) && (fixture.pool.in_use != 0U));
    fixture.reset++;
    mete_words_fill(object, RESET, OBJECT_SIZE);
}

static void unmake(void *self, void *object)
{
    EXPECT((self == &fixture) && (object != NULL));
    fixture.destructed++;
}

static mete_object_t *setup_again(void)
{
    const mete_alloc_t backing = {&shelf_ops, &fixture.shelf};
    EXPECT(mete_object_init(&fixture.pool, backing, &fixture.config));
    EXPECT(mete_object_check(&fixture.pool));
    return &fixture.pool;
}

static mete_object_t *setup(void)
{
    mete_words_fill(&fixture, 0xA5U, sizeof fixture);
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        fixture.shelf.is_taken[i] = false;
    }
    fixture.shelf.acquire_count = 0U;
    fixture.shelf.taken_count = 0U;
    fixture.shelf.refuse_at = 0U;
    fixture.shelf.shrink_first = NULL;
    fixture.constructed = 0U;
    fixture.reset = 0U;
    fixture.destructed = 0U;
    fixture.refuse_construct_at = 0U;
    fixture.config =
        (mete_object_config_t){OBJECT_SIZE, ALIGN, OBJECT_MAX, fixture.table, KEPT_MAX, 0U,
                               0U,          true,  make,       make_as_new,   unmake,   &fixture};
    return setup_again();
}

static unsigned char *held[OBJECT_MAX + 1];

// A pool with so many objects in use, in `held` in the order they were handed out.
static mete_object_t *setup_with(size_t count)
{
    mete_object_t *const pool = setup();
    for (size_t i = 0U; i < count; i++) {
        held[i] = (unsigned char *)mete_object_get(pool);
        EXPECT(held[i] != NULL);
    }
    return pool;
}

// The same, of which the first so many have been put back.
static mete_object_t *setup_with_unused(size_t count, size_t put_count)
{
    mete_object_t *const pool = setup_with(count);
    for (size_t i = 0U; i < put_count; i++) {
        mete_object_put(pool, held[i]);
    }
    EXPECT(tap_take_fault() == 0);
    return pool;
}

static bool is_filled(const void *object, unsigned char byte)
{
    return mete_words_scan(object, byte, OBJECT_SIZE) == OBJECT_SIZE;
}

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    mete_object_t *const pool = setup_with(1U);
    const mete_alloc_t backing = {&shelf_ops, &fixture.shelf};
    const mete_object_config_t good = fixture.config;
    mete_object_config_t bad[] = {good, good, good, good, good, good, good, good, good};
    bad[0].table = NULL;
    bad[1].object_size = 0U;
    bad[2].object_size = SIZE_MAX / 2U + 1U;
    bad[3].align = 1U;
    bad[4].align = 6U;
    bad[5].object_max = 0U;
    bad[6].object_max = METE_OBJECT_COUNT_MAX + 1U;
    bad[7].kept_max = OBJECT_MAX + 1U;
    bad[8].kept_min = KEPT_MAX + 1U;
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_object_init(pool, backing, &bad[i]));
    }
    EXPECT(!mete_object_init(pool, backing, NULL));
    EXPECT(!mete_object_init(pool, (mete_alloc_t){NULL, NULL}, &good));
    EXPECT((pool->in_use == 1U) && mete_object_check(pool));
}

static void test_init_takes_what_is_just_allowed(void)
{
    (void)setup();
    const mete_alloc_t backing = {&shelf_ops, &fixture.shelf};
    fixture.config.kept_max = OBJECT_MAX;
    fixture.config.kept_min = OBJECT_MAX;
    fixture.config.align = 2U;
    fixture.config.object_size = SIZE_MAX / 2U;
    EXPECT(mete_object_init(&fixture.pool, backing, &fixture.config));
    fixture.config.object_max = 1U;
    fixture.config.kept_max = 0U;
    fixture.config.kept_min = 0U;
    EXPECT(mete_object_init(&fixture.pool, backing, &fixture.config));
}

static void test_init_asks_for_nothing(void)
{
    const mete_object_t *const pool = setup();
    EXPECT((fixture.shelf.acquire_count == 0U) && !mete_object_owns(pool, NULL));
    const mete_object_usage_t usage = mete_object_usage(pool);
    EXPECT((usage.object_count == 0U) && (usage.in_use == 0U) && (usage.in_use_peak == 0U));
    EXPECT((usage.get_total == 0U) && (usage.put_total == 0U) && (usage.create_total == 0U));
    EXPECT((usage.release_total == 0U) && (usage.take_total == 0U) && (usage.refusals == 0U));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_object_t never = {0};
    EXPECT(!mete_object_check(&never) && (tap_take_fault() == 0));
}

// ---- get

static void test_get_makes_an_object_only_when_none_is_unused(void)
{
    mete_object_t *const pool = setup_with_unused(3U, 2U);
    EXPECT((fixture.constructed == 3U) && (fixture.shelf.acquire_count == 3U));
    EXPECT((mete_object_get(pool) == held[1]) && (mete_object_get(pool) == held[0]));
    EXPECT(fixture.constructed == 3U);
    const void *const fresh = mete_object_get(pool);
    EXPECT((fixture.constructed == 4U) && is_filled(fresh, MADE) && mete_object_check(pool));
}

static void test_objects_are_aligned_apart_and_whole(void)
{
    (void)setup_with(OBJECT_MAX);
    for (size_t i = 0U; i < OBJECT_MAX; i++) {
        const size_t offset = (size_t)(held[i] - fixture.shelf.boards[0]);
        EXPECT(((uintptr_t)held[i] % ALIGN == 0U) && (offset % BOARD_SIZE == 0U));
        mete_words_fill(held[i], (uint8_t)i, OBJECT_SIZE);
    }
    for (size_t i = 0U; i < OBJECT_MAX; i++) {
        EXPECT(is_filled(held[i], (unsigned char)i));
        mete_object_put(&fixture.pool, held[i]);
    }
    EXPECT((tap_take_fault() == 0) && mete_object_check(&fixture.pool));
}

static void test_get_gives_null_at_the_maximum(void)
{
    mete_object_t *const pool = setup_with(OBJECT_MAX);
    EXPECT((mete_object_get(pool) == NULL) && (tap_take_fault() == 0));
    EXPECT((mete_object_usage(pool).refusals == 1U) && (fixture.shelf.acquire_count == OBJECT_MAX));
    mete_object_put(pool, held[3]);
    EXPECT((mete_object_get(pool) == held[3]) && mete_object_check(pool));
}

static void test_get_gives_null_at_every_acquire_that_is_refused_and_goes_on(void)
{
    for (size_t nth = 1U; nth <= OBJECT_MAX; nth++) {
        mete_object_t *const pool = setup();
        fixture.shelf.refuse_at = nth;
        for (size_t i = 0U; i <= OBJECT_MAX; i++) {
            EXPECT((mete_object_get(pool) == NULL) == (i + 1U == nth));
            EXPECT(mete_object_check(pool));
        }
        EXPECT((mete_object_usage(pool).refusals == 1U) && (tap_take_fault() == 0));
    }
}

static void test_get_gives_memory_back_if_the_object_cannot_be_made(void)
{
    for (size_t nth = 1U; nth <= OBJECT_MAX; nth++) {
        mete_object_t *const pool = setup();
        fixture.refuse_construct_at = nth;
        for (size_t i = 0U; i <= OBJECT_MAX; i++) {
            EXPECT((mete_object_get(pool) == NULL) == (i + 1U == nth));
            EXPECT(mete_object_check(pool));
        }
        EXPECT((mete_object_usage(pool).refusals == 1U) && (fixture.destructed == 0U));
        EXPECT((fixture.shelf.taken_count == OBJECT_MAX) && (pool->create_total == OBJECT_MAX));
    }
}

static void test_without_callbacks_objects_are_memory(void)
{
    (void)setup();
    fixture.config.construct = NULL;
    fixture.config.destruct = NULL;
    fixture.config.resets = false;
    mete_object_t *const pool = setup_again();
    void *const object = mete_object_get(pool);
    mete_words_fill(object, 0x77U, OBJECT_SIZE);
    mete_object_put(pool, object);
    EXPECT((mete_object_get(pool) == object) && is_filled(object, 0x77U));
    mete_object_put(pool, object);
    EXPECT((mete_object_shrink(pool, 0U) == 1U) && (fixture.shelf.taken_count == 0U));
    EXPECT((fixture.constructed == 0U) && (fixture.reset == 0U) && (fixture.destructed == 0U));
}

// Blocks without a gap, from the lowest on; or the last one there can be.
static struct {
    _Alignas(4) unsigned char blocks[OBJECT_MAX][4];
    size_t acquire_count, release_count;
    bool is_at_the_end;
} row;

static void *take_of_row(void *self, size_t size, size_t align)
{
    EXPECT((self == &row) && (size == 4U) && (align == 4U) && (row.acquire_count < OBJECT_MAX));
    row.acquire_count++;
    return row.is_at_the_end ? (void *)(UINTPTR_MAX - 3U) : row.blocks[row.acquire_count - 1U];
}

static void return_to_row(void *self, void *block, size_t size, size_t align)
{
    EXPECT((self == &row) && (block != NULL) && (size == 4U) && (align == 4U));
    row.release_count++;
}

static mete_object_t *setup_row(bool is_at_the_end)
{
    static const mete_alloc_ops_t ops = {take_of_row, return_to_row, NULL, NULL, NULL};
    (void)setup();
    row.acquire_count = 0U;
    row.release_count = 0U;
    row.is_at_the_end = is_at_the_end;
    fixture.config.object_size = 2U;
    fixture.config.construct = NULL;
    fixture.config.destruct = NULL;
    fixture.config.resets = false;
    EXPECT(mete_object_init(&fixture.pool, (mete_alloc_t){&ops, &row}, &fixture.config));
    return &fixture.pool;
}

static void test_objects_that_touch_are_told_apart(void)
{
    mete_object_t *const pool = setup_row(false);
    for (size_t i = 0U; i < OBJECT_MAX; i++) {
        held[i] = (unsigned char *)mete_object_get(pool);
        EXPECT((held[i] == row.blocks[i]) && mete_object_check(pool));
    }
    for (size_t i = OBJECT_MAX; i != 0U; i--) {
        mete_object_put(pool, held[i - 1U]);
        EXPECT((tap_take_fault() == 0) && (pool->in_use == i - 1U) && mete_object_check(pool));
    }
}

static void test_an_object_in_the_last_bytes_of_the_address_space_is_not_accepted(void)
{
    mete_object_t *pool = setup_row(true);
    EXPECT((mete_object_get(pool) == NULL) && (row.acquire_count == 1U));
    EXPECT((row.release_count == 1U) && (pool->object_count == 0U) && (tap_take_fault() == 0));
    EXPECT((mete_object_usage(pool).refusals == 1U) && mete_object_check(pool));
    pool = setup();
    EXPECT(in_use_state((void *)(UINTPTR_MAX - 3U)) == 4U);
    EXPECT(in_use_state((void *)(UINTPTR_MAX - 3U)) <= pool->object_max);
    EXPECT(in_use_state(fixture.shelf.boards) > METE_OBJECT_COUNT_MAX);
}

// ---- put

static void test_put_makes_an_object_as_new_if_it_is_kept(void)
{
    mete_object_t *const pool = setup_with(2U);
    mete_object_put(pool, held[0]);
    EXPECT((fixture.reset == 1U) && is_filled(held[0], RESET) && is_filled(held[1], MADE));
    EXPECT((fixture.destructed == 0U) && mete_object_check(pool));
}

static void test_put_without_a_callback_makes_an_object_as_new_with_zeros(void)
{
    (void)setup();
    fixture.config.reset = NULL;
    mete_object_t *const pool = setup_again();
    unsigned char *const object = (unsigned char *)mete_object_get(pool);
    object[OBJECT_SIZE] = 0x99U;  // Nobody's, and not touched.
    mete_object_put(pool, object);
    EXPECT((mete_object_get(pool) == object) && is_filled(object, 0U));
    EXPECT((object[OBJECT_SIZE] == 0x99U) && (fixture.reset == 0U));
}

static void test_put_gives_back_what_is_more_than_may_be_kept(void)
{
    for (int resets = 0; resets < 2; resets++) {
        (void)setup();
        fixture.config.resets = resets != 0;
        mete_object_t *const pool = setup_again();
        for (size_t i = 0U; i < OBJECT_MAX; i++) {
            held[i] = (unsigned char *)mete_object_get(pool);
        }
        for (size_t i = 0U; i < OBJECT_MAX; i++) {
            mete_object_put(pool, held[i]);
            EXPECT(fixture.shelf.taken_count ==
                   ((i < KEPT_MAX) ? (size_t)OBJECT_MAX : OBJECT_MAX - 1U + KEPT_MAX - i));
            EXPECT(mete_object_check(pool));
        }
        EXPECT((fixture.destructed == OBJECT_MAX - KEPT_MAX) && (pool->object_count == KEPT_MAX));
        EXPECT(fixture.reset == ((resets != 0) ? (size_t)KEPT_MAX : 0U));
        EXPECT(mete_object_usage(pool).release_total == OBJECT_MAX - KEPT_MAX);
    }
}

static void test_a_pool_that_keeps_none_is_an_allocator_with_callbacks(void)
{
    (void)setup();
    fixture.config.kept_max = 0U;
    mete_object_t *const pool = setup_again();
    void *const object = mete_object_get(pool);
    mete_object_put(pool, object);
    EXPECT((fixture.shelf.taken_count == 0U) && (fixture.destructed == 1U) &&
           mete_object_check(pool));
    EXPECT((mete_object_get(pool) != NULL) && (fixture.constructed == 2U) && (fixture.reset == 0U));
}

static void test_put_refuses_an_object_put_twice(void)
{
    mete_object_t *const pool = setup_with_unused(3U, 1U);
    mete_object_put(pool, held[0]);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT((tap_fault_object == pool) && (tap_fault_address == held[0]) && (fixture.reset == 1U));
    mete_object_put(pool, held[1]);
    mete_object_put(pool, held[0]);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT((pool->in_use == 1U) && mete_object_check(pool));
    EXPECT((mete_object_get(pool) == held[1]) && (mete_object_get(pool) == held[0]));
}

static void test_put_refuses_what_is_no_object(void)
{
    for (size_t count = 0U; count <= OBJECT_MAX; count++) {
        mete_object_t *const pool = setup_with(count);
        unsigned char *const from = (unsigned char *)&fixture - 8;
        for (size_t offset = 0U; offset < sizeof fixture.shelf + 16U; offset++) {
            bool is_object = false;
            for (size_t i = 0U; i < count; i++) {
                is_object |= held[i] == from + offset;
            }
            if (!is_object) {
                mete_object_put(pool, from + offset);
                EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
                EXPECT((tap_fault_object == pool) && (tap_fault_address == from + offset));
                EXPECT(!mete_object_take(pool, from + offset));
                EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
            }
        }
        mete_object_put(pool, (void *)1U);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        mete_object_put(pool, (void *)UINTPTR_MAX);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        EXPECT((pool->in_use == count) && (fixture.reset == 0U) && mete_object_check(pool));
    }
}

static void test_put_refuses_a_block_whose_hint_is_that_of_an_object(void)
{
    mete_object_t *const pool = setup_with(OBJECT_MAX);
    mete_object_put(pool, held[6]);
    EXPECT(mete_object_shrink(pool, 0U) == 1U);  // A board among them that is nobody's.
    for (unsigned index = 0U; index < 256U; index++) {
        held[6][BLOCK_SIZE - 2] = (unsigned char)index;
        held[6][BLOCK_SIZE - 1] = (unsigned char)((index % 3U == 0U) ? 0U : index);
        mete_object_put(pool, held[6]);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    }
    EXPECT((pool->in_use == OBJECT_MAX - 1U) && mete_object_check(pool));
}

static void test_put_reads_nothing_where_no_object_can_be(void)
{
    mete_object_t *const pool = setup_with(3U);
    uintptr_t low = UINTPTR_MAX, high = 0U;
    for (size_t i = 0U; i < 3U; i++) {
        low = ((uintptr_t)held[i] < low) ? (uintptr_t)held[i] : low;
        high = ((uintptr_t)held[i] > high) ? (uintptr_t)held[i] : high;
    }
    EXPECT((pool->low == low) && (pool->reach == ((high - low) / ALIGN) + 1U));
    for (size_t misfit = 1U; misfit < ALIGN; misfit++) {
        EXPECT(mete_stride_rotate(misfit, pool->rotation) >= pool->reach);
    }
}

static void test_null_is_put_and_not_taken(void)
{
    mete_object_t *const pool = setup_with(1U);
    mete_object_put(pool, NULL);
    EXPECT((tap_take_fault() == 0) && (pool->in_use == 1U));
    EXPECT(!mete_object_take(pool, NULL) && (tap_take_fault() == 0) && (pool->in_use == 1U));
}

static void test_put_tells_that_the_end_of_an_object_was_overrun(void)
{
    for (unsigned flip = 1U; flip < 0x10000U; flip += (flip < 16U) ? 1U : 251U) {
        mete_object_t *const pool = setup_with(4U);
        held[2][BLOCK_SIZE - 2] ^= (unsigned char)flip;
        held[2][BLOCK_SIZE - 1] ^= (unsigned char)(flip >> 8);
        EXPECT(!mete_object_check(pool));
        mete_object_put(pool, held[2]);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == held[2]));
        EXPECT((pool->in_use == 4U) && (fixture.reset == 0U));
    }
}

// ---- take

static void test_take_lets_an_object_leave_for_good(void)
{
    mete_object_t *const pool = setup_with(3U);
    EXPECT(mete_object_take(pool, held[1]) && mete_object_check(pool));
    EXPECT((pool->in_use == 2U) && (pool->object_count == 2U) && is_filled(held[1], MADE));
    EXPECT(!mete_object_owns(pool, held[1]) && (fixture.destructed == 0U));
    EXPECT(mete_object_usage(pool).take_total == 1U);
    EXPECT((mete_object_usage(pool).put_total == 0U) &&
           (mete_object_usage(pool).release_total == 0U));
    return_board(&fixture.shelf, held[1], mete_object_block_size(pool), ALIGN);
    EXPECT(fixture.shelf.taken_count == 2U);
}

static void test_take_makes_room_for_another(void)
{
    mete_object_t *const pool = setup_with(OBJECT_MAX);
    EXPECT(mete_object_take(pool, held[0]));
    EXPECT((mete_object_get(pool) != NULL) && (fixture.constructed == OBJECT_MAX + 1U));
    EXPECT((mete_object_get(pool) == NULL) && mete_object_check(pool));
}

static void test_take_refuses_what_is_not_in_use(void)
{
    mete_object_t *const pool = setup_with_unused(2U, 1U);
    EXPECT(!mete_object_take(pool, held[0]) && (tap_take_fault() == METE_FAULT_DOUBLE_FREE));
    EXPECT(mete_object_take(pool, held[1]));
    EXPECT(!mete_object_take(pool, held[1]) && (tap_take_fault() == METE_FAULT_FOREIGN));
    mete_object_put(pool, held[1]);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && mete_object_check(pool));
}

// ---- reserve and shrink

static void test_reserve_makes_objects_beforehand(void)
{
    mete_object_t *const pool = setup_with(1U);
    EXPECT(mete_object_reserve(pool, 4U) && (fixture.constructed == 5U) && mete_object_check(pool));
    EXPECT((pool->in_use == 1U) && (mete_object_usage(pool).unused_count == 4U));
    EXPECT(mete_object_reserve(pool, 4U) && mete_object_reserve(pool, 0U));
    EXPECT(fixture.shelf.acquire_count == 5U);
    for (size_t i = 0U; i < 4U; i++) {
        EXPECT(is_filled(mete_object_get(pool), MADE));
    }
    EXPECT((fixture.shelf.acquire_count == 5U) && (mete_object_usage(pool).refusals == 0U));
}

static void test_reserve_says_when_it_cannot_and_keeps_what_it_has(void)
{
    mete_object_t *const pool = setup();
    fixture.shelf.refuse_at = 3U;
    EXPECT(!mete_object_reserve(pool, 4U) && (pool->object_count == 2U));
    EXPECT(!mete_object_reserve(pool, KEPT_MAX + 1U) && (pool->object_count == 2U));
    EXPECT((mete_object_usage(pool).refusals == 2U) && (tap_take_fault() == 0));
    EXPECT(mete_object_reserve(pool, KEPT_MAX) && mete_object_check(pool));
    for (size_t i = 0U; i < KEPT_MAX; i++) {
        (void)mete_object_get(pool);
    }
    EXPECT(!mete_object_reserve(pool, OBJECT_MAX - KEPT_MAX + 1U) &&
           (pool->object_count == OBJECT_MAX));
}

static void test_shrink_gives_back_what_is_unused_and_nothing_else(void)
{
    mete_object_t *const pool = setup_with_unused(OBJECT_MAX, 4U);
    EXPECT((mete_object_shrink(pool, 9U) == 0U) && (mete_object_shrink(pool, 4U) == 0U));
    EXPECT((mete_object_shrink(pool, 3U) == 1U) && mete_object_check(pool));
    EXPECT((mete_object_shrink(pool, 0U) == 3U) && mete_object_check(pool));
    EXPECT((fixture.destructed == 4U) && (fixture.shelf.taken_count == OBJECT_MAX - 4U));
    EXPECT(mete_object_usage(pool).release_total == 4U);
    for (size_t i = 4U; i < OBJECT_MAX; i++) {
        mete_object_put(pool, held[i]);
    }
    EXPECT((tap_take_fault() == 0) && (mete_object_shrink(pool, 0U) == 3U));
    EXPECT((fixture.shelf.taken_count == 0U) && (pool->object_count == 0U));
    EXPECT((mete_object_get(pool) != NULL) && mete_object_check(pool));
}

static void test_all_there_can_be_are_made_kept_and_given_back(void)
{
    (void)setup();
    fixture.config.kept_max = OBJECT_MAX;
    mete_object_t *const pool = setup_again();
    EXPECT(mete_object_reserve(pool, OBJECT_MAX) && (fixture.shelf.taken_count == OBJECT_MAX));
    EXPECT(!mete_object_reserve(pool, OBJECT_MAX + 1U) && mete_object_check(pool));
    EXPECT((mete_object_shrink(pool, 0U) == OBJECT_MAX) && (fixture.shelf.taken_count == 0U));
    EXPECT(mete_object_check(pool) && (tap_take_fault() == 0));
}

static void test_shrink_gives_back_first_what_get_would_hand_out(void)
{
    mete_object_t *const pool = setup_with_unused(4U, 3U);
    EXPECT(mete_object_shrink(pool, 1U) == 2U);
    EXPECT(mete_object_owns(pool, held[0]) && !mete_object_owns(pool, held[1]) &&
           !mete_object_owns(pool, held[2]) && mete_object_owns(pool, held[3]));
    EXPECT(mete_object_get(pool) == held[0]);
}

static void test_shrinking_from_within_an_acquire_does_no_harm(void)
{
    mete_object_t *const pool = setup_with_unused(4U, 2U);
    fixture.shelf.shrink_first = pool;
    EXPECT(!mete_object_reserve(pool, 3U) && mete_object_check(pool));  // And it ends.
    EXPECT((pool->in_use == 2U) && (tap_take_fault() == 0));
    EXPECT((mete_object_get(pool) != NULL) && (mete_object_get(pool) != NULL));
    EXPECT((pool->in_use == 4U) && mete_object_check(pool));
}

// ---- Automatic shrinking

enum { AFTER = 4 };

static mete_object_t *setup_automatic(size_t kept_min)
{
    (void)setup();
    fixture.config.shrink_after = AFTER;
    fixture.config.kept_min = kept_min;
    return setup_again();
}

static void get_and_put(mete_object_t *pool, size_t times)
{
    for (size_t i = 0U; i < times; i++) {
        void *const object = mete_object_get(pool);
        EXPECT(mete_object_check(pool));
        mete_object_put(pool, object);
        EXPECT((object != NULL) && mete_object_check(pool));
    }
}

static void test_objects_that_no_get_of_a_period_needed_go_back_one_at_a_time(void)
{
    mete_object_t *const pool = setup_automatic(0U);
    EXPECT(mete_object_reserve(pool, KEPT_MAX));
    get_and_put(pool, AFTER - 1U);
    EXPECT(pool->object_count == KEPT_MAX);
    for (size_t left = KEPT_MAX - 1U; left >= 1U; left--) {
        get_and_put(pool, 1U);
        EXPECT(pool->object_count == left);
    }
    get_and_put(pool, 3U * AFTER);  // The one that was needed stays.
    EXPECT((pool->object_count == 1U) && (tap_take_fault() == 0));
    EXPECT(mete_object_usage(pool).get_total == (AFTER - 1U) + (KEPT_MAX - 1U) + (3U * AFTER));
}

static void test_automatic_shrinking_leaves_the_least_that_is_to_be_kept(void)
{
    mete_object_t *const pool = setup_automatic(2U);
    EXPECT(mete_object_reserve(pool, KEPT_MAX));
    get_and_put(pool, 10U * AFTER);
    EXPECT(pool->object_count == 3U);  // While one was in use.
    EXPECT(pool->surplus == 0U);
}

static void test_what_was_needed_in_a_period_stays_one_more(void)
{
    mete_object_t *const pool = setup_automatic(0U);
    held[0] = (unsigned char *)mete_object_get(pool);
    held[1] = (unsigned char *)mete_object_get(pool);
    held[2] = (unsigned char *)mete_object_get(pool);
    for (size_t i = 0U; i < 3U; i++) {
        mete_object_put(pool, held[i]);
    }
    get_and_put(pool, 1U);  // The fourth: three were needed.
    EXPECT((pool->object_count == 3U) && (pool->peak == 3U) && (pool->recent_peak == 1U));
    get_and_put(pool, AFTER);
    EXPECT(pool->object_count == 2U);
    EXPECT(mete_object_usage(pool).in_use_peak == 3U);
}

static void test_what_a_period_did_not_need_is_counted_at_its_end_and_not_again(void)
{
    mete_object_t *const pool = setup_automatic(0U);
    EXPECT(mete_object_reserve(pool, KEPT_MAX));
    for (size_t i = 0U; i < 3U; i++) {
        held[i] = (unsigned char *)mete_object_get(pool);
    }
    for (size_t i = 0U; i < 3U; i++) {
        mete_object_put(pool, held[i]);
    }
    get_and_put(pool, 1U);  // The fourth: three were needed, so that two are too many.
    EXPECT((pool->object_count == KEPT_MAX - 1U) && (pool->surplus == 1U));
    get_and_put(pool, 1U);
    EXPECT((pool->object_count == 3U) && (pool->surplus == 0U));
    get_and_put(pool, AFTER - 1U);  // Of which each needs but one.
    EXPECT(pool->object_count == 3U);
    get_and_put(pool, 2U);
    EXPECT((pool->object_count == 1U) && (tap_take_fault() == 0));
}

static void test_surplus_that_was_used_meanwhile_is_forgotten(void)
{
    mete_object_t *const pool = setup_automatic(0U);
    EXPECT(mete_object_reserve(pool, KEPT_MAX));
    get_and_put(pool, AFTER);
    EXPECT((pool->object_count == 4U) && (pool->surplus == 3U));
    for (size_t i = 0U; i < 4U; i++) {
        held[i] = (unsigned char *)mete_object_get(pool);
        EXPECT((held[i] != NULL) && mete_object_check(pool));
    }
    EXPECT((pool->surplus == 0U) && (tap_take_fault() == 0));
}

static void test_a_period_may_be_a_single_get(void)
{
    (void)setup();
    fixture.config.shrink_after = 1U;
    mete_object_t *const pool = setup_again();
    EXPECT(mete_object_reserve(pool, 2U));
    get_and_put(pool, 1U);
    EXPECT((pool->object_count == 1U) && (mete_object_usage(pool).get_total == 1U));
}

static void test_without_automatic_shrinking_nothing_goes_back(void)
{
    mete_object_t *const pool = setup();
    EXPECT(mete_object_reserve(pool, KEPT_MAX));
    pool->countdown = 2U;
    pool->count_start = 2U;
    get_and_put(pool, 5U);
    EXPECT((pool->object_count == KEPT_MAX) && (mete_object_usage(pool).get_total == 5U));
}

// ---- Numbers

static void test_usage_counts(void)
{
    mete_object_t *const pool = setup_with_unused(6U, 2U);
    (void)mete_object_get(pool);
    EXPECT(mete_object_take(pool, held[5]));
    EXPECT(mete_object_shrink(pool, 0U) == 1U);
    const mete_object_usage_t usage = mete_object_usage(pool);
    EXPECT((usage.object_count == 4U) && (usage.in_use == 4U) && (usage.unused_count == 0U));
    EXPECT((usage.in_use_peak == 6U) && (usage.get_total == 7U) && (usage.put_total == 2U));
    EXPECT((usage.create_total == 6U) && (usage.release_total == 1U) && (usage.take_total == 1U));
    EXPECT((usage.refusals == 0U) && (mete_object_block_size(pool) == BLOCK_SIZE));
}

static void test_owns_every_byte_of_its_objects_and_no_other(void)
{
    const mete_object_t *const pool = setup_with_unused(5U, 2U);
    for (size_t board = 0U; board < BOARD_COUNT; board++) {
        for (size_t i = 0U; i < BOARD_SIZE; i++) {
            const bool is_ours = fixture.shelf.is_taken[board] && (i < OBJECT_SIZE);
            EXPECT(mete_object_owns(pool, &fixture.shelf.boards[board][i]) == is_ours);
        }
    }
    EXPECT(!mete_object_owns(pool, NULL) && !mete_object_owns(pool, (void *)UINTPTR_MAX));
}

typedef struct walk {
    size_t seen_count, in_use, stop_at;
} walk_t;

static bool visit(void *self, const mete_object_one_t *one)
{
    walk_t *const walk = (walk_t *)self;
    EXPECT(mete_object_owns(&fixture.pool, one->object));
    walk->seen_count++;
    walk->in_use += one->is_in_use ? 1U : 0U;
    return walk->seen_count != walk->stop_at;
}

static void test_walk_shows_every_object(void)
{
    const mete_object_t *const pool = setup_with_unused(5U, 2U);
    walk_t walk = {0U, 0U, 0U};
    EXPECT(mete_object_walk(pool, visit, &walk) && (walk.seen_count == 5U) && (walk.in_use == 3U));
    walk_t part = {0U, 0U, 3U};
    EXPECT(!mete_object_walk(pool, visit, &part) && (part.seen_count == 3U));
}

// ---- The view

static void test_view_serves_what_fits_and_refuses_what_does_not(void)
{
    mete_object_t *const pool = setup();
    const mete_alloc_t view = mete_object_as_alloc(pool);
    EXPECT(mete_acquire(view, OBJECT_SIZE + 1U, 1U) == NULL);
    EXPECT((mete_acquire(view, 1U, 2U * ALIGN) == NULL) &&
           (mete_acquire(view, SIZE_MAX, 1U) == NULL));
    EXPECT((pool->object_count == 0U) && (mete_object_usage(pool).refusals == 3U));
    void *const object = mete_acquire(view, OBJECT_SIZE, ALIGN);
    EXPECT((object != NULL) && is_filled(object, MADE) && view.ops->owns(view.self, object));
    EXPECT(view.ops->size_of(view.self, object) == OBJECT_SIZE);
    mete_release(view, object, OBJECT_SIZE, ALIGN);
    EXPECT((tap_take_fault() == 0) && (fixture.reset == 1U) && (pool->in_use == 0U));
}

static void test_view_holds_the_caller_to_size_and_alignment(void)
{
    mete_object_t *const pool = setup();
    const mete_alloc_t view = mete_object_as_alloc(pool);
    void *const object = mete_acquire(view, 3U, 1U);
    mete_release(view, object, OBJECT_SIZE + 1U, 1U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, object, 3U, 2U * ALIGN);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    EXPECT(!mete_resize(view, object, OBJECT_SIZE + 1U, 1U, 1U));
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && (pool->in_use == 1U));
    mete_release(view, object, 3U, 1U);
    EXPECT(!mete_resize(view, object, 3U, 2U, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
}

static void test_view_resizes_up_to_the_object(void)
{
    mete_object_t *const pool = setup_with(1U);
    const mete_alloc_t view = mete_object_as_alloc(pool);
    EXPECT(mete_resize(view, held[0], 3U, OBJECT_SIZE, 1U));
    EXPECT(!mete_resize(view, held[0], OBJECT_SIZE, OBJECT_SIZE + 1U, 1U) &&
           (tap_take_fault() == 0));
}

// ---- Scopes

static int leaves_early(mete_alloc_t view, bool leaves)
{
    METE_SCOPED(uint32_t, number, view);
    if ((number == NULL) || leaves) {
        return -1;
    }
    *number = 77U;
    return (int)*number;
}

static uint32_t *keeps(mete_alloc_t view)
{
    METE_SCOPED(uint32_t, number, view);
    return METE_SCOPED_KEEP(number);
}

static void test_a_scope_gives_its_object_back_wherever_it_is_left(void)
{
    mete_object_t *const pool = setup();
    const mete_alloc_t view = mete_object_as_alloc(pool);
    EXPECT((leaves_early(view, true) == -1) && (pool->in_use == 0U) && (fixture.reset == 1U));
    EXPECT((leaves_early(view, false) == 77) && (pool->in_use == 0U) && (fixture.reset == 2U));
    for (size_t i = 0U; i < 3U; i++) {
        METE_SCOPED(uint32_t, one, view);
        METE_SCOPED(uint32_t, two, view);
        EXPECT((one != two) && (pool->in_use == 2U));
        if (i == 1U) {
            break;
        }
    }
    EXPECT((pool->in_use == 0U) && (tap_take_fault() == 0));
    uint32_t *const kept = keeps(view);
    EXPECT((kept != NULL) && (pool->in_use == 1U));
    mete_object_put(pool, kept);
}

static void test_a_scope_that_gets_nothing_gives_nothing_back(void)
{
    mete_object_t *const pool = setup_with(OBJECT_MAX);
    EXPECT((leaves_early(mete_object_as_alloc(pool), false) == -1) && (tap_take_fault() == 0));
    EXPECT(pool->in_use == OBJECT_MAX);
}

// ---- Damage

static void test_get_tells_damage_of_its_lists(void)
{
    mete_object_t *pool = setup_with_unused(5U, 3U);
    const size_t unused = pool->unused;
    pool->unused = OBJECT_MAX;  // Empty, where three are unused.
    EXPECT((mete_object_get(pool) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    pool->unused = SIZE_MAX;
    EXPECT((mete_object_get(pool) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    for (size_t i = 0U; i < OBJECT_MAX; i++) {
        const bool is_unused_one = (pool->table[i].object != NULL) && (i != 3U) && (i != 4U);
        if (!is_unused_one) {  // In use, or no object at all.
            pool->unused = i;
            EXPECT((mete_object_get(pool) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
            EXPECT(mete_object_shrink(pool, 0U) == 0U);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        }
    }
    pool->unused = OBJECT_MAX;
    EXPECT((mete_object_shrink(pool, 0U) == 0U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    pool->unused = unused;
    EXPECT((mete_object_get(pool) == held[2]) && (mete_object_usage(pool).refusals == 0U));
}

static void test_making_an_object_tells_damage_of_the_vacant_slots(void)
{
    mete_object_t *const pool = setup_with(3U);
    const size_t bad[] = {OBJECT_MAX, 0U, SIZE_MAX};
    for (size_t i = 0U; i < 3U; i++) {
        pool->vacant = bad[i];
        EXPECT((mete_object_get(pool) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT(!mete_object_reserve(pool, 2U) && (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT((fixture.shelf.taken_count == 3U) && (pool->object_count == 3U));
    }
    EXPECT((mete_object_usage(pool).refusals == 0U) && (fixture.destructed == 6U));
}

static void test_automatic_shrinking_tells_damage(void)
{
    (void)setup();
    fixture.config.shrink_after = AFTER;
    mete_object_t *const pool = setup_again();
    EXPECT(mete_object_reserve(pool, KEPT_MAX));
    for (size_t i = 0U; i + 1U < AFTER; i++) {
        mete_object_put(pool, mete_object_get(pool));
    }
    const size_t first = pool->unused;
    const size_t second = pool->table[first].state;
    pool->table[first].state = SIZE_MAX;  // What get would hand out next is not there.
    void *const object = mete_object_get(pool);
    EXPECT((object == pool->table[first].object) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((pool->object_count == KEPT_MAX) && (fixture.destructed == 0U));
    EXPECT((mete_object_get(pool) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    pool->unused = second;
    mete_object_put(pool, object);  // It is one like all others, and what was too many is so yet.
    EXPECT(mete_object_check(pool) && (pool->surplus == KEPT_MAX - 1U));
    get_and_put(pool, AFTER);
    EXPECT((pool->object_count == 1U) && (tap_take_fault() == 0));
}

static void expect_damage(const mete_object_t *pool, size_t *word, size_t wrong)
{
    const size_t right = *word;
    *word = wrong;
    EXPECT(!mete_object_check(pool));
    *word = right;
    EXPECT(mete_object_check(pool));
}

static void test_check_tells_damage_of_every_field(void)
{
    mete_object_t *const pool = setup_with_unused(5U, 3U);
    expect_damage(pool, &pool->unused, OBJECT_MAX);
    expect_damage(pool, &pool->unused, pool->unused - 1U);
    expect_damage(pool, &pool->unused, SIZE_MAX);
    expect_damage(pool, &pool->vacant, OBJECT_MAX);
    expect_damage(pool, &pool->vacant, 6U);
    expect_damage(pool, &pool->vacant, 0U);
    expect_damage(pool, &pool->object_max, OBJECT_MAX + 1U);
    expect_damage(pool, &pool->in_use, 3U);
    expect_damage(pool, &pool->object_count, 6U);
    expect_damage(pool, &pool->plain_max, 1U);
    expect_damage(pool, &pool->recent_peak, 1U);
    expect_damage(pool, &pool->rotation, 3U);
    expect_damage(pool, &pool->reach, 1U);
    expect_damage(pool, &pool->low, pool->low + ALIGN);
    expect_damage(pool, &pool->hint_offset, pool->hint_offset - 2U);
    mete_object_slot_t *const table = pool->table;
    pool->table = table + 1;
    EXPECT(!mete_object_check(pool));
    pool->table = table;
    for (size_t i = 0U; i < OBJECT_MAX; i++) {
        expect_damage(pool, &table[i].state, SIZE_MAX / 2U);
        expect_damage(pool, &table[i].state, i);  // A cycle.
        void *const object = table[i].object;
        table[i].object = (object == NULL) ? held[0] : NULL;
        EXPECT(!mete_object_check(pool));
        table[i].object = object;
    }
    EXPECT(mete_object_check(pool));
}

static void test_level_three_tells_damage_at_the_next_call(void)
{
    mete_object_t *const pool = setup_with_unused(5U, 2U);
    pool->recent_peak = 0U;
    mete_object_put(pool, held[2]);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    (void)mete_object_shrink(pool, 0U);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    (void)mete_object_reserve(pool, 0U);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    pool->plain_max = 1U;
    (void)mete_object_get(pool);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
}

// ---- Against a model: which boards are in use, which are unused.

enum { OUTSIDE, UNUSED, IN_USE, TAKEN };

static struct {
    int state[BOARD_COUNT];
    size_t count[4];
} model;

static void move(size_t board, int to)
{
    model.count[model.state[board]]--;
    model.state[board] = to;
    model.count[to]++;
}

static size_t board_of(const void *object)
{
    return (size_t)((const unsigned char *)object - fixture.shelf.boards[0]) / BOARD_SIZE;
}

static void get_like_the_model(mete_object_t *pool)
{
    const bool can_create =
        (model.count[UNUSED] + model.count[IN_USE] < OBJECT_MAX) && (model.count[OUTSIDE] != 0U);
    const size_t unused = model.count[UNUSED];
    const void *const object = mete_object_get(pool);
    EXPECT((object != NULL) == (can_create || (unused != 0U)));
    if (object != NULL) {
        const size_t board = board_of(object);
        EXPECT(model.state[board] == ((unused != 0U) ? (int)UNUSED : (int)OUTSIDE));
        EXPECT(is_filled(object, fixture.config.resets && (unused != 0U)
                                     ? ((const unsigned char *)object)[0]
                                     : MADE));
        move(board, IN_USE);
    }
}

static void put_like_the_model(mete_object_t *pool, size_t board)
{
    const bool is_in_use_one = model.state[board] == IN_USE;
    const int wrong = (model.state[board] == UNUSED) ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN;
    if (is_in_use_one || (METE_CHECK_LEVEL >= 1)) {
        const bool is_kept = model.count[UNUSED] < KEPT_MAX;
        mete_object_put(pool, fixture.shelf.boards[board]);
        EXPECT(tap_take_fault() == (is_in_use_one ? 0 : wrong));
        if (is_in_use_one) {
            move(board, is_kept ? (int)UNUSED : (int)OUTSIDE);
        }
    }
}

static void take_like_the_model(mete_object_t *pool, size_t board)
{
    if (model.state[board] == TAKEN) {
        return_board(&fixture.shelf, fixture.shelf.boards[board], BLOCK_SIZE, ALIGN);
        move(board, OUTSIDE);
    } else if ((model.state[board] == IN_USE) || (METE_CHECK_LEVEL >= 1)) {
        const bool was_in_use = model.state[board] == IN_USE;
        EXPECT(mete_object_take(pool, fixture.shelf.boards[board]) == was_in_use);
        EXPECT((tap_take_fault() == 0) == was_in_use);
        if (was_in_use) {
            move(board, TAKEN);
        }
    }
}

static void shrink_like_the_model(mete_object_t *pool, size_t kept)
{
    const size_t excess = (model.count[UNUSED] > kept) ? model.count[UNUSED] - kept : 0U;
    EXPECT(mete_object_shrink(pool, kept) == excess);
    for (size_t board = 0U; board < BOARD_COUNT; board++) {
        if ((model.state[board] == UNUSED) && !fixture.shelf.is_taken[board]) {
            move(board, OUTSIDE);
        }
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    mete_object_t *const pool = setup();
    mete_words_fill(&model, 0U, sizeof model);
    model.count[OUTSIDE] = BOARD_COUNT;
    uint32_t random = 0x2545F491U;
    size_t gets = 0U;
    for (size_t step = 0U; step < 12000U; step++) {
        const size_t board = random_below(&random, BOARD_COUNT);
        const uint32_t choice = random_below(&random, 100U);
        if (choice < 4U) {
            shrink_like_the_model(pool, random_below(&random, KEPT_MAX));
        } else if (choice < 10U) {
            take_like_the_model(pool, board);
        } else if (choice < 50U) {
            const size_t before = model.count[IN_USE];
            get_like_the_model(pool);
            gets += model.count[IN_USE] - before;
        } else {
            put_like_the_model(pool, board);
        }
        const mete_object_usage_t usage = mete_object_usage(pool);
        EXPECT(mete_object_check(pool) && (usage.in_use == model.count[IN_USE]));
        EXPECT((usage.unused_count == model.count[UNUSED]) && (usage.get_total == gets));
        EXPECT(fixture.shelf.taken_count == BOARD_COUNT - model.count[OUTSIDE]);
        EXPECT(usage.create_total == usage.object_count + usage.release_total + usage.take_total);
        EXPECT(usage.get_total == usage.in_use + usage.put_total + usage.take_total);
    }
    EXPECT(fixture.constructed ==
           fixture.destructed + mete_object_usage(pool).take_total + pool->object_count);
}

static void test_define_makes_a_pool(void)
{
    typedef struct session {
        uint32_t number;
        uint16_t port;
    } session_t;
    METE_OBJECT_DEFINE(sessions, session_t, 3, NULL, NULL, NULL);
    METE_OBJECT_DEFINE(letters, char, 2, NULL, make_as_new, NULL);
    EXPECT((sessions_config.object_size == sizeof(session_t)) && !sessions_config.resets);
    EXPECT((sessions_config.align == __alignof__(session_t)) && (sessions_config.kept_max == 3U));
    EXPECT((letters_config.align == 2U) && letters_config.resets);
    const mete_alloc_t backing = {&shelf_ops, &fixture.shelf};
    EXPECT(mete_object_init(&sessions, backing, &sessions_config));
    EXPECT(mete_object_init(&letters, backing, &letters_config));
}

static void run_what_needs_checks(void)
{
    RUN(test_put_refuses_an_object_put_twice);
    RUN(test_put_refuses_what_is_no_object);
    RUN(test_put_refuses_a_block_whose_hint_is_that_of_an_object);
    RUN(test_put_tells_that_the_end_of_an_object_was_overrun);
    RUN(test_take_refuses_what_is_not_in_use);
    RUN(test_view_holds_the_caller_to_size_and_alignment);
}

// Level 3 tells each of these at another moment.
static void run_what_later_levels_tell_sooner(void)
{
    RUN(test_get_tells_damage_of_its_lists);
    RUN(test_making_an_object_tells_damage_of_the_vacant_slots);
    RUN(test_automatic_shrinking_tells_damage);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_init_takes_what_is_just_allowed);
    RUN(test_init_asks_for_nothing);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_get_makes_an_object_only_when_none_is_unused);
    RUN(test_objects_are_aligned_apart_and_whole);
    RUN(test_get_gives_null_at_the_maximum);
    RUN(test_get_gives_null_at_every_acquire_that_is_refused_and_goes_on);
    RUN(test_get_gives_memory_back_if_the_object_cannot_be_made);
    RUN(test_without_callbacks_objects_are_memory);
    RUN(test_objects_that_touch_are_told_apart);
    RUN(test_an_object_in_the_last_bytes_of_the_address_space_is_not_accepted);
    RUN(test_put_makes_an_object_as_new_if_it_is_kept);
    RUN(test_put_without_a_callback_makes_an_object_as_new_with_zeros);
    RUN(test_put_gives_back_what_is_more_than_may_be_kept);
    RUN(test_a_pool_that_keeps_none_is_an_allocator_with_callbacks);
    RUN(test_put_reads_nothing_where_no_object_can_be);
    RUN(test_null_is_put_and_not_taken);
    RUN(test_take_lets_an_object_leave_for_good);
    RUN(test_take_makes_room_for_another);
    RUN(test_reserve_makes_objects_beforehand);
    RUN(test_reserve_says_when_it_cannot_and_keeps_what_it_has);
    RUN(test_shrink_gives_back_what_is_unused_and_nothing_else);
    RUN(test_all_there_can_be_are_made_kept_and_given_back);
    RUN(test_shrink_gives_back_first_what_get_would_hand_out);
    RUN(test_shrinking_from_within_an_acquire_does_no_harm);
    RUN(test_objects_that_no_get_of_a_period_needed_go_back_one_at_a_time);
    RUN(test_automatic_shrinking_leaves_the_least_that_is_to_be_kept);
    RUN(test_what_was_needed_in_a_period_stays_one_more);
    RUN(test_what_a_period_did_not_need_is_counted_at_its_end_and_not_again);
    RUN(test_surplus_that_was_used_meanwhile_is_forgotten);
    RUN(test_a_period_may_be_a_single_get);
    RUN(test_without_automatic_shrinking_nothing_goes_back);
    RUN(test_usage_counts);
    RUN(test_owns_every_byte_of_its_objects_and_no_other);
    RUN(test_walk_shows_every_object);
    RUN(test_view_serves_what_fits_and_refuses_what_does_not);
    RUN(test_view_resizes_up_to_the_object);
    RUN(test_a_scope_gives_its_object_back_wherever_it_is_left);
    RUN(test_a_scope_that_gets_nothing_gives_nothing_back);
    RUN(test_check_tells_damage_of_every_field);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_define_makes_a_pool);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    if ((METE_CHECK_LEVEL >= 1) && (METE_CHECK_LEVEL < 3)) {
        run_what_later_levels_tell_sooner();
    }
    if (METE_CHECK_LEVEL >= 3) {
        RUN(test_level_three_tells_damage_at_the_next_call);
    }
    return tap_finish();
}
