// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the tracker notes of a block beside its size: owner, frames, suspicion; and that it can be stopped.

#include "mete/wrap/track.c"

#include "mete/wrap/track_report.c"

#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"
#include "tests/unit/wrap/page.h"

static uint32_t now;
static uint32_t task;
static size_t frame_count;  // That the trace finds.
static size_t event_count;

static uint32_t read_now(void)
{
    return now;
}

static uint32_t current_task(void *self)
{
    EXPECT(self == &task);
    return task;
}

// Frames 0x1001, 0x2001 and so on.
static void trace(void *self, const void **frames, size_t count)
{
    EXPECT(self == &frame_count);
    for (size_t i = 0U; i < count; i++) {
        frames[i] = (const void *)(uintptr_t)((i < frame_count) ? 0x1001U + (0x1000U * i) : 0U);
    }
}

static void count_event(void *self, const mete_event_t *event)
{
    (void)self, (void)event;
    event_count++;
}

static const mete_site_t site = {(const void *)(uintptr_t)0x461U};

#define OWNED .site = &site, .clock = read_now, .owner = current_task, .owner_self = &task
static const mete_track_config_t plain = {.site = &site, .clock = read_now};
static const mete_track_config_t owned = {OWNED};
static const mete_track_config_t traced = {OWNED, .trace = trace, .trace_self = &frame_count,
                                           .frame_count = 3U};
static const mete_track_config_t heard = {OWNED, .observer = {count_event, NULL}};

static inner_t inner;
static mete_track_t track;
static page_t page;
static page_t wanted;

static mete_alloc_t setup(const mete_track_config_t *config)
{
    now = 1000U;
    task = 1U;
    frame_count = 2U;
    event_count = 0U;
    EXPECT(mete_track_init(&track, inner_setup(&inner, INNER_ALL), config));
    return mete_track_as_alloc(&track);
}

static size_t count_of_owner(uint32_t owner)
{
    const mete_track_filter_t filter = {.is_of_owner = true, .owner = owner};
    return mete_track_total(&track, &filter).count;
}

static void test_init_refuses_a_trace_without_frames_and_frames_without_a_trace(void)
{
    const mete_alloc_t view = inner_setup(&inner, INNER_ALL);
    const mete_track_config_t no_frames = {.trace = trace};
    const mete_track_config_t no_trace = {.frame_count = 1U};
    const mete_track_config_t most = {.trace = trace, .frame_count = METE_TRACK_FRAME_COUNT_MAX};
    const mete_track_config_t many = {.trace = trace, .frame_count = most.frame_count + 1U};
    track.sequence = 7U;
    EXPECT(!mete_track_init(&track, view, &no_frames));
    EXPECT(!mete_track_init(&track, view, &no_trace));
    EXPECT(!mete_track_init(&track, view, &many) && (track.sequence == 7U));
    EXPECT(mete_track_init(&track, view, &most) && (track.sequence == 0U));
}

static void test_blocks_of_an_owner_who_ended_are_found(void)
{
    const mete_alloc_t view = setup(&owned);
    void *const one = mete_acquire(view, 10U, 1U);
    task = 2U;
    (void)mete_acquire(view, 20U, 1U);
    (void)mete_acquire(view, 30U, 1U);
    EXPECT((count_of_owner(1U) == 1U) && (count_of_owner(2U) == 2U) && (count_of_owner(0U) == 0U));
    mete_release(view, one, 10U, 1U);  // By another than its owner.
    EXPECT((count_of_owner(1U) == 0U) && (count_of_owner(2U) == 2U));
    EXPECT(mete_track_check(&track) && (tap_take_fault() == 0));
}

static void test_read_copies_the_record_of_a_live_block_and_of_nothing_else(void)
{
    const mete_alloc_t view = setup(&traced);
    task = 7U;
    unsigned char *const block = mete_acquire(view, 100U, 64U);
    now += 5U;
    mete_track_block_t record;
    EXPECT(mete_track_read(&track, block, &record));
    EXPECT((record.block == block) && (record.size == 100U) && (record.align == 64U));
    EXPECT((record.caller == site.caller) && (record.owner == 7U) && (record.age == 5U));
    EXPECT((record.sequence == 1U) && !record.is_suspect && (record.frame_count == 2U));
    record.owner = 3U;
    EXPECT(!mete_track_read(&track, block + 1, &record) && (record.owner == 3U));
    EXPECT(!mete_track_read(&track, block + 64, &record));
    EXPECT(!mete_track_read(&track, &track, &record) && !mete_track_read(&track, NULL, &record));
    mete_release(view, block, 100U, 64U);
    EXPECT(!mete_track_read(&track, block, &record) && (tap_take_fault() == 0));
}

static void test_frames_are_recorded_in_front_of_the_record(void)
{
    const mete_alloc_t view = setup(&traced);
    for (size_t align = 1U; align <= 1024U; align *= 2U) {
        for (frame_count = 0U; frame_count <= 5U; frame_count++) {
            void *const block = mete_acquire(view, 9U, align);
            EXPECT((block != NULL) && mete_align_fits((uintptr_t)block, align));
            EXPECT(inner.blocks[0].size == METE_TRACK_PREFIX_SIZE_FOR(align, 3U) + 9U);
            mete_track_block_t record;
            EXPECT(mete_track_read(&track, block, &record));
            EXPECT(record.frame_count == ((frame_count < 3U) ? frame_count : 3U));
            for (size_t i = 0U; i < record.frame_count; i++) {
                EXPECT((uintptr_t)record.frames[i] == 0x1001U + (0x1000U * i));
            }
            EXPECT((uintptr_t)record.frames >= (uintptr_t)inner.blocks[0].start);
            mete_release(view, block, 9U, align);
            EXPECT(inner_live_count(&inner) == 0U);
        }
    }
    EXPECT((inner.complaints == 0U) && (tap_take_fault() == 0));
}

static void trace_stack(void *self, const void **words, size_t count)
{
    (void)self;
    for (size_t i = 0U; i < count; i++) {
        words[i] = (i % 2U == 0U) ? &track : NULL;
    }
}

static void test_words_of_a_stack_may_be_zero(void)
{
    static const mete_track_config_t stacked = {.trace = trace_stack, .frame_count = 6U};
    void *const block = mete_acquire(setup(&stacked), 9U, 1U);
    mete_track_block_t record;
    EXPECT(mete_track_read(&track, block, &record) && (record.frame_count == 5U));
    for (size_t i = 0U; i < 5U; i++) {
        EXPECT(record.frames[i] == ((i % 2U == 0U) ? &track : NULL));
    }
}

static void test_suspects_are_shown_and_counted_when_they_are_released_after_all(void)
{
    const mete_alloc_t view = setup(&owned);
    void *const old = mete_acquire(view, 10U, 1U);
    now += 10U;
    void *const young = mete_acquire(view, 20U, 4U);
    const mete_track_filter_t aged = {.age_min = 10U};
    for (size_t i = 0U; i < 2U; i++) {  // Named twice, it is one suspect.
        const mete_track_total_t total = mete_track_suspect(&track, &aged);
        EXPECT((total.count == 1U) && (total.size == 10U) && total.is_sound);
        EXPECT(mete_track_suspects(&track).suspect_count == 1U);
    }
    mete_track_block_t record;
    EXPECT(mete_track_read(&track, old, &record) && record.is_suspect && (record.align == 1U));
    EXPECT(mete_track_read(&track, young, &record) && !record.is_suspect && (record.align == 4U));
    EXPECT(mete_track_check(&track) && (mete_track_total(&track, NULL).count == 2U));
    EXPECT(mete_resize(view, old, 10U, 12U, 1U));
    mete_release(view, young, 20U, 4U);
    EXPECT(mete_track_suspects(&track).cleared_count == 0U);
    mete_release(view, old, 12U, 1U);
    const mete_track_suspects_t suspects = mete_track_suspects(&track);
    EXPECT((suspects.suspect_count == 0U) && (suspects.cleared_count == 1U));
    EXPECT((inner.complaints == 0U) && (tap_take_fault() == 0));
}

#if METE_CHECK_LEVEL >= 1
static void test_a_suspect_is_verified_like_any_block(void)
{
    const mete_alloc_t view = setup(&plain);
    void *const block = mete_acquire(view, 10U, 8U);
    (void)mete_track_suspect(&track, NULL);
    mete_release(view, block, 11U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    mete_release(view, block, 10U, 4U);
    EXPECT(tap_take_fault() == METE_FAULT_SIZE);
    record_of(block)->link.next = &record_of(block)->link;
    mete_release(view, block, 10U, 8U);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (inner_live_count(&inner) == 1U));
    record_of(block)->link.next = &track.list;
    mete_release(view, block, 10U, 8U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
    mete_release(view, block, 10U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    EXPECT(mete_track_suspects(&track).cleared_count == 1U);
}

static void test_a_block_that_is_not_recorded_is_verified_like_any_block(void)
{
    const mete_alloc_t view = setup(&plain);
    mete_track_stop(&track);
    void *const block = mete_acquire(view, 10U, 8U);
    for (size_t i = 0U; i < 2U; i++) {
        mete_release(view, block, 11U, 8U);
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
        mete_release(view, block, 10U, 32U);
        EXPECT(tap_take_fault() == METE_FAULT_SIZE);
        EXPECT(!mete_resize(view, block, 11U, 12U, 8U) && (tap_take_fault() == METE_FAULT_SIZE));
        mete_track_start(&track);
    }
    record_of(block)->check ^= 1U << 9;
    mete_release(view, block, 10U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);  // No list tells that it was one of ours.
    record_of(block)->check ^= 1U << 9;
    EXPECT(mete_resize(view, block, 10U, 12U, 8U));
    mete_release(view, block, 12U, 8U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
    mete_release(view, block, 12U, 8U);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
}
#endif

// Whenever a block was acquired and whenever it is released, it is released, and the list is whole.
static void test_stopping_and_starting_loses_no_block(void)
{
    static const mete_track_config_t *const configs[] = {&plain, &owned, &traced, &heard};
    for (size_t which = 0U; which < 8U; which++) {
        const mete_alloc_t view = setup(configs[which / 2U]);
        void *blocks[4];
        for (size_t i = 0U; i < 4U; i++) {
            (i % 2U == 0U) ? mete_track_start(&track) : mete_track_stop(&track);
            blocks[i] = mete_acquire(view, 10U + i, (size_t)1U << (2U * i));
            mete_words_fill(blocks[i], 0xFFU, 10U + i);
        }
        EXPECT((mete_track_total(&track, NULL).count == 2U) && (track.sequence == 2U));
        mete_track_block_t record;
        EXPECT(!mete_track_read(&track, blocks[1], &record));
        EXPECT(view.ops->size_of(view.self, blocks[1]) == 11U);
        for (size_t i = 0U; i < 4U; i++) {
            (which % 2U == 0U) ? mete_track_start(&track) : mete_track_stop(&track);
            mete_release(view, blocks[i], 10U + i, (size_t)1U << (2U * i));
            EXPECT(mete_track_check(&track) && (inner_live_count(&inner) == 3U - i));
        }
        EXPECT((inner.complaints == 0U) && (tap_take_fault() == 0));
        EXPECT(event_count == ((configs[which / 2U] == &heard) ? 8U : 0U));
    }
}

static void test_a_line_as_json_is_an_object(void)
{
    const mete_alloc_t view = setup(&traced);
    task = 12U;
    void *const block = mete_acquire(view, 100U, 8U);
    now += 3U;
    (void)mete_track_suspect(&track, NULL);
    const mete_sink_t sink = page_sink(&wanted);
    mete_text_string(sink, "{\"leak\":{\"block\":\"");
    mete_text_hex(sink, (uintptr_t)block);
    mete_text_string(sink, "\",\"size\":100,\"sequence\":1,\"age\":3,\"owner\":12,"
                           "\"suspect\":1,\"call\":\"");
    mete_text_hex(sink, 0x45FU);
    mete_text_string(sink, "\",\"frames\":[\"");
    mete_text_hex(sink, 0x1001U);
    mete_text_string(sink, "\",\"");
    mete_text_hex(sink, 0x2001U);
    mete_text_string(sink, "\"]}}\n"
                           "{\"leaks\":{\"count\":1,\"size\":100,\"records\":\"sound\"}}\n");
    (void)mete_track_report_write_json(&track, NULL, page_sink(&page));
    EXPECT(page_is(&page, &wanted));
}

static void test_a_line_of_text_names_suspects_and_frames(void)
{
    const mete_alloc_t view = setup(&traced);
    void *const block = mete_acquire(view, 100U, 8U);
    (void)mete_track_suspect(&track, NULL);
    const mete_sink_t sink = page_sink(&wanted);
    mete_text_string(sink, "leak block=");
    mete_text_hex(sink, (uintptr_t)block);
    mete_text_string(sink, " size=100 sequence=1 age=0 owner=1 call=");
    mete_text_hex(sink, 0x45FU);
    mete_text_string(sink, " suspect=1 frames=");
    mete_text_hex(sink, 0x1001U);
    mete_text_string(sink, ",");
    mete_text_hex(sink, 0x2001U);
    mete_text_string(sink, "\nleaks count=1 size=100 records=sound\n");
    (void)mete_track_report_write(&track, NULL, page_sink(&page));
    EXPECT(page_is(&page, &wanted));
}

int main(void)
{
    RUN(test_init_refuses_a_trace_without_frames_and_frames_without_a_trace);
    RUN(test_blocks_of_an_owner_who_ended_are_found);
    RUN(test_read_copies_the_record_of_a_live_block_and_of_nothing_else);
    RUN(test_frames_are_recorded_in_front_of_the_record);
    RUN(test_words_of_a_stack_may_be_zero);
    RUN(test_suspects_are_shown_and_counted_when_they_are_released_after_all);
#if METE_CHECK_LEVEL >= 1
    RUN(test_a_suspect_is_verified_like_any_block);
    RUN(test_a_block_that_is_not_recorded_is_verified_like_any_block);
#else
    tap_skip("test_a_suspect_is_verified_like_any_block", "nothing is checked at level 0");
    tap_skip("test_a_block_that_is_not_recorded_is_verified_like_any_block", "as above");
#endif
    RUN(test_stopping_and_starting_loses_no_block);
    RUN(test_a_line_as_json_is_an_object);
    RUN(test_a_line_of_text_names_suspects_and_frames);
    return tap_finish();
}
