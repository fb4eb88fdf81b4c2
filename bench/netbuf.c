// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Packets of one buffer: taken, filled by 1 to 64 bytes, a header of 8 put in front and taken off again, cut short, and given up;
// then a second head on them; then packets of three buffers with 1 to 32 bytes each. What the allocators take is next to nothing
// here.

#include "mete/object/netbuf.h"
#include "bench/view.h"

enum {
    ALIGN = 8,
    SIZE = FLAT_SIZE - METE_NETBUF_FRONT_SIZE(ALIGN),
    HEADROOM = 32,
    HEADER = 8,
    BYTES_MAX = 64,
    PART_MAX = 32,
    CHAIN_MAX = 3,
    ROUNDS = 2000
};

static mete_netbuf_pool_t net;

PROBE(mete_netbuf_get);
mete_netbuf_t *probe_mete_netbuf_get(mete_netbuf_pool_t *pool, mete_netbuf_use_t use);
PROBE(mete_netbuf_drop);
void probe_mete_netbuf_drop(mete_netbuf_t *packet);
PROBE(mete_netbuf_put);
void *probe_mete_netbuf_put(mete_netbuf_t *packet, size_t size);
PROBE(mete_netbuf_push);
void *probe_mete_netbuf_push(mete_netbuf_t *packet, size_t size);
PROBE(mete_netbuf_pull);
bool probe_mete_netbuf_pull(mete_netbuf_t *packet, size_t size);
PROBE(mete_netbuf_trim);
bool probe_mete_netbuf_trim(mete_netbuf_t *packet, size_t size);
PROBE(mete_netbuf_clone);
mete_netbuf_t *probe_mete_netbuf_clone(const mete_netbuf_t *packet);
PROBE(mete_netbuf_linearise);
bool probe_mete_netbuf_linearise(mete_netbuf_t *packet, mete_netbuf_use_t use);

static void work_one(void)
{
    start_phase("netbuf one");
    uint32_t random = 1U;
    for (size_t i = 0U; i < ROUNDS; i++) {
        const size_t size = 1U + random_below(&random, BYTES_MAX);
        mete_netbuf_t *const packet = probe_mete_netbuf_get(&net, METE_NETBUF_SEND);
        (void)probe_mete_netbuf_put(packet, size);
        (void)probe_mete_netbuf_push(packet, HEADER);
        (void)probe_mete_netbuf_pull(packet, HEADER);
        (void)probe_mete_netbuf_trim(packet, random_below(&random, (uint32_t)size));
        probe_mete_netbuf_drop(packet);
    }
}

static void work_clone(void)
{
    start_phase("netbuf clone");
    mete_netbuf_t *const packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
    for (size_t i = 0U; i < ROUNDS; i++) {
        probe_mete_netbuf_drop(probe_mete_netbuf_clone(packet));
    }
    mete_netbuf_drop(packet);
}

static mete_netbuf_t *get_chain(uint32_t *random)
{
    mete_netbuf_t *const packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
    (void)mete_netbuf_put(packet, 1U + random_below(random, PART_MAX));
    for (size_t i = 1U; i < CHAIN_MAX; i++) {
        mete_netbuf_t *const part = mete_netbuf_get(&net, METE_NETBUF_SEND);
        (void)mete_netbuf_put(part, 1U + random_below(random, PART_MAX));
        (void)mete_netbuf_append(packet, part);
    }
    return packet;
}

static void work_chain(void)
{
    start_phase("netbuf chain");
    uint32_t random = 1U;
    for (size_t i = 0U; i < ROUNDS; i++) {
        mete_netbuf_t *const packet = get_chain(&random);
        mete_netbuf_drop(probe_mete_netbuf_clone(packet));
        (void)probe_mete_netbuf_linearise(packet, METE_NETBUF_SEND);
        mete_netbuf_drop(packet);
    }
}

int main(void)
{
    static flat_t heads;
    static flat_t storages;
    static mete_netbuf_config_t config = {.size = SIZE,
                                          .align = ALIGN,
                                          .headroom = HEADROOM,
                                          .storage_max = 8U,
                                          .chain_max = CHAIN_MAX};
    config.heads = flat_init(&heads);
    config.storages = flat_init(&storages);
    (void)mete_netbuf_init(&net, &config);
    work_one();
    work_clone();
    work_chain();
    return 0;
}
