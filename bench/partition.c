// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What parting memory among owners adds to a call: an owner's own in his home; the same from common memory, there by a table
// beside it; by another who may; and in his home while somebody waits for more than ever comes back.

#include "mete/protect/partition.h"
#include "bench/view.h"

static flat_t flat;
static flat_t other;
static uint16_t table[sizeof other.blocks / 8U];
static uint32_t current;

uint32_t ask(void *self);
__attribute__((noinline)) uint32_t ask(void *self)
{
    return *(const uint32_t *)self;
}

PROBE(ask);
uint32_t probe_ask(void *self);

static void on_served(void *self, void *block)
{
    (void)self, (void)block;
}

// Serves what fits its blocks.
static void *limited_acquire(void *self, size_t size, size_t align)
{
    return (size <= FLAT_SIZE) ? flat_acquire(self, size, align) : NULL;
}

int main(void)
{
    static const uint8_t rights[2][2] = {{METE_PARTITION_ALL, METE_PARTITION_ALL},
                                         {0U, METE_PARTITION_ALL}};
    static const mete_partition_terms_t terms[2] = {
        {.span = {flat.blocks, sizeof flat.blocks}, .common_max = SIZE_MAX},
        {.common_max = sizeof other.blocks}};
    static mete_partition_owner_t owners[2];
    static const mete_partition_config_t config = {.terms = terms,
                                                   .owners = owners,
                                                   .rights = rights[0],
                                                   .owner_count = 2U,
                                                   .common = {other.blocks, sizeof other.blocks},
                                                   .common_granule = 8U,
                                                   .common_table = table,
                                                   .owner = ask,
                                                   .owner_self = &current};
    static const mete_alloc_ops_t limited = {
        .acquire = limited_acquire, .release = flat_release, .owns = flat_owns};
    static mete_partition_t partition;
    static mete_partition_request_t request = {
        .size = FLAT_SIZE + 1U, .align = VIEW_ALIGN, .on_served = on_served};
    const mete_alloc_t bare = flat_init(&flat);
    const mete_alloc_t homes[2] = {bare, {NULL, NULL}};
    (void)flat_init(&other);
    const mete_alloc_t common = {&limited, &other};
    work_view("bare", bare);
    (void)probe_ask(&current);
    (void)mete_partition_init(&partition, homes, common, &config);
    work_view("partition", mete_partition_as_alloc(&partition, 0U));
    current = 1U;
    work_view("other", mete_partition_as_alloc(&partition, 0U));
    work_view("common", mete_partition_as_alloc(&partition, 1U));
    (void)mete_partition_queue(&partition, 1U, &request);
    current = 0U;
    work_view("waiting", mete_partition_as_alloc(&partition, 0U));
    return 0;
}
