// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A pool of messages: take them one by one and in batches, run out, give back, look at the figures.

#include "mete/alloc/pool.h"

#include <stdio.h>

typedef struct message {
    unsigned sender;
    char text[12];
} message_t;

METE_POOL_DEFINE(inbox, message_t, 8);

static void print_usage(const char *when)
{
    const mete_pool_usage_t usage = mete_pool_usage(&inbox);
    printf("%-20s %zu of %zu in use (%u permille), peak %zu, refused %zu\n", when, usage.in_use,
           usage.block_count, (unsigned)usage.in_use_permille, usage.in_use_peak, usage.refusals);
}

int main(void)
{
    if (!mete_pool_init(&inbox, &inbox_config)) {
        return 1;
    }
    message_t *const message = mete_pool_alloc(&inbox);
    if (message == NULL) {
        return 1;
    }
    message->sender = 7U;
    (void)snprintf(message->text, sizeof message->text, "hello");
    printf("message from %u: %s\n", message->sender, message->text);
    print_usage("one message:");

    void *batch[6];
    if (mete_pool_alloc_many(&inbox, batch, 6U)) {
        print_usage("and a batch of six:");
    }
    void *more[2];
    if (!mete_pool_alloc_many(&inbox, more, 2U)) {  // One is left: all or none.
        print_usage("two more refused:");
    }
    mete_pool_free(&inbox, message);
    mete_pool_free_many(&inbox, batch, 6U);
    print_usage("all given back:");

    const mete_pool_usage_t usage = mete_pool_usage(&inbox);
    printf("%zu taken, %zu given back, bookkeeping %s\n", usage.alloc_total, usage.free_total,
           mete_pool_check(&inbox) ? "sound" : "damaged");
    return 0;
}
