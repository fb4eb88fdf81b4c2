// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/core/text.h"

// Enough for SIZE_MAX in decimal: 2.41 digits a byte.
enum { DECIMAL_DIGITS_MAX = 3U * sizeof(size_t), HEX_DIGITS = 2U * sizeof(uintptr_t) };

void mete_text_string(mete_sink_t sink, const char *string)
{
    const char *end = string;
    while (*end != '\0') {
        end++;
        // Else compilers recognise the loop and call strlen(), which is libc.
        __asm__("" : "+r"(end));
    }
    (void)mete_sink_write(sink, string, (size_t)(end - string));
}

void mete_text_decimal(mete_sink_t sink, size_t value)
{
    char digits[DECIMAL_DIGITS_MAX];
    size_t first = DECIMAL_DIGITS_MAX;
    do {
        first--;
        digits[first] = (char)('0' + (value % 10U));
        value /= 10U;
    } while (value != 0U);
    (void)mete_sink_write(sink, &digits[first], DECIMAL_DIGITS_MAX - first);
}

void mete_text_hex(mete_sink_t sink, uintptr_t value)
{
    char text[2U + HEX_DIGITS];
    text[0] = '0';
    text[1] = 'x';
    for (size_t i = 0U; i < HEX_DIGITS; i++) {
        const unsigned shift = 4U * (unsigned)(HEX_DIGITS - 1U - i);
        text[2U + i] = "0123456789abcdef"[(value >> shift) & 15U];
    }
    (void)mete_sink_write(sink, text, sizeof text);
}
