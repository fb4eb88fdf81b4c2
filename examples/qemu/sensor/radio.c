// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A packet is kept, and what goes on air is a clone of it: sent again, it is not copied again.

#include "examples/qemu/sensor/radio.h"

#include "examples/qemu/sensor/gateway.h"
#include "examples/qemu/sensor/memory.h"
#include "examples/qemu/sensor/mistake.h"
#include "mete/alloc/pool.h"
#include "mete/object/fixed.h"

enum {
    QUEUE_MAX = 120,
    HEAD_MAX = 8,
    STORAGE_MAX = 4,
    HEADROOM = 16,
    PACKET_SIZE = HEADROOM + BATCH_SIZE_MAX,
    ALIGN = 8,
    AIR_MS = 6,
    WAIT_MS = 100,
    ATTEMPT_MAX = 6,
    MISTAKE_EVERY = 50  // Batches, if one is made.
};

METE_FIXED_RING(queue, batch_t, QUEUE_MAX);
static queue_t queue;

// ---- Packets

// What lies in the radio's bank.
typedef struct contents {
    mete_netbuf_t heads[HEAD_MAX];
    unsigned char storages[STORAGE_MAX][METE_NETBUF_STORAGE_SIZE(PACKET_SIZE, ALIGN)]
        __attribute__((aligned(ALIGN)));
} contents_t;
_Static_assert(sizeof(contents_t) <= BANK_SIZE, "packets fit into the bank");

static uint16_t head_links[HEAD_MAX], storage_links[STORAGE_MAX];
static mete_pool_t heads, storages;
static mete_netbuf_pool_t net;
static uint32_t batch_number, made_count;

// Pools keep their books elsewhere and read no free block: what their bank forgets while they are empty is not missed.
static bool open_pools(mete_span_t bank)
{
    static mete_pool_config_t head_config, storage_config;
    contents_t *const contents = bank.start;
    head_config =
        (mete_pool_config_t){contents->heads, head_links, sizeof contents->heads[0], HEAD_MAX};
    storage_config = (mete_pool_config_t){contents->storages, storage_links,
                                          sizeof contents->storages[0], STORAGE_MAX};
    return mete_pool_init(&heads, &head_config) && mete_pool_init(&storages, &storage_config);
}

static bool open_net(void)
{
    static mete_netbuf_config_t config;
    config = (mete_netbuf_config_t){.heads = mete_pool_as_alloc(&heads),
                                    .storages = mete_pool_as_alloc(&storages),
                                    .size = PACKET_SIZE,
                                    .align = ALIGN,
                                    .headroom = HEADROOM,
                                    .storage_max = STORAGE_MAX,
                                    .chain_max = 1U};
    return mete_netbuf_init(&net, &config);
}

bool radio_init(void)
{
    batch_number = 0U;
    made_count = 0U;
    queue_reset(&queue);
    const bool is_open = open_pools(memory_wake_radio()) && open_net();
    memory_leave_radio(false);
    return is_open;
}

static mete_netbuf_t *make_packet(const batch_t *batch)
{
    mete_netbuf_t *const packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
    const void *const bytes = (packet != NULL) ? memory_pin(batch->bytes) : NULL;
    if (bytes == NULL) {
        mete_netbuf_drop(packet);
        return NULL;
    }
    const batch_header_t header = {batch_number, batch->size, batch->crc};
    mete_words_copy(mete_netbuf_put(packet, batch->size), bytes, batch->size);
    mete_words_copy(mete_netbuf_push(packet, sizeof header), &header, sizeof header);
    mete_movable_unpin(&store, batch->bytes);
    return packet;
}

// ---- Sending

static bool is_time_for(mistake_t which)
{
    return (mistake == which) && (made_count % MISTAKE_EVERY == 0U);
}

static bool send_once(const mete_netbuf_t *packet)
{
    memory_work(AIR_MS);
    mete_netbuf_t *const clone = mete_netbuf_clone(packet);
    return (clone != NULL) && (gateway_receive(clone) || (mistake == MISTAKE_NO_RETRY));
}

// Between attempts the node sleeps, and the packet must not be lost.
static bool send_packet(const mete_netbuf_t *packet)
{
    bool is_done = send_once(packet);
    for (size_t i = 1U; !is_done && (i < ATTEMPT_MAX); i++) {
        memory_leave_radio(true);
        memory_idle(WAIT_MS);
        (void)memory_wake_radio();
        is_done = send_once(packet);
    }
    return is_done;
}

// The oldest batch.
static bool send_next(void)
{
    batch_t batch = *queue_first(&queue);
    mete_netbuf_t *const packet = make_packet(&batch);
    const bool is_done = (packet != NULL) && send_packet(packet);
    if (!is_time_for(MISTAKE_REFERENCE)) {
        mete_netbuf_drop(packet);
    }
    if (is_done) {
        (void)queue_take(&queue, &batch);
        if (!is_time_for(MISTAKE_LEAK)) {
            mete_movable_free(&store, batch.bytes);
        }
        batch_number++;
    }
    made_count++;
    return is_done;
}

static bool has_packets(void)
{
    return (mete_pool_usage(&heads).in_use != 0U) || (mete_pool_usage(&storages).in_use != 0U);
}

void radio_send(size_t packet_max)
{
    if ((radio_waiting() == 0U) || !gateway_is_on(memory_now_ms())) {
        return;
    }
    (void)memory_wake_radio();
    bool goes_on = true;
    for (size_t i = 0U; goes_on && (i < packet_max) && (radio_waiting() != 0U); i++) {
        goes_on = send_next();
    }
    memory_leave_radio(has_packets());
}

bool radio_append(batch_t batch)
{
    const bool fits = queue_append(&queue, batch);
    if (!fits) {
        mete_movable_free(&store, batch.bytes);
    }
    return fits;
}

size_t radio_waiting(void)
{
    return queue_count(&queue);
}

bool radio_is_clean(void)
{
    const mete_netbuf_usage_t usage = mete_netbuf_usage(&net);
    return !has_packets() && (usage.in_use == 0U) && (usage.head_count == 0U) &&
           (usage.send_refusals == 0U) && mete_pool_check(&heads) && mete_pool_check(&storages);
}
