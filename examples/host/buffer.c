// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Lines from a serial port, which come in pieces that end anywhere.

#include "mete/object/buffer.h"
#include "mete/alloc/heap.h"

#include <stdio.h>

METE_HEAP_DEFINE(app, 4096);

static void print_lines(mete_buffer_t *input)
{
    const mete_span_t bytes = mete_buffer_span(input);
    const char *const text = bytes.start;
    size_t start = 0U;
    for (size_t i = 0U; i < bytes.size; i++) {
        if (text[i] == '\n') {
            printf("line         %.*s\n", (int)(i - start), &text[start]);
            start = i + 1U;
        }
    }
    (void)mete_buffer_consume(input, start);
}

int main(void)
{
    static const char *const pieces[] = {"temper", "ature 21.5\nhum", "idity 40\npress",
                                         "ure 1013\n"};
    static const mete_buffer_config_t config = {.size_min = 8, .size_max = 64};
    mete_heap_t *const heap = mete_heap_init(&app_config);
    mete_buffer_t input;
    if ((heap == NULL) || !mete_buffer_init(&input, mete_heap_as_alloc(heap), &config)) {
        return 1;
    }
    for (size_t i = 0U; i < 4U; i++) {
        size_t size = 0U;
        while (pieces[i][size] != '\0') {
            size++;
        }
        if (!mete_buffer_append(&input, pieces[i], size)) {
            return 1;
        }
        print_lines(&input);
    }
    printf("left         %zu bytes in %zu\n", mete_buffer_span(&input).size,
           mete_buffer_size_of(&input));
    printf("100 bytes    %s\n", mete_buffer_reserve(&input, 100U) ? "fit" : "are too many");
    mete_buffer_purge(&input);
    return 0;
}
