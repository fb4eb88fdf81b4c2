// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What is written is compared with what is wanted, byte by byte. Addresses have as many digits as a pointer, so
// what is wanted is put together here.

#include "mete/system/violations_report.c"

#include "tests/support/tap.h"

enum { TEXT_SIZE = 1000 };

typedef struct page {
    char bytes[TEXT_SIZE];
    size_t size;
    size_t takes;  // Bytes of which it takes all, then no more.
} page_t;

static page_t written;
static page_t wanted;

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
static const mete_sink_t wanted_sink = {write_page, &wanted};

static void want(const char *text)
{
    mete_text_string(wanted_sink, text);
}

static void want_number(const char *key, uintptr_t number)
{
    want(key);
    mete_text_hex(wanted_sink, number);
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

static const mete_map_region_t secrets = {.name = "secrets", .start = 0x20004000U, .size = 64U};
static mete_violations_report_t report;

static void setup(void)
{
    written = (page_t){.takes = TEXT_SIZE};
    wanted = (page_t){.takes = TEXT_SIZE};
    report = (mete_violations_report_t){.what = {.kind = METE_VIOLATION_DATA,
                                                 .known = METE_VIOLATION_KNOWS_ADDRESS |
                                                          METE_VIOLATION_KNOWS_PC |
                                                          METE_VIOLATION_KNOWS_ACCESS,
                                                 .access = METE_ACCESS_READ,
                                                 .privilege = METE_UNPRIVILEGED,
                                                 .address = 0x20004000U,
                                                 .pc = 0x812U,
                                                 .cause = 0x82U},
                                        .who = {.name = "reader"},
                                        .region = &secrets,
                                        .verdict = METE_VIOLATIONS_DENIED};
}

static void want_numbers(const char *region)
{
    want_number(" address=", report.what.address);
    want(" region=");
    want(region);
    want_number(" pc=", 0x812U);
    want(" privilege=unprivileged");
    want_number(" cause=", 0x82U);
    want("\n");
}

static void test_what_is_known_is_one_line(void)
{
    setup();
    mete_violations_report_write(&report, sink);
    want("violation task=reader verdict=denied kind=data access=read");
    want_numbers("secrets");
    EXPECT(is_as_wanted());
}

static void test_what_is_not_known_is_said_to_be_unknown(void)
{
    setup();
    report = (mete_violations_report_t){
        .what = {.kind = METE_VIOLATION_STACK, .privilege = METE_PRIVILEGED},
        .verdict = METE_VIOLATIONS_OVERFLOW};
    mete_violations_report_write(&report, sink);
    want("violation task=unknown verdict=overflow kind=stack access=unknown address=unknown "
         "region=unknown pc=unknown privilege=privileged");
    want_number(" cause=", 0U);
    want("\n");
    EXPECT(is_as_wanted());
}

static void test_memory_that_is_nobodys_is_none(void)
{
    setup();
    report.region = NULL;
    report.what.address = UINTPTR_MAX;
    mete_violations_report_write(&report, sink);
    want("violation task=reader verdict=denied kind=data access=read");
    want_numbers("none");
    EXPECT(is_as_wanted());
}

static void test_every_verdict_has_its_word(void)
{
    static const char *const words[] = {"unknown", "null", "overflow", "denied", "allowed"};
    for (unsigned verdict = 0U; verdict <= (unsigned)METE_VIOLATIONS_ALLOWED; verdict++) {
        setup();
        report.verdict = (mete_violations_verdict_t)verdict;
        mete_violations_report_write(&report, sink);
        want("violation task=reader verdict=");
        want(words[verdict]);
        want(" kind=data access=read");
        want_numbers("secrets");
        EXPECT(is_as_wanted());
    }
}

static void test_every_kind_and_every_access_has_its_word(void)
{
    static const char *const kinds[] = {"none", "data", "fetch", "stack"};
    static const struct {
        uint8_t access;
        const char *word;
    } accesses[] = {{METE_ACCESS_READ, "read"},
                    {METE_ACCESS_WRITE, "write"},
                    {METE_ACCESS_EXECUTE, "execute"},
                    {METE_ACCESS_READ | METE_ACCESS_WRITE, "unknown"},
                    {0U, "unknown"}};
    for (unsigned kind = 0U; kind <= (unsigned)METE_VIOLATION_STACK; kind++) {
        for (size_t i = 0U; i < sizeof accesses / sizeof accesses[0]; i++) {
            setup();
            report.what.kind = (mete_violation_kind_t)kind;
            report.what.access = accesses[i].access;
            mete_violations_report_write(&report, sink);
            want("violation task=reader verdict=denied kind=");
            want(kinds[kind]);
            want(" access=");
            want(accesses[i].word);
            want_numbers("secrets");
            EXPECT(is_as_wanted());
        }
    }
}

static void test_a_sink_that_takes_less_loses_the_rest(void)
{
    setup();
    written.takes = 13U;
    mete_violations_report_write(&report, sink);
    want("violation tas");
    EXPECT(is_as_wanted());
}

int main(void)
{
    RUN(test_what_is_known_is_one_line);
    RUN(test_what_is_not_known_is_said_to_be_unknown);
    RUN(test_memory_that_is_nobodys_is_none);
    RUN(test_every_verdict_has_its_word);
    RUN(test_every_kind_and_every_access_has_its_word);
    RUN(test_a_sink_that_takes_less_loses_the_rest);
    return tap_finish();
}
