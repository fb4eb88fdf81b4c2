// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The pool as a subject of exhaustion. What its contract leaves open is only which block that never was
// out comes next; otherwise the model says which block is handed out.

#include "mete/alloc/pool.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum { COUNT_MAX = 12, BLOCK_SIZE = 12, BLOCK_ALIGN = 4 };

enum { ALLOC_MANY = EXHAUST_OWN, FREE_PAIR, FREE_ALL };
static const char *const verbs[] = {"alloc_many", "free_many (two)", "free_many (all)"};

typedef struct layout {
    mete_pool_t pool;
    uint16_t links[COUNT_MAX];
    int16_t returned[COUNT_MAX];  // The model: blocks that came back, the last one last.
    uint16_t returned_count;
    uint16_t padding;
    unsigned char blocks[COUNT_MAX * BLOCK_SIZE];
} layout_t;
_Static_assert(offsetof(layout_t, blocks) % 8U == BLOCK_ALIGN, "aligned to 4, and not to 8");

static layout_t *layout;
static mete_pool_config_t config;

static exhaust_offer_t begin(mete_span_t arena, size_t scale)
{
    layout = arena.start;
    config = (mete_pool_config_t){layout->blocks, layout->links, BLOCK_SIZE, scale};
    EXHAUST_EXPECT(mete_pool_init(&layout->pool, &config));
    const mete_span_t blocks = {layout->blocks, BLOCK_SIZE * scale};
    return (exhaust_offer_t){mete_pool_as_alloc(&layout->pool), blocks,
                             offsetof(layout_t, blocks) + blocks.size};
}

static size_t free_count(void)
{
    return config.block_count - exhaust_block_count();
}

// ---- Calls

static chance_t may_acquire(size_t size, size_t align)
{
    return ((size <= BLOCK_SIZE) && (align <= BLOCK_ALIGN) && (free_count() != 0U)) ? MUST_SUCCEED
                                                                                    : MUST_FAIL;
}

static chance_t may_resize(const exhaust_block_t *block, size_t size)
{
    (void)block;
    return (size <= BLOCK_SIZE) ? MUST_SUCCEED : MUST_FAIL;
}

// A block came out: the one that came back last.
static void expect_last(int at)
{
    if (layout->returned_count != 0U) {
        layout->returned_count--;
        EXHAUST_EXPECT(layout->returned[layout->returned_count] == at);
        layout->returned[layout->returned_count] = 0;
    }
}

static void put_back(int at)
{
    layout->returned[layout->returned_count] = (int16_t)at;
    layout->returned_count++;
}

static void alloc_many(size_t count)
{
    void *blocks[COUNT_MAX + 2] = {NULL};
    const bool must = count <= free_count();
    EXHAUST_EXPECT(mete_pool_alloc_many(&layout->pool, blocks, count) == must);
    for (size_t i = 0U; must && (i < count); i++) {
        expect_last(exhaust_at(blocks[i]));
        (void)exhaust_hold(blocks[i], BLOCK_SIZE, 1U);
    }
    EXHAUST_EXPECT(blocks[must ? count : 0U] == NULL);
}

static void free_many(void *blocks[], size_t count)
{
    for (size_t i = 0U; i < count; i++) {
        if (blocks[i] != NULL) {
            exhaust_drop(exhaust_at(blocks[i]));
            put_back(exhaust_at(blocks[i]));
        }
    }
    mete_pool_free_many(&layout->pool, blocks, count);
}

static void free_all(bool is_backwards)
{
    void *blocks[COUNT_MAX + 1] = {NULL};  // NULL among them is passed over.
    const size_t count = exhaust_block_count();
    for (size_t i = 0U; i < count; i++) {
        blocks[i + 1U] = exhaust_address(exhaust_blocks[is_backwards ? count - 1U - i : i].at);
    }
    free_many(blocks, count + 1U);
}

static void perform(const exhaust_op_t *op)
{
    switch (op->verb) {
    case EXHAUST_ACQUIRE: {
        const exhaust_block_t *const block =
            exhaust_acquire(op->size, op->align, may_acquire(op->size, op->align));
        if (block != NULL) {
            expect_last(block->at);
        }
        break;
    }
    case EXHAUST_RELEASE:
        exhaust_perform(op);
        put_back(op->at);
        break;
    case ALLOC_MANY:
        alloc_many(op->more);
        break;
    case FREE_PAIR:
        free_many((void *[]){exhaust_address(op->at), exhaust_address(op->size)}, 2U);
        break;
    case FREE_ALL:
        free_all(op->more != 0U);
        break;
    default:
        exhaust_perform(op);
        break;
    }
}

static void add_many(exhaust_ops_t *ops, uint8_t verb, size_t more)
{
    exhaust_add_op(ops, verb, 0, 0U, 0U);
    ops->ops[ops->count - 1U].more = (uint8_t)more;
}

static void list(exhaust_ops_t *ops)
{
    exhaust_list_calls(ops);
    for (size_t count = 0U; count <= config.block_count + 1U; count++) {
        add_many(ops, ALLOC_MANY, count);
    }
    add_many(ops, FREE_ALL, 0U);
    add_many(ops, FREE_ALL, 1U);
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        for (size_t j = 0U; j < exhaust_block_count(); j++) {
            if (i != j) {
                exhaust_add_op(ops, FREE_PAIR, exhaust_blocks[i].at, (size_t)exhaust_blocks[j].at,
                               0U);
            }
        }
    }
}

// ---- What holds in every state

static bool is_as_held(void *self, const mete_pool_block_t *block)
{
    (void)self;
    return block->is_live == (exhaust_block_at(exhaust_at(block->block)) != NULL);
}

static bool is_sound(void)
{
    return mete_pool_check(&layout->pool) && mete_pool_walk(&layout->pool, is_as_held, NULL) &&
           (mete_pool_usage(&layout->pool).in_use == exhaust_block_count());
}

// Of the totals only the difference matters. Free blocks may hold anything; `blocks` is all zero then.
static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    masked->pool.alloc_total -= masked->pool.free_total;
    masked->pool.free_total = 0U;
    masked->pool.refusals = 0U;
    memset(masked->blocks, 0, BLOCK_SIZE * config.block_count);
}

// ---- Misuse

static unsigned fault_at(int at)
{
    const int offset = at - exhaust_at(layout->blocks);
    const bool is_block = (offset >= 0) && (offset % BLOCK_SIZE == 0) &&
                          ((size_t)offset < BLOCK_SIZE * config.block_count);
    return 1U << (is_block ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN);
}

static void misuse_address(int at)
{
    const mete_alloc_t alloc = mete_pool_as_alloc(&layout->pool);
    void *const address = exhaust_address(at);
    exhaust_doing(EXHAUST_RELEASE, at, 0U, 0U);
    mete_pool_free(&layout->pool, address);
    exhaust_refused(fault_at(at));
    mete_release(alloc, address, BLOCK_SIZE, 1U);
    exhaust_refused(fault_at(at));
    exhaust_doing(EXHAUST_RESIZE, at, 0U, 0U);
    EXHAUST_EXPECT(!mete_resize(alloc, address, BLOCK_SIZE, 1U, 1U));
    exhaust_refused(fault_at(at));
    exhaust_doing(FREE_PAIR, at, 0U, 0U);
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        void *const held = exhaust_address(exhaust_blocks[i].at);
        mete_pool_free_many(&layout->pool, (void *[]){held, NULL, address}, 3U);
        exhaust_refused(fault_at(at));
    }
}

static unsigned faults_of_size(const exhaust_block_t *block, size_t size, size_t align)
{
    (void)block;
    return ((size > BLOCK_SIZE) || (align > BLOCK_ALIGN)) ? 1U << METE_FAULT_SIZE : 0U;
}

static void misuse(void)
{
    for (int at = exhaust_first(); at < exhaust_end(); at++) {
        if (exhaust_block_at(at) == NULL) {
            misuse_address(at);
        }
    }
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        void *const held = exhaust_address(exhaust_blocks[i].at);
        exhaust_doing(FREE_PAIR, exhaust_blocks[i].at, (size_t)exhaust_blocks[i].at, 0U);
        mete_pool_free_many(&layout->pool, (void *[]){held, held}, 2U);
        exhaust_refused(1U << METE_FAULT_DOUBLE_FREE);
    }
    exhaust_misuse_sizes(faults_of_size);
    exhaust_misuse_huge();
}

const exhaust_subject_t exhaust_pool = {
    .name = "pool",
    .verbs = verbs,
    .init = begin,
    .list = list,
    .perform = perform,
    .sizes = (const uint16_t[]){1U, BLOCK_SIZE, BLOCK_SIZE + 1U, 0U},
    .aligns = (const uint16_t[]){1U, 4U, 8U, 0U},
    .may_acquire = may_acquire,
    .may_resize = may_resize,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};
