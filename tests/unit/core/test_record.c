// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/record.h"

#include "tests/support/tap.h"

enum { COUNT = 4, HERE = 0, THERE = 0x12345 };
static const uintptr_t key = 0x0BADCAFEU;

static mete_record_t list;
static mete_record_t records[COUNT];

// A list of all, in order.
static void setup(void)
{
    mete_record_init(key, &list, HERE);
    for (size_t i = 0U; i < COUNT; i++) {
        records[i].extent = mete_record_extent(10U + i, 8U);
        mete_record_insert(key, mete_record_previous(&list), &records[i], HERE);
    }
}

static bool walk(bool is_backwards)
{
    return mete_record_walk(key, &list, HERE, is_backwards, NULL, NULL);
}

static void test_a_record_and_its_block_lead_to_each_other(void)
{
    EXPECT(mete_record_of(mete_record_block(&records[1])) == &records[1]);
    EXPECT((const void *)mete_record_block(&records[1]) == (const void *)&records[2]);
}

static void test_every_size_and_alignment_is_kept(void)
{
    for (size_t align = 1U; align != 0U; align *= 2U) {
        for (size_t size = 1U; size <= METE_RECORD_SIZE_MAX / 3U; size = (size * 3U) + 1U) {
            records[0].extent = mete_record_extent(size, align);
            EXPECT((mete_record_size(&records[0]) == size) &&
                   (mete_record_align(&records[0]) == align));
        }
    }
    records[0].extent = mete_record_extent(METE_RECORD_SIZE_MAX, 4U);
    EXPECT(mete_record_size(&records[0]) == METE_RECORD_SIZE_MAX);
}

static void test_a_size_above_the_maximum_is_mistaken_for_none_below(void)
{
    const size_t extent = mete_record_extent(24U, 8U);
    for (size_t high = METE_RECORD_SIZE_MAX + 1U; high != 0U; high *= 2U) {
        EXPECT(mete_record_extent(24U + high, 8U) != extent);
    }
    EXPECT(mete_record_extent(SIZE_MAX, 8U) != mete_record_extent(METE_RECORD_SIZE_MAX, 8U));
}

static void test_records_come_and_go_and_the_rest_stays_sound(void)
{
    setup();
    EXPECT(walk(false) && walk(true) && (mete_record_next(&list) == &records[0]));
    mete_record_remove(&records[1]);
    EXPECT(walk(false) && walk(true) && (mete_record_next(&records[0]) == &records[2]));
    mete_record_insert(key, &records[2], &records[1], HERE);
    EXPECT(walk(false) && walk(true) && (mete_record_next(&records[2]) == &records[1]));
    for (size_t i = 0U; i < COUNT; i++) {
        mete_record_remove(&records[i]);
        EXPECT(walk(false) && walk(true));
    }
    EXPECT((mete_record_next(&list) == &list) && (mete_record_previous(&list) == &list));
}

static void test_a_record_is_in_the_state_it_was_put_in(void)
{
    setup();
    EXPECT(mete_record_state(key, &records[2]) == HERE);
    mete_record_remove(&records[2]);
    mete_record_insert(key, &list, &records[2], THERE);
    EXPECT(mete_record_state(key, &records[2]) == THERE);
    EXPECT(mete_record_state(key + 1U, &records[3]) != HERE);
    EXPECT(!walk(false));  // In the wrong list.
}

static void test_every_bit_of_every_record_is_watched(void)
{
    setup();
    unsigned char *const bytes = (unsigned char *)&records[1];
    for (size_t bit = 0U; bit < 8U * sizeof(mete_record_t); bit++) {
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT((mete_record_state(key, &records[1]) != HERE) && !walk(false) && !walk(true));
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
    }
    list.check ^= 1U;
    EXPECT(!walk(false) && !walk(true));
}

static void test_a_damaged_record_stays_damaged_when_neighbours_go(void)
{
    setup();
    records[1].check ^= 8U;
    const uintptr_t state = mete_record_state(key, &records[1]);
    mete_record_remove(&records[0]);
    mete_record_remove(&records[2]);
    EXPECT((state != HERE) && (mete_record_state(key, &records[1]) == state));
}

static void test_a_moved_record_is_none(void)
{
    setup();
    mete_record_t copy;
    copy.link.next = records[1].link.next;
    copy.link.previous = records[1].link.previous;
    copy.extent = records[1].extent;
    copy.check = records[1].check;
    EXPECT(mete_record_state(key, &copy) != HERE);
}

static size_t shown;

static bool see(void *self, const mete_record_t *record)
{
    const size_t *const last = self;
    EXPECT(record == &records[(*last == 0U) ? COUNT - 1U - shown : shown]);
    shown++;
    return shown != *last;
}

static void test_walk_shows_records_in_order_until_told_to_stop(void)
{
    setup();
    for (size_t last = 1U; last < COUNT; last++) {
        shown = 0U;
        EXPECT(!mete_record_walk(key, &list, HERE, false, see, &last) && (shown == last));
    }
    size_t last = COUNT + 1U;
    shown = 0U;
    EXPECT(mete_record_walk(key, &list, HERE, false, see, &last) && (shown == COUNT));
    last = 0U;
    shown = 0U;
    EXPECT(mete_record_walk(key, &list, HERE, true, see, &last) && (shown == COUNT));
}

int main(void)
{
    RUN(test_a_record_and_its_block_lead_to_each_other);
    RUN(test_every_size_and_alignment_is_kept);
    RUN(test_a_size_above_the_maximum_is_mistaken_for_none_below);
    RUN(test_records_come_and_go_and_the_rest_stays_sound);
    RUN(test_a_record_is_in_the_state_it_was_put_in);
    RUN(test_every_bit_of_every_record_is_watched);
    RUN(test_a_damaged_record_stays_damaged_when_neighbours_go);
    RUN(test_a_moved_record_is_none);
    RUN(test_walk_shows_records_in_order_until_told_to_stop);
    return tap_finish();
}
