// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Bytes up to a word boundary, words as long as there are any, then the bytes that are left.
// Compilers recognise such loops and replace them by calls to memcpy() and memset(), which are libc:
// KEEP hides from them that the pointer only ever steps by one. `make dist` puts this into headers,
// so it must be valid C++ too: hence the casts of void *.

#include "mete/core/words.h"

typedef uintptr_t __attribute__((may_alias)) word_t;

#define KEEP(pointer)   __asm__("" : "+r"(pointer))
#define MISFIT(pointer) ((uintptr_t)(pointer) % sizeof(word_t))

// Forwards, four words read before one is written: mete_words_move() depends on both.
void mete_words_copy(void *to, const void *from, size_t size)
{
    unsigned char *out = (unsigned char *)to;
    const unsigned char *in = (const unsigned char *)from;
    const unsigned char *const end = in + size;
    if (MISFIT(out) == MISFIT(in)) {
        while ((in != end) && (MISFIT(in) != 0U)) {
            *out++ = *in++;
            KEEP(out);
        }
        while ((size_t)(end - in) >= 4U * sizeof(word_t)) {
            const word_t *const w = (const word_t *)(const void *)in;
            word_t *const v = (word_t *)(void *)out;
            const word_t a = w[0], b = w[1], c = w[2], d = w[3];
            v[0] = a, v[1] = b, v[2] = c, v[3] = d;
            in += 4U * sizeof(word_t);
            out += 4U * sizeof(word_t);
            KEEP(out);
        }
        while ((size_t)(end - in) >= sizeof(word_t)) {
            *(word_t *)(void *)out = *(const word_t *)(const void *)in;
            in += sizeof(word_t);
            out += sizeof(word_t);
            KEEP(out);
        }
    }
    while (in != end) {
        *out++ = *in++;
        KEEP(out);
    }
}

// Forwards if it goes down or nothing overlaps, else from the end: its own mirror image.
void mete_words_move(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        mete_words_copy(to, from, size);
        return;
    }
    const unsigned char *const start = (const unsigned char *)from;
    unsigned char *out = (unsigned char *)to + size;
    const unsigned char *in = start + size;
    if (MISFIT(out) == MISFIT(in)) {
        while ((in != start) && (MISFIT(in) != 0U)) {
            *--out = *--in;
            KEEP(out);
        }
        while ((size_t)(in - start) >= 4U * sizeof(word_t)) {
            in -= 4U * sizeof(word_t);
            out -= 4U * sizeof(word_t);
            const word_t *const w = (const word_t *)(const void *)in;
            word_t *const v = (word_t *)(void *)out;
            const word_t a = w[0], b = w[1], c = w[2], d = w[3];
            v[0] = a, v[1] = b, v[2] = c, v[3] = d;
            KEEP(out);
        }
        while ((size_t)(in - start) >= sizeof(word_t)) {
            in -= sizeof(word_t);
            out -= sizeof(word_t);
            *(word_t *)(void *)out = *(const word_t *)(const void *)in;
            KEEP(out);
        }
    }
    while (in != start) {
        *--out = *--in;
        KEEP(out);
    }
}

void mete_words_fill(void *to, uint8_t byte, size_t size)
{
    unsigned char *out = (unsigned char *)to;
    unsigned char *const end = out + size;
    const word_t pattern = (UINTPTR_MAX / 255U) * byte;
    while ((out != end) && (MISFIT(out) != 0U)) {
        *out++ = byte;
        KEEP(out);
    }
    while ((size_t)(end - out) >= sizeof(word_t)) {
        *(word_t *)(void *)out = pattern;
        out += sizeof(word_t);
        KEEP(out);
    }
    while (out != end) {
        *out++ = byte;
        KEEP(out);
    }
}

size_t mete_words_scan(const void *from, uint8_t byte, size_t size)
{
    const unsigned char *const start = (const unsigned char *)from;
    const unsigned char *in = start;
    const unsigned char *const end = in + size;
    const word_t pattern = (UINTPTR_MAX / 255U) * byte;
    while ((in != end) && (MISFIT(in) != 0U) && (*in == byte)) {
        in++;
    }
    while ((MISFIT(in) == 0U) && ((size_t)(end - in) >= sizeof(word_t)) &&
           (*(const word_t *)(const void *)in == pattern)) {
        in += sizeof(word_t);
    }
    while ((in != end) && (*in == byte)) {
        in++;
    }
    return (size_t)(in - start);
}
