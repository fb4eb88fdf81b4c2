// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The buddy, tested from inside: this file includes buddy.c itself, so that it can spoil the table on
// purpose. What random work does to a buddy is tests/model's to say; here each test states one behaviour.

#include "mete/alloc/buddy.c"

#include "tests/support/tap.h"

enum { BLOCK_SIZE = 16, COUNT_MAX = 70, WHOLE_COUNT = 16 };

static _Alignas(256) unsigned char blocks[COUNT_MAX][BLOCK_SIZE];
static uint8_t table[METE_BUDDY_TABLE_SIZE(COUNT_MAX)];
static uint8_t copy[sizeof table];
static mete_buddy_config_t config;
static mete_buddy_t buddy;

static void setup(size_t count)
{
    config = (mete_buddy_config_t){blocks, table, BLOCK_SIZE, count};
    mete_words_fill(table, 0xA5U, sizeof table);
    EXPECT(mete_buddy_init(&buddy, &config));
    EXPECT(mete_buddy_check(&buddy));
}

// An address in front of the blocks.
static void *in_front(size_t distance)
{
    return (void *)((uintptr_t)blocks - distance);
}

static void *alloc_count(size_t count)
{
    return mete_buddy_alloc(&buddy, count * BLOCK_SIZE);
}

static void keep_copy(void)
{
    mete_words_copy(copy, table, sizeof table);
}

static bool is_unchanged(void)
{
    bool same = true;
    for (size_t i = 0U; i < sizeof table; i++) {
        same = same && (copy[i] == table[i]);
    }
    return same;
}

// The fault that freeing gives; nothing may change.
static int fault_of_free(void *block)
{
    keep_copy();
    const uint32_t in_use = buddy.in_use;
    mete_buddy_free(&buddy, block);
    EXPECT(is_unchanged() && (buddy.in_use == in_use));
    return tap_take_fault();
}

// ---- numbers

static void test_macros_count_levels_and_bytes(void)
{
    static const struct {
        size_t count, levels, size;
    } known[] = {{1U, 1U, 2U},       {2U, 2U, 4U},       {3U, 3U, 8U},       {4U, 3U, 8U},
                 {5U, 4U, 14U},      {16U, 5U, 32U},     {17U, 6U, 50U},     {70U, 8U, 198U},
                 {512U, 10U, 1024U}, {513U, 11U, 1538U}, {1024U, 11U, 2048U}};
    for (size_t i = 0U; i < sizeof known / sizeof known[0]; i++) {
        EXPECT((size_t)METE_BUDDY_LEVEL_COUNT(known[i].count) == known[i].levels);
        EXPECT(METE_BUDDY_TABLE_SIZE(known[i].count) == known[i].size);
        EXPECT(table_size_for(known[i].count) == known[i].size);
        EXPECT(leaves_for(known[i].count) == (uint32_t)1U << (known[i].levels - 1U));
    }
}

static void test_every_size_gets_the_lowest_order_that_holds_it(void)
{
    setup(COUNT_MAX);
    for (size_t size = 1U; size <= sizeof blocks; size++) {
        const uint32_t order = order_for(&buddy, size);
        EXPECT(count_of(order) * BLOCK_SIZE >= size);
        EXPECT((order == 1U) || (count_of(order - 1U) * BLOCK_SIZE < size));
    }
    EXPECT(count_of(order_for(&buddy, 0U)) > COUNT_MAX);
    EXPECT(count_of(order_for(&buddy, SIZE_MAX)) > COUNT_MAX);
}

static void test_no_flipped_bit_makes_a_valid_byte_of_another(void)
{
    for (uint32_t order = 0U; order <= (uint32_t)METE_BUDDY_LEVEL_COUNT(METE_BUDDY_BLOCK_COUNT_MAX);
         order++) {
        EXPECT(whole_of(order) <= UINT8_MAX);
        for (uint32_t bit = 0U; bit < 8U; bit++) {
            EXPECT((whole_of(order) ^ (1U << bit)) % STEP != whole_of(0U) % STEP);
        }
    }
}

static void test_no_flipped_bit_but_one_makes_a_promise_of_nothing(void)
{
    for (uint32_t bit = 0U; bit < 7U; bit++) {
        EXPECT((NOTHING ^ (1U << bit)) < whole_of(1U));
    }
}

// ---- init

static void test_init_refuses_a_broken_config(void)
{
    setup(5U);
    const mete_buddy_config_t good = config;
    mete_buddy_config_t bad[] = {good, good, good, good, good, good, good, good, good};
    bad[0].blocks = NULL;
    bad[1].table = NULL;
    bad[2].block_size = 0U;
    bad[3].block_size = 24U;
    bad[4].block_size = 4U;
    bad[5].block_count = 0U;
    bad[6].block_count = METE_BUDDY_BLOCK_COUNT_MAX + 1U;
    bad[7].block_size = (SIZE_MAX / 8U) + 1U;
    bad[8].blocks = (void *)(UINTPTR_MAX - (5U * BLOCK_SIZE) + 1U);  // Runs past the address space.
    EXPECT(alloc_count(1U) != NULL);
    keep_copy();
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_buddy_init(&buddy, &bad[i]));
        EXPECT(is_unchanged() && (buddy.in_use == 1U));
    }
}

static void test_blocks_may_end_with_the_address_space(void)
{
    setup(5U);
    config.blocks = (void *)(UINTPTR_MAX - (5U * BLOCK_SIZE));  // They are not touched.
    EXPECT(mete_buddy_init(&buddy, &config) && mete_buddy_check(&buddy));
}

static void test_init_refuses_a_missing_configuration(void)
{
    setup(5U);
    EXPECT(alloc_count(1U) != NULL);
    keep_copy();
    EXPECT(!mete_buddy_init(&buddy, NULL));
    EXPECT(is_unchanged() && mete_buddy_check(&buddy));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_buddy_t never = {0};
    EXPECT(!mete_buddy_check(&never));
    EXPECT(tap_take_fault() == 0);
}

static void test_init_writes_its_table_and_nothing_behind(void)
{
    for (size_t count = 1U; count < COUNT_MAX; count++) {
        setup(count);
        const size_t size = METE_BUDDY_TABLE_SIZE(count);
        EXPECT(mete_words_scan(&table[size], 0xA5U, sizeof table - size) == sizeof table - size);
    }
}

static void test_init_again_resets(void)
{
    setup(WHOLE_COUNT);
    EXPECT(alloc_count(WHOLE_COUNT) != NULL);
    EXPECT(alloc_count(1U) == NULL);
    setup(WHOLE_COUNT);
    const mete_buddy_usage_t usage = mete_buddy_usage(&buddy);
    EXPECT((usage.in_use_size == 0U) && (usage.in_use_peak == 0U) && (usage.refusals == 0U));
}

// ---- alloc

static void test_any_number_of_blocks_can_be_had_one_by_one(void)
{
    for (size_t count = 1U; count <= COUNT_MAX; count++) {
        setup(count);
        for (size_t i = 0U; i < count; i++) {
            EXPECT(mete_buddy_alloc(&buddy, 1U) == blocks[i]);  // The lowest address first.
        }
        EXPECT((mete_buddy_alloc(&buddy, 1U) == NULL) && mete_buddy_check(&buddy));
        EXPECT(mete_buddy_usage(&buddy).in_use_size == count * BLOCK_SIZE);
        const size_t stride = (count % 29U == 0U) ? 1U : 29U;  // Prime to the count.
        for (size_t i = 0U; i < count; i++) {
            mete_buddy_free(&buddy, blocks[(i * stride) % count]);
        }
        EXPECT((buddy.in_use == 0U) && (tap_take_fault() == 0) && mete_buddy_check(&buddy));
    }
}

static void test_a_number_that_is_no_power_falls_into_powers(void)
{
    setup(13U);  // 8 + 4 + 1.
    EXPECT(mete_buddy_usage(&buddy).largest_free_size == 8U * BLOCK_SIZE);
    EXPECT(alloc_count(9U) == NULL);
    EXPECT(alloc_count(3U) == blocks[0]);
    EXPECT(alloc_count(8U) == NULL);
    EXPECT(alloc_count(4U) == blocks[4]);
    EXPECT(alloc_count(4U) == blocks[8]);
    EXPECT(alloc_count(1U) == blocks[12]);
    EXPECT((mete_buddy_usage(&buddy).largest_free_size == 0U) && (alloc_count(1U) == NULL));
    EXPECT(mete_buddy_usage(&buddy).refusals == 3U);
}

static void test_alloc_takes_the_first_piece_that_is_large_enough(void)
{
    setup(WHOLE_COUNT);
    EXPECT(alloc_count(1U) == blocks[0]);
    EXPECT(alloc_count(4U) == blocks[4]);
    EXPECT(alloc_count(2U) == blocks[2]);
    EXPECT(alloc_count(1U) == blocks[1]);
    EXPECT(alloc_count(2U) == blocks[8]);
    EXPECT(mete_buddy_check(&buddy) &&
           (mete_buddy_usage(&buddy).largest_free_size == 4U * BLOCK_SIZE));
}

static void test_alloc_of_nothing_and_of_too_much_is_null(void)
{
    setup(WHOLE_COUNT);
    keep_copy();
    EXPECT(mete_buddy_alloc(&buddy, 0U) == NULL);
    EXPECT(mete_buddy_alloc(&buddy, (WHOLE_COUNT * BLOCK_SIZE) + 1U) == NULL);
    for (size_t size = 2U * WHOLE_COUNT * BLOCK_SIZE; size != 0U; size *= 2U) {
        EXPECT((mete_buddy_alloc(&buddy, size) == NULL) &&
               (mete_buddy_alloc(&buddy, size - 1U) == NULL));
    }
    EXPECT(mete_buddy_alloc(&buddy, SIZE_MAX) == NULL);
    EXPECT(is_unchanged() && (tap_take_fault() == 0));
    EXPECT(alloc_count(WHOLE_COUNT) == blocks[0]);
}

static void test_blocks_lie_at_multiples_of_their_size(void)
{
    setup(COUNT_MAX);
    for (size_t count = 1U; count <= 32U; count += 3U) {
        EXPECT(alloc_count(1U) != NULL);
        const unsigned char *const block = (const unsigned char *)alloc_count(count);
        EXPECT((block == NULL) ||
               ((size_t)(block - blocks[0]) % mete_buddy_size_of(&buddy, block) == 0U));
    }
}

static void test_aligned_requests_get_a_block_at_least_as_large(void)
{
    setup(COUNT_MAX);
    for (size_t align = 1U; align <= 256U; align *= 2U) {
        EXPECT(alloc_count(1U) != NULL);
        void *const block = mete_buddy_alloc_aligned(&buddy, 3U, align);
        EXPECT((block != NULL) && mete_align_fits((uintptr_t)block, align));
        EXPECT(mete_buddy_size_of(&buddy, block) ==
               ((align < BLOCK_SIZE) ? (size_t)BLOCK_SIZE : align));
        mete_buddy_free(&buddy, block);
    }
    EXPECT(mete_buddy_alloc_aligned(&buddy, 0U, 64U) == NULL);
    EXPECT(tap_take_fault() == 0);
}

static void test_alignments_that_the_blocks_lack_are_refused(void)
{
    setup(WHOLE_COUNT);
    config.blocks = blocks[1];  // Aligned to 16, and no more.
    EXPECT(mete_buddy_init(&buddy, &config));
    EXPECT(mete_buddy_alloc_aligned(&buddy, 1U, 16U) == blocks[1]);
    EXPECT(mete_buddy_alloc_aligned(&buddy, 1U, 32U) == NULL);
    EXPECT((mete_buddy_usage(&buddy).refusals == 1U) && (tap_take_fault() == 0));
    static const size_t bad[] = {0U, 3U, 24U, SIZE_MAX};
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(mete_buddy_alloc_aligned(&buddy, 8U, bad[i]) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_ALIGN);
    }
}

// ---- free

static void test_free_joins_a_block_with_its_buddy_only(void)
{
    setup(WHOLE_COUNT);
    void *quarters[4];
    for (size_t i = 0U; i < 4U; i++) {
        quarters[i] = alloc_count(4U);
    }
    mete_buddy_free(&buddy, quarters[1]);
    mete_buddy_free(&buddy, quarters[2]);  // Neighbours, but no buddies.
    EXPECT(mete_buddy_usage(&buddy).largest_free_size == 4U * BLOCK_SIZE);
    mete_buddy_free(&buddy, quarters[3]);
    EXPECT(mete_buddy_usage(&buddy).largest_free_size == 8U * BLOCK_SIZE);
    mete_buddy_free(&buddy, quarters[0]);
    EXPECT(mete_buddy_usage(&buddy).largest_free_size == 16U * BLOCK_SIZE);
    EXPECT(mete_buddy_check(&buddy) && (buddy.in_use == 0U));
}

static void test_free_of_null_does_nothing(void)
{
    setup(WHOLE_COUNT);
    EXPECT(fault_of_free(NULL) == 0);
}

static void test_free_refuses_exactly_what_is_not_held(void)
{
    // A block of four, one of one, one of two; the rest is free. Every byte in and around them is tried.
    setup(13U);
    EXPECT((alloc_count(4U) == blocks[0]) && (alloc_count(1U) == blocks[4]) &&
           (alloc_count(2U) == blocks[6]));
    unsigned char *const first = blocks[0];
    for (size_t offset = 0U; offset < sizeof blocks; offset++) {
        const size_t i = offset / BLOCK_SIZE;
        const bool is_held = (i < 5U) || (i == 6U) || (i == 7U);
        const bool is_start =
            (offset == 0U) || (offset == 4U * BLOCK_SIZE) || (offset == 6U * BLOCK_SIZE);
        const int expected = ((i >= 13U) || is_held) ? METE_FAULT_FOREIGN : METE_FAULT_DOUBLE_FREE;
        EXPECT(is_start || (fault_of_free(first + offset) == expected));
    }
    unsigned char elsewhere[1];
    EXPECT(fault_of_free(elsewhere) == METE_FAULT_FOREIGN);
    EXPECT(fault_of_free(in_front(BLOCK_SIZE)) == METE_FAULT_FOREIGN);
    EXPECT(fault_of_free((void *)UINTPTR_MAX) == METE_FAULT_FOREIGN);
    EXPECT((tap_fault_object == &buddy) && (tap_fault_address == (void *)UINTPTR_MAX));
    mete_buddy_free(&buddy, blocks[4]);
    EXPECT(fault_of_free(blocks[4]) == METE_FAULT_DOUBLE_FREE);
    mete_buddy_free(&buddy, blocks[0]);
    mete_buddy_free(&buddy, blocks[6]);
    EXPECT((tap_take_fault() == 0) && (fault_of_free(blocks[0]) == METE_FAULT_DOUBLE_FREE));
}

static void test_blocks_are_never_touched(void)
{
    setup(COUNT_MAX);
    mete_words_fill(blocks, 0x5AU, sizeof blocks);
    void *const one = alloc_count(1U);
    void *const many = alloc_count(16U);
    EXPECT(mete_buddy_resize(&buddy, many, 1U) && mete_buddy_resize(&buddy, many, 100U));
    mete_buddy_free(&buddy, one);
    mete_buddy_free(&buddy, many);
    EXPECT(mete_words_scan(blocks, 0x5AU, sizeof blocks) == sizeof blocks);
}

// ---- resize

static void test_resize_gives_halves_back(void)
{
    setup(WHOLE_COUNT);
    void *const block = alloc_count(16U);
    EXPECT(mete_buddy_resize(&buddy, block, (8U * BLOCK_SIZE) + 1U) && (buddy.in_use == 16U));
    EXPECT(mete_buddy_resize(&buddy, block, 2U * BLOCK_SIZE) && (buddy.in_use == 2U));
    EXPECT((mete_buddy_size_of(&buddy, block) == 2U * BLOCK_SIZE) && mete_buddy_check(&buddy));
    EXPECT((alloc_count(8U) == blocks[8]) && (alloc_count(4U) == blocks[4]));
    EXPECT(mete_buddy_usage(&buddy).in_use_peak == 16U * BLOCK_SIZE);
}

static void test_resize_takes_in_buddies_behind(void)
{
    setup(WHOLE_COUNT);
    void *const block = alloc_count(1U);
    void *const wall = alloc_count(8U);
    EXPECT(mete_buddy_resize(&buddy, block, 8U * BLOCK_SIZE) && (buddy.in_use == 16U));
    EXPECT((mete_buddy_size_of(&buddy, block) == 8U * BLOCK_SIZE) && mete_buddy_check(&buddy));
    keep_copy();
    EXPECT(!mete_buddy_resize(&buddy, block, 9U * BLOCK_SIZE));
    EXPECT(!mete_buddy_resize(&buddy, block, SIZE_MAX) && !mete_buddy_resize(&buddy, block, 0U));
    EXPECT(!mete_buddy_resize(&buddy, wall, 9U * BLOCK_SIZE));  // Its buddy lies in front.
    EXPECT(!mete_buddy_resize(&buddy, NULL, 1U));
    EXPECT(is_unchanged() && (buddy.in_use == 16U) && (tap_take_fault() == 0));
    mete_buddy_free(&buddy, wall);
    EXPECT(mete_buddy_resize(&buddy, block, 16U * BLOCK_SIZE) && mete_buddy_check(&buddy));
    mete_buddy_free(&buddy, block);
    EXPECT((buddy.in_use == 0U) && mete_buddy_check(&buddy) && (alloc_count(16U) == blocks[0]));
}

static void test_resize_does_not_grow_beyond_the_last_block(void)
{
    setup(3U);
    void *const block = alloc_count(2U);
    EXPECT(!mete_buddy_resize(&buddy, block, 3U * BLOCK_SIZE));
    EXPECT(!mete_buddy_resize(&buddy, alloc_count(1U), 2U * BLOCK_SIZE));
    EXPECT(mete_buddy_check(&buddy));
}

static void test_resize_refuses_what_is_not_held(void)
{
    setup(WHOLE_COUNT);
    EXPECT(alloc_count(2U) == blocks[0]);
    keep_copy();
    EXPECT(!mete_buddy_resize(&buddy, blocks[1], 1U) && (tap_take_fault() == METE_FAULT_FOREIGN));
    EXPECT(!mete_buddy_resize(&buddy, blocks[2], 1U) &&
           (tap_take_fault() == METE_FAULT_DOUBLE_FREE));
    EXPECT(is_unchanged());
}

// ---- damage

// 13 blocks, some held: 0...3, 4, 8 and 9.
static void setup_mixed(void)
{
    setup(13U);
    EXPECT((alloc_count(4U) == blocks[0]) && (alloc_count(1U) == blocks[4]));
    EXPECT((alloc_count(2U) == blocks[6]) && (alloc_count(2U) == blocks[8]));
    mete_buddy_free(&buddy, blocks[6]);
}

static void test_check_sees_every_byte_spoiled(void)
{
    for (size_t node = ROOT; node < METE_BUDDY_TABLE_SIZE(13U); node++) {
        setup_mixed();
        const uint8_t right = table[node];
        for (unsigned value = 0U; value <= UINT8_MAX; value++) {
            table[node] = (uint8_t)value;
            EXPECT(mete_buddy_check(&buddy) == (value == right));
        }
    }
}

static void test_check_sees_every_field_spoiled(void)
{
    setup_mixed();
    uint32_t *const fields[] = {&buddy.table_size, &buddy.leaves, &buddy.half_shift, &buddy.in_use};
    for (size_t i = 0U; i < sizeof fields / sizeof fields[0]; i++) {
        const uint32_t right = *fields[i];
        for (uint32_t bit = 0U; bit < 32U; bit++) {
            *fields[i] = right ^ ((uint32_t)1U << bit);
            EXPECT(!mete_buddy_check(&buddy));
        }
        *fields[i] = right;
    }
    buddy.block_count++;
    EXPECT(!mete_buddy_check(&buddy));
    buddy.block_count--;
    buddy.origin++;
    EXPECT(!mete_buddy_check(&buddy));
    buddy.origin--;
    buddy.table++;
    EXPECT(!mete_buddy_check(&buddy));
    buddy.table--;
    buddy.in_use_peak = 14U;
    EXPECT(!mete_buddy_check(&buddy));
}

static void test_alloc_reports_a_promise_that_is_not_kept(void)
{
    setup(13U);
    table[ROOT] = (uint8_t)whole_of(5U);
    keep_copy();
    EXPECT(alloc_count(16U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT(is_unchanged() && (buddy.in_use == 0U) && (buddy.refusals == 0U));
}

static void test_alloc_is_not_lured_into_a_block_in_use(void)
{
    for (uint32_t bit = 0U; bit < 7U; bit++) {
        setup(WHOLE_COUNT);
        EXPECT((alloc_count(4U) == blocks[0]) && (alloc_count(1U) == blocks[4]));
        table[4] ^= (uint8_t)(1U << bit);
        mete_buddy_free(&buddy, blocks[4]);  // Reads it, and tells all above.
        EXPECT(alloc_count(4U) == blocks[4]);
        EXPECT(tap_take_fault() == ((METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0));
    }
}

// All above a block is in use, too: where it does not look so, what lies above seems to be freed.
static void test_free_and_resize_report_a_block_that_does_not_look_in_use(void)
{
    for (uint32_t bit = 0U; bit < 8U; bit++) {
        setup(WHOLE_COUNT);
        EXPECT((alloc_count(2U) == blocks[0]) && (alloc_count(2U) == blocks[2]));
        table[8] ^= (uint8_t)(1U << bit);
        EXPECT(fault_of_free(blocks[0]) == METE_FAULT_CORRUPT);
        EXPECT(!mete_buddy_resize(&buddy, blocks[0], 1U));
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && is_unchanged());
    }
}

static void test_alloc_gives_no_block_beyond_the_last(void)
{
    // Whole nodes of every order beyond the last block, promised by all above.
    for (uint32_t order = 1U; order <= 4U; order++) {
        setup(9U);
        for (uint32_t node = 10U; node < METE_BUDDY_TABLE_SIZE(9U); node++) {
            table[node] = NOTHING;
        }
        const uint32_t right =
            (uint32_t)16U >> (order - 1U);  // The first of its order is the root's.
        uint32_t node = (2U * right) - 1U;
        for (; node > ROOT; node /= 2U) {
            if (node < METE_BUDDY_TABLE_SIZE(9U)) {
                table[node] = (uint8_t)whole_of(order);
            }
            table[node & ~1U] = NOTHING;
        }
        table[ROOT] = (uint8_t)whole_of(order);
        EXPECT(mete_buddy_alloc(&buddy, count_of(order) * BLOCK_SIZE) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    }
}

static void test_resize_takes_in_nothing_beyond_the_last_block(void)
{
    setup(3U);
    void *const two = alloc_count(2U);
    table[3] = (uint8_t)whole_of(2U);  // As if there were a fourth block.
    EXPECT(!mete_buddy_resize(&buddy, two, 4U * BLOCK_SIZE));
    setup(3U);
    EXPECT(alloc_count(2U) != NULL);
    void *const one = alloc_count(1U);
    table[7] = (uint8_t)whole_of(1U);
    keep_copy();
    EXPECT(!mete_buddy_resize(&buddy, one, 2U * BLOCK_SIZE));
    EXPECT(is_unchanged() && (buddy.in_use == 3U));
}

static void test_level_3_reports_damage_anywhere_after_every_operation(void)
{
    setup(WHOLE_COUNT);
    EXPECT((alloc_count(2U) == blocks[0]) && (alloc_count(1U) == blocks[2]));
    table[31] = NOTHING;  // The last leaf, under a whole node.
    const int expected = (METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0;
    EXPECT((alloc_count(1U) == blocks[3]) && (tap_take_fault() == expected));
    EXPECT(mete_buddy_resize(&buddy, blocks[0], 1U) && (tap_take_fault() == expected));
    mete_buddy_free(&buddy, blocks[3]);
    EXPECT(tap_take_fault() == expected);
}

// ---- questions

static void test_owns_every_byte_of_its_blocks_and_no_other(void)
{
    setup(13U);
    EXPECT(mete_buddy_owns(&buddy, blocks[0]) &&
           mete_buddy_owns(&buddy, &blocks[12][BLOCK_SIZE - 1]));
    EXPECT(!mete_buddy_owns(&buddy, blocks[13]) && !mete_buddy_owns(&buddy, in_front(1U)));
    EXPECT(!mete_buddy_owns(&buddy, NULL) && !mete_buddy_owns(&buddy, (void *)UINTPTR_MAX));
}

static void test_size_of_what_is_no_block_is_zero(void)
{
    setup_mixed();
    EXPECT(mete_buddy_size_of(&buddy, blocks[0]) == 4U * BLOCK_SIZE);
    EXPECT((METE_CHECK_LEVEL < 1) || (mete_buddy_size_of(&buddy, blocks[1]) == 0U));
    EXPECT(mete_buddy_size_of(&buddy, blocks[5]) == 0U);
}

typedef struct seen {
    size_t count, live_count, stop_at, next;
} seen_t;

static bool see(void *self, const mete_buddy_block_t *block)
{
    seen_t *const seen = (seen_t *)self;
    EXPECT(block->block == blocks[seen->next]);
    seen->next += block->size / BLOCK_SIZE;
    seen->live_count += block->is_live ? 1U : 0U;
    seen->count++;
    return seen->count != seen->stop_at;
}

static void test_walk_shows_every_block_in_order(void)
{
    setup_mixed();  // Live 0, 4, 8; free 5, 6, 10, 12.
    seen_t seen = {0U, 0U, 0U, 0U};
    EXPECT(mete_buddy_walk(&buddy, see, &seen));
    EXPECT((seen.count == 7U) && (seen.live_count == 3U) && (seen.next == 13U));
    seen_t first = {0U, 0U, 2U, 0U};
    EXPECT(!mete_buddy_walk(&buddy, see, &first) && (first.count == 2U));
}

static void test_walk_shows_nothing_of_a_damaged_table(void)
{
    setup_mixed();
    table[5] ^= 1U;
    seen_t seen = {0U, 0U, 0U, 0U};
    EXPECT(!mete_buddy_walk(&buddy, see, &seen) && (seen.count == 0U));
}

static void test_usage_counts(void)
{
    setup_mixed();
    const mete_buddy_usage_t usage = mete_buddy_usage(&buddy);
    EXPECT((usage.total_size == 13U * BLOCK_SIZE) && (usage.in_use_size == 7U * BLOCK_SIZE));
    EXPECT((usage.in_use_peak == 9U * BLOCK_SIZE) && (usage.largest_free_size == 2U * BLOCK_SIZE));
    EXPECT((alloc_count(2U) == blocks[6]) && (alloc_count(2U) == blocks[10]));
    EXPECT(mete_buddy_usage(&buddy).in_use_peak == 11U * BLOCK_SIZE);
    EXPECT((alloc_count(2U) == NULL) && (mete_buddy_usage(&buddy).refusals == 1U));
}

// ---- the view

static void test_view_holds_the_caller_to_size_and_alignment(void)
{
    setup(WHOLE_COUNT);
    const mete_alloc_t alloc = mete_buddy_as_alloc(&buddy);
    void *const block = mete_acquire(alloc, 40U, 8U);
    const size_t wrong[] = {32U, 65U, SIZE_MAX};
    keep_copy();
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        mete_release(alloc, block, wrong[i], 8U);
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
        EXPECT(!mete_resize(alloc, block, wrong[i], 1U, 8U));
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    }
    mete_release(alloc, block, 40U, (SIZE_MAX / 2U) + 1U);
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && is_unchanged());
    EXPECT(mete_resize(alloc, block, 33U, 1U, 8U));
    mete_release(alloc, block, BLOCK_SIZE, 1U);
    EXPECT((tap_take_fault() == 0) && (buddy.in_use == 0U));
}

static void test_view_keeps_an_alignment_when_it_shrinks(void)
{
    setup(WHOLE_COUNT);
    const mete_alloc_t alloc = mete_buddy_as_alloc(&buddy);
    void *const block = mete_acquire(alloc, 100U, 64U);
    EXPECT(mete_resize(alloc, block, 100U, 1U, 64U));
    EXPECT(mete_buddy_size_of(&buddy, block) == 64U);
    mete_release(alloc, block, 1U, 64U);
    EXPECT((tap_take_fault() == 0) && (buddy.in_use == 0U));
}

static void test_define_makes_a_buddy(void)
{
    METE_BUDDY_DEFINE(frames, 64, 5);
    EXPECT(mete_buddy_init(&frames, &frames_config));
    void *const frame = mete_buddy_alloc_aligned(&frames, 100U, 64U);
    EXPECT((frame == frames_blocks[0]) && (sizeof frames_table == 14U));
    EXPECT(mete_buddy_usage(&frames).total_size == 320U);
}

static void run_what_needs_checks(void)
{
    RUN(test_free_refuses_exactly_what_is_not_held);
    RUN(test_resize_refuses_what_is_not_held);
    RUN(test_alloc_reports_a_promise_that_is_not_kept);
    RUN(test_alloc_is_not_lured_into_a_block_in_use);
    RUN(test_alloc_gives_no_block_beyond_the_last);
    RUN(test_resize_takes_in_nothing_beyond_the_last_block);
    RUN(test_free_and_resize_report_a_block_that_does_not_look_in_use);
    RUN(test_level_3_reports_damage_anywhere_after_every_operation);
    RUN(test_view_holds_the_caller_to_size_and_alignment);
}

int main(void)
{
    RUN(test_macros_count_levels_and_bytes);
    RUN(test_every_size_gets_the_lowest_order_that_holds_it);
    RUN(test_no_flipped_bit_makes_a_valid_byte_of_another);
    RUN(test_no_flipped_bit_but_one_makes_a_promise_of_nothing);
    RUN(test_init_refuses_a_broken_config);
    RUN(test_blocks_may_end_with_the_address_space);
    RUN(test_init_refuses_a_missing_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_init_writes_its_table_and_nothing_behind);
    RUN(test_init_again_resets);
    RUN(test_any_number_of_blocks_can_be_had_one_by_one);
    RUN(test_a_number_that_is_no_power_falls_into_powers);
    RUN(test_alloc_takes_the_first_piece_that_is_large_enough);
    RUN(test_alloc_of_nothing_and_of_too_much_is_null);
    RUN(test_blocks_lie_at_multiples_of_their_size);
    RUN(test_aligned_requests_get_a_block_at_least_as_large);
    RUN(test_alignments_that_the_blocks_lack_are_refused);
    RUN(test_free_joins_a_block_with_its_buddy_only);
    RUN(test_free_of_null_does_nothing);
    RUN(test_blocks_are_never_touched);
    RUN(test_resize_gives_halves_back);
    RUN(test_resize_takes_in_buddies_behind);
    RUN(test_resize_does_not_grow_beyond_the_last_block);
    RUN(test_check_sees_every_byte_spoiled);
    RUN(test_check_sees_every_field_spoiled);
    RUN(test_walk_shows_nothing_of_a_damaged_table);
    RUN(test_owns_every_byte_of_its_blocks_and_no_other);
    RUN(test_size_of_what_is_no_block_is_zero);
    RUN(test_walk_shows_every_block_in_order);
    RUN(test_usage_counts);
    RUN(test_view_keeps_an_alignment_when_it_shrinks);
    RUN(test_define_makes_a_buddy);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}
