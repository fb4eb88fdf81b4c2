// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/text.h"

#include "tests/support/tap.h"

typedef struct page {
    char bytes[80];
    size_t size;
} page_t;

static size_t write_page(void *self, const void *bytes, size_t size)
{
    page_t *const page = (page_t *)self;
    size_t taken = 0U;
    while ((taken < size) && (page->size < sizeof page->bytes)) {
        page->bytes[page->size] = ((const char *)bytes)[taken];
        page->size++;
        taken++;
    }
    return taken;
}

static bool reads(const page_t *page, const char *text)
{
    size_t i = 0U;
    while ((i < page->size) && (page->bytes[i] == text[i]) && (text[i] != '\0')) {
        i++;
    }
    return (i == page->size) && (text[i] == '\0');
}

static bool decimal_reads(size_t value, const char *text)
{
    page_t page = {{0}, 0U};
    const mete_sink_t sink = {write_page, &page};
    mete_text_decimal(sink, value);
    return reads(&page, text);
}

static bool hex_reads(uintptr_t value, const char *text)
{
    page_t page = {{0}, 0U};
    const mete_sink_t sink = {write_page, &page};
    mete_text_hex(sink, value);
    return reads(&page, text);
}

static void test_strings_are_written_up_to_their_end(void)
{
    page_t page = {{0}, 0U};
    const mete_sink_t sink = {write_page, &page};
    mete_text_string(sink, "");
    EXPECT(page.size == 0U);
    mete_text_string(sink, "one, ");
    mete_text_string(sink, "two\n");
    EXPECT(reads(&page, "one, two\n"));
}

static void test_decimal_has_no_padding(void)
{
    EXPECT(decimal_reads(0U, "0") && decimal_reads(9U, "9") && decimal_reads(10U, "10"));
    EXPECT(decimal_reads(4294967295U, "4294967295") && decimal_reads(1000000U, "1000000"));
    EXPECT((sizeof(size_t) < 8U) || decimal_reads(SIZE_MAX, "18446744073709551615"));
}

static void test_hex_is_as_wide_as_a_pointer(void)
{
    const bool is_wide = sizeof(uintptr_t) == 8U;
    EXPECT(hex_reads(0U, is_wide ? "0x0000000000000000" : "0x00000000"));
    EXPECT(hex_reads(0x2001ABCDU, is_wide ? "0x000000002001abcd" : "0x2001abcd"));
    EXPECT(hex_reads(UINTPTR_MAX, is_wide ? "0xffffffffffffffff" : "0xffffffff"));
}

static void test_a_sink_says_how_much_it_took(void)
{
    page_t page = {{0}, 78U};
    const mete_sink_t sink = {write_page, &page};
    EXPECT(mete_sink_write(sink, "abc", 3U) == 2U);
    EXPECT(mete_sink_write(sink, "abc", 3U) == 0U);
    EXPECT((page.bytes[78] == 'a') && (page.bytes[79] == 'b'));
}

int main(void)
{
    RUN(test_strings_are_written_up_to_their_end);
    RUN(test_decimal_has_no_padding);
    RUN(test_hex_is_as_wide_as_a_pointer);
    RUN(test_a_sink_says_how_much_it_took);
    return tap_finish();
}
