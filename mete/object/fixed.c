// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What is worth a call: characters are copied a word at a time where they can be.

#include "mete/object/fixed.h"

bool mete_fixed_append(size_t *length, char *text, size_t capacity, const void *bytes, size_t size)
{
    METE_ASSERT((length != NULL) && (text != NULL) && ((bytes != NULL) || (size == 0U)));
    if ((METE_CHECK_LEVEL >= 1) && (*length > capacity)) {
        METE_FAULT(METE_FAULT_CORRUPT, length, NULL);
        return false;
    }
    const bool fits = size <= capacity - *length;
    if (fits) {
        if (size != 0U) {  // NULL has nothing behind it, not even nothing.
            mete_words_copy(&text[*length], bytes, size);
        }
        *length += size;
        text[*length] = '\0';
    }
    return fits;
}

size_t mete_fixed_length(const char *text, size_t limit)
{
    METE_ASSERT(text != NULL);
    size_t length = 0U;
    while ((length < limit) && (text[length] != '\0')) {
        length++;
        __asm__("" : "+r"(length));  // Else compilers see strlen() in this, which is libc.
    }
    return length;
}
