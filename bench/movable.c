// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Movable blocks. pin and unpin are inline: what they cost is how much longer a function of eight takes
// than one of four, less the load of the handle. alloc and free are worked at random: with room behind
// the last block ("end"), and with so little of it that gaps are looked for and made ("tight"). Of evacuation
// eight blocks are moved, or four and then as many bytes by core/words: what is more is the price of four blocks.

#include "mete/alloc/movable.h"
#include "bench/probe.h"
#include "mete/core/words.h"
#include "tests/support/random.h"

enum { BLOCK_COUNT = 62, SLOT_COUNT = 64, OPERATIONS = 20000, BYTES = 16384 };

static uint64_t storage[BYTES / 8];
static mete_movable_slot_t slots[SLOT_COUNT];
static const mete_movable_config_t config = {.storage = {storage, sizeof storage},
                                             .slots = slots,
                                             .slot_count = SLOT_COUNT,
                                             .failure_size = SIZE_MAX};
static mete_movable_t store;
static mete_movable_handle_t held[BLOCK_COUNT];

// Of another block than the one before, so that nothing is known of it.
METE_INLINE void pin_one(mete_movable_t *movable, const mete_movable_handle_t *handle)
{
    __asm__ volatile("" ::: "memory");
    void *const address = mete_movable_pin(movable, *handle);
    __asm__ volatile("" : : "r"(address) : "memory");
}

METE_INLINE void unpin_one(mete_movable_t *movable, const mete_movable_handle_t *handle)
{
    __asm__ volatile("" ::: "memory");
    mete_movable_unpin(movable, *handle);
}

METE_INLINE void pin_unpin_one(mete_movable_t *movable, const mete_movable_handle_t *handle)
{
    __asm__ volatile("" ::: "memory");
    const mete_movable_handle_t same = *handle;
    void *const address = mete_movable_pin(movable, same);
    __asm__ volatile("" : : "r"(address) : "memory");
    mete_movable_unpin(movable, same);
}

#define DEFINE_FOUR_AND_EIGHT(verb) \
    void verb##_four(mete_movable_t *movable, const mete_movable_handle_t handles[]); \
    __attribute__((noinline)) void verb##_four(mete_movable_t *movable, \
                                               const mete_movable_handle_t handles[]) \
    { \
        verb##_one(movable, &handles[0]), verb##_one(movable, &handles[1]); \
        verb##_one(movable, &handles[2]), verb##_one(movable, &handles[3]); \
    } \
    void verb##_eight(mete_movable_t *movable, const mete_movable_handle_t handles[]); \
    __attribute__((noinline)) void verb##_eight(mete_movable_t *movable, \
                                                const mete_movable_handle_t handles[]) \
    { \
        verb##_one(movable, &handles[0]), verb##_one(movable, &handles[1]); \
        verb##_one(movable, &handles[2]), verb##_one(movable, &handles[3]); \
        verb##_one(movable, &handles[4]), verb##_one(movable, &handles[5]); \
        verb##_one(movable, &handles[6]), verb##_one(movable, &handles[7]); \
    } \
    PROBE(verb##_four); \
    PROBE(verb##_eight); \
    void probe_##verb##_four(mete_movable_t *movable, const mete_movable_handle_t handles[]); \
    void probe_##verb##_eight(mete_movable_t *movable, const mete_movable_handle_t handles[])

DEFINE_FOUR_AND_EIGHT(pin);
DEFINE_FOUR_AND_EIGHT(unpin);
DEFINE_FOUR_AND_EIGHT(pin_unpin);
PROBE(mete_movable_alloc);
mete_movable_handle_t probe_mete_movable_alloc(mete_movable_t *movable, size_t size);
PROBE(mete_movable_free);
void probe_mete_movable_free(mete_movable_t *movable, mete_movable_handle_t handle);

static void work_pins(void)
{
    start_phase("movable pins");
    (void)mete_movable_init(&store, &config);
    for (size_t i = 0U; i < 8U; i++) {
        held[i] = mete_movable_alloc(&store, 40U);
    }
    for (size_t round = 0U; round < 100U; round++) {
        probe_pin_four(&store, held);
        probe_unpin_four(&store, held);
        probe_pin_eight(&store, held);
        probe_unpin_eight(&store, held);
        probe_pin_unpin_four(&store, held);
        probe_pin_unpin_eight(&store, held);
    }
}

enum { MOVED_COUNT = 8, MOVED_SIZE = 64, HALF = BYTES / 2 };

static const mete_span_t low_half = {storage, HALF};
static const mete_span_t high_half = {&storage[HALF / 8], HALF};

size_t evacuate_four(mete_movable_t *movable);
size_t evacuate_eight(mete_movable_t *movable);

METE_INLINE void copy_one(size_t i)
{
    mete_words_copy(&storage[i * MOVED_SIZE / 8U], &storage[(HALF + i * MOVED_SIZE) / 8U],
                    MOVED_SIZE);
}

__attribute__((noinline)) size_t evacuate_four(mete_movable_t *movable)
{
    const size_t left = mete_movable_evacuate(movable, high_half, low_half, SIZE_MAX);
    copy_one(4U), copy_one(5U), copy_one(6U), copy_one(7U);
    return left;
}

__attribute__((noinline)) size_t evacuate_eight(mete_movable_t *movable)
{
    return mete_movable_evacuate(movable, high_half, low_half, SIZE_MAX);
}

PROBE(evacuate_four);
PROBE(evacuate_eight);
size_t probe_evacuate_four(mete_movable_t *movable);
size_t probe_evacuate_eight(mete_movable_t *movable);

static void work_evacuation(void)
{
    start_phase("movable evacuation");
    for (size_t round = 0U; round < 20U; round++) {
        (void)mete_movable_init(&store, &config);
        (void)mete_movable_confine(&store, high_half);
        const size_t count = (round % 2U == 0U) ? MOVED_COUNT / 2U : MOVED_COUNT;
        for (size_t i = 0U; i < count; i++) {
            (void)mete_movable_alloc(&store, MOVED_SIZE);
        }
        (void)((count < MOVED_COUNT) ? probe_evacuate_four(&store) : probe_evacuate_eight(&store));
    }
}

// At most `count_max` blocks of up to `size_max` bytes. Keeping room means to compact between the calls.
static void work(const char *phase, uint32_t count_max, uint32_t size_max, bool keeps_room)
{
    start_phase(phase);
    (void)mete_movable_init(&store, &config);
    uint32_t random = 1U;
    uint32_t count = 0U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        const bool wants_more = (count == 0U) || (random_below(&random, 2U) == 0U);
        if (wants_more && (count < count_max)) {
            held[count] = probe_mete_movable_alloc(&store, 1U + random_below(&random, size_max));
            count += (held[count].value != 0U) ? 1U : 0U;
        } else {
            const uint32_t which = random_below(&random, count);
            probe_mete_movable_free(&store, held[which]);
            held[which] = held[--count];
        }
        if (keeps_room) {
            (void)mete_movable_compact(&store, SIZE_MAX);
        }
    }
}

int main(void)
{
    work_pins();
    work_evacuation();
    work("movable end", 20U, 200U, true);
    work("movable tight", BLOCK_COUNT, 800U, false);
    return 0;
}
