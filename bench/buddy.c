// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The buddy, with 1024 smallest blocks: 11 levels. It gets twice the memory of the others, for what the
// churn holds does not fit otherwise. Where that is less than 8 KiB the blocks are fewer, for the smallest
// has 8 bytes.

#include "mete/alloc/buddy.h"
#include "bench/churn.h"

PROBE(mete_buddy_alloc);
void *probe_mete_buddy_alloc(mete_buddy_t *buddy, size_t size);
PROBE(mete_buddy_free);
void probe_mete_buddy_free(mete_buddy_t *buddy, void *block);

enum { BLOCK_COUNT = 1024, BLOCK_SIZE_MIN = 8 };

static _Alignas(64) unsigned char blocks[2 * STORAGE_SIZE];
static uint8_t table[METE_BUDDY_TABLE_SIZE(BLOCK_COUNT)];
static mete_buddy_config_t config;
static mete_buddy_t buddy;

static void start(mete_span_t span, uint32_t variant)
{
    (void)variant;
    const size_t size = 2U * span.size;
    const size_t share = size / BLOCK_COUNT;
    const size_t block_size = (share < BLOCK_SIZE_MIN) ? (size_t)BLOCK_SIZE_MIN : share;
    config = (mete_buddy_config_t){blocks, table, block_size, size / block_size};
    (void)mete_buddy_init(&buddy, &config);
}

static void *alloc(uint32_t size)
{
    return probe_mete_buddy_alloc(&buddy, size);
}

static void give(void *block, uint32_t size)
{
    (void)size;
    probe_mete_buddy_free(&buddy, block);
}

static void describe(void)
{
    const mete_buddy_usage_t usage = mete_buddy_usage(&buddy);
    say_both(", ", (uint32_t)usage.in_use_size);
    say_both(" bytes in use; the largest free block has ", (uint32_t)usage.largest_free_size);
}

int main(void)
{
    static const churn_subject_t subject = {"", start, alloc, give, describe, 0U};
    churn_run(&subject, 1U);
    return 0;
}
