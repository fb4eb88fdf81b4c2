// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A radio and a shell, each with memory of its own and some in common. The shell takes what it can get; the radio
// still gets what is its own, waits for more, and finds out who meddles with its blocks.

#include "mete/protect/partition.h"
#include "mete/alloc/heap.h"

#include <stdio.h>

enum { RADIO, SHELL, OWNERS, HOME_SIZE = 2048, GRANULE = 32 };

static _Alignas(GRANULE) unsigned char memory[OWNERS + 1][HOME_SIZE];  // The last part is common.
static uint16_t table[HOME_SIZE / GRANULE];
static uint32_t running;  // An operating system would know which task runs.

static uint32_t who_asks(void *self)
{
    return *(const uint32_t *)self;
}

static void on_served(void *self, void *block)
{
    *(void **)self = block;
}

int main(void)
{
    const mete_span_t common = {memory[OWNERS], HOME_SIZE};
    const mete_partition_terms_t terms[OWNERS] = {
        [RADIO] = {{memory[RADIO], HOME_SIZE}, 1024U, 2U},
        [SHELL] = {{memory[SHELL], HOME_SIZE}, 2048U, 1U}};
    const uint8_t rights[OWNERS][OWNERS] = {{METE_PARTITION_ALL, 0U}, {0U, METE_PARTITION_ALL}};
    const mete_observer_t nobody = {NULL, NULL};
    mete_partition_owner_t owners[OWNERS];
    const mete_partition_config_t config = {terms,    owners,   rights[0], OWNERS,
                                            common,   GRANULE,  table,     METE_PARTITION_PRIORITY,
                                            who_asks, &running, nobody};
    mete_partition_t partition;
    mete_heap_config_t heaps[OWNERS + 1];
    mete_alloc_t behind[OWNERS + 1];
    for (size_t i = 0U; i <= OWNERS; i++) {
        heaps[i] = (mete_heap_config_t){.storage = {memory[i], HOME_SIZE}};
        behind[i] = mete_heap_as_alloc(mete_heap_init(&heaps[i]));
    }
    (void)mete_partition_init(&partition, behind, behind[OWNERS], &config);
    const mete_alloc_t shell = mete_partition_as_alloc(&partition, SHELL);
    running = SHELL;
    size_t count = 0U;
    void *last = NULL;
    for (void *block; (block = mete_acquire(shell, 450U, 4U)) != NULL; count++) {
        last = block;
    }
    running = RADIO;
    const void *const packet = mete_acquire(mete_partition_as_alloc(&partition, RADIO), 1500U, 4U);
    printf("shell: %zu blocks; radio: %s\n", count, (packet != NULL) ? "served" : "starved");
    void *frame = NULL;
    mete_partition_request_t request = {{NULL, NULL}, 430U, 4U, on_served, &frame, NULL};
    (void)mete_partition_queue(&partition, RADIO, &request);
    printf("in line: %zu\n", mete_partition_requests(&partition));
    running = SHELL;
    mete_release(shell, last, 450U, 4U);
    printf("in line: %zu; the block is now of owner %u\n", mete_partition_requests(&partition),
           (unsigned)mete_partition_owner_of(&partition, last));
    return ((frame == last) && mete_partition_check(&partition)) ? 0 : 1;
}
