// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The list, tested from inside: this file includes list.c itself, so that it can spoil headers and
// links on purpose. What random work does to a list is tests/model's to say; here each test states one
// behaviour.

#include "mete/alloc/list.c"

#include "tests/support/tap.h"

enum { STORAGE_SIZE = 1024, BLOCK_COUNT = 6 };

static _Alignas(16) unsigned char storage[STORAGE_SIZE + 16];
static unsigned char copy[sizeof storage];

static mete_list_t *setup_with(size_t search)
{
    const mete_list_config_t config = {{storage, STORAGE_SIZE}, search};
    mete_list_t *const list = mete_list_init(&config);
    EXPECT((list != NULL) && mete_list_check(list));
    return list;
}

static mete_list_t *setup(void)
{
    return setup_with(0U);
}

// What a block of so many granules can hold.
static size_t payload_size(size_t granules)
{
    return (granules * GRANULE) - WORD;
}

static void *alloc_granules(mete_list_t *list, size_t granules)
{
    return mete_list_alloc(list, payload_size(granules));
}

// Six blocks of 2, 3, 4, 5, 6 and 7 granules, one behind the other.
static mete_list_t *setup_six(void *blocks[BLOCK_COUNT])
{
    mete_list_t *const list = setup();
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        blocks[i] = alloc_granules(list, i + 2U);
        EXPECT(blocks[i] != NULL);
    }
    return list;
}

static size_t free_count(const mete_list_t *list)
{
    return mete_list_usage(list).free_count;
}

static void keep_copy(void)
{
    mete_words_copy(copy, storage, sizeof storage);
}

static bool is_unchanged(void)
{
    bool same = true;
    for (size_t i = 0U; i < sizeof storage; i++) {
        same = same && (copy[i] == storage[i]);
    }
    return same;
}

// The fault that freeing gives; nothing may change.
static int fault_of_free(mete_list_t *list, void *block)
{
    keep_copy();
    mete_list_free(list, block);
    EXPECT(is_unchanged());
    return tap_take_fault();
}

// ---- sizes

static void test_every_size_gets_the_fewest_granules_that_hold_it(void)
{
    for (size_t size = 1U; size < 3000U; size++) {
        const size_t granules = granules_for(size);
        EXPECT(payload_size(granules) >= size);
        EXPECT((granules == 1U) || (payload_size(granules - 1U) < size));
    }
}

static void test_no_size_wraps_around(void)
{
    EXPECT(granules_for(0U) > METE_LIST_SIZE_MAX);
    for (size_t below = 0U; below < 40U; below++) {
        EXPECT(granules_for(SIZE_MAX - below) > METE_LIST_SIZE_MAX);
    }
}

// ---- init

static void test_init_refuses_a_broken_config_and_writes_nothing(void)
{
    keep_copy();
    const mete_list_config_t bad[] = {
        {{NULL, STORAGE_SIZE}, 0U},
        {{storage, METE_LIST_SIZE_MIN - 1U}, 0U},
        {{storage, 0U}, 0U},
        {{storage, METE_LIST_SIZE_MAX + 1U}, 0U},
        {{storage, SIZE_MAX}, 0U},
        {{(void *)(UINTPTR_MAX - 1000U), 1001U}, 0U},  // Runs past the end of the address space.
    };
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(mete_list_init(&bad[i]) == NULL);
    }
    EXPECT(mete_list_init(NULL) == NULL);
    EXPECT(is_unchanged());
}

static void test_init_fits_into_any_storage(void)
{
    for (size_t offset = 0U; offset < 16U; offset++) {
        for (size_t size = METE_LIST_SIZE_MIN; size < METE_LIST_SIZE_MIN + 64U; size++) {
            mete_words_fill(storage, 0xA5U, sizeof storage);
            const mete_list_config_t config = {{storage + offset, size}, 0U};
            mete_list_t *const list = mete_list_init(&config);
            EXPECT((list != NULL) && mete_list_check(list));
            unsigned char *const block = (unsigned char *)mete_list_alloc(list, 1U);
            EXPECT((block != NULL) && ((uintptr_t)block % GRANULE == 0U));
            const size_t usable = mete_list_size_of(list, block);
            EXPECT(block + usable <= storage + offset + size);
            EXPECT((unsigned char *)list >= storage + offset);
            mete_list_free(list, block);
            EXPECT(mete_words_scan(storage, 0xA5U, offset) == offset);
            EXPECT(mete_words_scan(storage + offset + size, 0xA5U, 16U) == 16U);
        }
    }
}

static void test_a_storage_gives_all_that_alignment_leaves(void)
{
    const mete_list_t *const list = setup();
    const size_t total = mete_list_usage(list).total_size;
    EXPECT(total + sizeof(mete_list_t) + (4U * WORD) > STORAGE_SIZE);
    EXPECT(mete_list_usage(list).largest_free_size == total - WORD);
}

static void test_init_again_resets(void)
{
    mete_list_t *list = setup();
    EXPECT(mete_list_alloc(list, 100U) != NULL);
    list = setup();
    EXPECT((free_count(list) == 1U) && (mete_list_usage(list).in_use_size == 0U));
}

// ---- alloc

static void test_alloc_takes_the_first_free_block_that_fits(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[1]);  // 3 granules.
    mete_list_free(list, blocks[3]);  // 5 granules.
    EXPECT(alloc_granules(list, 4U) == blocks[3]);
    EXPECT(alloc_granules(list, 3U) == blocks[1]);
    EXPECT(mete_list_check(list));
}

static void test_alloc_leaves_the_rest_behind_the_block(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[3]);
    EXPECT(alloc_granules(list, 2U) == blocks[3]);
    EXPECT(alloc_granules(list, 2U) == (unsigned char *)blocks[3] + (2U * GRANULE));
    EXPECT(mete_list_check(list));
}

static void test_a_single_granule_is_not_left_over(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[3]);
    EXPECT(alloc_granules(list, 4U) == blocks[3]);
    EXPECT((mete_list_size_of(list, blocks[3]) == payload_size(5U)) && (free_count(list) == 1U));
    EXPECT(mete_list_resize(list, blocks[3], payload_size(4U)) && (free_count(list) == 1U));
    EXPECT(mete_list_resize(list, blocks[3], payload_size(3U)) && (free_count(list) == 2U));
    EXPECT(mete_list_size_of(list, blocks[3]) == payload_size(3U));
}

static void test_alloc_of_nothing_and_of_too_much_is_null(void)
{
    mete_list_t *const list = setup();
    const size_t largest = mete_list_usage(list).largest_free_size;
    keep_copy();
    EXPECT(mete_list_alloc(list, 0U) == NULL);
    EXPECT(mete_list_alloc(list, largest + 1U) == NULL);
    EXPECT(mete_list_alloc(list, SIZE_MAX) == NULL);
    EXPECT(list->refusals == 3U);
    list->refusals = 0U;
    EXPECT(is_unchanged() && (tap_take_fault() == 0));
    EXPECT(mete_list_alloc(list, largest) != NULL);
    EXPECT((free_count(list) == 0U) && (mete_list_usage(list).largest_free_size == 0U));
    EXPECT((mete_list_alloc(list, 1U) == NULL) && mete_list_check(list));
}

static void test_search_looks_at_no_more_free_blocks_than_the_config_says(void)
{
    // Free blocks of 2, 4 and 6 granules, then the rest of the storage.
    for (size_t search = 0U; search <= 4U; search++) {
        mete_list_t *const list = setup_with(search);
        void *blocks[BLOCK_COUNT];
        for (size_t i = 0U; i < BLOCK_COUNT; i++) {
            blocks[i] = alloc_granules(list, i + 2U);
        }
        for (size_t i = 0U; i < BLOCK_COUNT; i += 2U) {
            mete_list_free(list, blocks[i]);
        }
        EXPECT((alloc_granules(list, 7U) != NULL) == ((search == 0U) || (search >= 4U)));
        EXPECT((alloc_granules(list, 6U) == blocks[4]) == ((search == 0U) || (search >= 3U)));
        EXPECT((alloc_granules(list, 2U) == blocks[0]) && (tap_take_fault() == 0));
    }
}

static void test_aligned_blocks_leave_what_lies_in_front_free(void)
{
    for (size_t align = 1U; align <= 256U; align *= 2U) {
        mete_list_t *const list = setup();
        EXPECT(mete_list_alloc(list, 1U) != NULL);
        const size_t in_use = mete_list_usage(list).in_use_size;
        void *const block = mete_list_alloc_aligned(list, 10U, align);
        EXPECT((block != NULL) && mete_align_fits((uintptr_t)block, align));
        EXPECT(mete_list_usage(list).in_use_size == in_use + (granules_for(10U) * GRANULE));
        EXPECT(mete_list_check(list));
        mete_list_free(list, block);
        EXPECT((free_count(list) == 1U) && mete_list_check(list));
    }
}

static void test_an_aligned_block_may_fill_a_free_block_to_its_end(void)
{
    mete_list_t *const list = setup();
    const uintptr_t start = mete_align_down(list->end, 128U);  // Of a payload.
    const size_t size = list->end - start;
    // Free are five granules and what begins at `start`.
    const size_t front = (start - WORD - (uintptr_t)first_of(list)) / GRANULE;
    EXPECT(alloc_granules(list, front - 5U) != NULL);
    EXPECT(mete_list_alloc_aligned(list, size + 1U, 128U) == NULL);
    EXPECT((uintptr_t)mete_list_alloc_aligned(list, size, 128U) == start);
    EXPECT((mete_list_usage(list).largest_free_size == payload_size(5U)) && mete_list_check(list));
}

static void test_alloc_refuses_a_bad_alignment(void)
{
    mete_list_t *const list = setup();
    static const size_t bad[] = {0U, 3U, 24U, SIZE_MAX};
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(mete_list_alloc_aligned(list, 8U, bad[i]) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
    }
    EXPECT(mete_list_alloc_aligned(list, 8U, SIZE_MAX / 2U + 1U) == NULL);
    EXPECT((tap_take_fault() == 0) && (mete_list_usage(list).in_use_size == 0U));
}

// ---- free

static void test_free_joins_in_whatever_order(void)
{
    static const size_t orders[6][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                        {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
    for (size_t i = 0U; i < 6U; i++) {
        void *blocks[BLOCK_COUNT];
        mete_list_t *const list = setup_six(blocks);
        for (size_t j = 0U; j < 3U; j++) {
            mete_list_free(list, blocks[orders[i][j]]);
            EXPECT(mete_list_check(list));
        }
        EXPECT(free_count(list) == 2U);  // And what lies behind the sixth.
        EXPECT(alloc_granules(list, 3U + 4U + 5U) == blocks[1]);
    }
}

static void test_free_of_null_does_nothing(void)
{
    EXPECT(fault_of_free(setup(), NULL) == 0);
}

static void test_free_refuses_a_free_block(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[2]);
    EXPECT(fault_of_free(list, blocks[2]) == METE_FAULT_DOUBLE_FREE);
    mete_list_free(list, blocks[1]);  // Joins from the front,
    EXPECT(fault_of_free(list, blocks[2]) == METE_FAULT_DOUBLE_FREE);
    mete_list_free(list, blocks[3]);  // and this from behind.
    EXPECT(fault_of_free(list, blocks[3]) == METE_FAULT_DOUBLE_FREE);
    EXPECT((tap_fault_object == list) && (tap_fault_address == blocks[3]));
    EXPECT(mete_list_alloc(list, 1U) == blocks[1]);
    EXPECT(fault_of_free(list, blocks[2]) == METE_FAULT_DOUBLE_FREE);
}

static void test_free_refuses_what_is_no_block(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_words_fill(blocks[3], 0U, payload_size(5U));
    for (size_t offset = 1U; offset < payload_size(5U); offset++) {
        EXPECT(fault_of_free(list, (unsigned char *)blocks[3] + offset) == METE_FAULT_FOREIGN);
    }
    unsigned char elsewhere[64];
    EXPECT(fault_of_free(list, elsewhere) == METE_FAULT_FOREIGN);
    EXPECT(fault_of_free(list, list) == METE_FAULT_FOREIGN);
    EXPECT(fault_of_free(list, (void *)(list->end + WORD)) == METE_FAULT_FOREIGN);
    EXPECT(fault_of_free(list, storage + sizeof storage) == METE_FAULT_FOREIGN);
    EXPECT(fault_of_free(list, (void *)(uintptr_t)WORD) == METE_FAULT_FOREIGN);
}

static void test_free_refuses_an_old_start_inside_a_block(void)
{
    // The headers of what once was a block must not outlive it, whichever way it was joined.
    static const size_t orders[2][2] = {{2, 3}, {3, 2}};
    for (size_t i = 0U; i < 2U; i++) {
        void *blocks[BLOCK_COUNT];
        mete_list_t *const list = setup_six(blocks);
        mete_list_free(list, blocks[orders[i][0]]);
        mete_list_free(list, blocks[orders[i][1]]);
        EXPECT(alloc_granules(list, 4U + 5U) == blocks[2]);
        EXPECT(fault_of_free(list, blocks[3]) == METE_FAULT_FOREIGN);
    }
}

static void test_a_header_is_valid_at_its_own_place_only(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    unsigned char *const inside = (unsigned char *)blocks[4] + (2U * GRANULE);
    mete_words_copy(block_of(inside), block_of(blocks[2]), WORD);
    EXPECT(fault_of_free(list, inside) == METE_FAULT_FOREIGN);
    mete_words_fill(block_of(inside), 0U, WORD);
    EXPECT(fault_of_free(list, inside) == METE_FAULT_FOREIGN);
}

// A header that is valid at its place, and yet none: free memory begins in front of it, or before its end.
static void test_a_valid_header_that_overlaps_free_memory_is_refused(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[5]);
    block_t *const in_free = at(block_of(blocks[5]), 2U);
    put_live(in_free, 1U);
    EXPECT(fault_of_free(list, payload_of(in_free)) == METE_FAULT_DOUBLE_FREE);
    block_t *const in_front = at(block_of(blocks[4]), 5U);
    put_live(in_front, 2U);
    EXPECT(fault_of_free(list, payload_of(in_front)) == METE_FAULT_FOREIGN);
}

// ---- resize

static void test_resize_shrinks_and_gives_the_rest_back(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    EXPECT(mete_list_resize(list, blocks[5], payload_size(3U)) && (free_count(list) == 1U));
    EXPECT(mete_list_resize(list, blocks[2], payload_size(1U)) && (free_count(list) == 2U));
    EXPECT(mete_list_resize(list, blocks[2], 1U) && (free_count(list) == 2U));
    EXPECT(mete_list_size_of(list, blocks[2]) == payload_size(1U));
    EXPECT(alloc_granules(list, 3U) == (unsigned char *)blocks[2] + GRANULE);
    EXPECT(mete_list_check(list));
}

static void test_resize_grows_into_the_free_block_behind(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[3]);
    keep_copy();
    EXPECT(!mete_list_resize(list, blocks[2], payload_size(10U)));
    EXPECT(!mete_list_resize(list, blocks[1], payload_size(4U)));
    EXPECT(!mete_list_resize(list, blocks[2], SIZE_MAX) && !mete_list_resize(list, blocks[2], 0U));
    EXPECT(!mete_list_resize(list, NULL, 1U));
    EXPECT(is_unchanged() && (tap_take_fault() == 0));
    EXPECT(mete_list_resize(list, blocks[2], payload_size(6U)) && mete_list_check(list));
    EXPECT(free_count(list) == 2U);
    EXPECT(mete_list_resize(list, blocks[2], payload_size(9U)) && mete_list_check(list));
    EXPECT(free_count(list) == 1U);
    EXPECT(mete_list_size_of(list, blocks[2]) == payload_size(9U));
}

static void test_resize_refuses_what_is_no_block(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[3]);
    keep_copy();
    EXPECT(!mete_list_resize(list, blocks[3], 1U));
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(!mete_list_resize(list, (unsigned char *)blocks[2] + 1, 1U));
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    EXPECT(is_unchanged());
}

// ---- damage

// Frees every block and asks for all: what a program does sooner or later.
static bool is_noticed(mete_list_t *list, void *const blocks[BLOCK_COUNT])
{
    int fault = 0;
    for (size_t i = 0U; (i < BLOCK_COUNT) && (fault == 0); i++) {
        if (i % 2U == 0U) {
            mete_list_free(list, blocks[i]);
            fault = tap_take_fault();
        }
    }
    (void)mete_list_alloc(list, STORAGE_SIZE);
    fault = (fault != 0) ? fault : tap_take_fault();
    return fault == METE_FAULT_CORRUPT;
}

// A list with free blocks 1, 3 and 5, the last joined to the rest of the storage.
static mete_list_t *setup_with_holes(void *blocks[BLOCK_COUNT])
{
    mete_list_t *const list = setup_six(blocks);
    for (size_t i = 1U; i < BLOCK_COUNT; i += 2U) {
        mete_list_free(list, blocks[i]);
    }
    return list;
}

static void test_every_flipped_bit_of_every_header_is_noticed(void)
{
    for (size_t i = 0U; i <= BLOCK_COUNT; i++) {
        void *blocks[BLOCK_COUNT];
        for (size_t bit = 0U; bit < 8U * WORD; bit++) {
            mete_list_t *const list = setup_with_holes(blocks);
            unsigned char *const header =
                (unsigned char *)((i == BLOCK_COUNT) ? head_of(list) : block_of(blocks[i]));
            header[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
            EXPECT(!mete_list_check(list));
            EXPECT(is_noticed(list, blocks));
        }
    }
}

static void test_every_flipped_bit_of_every_link_is_noticed(void)
{
    for (size_t i = 1U; i <= BLOCK_COUNT; i += 2U) {
        void *blocks[BLOCK_COUNT];
        for (size_t bit = 0U; bit < 8U * WORD; bit++) {
            mete_list_t *const list = setup_with_holes(blocks);
            block_t *const block = (i > BLOCK_COUNT - 1U) ? head_of(list) : block_of(blocks[i]);
            unsigned char *const link = (unsigned char *)&block->next;
            link[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
            EXPECT(!mete_list_check(list));
            EXPECT(is_noticed(list, blocks));
        }
    }
}

static void test_damage_in_front_of_a_block_makes_freeing_it_fail_without_effect(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_with_holes(blocks);
    block_of(blocks[1])->header++;
    EXPECT(fault_of_free(list, blocks[4]) == METE_FAULT_CORRUPT);
    EXPECT(fault_of_free(list, blocks[0]) == METE_FAULT_CORRUPT);  // It touches the damaged one.
    keep_copy();
    EXPECT(mete_list_alloc(list, 1U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(mete_list_alloc_aligned(list, 1U, 64U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(!mete_list_resize(list, blocks[2], 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(is_unchanged());
}

static void test_a_damaged_header_is_not_taken_for_a_foreign_address(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    block_of(blocks[2])->header ^= (uintptr_t)1U << (HALF_BITS + 4);
    EXPECT(fault_of_free(list, blocks[2]) == METE_FAULT_CORRUPT);
    unsigned char elsewhere[16];
    EXPECT(fault_of_free(list, elsewhere) == METE_FAULT_FOREIGN);
}

static void test_damage_is_found_before_the_search_gives_up(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_with_holes(blocks);
    list->search = 1U;
    block_of(blocks[1])->header ^= (uintptr_t)1U << HALF_BITS;
    EXPECT(alloc_granules(list, 10U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
}

static void test_links_are_followed_upwards_and_inside_only(void)
{
    // Links with the right tag, as two flips could leave them.
    void *blocks[BLOCK_COUNT];
    for (size_t i = 0U; i < 4U; i++) {
        mete_list_t *const list = setup_with_holes(blocks);
        block_t *const wrong[] = {head_of(list), block_of(blocks[1]), block_of(blocks[3]),
                                  (block_t *)(list->end + GRANULE)};
        put_free(block_of(blocks[3]), 5U, wrong[i]);
        EXPECT(!mete_list_check(list));
        EXPECT(alloc_granules(list, 20U) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    }
}

static bool see_all(void *self, const mete_list_block_t *block)
{
    (void)self, (void)block;
    return true;
}

// Calls that come by a damaged link: each must end, and say why.
static void expect_no_call_to_pass(mete_list_t *list, void *const blocks[BLOCK_COUNT])
{
    EXPECT(alloc_granules(list, 20U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(mete_list_alloc_aligned(list, payload_size(20U), 32U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(!mete_list_resize(list, blocks[4], 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    mete_list_free(list, blocks[4]);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(!mete_list_check(list) && (mete_list_usage(list).refusals == 0U));
}

// At level 0 too, where links are followed unseen.
static void test_a_link_that_does_not_go_up_makes_no_call_run_forever(void)
{
    void *blocks[BLOCK_COUNT];
    for (size_t i = 0U; i < 12U; i++) {
        mete_list_t *const list = setup_with_holes(blocks);
        block_t *const spoilt[] = {head_of(list), block_of(blocks[1]), block_of(blocks[3])};
        block_t *const block = spoilt[i % 3U];
        const size_t size = ((i / 3U) % 2U == 0U) ? size_in(block) : 0U;
        put_free(block, size, (i < 6U) ? block : head_of(list));
        expect_no_call_to_pass(list, blocks);
        EXPECT(!mete_list_walk(list, see_all, NULL));
    }
}

static void test_check_sees_free_neighbours_and_what_is_not_listed(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *list = setup_with_holes(blocks);
    put_free(block_of(blocks[1]), 1U, at(block_of(blocks[1]), 1U));
    put_free(at(block_of(blocks[1]), 1U), 2U, block_of(blocks[3]));
    EXPECT(!mete_list_check(list));
    list = setup_with_holes(blocks);
    put_free(head_of(list), 0U, block_of(blocks[3]));
    EXPECT((METE_CHECK_LEVEL < 1) || !mete_list_check(list));
    list = setup_with_holes(blocks);
    put_free(head_of(list), 1U, block_of(blocks[1]));
    EXPECT(!mete_list_check(list));
    list = setup_with_holes(blocks);
    put_live(block_of(blocks[2]), 0U);
    EXPECT(!mete_list_check(list));
    list = setup_with_holes(blocks);
    put_live(block_of(blocks[4]), 1000U);
    EXPECT(!mete_list_check(list));
}

static void test_check_compares_what_is_in_use_with_the_blocks(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_with_holes(blocks);
    list->in_use++;
    EXPECT(!mete_list_check(list));
}

static void test_level_3_reports_damage_anywhere_after_every_operation(void)
{
    void *blocks[BLOCK_COUNT];
    mete_list_t *const list = setup_six(blocks);
    mete_list_free(list, blocks[0]);
    block_of(blocks[5])->header ^= (uintptr_t)1U << HALF_BITS;  // A live block that nobody frees.
    const int expected = (METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0;
    EXPECT((alloc_granules(list, 1U) == blocks[0]) && (tap_take_fault() == expected));
    EXPECT((mete_list_alloc_aligned(list, 1U, 1U) != NULL) && (tap_take_fault() == expected));
    EXPECT(mete_list_resize(list, blocks[2], 1U) && (tap_take_fault() == expected));
    mete_list_free(list, blocks[0]);
    EXPECT(tap_take_fault() == expected);
}

// ---- questions

static void test_owns_every_byte_of_its_blocks_and_no_other(void)
{
    const mete_list_t *const list = setup();
    const unsigned char *const first = (const unsigned char *)first_of(list);
    EXPECT(!mete_list_owns(list, NULL) && !mete_list_owns(list, list));
    EXPECT(!mete_list_owns(list, first - 1) && mete_list_owns(list, first));
    EXPECT(mete_list_owns(list, (const void *)(list->end - 1U)));
    EXPECT(!mete_list_owns(list, (const void *)list->end));
}

typedef struct seen {
    size_t count, live_count, stop_at;
    uintptr_t next;  // Where the next payload must begin.
} seen_t;

static bool see(void *self, const mete_list_block_t *block)
{
    seen_t *const seen = (seen_t *)self;
    EXPECT((uintptr_t)block->block == seen->next);
    seen->next += block->size + WORD;
    seen->live_count += block->is_live ? 1U : 0U;
    seen->count++;
    return seen->count != seen->stop_at;
}

static void test_walk_shows_every_block_in_order(void)
{
    void *blocks[BLOCK_COUNT];
    const mete_list_t *const list = setup_with_holes(blocks);
    seen_t seen = {0U, 0U, 0U, (uintptr_t)blocks[0]};
    EXPECT(mete_list_walk(list, see, &seen));
    EXPECT((seen.count == BLOCK_COUNT) && (seen.live_count == 3U));
    EXPECT(seen.next == list->end + WORD);
    seen_t first = {0U, 0U, 2U, (uintptr_t)blocks[0]};
    EXPECT(!mete_list_walk(list, see, &first) && (first.count == 2U));
}

static void test_usage_counts(void)
{
    void *blocks[BLOCK_COUNT];
    const mete_list_usage_t usage = mete_list_usage(setup_with_holes(blocks));
    EXPECT(usage.in_use_size == (2U + 4U + 6U) * GRANULE);
    EXPECT(usage.in_use_peak == (2U + 3U + 4U + 5U + 6U + 7U) * GRANULE);
    EXPECT(usage.free_count == 3U);
    EXPECT(usage.largest_free_size + ((2U + 3U + 4U + 5U + 6U) * GRANULE) + WORD ==
           usage.total_size);
}

static size_t peak(const mete_list_t *list)
{
    return mete_list_usage(list).in_use_peak / GRANULE;
}

static void test_the_peak_follows_every_way_up(void)
{
    mete_list_t *const list = setup();
    EXPECT(peak(list) == 0U);
    void *const a = alloc_granules(list, 3U);
    EXPECT(peak(list) == 3U);
    EXPECT(mete_list_resize(list, a, payload_size(8U)) && (peak(list) == 8U));
    EXPECT(mete_list_resize(list, a, payload_size(2U)) && (peak(list) == 8U));
    void *const b = mete_list_alloc_aligned(list, payload_size(5U), 64U);
    EXPECT((b != NULL) && (peak(list) == 8U));
    mete_list_free(list, a);
    mete_list_free(list, b);
    EXPECT((peak(list) == 8U) && (mete_list_usage(list).in_use_size == 0U));
    EXPECT((alloc_granules(list, 9U) != NULL) && (peak(list) == 9U));
    EXPECT(peak(setup()) == 0U);
}

static void test_what_cannot_be_served_is_counted_and_damage_is_not(void)
{
    mete_list_t *const list = setup();
    void *const block = alloc_granules(list, 3U);
    EXPECT(mete_list_alloc(list, STORAGE_SIZE) == NULL);
    EXPECT(mete_list_alloc_aligned(list, STORAGE_SIZE, 64U) == NULL);
    EXPECT(mete_list_alloc_aligned(list, 1U, 3U) == NULL);  // Misuse.
    EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
    EXPECT(!mete_list_resize(list, block, STORAGE_SIZE));  // May still be had by moving.
    EXPECT(mete_list_usage(list).refusals == 2U);
}

// ---- the view

static void test_view_holds_the_caller_to_size_and_alignment(void)
{
    mete_list_t *const list = setup();
    const mete_alloc_t alloc = mete_list_as_alloc(list);
    void *const block = mete_acquire(alloc, payload_size(4U), GRANULE);
    const size_t wrong[] = {payload_size(2U), payload_size(4U) + 1U, SIZE_MAX};
    keep_copy();
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        mete_release(alloc, block, wrong[i], GRANULE);
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
        EXPECT(!mete_resize(alloc, block, wrong[i], 1U, GRANULE));
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    }
    mete_release(alloc, block, payload_size(4U), (SIZE_MAX / 2U) + 1U);
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && is_unchanged());
    EXPECT(mete_resize(alloc, block, payload_size(3U) + 1U, 1U, 1U));
    mete_release(alloc, block, WORD, 1U);
    EXPECT((tap_take_fault() == 0) && (mete_list_usage(list).in_use_size == 0U));
}

static void test_define_makes_a_list(void)
{
    METE_LIST_DEFINE(small, 100);
    mete_list_t *const list = mete_list_init(&small_config);
    EXPECT((list != NULL) && (sizeof small_storage == 104U) && (small_config.search == 0U));
    EXPECT(mete_list_alloc(list, 8U) != NULL);
}

static void run_what_needs_checks(void)
{
    RUN(test_free_refuses_a_free_block);
    RUN(test_free_refuses_what_is_no_block);
    RUN(test_free_refuses_an_old_start_inside_a_block);
    RUN(test_a_header_is_valid_at_its_own_place_only);
    RUN(test_a_valid_header_that_overlaps_free_memory_is_refused);
    RUN(test_resize_refuses_what_is_no_block);
    RUN(test_damage_in_front_of_a_block_makes_freeing_it_fail_without_effect);
    RUN(test_a_damaged_header_is_not_taken_for_a_foreign_address);
    RUN(test_damage_is_found_before_the_search_gives_up);
    RUN(test_links_are_followed_upwards_and_inside_only);
    RUN(test_every_flipped_bit_of_every_header_is_noticed);
    RUN(test_every_flipped_bit_of_every_link_is_noticed);
    RUN(test_level_3_reports_damage_anywhere_after_every_operation);
    RUN(test_view_holds_the_caller_to_size_and_alignment);
}

int main(void)
{
    RUN(test_every_size_gets_the_fewest_granules_that_hold_it);
    RUN(test_no_size_wraps_around);
    RUN(test_init_refuses_a_broken_config_and_writes_nothing);
    RUN(test_init_fits_into_any_storage);
    RUN(test_a_storage_gives_all_that_alignment_leaves);
    RUN(test_init_again_resets);
    RUN(test_alloc_takes_the_first_free_block_that_fits);
    RUN(test_alloc_leaves_the_rest_behind_the_block);
    RUN(test_a_single_granule_is_not_left_over);
    RUN(test_alloc_of_nothing_and_of_too_much_is_null);
    RUN(test_search_looks_at_no_more_free_blocks_than_the_config_says);
    RUN(test_aligned_blocks_leave_what_lies_in_front_free);
    RUN(test_an_aligned_block_may_fill_a_free_block_to_its_end);
    RUN(test_alloc_refuses_a_bad_alignment);
    RUN(test_free_joins_in_whatever_order);
    RUN(test_free_of_null_does_nothing);
    RUN(test_resize_shrinks_and_gives_the_rest_back);
    RUN(test_resize_grows_into_the_free_block_behind);
    RUN(test_a_link_that_does_not_go_up_makes_no_call_run_forever);
    RUN(test_check_compares_what_is_in_use_with_the_blocks);
    RUN(test_check_sees_free_neighbours_and_what_is_not_listed);
    RUN(test_owns_every_byte_of_its_blocks_and_no_other);
    RUN(test_walk_shows_every_block_in_order);
    RUN(test_usage_counts);
    RUN(test_the_peak_follows_every_way_up);
    RUN(test_what_cannot_be_served_is_counted_and_damage_is_not);
    RUN(test_define_makes_a_list);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}
