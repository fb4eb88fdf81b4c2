// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The record, held against a plain model; spoilt bit by bit; and every write of a change cut short, as a reset
// would.

#include "mete/system/postmortem.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

static mete_postmortem_store_t store;
static mete_postmortem_config_t config;
static mete_postmortem_t postmortem;
static uint32_t ticks;
static size_t largest = 77U;

static uint32_t read_clock(void)
{
    return ticks;
}

static size_t read_largest(const void *self)
{
    return *(const size_t *)self;
}

// As after power came on: anything may be there.
static void start(void)
{
    config = (mete_postmortem_config_t){.store = &store,
                                        .clock = read_clock,
                                        .largest_free = read_largest,
                                        .largest_free_self = &largest};
    mete_words_fill(&store, 0xA5U, sizeof store);
    EXPECT(!mete_postmortem_init(&postmortem, &config));
}

// As after a reset: the store is there, nothing else.
static bool restart(void)
{
    mete_words_fill(&postmortem, 0x5AU, sizeof postmortem);
    return mete_postmortem_init(&postmortem, &config);
}

static const mete_postmortem_record_t *last(void)
{
    EXPECT(mete_postmortem_check(&postmortem));
    return mete_postmortem_last(&postmortem);
}

static void note_fault(mete_fault_t fault)
{
    mete_postmortem_note_fault(&postmortem, fault, &store, &config, &ticks);
}

static void test_where_nothing_survived_a_record_is_started(void)
{
    start();
    const mete_postmortem_record_t *const record = last();
    EXPECT((record->boot == 1U) && (record->fault_total == 0U) && (record->refusal_total == 0U));
    EXPECT((record->damage_total == 0U) && (record->peaks[0] == 0U));
    EXPECT((record->magic == METE_POSTMORTEM_MAGIC) && (record->word_size == sizeof(size_t)));
    mete_words_fill(&store, 0U, sizeof store);
    EXPECT(!restart() && (last()->boot == 1U));
}

static void test_what_was_noted_survives_a_reset(void)
{
    start();
    ticks = 1000U;
    note_fault(METE_FAULT_DOUBLE_FREE);
    ticks = 2000U;
    mete_postmortem_note_refusal(&postmortem, 500U, &largest);
    mete_postmortem_note_peak(&postmortem, 2U, 12345U);
    EXPECT(restart() && restart());
    const mete_postmortem_record_t *const record = last();
    EXPECT((record->boot == 3U) && (record->fault_total == 1U) && (record->refusal_total == 1U));
    const mete_postmortem_fault_t *const fault = &record->faults[0];
    EXPECT((fault->kind == METE_FAULT_DOUBLE_FREE) && (fault->object == (size_t)&store));
    EXPECT((fault->address == (size_t)&config) && (fault->caller == (size_t)&ticks));
    EXPECT((fault->tick == 1000U) && (fault->boot == 1U));
    const mete_postmortem_refusal_t *const refusal = &record->refusals[0];
    EXPECT((refusal->size == 500U) && (refusal->caller == (size_t)&largest));
    EXPECT((refusal->largest_free_size == 77U) && (refusal->tick == 2000U) &&
           (refusal->boot == 1U));
    EXPECT((record->peaks[2] == 12345U) && (record->peaks[1] == 0U));
}

static void test_without_callbacks_time_and_room_are_unknown(void)
{
    start();
    config.clock = NULL;
    config.largest_free = NULL;
    mete_postmortem_note_refusal(&postmortem, 5U, NULL);
    note_fault(METE_FAULT_SIZE);
    EXPECT(last()->refusals[0].largest_free_size == SIZE_MAX);
    EXPECT((last()->refusals[0].tick == 0U) && (last()->faults[0].tick == 0U));
}

static void test_only_higher_peaks_are_kept(void)
{
    start();
    mete_postmortem_note_peak(&postmortem, 0U, 100U);
    const size_t sequence = last()->sequence;
    mete_postmortem_note_peak(&postmortem, 0U, 100U);
    mete_postmortem_note_peak(&postmortem, 0U, 99U);
    EXPECT((last()->peaks[0] == 100U) && (last()->sequence == sequence));
    mete_postmortem_note_peak(&postmortem, 0U, 101U);
    EXPECT((last()->peaks[0] == 101U) && (last()->sequence == sequence + 1U));
    if (METE_CHECK_LEVEL < 2) {
        mete_postmortem_note_peak(&postmortem, METE_POSTMORTEM_PEAK_COUNT, 7U);
        EXPECT(last()->sequence == sequence + 1U);
    }
}

// The entry of a caller; NULL: it has none.
static const mete_postmortem_site_t *site_of(const void *caller)
{
    const mete_postmortem_site_t *found = NULL;
    for (size_t i = 0U; i < METE_POSTMORTEM_SITE_COUNT; i++) {
        const mete_postmortem_site_t *const site = &last()->sites[i];
        if ((site->size != 0U) && (site->caller == (size_t)caller)) {
            EXPECT(found == NULL);
            found = site;
        }
    }
    return found;
}

static void test_the_sites_that_held_most_are_kept(void)
{
    static const char code[METE_POSTMORTEM_SITE_COUNT + 1U];
    start();
    for (size_t i = 0U; i < METE_POSTMORTEM_SITE_COUNT; i++) {
        mete_postmortem_note_site(&postmortem, &code[i], i + 1U, 100U * (i + 1U));
    }
    const size_t sequence = last()->sequence;
    mete_postmortem_note_site(&postmortem, &code[METE_POSTMORTEM_SITE_COUNT], 9U, 100U);
    mete_postmortem_note_site(&postmortem, &code[1], 9U, 200U);
    EXPECT((last()->sequence == sequence) && (site_of(&code[1])->count == 2U));
    mete_postmortem_note_site(&postmortem, &code[METE_POSTMORTEM_SITE_COUNT], 9U, 101U);
    EXPECT((site_of(&code[0]) == NULL) &&
           (site_of(&code[METE_POSTMORTEM_SITE_COUNT])->count == 9U));
    mete_postmortem_note_site(&postmortem, &code[3], 7U, 1000U);
    EXPECT((site_of(&code[3])->size == 1000U) && (site_of(&code[3])->count == 7U));
    EXPECT((site_of(&code[2])->size == 300U) && restart() && (site_of(&code[3])->size == 1000U));
}

static void test_a_site_may_be_unknown(void)
{
    start();
    mete_postmortem_note_site(&postmortem, NULL, 1U, 0U);
    EXPECT(site_of(NULL) == NULL);
    mete_postmortem_note_site(&postmortem, NULL, 1U, 5U);
    mete_postmortem_note_site(&postmortem, NULL, 2U, 6U);
    EXPECT(site_of(NULL)->count == 2U);
}

static void test_the_last_ones_are_kept_as_a_model_says(void)
{
    start();
    uint32_t seed = 4711U;
    size_t kinds[200];
    size_t sizes[200];
    size_t fault_total = 0U;
    size_t refusal_total = 0U;
    for (size_t round = 0U; round < 200U; round++) {
        const size_t pick = random_below(&seed, 10U);
        if (pick < 4U) {
            kinds[fault_total] = 1U + random_below(&seed, 8U);
            note_fault((mete_fault_t)kinds[fault_total]);
            fault_total++;
        } else if (pick < 9U) {
            sizes[refusal_total] = random_below(&seed, 1000U);
            mete_postmortem_note_refusal(&postmortem, sizes[refusal_total], NULL);
            refusal_total++;
        } else {
            EXPECT(restart());
        }
        const mete_postmortem_record_t *const record = last();
        EXPECT((record->fault_total == fault_total) && (record->refusal_total == refusal_total));
        for (size_t i = 0U; i < METE_POSTMORTEM_DEPTH; i++) {
            EXPECT((i >= fault_total) ||
                   (record->faults[(fault_total - 1U - i) % METE_POSTMORTEM_DEPTH].kind ==
                    kinds[fault_total - 1U - i]));
            EXPECT((i >= refusal_total) ||
                   (record->refusals[(refusal_total - 1U - i) % METE_POSTMORTEM_DEPTH].size ==
                    sizes[refusal_total - 1U - i]));
        }
    }
}

static void test_events_are_noted(void)
{
    start();
    const mete_observer_t observer = mete_postmortem_as_observer(&postmortem);
    mete_event_t event = {METE_EVENT_REFUSE, &store, NULL, 300U, &config};
    mete_observe(observer, &event);
    event = (mete_event_t){METE_EVENT_FAULT, &store, &ticks, METE_FAULT_CORRUPT, &config};
    mete_observe(observer, &event);
    event.kind = METE_EVENT_ACQUIRE;
    mete_observe(observer, &event);
    EXPECT((last()->refusal_total == 1U) && (last()->refusals[0].size == 300U));
    EXPECT((last()->fault_total == 1U) && (last()->faults[0].kind == METE_FAULT_CORRUPT));
    EXPECT((last()->faults[0].object == (size_t)&store) &&
           (last()->faults[0].address == (size_t)&ticks));
    EXPECT((last()->faults[0].caller == (size_t)&config) && (last()->sequence == 3U));
}

static void test_every_bit_that_changes_is_found(void)
{
    start();
    note_fault(METE_FAULT_SIZE);
    note_fault(METE_FAULT_ALIGN);
    unsigned char *const bytes = (unsigned char *)&store.records[postmortem.current];
    for (size_t bit = 0U; bit < 8U * sizeof store.records[0]; bit++) {
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(!mete_postmortem_check(&postmortem));
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
    }
    EXPECT(last()->fault_total == 2U);
}

static void test_of_a_damaged_record_the_one_before_is_left(void)
{
    start();
    note_fault(METE_FAULT_SIZE);
    note_fault(METE_FAULT_ALIGN);
    store.records[postmortem.current].faults[0].kind ^= 1U;
    EXPECT(restart() && (last()->fault_total == 1U) && (last()->boot == 2U));
    store.records[0].crc ^= 1U;
    store.records[1].crc ^= 1U;
    EXPECT(!restart() && (last()->boot == 1U));
}

static void test_damage_while_running_is_never_made_valid(void)
{
    start();
    note_fault(METE_FAULT_SIZE);
    note_fault(METE_FAULT_ALIGN);
    store.records[postmortem.current].faults[0].kind ^= 1U;
    note_fault(METE_FAULT_ORDER);
    EXPECT((last()->fault_total == 2U) && (last()->damage_total == 1U));
    EXPECT((last()->faults[0].kind == METE_FAULT_SIZE) &&
           (last()->faults[1].kind == METE_FAULT_ORDER));
    store.records[0].crc ^= 1U;
    store.records[1].crc ^= 1U;
    note_fault(METE_FAULT_CORRUPT);
    EXPECT((last()->fault_total == 1U) && (last()->damage_total == 1U));
}

static void test_a_change_cut_short_loses_nothing_else(void)
{
    start();
    note_fault(METE_FAULT_SIZE);
    const size_t sequence = last()->sequence;
    const mete_postmortem_store_t before = store;
    note_fault(METE_FAULT_ALIGN);
    const mete_postmortem_store_t after = store;
    const size_t changed = postmortem.current;
    const size_t *const words = (const size_t *)&after.records[changed];
    const size_t count = sizeof after.records[0] / sizeof(size_t);
    for (size_t cut = 0U; cut <= count; cut++) {
        store = before;
        size_t *const to = (size_t *)&store.records[changed];
        to[0] = 0U;  // As begin() and end() have it: the first word first, and last.
        for (size_t i = 1U; i < cut; i++) {
            to[i] = words[i];
        }
        EXPECT(restart() && (last()->fault_total == 1U) && (last()->sequence == sequence + 1U));
    }
    store = after;
    EXPECT(restart() && (last()->fault_total == 2U));
}

static void test_what_is_being_changed_is_no_record(void)
{
    start();
    note_fault(METE_FAULT_SIZE);
    const mete_postmortem_record_t *const changed = begin(&postmortem);
    EXPECT((changed->magic == 0U) && (changed->fault_total == 1U) &&
           mete_postmortem_check(&postmortem));
    EXPECT(restart() && (last()->fault_total == 1U));
}

static void test_either_record_is_enough(void)
{
    for (size_t which = 0U; which < 2U; which++) {
        start();
        note_fault(METE_FAULT_SIZE);
        note_fault(METE_FAULT_SIZE);
        store.records[which].crc ^= 1U;
        EXPECT(restart() && (last()->fault_total >= 1U));
    }
}

static void test_the_newer_record_is_found_where_numbers_wrap(void)
{
    start();
    mete_postmortem_record_t *record = begin(&postmortem);
    record->sequence = SIZE_MAX - 2U;
    end(&postmortem, record);
    for (size_t i = 1U; i <= 5U; i++) {
        note_fault(METE_FAULT_SIZE);
        EXPECT(restart() && (last()->fault_total == i) && (last()->boot == i + 1U));
    }
}

static void test_reset_forgets_all_but_the_starts(void)
{
    start();
    EXPECT(restart());
    note_fault(METE_FAULT_SIZE);
    mete_postmortem_note_peak(&postmortem, 3U, 5U);
    const size_t sequence = last()->sequence;
    mete_postmortem_reset(&postmortem);
    EXPECT((last()->boot == 2U) && (last()->fault_total == 0U) && (last()->peaks[3] == 0U));
    EXPECT((last()->faults[0].kind == 0U) && (last()->sequence == sequence + 1U));
    EXPECT(restart() && (last()->fault_total == 0U) && (last()->boot == 3U));
}

int main(void)
{
    RUN(test_where_nothing_survived_a_record_is_started);
    RUN(test_what_was_noted_survives_a_reset);
    RUN(test_without_callbacks_time_and_room_are_unknown);
    RUN(test_only_higher_peaks_are_kept);
    RUN(test_the_sites_that_held_most_are_kept);
    RUN(test_a_site_may_be_unknown);
    RUN(test_the_last_ones_are_kept_as_a_model_says);
    RUN(test_events_are_noted);
    RUN(test_every_bit_that_changes_is_found);
    RUN(test_of_a_damaged_record_the_one_before_is_left);
    RUN(test_damage_while_running_is_never_made_valid);
    RUN(test_a_change_cut_short_loses_nothing_else);
    RUN(test_what_is_being_changed_is_no_record);
    RUN(test_either_record_is_enough);
    RUN(test_the_newer_record_is_found_where_numbers_wrap);
    RUN(test_reset_forgets_all_but_the_starts);
    return tap_finish();
}
