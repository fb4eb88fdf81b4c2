// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The byte buffer, tested from inside: this file includes buffer.c itself.

#include "mete/object/buffer.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { BOARD_COUNT = 3, BOARD_SIZE = 160, ALIGN = 4, SIZE_MIN = 8, SIZE_MAX_HERE = 100 };

// What stands behind: few boards, each for one block of any size.
static struct {
    _Alignas(8) unsigned char boards[BOARD_COUNT][BOARD_SIZE];
    size_t sizes[BOARD_COUNT];  // 0: not taken.
    size_t requests;            // Acquires and growths.
    size_t refuse_at;           // The request that is refused, counted from 1; 0: none.
    size_t size_limit;          // No more than these bytes are granted.
    bool resizes;
} shelf;

static bool is_refused(size_t size)
{
    shelf.requests++;
    return (shelf.requests == shelf.refuse_at) || (size > shelf.size_limit);
}

static void *take(void *self, size_t size, size_t align)
{
    EXPECT((self == &shelf) && (size != 0U) && (align == ALIGN));
    for (size_t i = 0U; !is_refused(size) && (i < BOARD_COUNT); i++) {
        if (shelf.sizes[i] == 0U) {
            shelf.sizes[i] = size;
            mete_words_fill(shelf.boards[i], 0xEEU, BOARD_SIZE);
            return shelf.boards[i];
        }
    }
    return NULL;
}

static size_t board_of(const void *block)
{
    return (size_t)((const unsigned char *)block - shelf.boards[0]) / BOARD_SIZE;
}

// A block is wiped when it goes, and nothing may stand behind its end.
static void give(void *self, void *block, size_t size, size_t align)
{
    const size_t board = board_of(block);
    EXPECT((self == &shelf) && (align == ALIGN) && (shelf.sizes[board] == size));
    EXPECT(mete_words_scan(&shelf.boards[board][size], 0xEEU, BOARD_SIZE - size) ==
           BOARD_SIZE - size);
    mete_words_fill(shelf.boards[board], 0xDDU, BOARD_SIZE);
    shelf.sizes[board] = 0U;
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const size_t board = board_of(block);
    EXPECT((self == &shelf) && (align == ALIGN) && (shelf.sizes[board] == old_size));
    if (!shelf.resizes || is_refused(new_size)) {
        return false;
    }
    shelf.sizes[board] = new_size;
    return true;
}

static const mete_alloc_ops_t shelf_ops = {take, give, resize, NULL, NULL};

static mete_buffer_config_t config;
static mete_buffer_t buffer;

static size_t taken_count(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        count += (shelf.sizes[i] != 0U) ? 1U : 0U;
    }
    return count;
}

static mete_buffer_t *setup(void)
{
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        shelf.sizes[i] = 0U;
    }
    shelf.requests = 0U;
    shelf.refuse_at = 0U;
    shelf.size_limit = BOARD_SIZE;
    shelf.resizes = false;
    config = (mete_buffer_config_t){SIZE_MIN, SIZE_MAX_HERE, 0U, ALIGN};
    mete_words_fill(&buffer, 0xA5U, sizeof buffer);
    EXPECT(mete_buffer_init(&buffer, (mete_alloc_t){&shelf_ops, &shelf}, &config));
    EXPECT(mete_buffer_check(&buffer));
    return &buffer;
}

// Bytes that count up from `first`.
static bool append(mete_buffer_t *to, unsigned first, size_t size)
{
    unsigned char bytes[BOARD_SIZE];
    for (size_t i = 0U; i < size; i++) {
        bytes[i] = (unsigned char)(first + i);
    }
    return mete_buffer_append(to, bytes, size);
}

static bool holds(const mete_buffer_t *of, unsigned first, size_t size)
{
    const mete_span_t span = mete_buffer_span(of);
    bool is_right = mete_buffer_check(of) && (span.size == size);
    for (size_t i = 0U; is_right && (i < size); i++) {
        is_right = ((const unsigned char *)span.start)[i] == (unsigned char)(first + i);
    }
    return is_right;
}

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 1U, 3U));
    const mete_alloc_t alloc = {&shelf_ops, &shelf};
    const mete_buffer_config_t bad[] = {{SIZE_MIN, SIZE_MIN - 1U, 0U, 1U},
                                        {0U, 0U, 0U, 3U},
                                        {0U, SIZE_MAX / 2U + 1U, 0U, 1U},
                                        {SIZE_MAX / 2U + 1U, 0U, 0U, 1U}};
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_buffer_init(b, alloc, &bad[i]));
    }
    EXPECT(!mete_buffer_init(b, (mete_alloc_t){NULL, NULL}, &config) && holds(b, 1U, 3U));
    const mete_buffer_config_t good = {SIZE_MIN, SIZE_MIN, 0U, 0U};
    EXPECT(mete_buffer_init(b, alloc, &good));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_buffer_t never = {0};
    EXPECT(!mete_buffer_check(&never) && (tap_take_fault() == 0));
}

static void test_an_empty_buffer_has_no_room(void)
{
    mete_buffer_t *const b = setup();
    EXPECT((mete_buffer_size_of(b) == 0U) && (mete_buffer_span(b).size == 0U));
    EXPECT(mete_buffer_append(b, NULL, 0U) && (mete_buffer_append_space(b, 0U) == NULL));
    EXPECT(mete_buffer_consume(b, 0U) && !mete_buffer_consume(b, 1U));
    EXPECT(mete_buffer_reserve(b, 0U));
    mete_buffer_reset(b);
    mete_buffer_purge(b);
    EXPECT((shelf.requests == 0U) && (tap_take_fault() == 0) && mete_buffer_check(b));
}

static void test_without_a_configuration_there_are_defaults(void)
{
    (void)setup();
    EXPECT(mete_buffer_init(&buffer, (mete_alloc_t){&shelf_ops, &shelf}, NULL));
    EXPECT((size_min_of(&buffer) == 16U) && (size_max_of(&buffer) == SIZE_MAX / 2U));
    EXPECT(align_of(&buffer) == 1U);
    static const mete_buffer_config_t zero = {0U, 0U, 0U, 0U};
    EXPECT(mete_buffer_init(&buffer, (mete_alloc_t){&shelf_ops, &shelf}, &zero));
    EXPECT((size_min_of(&buffer) == 16U) && (size_max_of(&buffer) == SIZE_MAX / 2U));
    EXPECT(align_of(&buffer) == 1U);
}

// ---- Growth

static void test_room_doubles_from_the_least(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 1U) && (mete_buffer_size_of(b) == SIZE_MIN));
    EXPECT(append(b, 1U, 7U) && (mete_buffer_size_of(b) == SIZE_MIN) && (shelf.requests == 1U));
    EXPECT(append(b, 8U, 1U) && (mete_buffer_size_of(b) == 16U) && holds(b, 0U, 9U));
    EXPECT(append(b, 9U, 30U) && (mete_buffer_size_of(b) == 39U) && holds(b, 0U, 39U));
    EXPECT(append(b, 39U, 1U) && (mete_buffer_size_of(b) == 78U));
    EXPECT(append(b, 40U, 60U) && (mete_buffer_size_of(b) == SIZE_MAX_HERE) && holds(b, 0U, 100U));
    EXPECT(!append(b, 100U, 1U) && holds(b, 0U, 100U) && (taken_count() == 1U));
}

static void test_room_grows_where_it_stands_if_it_can(void)
{
    mete_buffer_t *const b = setup();
    shelf.resizes = true;
    EXPECT(append(b, 0U, 8U) && mete_buffer_consume(b, 3U));
    const void *const room = b->room;
    EXPECT(append(b, 8U, 9U) && (b->room == room) && holds(b, 3U, 14U) && (b->room_size == 16U));
    EXPECT(append(b, 17U, 40U) && (b->room == room) && holds(b, 3U, 54U) && (taken_count() == 1U));
}

static void test_what_is_needed_is_asked_for_if_more_is_refused(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 8U));
    shelf.size_limit = 11U;
    EXPECT(append(b, 8U, 3U) && (mete_buffer_size_of(b) == 11U) && holds(b, 0U, 11U));
    EXPECT(!append(b, 11U, 1U) && holds(b, 0U, 11U) && (mete_buffer_size_of(b) == 11U));
}

static void test_a_refused_growth_leaves_the_buffer_as_it_was(void)
{
    for (int resizes = 0; resizes < 2; resizes++) {
        for (size_t nth = 1U; nth <= 8U; nth++) {
            mete_buffer_t *const b = setup();
            shelf.resizes = resizes != 0;
            shelf.refuse_at = nth;
            size_t length = 0U;
            for (size_t i = 0U; i < 20U; i++) {
                const mete_span_t before = mete_buffer_span(b);
                if (append(b, (unsigned)length, 5U)) {
                    length += 5U;
                } else {
                    EXPECT((mete_buffer_span(b).start == before.start) && (length == before.size));
                }
                EXPECT(holds(b, 0U, length) && (taken_count() <= 1U));
            }
            EXPECT(length ==
                   SIZE_MAX_HERE);  // A smaller one was granted where a larger one was not.
        }
    }
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 8U) && mete_buffer_consume(b, 2U));
    shelf.size_limit = 8U;
    const mete_span_t before = mete_buffer_span(b);
    EXPECT(!append(b, 8U, 3U) && (mete_buffer_span(b).start == before.start) && holds(b, 2U, 6U));
    EXPECT((mete_buffer_append_space(b, 90U) == NULL) && !mete_buffer_reserve(b, 90U) &&
           holds(b, 2U, 6U));
}

static void test_sizes_beyond_all_are_refused(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 3U));
    const size_t requests = shelf.requests;
    EXPECT(!mete_buffer_reserve(b, SIZE_MAX) && !mete_buffer_reserve(b, SIZE_MAX - 2U));
    EXPECT(!mete_buffer_reserve(b, SIZE_MAX_HERE - 2U) && (shelf.requests == requests));
    EXPECT(mete_buffer_reserve(b, SIZE_MAX_HERE - 3U) && holds(b, 0U, 3U));
    (void)mete_buffer_init(b, (mete_alloc_t){&shelf_ops, &shelf}, NULL);
    b->room_size = SIZE_MAX / 2U - 1U;
    EXPECT(grown_size(b, SIZE_MAX / 2U) == SIZE_MAX / 2U);
    b->room_size = SIZE_MAX / 4U;
    EXPECT(grown_size(b, 1U) == 2U * (SIZE_MAX / 4U));
}

static void test_reserve_asks_once(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(mete_buffer_reserve(b, 60U) && (shelf.requests == 1U) &&
           (mete_buffer_size_of(b) == 60U));
    for (unsigned i = 0U; i < 60U; i++) {
        EXPECT(append(b, i, 1U));
    }
    EXPECT((shelf.requests == 1U) && holds(b, 0U, 60U));
}

static void test_space_is_written_by_the_caller(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 4U));
    unsigned char *const space = (unsigned char *)mete_buffer_append_space(b, 4U);
    for (unsigned i = 0U; i < 4U; i++) {
        space[i] = (unsigned char)(4U + i);
    }
    EXPECT(holds(b, 0U, 8U));
    mete_buffer_shrink(b, 6U);
    EXPECT(holds(b, 0U, 6U));
    mete_buffer_shrink(b, 7U);
    EXPECT(holds(b, 0U, 6U) && append(b, 6U, 2U) && (shelf.requests == 1U));
    EXPECT(mete_buffer_consume(b, 3U) && mete_buffer_reserve(b, 30U) && mete_buffer_consume(b, 1U));
    EXPECT(mete_buffer_append_space(b, 5U) == (unsigned char *)mete_buffer_span(b).start + 4U);
}

// ---- Room in front

static void test_consumed_room_is_used_again_if_moving_is_cheap(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 8U) && mete_buffer_consume(b, 4U) && (b->first == 4U));
    EXPECT(append(b, 8U, 4U) && (b->first == 0U) && (mete_buffer_size_of(b) == 8U) &&
           holds(b, 4U, 8U));
    EXPECT(mete_buffer_consume(b, 8U) && (b->first == 0U) && append(b, 0U, 8U));
    EXPECT((shelf.requests == 1U) && holds(b, 0U, 8U));
}

static void test_room_grows_rather_than_moving_much_again_and_again(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 8U) && mete_buffer_consume(b, 3U) && append(b, 8U, 2U));
    EXPECT((mete_buffer_size_of(b) == 16U) && (b->first == 0U) && holds(b, 3U, 7U));
    const size_t requests = shelf.requests;
    for (unsigned i = 0U; i < 200U; i++) {
        EXPECT(mete_buffer_consume(b, 1U) && append(b, 10U + i, 1U) && holds(b, 4U + i, 7U));
    }
    EXPECT((shelf.requests == requests) && (mete_buffer_size_of(b) == 16U));
}

static void test_where_it_may_not_grow_it_moves(void)
{
    mete_buffer_t *b = setup();
    EXPECT(append(b, 0U, SIZE_MAX_HERE) && mete_buffer_consume(b, 3U));
    const size_t requests = shelf.requests;
    EXPECT(append(b, 100U, 2U) && holds(b, 3U, 99U) && (shelf.requests == requests));
    EXPECT((b->first == 0U) && append(b, 102U, 1U) && holds(b, 3U, 100U) && !append(b, 0U, 1U));
    b = setup();
    EXPECT(append(b, 0U, 8U) && mete_buffer_consume(b, 3U));
    shelf.size_limit = 8U;
    EXPECT(append(b, 8U, 3U) && holds(b, 3U, 8U) && (mete_buffer_size_of(b) == 8U));
}

static void test_consume_takes_all_that_is_asked_for_or_nothing(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 7U) && !mete_buffer_consume(b, 8U) && holds(b, 0U, 7U));
    EXPECT(mete_buffer_consume(b, 6U) && holds(b, 6U, 1U) && (b->first == 6U));
    EXPECT(mete_buffer_consume(b, 1U) && holds(b, 0U, 0U) && (b->first == 0U));
}

// ---- Going out of use

static void test_reset_keeps_room_up_to_a_limit(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 90U));
    mete_buffer_reset(b);
    EXPECT((mete_buffer_size_of(b) == 90U) && holds(b, 0U, 0U) && (taken_count() == 1U));
    config.kept_size = 90U;
    EXPECT(append(b, 0U, 90U) && mete_buffer_consume(b, 4U));
    mete_buffer_reset(b);
    EXPECT((mete_buffer_size_of(b) == 90U) && holds(b, 0U, 0U) && (b->first == 0U));
    config.kept_size = 89U;
    mete_buffer_reset(b);
    EXPECT((mete_buffer_size_of(b) == 0U) && (taken_count() == 0U) && mete_buffer_check(b));
}

static void test_purge_gives_the_room_back(void)
{
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 20U) && mete_buffer_consume(b, 4U));
    mete_buffer_purge(b);
    EXPECT((taken_count() == 0U) && holds(b, 0U, 0U) && (mete_buffer_span(b).start == NULL));
    mete_buffer_purge(b);
    EXPECT(append(b, 5U, 3U) && holds(b, 5U, 3U) && (tap_take_fault() == 0));
}

// ---- Damage

static bool is_told(const mete_buffer_t *b)
{
    return (tap_fault_object == b) && (tap_take_fault() == METE_FAULT_CORRUPT);
}

// What asks for no room tells it as well.
static void expect_told_by_the_others(mete_buffer_t *b, bool is_outside)
{
    const size_t taken = taken_count();
    if (is_outside) {
        EXPECT(!mete_buffer_consume(b, 0U) && is_told(b));
    }
    const mete_span_t span = mete_buffer_span(b);
    EXPECT((span.start == NULL) && (span.size == 0U) && is_told(b));
    mete_buffer_shrink(b, 0U);
    EXPECT(is_told(b));
    mete_buffer_reset(b);
    EXPECT(is_told(b));
    mete_buffer_purge(b);
    EXPECT(is_told(b) && (taken_count() == taken));
}

static void test_damage_is_told_and_nothing_changes(void)
{
    const size_t bad[][3] = {
        {8U, 9U, 0U}, {8U, 0U, 9U}, {8U, 4U, 5U}, {8U, 1U, SIZE_MAX}, {0U, 0U, 0U}};
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        mete_buffer_t *const b = setup();
        EXPECT(append(b, 0U, 4U));
        b->room_size = bad[i][0];
        b->first = bad[i][1];
        b->length = bad[i][2];
        EXPECT(!mete_buffer_check(b));
        if (METE_CHECK_LEVEL >= 1) {
            EXPECT(!append(b, 0U, 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
            EXPECT((tap_fault_object == b) && !mete_buffer_reserve(b, 1U));
            EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) &&
                   (mete_buffer_append_space(b, 1U) == NULL));
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
            expect_told_by_the_others(b, bad[i][0] != 0U);
            EXPECT((b->room_size == bad[i][0]) && (b->first == bad[i][1]));
            EXPECT((b->room != NULL) && (b->length == bad[i][2]));
        }
    }
    mete_buffer_t *const b = setup();
    EXPECT(append(b, 0U, 4U));
    b->room++;
    EXPECT(!mete_buffer_check(b));
    b->room--;
    config.size_max = 7U;
    EXPECT(!mete_buffer_check(b));
}

// ---- Against a model: a stretch of the numbers that are counted up.

static struct {
    size_t first, length;
} model;

static void append_like_the_model(mete_buffer_t *b, size_t size)
{
    const bool fits = model.length + size <= SIZE_MAX_HERE;
    const bool is_done = append(b, (unsigned)(model.first + model.length), size);
    EXPECT((is_done && fits) || (!is_done && (!fits || (shelf.refuse_at != 0U))));
    model.length += is_done ? size : 0U;
}

static void consume_like_the_model(mete_buffer_t *b, size_t size)
{
    const bool is_done = mete_buffer_consume(b, size);
    EXPECT(is_done == (size <= model.length));
    model.first += is_done ? size : 0U;
    model.length -= is_done ? size : 0U;
}

static void test_random_work_agrees_with_a_model(void)
{
    uint32_t random = 0x2545F491U;
    mete_buffer_t *const b = setup();
    model.first = 0U;
    model.length = 0U;
    for (size_t step = 0U; step < 8000U; step++) {
        const uint32_t choice = random_below(&random, 100U);
        const size_t size = random_below(&random, 24U);
        shelf.resizes = (step / 400U) % 2U == 0U;
        shelf.refuse_at = (random_below(&random, 4U) == 0U) ? shelf.requests + 1U : 0U;
        if (choice < 2U) {
            mete_buffer_purge(b);
            model.length = 0U;
        } else if (choice < 55U) {
            append_like_the_model(b, size);
        } else {
            consume_like_the_model(b, size);
        }
        EXPECT(holds(b, (unsigned)model.first, model.length) && (taken_count() <= 1U));
    }
    mete_buffer_purge(b);
    EXPECT((taken_count() == 0U) && (tap_take_fault() == 0));
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_an_empty_buffer_has_no_room);
    RUN(test_without_a_configuration_there_are_defaults);
    RUN(test_room_doubles_from_the_least);
    RUN(test_room_grows_where_it_stands_if_it_can);
    RUN(test_what_is_needed_is_asked_for_if_more_is_refused);
    RUN(test_a_refused_growth_leaves_the_buffer_as_it_was);
    RUN(test_sizes_beyond_all_are_refused);
    RUN(test_reserve_asks_once);
    RUN(test_space_is_written_by_the_caller);
    RUN(test_consumed_room_is_used_again_if_moving_is_cheap);
    RUN(test_room_grows_rather_than_moving_much_again_and_again);
    RUN(test_where_it_may_not_grow_it_moves);
    RUN(test_consume_takes_all_that_is_asked_for_or_nothing);
    RUN(test_reset_keeps_room_up_to_a_limit);
    RUN(test_purge_gives_the_room_back);
    RUN(test_damage_is_told_and_nothing_changes);
    RUN(test_random_work_agrees_with_a_model);
    return tap_finish();
}
