// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The four functions that gcc may call even from freestanding code (gcc manual, "Language Standards
// Supported by GCC"): an application that assigns a large struct needs them. The library itself does
// not; linked in only where called.

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);

// A loop that copies or fills must not become a call of the function that it is in. A compiler that
// takes each turn for a change of all memory lets the loop stand.
static void keep_the_loop(void)
{
    __asm volatile("" ::: "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *const target = to;
    const unsigned char *const source = from;
    for (size_t i = 0U; i < size; i++) {
        target[i] = source[i];
        keep_the_loop();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *const target = to;
    const unsigned char *const source = from;
    if (target < source) {
        return memcpy(to, from, size);  // Ours copies upwards, which is what an overlap needs here.
    }
    for (size_t i = size; i != 0U; i--) {
        target[i - 1U] = source[i - 1U];
        keep_the_loop();
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    unsigned char *const target = to;
    for (size_t i = 0U; i < size; i++) {
        target[i] = (unsigned char)byte;
        keep_the_loop();
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *const a = left;
    const unsigned char *const b = right;
    for (size_t i = 0U; i < size; i++) {
        if (a[i] != b[i]) {
            return (int)a[i] - (int)b[i];
        }
    }
    return 0;
}
