// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Connections in slabs from a heap: grow as clients come, keep what is constructed, give back what is
// empty when they have gone.

#include "mete/alloc/slab.h"
#include "mete/alloc/heap.h"

#include <stdio.h>

typedef struct connection {
    unsigned use_count;  // Set up once for each object, not for each use.
    unsigned char buffer[92];
} connection_t;

static void construct(void *self, void *block)
{
    (void)self;
    ((connection_t *)block)->use_count = 0U;
}

METE_HEAP_DEFINE(app, 8192);
METE_SLAB_DEFINE(connections, connection_t, 8, 4, construct);  // Eight a slab, at most four slabs.

static void print_usage(const char *when)
{
    const mete_slab_usage_t usage = mete_slab_usage(&connections);
    printf("%-12s %2zu of %2zu in use, %zu slabs, refused %zu\n", when, usage.in_use,
           usage.block_count, usage.slab_count, usage.refusals);
}

int main(void)
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    if ((heap == NULL) ||
        !mete_slab_init(&connections, mete_heap_as_alloc(heap), &connections_config)) {
        return 1;
    }
    connection_t *clients[20];
    for (size_t i = 0U; i < 20U; i++) {
        clients[i] = mete_slab_alloc(&connections);
        if (clients[i] == NULL) {
            return 1;
        }
        clients[i]->use_count++;
    }
    print_usage("20 clients:");
    for (size_t i = 4U; i < 20U; i++) {
        mete_slab_free(&connections, clients[i]);
    }
    print_usage("16 left:");
    printf("given back   %zu slabs to the heap\n", mete_slab_purge(&connections));
    print_usage("purged:");

    const connection_t *const again = mete_slab_alloc(&connections);
    printf("used before  %u times\n", (again != NULL) ? again->use_count : 0U);
    printf("reserve 50   %s\n", mete_slab_reserve(&connections, 50U) ? "done" : "is too much");
    return 0;
}
