// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The largest pool there can be: apart from the others, for it needs more memory than small boards have.

#include "mete/alloc/pool.c"

#include "tests/support/tap.h"

static unsigned char blocks[METE_POOL_BLOCK_COUNT_MAX];
static uint16_t links[METE_POOL_BLOCK_COUNT_MAX];
static const mete_pool_config_t config = {blocks, links, 1U, METE_POOL_BLOCK_COUNT_MAX};

static void test_the_largest_count_works_to_the_last_block(void)
{
    mete_pool_t pool;
    EXPECT(mete_pool_init(&pool, &config));
    for (size_t i = 0U; i < METE_POOL_BLOCK_COUNT_MAX; i++) {
        EXPECT(mete_pool_alloc(&pool) == &blocks[i]);
    }
    EXPECT(mete_pool_alloc(&pool) == NULL);
    EXPECT(mete_pool_usage(&pool).in_use_permille == 1000U);
    for (size_t i = METE_POOL_BLOCK_COUNT_MAX; i != 0U; i--) {
        mete_pool_free(&pool, &blocks[i - 1U]);
    }
    EXPECT((mete_pool_usage(&pool).in_use == 0U) && (tap_take_fault() == 0));
    EXPECT(mete_pool_check(&pool));
}

int main(void)
{
    RUN(test_the_largest_count_works_to_the_last_block);
    return tap_finish();
}
