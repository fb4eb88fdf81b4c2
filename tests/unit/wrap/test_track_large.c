// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A hundred thousand live blocks. That calls take no longer for them is shown by taking all memory away but that of the
// block itself and its neighbours in the list: whoever went further would end the program.

#include "mete/wrap/track.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

#include <sys/mman.h>

enum {
    BLOCK_COUNT = 100000,
    BLOCK_SIZE = 24,
    SLOT_SIZE = BLOCK_SIZE + 64,
    PAGE_SIZE = 65536,  // Or a part of it, on every host.
    SLOT_COUNT = (BLOCK_COUNT / PAGE_SIZE + 1) * PAGE_SIZE,
};

// Hands out slots one after the other, and takes back whichever.
static _Alignas(PAGE_SIZE) unsigned char slots[SLOT_COUNT][SLOT_SIZE];
static unsigned char *free_slots[BLOCK_COUNT];
static size_t free_count;

static void *take(void *self, size_t size, size_t align)
{
    (void)self;
    EXPECT((size <= SLOT_SIZE) && (align == 8U));
    return (free_count != 0U) ? free_slots[--free_count] : NULL;
}

static void give(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    free_slots[free_count++] = block;
}

static const mete_alloc_ops_t behind = {.acquire = take, .release = give};
static const mete_track_config_t config = {.memory = {slots, sizeof slots}};
static mete_track_t track;
static void *held[BLOCK_COUNT];

static mete_alloc_t fill(void)
{
    free_count = 0U;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        give(NULL, slots[BLOCK_COUNT - 1U - i], 0U, 0U);
    }
    EXPECT(mete_track_init(&track, (mete_alloc_t){&behind, NULL}, &config));
    const mete_alloc_t view = mete_track_as_alloc(&track);
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        held[i] = mete_acquire(view, BLOCK_SIZE, 8U);
    }
    return view;
}

static void test_all_blocks_are_recorded_and_released_in_any_order(void)
{
    const mete_alloc_t view = fill();
    const mete_track_total_t total = mete_track_total(&track, NULL);
    EXPECT((total.count == BLOCK_COUNT) && total.is_sound);
    EXPECT(total.size == (size_t)BLOCK_COUNT * BLOCK_SIZE);
    uint32_t seed = 1U;
    for (size_t left = BLOCK_COUNT; left != 0U; left--) {
        const size_t which = random_below(&seed, (uint32_t)left);
        mete_release(view, held[which], BLOCK_SIZE, 8U);
        held[which] = held[left - 1U];
    }
    EXPECT((mete_track_total(&track, NULL).count == 0U) && mete_track_check(&track));
    EXPECT((free_count == BLOCK_COUNT) && (tap_take_fault() == 0));
}

// ---- Without the memory of all others

static void open_all(void)
{
    EXPECT(mprotect(slots, sizeof slots, PROT_READ | PROT_WRITE) == 0);
}

static void close_all(void)
{
    EXPECT(mprotect(slots, sizeof slots, PROT_NONE) == 0);
}

// The pages that hold a record and its block. The list's own link is always there.
static void open_one(const void *record)
{
    const uintptr_t low = (uintptr_t)record / PAGE_SIZE * PAGE_SIZE;
    const uintptr_t end = (uintptr_t)record + SLOT_SIZE;
    if (record != &track.list) {
        EXPECT(mprotect((void *)low, end - low, PROT_READ | PROT_WRITE) == 0);
    }
}

static const mete_track_record_t *record_of(const void *block)
{
    return (const mete_track_record_t *)block - 1;
}

static void test_a_call_reaches_no_further_than_to_the_next_block(void)
{
    const mete_alloc_t view = fill();
    uint32_t seed = 1U;
    for (size_t round = 0U; round < 500U; round++) {
        const size_t which = random_below(&seed, BLOCK_COUNT);
        const mete_dlist_link_t *const link = &record_of(held[which])->link;
        const void *const needed[] = {link, link->next, link->previous, track.list.previous};
        close_all();
        for (size_t i = 0U; i < sizeof needed / sizeof needed[0]; i++) {
            open_one(needed[i]);
        }
        mete_track_block_t shown;
        EXPECT(mete_track_read(&track, held[which], &shown) && (shown.size == BLOCK_SIZE));
        mete_release(view, held[which], BLOCK_SIZE, 8U);
        held[which] = mete_acquire(view, BLOCK_SIZE, 8U);  // Where the last one was.
        EXPECT((held[which] == shown.block) && (mete_track_mark(&track) > shown.sequence));
        open_all();
    }
    EXPECT(mete_track_check(&track) && (tap_take_fault() == 0));
}

static void test_a_slice_reaches_no_further_than_to_the_next_block(void)
{
    (void)fill();
    static mete_track_cursor_t cursor;
    mete_track_block_t block;
    close_all();
    EXPECT(mete_track_init_cursor(&cursor, &track, NULL, NULL));
    open_all();
    for (size_t shown = 0U; shown < 500U; shown++) {
        const mete_dlist_link_t *const link = cursor.next;
        const void *const needed[] = {link, link->next, link->previous};
        close_all();
        for (size_t i = 0U; i < sizeof needed / sizeof needed[0]; i++) {
            open_one(needed[i]);
        }
        EXPECT(mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_FOUND);
        open_all();
    }
    mete_track_remove_cursor(&cursor);
    EXPECT(cursor.total.count == 500U);
}

static void test_slices_show_all_while_blocks_come_and_go(void)
{
    const mete_alloc_t view = fill();
    static mete_track_cursor_t cursor;
    mete_track_block_t block;
    size_t shown = 0U;
    size_t gone = 0U;
    uint32_t seed = 1U;
    EXPECT(mete_track_init_cursor(&cursor, &track, NULL, NULL));
    while (mete_track_read_next(&cursor, 1U, &block) == METE_TRACK_FOUND) {
        shown++;
        const size_t which = random_below(&seed, BLOCK_COUNT);
        mete_track_block_t record;
        gone +=
            (mete_track_read(&track, held[which], &record) && (record.sequence < block.sequence))
                ? 1U
                : 0U;
        mete_release(view, held[which], BLOCK_SIZE, 8U);
        held[which] = mete_acquire(view, BLOCK_SIZE, 8U);
    }
    EXPECT(cursor.total.is_sound && (shown + gone == BLOCK_COUNT) && (gone > BLOCK_COUNT / 10U));
    EXPECT(mete_track_check(&track) && (mete_track_total(&track, NULL).count == BLOCK_COUNT));
}

int main(void)
{
    RUN(test_all_blocks_are_recorded_and_released_in_any_order);
    RUN(test_a_call_reaches_no_further_than_to_the_next_block);
    RUN(test_a_slice_reaches_no_further_than_to_the_next_block);
    RUN(test_slices_show_all_while_blocks_come_and_go);
    return tap_finish();
}
