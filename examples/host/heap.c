// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A heap for what has no fixed size: blocks grow in place while they can, move when they must, and
// what is given back joins its neighbours.

#include "mete/alloc/heap.h"

#include <stdio.h>
#include <string.h>

METE_HEAP_DEFINE(app, 8192);

static void show(const mete_heap_t *heap, const char *what)
{
    const mete_heap_usage_t usage = mete_heap_usage(heap);
    printf("%-21s free memory in %s, %zu refused\n", what,
           (usage.free_count == 1U) ? "one piece" : "pieces", usage.refusals);
}

int main(void)
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    char *text = (heap != NULL) ? mete_heap_alloc(heap, 64U) : NULL;
    if (text == NULL) {
        return 1;
    }
    memcpy(text, "Hello, heap!", 13U);
    show(heap, "one string:");

    const char *const before = text;
    text = mete_heap_realloc(heap, text, 100U);
    printf("grown to 100 bytes %s\n", (text == before) ? "in place" : "elsewhere");
    void *const wall = mete_heap_alloc(heap, 80U);
    text = mete_heap_realloc(heap, text, 1000U);
    printf("grown to 1000 bytes %s: %s\n", (text == before) ? "in place" : "elsewhere", text);
    show(heap, "a hole where it was:");

    void *const buffer = mete_heap_alloc_aligned(heap, 512U, 256U);
    printf("buffer for DMA %s\n",
           ((uintptr_t)buffer % 256U == 0U) ? "aligned to 256" : "misplaced");
    printf("10000 bytes: %s\n", (mete_heap_alloc(heap, 10000U) == NULL) ? "refused" : "granted");
    show(heap, "more than there is:");

    mete_heap_free(heap, wall);
    mete_heap_free(heap, buffer);
    mete_heap_free(heap, text);
    show(heap, "all given back:");
    printf("bookkeeping %s\n", mete_heap_check(heap) ? "sound" : "damaged");
    return 0;
}
