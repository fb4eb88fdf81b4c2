// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Parsers that are costly to make: made once, used by every connection in turn, given back when few are needed.

#include "mete/object/object.h"
#include "mete/alloc/heap.h"

#include <stdio.h>

typedef struct parser {
    unsigned table[16];  // What is costly.
    unsigned line_size;
} parser_t;

static bool construct(void *self, void *object)
{
    (void)self;
    parser_t *const parser = object;
    for (unsigned i = 0U; i < 16U; i++) {
        parser->table[i] = i * i;
    }
    parser->line_size = 0U;
    return true;
}

static void reset(void *self, void *object)
{
    (void)self;
    ((parser_t *)object)->line_size = 0U;  // The table stays.
}

METE_HEAP_DEFINE(app, 8192);
METE_OBJECT_DEFINE(parsers, parser_t, 8, construct, reset, NULL);

static unsigned parse(mete_alloc_t from)
{
    METE_SCOPED(parser_t, parser, from);  // Goes back by itself.
    return (parser != NULL) ? parser->table[5] : 0U;
}

int main(void)
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    if ((heap == NULL) || !mete_object_init(&parsers, mete_heap_as_alloc(heap), &parsers_config) ||
        !mete_object_reserve(&parsers, 3U)) {
        return 1;
    }
    parser_t *const first = mete_object_get(&parsers);
    parser_t *const second = mete_object_get(&parsers);
    printf("parsed       %u\n", parse(mete_object_as_alloc(&parsers)));
    mete_object_put(&parsers, first);
    printf("taken out    %s\n", mete_object_take(&parsers, second) ? "one, for good" : "none");
    printf("given back   %zu\n", mete_object_shrink(&parsers, 1U));
    const mete_object_usage_t usage = mete_object_usage(&parsers);
    printf("now          %zu, %zu in use\n", usage.object_count, usage.in_use);
    printf("made         %zu for %zu uses\n", usage.create_total, usage.get_total);
    mete_release(mete_heap_as_alloc(heap), second, mete_object_block_size(&parsers),
                 parsers_config.align);
    return 0;
}
