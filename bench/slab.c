// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The slab cache, worked at random until it is full and empty in turn: with one slab, and with eight.
// Slabs are added beforehand, so that no call pays for one, and no call is refused.

#include "mete/alloc/slab.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { BLOCK_SIZE = 72, BLOCK_COUNT = 64, SLAB_MAX = 8, OPERATIONS = 20000 };
enum { MEMORY_SIZE = (BLOCK_COUNT * (BLOCK_SIZE + 2)) + (SLAB_MAX * 8) };

static _Alignas(8) unsigned char memory[MEMORY_SIZE];
static size_t taken_size;
static mete_slab_entry_t table[SLAB_MAX];
static mete_slab_t cache;

static void *held[BLOCK_COUNT];

PROBE(mete_slab_alloc);
void *probe_mete_slab_alloc(mete_slab_t *cache);
PROBE(mete_slab_free);
void probe_mete_slab_free(mete_slab_t *cache, void *block);

static void *take(void *self, size_t size, size_t align)
{
    (void)self;
    void *const block = &memory[taken_size];
    taken_size += (size + align - 1U) & ~(align - 1U);
    return (taken_size <= sizeof memory) ? block : NULL;
}

static void work(const char *phase, const mete_slab_config_t *config)
{
    static const mete_alloc_ops_t ops = {.acquire = take};
    start_phase(phase);
    taken_size = 0U;
    (void)mete_slab_init(&cache, (mete_alloc_t){&ops, NULL}, config);
    (void)mete_slab_reserve(&cache, BLOCK_COUNT);
    uint32_t random = 1U;
    uint32_t count = 0U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const bool wants_more = random_below(&random, 16U) < ((i % 1000U < 500U) ? 9U : 7U);
        if ((count == 0U) || (wants_more && (count < BLOCK_COUNT))) {
            held[count++] = probe_mete_slab_alloc(&cache);
        } else {
            const uint32_t which = random_below(&random, count);
            probe_mete_slab_free(&cache, held[which]);
            held[which] = held[--count];
        }
    }
}

int main(void)
{
    static const mete_slab_config_t one = {BLOCK_SIZE, 8, BLOCK_COUNT, 1, table, NULL, NULL, NULL};
    static const mete_slab_config_t eight = {
        BLOCK_SIZE, 8, BLOCK_COUNT / SLAB_MAX, SLAB_MAX, table, NULL, NULL, NULL};
    work("slab one", &one);
    work("slab eight", &eight);
    return 0;
}
