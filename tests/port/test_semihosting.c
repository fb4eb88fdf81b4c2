// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

#include "port/io/semihosting.h"

static const char path[] = "semihosting.tmp";
static const char text[] = "zero\0is a byte too\r\n";

static bool equal(const char *left, const char *right, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        if (left[i] != right[i]) {
            return false;
        }
    }
    return true;
}

static void test_a_file_keeps_what_was_written(void)
{
    mete_semihosting_file_t file;
    EXPECT(mete_semihosting_open(&file, path, METE_SEMIHOSTING_WRITE));
    EXPECT(mete_semihosting_write(&file, text, sizeof text) == sizeof text);
    EXPECT(mete_semihosting_close(&file));

    char back[sizeof text + 8U] = {0};
    EXPECT(mete_semihosting_open(&file, path, METE_SEMIHOSTING_READ));
    EXPECT(mete_semihosting_read(&file, back, sizeof back) == sizeof text);
    EXPECT(mete_semihosting_read(&file, back, sizeof back) == 0U);
    EXPECT(mete_semihosting_close(&file));
    EXPECT(equal(back, text, sizeof text));
}

static void test_a_missing_file_is_refused(void)
{
    mete_semihosting_file_t file;
    EXPECT(!mete_semihosting_open(&file, "no/such/file", METE_SEMIHOSTING_READ));
    EXPECT(mete_semihosting_write(&file, "a", 1U) == 0U);
    char byte = 0;
    EXPECT(mete_semihosting_read(&file, &byte, 1U) == 0U);
    EXPECT(!mete_semihosting_close(&file));
}

// The runner looks for this line: one that is longer than a chunk, and has a NUL inside.
static void test_text_of_any_length_is_shown(void)
{
    static const char line[] =
        "# 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789\0!\n";
    EXPECT(mete_semihosting_write_text(NULL, line, sizeof line - 1U) == sizeof line - 1U);
}

int main(void)
{
    RUN(test_a_file_keeps_what_was_written);
    RUN(test_a_missing_file_is_refused);
    RUN(test_text_of_any_length_is_shown);
    return tap_finish();
}
