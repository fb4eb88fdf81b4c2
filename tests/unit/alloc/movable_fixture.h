// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_MOVABLE_FIXTURE_H
#define METE_TEST_MOVABLE_FIXTURE_H

/// A small store of movable blocks, from inside: for the tests of handles, moves and damage alike. It
/// includes movable.c itself, so that they can spoil the bookkeeping on purpose.

#include "mete/alloc/movable.c"

#include "tests/support/tap.h"

enum { SLOTS = 16, BYTES = 1024 };

typedef struct fixture {
    uint64_t memory[BYTES / 8] __attribute__((aligned(8)));
    slot_t slots[SLOTS];
    mete_movable_config_t config;
    store_t store;
} fixture_t;

static const mete_movable_config_t defaults = {.slot_count = SLOTS, .failure_size = SIZE_MAX};

static inline store_t *setup_with(fixture_t *f, const mete_movable_config_t *config)
{
    f->config = *config;
    f->config.storage = (mete_span_t){f->memory, sizeof f->memory};
    f->config.slots = f->slots;
    EXPECT(mete_movable_init(&f->store, &f->config));
    EXPECT(mete_movable_check(&f->store));
    return &f->store;
}

static inline store_t *setup(fixture_t *f)
{
    return setup_with(f, &defaults);
}

static inline mete_movable_usage_t usage_of(const store_t *store)
{
    return mete_movable_usage(store);
}

// Where a block is, as an offset into the storage, without touching its pins.
static inline size_t place_of(const fixture_t *f, handle_t handle)
{
    return (size_t)(at(&f->store, index_in(&f->store, handle))->address - (uintptr_t)f->memory);
}

static inline void paint(store_t *store, handle_t handle, uint8_t byte)
{
    mete_words_fill(mete_movable_pin(store, handle), byte, mete_movable_size_of(store, handle));
    mete_movable_unpin(store, handle);
}

static inline bool is_painted(store_t *store, handle_t handle, uint8_t byte, size_t size)
{
    const void *const block = mete_movable_pin(store, handle);
    mete_movable_unpin(store, handle);
    return mete_words_scan(block, byte, size) == size;
}

static inline handle_t handle_from(uint32_t value)
{
    return (handle_t){value};
}

// All calls that take a handle refuse it with that fault, and nothing changes.
static inline void expect_refused(store_t *store, uint32_t value, int fault)
{
    const handle_t handle = {value};
    const uint32_t index = (uint32_t)index_in(store, handle);
    const uint32_t tag = at(store, index)->tag;
    const size_t count = usage_of(store).block_count;
    EXPECT(!mete_movable_has(store, handle));
    EXPECT((mete_movable_pin(store, handle) == NULL) && (tap_take_fault() == fault));
    mete_movable_unpin(store, handle);
    EXPECT(tap_take_fault() == fault);
    EXPECT((mete_movable_address(store, handle) == NULL) && (tap_take_fault() == fault));
    EXPECT((mete_movable_size_of(store, handle) == 0U) && (tap_take_fault() == fault));
    EXPECT(!mete_movable_resize(store, handle, 8U) && (tap_take_fault() == fault));
    mete_movable_free(store, handle);
    EXPECT(tap_take_fault() == ((value == 0U) ? 0 : fault));
    EXPECT((at(store, index)->tag == tag) && (usage_of(store).block_count == count));
}

// Of all values that differ from a good handle, its negative or complement in up to two bits none is
// accepted, whatever state the block is in.
static inline void expect_forgeries_are_refused(store_t *store, handle_t handle)
{
    const uint32_t near[] = {handle.value, 0U - handle.value, ~handle.value, 0U};
    for (size_t n = 0U; n < 4U; n++) {
        for (size_t first = 0U; first < 32U; first++) {
            for (size_t second = first; second < 32U; second++) {
                const uint32_t bits = ((uint32_t)1U << first) | ((uint32_t)1U << second);
                const uint32_t value = near[n] ^ ((n == 3U) && (first == second) ? 0U : bits);
                const uint32_t tag = at(store, index_in(store, handle_from(value)))->tag;
                if (value != handle.value) {
                    EXPECT(!mete_movable_has(store, handle_from(value)));
                    EXPECT(mete_movable_pin(store, handle_from(value)) == NULL);
                    EXPECT(tap_take_fault() != 0);
                    mete_movable_unpin(store, handle_from(value));
                    EXPECT(tap_take_fault() != 0);
                    EXPECT(at(store, index_in(store, handle_from(value)))->tag == tag);
                }
            }
        }
    }
}

// A store whose second block of 304 bytes has been moved by 80 bytes of 304, downwards by 56.
static inline handle_t setup_moving(fixture_t *f)
{
    store_t *const store = setup(f);
    const handle_t hole = mete_movable_alloc(store, 56U);
    const handle_t block = mete_movable_alloc(store, 304U);
    unsigned char *const bytes = mete_movable_pin(store, block);
    for (size_t i = 0U; i < 304U; i++) {
        bytes[i] = (unsigned char)(i * 7U);
    }
    mete_movable_unpin(store, block);
    mete_movable_free(store, hole);
    EXPECT(mete_movable_compact(store, 80U) == 224U);
    EXPECT((store->moving != 0U) && mete_movable_check(store));
    return block;
}

static inline bool has_all(const unsigned char *bytes)
{
    size_t i = 0U;
    while ((i < 304U) && (bytes[i] == (unsigned char)(i * 7U))) {
        i++;
    }
    return i == 304U;
}

#endif
