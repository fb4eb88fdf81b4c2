// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The object pool, worked at random while it has objects: no call asks the allocator behind, and none of the
// callbacks is there. What they take comes on top.

#include "mete/object/object.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { OBJECT_SIZE = 72, OBJECT_COUNT = 64, OPERATIONS = 20000 };

static _Alignas(8) unsigned char memory[OBJECT_COUNT * (OBJECT_SIZE + 8)];
static size_t taken_size;
static mete_object_slot_t table[OBJECT_COUNT];
static mete_object_t pool;

static void *held[OBJECT_COUNT];

PROBE(mete_object_get);
void *probe_mete_object_get(mete_object_t *pool);
PROBE(mete_object_put);
void probe_mete_object_put(mete_object_t *pool, void *object);

static void *take(void *self, size_t size, size_t align)
{
    (void)self;
    void *const block = &memory[taken_size];
    taken_size += (size + align - 1U) & ~(align - 1U);
    return (taken_size <= sizeof memory) ? block : NULL;
}

int main(void)
{
    static const mete_alloc_ops_t ops = {.acquire = take};
    static const mete_object_config_t config = {
        .object_size = OBJECT_SIZE,
        .align = 8,
        .object_max = OBJECT_COUNT,
        .table = table,
        .kept_max = OBJECT_COUNT,
    };
    start_phase("object");
    (void)mete_object_init(&pool, (mete_alloc_t){&ops, NULL}, &config);
    (void)mete_object_reserve(&pool, OBJECT_COUNT);
    uint32_t random = 1U;
    uint32_t count = 0U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const bool wants_more = random_below(&random, 16U) < ((i % 1000U < 500U) ? 9U : 7U);
        if ((count == 0U) || (wants_more && (count < OBJECT_COUNT))) {
            held[count++] = probe_mete_object_get(&pool);
        } else {
            const uint32_t which = random_below(&random, count);
            probe_mete_object_put(&pool, held[which]);
            held[which] = held[--count];
        }
    }
    return 0;
}
