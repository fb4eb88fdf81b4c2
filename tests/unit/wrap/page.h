// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_PAGE_H
#define METE_TEST_PAGE_H

/// A sink that keeps what is written, to be compared with what was wanted.

#include "mete/core/sink.h"
#include "mete/core/words.h"

#include <stdbool.h>

typedef struct page {
    char text[400];
    size_t size;
} page_t;

static inline size_t page_write(void *self, const void *bytes, size_t size)
{
    page_t *const page = self;
    const size_t taken = (size <= sizeof page->text - page->size) ? size : 0U;
    mete_words_copy(&page->text[page->size], bytes, taken);
    page->size += taken;
    return taken;
}

/// Empties the page first.
static inline mete_sink_t page_sink(page_t *page)
{
    const mete_sink_t sink = {page_write, page};
    page->size = 0U;
    return sink;
}

static inline bool page_is(const page_t *page, const page_t *wanted)
{
    bool same = page->size == wanted->size;
    for (size_t i = 0U; same && (i < page->size); i++) {
        same = page->text[i] == wanted->text[i];
    }
    return same;
}

#endif
