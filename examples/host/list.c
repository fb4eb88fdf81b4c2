// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A list in two KiB: blocks of any size, what is given back joins its neighbours, and a header that was
// overwritten is recognised.

#include "mete/alloc/list.h"

#include <stdio.h>
#include <string.h>

METE_LIST_DEFINE(app, 2048);

static void show(const mete_list_t *list, const char *what)
{
    const mete_list_usage_t usage = mete_list_usage(list);
    printf("%-18s free blocks: %zu\n", what, usage.free_count);
}

int main(void)
{
    mete_list_t *const list = mete_list_init(&app_config);
    char *const name = (list != NULL) ? mete_list_alloc(list, 24U) : NULL;
    unsigned char *const packet = (list != NULL) ? mete_list_alloc(list, 300U) : NULL;
    if ((name == NULL) || (packet == NULL)) {
        return 1;
    }
    memcpy(name, "Hello, list!", 13U);
    show(list, name);

    if (mete_list_resize(list, packet, 100U) && mete_list_resize(list, packet, 200U)) {
        printf("packet cut and grown where it stands\n");
    }
    mete_list_free(list, name);
    show(list, "a hole in front:");

    void *const buffer = mete_list_alloc_aligned(list, 64U, 64U);
    printf("buffer for DMA %s\n", ((uintptr_t)buffer % 64U == 0U) ? "aligned to 64" : "misplaced");
    printf("5000 bytes: %s\n", (mete_list_alloc(list, 5000U) == NULL) ? "refused" : "granted");

    mete_list_free(list, packet);
    mete_list_free(list, buffer);
    show(list, "all given back:");

    unsigned char *const block = mete_list_alloc(list, 12U);
    printf("bookkeeping %s\n", mete_list_check(list) ? "sound" : "damaged");
    memset(block, 0x55, mete_list_size_of(list, block) + 4U);  // Runs over the end.
    printf("bookkeeping %s\n", mete_list_check(list) ? "sound" : "damaged");
    return 0;
}
