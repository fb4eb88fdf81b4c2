// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What is written is compared with what is wanted, byte by byte. Addresses have as many digits as a pointer, so
// what is wanted is put together here.

#include "mete/protect/map_report.c"

#include "mete/protect/map.h"
#include "tests/support/tap.h"

enum { REGION_MAX = 3, TEXT_SIZE = 1000 };

typedef struct page {
    char bytes[TEXT_SIZE];
    size_t size;
} page_t;

static page_t written;
static page_t wanted;

static size_t write_page(void *self, const void *bytes, size_t size)
{
    page_t *const page = self;
    const char *const from = bytes;
    for (size_t i = 0U; (i < size) && (page->size < TEXT_SIZE); i++) {
        page->bytes[page->size] = from[i];
        page->size++;
    }
    return size;
}

static const mete_sink_t sink = {write_page, &written};

static void want(const char *text)
{
    mete_text_string((mete_sink_t){write_page, &wanted}, text);
}

static void want_place(uintptr_t start, uintptr_t last)
{
    want("map start=");
    mete_text_hex((mete_sink_t){write_page, &wanted}, start);
    want(" last=");
    mete_text_hex((mete_sink_t){write_page, &wanted}, last);
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

static size_t some_in_use(const void *self)
{
    (void)self;
    return 1200U;
}

static const mete_map_region_t stack = {.name = "main stack",
                                        .start = 0x9000U,
                                        .size = 0x2000U,
                                        .kind = METE_MAP_STACK,
                                        .rights = {0U, METE_ACCESS_READ | METE_ACCESS_WRITE}};
static const mete_map_region_t heap = {.name = "heap",
                                       .start = 0x1000U,
                                       .size = 0x8000U,
                                       .kind = METE_MAP_HEAP,
                                       .rights = {METE_ACCESS_READ, METE_ACCESS_ALL},
                                       .attributes = METE_REGION_FAST,
                                       .in_use = some_in_use};
static const mete_map_region_t end = {.name = "end",
                                      .start = UINTPTR_MAX - 3U,
                                      .size = 4U,
                                      .kind = METE_MAP_STACK,
                                      .rights = {METE_ACCESS_EXECUTE, 0U},
                                      .attributes = METE_REGION_ALL};

static mete_map_region_t regions[REGION_MAX];
static const mete_map_config_t config = {regions, REGION_MAX};
static mete_map_t map;

static void setup(void)
{
    written.size = 0U;
    wanted.size = 0U;
    EXPECT(mete_map_init(&map, &config));
    EXPECT(mete_map_add(&map, &stack).verdict == METE_MAP_ADDED);
    EXPECT(mete_map_add(&map, &heap).verdict == METE_MAP_ADDED);
}

static void want_heap(void)
{
    want_place(0x1000U, 0x8FFFU);
    want(" size=32768 in_use=1200 kind=heap privileged=rwx unprivileged=r-- attributes=fast "
         "name=heap\n");
}

static void test_every_region_and_the_sums_of_every_kind_are_written(void)
{
    setup();
    EXPECT(mete_map_add(&map, &end).verdict == METE_MAP_ADDED);
    want_heap();
    want_place(0x9000U, 0xAFFFU);
    want(" size=8192 in_use=8192 kind=stack privileged=rw- unprivileged=--- attributes=none "
         "name=main stack\n");
    want_place(UINTPTR_MAX - 3U, UINTPTR_MAX);
    want(" size=4 in_use=4 kind=stack privileged=--- unprivileged=--x "
         "attributes=dma,executable,retained,fast,"
         "external,encrypted,shared,cacheable name=end\n");
    want("map kind=stack regions=2 size=8196 in_use=8196\n");
    want("map kind=heap regions=1 size=32768 in_use=1200\n");
    want("map regions=3 max=3 table=sound\n");
    EXPECT(mete_map_report_write(&map, sink) && is_as_wanted());
}

static void test_a_map_without_regions_is_one_line(void)
{
    setup();
    EXPECT(mete_map_init(&map, &config) && mete_map_report_write(&map, sink));
    want("map regions=0 max=3 table=sound\n");
    EXPECT(is_as_wanted());
}

static void test_of_a_damaged_map_no_name_is_followed(void)
{
    setup();
    regions[0].name = NULL;
    EXPECT(!mete_map_report_write(&map, sink));
    want("map regions=2 max=3 table=damaged\n");
    EXPECT(is_as_wanted());
    regions[0].name = "heap";
    map.region_count = 70U;
    EXPECT(!mete_map_report_write(&map, sink));
    want("map regions=70 max=3 table=damaged\n");
    EXPECT(is_as_wanted() && (tap_take_fault() == 0));
}

static void test_every_kind_has_its_word(void)
{
    static const char *const words[] = {"code", "data",   "bss",     "stack",
                                        "heap", "device", "reserved"};
    setup();
    for (unsigned kind = 0U; kind < METE_MAP_KIND_COUNT; kind++) {
        mete_map_region_t region = stack;
        region.kind = (mete_map_kind_t)kind;
        EXPECT(mete_map_init(&map, &config));
        EXPECT(mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
        EXPECT(mete_map_report_write(&map, sink));
        want_place(0x9000U, 0xAFFFU);
        want(" size=8192 in_use=8192 kind=");
        want(words[kind]);
        want(" privileged=rw- unprivileged=--- attributes=none name=main stack\nmap kind=");
        want(words[kind]);
        want(" regions=1 size=8192 in_use=8192\nmap regions=1 max=3 table=sound\n");
        EXPECT(is_as_wanted());
    }
}

static void test_a_region_that_was_hit_is_one_line(void)
{
    setup();
    mete_map_report_write_region(mete_map_find(&map, 0x8FFFU), sink);
    want_heap();
    EXPECT(is_as_wanted());
}

static void try_to_add(const char *name, uintptr_t start, size_t size)
{
    mete_map_region_t region = heap;
    region.name = name;
    region.start = start;
    region.size = size;
    const mete_map_result_t result = mete_map_add(&map, &region);
    mete_map_report_write_result(&result, sink);
}

static void test_every_verdict_has_its_words(void)
{
    setup();
    try_to_add("heap", 0xA000U, 64U);
    want("map heap: overlaps main stack\n");
    try_to_add(NULL, 1U, 64U);
    want("map (no name): no name, or an unknown kind, right or attribute\n");
    try_to_add("none", 1U, 0U);
    want("map none: no bytes\n");
    try_to_add("far", 9U, SIZE_MAX);
    want("map far: runs past the end of the address space\n");
    try_to_add("low", 1U, 64U);
    want("map low: added\n");
    try_to_add("high", 0xB000U, 64U);
    want("map high: table is full\n");
    EXPECT(is_as_wanted());
}

static void test_a_map_that_was_hit_is_said_so(void)
{
    setup();
    map.region_count = 70U;
    try_to_add("late", 1U, 64U);
    want("map late: the map is damaged\n");
    EXPECT(is_as_wanted() && (tap_take_fault() == METE_FAULT_CORRUPT));
}

int main(void)
{
    RUN(test_every_region_and_the_sums_of_every_kind_are_written);
    RUN(test_a_map_without_regions_is_one_line);
    RUN(test_of_a_damaged_map_no_name_is_followed);
    RUN(test_every_kind_has_its_word);
    RUN(test_a_region_that_was_hit_is_one_line);
    RUN(test_every_verdict_has_its_words);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_a_map_that_was_hit_is_said_so);
    }
    return tap_finish();
}
