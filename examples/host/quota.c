// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two parts of a device share a heap. The network may have much, but when it is flooded with packets,
// control still gets the memory that is kept for it.

#include "mete/wrap/quota.h"
#include "mete/alloc/heap.h"

#include <stdio.h>

enum { NETWORK, CONTROL, OWNER_COUNT, PACKET_SIZE = 500, PACKETS_MAX = 20 };

METE_HEAP_DEFINE(device, 8192);

static uint32_t running = NETWORK;  // An operating system would know which task runs.

static uint32_t who_asks(void *self)
{
    (void)self;
    return running;
}

static void on_event(void *self, const mete_event_t *event)
{
    (void)self;
    printf("%s: %zu\n", (event->kind == METE_EVENT_THRESHOLD) ? "in use" : "refused", event->size);
}

int main(void)
{
    static const mete_quota_limit_t limits[OWNER_COUNT] = {
        [NETWORK] = {.size_max = 6000U, .count_max = 100U, .warn_permille = 750U},
        [CONTROL] = {.size_max = 4000U, .count_max = 10U, .reserve_size = 2000U},
    };
    static mete_quota_owner_t owners[OWNER_COUNT];
    static const mete_quota_config_t config = {.limits = limits,
                                               .owners = owners,
                                               .owner_count = OWNER_COUNT,
                                               .capacity_size = 7000U,
                                               .owner = who_asks,
                                               .observer = {on_event, NULL}};
    static mete_quota_t quota;
    (void)mete_quota_init(&quota, mete_heap_as_alloc(mete_heap_init(&device_config)), &config);
    const mete_alloc_t alloc = mete_quota_as_alloc(&quota);

    void *packets[PACKETS_MAX];
    size_t count = 0U;
    while ((packets[count] = mete_acquire(alloc, PACKET_SIZE, 4U)) != NULL) {
        count++;  // A flood: this ends when the network's share does.
    }
    running = CONTROL;
    void *const plan = mete_acquire(alloc, 1800U, 8U);
    printf("%zu packets; control is %s\n", count, (plan != NULL) ? "served" : "starved");
    while (count > 0U) {
        mete_release(alloc, packets[--count], PACKET_SIZE,
                     4U);  // Control does; it is the network's.
    }
    mete_release(alloc, plan, 1800U, 8U);
    return (owners[NETWORK].in_use_size + owners[CONTROL].in_use_size == 0U) ? 0 : 1;
}
