// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What is written is compared with what is wanted, byte by byte. Addresses have as many digits as a pointer, so
// what is wanted is put together here.

#include "mete/power/bank_report.c"

#include "tests/support/tap.h"

enum { BANKS = 2, TEXT_SIZE = 1000 };

typedef struct page {
    char bytes[TEXT_SIZE];
    size_t size;
    size_t takes;  // Bytes of which it takes all, then no more.
} page_t;

static page_t written, wanted;

static size_t write_page(void *self, const void *bytes, size_t size)
{
    page_t *const page = self;
    const char *const from = bytes;
    size_t taken = 0U;
    for (; (taken < size) && (page->size < page->takes); taken++) {
        page->bytes[page->size] = from[taken];
        page->size++;
    }
    return taken;
}

static const mete_sink_t sink = {write_page, &written};

static void want(const char *text)
{
    mete_text_string((mete_sink_t){write_page, &wanted}, text);
}

// As far as it is always the same.
static void want_bank(unsigned index)
{
    want((index == 0U) ? "bank index=0 start=" : "bank index=1 start=");
    mete_text_hex((mete_sink_t){write_page, &wanted}, (index == 0U) ? 0x10000000U : 0x10008000U);
    want((index == 0U) ? " size=32768" : " size=4096");
}

// True if all that was written is all that was wanted. Both are forgotten.
static bool is_as_wanted(void)
{
    bool is_same = (written.size == wanted.size) && (written.size < TEXT_SIZE);
    for (size_t i = 0U; is_same && (i < wanted.size); i++) {
        is_same = written.bytes[i] == wanted.bytes[i];
    }
    written.size = 0U;
    wanted.size = 0U;
    return is_same;
}

// ---- Banks whose memory is never touched

static const mete_bank_kind_t kind = {
    .modes = {{300U, true}, {40U, true}, {12U, true}, {0U, false}},
    .changes = {{{0U, 0U, false}, {1U, 10U, true}, {2U, 20U, true}, {2U, 9000U, true}},
                {{5U, 100U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{5U, 100U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                {{20U, 300U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};
static const mete_bank_place_t places[BANKS] = {
    {{(void *)(uintptr_t)0x10000000U, 32768U}, &kind},
    {{(void *)(uintptr_t)0x10008000U, 4096U}, &kind},
};
static mete_bank_record_t records[BANKS];
static mete_bank_config_t config;
static mete_bank_t bank;
static uint32_t now, ticks_a_look;
static bool refuses;

static uint32_t read_clock(void)
{
    now += ticks_a_look;
    return now;
}

static bool drive(void *self, const mete_ram_change_t *change)
{
    (void)self;
    (void)change;
    return !refuses;
}

static const mete_ram_ops_t driver_ops = {drive};

static void setup(void)
{
    written = (page_t){.takes = TEXT_SIZE};
    wanted = (page_t){.takes = TEXT_SIZE};
    config = (mete_bank_config_t){.places = places,
                                  .records = records,
                                  .bank_count = BANKS,
                                  .ram = {&driver_ops, NULL},
                                  .clock = read_clock,
                                  .tick_us = 1000U};
    now = 0U;
    ticks_a_look = 0U;
    refuses = false;
    EXPECT(mete_bank_init(&bank, &config));
}

static void test_a_line_for_each_bank_and_one_with_the_sums(void)
{
    setup();
    now = 1U;
    EXPECT(mete_bank_sleep(&bank, 1U, METE_RAM_SLEEP));
    now = 9U;
    EXPECT(mete_bank_report_write(&bank, sink));
    want_bank(0U);
    want(" state=active active_us=9000 standby_us=0 sleep_us=0 deep_sleep_us=0 changes=0 "
         "change_nj=0 energy_nj=2700 all_on_nj=2700 saved_nj=0\n");
    want_bank(1U);
    want(" state=sleep active_us=1000 standby_us=0 sleep_us=8000 deep_sleep_us=0 changes=1 "
         "change_nj=20 energy_nj=416 all_on_nj=2700 saved_nj=2284\n");
    want("banks count=2 awake=1 changes=1 refusals=0 change_nj=20 energy_nj=3116 all_on_nj=5400 "
         "saved_nj=2284 records=sound\n");
    EXPECT(is_as_wanted() && (tap_take_fault() == 0));
}

static void test_every_state_has_its_word_and_its_time(void)
{
    static const char *const lines[] = {
        " state=active active_us=3000 standby_us=0 sleep_us=0 deep_sleep_us=0 changes=0 "
        "change_nj=0 energy_nj=900 all_on_nj=900 saved_nj=0\n",
        " state=standby active_us=0 standby_us=3000 sleep_us=0 deep_sleep_us=0 changes=1 "
        "change_nj=10 energy_nj=130 all_on_nj=900 saved_nj=770\n",
        " state=sleep active_us=0 standby_us=0 sleep_us=3000 deep_sleep_us=0 changes=1 "
        "change_nj=20 energy_nj=56 all_on_nj=900 saved_nj=844\n",
        " state=deep_sleep active_us=0 standby_us=0 sleep_us=0 deep_sleep_us=3000 changes=1 "
        "change_nj=9000 energy_nj=9000 all_on_nj=900 saved_nj=-8100\n"};
    static const char *const sums[] = {
        "banks count=1 awake=1 changes=0 refusals=0 change_nj=0 energy_nj=900 all_on_nj=900 "
        "saved_nj=0 records=sound\n",
        "banks count=1 awake=0 changes=1 refusals=0 change_nj=10 energy_nj=130 all_on_nj=900 "
        "saved_nj=770 records=sound\n",
        "banks count=1 awake=0 changes=1 refusals=0 change_nj=20 energy_nj=56 all_on_nj=900 "
        "saved_nj=844 records=sound\n",
        "banks count=1 awake=0 changes=1 refusals=0 change_nj=9000 energy_nj=9000 all_on_nj=900 "
        "saved_nj=-8100 records=sound\n"};
    for (size_t state = 0U; state < METE_RAM_STATE_COUNT; state++) {
        setup();
        config.bank_count = 1U;
        EXPECT(mete_bank_init(&bank, &config));
        EXPECT(mete_bank_sleep(&bank, 0U, (mete_ram_state_t)state));
        now = 3U;
        EXPECT(mete_bank_report_write(&bank, sink));
        want_bank(0U);
        want(lines[state]);
        want(sums[state]);
        EXPECT(is_as_wanted());
    }
}

static void test_refusals_are_said(void)
{
    setup();
    config.bank_count = 1U;
    EXPECT(mete_bank_init(&bank, &config));
    refuses = true;
    EXPECT(!mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    EXPECT(mete_bank_report_write(&bank, sink));
    want_bank(0U);
    want(" state=active active_us=0 standby_us=0 sleep_us=0 deep_sleep_us=0 changes=0 "
         "change_nj=0 energy_nj=0 all_on_nj=0 saved_nj=0\n");
    want("banks count=1 awake=1 changes=0 refusals=1 change_nj=0 energy_nj=0 all_on_nj=0 "
         "saved_nj=0 records=sound\n");
    EXPECT(is_as_wanted());
}

// The second line counts to a later moment than the first; what is wanted is the sum of both.
static void test_the_sums_are_those_of_the_lines(void)
{
    setup();
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP) && mete_bank_wake(&bank, 0U));
    EXPECT(mete_bank_sleep(&bank, 1U, METE_RAM_STANDBY));
    ticks_a_look = 10U;
    EXPECT(mete_bank_report_write(&bank, sink));
    want_bank(0U);
    want(" state=active active_us=10000 standby_us=0 sleep_us=0 deep_sleep_us=0 changes=2 "
         "change_nj=120 energy_nj=3120 all_on_nj=3000 saved_nj=-120\n");
    want_bank(1U);
    want(" state=standby active_us=0 standby_us=20000 sleep_us=0 deep_sleep_us=0 changes=1 "
         "change_nj=10 energy_nj=810 all_on_nj=6000 saved_nj=5190\n");
    want("banks count=2 awake=1 changes=3 refusals=0 change_nj=130 energy_nj=3930 all_on_nj=9000 "
         "saved_nj=5070 records=sound\n");
    EXPECT(is_as_wanted());
}

static void test_of_damaged_records_only_that_is_said(void)
{
    setup();
    now = 5U;
    mete_bank_note(&bank);
    records[1].state = 0xA5A5A5A5U;
    EXPECT(!mete_bank_report_write(&bank, sink));
    want("banks count=2 records=damaged\n");
    EXPECT(is_as_wanted());
    records[1].state = METE_RAM_ACTIVE;
    records[0].state_us[2]++;
    EXPECT(!mete_bank_report_write(&bank, sink));
    want("banks count=2 records=damaged\n");
    EXPECT(is_as_wanted() && (tap_take_fault() == 0));
}

static void test_an_account_is_a_line_with_a_name(void)
{
    setup();
    mete_bank_usage_t usage = {.state_us = {1U, 22U, 333U, 4444U},
                               .change_nj = 5U,
                               .energy_nj = 66U,
                               .all_on_nj = 777U,
                               .change_count = 8888U};
    mete_bank_report_write_usage("the radio", &usage, sink);
    want("bank active_us=1 standby_us=22 sleep_us=333 deep_sleep_us=4444 changes=8888 change_nj=5 "
         "energy_nj=66 all_on_nj=777 saved_nj=711 name=the radio\n");
    EXPECT(is_as_wanted());
    usage.all_on_nj = 66U;
    mete_bank_report_write_usage(NULL, &usage, sink);
    want("bank active_us=1 standby_us=22 sleep_us=333 deep_sleep_us=4444 changes=8888 change_nj=5 "
         "energy_nj=66 all_on_nj=66 saved_nj=0\n");
    EXPECT(is_as_wanted());
    usage.energy_nj = 67U;
    mete_bank_report_write_usage("", &usage, sink);
    want("bank active_us=1 standby_us=22 sleep_us=333 deep_sleep_us=4444 changes=8888 change_nj=5 "
         "energy_nj=67 all_on_nj=66 saved_nj=-1 name=\n");
    EXPECT(is_as_wanted());
}

static void test_numbers_have_all_digits_that_64_bits_can_have(void)
{
    setup();
    const mete_bank_usage_t usage = {
        .state_us = {UINT64_MAX, UINT64_C(1) << 32, UINT64_C(65536), UINT32_MAX},
        .change_nj = UINT64_C(10000000000000000000),
        .energy_nj = UINT64_MAX,
        .change_count = UINT32_MAX};
    mete_bank_report_write_usage("x", &usage, sink);
    want("bank active_us=18446744073709551615 standby_us=4294967296 sleep_us=65536 "
         "deep_sleep_us=4294967295 changes=4294967295 change_nj=10000000000000000000 "
         "energy_nj=18446744073709551615 all_on_nj=0 saved_nj=-18446744073709551615 name=x\n");
    EXPECT(is_as_wanted());
}

static void test_sums_that_64_bits_cannot_say_are_the_largest_there_is(void)
{
    setup();
    records[0].change_nj = UINT64_MAX - 3U;
    records[1].change_nj = 5U;
    EXPECT(mete_bank_report_write(&bank, sink));
    want_bank(0U);
    want(" state=active active_us=0 standby_us=0 sleep_us=0 deep_sleep_us=0 changes=0 "
         "change_nj=18446744073709551612 energy_nj=18446744073709551612 all_on_nj=0 "
         "saved_nj=-18446744073709551612\n");
    want_bank(1U);
    want(" state=active active_us=0 standby_us=0 sleep_us=0 deep_sleep_us=0 changes=0 "
         "change_nj=5 energy_nj=5 all_on_nj=0 saved_nj=-5\n");
    want("banks count=2 awake=2 changes=0 refusals=0 change_nj=18446744073709551615 "
         "energy_nj=18446744073709551615 all_on_nj=0 saved_nj=-18446744073709551615 "
         "records=sound\n");
    EXPECT(is_as_wanted());
}

static void test_a_sink_that_takes_less_loses_the_rest(void)
{
    setup();
    written.takes = 9U;
    EXPECT(mete_bank_report_write(&bank, sink));
    want("bank inde");
    EXPECT(is_as_wanted());
}

int main(void)
{
    RUN(test_a_line_for_each_bank_and_one_with_the_sums);
    RUN(test_every_state_has_its_word_and_its_time);
    RUN(test_refusals_are_said);
    RUN(test_the_sums_are_those_of_the_lines);
    RUN(test_of_damaged_records_only_that_is_said);
    RUN(test_an_account_is_a_line_with_a_name);
    RUN(test_numbers_have_all_digits_that_64_bits_can_have);
    RUN(test_sums_that_64_bits_cannot_say_are_the_largest_there_is);
    RUN(test_a_sink_that_takes_less_loses_the_rest);
    return tap_finish();
}
