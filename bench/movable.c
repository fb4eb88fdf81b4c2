// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Movable blocks. pin and unpin are inline: what a pair costs is how much longer a function of eight
// takes than one of four, less the one instruction that uses the address in between. Neither knows what
// became of the store before, nor in between.

#include "mete/alloc/movable.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { BLOCK_COUNT = 62, SIZE_MAX_EACH = 200, OPERATIONS = 20000 };

METE_MOVABLE_DEFINE(store, 16384, BLOCK_COUNT);

static mete_movable_handle_t held[BLOCK_COUNT];

METE_INLINE void pin_one(mete_movable_t *movable, mete_movable_handle_t handle, void **result)
{
    __asm__ volatile("" ::: "memory");
    void *const address = mete_movable_pin(movable, handle);
    __asm__ volatile("str %1, %0" : "=m"(*result) : "r"(address) : "memory");
    mete_movable_unpin(movable, handle);
}

METE_INLINE void pin_four_times(mete_movable_t *movable, mete_movable_handle_t handle,
                                void *results[])
{
    pin_one(movable, handle, &results[0]);
    pin_one(movable, handle, &results[1]);
    pin_one(movable, handle, &results[2]);
    pin_one(movable, handle, &results[3]);
}

void pin_four(mete_movable_t *movable, mete_movable_handle_t handle, void *results[]);
__attribute__((noinline)) void pin_four(mete_movable_t *movable, mete_movable_handle_t handle,
                                        void *results[])
{
    pin_four_times(movable, handle, results);
}

void pin_eight(mete_movable_t *movable, mete_movable_handle_t handle, void *results[]);
__attribute__((noinline)) void pin_eight(mete_movable_t *movable, mete_movable_handle_t handle,
                                         void *results[])
{
    pin_four_times(movable, handle, results);
    pin_four_times(movable, handle, &results[4]);
}

PROBE(pin_four);
void probe_pin_four(mete_movable_t *movable, mete_movable_handle_t handle, void *results[]);
PROBE(pin_eight);
void probe_pin_eight(mete_movable_t *movable, mete_movable_handle_t handle, void *results[]);
PROBE(mete_movable_alloc);
mete_movable_handle_t probe_mete_movable_alloc(mete_movable_t *movable, size_t size);
PROBE(mete_movable_free);
void probe_mete_movable_free(mete_movable_t *movable, mete_movable_handle_t handle);

static uint32_t take(uint32_t count, uint32_t size)
{
    void *addresses[8];
    held[count] = probe_mete_movable_alloc(&store, size);
    if (held[count].value == 0U) {
        return count;
    }
    probe_pin_four(&store, held[count], addresses);
    probe_pin_eight(&store, held[count], addresses);
    return count + 1U;
}

int main(void)
{
    start_phase("movable");
    (void)mete_movable_init(&store, &store_config);
    uint32_t random = 1U;
    uint32_t count = 0U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const bool wants_more = random_below(&random, 16U) < 9U;
        if ((count == 0U) || (wants_more && (count < BLOCK_COUNT))) {
            count = take(count, 1U + random_below(&random, SIZE_MAX_EACH));
        } else {
            const uint32_t which = random_below(&random, count);
            probe_mete_movable_free(&store, held[which]);
            held[which] = held[--count];
        }
    }
    return 0;
}
