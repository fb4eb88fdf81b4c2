// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A message gets two headers in front without being moved, and is sent while a clone waits for the answer. What comes
// in is served from a reserve when senders have taken all they may.

#include "mete/object/netbuf.h"
#include "mete/alloc/pool.h"
#include "mete/core/words.h"

#include <stdio.h>

enum { SIZE = 64, LINE = 32, COUNT = 4 };

typedef struct storage {
    unsigned char bytes[METE_NETBUF_STORAGE_SIZE(SIZE, LINE)] __attribute__((aligned(LINE)));
} storage_t;

METE_POOL_DEFINE(heads, mete_netbuf_t, 8);
METE_POOL_DEFINE(storages, storage_t, COUNT);
static mete_netbuf_pool_t net;

static size_t take_all(mete_netbuf_use_t use, mete_netbuf_t **packets)
{
    size_t count = 0U;
    while ((packets[count] = mete_netbuf_get(&net, use)) != NULL) {
        count++;
    }
    return count;
}

int main(void)
{
    const mete_netbuf_config_t config = {.heads = mete_pool_as_alloc(&heads),
                                         .storages = mete_pool_as_alloc(&storages),
                                         .size = SIZE,
                                         .align = LINE,
                                         .headroom = 16U,
                                         .storage_max = COUNT,
                                         .receive_reserve = 1U,
                                         .chain_max = 2U};
    const bool is_ready = mete_pool_init(&heads, &heads_config) &&
                          mete_pool_init(&storages, &storages_config) &&
                          mete_netbuf_init(&net, &config);
    mete_netbuf_t *const packet = is_ready ? mete_netbuf_get(&net, METE_NETBUF_SEND) : NULL;
    if (packet == NULL) {
        return 1;
    }
    mete_words_copy(mete_netbuf_put(packet, 4U), "ping", 4U);
    mete_words_copy(mete_netbuf_push(packet, 4U), "UDP ", 4U);
    mete_words_copy(mete_netbuf_push(packet, 3U), "IP ", 3U);
    printf("%.*s\n", (int)packet->size, (const char *)packet->start);
    mete_netbuf_t *const waiting = mete_netbuf_clone(packet);
    printf("room in front: %zu while it is shared, ", mete_netbuf_headroom(packet));
    mete_netbuf_drop(packet);  // Sent.
    printf("%zu when it is not\n", mete_netbuf_headroom(waiting));
    mete_netbuf_t *packets[COUNT + 1];
    const size_t sent = take_all(METE_NETBUF_SEND, packets);
    printf("%zu more to send, %zu to receive\n", sent, take_all(METE_NETBUF_RECEIVE, packets));
    return 0;
}
