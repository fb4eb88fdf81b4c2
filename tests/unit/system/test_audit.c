// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The chain, with every bit of it spoilt; and the ring, held against a plain list.

#include "mete/system/audit.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { ENTRY_COUNT = 5, MODEL_COUNT = 300 };

static mete_audit_entry_t entries[ENTRY_COUNT];
static mete_audit_config_t config;
static mete_audit_t audit;
static uint32_t now;
static uint32_t who_runs;

static uint32_t read_clock(void)
{
    return now;
}

static uint32_t who(void *self)
{
    return *(const uint32_t *)self;
}

static void start(void)
{
    config = (mete_audit_config_t){.entries = entries,
                                   .entry_count = ENTRY_COUNT,
                                   .clock = read_clock,
                                   .owner = who,
                                   .owner_self = &who_runs};
    EXPECT(mete_audit_init(&audit, &config));
}

static mete_event_t event_of(size_t size)
{
    const mete_event_t event = {METE_EVENT_ACQUIRE, &audit, &entries[0], size, &config};
    return event;
}

static void note(size_t size)
{
    const mete_event_t event = event_of(size);
    now += 3U;
    mete_audit_note(&audit, &event);
}

static void note_many(size_t count)
{
    for (size_t i = 1U; i <= count; i++) {
        note(i);
    }
}

static void test_init_refuses_a_log_without_entries(void)
{
    config = (mete_audit_config_t){.entries = NULL, .entry_count = 5U};
    audit.events = 9U;
    EXPECT(!mete_audit_init(&audit, &config));
    config = (mete_audit_config_t){.entries = entries, .entry_count = 0U};
    EXPECT(!mete_audit_init(&audit, &config) && (audit.events == 9U));
}

static void test_an_empty_log_is_sound(void)
{
    start();
    EXPECT((mete_audit_count(&audit) == 0U) && (mete_audit_verify(&audit) == 0U));
    EXPECT(mete_audit_check(&audit) && (mete_audit_events(&audit) == 0U));
}

static void test_an_event_is_kept_with_who_and_when(void)
{
    start();
    now = 97U;
    who_runs = 7U;
    note(33U);
    const mete_audit_entry_t *const entry = &entries[0];
    EXPECT((entry->kind == METE_EVENT_ACQUIRE) && (entry->number == 1U) && (entry->tick == 100U));
    EXPECT((entry->owner == 7U) && (entry->size == 33U) &&
           (entry->block == (uintptr_t)&entries[0]));
    EXPECT((entry->caller == (uintptr_t)&config) && (mete_audit_count(&audit) == 1U));
    config.clock = NULL;
    config.owner = NULL;
    note(34U);
    EXPECT((entries[1].tick == 0U) && (entries[1].owner == 0U) && mete_audit_check(&audit));
}

static void test_only_wanted_kinds_are_kept(void)
{
    start();
    config.kinds = (1U << METE_EVENT_REFUSE) | (1U << METE_EVENT_SWITCH);
    note(1U);
    mete_event_t event = event_of(2U);
    event.kind = METE_EVENT_REFUSE;
    const mete_observer_t observer = mete_audit_as_observer(&audit);
    mete_observe(observer, &event);
    event.kind = METE_EVENT_SWITCH;
    mete_observe(observer, &event);
    event.kind = METE_EVENT_RELEASE;
    mete_observe(observer, &event);
    EXPECT((mete_audit_events(&audit) == 2U) && (entries[0].kind == METE_EVENT_REFUSE));
    EXPECT(entries[1].kind == METE_EVENT_SWITCH);
}

typedef struct list {
    size_t sizes[MODEL_COUNT];
    size_t count;
} list_t;

static list_t seen;

static bool see(void *self, const mete_audit_entry_t *entry)
{
    list_t *const list = self;
    list->sizes[list->count] = entry->size;
    list->count++;
    return list->count < 4U * ENTRY_COUNT;
}

static void test_the_newest_events_are_kept_as_a_model_says(void)
{
    for (size_t entry_count = 1U; entry_count <= ENTRY_COUNT; entry_count++) {
        start();
        config.entry_count = entry_count;
        EXPECT(mete_audit_init(&audit, &config));
        for (size_t n = 1U; n <= 23U; n++) {
            note(n);
            const size_t kept = (n < entry_count) ? n : entry_count;
            seen.count = 0U;
            EXPECT(mete_audit_walk(&audit, see, &seen) && (seen.count == kept));
            for (size_t i = 0U; i < kept; i++) {
                EXPECT(seen.sizes[i] == n - kept + 1U + i);
            }
            EXPECT((mete_audit_verify(&audit) == kept) && mete_audit_check(&audit));
        }
    }
}

static void test_walk_stops_when_told(void)
{
    start();
    note_many(3U);
    seen.count = 4U * ENTRY_COUNT - 2U;
    EXPECT(!mete_audit_walk(&audit, see, &seen) && (seen.count == 4U * ENTRY_COUNT));
}

static size_t index_at(size_t place)
{
    return index_of(&audit, place);
}

static void test_every_bit_that_changes_is_found_where_it_is(void)
{
    for (size_t n = 3U; n <= 8U;
         n += 5U) {  // A ring that is not full, and one that has gone round.
        start();
        note_many(n);
        const size_t count = mete_audit_count(&audit);
        for (size_t place = 0U; place < count; place++) {
            unsigned char *const bytes = (unsigned char *)&entries[index_at(place)];
            for (size_t bit = 0U; bit < 8U * offsetof(mete_audit_entry_t, tag); bit++) {
                bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
                EXPECT((mete_audit_verify(&audit) == place) && !mete_audit_check(&audit));
                bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
            }
            entries[index_at(place)].tag.words[1] ^= 4U;
            EXPECT(mete_audit_verify(&audit) == place);
            entries[index_at(place)].tag.words[1] ^= 4U;
        }
        EXPECT(mete_audit_check(&audit));
    }
}

static void swap_entries(mete_audit_entry_t *a, mete_audit_entry_t *b)
{
    const mete_audit_entry_t entry = *a;
    *a = *b;
    *b = entry;
}

static void test_entries_that_change_places_are_found(void)
{
    start();
    note_many(5U);
    swap_entries(&entries[1], &entries[3]);
    EXPECT(mete_audit_verify(&audit) == 1U);
}

static void test_an_entry_sealed_anew_is_found_at_the_next(void)
{
    start();
    note_many(7U);
    mete_audit_entry_t *const forged = &entries[index_at(2U)];
    forged->size = 4711U;
    seal(&audit, &entries[index_at(1U)].tag, forged, &forged->tag);
    EXPECT(mete_audit_verify(&audit) == 3U);
    mete_audit_entry_t *const newest = &entries[index_at(4U)];
    seal(&audit, &entries[index_at(3U)].tag, newest, &newest->tag);
    EXPECT(mete_audit_verify(&audit) == 3U);
}

static void test_a_newest_entry_sealed_anew_differs_from_what_the_log_knows(void)
{
    start();
    note_many(7U);
    mete_audit_entry_t *const newest = &entries[index_at(4U)];
    newest->owner = 1U;
    seal(&audit, &entries[index_at(3U)].tag, newest, &newest->tag);
    EXPECT((mete_audit_verify(&audit) == 4U) && !mete_audit_check(&audit));
}

static void test_the_last_tag_vouches_for_all(void)
{
    start();
    note_many(3U);
    const mete_audit_tag_t tag = mete_audit_last(&audit);
    EXPECT(is_equal(&tag, &entries[2].tag));
    start();
    note(9U);
    note(2U);
    note(3U);
    const mete_audit_tag_t other = mete_audit_last(&audit);
    EXPECT(!is_equal(&tag, &other));
}

static void test_a_log_that_was_overwritten_is_left_alone(void)
{
    start();
    note_many(3U);
    audit.next = ENTRY_COUNT;
    EXPECT(!mete_audit_check(&audit) && (mete_audit_verify(&audit) == 0U));
    seen.count = 0U;
    EXPECT(mete_audit_walk(&audit, see, &seen) && (seen.count == 0U));
    if (METE_CHECK_LEVEL >= 1) {
        note(4U);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (audit.events == 3U));
    }
    audit.next = 3U;
    audit.count = ENTRY_COUNT + 1U;
    EXPECT(!mete_audit_check(&audit));
    audit.count = 2U;
    EXPECT(!mete_audit_check(&audit));
    audit.count = 3U;
    EXPECT(mete_audit_check(&audit));
    audit.events++;
    EXPECT(!mete_audit_check(&audit));
    start();
    audit.events = 1U;
    EXPECT(!mete_audit_check(&audit));
    start();
    audit.last.words[0] = 1U;
    EXPECT(!mete_audit_check(&audit));
}

// No MAC, but it has what one has: a key, and all of 64 bits.
static void keyed(void *self, const mete_audit_tag_t *previous, const void *bytes, size_t size,
                  mete_audit_tag_t *tag)
{
    const uint32_t key = *(const uint32_t *)self;
    tag->words[0] = mete_crc32(key ^ previous->words[1], bytes, size);
    tag->words[1] = mete_crc32(~key ^ previous->words[0], bytes, size);
}

static void test_a_mac_of_the_programs_seals_the_entries(void)
{
    uint32_t key = 0xDEADBEEFU;
    start();
    config.seal = keyed;
    config.seal_self = &key;
    note_many(8U);
    EXPECT(mete_audit_check(&audit) && (entries[0].tag.words[1] != 0U));
    entries[index_at(2U)].tag.words[1] ^= 0x80000000U;
    EXPECT(mete_audit_verify(&audit) == 2U);
    entries[index_at(2U)].tag.words[1] ^= 0x80000000U;
    key++;  // Who does not have it cannot seal.
    EXPECT(mete_audit_verify(&audit) == 0U);
}

static void test_numbers_wrap(void)
{
    start();
    audit.events = UINT32_MAX - 1U;
    note_many(4U);
    EXPECT((mete_audit_events(&audit) == 2U) && mete_audit_check(&audit));
    EXPECT((entries[0].number == UINT32_MAX) && (entries[1].number == 0U));
}

// ---- Text

static char text[1200];
static size_t text_size;

static size_t write_text(void *self, const void *bytes, size_t size)
{
    (void)self;
    for (size_t i = 0U; (i < size) && (text_size + 1U < sizeof text); i++) {
        text[text_size] = ((const char *)bytes)[i];
        text_size++;
    }
    text[text_size] = '\0';
    return size;
}

// What `text` has at `start`; 0 if it does not go on so.
static size_t goes_on(size_t start_at, const char *expected)
{
    size_t i = 0U;
    while ((expected[i] != '\0') && (text[start_at + i] == expected[i])) {
        i++;
    }
    return (expected[i] == '\0') ? start_at + i : 0U;
}

static size_t next_line(size_t at)
{
    while ((text[at] != '\n') && (text[at] != '\0')) {
        at++;
    }
    return at + 1U;
}

static void test_the_report_names_what_happened_and_what_is_damaged(void)
{
    const mete_sink_t sink = {write_text, NULL};
    start();
    now = 0U;
    who_runs = 4U;
    note_many(2U);
    mete_event_t event = event_of(9U);
    event.kind = METE_EVENT_FAULT;
    mete_audit_note(&audit, &event);
    text_size = 0U;
    EXPECT(mete_audit_report(&audit, sink));
    EXPECT(goes_on(0U, "audit events=3 kept=3 sound=3\nacquire number=1 at=3 owner=4 block=0x") !=
           0U);
    entries[1].size = 77U;
    entries[2].kind = 4711U;
    text_size = 0U;
    EXPECT(!mete_audit_report(&audit, sink));
    EXPECT(goes_on(0U, "audit events=3 kept=3 sound=1\nacquire number=1") != 0U);
    const size_t second = next_line(next_line(0U));
    EXPECT(goes_on(second, "damaged acquire number=2 at=6 owner=4 block=0x") != 0U);
    EXPECT(goes_on(next_line(second), "damaged event number=3") != 0U);
}

int main(void)
{
    RUN(test_init_refuses_a_log_without_entries);
    RUN(test_an_empty_log_is_sound);
    RUN(test_an_event_is_kept_with_who_and_when);
    RUN(test_only_wanted_kinds_are_kept);
    RUN(test_the_newest_events_are_kept_as_a_model_says);
    RUN(test_walk_stops_when_told);
    RUN(test_every_bit_that_changes_is_found_where_it_is);
    RUN(test_entries_that_change_places_are_found);
    RUN(test_an_entry_sealed_anew_is_found_at_the_next);
    RUN(test_a_newest_entry_sealed_anew_differs_from_what_the_log_knows);
    RUN(test_the_last_tag_vouches_for_all);
    RUN(test_a_log_that_was_overwritten_is_left_alone);
    RUN(test_a_mac_of_the_programs_seals_the_entries);
    RUN(test_numbers_wrap);
    RUN(test_the_report_names_what_happened_and_what_is_damaged);
    return tap_finish();
}
