// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Reports are kept as text, and searched for what they must say.

#include "mete/wrap/guard_report.c"

#include "mete/wrap/guard.h"
#include "mete/wrap/track.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

enum { TEXT_SIZE = 2000 };

static char text[TEXT_SIZE];
static size_t length;

static size_t keep_text(void *self, const void *bytes, size_t size)
{
    (void)self;
    const char *const from = bytes;
    for (size_t i = 0U; (i < size) && (length < TEXT_SIZE - 1U); i++) {
        text[length] = from[i];
        length++;
    }
    text[length] = '\0';
    return size;
}

static const mete_sink_t sink = {keep_text, NULL};

static size_t find(const char *part)
{
    for (size_t at = 0U; text[at] != '\0'; at++) {
        size_t i = 0U;
        while ((part[i] != '\0') && (text[at + i] == part[i])) {
            i++;
        }
        if (part[i] == '\0') {
            return at;
        }
    }
    return TEXT_SIZE;
}

static bool has(const char *part)
{
    return find(part) != TEXT_SIZE;
}

// "name" and an address, as the report writes it, then `rest`.
static bool has_address(const char *name, const void *address, const char *rest)
{
    static char wanted[200];
    static char kept[TEXT_SIZE];
    const size_t kept_length = length;
    mete_words_copy(kept, text, TEXT_SIZE);
    length = 0U;
    mete_text_string(sink, name);
    mete_text_hex(sink, (uintptr_t)address);
    mete_text_string(sink, rest);
    mete_words_copy(wanted, text, sizeof wanted);
    mete_words_copy(text, kept, TEXT_SIZE);
    length = kept_length;
    return has(wanted);
}

static size_t row_count(void)
{
    size_t count = 0U;
    for (size_t i = 0U; text[i] != '\0'; i++) {
        count += ((text[i] == 'd') && (text[i + 1U] == 'u') && (text[i + 2U] == 'm')) ? 1U : 0U;
    }
    return count;
}

static inner_t inner;
static mete_guard_t guard;
static mete_alloc_t view;

static void setup(void)
{
    static const mete_guard_config_t config = {
        .quarantine_size = 500U, .fills_released = true, .released_fill = 0xDDU};
    EXPECT(mete_guard_init(&guard, inner_setup(&inner, INNER_ALL), &config));
    view = mete_guard_as_alloc(&guard);
}

static unsigned char *take(size_t size)
{
    unsigned char *const block = mete_acquire(view, size, 8U);
    EXPECT(block != NULL);
    mete_words_fill(block, 0x11U, size);
    return block;
}

static void report(const void *block)
{
    length = 0U;
    mete_guard_report_write(&guard, block, NULL, sink);
}

static void test_a_broken_tail_is_shown_with_both_neighbours_and_the_bytes_around_it(void)
{
    setup();
    unsigned char *const below = take(30U);
    unsigned char *const block = take(24U);
    const unsigned char *const above = take(10U);
    mete_release(view, below, 30U, 8U);
    mete_words_fill(block + 24, 0x22U, 1U);
    report(block);
    EXPECT(
        has_address("guard block=", block, " size=24 align=8 state=live damage=tail offset=24\n"));
    EXPECT(has_address("guard below=", below, " size=30 state=quarantined\n"));
    EXPECT(has_address("guard above=", above, " size=10 state=live\n"));
    EXPECT(has_address("guard dump ", block + 24 - 32, " ") &&
           has_address("guard dump ", block + 24, " 22 "));
    EXPECT(row_count() == ((32U + METE_GUARD_TAIL_SIZE) + 15U) / 16U);
}

static void test_an_only_block_has_no_neighbours(void)
{
    setup();
    const unsigned char *const block = take(24U);
    report(block);
    EXPECT(has(" damage=none\n") && has("guard below=none\n") && has("guard above=none\n"));
}

static void test_a_broken_head_has_no_size_but_neighbours(void)
{
    setup();
    const unsigned char *const below = take(30U);
    unsigned char *const block = take(24U);
    const unsigned char *const above = take(10U);
    (void)take(11U);
    block[-2] ^= 0x01U;
    report(block);
    EXPECT(has_address("guard block=", block, " damage=head offset=-2\n"));
    EXPECT(has_address("guard below=", below, " size=30 state=live\n"));
    EXPECT(has_address("guard above=", above, " size=10 state=live\n"));
    EXPECT(row_count() == (sizeof(mete_record_t) + 1U + METE_GUARD_TAIL_SIZE + 15U) / 16U);
}

static void test_what_was_written_in_quarantine_is_shown_in_the_middle_of_a_large_block(void)
{
    setup();
    unsigned char *const block = take(300U);
    mete_release(view, block, 300U, 8U);
    block[150] = 0xABU;
    report(block);
    EXPECT(has(" size=300 align=8 state=quarantined damage=content offset=150\n"));
    EXPECT(has_address("guard dump ", block + 150, " ab dd dd") && (row_count() == 4U));
    EXPECT(has_address("guard dump ", block + 118, " dd"));
}

static void test_an_address_that_is_no_block_is_said_to_be_none(void)
{
    setup();
    const unsigned char *const block = take(300U);
    report(block + 8);
    EXPECT(has(" damage=foreign\n") && (row_count() == 0U));
    EXPECT(has_address("guard below=", block, " size=300 state=live\n"));
    report(NULL);
    EXPECT(has(" damage=foreign\n") && has("guard below=none\n") && (row_count() == 0U));
}

// ---- With a tracker

static mete_track_t track;
static mete_site_t site;

typedef struct search {
    const void *block;
    const mete_sink_t *sink;
} search_t;

// Where the guard is in front, its block lies in the tracker's; else it starts with the tracker's record.
static bool show_owner(void *self, const mete_track_block_t *tracked)
{
    const search_t *const search = self;
    const uintptr_t record = (uintptr_t)tracked->block - METE_TRACK_PREFIX_SIZE(tracked->align);
    if (((uintptr_t)search->block - (uintptr_t)tracked->block < tracked->size) ||
        ((uintptr_t)search->block == record)) {
        mete_text_string(*search->sink, "owner sequence=");
        mete_text_decimal(*search->sink, tracked->sequence);
        mete_text_string(*search->sink, " call=");
        mete_text_hex(*search->sink, (uintptr_t)tracked->caller);
        mete_text_string(*search->sink, "\n");
        return false;
    }
    return true;
}

static void ask_tracker(void *self, const void *block, const mete_sink_t *to)
{
    search_t search = {block, to};
    (void)mete_track_walk(self, show_owner, &search);
}

static const mete_guard_describer_t tracker = {ask_tracker, &track};

static void test_a_tracker_behind_names_the_owner(void)
{
    static const mete_track_config_t track_config = {.site = &site};
    static const mete_guard_config_t config = {.site = &site};
    EXPECT(mete_track_init(&track, inner_setup(&inner, INNER_ALL), &track_config));
    EXPECT(mete_guard_init(&guard, mete_track_as_alloc(&track), &config));
    view = mete_guard_as_alloc(&guard);
    (void)take(10U);
    unsigned char *const block = take(24U);
    const void *const caller = site.caller;
    (void)take(10U);
    EXPECT(inner.blocks[1].size ==
           sizeof(mete_record_t) + 24U + METE_GUARD_TAIL_SIZE + METE_TRACK_PREFIX_SIZE(8U));
    block[24] ^= 1U;
    length = 0U;
    mete_guard_report_write(&guard, block, &tracker, sink);
    EXPECT(has("owner sequence=2 ") && has_address(" call=", caller, "\n"));
    EXPECT(find("owner") < find("dump"));
    block[24] ^= 1U;
    mete_release(view, block, 24U, 8U);
    EXPECT((tap_take_fault() == 0) && mete_track_check(&track) && (inner.complaints == 0U));
}

static void test_a_tracker_in_front_names_the_owner_too(void)
{
    static const mete_track_config_t track_config = {.site = &site};
    static const mete_guard_config_t config = {0};
    EXPECT(mete_guard_init(&guard, inner_setup(&inner, INNER_ALL), &config));
    EXPECT(mete_track_init(&track, mete_guard_as_alloc(&guard), &track_config));
    view = mete_track_as_alloc(&track);
    (void)take(10U);
    unsigned char *const block = take(24U);
    unsigned char *const guarded = block - METE_TRACK_PREFIX_SIZE(8U);
    block[24] ^= 1U;
    length = 0U;
    mete_guard_report_write(&guard, guarded, &tracker, sink);
    EXPECT(has(" damage=tail ") && has("owner sequence=2 "));
    block[24] ^= 1U;
}

int main(void)
{
    RUN(test_a_broken_tail_is_shown_with_both_neighbours_and_the_bytes_around_it);
    RUN(test_an_only_block_has_no_neighbours);
    RUN(test_a_broken_head_has_no_size_but_neighbours);
    RUN(test_what_was_written_in_quarantine_is_shown_in_the_middle_of_a_large_block);
    RUN(test_an_address_that_is_no_block_is_said_to_be_none);
    RUN(test_a_tracker_behind_names_the_owner);
    RUN(test_a_tracker_in_front_names_the_owner_too);
    return tap_finish();
}
