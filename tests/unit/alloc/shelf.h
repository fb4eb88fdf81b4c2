// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_SHELF_H
#define METE_TEST_SHELF_H

/// What the tests of the slab cache begin with: a cache, and behind it a shelf of equal boards, handed
/// out in any order wanted, which can be told to refuse.

#include "mete/alloc/slab.h"
#include "tests/support/tap.h"

// A block size that is no power of two; a number of blocks a slab for which links need a gap.
enum { BLOCK_SIZE = 12, ALIGN = 4, PER_SLAB = 5, SLAB_MAX = 9, BOARD_COUNT = 12 };
enum { LINKS_SIZE = 12, SLAB_SIZE = LINKS_SIZE + (PER_SLAB * BLOCK_SIZE) };
enum { BLOCK_MAX = PER_SLAB * SLAB_MAX };

typedef struct shelf {
    _Alignas(8) unsigned char boards[BOARD_COUNT][SLAB_SIZE + 8];
    bool is_taken[BOARD_COUNT];
    size_t order[BOARD_COUNT];  // Which board is tried first, second ...
    size_t acquire_count, taken_count;
    size_t refuse_at;               // The acquire that is refused, counted from 1; 0: none.
    struct mete_slab *purge_first;  // Purged in every acquire: what a hook for hard times may do.
} shelf_t;

typedef struct fixture {
    shelf_t shelf;
    mete_slab_entry_t table[SLAB_MAX];
    mete_slab_config_t config;
    mete_slab_t cache;
    size_t constructed, destructed;
} fixture_t;

static fixture_t fixture;

static inline void *take_board(void *self, size_t size, size_t align)
{
    shelf_t *const shelf = (shelf_t *)self;
    EXPECT((size == SLAB_SIZE) && (align == ALIGN));
    shelf->acquire_count++;
    if (shelf->purge_first != NULL) {
        (void)mete_slab_purge(shelf->purge_first);
    }
    for (size_t i = 0U; (i < BOARD_COUNT) && (shelf->acquire_count != shelf->refuse_at); i++) {
        const size_t board = shelf->order[i];
        if (!shelf->is_taken[board]) {
            shelf->is_taken[board] = true;
            shelf->taken_count++;
            return shelf->boards[board];
        }
    }
    return NULL;
}

static inline void return_board(void *self, void *block, size_t size, size_t align)
{
    shelf_t *const shelf = (shelf_t *)self;
    const size_t board =
        (size_t)((unsigned char *)block - shelf->boards[0]) / sizeof shelf->boards[0];
    EXPECT((board < BOARD_COUNT) && (block == shelf->boards[board]) && shelf->is_taken[board]);
    EXPECT((size == SLAB_SIZE) && (align == ALIGN));
    shelf->is_taken[board] = false;
    shelf->taken_count--;
}

static const mete_alloc_ops_t shelf_ops = {take_board, return_board, NULL, NULL, NULL};

static inline void construct(void *self, void *block)
{
    ((fixture_t *)self)->constructed++;
    mete_words_fill(block, 0xC0U, BLOCK_SIZE);
}

static inline void destruct(void *self, void *block)
{
    ((fixture_t *)self)->destructed++;
    mete_words_fill(block, 0xDEU, BLOCK_SIZE);
}

static inline mete_slab_t *setup(void)
{
    fixture_t *const f = &fixture;
    mete_words_fill(f, 0xA5U, sizeof *f);
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        f->shelf.is_taken[i] = false;
        f->shelf.order[i] = (i * 5U) % BOARD_COUNT;  // Neither ascending nor descending.
    }
    f->shelf.acquire_count = 0U;
    f->shelf.taken_count = 0U;
    f->shelf.refuse_at = 0U;
    f->shelf.purge_first = NULL;
    f->constructed = 0U;
    f->destructed = 0U;
    f->config = (mete_slab_config_t){BLOCK_SIZE, ALIGN,     PER_SLAB, SLAB_MAX,
                                     f->table,   construct, destruct, f};
    const mete_alloc_t backing = {&shelf_ops, &f->shelf};
    EXPECT(mete_slab_init(&f->cache, backing, &f->config));
    EXPECT(mete_slab_check(&f->cache));
    return &f->cache;
}

static unsigned char *held[BLOCK_MAX + 1];

// A cache with so many blocks in use, in `held` in the order they were handed out.
static inline mete_slab_t *setup_with(size_t count)
{
    mete_slab_t *const cache = setup();
    for (size_t i = 0U; i < count; i++) {
        held[i] = (unsigned char *)mete_slab_alloc(cache);
        EXPECT(held[i] != NULL);
    }
    return cache;
}

static inline size_t in_use(const mete_slab_t *cache)
{
    return mete_slab_usage(cache).in_use;
}

static inline size_t slab_count(const mete_slab_t *cache)
{
    return mete_slab_usage(cache).slab_count;
}

#endif
