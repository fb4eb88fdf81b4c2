// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The guard, tested from inside: every bit of what it keeps is flipped, and must be noticed.

#include "mete/wrap/guard.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

enum { WORD = sizeof(uintptr_t), RECORD = sizeof(record_t), DEAD = 0xDD, FRESH = 0xFA };

static const mete_guard_config_t plain = {.seed = 0x5EED5U};
static const mete_guard_config_t holding = {
    .seed = 0x5EED5U, .quarantine_size = 1000U, .fills_released = true, .released_fill = DEAD};
static inner_t inner;
static mete_guard_t guard;
static mete_alloc_t view;

static void setup_with(const mete_guard_config_t *config, unsigned abilities)
{
    EXPECT(mete_guard_init(&guard, inner_setup(&inner, abilities), config));
    view = mete_guard_as_alloc(&guard);
    EXPECT(mete_guard_check(&guard));
}

static void setup(const mete_guard_config_t *config)
{
    mete_words_fill(inner_arena, 0x33U, INNER_SIZE);
    setup_with(config, INNER_ALL);
}

static unsigned char *take(size_t size)
{
    unsigned char *const block = mete_acquire(view, size, 8U);
    EXPECT(block != NULL);
    mete_words_fill(block, 0x11U, size);
    return block;
}

static void give(void *block, size_t size)
{
    mete_release(view, block, size, 8U);
}

static bool is_filled(const unsigned char *start, uint8_t byte, size_t size)
{
    return mete_words_scan(start, byte, size) == size;
}

static bool is_damage(const void *block, mete_guard_side_t side, ptrdiff_t offset)
{
    const mete_guard_damage_t damage = mete_guard_damage_of(&guard, block);
    return (damage.side == side) && (damage.offset == offset);
}

// Expects that the call just made was refused and changed nothing that can be seen.
static void expect_refused(int fault, const void *block, size_t live_count)
{
    EXPECT(tap_take_fault() == fault);
    EXPECT((tap_fault_object == &guard) && (tap_fault_address == block));
    EXPECT((inner_live_count(&inner) == live_count) && (inner.complaints == 0U));
}

// ---- As an allocator

static void test_init_refuses_a_missing_allocator_or_config(void)
{
    setup(&plain);
    guard.withheld_count = 7U;
    EXPECT(!mete_guard_init(&guard, (mete_alloc_t){NULL, NULL}, &plain));
    EXPECT(!mete_guard_init(&guard, guard.inner, NULL) && (guard.withheld_count == 7U));
}

static void test_blocks_of_every_alignment_are_aligned_and_usable_to_the_last_byte(void)
{
    static const size_t sizes[] = {1U, 7U, 100U};
    setup(&plain);
    for (size_t align = 1U; align <= 2048U; align *= 2U) {
        for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
            void *const block = mete_acquire(view, sizes[i], align);
            EXPECT((block != NULL) && mete_align_fits((uintptr_t)block, align));
            EXPECT(inner.blocks[0].size ==
                   METE_GUARD_PREFIX_SIZE(align) + sizes[i] + METE_GUARD_TAIL_SIZE);
            mete_words_fill(block, 0xFFU, sizes[i]);
            EXPECT(mete_guard_check(&guard) && (view.ops->size_of(view.self, block) == sizes[i]));
            mete_release(view, block, sizes[i], align);
            EXPECT(inner_live_count(&inner) == 0U);
        }
    }
    EXPECT((inner.complaints == 0U) && (tap_take_fault() == 0));
}

static void test_sizes_that_overflow_are_refused(void)
{
    setup(&plain);
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
    EXPECT(mete_acquire(view, METE_GUARD_SIZE_MAX + 1U, 1U) == NULL);
    EXPECT(inner.acquires == 0U);
    EXPECT(mete_acquire(view, METE_GUARD_SIZE_MAX, 1U) == NULL);
    EXPECT(mete_acquire(view, METE_GUARD_SIZE_MAX, SIZE_MAX / 2U + 1U) == NULL);
    EXPECT((inner.acquires == 2U) && (tap_take_fault() == 0) && mete_guard_check(&guard));
    unsigned char *const block = take(20U);
    EXPECT(!mete_resize(view, block, 20U, METE_GUARD_SIZE_MAX + 1U, 8U));
    EXPECT(!mete_resize(view, block, 20U, SIZE_MAX, 8U) && (inner.complaints == 0U));
    give(block, 20U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
}

static void test_a_block_grows_and_shrinks_in_place_with_its_tail(void)
{
    setup(&plain);
    unsigned char *const block = take(20U);
    EXPECT(mete_resize(view, block, 20U, 20U, 8U) && mete_resize(view, block, 20U, 51U, 8U));
    EXPECT(is_filled(block, 0x11U, 20U) && mete_guard_check(&guard));
    mete_words_fill(block, 0x22U, 51U);
    EXPECT(mete_resize(view, block, 51U, 3U, 8U) && mete_guard_check(&guard));
    EXPECT(is_filled(block, 0x22U, 3U) && is_damage(block, METE_GUARD_WHOLE, 0));
    block[3]++;
    EXPECT(is_damage(block, METE_GUARD_TAIL, 3));
    block[3]--;
    const unsigned char *const wall = take(8U);
    EXPECT(!mete_resize(view, block, 3U, 400U, 8U) && mete_guard_check(&guard));
    EXPECT((wall != NULL) && (view.ops->size_of(view.self, block) == 3U));
    give(block, 3U);
    EXPECT((tap_take_fault() == 0) && (inner.complaints == 0U));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        setup_with(&plain, abilities);
        inner_expect_same_abilities(view, abilities | (unsigned)INNER_SIZE_OF);
    }
}

static void test_whoever_wants_to_know_is_told_where_the_program_called_from(void)
{
    static mete_site_t site;
    static const mete_guard_config_t config = {.site = &site};
    setup(&config);
    void *const block = take(9U);
    EXPECT(site.caller != NULL);
    site.caller = NULL;
    EXPECT(mete_resize(view, block, 9U, 10U, 8U) && (site.caller != NULL));
    site.caller = NULL;
    give(block, 10U);
    EXPECT(site.caller != NULL);
}

static void test_what_is_handed_out_and_grown_by_is_filled_if_wanted(void)
{
    static const mete_guard_config_t config = {.fills_acquired = true, .acquired_fill = FRESH};
    setup(&config);
    unsigned char *const block = mete_acquire(view, 21U, 1U);
    EXPECT(is_filled(block, FRESH, 21U));
    block[0] = 1U;
    EXPECT(mete_resize(view, block, 21U, 60U, 1U));
    EXPECT((block[0] == 1U) && is_filled(block + 1, FRESH, 59U) && mete_guard_check(&guard));
}

static void test_without_a_quarantine_blocks_go_back_at_once_filled_if_wanted(void)
{
    static const mete_guard_config_t config = {.fills_released = true, .released_fill = DEAD};
    setup(&config);
    unsigned char *const block = take(21U);
    give(block, 21U);
    EXPECT((inner_live_count(&inner) == 0U) && is_filled(block, DEAD, 21U));
    EXPECT(mete_guard_usage(&guard).quarantine_count == 0U);
    setup(&plain);
    unsigned char *const other = take(21U);
    give(other, 21U);
    EXPECT((inner_live_count(&inner) == 0U) && is_filled(other, 0x11U, 21U));
}

// ---- Damage beside blocks

static void test_an_overflow_of_one_byte_is_found_behind_every_size(void)
{
    for (size_t size = 1U; size <= 40U; size++) {
        setup(&plain);
        (void)take(5U);
        unsigned char *const block = take(size);
        const unsigned char behind = block[size];
        EXPECT(behind % 2U == 1U);  // On little-endian cores, which all of ours are.
        block[size] = 0U;           // A string's terminator.
        EXPECT(is_damage(block, METE_GUARD_TAIL, (ptrdiff_t)size) && !mete_guard_check(&guard));
        give(block, size);
        expect_refused(METE_FAULT_CORRUPT, block, 2U);
        EXPECT(!mete_resize(view, block, size, 1U, 8U));
        expect_refused(METE_FAULT_CORRUPT, block, 2U);
        block[size] = behind;
        give(block, size);
        EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 1U));
    }
}

static void test_an_overflow_of_64_bytes_is_found_in_the_block_and_in_the_next(void)
{
    setup(&plain);
    unsigned char *const block = take(24U);
    unsigned char *const next = take(80U);
    mete_words_fill(block, 0x11U, 24U + 64U);
    EXPECT(is_damage(block, METE_GUARD_TAIL, 24) && !mete_guard_check(&guard));
    EXPECT(is_damage(next, METE_GUARD_HEAD, -WORD));
    give(block, 24U);
    expect_refused(METE_FAULT_CORRUPT, block, 2U);
    give(next, 80U);
    expect_refused(METE_FAULT_CORRUPT, next, 2U);
}

static void test_an_underflow_is_found_with_its_depth(void)
{
    setup(&plain);
    unsigned char *const block = take(24U);
    for (ptrdiff_t depth = 1; depth <= WORD; depth++) {
        const unsigned char before = block[-depth];
        block[-depth] = (unsigned char)~before;
        EXPECT(is_damage(block, METE_GUARD_HEAD, -depth));
        give(block, 24U);
        expect_refused(METE_FAULT_CORRUPT, block, 1U);
        block[-depth] = before;
    }
    give(block, 24U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
}

// Flips each bit of `size` bytes; each time a release and a resize of `block` must be refused.
static void expect_each_bit_found(unsigned char *start, size_t bytes, unsigned char *block,
                                  size_t size)
{
    for (size_t bit = 0U; bit < 8U * bytes; bit++) {
        start[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(!mete_guard_check(&guard));
        give(block, size);
        expect_refused(METE_FAULT_CORRUPT, block, 3U);
        EXPECT(!mete_resize(view, block, size, size + 1U, 8U));
        expect_refused(METE_FAULT_CORRUPT, block, 3U);
        start[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(mete_guard_check(&guard));
    }
}

static void test_every_bit_of_record_and_tail_is_watched(void)
{
    setup(&plain);
    (void)take(10U);
    unsigned char *const block = take(11U);
    (void)take(12U);
    expect_each_bit_found(block - RECORD, RECORD, block, 11U);
    expect_each_bit_found(block + 11, METE_GUARD_TAIL_SIZE, block, 11U);
    give(block, 11U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 2U));
}

static void test_links_of_a_neighbour_are_not_mended_in_passing(void)
{
    setup(&plain);
    unsigned char *const first = take(10U);
    unsigned char *const second = take(10U);
    unsigned char *const third = take(10U);
    mete_record_of(first)->link.next = &mete_record_of(third)->link;
    give(second, 10U);
    expect_refused(METE_FAULT_CORRUPT, second, 3U);
    mete_record_of(first)->link.next = &mete_record_of(second)->link;
    mete_record_of(third)->link.next = &mete_record_of(first)->link;
    EXPECT(mete_acquire(view, 10U, 8U) == NULL);
    expect_refused(METE_FAULT_CORRUPT, NULL, 3U);
    mete_record_of(third)->link.next = &guard.live.link;
    give(second, 10U);
    EXPECT((tap_take_fault() == 0) && mete_guard_check(&guard));
}

static void test_damage_of_a_record_outlives_the_coming_and_going_of_its_neighbours(void)
{
    setup(&plain);
    unsigned char *const first = take(10U);
    unsigned char *const second = take(10U);
    unsigned char *const third = take(10U);
    second[-1] ^= 0x40U;
    give(first, 10U);
    give(third, 10U);
    (void)tap_take_fault();  // At level 3.
    EXPECT(is_damage(second, METE_GUARD_HEAD, -1) && (inner_live_count(&inner) == 1U));
    second[-1] ^= 0x40U;
    EXPECT(mete_guard_check(&guard));
}

static void test_a_copy_of_another_block_does_not_pass_for_one(void)
{
    setup(&plain);
    unsigned char *const block = take(24U);
    unsigned char *const other = take(24U);
    mete_words_copy(other - RECORD, block - RECORD, RECORD + 24U + METE_GUARD_TAIL_SIZE);
    EXPECT(is_damage(other, METE_GUARD_HEAD, -WORD));
    give(other, 24U);
    expect_refused(METE_FAULT_CORRUPT, other, 2U);
    mete_guard_t second;
    EXPECT(mete_guard_init(&second, guard.inner, &plain));
    EXPECT(second.key != guard.key);
}

static void test_the_seed_changes_the_canaries(void)
{
    static const mete_guard_config_t other = {.seed = 0x5EED6U};
    setup(&plain);
    uintptr_t tail = 0U;
    const unsigned char *const block = take(24U);
    mete_words_copy(&tail, block + 24, sizeof tail);
    setup(&other);
    const unsigned char *const again = take(24U);
    uintptr_t again_tail = 0U;
    mete_words_copy(&again_tail, again + 24, sizeof again_tail);
    EXPECT((again == block) && (again_tail != tail));
}

// ---- Misuse

static void test_another_size_or_alignment_is_refused(void)
{
    setup(&plain);
    unsigned char *const block = take(24U);
    static const size_t sizes[] = {1U, 23U, 25U, 48U, SIZE_MAX, METE_GUARD_SIZE_MAX + 25U};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        give(block, sizes[i]);
        expect_refused(METE_FAULT_SIZE, block, 1U);
        EXPECT(!mete_resize(view, block, sizes[i], 24U, 8U));
        expect_refused(METE_FAULT_SIZE, block, 1U);
    }
    for (size_t align = 1U; align != 0U; align *= 2U) {
        if (align != 8U) {
            mete_release(view, block, 24U, align);
            expect_refused(METE_FAULT_SIZE, block, 1U);
        }
    }
    give(block, 24U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
}

static void test_what_is_no_block_is_refused_wherever_it_lies(void)
{
    static unsigned char elsewhere[64];
    setup(&plain);
    give(inner_arena + 64, 8U);
    expect_refused(METE_FAULT_FOREIGN, inner_arena + 64, 0U);
    unsigned char *const block = take(40U);
    const unsigned char *const next = take(40U);
    give(elsewhere + 32, 40U);
    expect_refused(METE_FAULT_FOREIGN, elsewhere + 32, 2U);
    for (size_t offset = 1U; offset < 90U; offset++) {
        if (block + offset != next) {
            give(block + offset, 40U);
            EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        }
    }
    EXPECT(is_damage(block + 8, METE_GUARD_FOREIGN, 0) && is_damage(NULL, METE_GUARD_FOREIGN, 0));
    EXPECT(is_damage(elsewhere + 32, METE_GUARD_FOREIGN, 0));
    EXPECT((inner_live_count(&inner) == 2U) && mete_guard_check(&guard));
}

static size_t owns_calls;

static bool owns_nothing(const void *self, const void *address)
{
    (void)self;
    (void)address;
    owns_calls++;
    return false;
}

static void test_what_the_allocator_behind_does_not_own_is_not_read(void)
{
    static const mete_guard_config_t in_one_piece = {.is_in_one_piece = true};
    setup(&plain);
    unsigned char *const block = take(40U);
    inner.ops.owns = owns_nothing;
    owns_calls = 0U;
    give(block, 40U);
    expect_refused(METE_FAULT_FOREIGN, block, 1U);
    EXPECT(owns_calls != 0U);
    owns_calls = 0U;
    setup(&in_one_piece);
    inner.ops.owns = owns_nothing;
    unsigned char *const other = take(40U);
    give(other, 40U);
    EXPECT((tap_take_fault() == 0) && (owns_calls == 0U) && (inner_live_count(&inner) == 0U));
}

static void test_a_double_free_is_found_in_quarantine_and_behind_it(void)
{
    setup(&holding);
    unsigned char *const block = take(40U);
    (void)take(40U);
    give(block, 40U);
    for (int i = 0; i < 3; i++) {
        give(block, 40U);
        expect_refused(METE_FAULT_DOUBLE_FREE, block, 2U);
        EXPECT(!mete_resize(view, block, 40U, 41U, 8U));
        expect_refused(METE_FAULT_DOUBLE_FREE, block, 2U);
    }
    EXPECT(mete_guard_purge(&guard, 9U) == 1U);
    give(block, 40U);
    expect_refused(METE_FAULT_DOUBLE_FREE, block, 1U);
    EXPECT(is_damage(block, METE_GUARD_FOREIGN, 0));
}

// ---- The quarantine

enum { OUTER = RECORD + 24 + METE_GUARD_TAIL_SIZE };

static void test_the_quarantine_keeps_to_its_budget_and_the_oldest_leave_first(void)
{
    static const mete_guard_config_t config = {.quarantine_size = 3U * OUTER};
    setup(&config);
    unsigned char *blocks[5];
    for (size_t i = 0U; i < 5U; i++) {
        blocks[i] = take(24U);
    }
    for (size_t i = 0U; i < 5U; i++) {
        give(blocks[i], 24U);
        const mete_guard_usage_t usage = mete_guard_usage(&guard);
        EXPECT(usage.quarantine_count == ((i < 3U) ? i + 1U : 3U));
        EXPECT(usage.quarantine_size == usage.quarantine_count * OUTER);
        EXPECT(is_filled(blocks[i], 0x11U, 24U));  // Not filled if that is not wanted.
    }
    EXPECT(inner_live_count(&inner) == 3U);
    EXPECT(inner_find(&inner, blocks[2] - RECORD) && inner_find(&inner, blocks[4] - RECORD));
    EXPECT((tap_take_fault() == 0) && mete_guard_check(&guard));
}

static void test_a_block_larger_than_the_budget_goes_past_and_moves_none(void)
{
    setup(&holding);
    unsigned char *const small = take(24U);
    unsigned char *const large = take(1000U);
    give(small, 24U);
    give(large, 1000U);
    EXPECT((inner_live_count(&inner) == 1U) && is_filled(large, DEAD, 1000U));
    EXPECT(mete_guard_usage(&guard).quarantine_count == 1U);
    unsigned char *const exact = take(1000U - RECORD - METE_GUARD_TAIL_SIZE);
    give(exact, 1000U - RECORD - METE_GUARD_TAIL_SIZE);
    EXPECT(mete_guard_usage(&guard).quarantine_size == 1000U);
    EXPECT((inner_live_count(&inner) == 1U) && (tap_take_fault() == 0));
}

static void test_a_release_lets_no_more_leave_than_it_may(void)
{
    static const mete_guard_config_t config = {.quarantine_size = 4U * OUTER, .evict_max = 2U};
    setup(&config);
    unsigned char *blocks[4];
    for (size_t i = 0U; i < 4U; i++) {
        blocks[i] = take(24U);
    }
    unsigned char *const large = take(4U * OUTER - RECORD - METE_GUARD_TAIL_SIZE);
    for (size_t i = 0U; i < 4U; i++) {
        give(blocks[i], 24U);
    }
    give(large, 4U * OUTER - RECORD - METE_GUARD_TAIL_SIZE);  // It needs all the room.
    EXPECT((mete_guard_usage(&guard).quarantine_count == 2U) && (inner_live_count(&inner) == 2U));
    EXPECT(!inner_find(&inner, large - RECORD) && inner_find(&inner, blocks[2] - RECORD));
    EXPECT((tap_take_fault() == 0) && (inner.complaints == 0U));
}

static void test_a_write_to_any_byte_in_quarantine_is_found_as_the_block_leaves(void)
{
    for (ptrdiff_t i = -RECORD; i < 24 + (ptrdiff_t)METE_GUARD_TAIL_SIZE; i++) {
        setup(&holding);
        unsigned char *const block = take(24U);
        give(block, 24U);
        EXPECT(is_filled(block, DEAD, 24U) && is_damage(block, METE_GUARD_WHOLE, 0));
        block[i] ^= 0x10U;
        EXPECT(!mete_guard_check(&guard));
        const mete_guard_damage_t damage = mete_guard_damage_of(&guard, block);
        EXPECT((i < 0) ? (damage.side == METE_GUARD_HEAD) && (damage.offset < 0)
                       : (damage.offset == i) &&
                             (damage.side == ((i < 24) ? METE_GUARD_CONTENT : METE_GUARD_TAIL)));
        EXPECT((i < -WORD) || (damage.offset == i));
        EXPECT(mete_guard_purge(&guard, 9U) == 0U);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (inner_live_count(&inner) == 1U));
        EXPECT((tap_fault_address == block) || (METE_CHECK_LEVEL >= 3));
        EXPECT(mete_guard_usage(&guard).withheld_count == ((i < 0) ? 0U : 1U));
    }
}

static void test_what_was_written_to_in_quarantine_is_reported_once_and_kept_out_of_use(void)
{
    setup(&holding);
    unsigned char *const spoilt = take(24U);
    unsigned char *const other = take(24U);
    give(spoilt, 24U);
    give(other, 24U);
    spoilt[7] = 0U;
    EXPECT((mete_guard_purge(&guard, 9U) == 0U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((mete_guard_purge(&guard, 9U) == 1U) && (tap_take_fault() == 0));
    const mete_guard_usage_t usage = mete_guard_usage(&guard);
    EXPECT((usage.withheld_count == 1U) && (usage.withheld_size == OUTER));
    EXPECT((usage.quarantine_count == 0U) && (usage.quarantine_size == 0U));
    EXPECT((inner_live_count(&inner) == 1U) && mete_guard_check(&guard));
    give(spoilt, 24U);
    expect_refused(METE_FAULT_DOUBLE_FREE, spoilt, 1U);
}

static void test_damage_in_quarantine_does_not_keep_another_block_from_being_released(void)
{
    static const mete_guard_config_t config = {.quarantine_size = OUTER};
    setup(&config);
    unsigned char *const spoilt = take(24U);
    unsigned char *const other = take(24U);
    give(spoilt, 24U);
    spoilt[-1] ^= 1U;  // Nobody gets past it.
    give(other, 24U);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (inner_live_count(&inner) == 1U));
    EXPECT(mete_acquire(view, 8000U, 8U) != NULL);
    (void)tap_take_fault();  // At level 3.
    EXPECT(mete_acquire(view, 8000U, 8U) == NULL);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
}

// Blocks of one size fill all there is. Then as many of them are in quarantine as possible.
static size_t fill_up(unsigned char *blocks[INNER_BLOCK_COUNT])
{
    size_t count = 0U;
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        blocks[i] = mete_acquire(view, 24U, 8U);
        count += (blocks[i] != NULL) ? 1U : 0U;
    }
    EXPECT((count == INNER_BLOCK_COUNT) && (mete_acquire(view, 24U, 8U) == NULL));
    return count;
}

static void test_a_refused_request_empties_the_quarantine_only_as_far_as_it_takes(void)
{
    setup(&holding);
    unsigned char *blocks[INNER_BLOCK_COUNT];
    const size_t count = fill_up(blocks);
    for (size_t i = 0U; i < 6U; i++) {
        give(blocks[i], 24U);
    }
    EXPECT(inner_live_count(&inner) == count);
    const size_t acquires = inner.acquires;
    unsigned char *const again = mete_acquire(view, 24U, 8U);
    EXPECT((again == blocks[0]) && (mete_guard_usage(&guard).quarantine_count == 5U));
    EXPECT(inner.acquires == acquires + 2U);
    EXPECT(mete_acquire(view, 5000U, 8U) != NULL);  // It is the number of blocks that runs out.
    EXPECT(mete_guard_usage(&guard).quarantine_count == 4U);
    EXPECT(mete_acquire(view, 9000U, 8U) == NULL);
    EXPECT((mete_guard_usage(&guard).quarantine_count == 0U) && (tap_take_fault() == 0));
    EXPECT(mete_guard_check(&guard) && (inner.complaints == 0U));
}

static void test_a_refused_request_is_told_of_damage_and_goes_on_behind_it(void)
{
    setup(&holding);
    unsigned char *blocks[INNER_BLOCK_COUNT];
    (void)fill_up(blocks);
    for (size_t i = 0U; i < 3U; i++) {
        give(blocks[i], 24U);
    }
    blocks[0][3] = 1U;
    EXPECT(mete_acquire(view, 24U, 8U) == blocks[1]);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == blocks[0]));
    EXPECT((mete_guard_usage(&guard).withheld_count == 1U) && mete_guard_check(&guard));
}

static void test_the_end_of_a_damaged_quarantine_takes_no_more(void)
{
    setup(&holding);
    unsigned char *const first = take(24U);
    unsigned char *const second = take(24U);
    give(first, 24U);
    mete_record_of(first)->link.next = &mete_record_of(second)->link;
    give(second, 24U);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (inner_live_count(&inner) == 1U));
    EXPECT(mete_record_next(mete_record_of(first)) == mete_record_of(second));  // Not mended.
}

// ---- Checks, some at a time

static bool check_next(size_t count)
{
    return mete_guard_check_next(&guard, count);
}

static void test_some_at_a_time_comes_past_every_block(void)
{
    setup(&holding);
    EXPECT(check_next(3U));  // Nothing there is in order.
    unsigned char *blocks[9];
    for (size_t i = 0U; i < 9U; i++) {
        blocks[i] = take(24U);
    }
    for (size_t i = 0U; i < 4U; i++) {
        give(blocks[i], 24U);
    }
    for (size_t spoilt = 0U; spoilt < 9U; spoilt++) {
        blocks[spoilt][23] ^= 1U;
        blocks[spoilt][24] ^= 1U;
        size_t found = 0U;
        for (size_t step = 0U; step < 9U; step++) {
            found += check_next(1U) ? 0U : 1U;
        }
        EXPECT((found == 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT(tap_fault_address == blocks[spoilt]);
        EXPECT(!check_next(9U) && (tap_fault_address == blocks[spoilt]));
        blocks[spoilt][23] ^= 1U;
        blocks[spoilt][24] ^= 1U;
        EXPECT(check_next(100U) && mete_guard_check(&guard));
    }
    (void)tap_take_fault();
}

static void test_the_cursor_moves_on_when_its_block_goes(void)
{
    setup(&plain);
    unsigned char *const first = take(24U);
    unsigned char *const second = take(24U);
    unsigned char *const third = take(24U);
    EXPECT(check_next(1U));  // Next is the second.
    give(second, 24U);
    third[24] ^= 1U;
    EXPECT(!check_next(1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(tap_fault_address == third);
    third[24] ^= 1U;
    give(third, 24U);
    give(first, 24U);
    EXPECT(check_next(5U) && (tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
    first[24] ^= 1U;  // It is nobody's now.
    EXPECT(check_next(5U) && mete_guard_check(&guard));
}

static void test_behind_an_overwritten_record_the_other_list_is_next(void)
{
    setup(&holding);
    unsigned char *const released = take(24U);
    unsigned char *const spoilt = take(24U);
    unsigned char *const hidden = take(24U);
    give(released, 24U);
    spoilt[-2] ^= 1U;
    hidden[24] ^= 1U;
    released[5] = 0U;
    EXPECT(!check_next(9U) && (tap_fault_address == spoilt));
    EXPECT(!check_next(9U) && (tap_fault_address == released));
    EXPECT(!check_next(9U) && (tap_fault_address == spoilt));
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    spoilt[-2] ^= 1U;
    EXPECT(!check_next(1U) && (tap_fault_address == released));
    EXPECT(check_next(1U) && !check_next(1U) && (tap_fault_address == hidden));
    (void)tap_take_fault();
}

static void test_the_cursor_mends_no_link_in_passing(void)
{
    setup(&holding);
    unsigned char *const first = take(24U);
    unsigned char *const second = take(24U);
    mete_record_of(second)->link.previous = &guard.live.link;
    EXPECT(!check_next(1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(tap_fault_address == second);
    EXPECT(mete_record_previous(mete_record_of(second)) == &guard.live);
    mete_record_of(second)->link.previous = &mete_record_of(first)->link;
    EXPECT(mete_guard_check(&guard));
    setup(&holding);
    unsigned char *const released = take(24U);
    give(released, 24U);
    mete_record_of(released)->link.previous = NULL;
    EXPECT(!check_next(1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(mete_record_previous(mete_record_of(released)) == NULL);
}

static void test_a_cursor_that_was_hit_is_reported(void)
{
    setup(&plain);
    (void)take(24U);
    guard.cursor.check ^= 4U;
    EXPECT(!check_next(1U));
    expect_refused(METE_FAULT_CORRUPT, NULL, 1U);
    EXPECT(!mete_guard_check(&guard));
    guard.cursor.check ^= 4U;
    EXPECT(check_next(2U));
}

// ---- Walks

static const void *seen[INNER_BLOCK_COUNT];
static size_t seen_count;
static size_t seen_max;

static bool collect(void *self, const mete_guard_block_t *block)
{
    (void)self;
    EXPECT((block->size == 24U) && (block->align == 8U));
    EXPECT(block->is_quarantined ==
           (state_of(&guard, mete_record_of(block->block)) == QUARANTINED));
    seen[seen_count] = block->block;
    seen_count++;
    return seen_count < seen_max;
}

static bool walk(size_t count_max)
{
    seen_count = 0U;
    seen_max = count_max;
    return mete_guard_walk(&guard, collect, NULL);
}

static void test_walk_shows_live_blocks_and_then_those_in_quarantine_oldest_first(void)
{
    setup(&holding);
    unsigned char *blocks[5];
    for (size_t i = 0U; i < 5U; i++) {
        blocks[i] = take(24U);
    }
    give(blocks[3], 24U);
    give(blocks[1], 24U);
    EXPECT(walk(SIZE_MAX) && (seen_count == 5U));
    EXPECT((seen[0] == blocks[0]) && (seen[1] == blocks[2]) && (seen[2] == blocks[4]));
    EXPECT((seen[3] == blocks[3]) && (seen[4] == blocks[1]));
    for (size_t stop = 1U; stop <= 5U; stop++) {
        EXPECT(!walk(stop) && (seen_count == stop));
    }
    blocks[2][-1] ^= 1U;
    EXPECT(!walk(SIZE_MAX) && (seen_count == 4U) && (seen[1] == blocks[4]));
    EXPECT(!walk(2U) && (seen_count == 2U));
    blocks[2][-1] ^= 1U;
}

static void test_check_compares_the_quarantine_with_its_counters(void)
{
    setup(&holding);
    give(take(24U), 24U);
    guard.quarantine_count++;
    EXPECT(!mete_guard_check(&guard));
    guard.quarantine_count--;
    guard.quarantine_size--;
    EXPECT(!mete_guard_check(&guard));
    guard.quarantine_size++;
    EXPECT(mete_guard_check(&guard));
}

// ---- Out of memory, and a model

static void test_refusals_behind_at_every_nth_acquire_lose_nothing(void)
{
    for (size_t every = 1U; every <= 9U; every++) {
        setup(&holding);
        inner.refuse_every = every;
        unsigned char *held[6] = {NULL};
        uint32_t random = (uint32_t)every;
        for (size_t i = 0U; i < 60U; i++) {
            const uint32_t slot = random_below(&random, 6U);
            if (held[slot] != NULL) {
                give(held[slot], 24U);
                held[slot] = NULL;
                continue;
            }
            held[slot] = mete_acquire(view, 24U, 8U);
            EXPECT((held[slot] != NULL) || (every == 1U) ||
                   (mete_guard_usage(&guard).quarantine_count == 0U));
            EXPECT(mete_guard_check(&guard));
        }
        for (size_t slot = 0U; slot < 6U; slot++) {
            mete_release(view, held[slot], 24U, 8U);
        }
        EXPECT(mete_guard_purge(&guard, SIZE_MAX) == mete_guard_usage(&guard).quarantine_count ||
               (inner_live_count(&inner) == 0U));
        EXPECT((inner_live_count(&inner) == 0U) && (inner.complaints == 0U));
        EXPECT(tap_take_fault() == 0);
    }
}

// What the guard must have done: which blocks are held, and which wait in which order.
typedef struct model {
    struct {
        unsigned char *start;
        size_t size;
    } live[INNER_BLOCK_COUNT], waiting[INNER_BLOCK_COUNT];
    size_t live_count, waiting_count, waiting_size;
} model_t;

static size_t model_outer(size_t size)
{
    return RECORD + size + METE_GUARD_TAIL_SIZE;
}

static void model_evict(model_t *model)
{
    EXPECT(model->waiting_count != 0U);
    model->waiting_size -= model_outer(model->waiting[0].size);
    model->waiting_count--;
    for (size_t i = 0U; i < model->waiting_count; i++) {
        model->waiting[i] = model->waiting[i + 1U];
    }
}

// The inner allocator runs out of blocks long before it runs out of bytes: so a request must be served if
// fewer blocks are live than it has.
static void model_acquire(model_t *model, uint32_t *random)
{
    const size_t size = 1U + random_below(random, 60U);
    const bool must_evict = model->live_count + model->waiting_count == INNER_BLOCK_COUNT;
    unsigned char *const block = mete_acquire(view, size, 8U);
    EXPECT((block != NULL) == (model->live_count < INNER_BLOCK_COUNT));
    if (block == NULL) {
        return;
    }
    if (must_evict) {
        model_evict(model);
    }
    mete_words_fill(block, (uint8_t)size, size);
    model->live[model->live_count].start = block;
    model->live[model->live_count].size = size;
    model->live_count++;
}

static void model_release(model_t *model, uint32_t *random)
{
    const size_t which = random_below(random, (uint32_t)model->live_count);
    const size_t size = model->live[which].size;
    EXPECT(is_filled(model->live[which].start, (uint8_t)size, size));
    give(model->live[which].start, size);
    while (model->waiting_size + model_outer(size) > holding.quarantine_size) {
        model_evict(model);
    }
    model->waiting[model->waiting_count] = model->live[which];
    model->waiting_count++;
    model->waiting_size += model_outer(size);
    model->live_count--;
    model->live[which] = model->live[model->live_count];
}

static void model_compare(const model_t *model)
{
    const mete_guard_usage_t usage = mete_guard_usage(&guard);
    EXPECT((usage.quarantine_count == model->waiting_count) &&
           (usage.quarantine_size == model->waiting_size));
    EXPECT(inner_live_count(&inner) == model->live_count + model->waiting_count);
    EXPECT((model->waiting_count == 0U) ||
           (mete_record_block(oldest_of(&guard)) == model->waiting[0].start));
}

static void test_random_work_does_what_the_model_says(void)
{
    static model_t model;
    mete_words_fill(&model, 0U, sizeof model);
    setup(&holding);
    uint32_t random = 20U;
    for (size_t i = 0U; i < 6000U; i++) {
        const bool releases = random_below(&random, 600U) < 200U + 200U * ((i / 500U) % 2U);
        if (releases && (model.live_count != 0U)) {
            model_release(&model, &random);
        } else {
            model_acquire(&model, &random);
        }
        if (random_below(&random, 4U) == 0U) {
            EXPECT(check_next(random_below(&random, 5U)));
        }
        model_compare(&model);
        EXPECT((i % 16U != 0U) || mete_guard_check(&guard));
    }
    EXPECT((tap_take_fault() == 0) && (inner.complaints == 0U));
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator_or_config);
    RUN(test_blocks_of_every_alignment_are_aligned_and_usable_to_the_last_byte);
    RUN(test_sizes_that_overflow_are_refused);
    RUN(test_a_block_grows_and_shrinks_in_place_with_its_tail);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    RUN(test_whoever_wants_to_know_is_told_where_the_program_called_from);
    RUN(test_what_is_handed_out_and_grown_by_is_filled_if_wanted);
    RUN(test_without_a_quarantine_blocks_go_back_at_once_filled_if_wanted);
    RUN(test_the_seed_changes_the_canaries);
    RUN(test_the_quarantine_keeps_to_its_budget_and_the_oldest_leave_first);
    RUN(test_a_block_larger_than_the_budget_goes_past_and_moves_none);
    RUN(test_a_release_lets_no_more_leave_than_it_may);
    RUN(test_a_refused_request_empties_the_quarantine_only_as_far_as_it_takes);
    RUN(test_some_at_a_time_comes_past_every_block);
    RUN(test_the_cursor_moves_on_when_its_block_goes);
    RUN(test_a_cursor_that_was_hit_is_reported);
    RUN(test_walk_shows_live_blocks_and_then_those_in_quarantine_oldest_first);
    RUN(test_check_compares_the_quarantine_with_its_counters);
    RUN(test_refusals_behind_at_every_nth_acquire_lose_nothing);
    RUN(test_random_work_does_what_the_model_says);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_an_overflow_of_one_byte_is_found_behind_every_size);
        RUN(test_an_overflow_of_64_bytes_is_found_in_the_block_and_in_the_next);
        RUN(test_an_underflow_is_found_with_its_depth);
        RUN(test_every_bit_of_record_and_tail_is_watched);
        RUN(test_links_of_a_neighbour_are_not_mended_in_passing);
        RUN(test_damage_of_a_record_outlives_the_coming_and_going_of_its_neighbours);
        RUN(test_a_copy_of_another_block_does_not_pass_for_one);
        RUN(test_another_size_or_alignment_is_refused);
        RUN(test_what_is_no_block_is_refused_wherever_it_lies);
        RUN(test_what_the_allocator_behind_does_not_own_is_not_read);
        RUN(test_a_double_free_is_found_in_quarantine_and_behind_it);
        RUN(test_a_write_to_any_byte_in_quarantine_is_found_as_the_block_leaves);
        RUN(test_what_was_written_to_in_quarantine_is_reported_once_and_kept_out_of_use);
        RUN(test_damage_in_quarantine_does_not_keep_another_block_from_being_released);
        RUN(test_a_refused_request_is_told_of_damage_and_goes_on_behind_it);
        RUN(test_the_end_of_a_damaged_quarantine_takes_no_more);
        RUN(test_the_cursor_mends_no_link_in_passing);
        RUN(test_behind_an_overwritten_record_the_other_list_is_next);
    }
    return tap_finish();
}
