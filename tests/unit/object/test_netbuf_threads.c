// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two threads, no lock: one makes packets and keeps a clone of each for a while, the other gets them through a ring, reads
// and drops them. Behind both stand lock-free pools. Each of the two has the last reference about half the time.
// Then one asks in vain to send, as often as it can, while the other receives.

#include "mete/alloc/atomic_pool.h"
#include "mete/object/fixed.h"
#include "mete/object/netbuf.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#include <pthread.h>
#include <sched.h>

enum { SIZE = 64, PACKET_COUNT = 60000, STORAGE_MAX = 8, KEPT_MAX = 4 };

typedef struct storage_block {
    unsigned char bytes[METE_NETBUF_STORAGE_SIZE(SIZE, 16)] __attribute__((aligned(16)));
} storage_block_t;

METE_ATOMIC_POOL_DEFINE(head_pool, mete_netbuf_t, 24, 0);
METE_ATOMIC_POOL_DEFINE(storage_pool, storage_block_t, STORAGE_MAX, 0);
METE_FIXED_RING(wire, mete_netbuf_t *, 3);

static mete_netbuf_config_t config;
static mete_netbuf_pool_t net;
static wire_t wire;
static size_t wrong;

static bool is_right(const mete_netbuf_t *packet)
{
    unsigned char bytes[SIZE];
    const size_t size = mete_netbuf_read(packet, 0U, bytes, sizeof bytes);
    bool is_same = size == 40U;
    for (size_t i = 1U; i < size; i++) {
        is_same = is_same && (bytes[i] == (unsigned char)(bytes[0] + i));
    }
    return is_same;
}

static mete_netbuf_t *make(unsigned first)
{
    mete_netbuf_t *packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
    while (packet == NULL) {  // The other thread holds the rest for now.
        (void)sched_yield();
        packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
    }
    unsigned char *const bytes = (unsigned char *)mete_netbuf_put(packet, 40U);
    for (size_t i = 0U; i < 40U; i++) {
        bytes[i] = (unsigned char)(first + i);
    }
    return packet;
}

static void *receive(void *argument)
{
    (void)argument;
    uint32_t random = 99U;
    for (size_t i = 0U; i < PACKET_COUNT; i++) {
        mete_netbuf_t *packet = NULL;
        while (!wire_take(&wire, &packet)) {
            (void)sched_yield();
        }
        if (random_below(&random, 4U) == 0U) {
            (void)mete_netbuf_linearise(packet, METE_NETBUF_RECEIVE);
        }
        if (!is_right(packet)) {
            (void)__atomic_add_fetch(&wrong, 1U, __ATOMIC_RELAXED);
        }
        mete_netbuf_drop(packet);
    }
    return NULL;
}

static void send_all(void)
{
    mete_netbuf_t *kept[KEPT_MAX] = {NULL};
    uint32_t random = 1U;
    for (size_t i = 0U; i < PACKET_COUNT; i++) {
        const size_t at = random_below(&random, KEPT_MAX);
        if ((kept[at] != NULL) && !is_right(kept[at])) {
            (void)__atomic_add_fetch(&wrong, 1U, __ATOMIC_RELAXED);
        }
        mete_netbuf_drop(kept[at]);
        kept[at] = NULL;
        mete_netbuf_t *const packet = make((unsigned)i);
        kept[at] = mete_netbuf_clone(packet);
        while (!wire_append(&wire, packet)) {
            (void)sched_yield();
        }
    }
    for (size_t at = 0U; at < KEPT_MAX; at++) {
        mete_netbuf_drop(kept[at]);
    }
}

static void setup(void)
{
    EXPECT(mete_atomic_pool_init(&head_pool, &head_pool_config));
    EXPECT(mete_atomic_pool_init(&storage_pool, &storage_pool_config));
    config = (mete_netbuf_config_t){.heads = mete_atomic_pool_as_alloc(&head_pool),
                                    .storages = mete_atomic_pool_as_alloc(&storage_pool),
                                    .size = SIZE,
                                    .align = 16U,
                                    .headroom = 8U,
                                    .storage_max = STORAGE_MAX,
                                    .receive_reserve = 1U,
                                    .chain_max = 2U};
    EXPECT(mete_netbuf_init(&net, &config));
}

static void test_packets_change_hands_without_a_lock(void)
{
    setup();
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, receive, NULL) == 0);
    send_all();
    EXPECT(pthread_join(thread, NULL) == 0);
    const mete_netbuf_usage_t usage = mete_netbuf_usage(&net);
    EXPECT((wrong == 0U) && (usage.get_total == PACKET_COUNT) && (tap_take_fault() == 0));
    EXPECT((usage.in_use == 0U) && (usage.head_count == 0U) && (usage.in_use_peak <= STORAGE_MAX));
    EXPECT(mete_atomic_pool_usage(&head_pool).in_use == 0U);
    EXPECT(mete_atomic_pool_usage(&storage_pool).in_use == 0U);
}

// Asks until the other thread is done. All that senders may have is in use.
static void *ask_in_vain(void *is_done)
{
    while (__atomic_load_n((const size_t *)is_done, __ATOMIC_RELAXED) == 0U) {
        if (mete_netbuf_get(&net, METE_NETBUF_SEND) != NULL) {
            (void)__atomic_add_fetch(&wrong, 1U, __ATOMIC_RELAXED);
        }
    }
    return NULL;
}

static void test_senders_that_are_refused_do_not_stop_receivers(void)
{
    static size_t is_done;
    mete_netbuf_t *sent[STORAGE_MAX - 1];
    setup();
    wrong = 0U;
    for (size_t i = 0U; i < STORAGE_MAX - 1U; i++) {
        sent[i] = make((unsigned)i);
    }
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, ask_in_vain, &is_done) == 0);
    while (mete_netbuf_usage(&net).send_refusals == 0U) {  // Until it is at work.
        (void)sched_yield();
    }
    for (size_t i = 0U; i < PACKET_COUNT; i++) {
        mete_netbuf_drop(mete_netbuf_get(&net, METE_NETBUF_RECEIVE));
    }
    __atomic_store_n(&is_done, 1U, __ATOMIC_RELAXED);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT((wrong == 0U) && (mete_netbuf_usage(&net).receive_refusals == 0U));
    for (size_t i = 0U; i < STORAGE_MAX - 1U; i++) {
        mete_netbuf_drop(sent[i]);
    }
    EXPECT((mete_netbuf_usage(&net).in_use == 0U) && (tap_take_fault() == 0));
}

int main(void)
{
    RUN(test_packets_change_hands_without_a_lock);
    RUN(test_senders_that_are_refused_do_not_stop_receivers);
    return tap_finish();
}
