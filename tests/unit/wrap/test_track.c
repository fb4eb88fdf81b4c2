// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The tracker, tested from inside: records are damaged bit by bit, and every bit must be noticed.

#include "mete/wrap/track.c"

#include "mete/wrap/track_report.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"
#include "tests/unit/wrap/page.h"

static uint32_t now;

static uint32_t read_now(void)
{
    return now;
}

static mete_event_t last_event;
static size_t event_count;

static void note_event(void *self, const mete_event_t *event)
{
    (void)self;
    last_event.kind = event->kind;
    last_event.source = event->source;
    last_event.block = event->block;
    last_event.size = event->size;
    last_event.caller = event->caller;
    event_count++;
}

static const mete_track_config_t config = {.clock = read_now, .observer = {note_event, NULL}};
static inner_t inner;
static mete_track_t track;

static mete_alloc_t setup_with(const mete_track_config_t *with, unsigned abilities)
{
    now = 1000U;
    event_count = 0U;
    EXPECT(mete_track_init(&track, inner_setup(&inner, abilities), with));
    return mete_track_as_alloc(&track);
}

static mete_alloc_t setup(void)
{
    return setup_with(&config, INNER_ALL);
}

static size_t live_count(void)
{
    const mete_track_total_t total = mete_track_total(&track, NULL);
    EXPECT(total.is_sound);
    return total.count;
}

static void test_init_refuses_a_missing_allocator_or_config(void)
{
    const mete_alloc_t none = {NULL, NULL};
    const mete_alloc_t view = inner_setup(&inner, INNER_ALL);
    track.sequence = 7U;
    EXPECT(!mete_track_init(&track, none, &config) && (track.sequence == 7U));
    EXPECT(!mete_track_init(&track, view, NULL) && (track.sequence == 7U));
    EXPECT(mete_track_init(&track, view, &config) && mete_track_check(&track));
    EXPECT(live_count() == 0U);
}

static void test_blocks_of_every_alignment_are_aligned_and_usable_to_the_last_byte(void)
{
    static const size_t sizes[] = {1U, 7U, 100U};
    const mete_alloc_t view = setup();
    for (size_t align = 1U; align <= 4096U; align *= 2U) {
        for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
            void *const block = mete_acquire(view, sizes[i], align);
            EXPECT((block != NULL) && mete_align_fits((uintptr_t)block, align));
            EXPECT(inner.blocks[0].size == METE_TRACK_PREFIX_SIZE(align) + sizes[i]);
            mete_words_fill(block, 0xFFU, sizes[i]);
            EXPECT(mete_track_check(&track) && (view.ops->size_of(view.self, block) == sizes[i]));
            mete_release(view, block, sizes[i], align);
            EXPECT((inner_live_count(&inner) == 0U) && (live_count() == 0U));
        }
    }
    EXPECT((inner.complaints == 0U) && (tap_take_fault() == 0));
}

static void test_a_size_that_overflows_with_its_record_is_refused(void)
{
    const mete_alloc_t view = setup();
    EXPECT(mete_acquire(view, 0U, 8U) == NULL);
    EXPECT((event_count == 0U) && (inner.acquires == 0U));
    EXPECT(mete_acquire(view, SIZE_MAX, 8U) == NULL);
    EXPECT(mete_acquire(view, SIZE_MAX - sizeof(record_t) + 1U, 1U) == NULL);
    EXPECT((event_count == 2U) && (inner.acquires == 0U));
    EXPECT(mete_acquire(view, SIZE_MAX - sizeof(record_t), 1U) == NULL);
    EXPECT(mete_acquire(view, 1U, SIZE_MAX / 2U + 1U) == NULL);
    EXPECT((inner.acquires == 2U) && (live_count() == 0U) && (track.sequence == 0U));
}

// Where blocks are collected in the order in which they are shown.
typedef struct seen {
    mete_track_block_t blocks[INNER_BLOCK_COUNT];
    size_t count;
    size_t count_max;
} seen_t;

static bool collect(void *self, const mete_track_block_t *block)
{
    seen_t *const seen = self;
    mete_words_copy(&seen->blocks[seen->count], block, sizeof *block);
    seen->count++;
    return seen->count < seen->count_max;
}

static seen_t seen;

static bool walk(size_t count_max)
{
    seen.count = 0U;
    seen.count_max = count_max;
    return mete_track_walk(&track, collect, &seen);
}

static void test_walk_shows_live_blocks_newest_first_with_what_was_asked_for(void)
{
    const mete_alloc_t view = setup();
    void *const a = mete_acquire(view, 10U, 1U);
    now += 5U;
    void *const b = mete_acquire(view, 20U, 16U);
    now += 2U;
    void *const c = mete_acquire(view, 30U, 4U);
    mete_release(view, b, 20U, 16U);
    EXPECT(walk(SIZE_MAX) && (seen.count == 2U));
    EXPECT((seen.blocks[1].block == a) && (seen.blocks[1].size == 10U));
    EXPECT((seen.blocks[1].align == 1U) && (seen.blocks[1].sequence == 1U));
    EXPECT((seen.blocks[1].age == 7U) && (seen.blocks[1].owner == 0U));
    EXPECT((seen.blocks[0].block == c) && (seen.blocks[0].size == 30U));
    EXPECT((seen.blocks[0].align == 4U) && (seen.blocks[0].sequence == 3U));
    EXPECT((seen.blocks[0].age == 0U) && !seen.blocks[0].is_suspect);
    EXPECT(seen.blocks[0].frame_count == 0U);
}

static void test_walk_stops_when_it_is_told_to(void)
{
    const mete_alloc_t view = setup();
    EXPECT(walk(1U) && (seen.count == 0U));
    (void)mete_acquire(view, 10U, 1U);
    (void)mete_acquire(view, 20U, 1U);
    EXPECT(!walk(1U) && (seen.count == 1U));
}

static void test_ages_are_right_when_the_clock_wraps_and_zero_without_a_clock(void)
{
    mete_alloc_t view = setup();
    now = UINT32_MAX - 2U;
    (void)mete_acquire(view, 10U, 1U);
    now = 4U;
    EXPECT(walk(SIZE_MAX) && (seen.blocks[0].age == 7U));
    static const mete_track_config_t without = {.site = NULL};
    view = setup_with(&without, INNER_ALL);
    (void)mete_acquire(view, 10U, 1U);
    now += 100U;
    EXPECT(walk(SIZE_MAX) && (seen.blocks[0].age == 0U));
}

// Not inlined: a caller within it is near its start.
__attribute__((noinline)) static void *acquire_here(mete_alloc_t view)
{
    void *const block = mete_acquire(view, 10U, 1U);
    EXPECT(block != NULL);
    return block;
}

static void test_the_caller_is_the_program_or_what_the_site_says(void)
{
    (void)acquire_here(setup());
    EXPECT(walk(SIZE_MAX) && (seen.count == 1U));
    EXPECT((uintptr_t)seen.blocks[0].caller - (uintptr_t)acquire_here < 4096U);
    EXPECT(seen.blocks[0].caller != inner.caller);
    static const mete_site_t site = {&now};
    static const mete_track_config_t behind = {.site = &site};
    (void)acquire_here(setup_with(&behind, INNER_ALL));
    EXPECT(walk(SIZE_MAX) && (seen.count == 1U) && (seen.blocks[0].caller == &now));
}

static size_t count_of(uint32_t since, uint32_t age_min)
{
    const mete_track_filter_t filter = {.since = since, .age_min = age_min};
    return mete_track_total(&track, &filter).count;
}

static void test_a_filter_lets_through_what_is_old_enough_and_after_the_mark(void)
{
    const mete_alloc_t view = setup();
    EXPECT(mete_track_mark(&track) == 0U);
    (void)mete_acquire(view, 10U, 1U);
    now += 10U;
    (void)mete_acquire(view, 20U, 1U);
    const uint32_t mark = mete_track_mark(&track);
    EXPECT((mark == 2U) && (count_of(mark, 0U) == 0U));
    now += 10U;
    (void)mete_acquire(view, 30U, 1U);
    EXPECT((count_of(0U, 0U) == 3U) && (count_of(mark, 0U) == 1U) && (count_of(1U, 0U) == 2U));
    EXPECT((count_of(0U, 20U) == 1U) && (count_of(0U, 10U) == 2U) && (count_of(0U, 11U) == 1U));
    EXPECT((count_of(0U, 21U) == 0U) && (count_of(1U, 10U) == 1U) && (count_of(mark, 1U) == 0U));
    EXPECT((mete_track_total(&track, NULL).size == 60U) && (live_count() == 3U));
}

static void test_marks_hold_when_sequence_numbers_wrap(void)
{
    const mete_alloc_t view = setup();
    track.sequence = UINT32_MAX - 2U;
    (void)mete_acquire(view, 10U, 1U);  // UINT32_MAX - 1
    const uint32_t mark = mete_track_mark(&track);
    for (size_t i = 0U; i < 4U; i++) {  // UINT32_MAX, 0, 1, 2
        (void)mete_acquire(view, 10U, 1U);
    }
    EXPECT((count_of(mark, 0U) == 4U) && (count_of(0U, 0U) == 5U) && (count_of(1U, 0U) == 1U));
}

static page_t page;
static page_t wanted;

static void test_the_report_has_a_line_for_each_block_and_one_for_the_total(void)
{
    static mete_site_t site;
    static const mete_track_config_t behind = {.site = &site, .clock = read_now};
    const mete_alloc_t view = setup_with(&behind, INNER_ALL);
    site.caller = NULL;
    void *const a = mete_acquire(view, 128U, 8U);
    now += 42U;
    site.caller = (const void *)(uintptr_t)0x461U;
    void *const b = mete_acquire(view, 1U, 8U);
    const mete_sink_t sink = page_sink(&wanted);
    mete_text_string(sink, "leak block=");
    mete_text_hex(sink, (uintptr_t)b);
    mete_text_string(sink, " size=1 sequence=2 age=0 owner=0 call=");
    mete_text_hex(sink, 0x45FU);  // Of a Thumb call of 2 or 4 bytes that returns to 0x460.
    mete_text_string(sink, "\nleak block=");
    mete_text_hex(sink, (uintptr_t)a);
    mete_text_string(sink, " size=128 sequence=1 age=42 owner=0 call=");
    mete_text_hex(sink, 0U);
    mete_text_string(sink, "\nleaks count=2 size=129 records=sound\n");
    const mete_track_total_t total = mete_track_report_write(&track, NULL, page_sink(&page));
    EXPECT(page_is(&page, &wanted) && (total.count == 2U) && (total.size == 129U) &&
           total.is_sound);
}

static void test_a_report_can_be_empty(void)
{
    (void)setup();
    (void)mete_track_report_write(&track, NULL, page_sink(&page));
    mete_text_string(page_sink(&wanted), "leaks count=0 size=0 records=sound\n");
    EXPECT(page_is(&page, &wanted));
}

static void test_resize_in_place_is_recorded_and_a_refused_one_is_not(void)
{
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    EXPECT(mete_resize(view, block, 100U, 300U, 8U));
    EXPECT((view.ops->size_of(view.self, block) == 300U) && mete_track_check(&track));
    EXPECT(mete_resize(view, block, 300U, 20U, 8U));
    EXPECT(!mete_resize(view, block, 20U, INNER_SIZE, 8U));
    const size_t calls = inner.calls;
    EXPECT(!mete_resize(view, block, 20U, SIZE_MAX, 8U) && (inner.calls == calls));
    EXPECT(walk(SIZE_MAX) && (seen.blocks[0].size == 20U) && (seen.blocks[0].sequence == 1U));
    mete_release(view, block, 20U, 8U);
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 0U));
}

static bool event_was(mete_event_kind_t kind, const void *block, size_t size)
{
    return (last_event.kind == kind) && (last_event.source == &track) &&
           (last_event.block == block) && (last_event.size == size) && (last_event.caller != NULL);
}

static void test_the_observer_hears_of_every_call(void)
{
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    EXPECT(event_was(METE_EVENT_ACQUIRE, block, 100U));
    EXPECT(mete_resize(view, block, 100U, 50U, 8U));
    EXPECT(event_was(METE_EVENT_RESIZE, block, 50U));
    (void)mete_track_mark(&track);
    EXPECT(event_was(METE_EVENT_MARK, NULL, 1U));
    EXPECT(mete_acquire(view, INNER_SIZE, 8U) == NULL);
    EXPECT(event_was(METE_EVENT_REFUSE, NULL, INNER_SIZE));
    mete_release(view, block, 50U, 8U);
    EXPECT(event_was(METE_EVENT_RELEASE, block, 50U) && (event_count == 5U));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        const mete_alloc_t view = setup_with(&config, abilities);
        void *const block = mete_acquire(view, 40U, 8U);
        EXPECT(mete_resize(view, block, 40U, 39U, 8U) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->resize != NULL) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->owns != NULL) == ((abilities & INNER_OWNS) != 0U));
        EXPECT((view.ops->owns == NULL) || view.ops->owns(view.self, block));
        EXPECT((view.ops->owns == NULL) || !view.ops->owns(view.self, &inner));
        EXPECT(view.ops->size_of(view.self, block) >= 39U);
    }
}

// What should be live, kept in the plainest way.
typedef struct held {
    void *block;
    size_t size;
    size_t align;
} held_t;

static held_t model[INNER_BLOCK_COUNT];

static void step(mete_alloc_t view, held_t *held, uint32_t *seed)
{
    const size_t size = 1U + random_below(seed, 700U);
    if (held->block == NULL) {
        held->size = size;
        held->align = (size_t)1U << random_below(seed, 8U);
        held->block = mete_acquire(view, held->size, held->align);
        if (held->block != NULL) {
            mete_words_fill(held->block, 0xFFU, held->size);
        }
    } else if (random_below(seed, 3U) == 0U) {
        if (mete_resize(view, held->block, held->size, size, held->align)) {
            held->size = size;
            mete_words_fill(held->block, 0xFFU, held->size);
        }
    } else {
        mete_release(view, held->block, held->size, held->align);
        held->block = NULL;
    }
}

static bool model_has(const mete_track_block_t *block)
{
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        if (model[i].block == block->block) {
            return (model[i].size == block->size) && (model[i].align == block->align);
        }
    }
    return false;
}

static void expect_agreement(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < INNER_BLOCK_COUNT; i++) {
        count += (model[i].block != NULL) ? 1U : 0U;
    }
    EXPECT(walk(SIZE_MAX) && (seen.count == count) && mete_track_check(&track));
    for (size_t i = 0U; i < seen.count; i++) {
        EXPECT(model_has(&seen.blocks[i]));
        EXPECT((i == 0U) || (seen.blocks[i - 1U].sequence > seen.blocks[i].sequence));
    }
}

static void run_model(size_t refuse_every)
{
    const mete_alloc_t view = setup();
    inner.refuse_every = refuse_every;
    mete_words_fill(model, 0U, sizeof model);
    uint32_t seed = 0x2545F491U;
    for (size_t i = 0U; i < 3000U; i++) {
        step(view, &model[random_below(&seed, INNER_BLOCK_COUNT)], &seed);
        expect_agreement();
    }
    EXPECT((inner.complaints == 0U) && (tap_take_fault() == 0));
    EXPECT((track.sequence > 200U) && (inner.acquires > track.sequence));
}

static void test_random_work_agrees_with_a_model(void)
{
    run_model(0U);
}

static void test_the_records_are_right_whichever_acquire_is_refused(void)
{
    for (size_t n = 2U; n <= 7U; n++) {
        run_model(n);
    }
}

static void test_walk_and_check_are_bounded_on_a_cycle(void)
{
    const mete_alloc_t view = setup();
    record_t *const a = record_of(mete_acquire(view, 10U, 1U));
    record_t *const b = record_of(mete_acquire(view, 10U, 1U));
    record_t *const c = record_of(mete_acquire(view, 10U, 1U));
    for (size_t i = 0U; i < 2U; i++) {
        a->link.previous = (i == 0U) ? &c->link : &b->link;
        EXPECT(!mete_track_check(&track) && !walk(SIZE_MAX) && (seen.count == 3U));
        EXPECT(!mete_track_total(&track, NULL).is_sound);
        c->link.next = (i == 0U) ? &a->link : &track.list;
        EXPECT(!mete_track_check(&track));
        c->link.next = &track.list;
    }
    a->link.previous = &track.list;
    EXPECT(mete_track_check(&track));
}

static void test_check_sees_a_list_that_loses_blocks(void)
{
    const mete_alloc_t view = setup();
    record_t *const a = record_of(mete_acquire(view, 10U, 1U));
    record_t *const b = record_of(mete_acquire(view, 10U, 1U));
    track.list.previous = &a->link;
    EXPECT(!mete_track_check(&track) && !walk(SIZE_MAX));
    track.list.previous = &track.list;
    EXPECT(!mete_track_check(&track) && !walk(SIZE_MAX));
    track.list.previous = &b->link;
    track.list.next = &b->link;
    EXPECT(!mete_track_check(&track) && !walk(SIZE_MAX));
}

// Of what is verified: the links, and size and check word, which come last.
static bool is_verified(size_t byte)
{
    return (byte < sizeof(mete_dlist_link_t)) || (byte >= offsetof(record_t, size));
}

static void test_check_and_report_see_every_bit_that_is_verified(void)
{
    const mete_alloc_t view = setup();
    (void)mete_acquire(view, 10U, 1U);
    unsigned char *const block = mete_acquire(view, 20U, 1U);
    (void)mete_acquire(view, 30U, 1U);
    for (size_t bit = 0U; bit < 8U * sizeof(record_t); bit++) {
        unsigned char *const byte = block - sizeof(record_t) + (bit / 8U);
        *byte ^= (unsigned char)(1U << (bit % 8U));
        const mete_track_total_t total = mete_track_total(&track, NULL);
        EXPECT(mete_track_check(&track) == !is_verified(bit / 8U));
        EXPECT((total.is_sound == !is_verified(bit / 8U)) && (total.count >= 1U));
        *byte ^= (unsigned char)(1U << (bit % 8U));
    }
    EXPECT(mete_track_check(&track));
    block[-1] ^= 1U;
    (void)mete_track_report_write(&track, NULL, page_sink(&page));
    EXPECT(page.text[page.size - 9U] == '=');  // ... records=damaged
}

typedef uint32_t __attribute__((may_alias)) half_t;

// Two words that changed by as much, up and down, or that changed places, as a wild copy may do.
static void test_check_sees_changes_of_two_words_that_might_cancel(void)
{
    const mete_alloc_t view = setup();
    (void)mete_acquire(view, 30U, 2U);
    half_t *const block = mete_acquire(view, 20U, 8U);
    now = 7U;
    void *const other = mete_acquire(view, 40U, 4U);
    EXPECT((other != NULL) && mete_track_check(&track));
    half_t *const words = block - (sizeof(record_t) / sizeof *block);
    for (size_t i = 0U; i < sizeof(record_t) / sizeof *words; i++) {
        for (size_t j = 0U; j < i; j++) {
            if (!is_verified(i * sizeof *words) && !is_verified(j * sizeof *words)) {
                continue;
            }
            const uint32_t a = words[i], b = words[j];
            words[i] = a + 1U, words[j] = b - 1U;
            EXPECT(!mete_track_check(&track));
            words[i] = b, words[j] = a;
            EXPECT((a == b) || !mete_track_check(&track));
            words[i] = a, words[j] = b;
        }
    }
    EXPECT(mete_track_check(&track));
}

#if METE_CHECK_LEVEL >= 1
// Misuse must be reported and change nothing.
static void expect_refusal(mete_alloc_t view, void *block, size_t size, size_t align, int fault)
{
    const size_t calls = inner.calls;
    const size_t events = event_count;
    const size_t count = mete_track_total(&track, NULL).count;
    mete_release(view, block, size, align);
    EXPECT(tap_take_fault() == fault);
    EXPECT((tap_fault_object == &track) && (tap_fault_address == block));
    EXPECT(!mete_resize(view, block, size, size + 1U, align));
    EXPECT(tap_take_fault() == ((view.ops->resize != NULL) ? fault : 0));
    EXPECT((inner.calls == calls) && (event_count == events) &&
           (mete_track_total(&track, NULL).count == count));
}

static void test_release_refuses_another_size_or_alignment(void)
{
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 16U);
    expect_refusal(view, block, 99U, 16U, METE_FAULT_SIZE);
    expect_refusal(view, block, 101U, 16U, METE_FAULT_SIZE);
    expect_refusal(view, block, 100U, 8U, METE_FAULT_SIZE);
    expect_refusal(view, block, 100U, 32U, METE_FAULT_SIZE);
    expect_refusal(view, block, 100U, 4096U, METE_FAULT_SIZE);
    mete_release(view, block, 100U, 16U);
    EXPECT((tap_take_fault() == 0) && (inner_live_count(&inner) == 0U));
}

static void test_release_refuses_a_released_block(void)
{
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    (void)mete_acquire(view, 100U, 8U);
    mete_release(view, block, 100U, 8U);
    expect_refusal(view, block, 100U, 8U, METE_FAULT_DOUBLE_FREE);
    // Allocators keep links at the start of free memory.
    mete_words_fill(record_of(block), 0x11U, sizeof(mete_dlist_link_t));
    expect_refusal(view, block, 100U, 8U, METE_FAULT_DOUBLE_FREE);
}

static void test_release_refuses_what_is_not_a_block(void)
{
    static uintptr_t elsewhere[64];
    for (unsigned abilities = 0U; abilities <= INNER_ALL; abilities++) {
        const mete_alloc_t view = setup_with(&config, abilities);
        unsigned char *const block = mete_acquire(view, 300U, 8U);
        mete_words_fill(block, 0x77U, 300U);
        expect_refusal(view, block + 1, 300U, 8U, METE_FAULT_FOREIGN);
        expect_refusal(view, block + 64, 300U, 8U, METE_FAULT_FOREIGN);
        expect_refusal(view, block + 192, 300U, 8U, METE_FAULT_FOREIGN);
        expect_refusal(view, &elsewhere[32], 300U, 8U, METE_FAULT_FOREIGN);
        mete_release(view, block, 300U, 8U);
        EXPECT(tap_take_fault() == 0);
    }
}

static void test_release_refuses_a_block_of_another_tracker(void)
{
    static mete_track_t other;
    const mete_alloc_t view = setup();
    EXPECT(mete_track_init(&other, track.inner, &config));
    void *const block = mete_acquire(mete_track_as_alloc(&other), 10U, 1U);
    expect_refusal(view, block, 10U, 1U, METE_FAULT_FOREIGN);
    EXPECT(mete_track_check(&other) && (mete_track_total(&other, NULL).count == 1U));
    mete_release(mete_track_as_alloc(&other), block, 10U, 1U);
    EXPECT(tap_take_fault() == 0);
    expect_refusal(view, block, 10U, 1U, METE_FAULT_FOREIGN);
}

static void test_nothing_is_read_where_no_block_can_be(void)
{
    // A copy of a sound record, made right where it cannot be a record.
    static _Alignas(8) record_t copy[2];
    static const mete_track_config_t told = {.memory = {inner_arena, INNER_SIZE},
                                             .observer = {note_event, NULL}};
    const mete_track_config_t *const configs[] = {&config, &told};
    for (size_t i = 0U; i < 2U; i++) {
        const mete_alloc_t view = setup_with(configs[i], INNER_ALL);
        (void)mete_acquire(view, 8U, 8U);
        mete_words_fill(copy, 0U, sizeof copy);
        copy[0].size = 8U;
        copy[0].link.next = &track.list;
        copy[0].link.previous = &track.list;
        copy[0].check = check_of(&track, &copy[0], 8U, 8U, STATE_LISTED);
        expect_refusal(view, &copy[1], 8U, 8U, METE_FAULT_FOREIGN);
        // As numbers: no pointer into the arena may name what lies outside.
        const uintptr_t low = mete_align_up((uintptr_t)inner_arena, 8U);
        const uintptr_t high = mete_align_down((uintptr_t)inner_arena + INNER_SIZE, 8U);
        expect_refusal(view, (void *)(low + 8U), 8U, 8U, METE_FAULT_FOREIGN);
        expect_refusal(view, (void *)(high + 8U), 8U, 8U, METE_FAULT_FOREIGN);
        expect_refusal(view, (void *)(uintptr_t)8U, 8U, 8U, METE_FAULT_FOREIGN);
    }
}

static void test_memory_that_the_config_names_is_all_that_is_read(void)
{
    static _Alignas(8) unsigned char bytes[128];
    for (size_t shift = 0U; shift < 8U; shift++) {
        for (size_t size = 0U; size + shift <= sizeof bytes; size++) {
            const mete_track_config_t of = {.memory = {bytes + shift, size}};
            EXPECT(mete_track_init(&track, inner_setup(&inner, INNER_ALL), &of));
            for (size_t at = 0U; at < sizeof bytes; at++) {
                const bool fits =
                    (at % 8U == 0U) && (at >= shift) && (at + sizeof(record_t) < shift + size);
                EXPECT(is_inside(&track, bytes + at) == fits);
            }
            EXPECT(!is_inside(&track, (void *)((uintptr_t)bytes - 8U)));
            EXPECT(!is_inside(&track, bytes + sizeof bytes));
        }
    }
}

static void test_release_refuses_a_block_whose_record_was_overwritten(void)
{
    const mete_alloc_t view = setup();
    void *blocks[3];
    for (size_t i = 0U; i < 3U; i++) {
        blocks[i] = mete_acquire(view, 20U, 1U);
    }
    for (size_t i = 0U; i < 3U; i++) {
        for (size_t bit = 0U; bit < 8U * sizeof(record_t); bit++) {
            unsigned char *const byte = (unsigned char *)record_of(blocks[i]) + bit / 8U;
            if (!is_verified(bit / 8U)) {
                continue;
            }
            *byte ^= (unsigned char)(1U << (bit % 8U));
            expect_refusal(view, blocks[i], 20U, 1U, METE_FAULT_CORRUPT);
            *byte ^= (unsigned char)(1U << (bit % 8U));
        }
        mete_release(view, blocks[i], 20U, 1U);
        EXPECT((tap_take_fault() == 0) && (live_count() == 2U - i));
    }
}

static void test_release_refuses_when_a_neighbour_no_longer_leads_here(void)
{
    const mete_alloc_t view = setup();
    void *const a = mete_acquire(view, 10U, 1U);
    void *const b = mete_acquire(view, 10U, 1U);
    void *const c = mete_acquire(view, 10U, 1U);
    record_of(a)->link.next = &record_of(c)->link;
    expect_refusal(view, b, 10U, 1U, METE_FAULT_CORRUPT);
    record_of(a)->link.next = &record_of(b)->link;
    record_of(c)->link.previous = &record_of(a)->link;
    expect_refusal(view, b, 10U, 1U, METE_FAULT_CORRUPT);
    record_of(c)->link.previous = &record_of(b)->link;
    mete_release(view, b, 10U, 1U);
    EXPECT((tap_take_fault() == 0) && (live_count() == 2U));
}

static void test_damage_is_still_seen_after_both_neighbours_were_released(void)
{
    const mete_alloc_t view = setup();
    void *const a = mete_acquire(view, 10U, 1U);
    void *const b = mete_acquire(view, 10U, 1U);
    void *const c = mete_acquire(view, 10U, 1U);
    record_of(b)->size ^= 1U;
    mete_release(view, a, 10U, 1U);
    mete_release(view, c, 10U, 1U);
    (void)mete_acquire(view, 10U, 1U);
    // Paranoid builds report it at once, the others when it matters.
    EXPECT(tap_take_fault() == ((METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0));
    expect_refusal(view, b, 10U, 1U, METE_FAULT_CORRUPT);
    record_of(b)->size ^= 1U;
    EXPECT(mete_track_check(&track) && (live_count() == 2U));
}
#endif

#if METE_CHECK_LEVEL >= 3
static void test_every_call_on_another_block_reports_the_damage(void)
{
    const mete_alloc_t view = setup();
    void *const damaged = mete_acquire(view, 10U, 1U);
    void *const between = mete_acquire(view, 20U, 1U);
    void *const block = mete_acquire(view, 30U, 1U);
    record_of(damaged)->size ^= 1U;
    EXPECT(mete_resize(view, block, 30U, 29U, 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    mete_release(view, block, 29U, 1U);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT((mete_acquire(view, 5U, 1U) != NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    record_of(damaged)->size ^= 1U;
    mete_release(view, between, 20U, 1U);
    EXPECT((tap_take_fault() == 0) && mete_track_check(&track));
}
#endif

static void run_misuse(void)
{
#if METE_CHECK_LEVEL >= 1
    RUN(test_release_refuses_another_size_or_alignment);
    RUN(test_release_refuses_a_released_block);
    RUN(test_release_refuses_what_is_not_a_block);
    RUN(test_release_refuses_a_block_of_another_tracker);
    RUN(test_nothing_is_read_where_no_block_can_be);
    RUN(test_memory_that_the_config_names_is_all_that_is_read);
    RUN(test_release_refuses_a_block_whose_record_was_overwritten);
    RUN(test_release_refuses_when_a_neighbour_no_longer_leads_here);
    RUN(test_damage_is_still_seen_after_both_neighbours_were_released);
#else
    tap_skip("test_release_refuses_*", "nothing is checked at level 0");
    tap_skip("test_nothing_is_read_where_no_block_can_be", "as above");
    tap_skip("test_memory_that_the_config_names_is_all_that_is_read", "as above");
    tap_skip("test_damage_is_still_seen_after_both_neighbours_were_released", "as above");
#endif
#if METE_CHECK_LEVEL >= 3
    RUN(test_every_call_on_another_block_reports_the_damage);
#endif
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator_or_config);
    RUN(test_blocks_of_every_alignment_are_aligned_and_usable_to_the_last_byte);
    RUN(test_a_size_that_overflows_with_its_record_is_refused);
    RUN(test_walk_shows_live_blocks_newest_first_with_what_was_asked_for);
    RUN(test_walk_stops_when_it_is_told_to);
    RUN(test_ages_are_right_when_the_clock_wraps_and_zero_without_a_clock);
    RUN(test_the_caller_is_the_program_or_what_the_site_says);
    RUN(test_a_filter_lets_through_what_is_old_enough_and_after_the_mark);
    RUN(test_marks_hold_when_sequence_numbers_wrap);
    RUN(test_the_report_has_a_line_for_each_block_and_one_for_the_total);
    RUN(test_a_report_can_be_empty);
    RUN(test_resize_in_place_is_recorded_and_a_refused_one_is_not);
    RUN(test_the_observer_hears_of_every_call);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_the_records_are_right_whichever_acquire_is_refused);
    RUN(test_walk_and_check_are_bounded_on_a_cycle);
    RUN(test_check_sees_a_list_that_loses_blocks);
    RUN(test_check_and_report_see_every_bit_that_is_verified);
    RUN(test_check_sees_changes_of_two_words_that_might_cancel);
    run_misuse();
    return tap_finish();
}
